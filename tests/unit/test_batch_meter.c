/* A batch's line: whole where there is room, and less of it the narrower the terminal is. */
#include "core/command.h"
#include "ui/command/batch_meter.h"
#include "unit.h"

#include <math.h>

/* What the commands share asks for the table of them, which is in the executable. */
const struct command *const command_table[] = {NULL};
const size_t command_count = 0;

static const struct batch_progress half = {.rows = 1234567, .rejected = 12, .bytes = 500, .bytes_total = 1000};
static const struct batch_progress stream = {.rows = 10, .bytes = 500};

static void check(int width, const struct batch_progress *progress, double rate, double left_s, const char *expected)
{
	char line[1024];
	batch_meter_line(line, sizeof line, width, true, "rows.csv", progress, rate, left_s);
	assert_string_equal(line, expected);
	assert_true(strlen(line) <= (size_t)width);
}

static void a_line_fits_the_terminal(void **state)
{
	(void)state;
	check(120, &half, 54000, 63,
	      "rows.csv  ####################--------------------   50%  1.2M rows  12 rejected  54.0k rows/s  "
	      "00:01:03 left");
	check(90, &half, 54000, 63,
	      "rows.csv  ###########----------   50%  1.2M rows  12 rejected  54.0k rows/s  00:01:03 left");
	check(75, &half, 54000, 63, "########--------   50%  1.2M rows  12 rejected  54.0k rows/s  00:01:03 left");
	check(60, &half, 54000, 63, " 50%  1.2M rows  12 rejected  54.0k rows/s  00:01:03 left");
	check(40, &half, 54000, 63, "#####-----   50%  1.2M rows  12 rejected");
	check(20, &half, 54000, 63, " 50%  1.2M rows");
	check(3, &half, 54000, 63, "");
	/* Of a stream nobody knows the end. */
	check(80, &stream, 0, (double)NAN, "rows.csv  10 rows");
	check(80, &half, 0, (double)NAN,
	      "rows.csv  ####################--------------------   50%  1.2M rows  12 rejected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_fits_the_terminal),
	};
	return cmocka_run_group_tests_name("batch_meter", tests, NULL, NULL);
}
