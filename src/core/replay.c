#include "core/replay.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/fetch.h"
#include "core/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Columns before and after the features. */
#define BEFORE 3
#define AFTER 2
#define COLUMNS_MAX 128
#define REQUEST_TIMEOUT_MS 5000
#define ANSWER_MAX ((size_t)1 << 20)
/* So long without a runtime, and the replay ends by itself. */
#define GONE_NS 5000000000LL
/* The same when it does not even take the connection: nobody is there, while a silent one may be busy. */
#define REFUSED_NS 700000000LL
/* Sleeps are cut in slices of this length, so that a stop is seen soon. */
#define SLICE_NS 100000000LL
/* Further behind than this, the recording's clock waits. */
#define BEHIND_NS 250000000LL

/* Splits line at its commas in place; the number of fields, COLUMNS_MAX + 1 when there are more. */
static size_t fields_split(char *line, char **fields)
{
	size_t count = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (line) {
		if (count == COLUMNS_MAX)
			return COLUMNS_MAX + 1;
		fields[count++] = strsep(&line, ",");
	}
	return count;
}

static int number_parse(const char *text, double *number)
{
	char *end;

	*number = NAN;
	if (!*text)
		return 0;
	*number = strtod(text, &end);
	return *end == '\0' && isfinite(*number) ? 0 : -1;
}

static int values_make(char **fields, size_t count, struct replay_row *row, size_t *bad)
{
	struct buf b;

	buf_init(&b);
	for (size_t i = 0; i < count; i++) {
		double number;

		if (number_parse(fields[i], &number) != 0) {
			*bad = i;
			buf_release(&b);
			return -1;
		}
		if (i)
			buf_add_char(&b, ',');
		if (isnan(number))
			buf_add_string(&b, "null");
		else
			buf_format(&b, "%.17g", number);
	}
	*bad = count;
	if (b.failed) {
		buf_release(&b);
		return -1;
	}
	row->values = buf_take(&b);
	return 0;
}

static int row_read(struct replay *r, const char *path, char *line, size_t number, struct err *e)
{
	struct replay_row *row = &r->rows[r->row_count];
	char *fields[COLUMNS_MAX];
	size_t columns = r->feature_count + BEFORE + AFTER;
	size_t count = fields_split(line, fields), bad = 0;
	long long departed, known;

	memset(row, 0, sizeof(*row));
	if (count != columns)
		return err_set(e, ERR_INPUT, "%s line %zu has %zu fields; its header has %zu", path, number, count,
			       columns);
	if (!text_integer(fields[0], 0, INT64_MAX / 1000, &departed) ||
	    !text_integer(fields[1], 0, INT64_MAX / 1000, &known))
		return err_set(e, ERR_INPUT, "%s line %zu: departed_s and known_s must be Unix seconds", path, number);
	if (strlen(fields[2]) >= sizeof(row->unit))
		return err_set(e, ERR_INPUT, "%s line %zu: the unit is too long", path, number);
	if (r->row_count && departed < r->rows[r->row_count - 1].departed_s)
		return err_set(e, ERR_INPUT, "%s line %zu departs before the line above it", path, number);
	if (number_parse(fields[columns - 2], &row->late) != 0 ||
	    number_parse(fields[columns - 1], &row->arr_delay) != 0)
		return err_set(e, ERR_INPUT, "%s line %zu: the outcome is no number", path, number);
	text_clean(row->unit, sizeof(row->unit), fields[2]);
	row->departed_s = departed;
	row->known_s = known;
	if (values_make(fields + BEFORE, r->feature_count, row, &bad) == 0) {
		r->row_count++;
		return 0;
	}
	if (bad == r->feature_count)
		return err_set(e, ERR_MEMORY, "memory is out");
	return err_set(e, ERR_INPUT, "%s line %zu, column %zu: %s is no number", path, number, bad + BEFORE + 1,
		       fields[bad + BEFORE]);
}

static int header_read(struct replay *r, const char *path, char *line, struct err *e)
{
	char *fields[COLUMNS_MAX];
	size_t count = fields_split(line, fields);

	if (count > COLUMNS_MAX || count <= BEFORE + AFTER || strcmp(fields[0], "departed_s") != 0 ||
	    strcmp(fields[1], "known_s") != 0 || strcmp(fields[2], "unit") != 0 ||
	    strcmp(fields[count - 2], "late") != 0 || strcmp(fields[count - 1], "arr_delay") != 0)
		return err_set(e, ERR_INPUT,
			       "%s must have the columns departed_s,known_s,unit,<features>,"
			       "late,arr_delay",
			       path);
	r->feature_count = count - BEFORE - AFTER;
	return 0;
}

static int rows_read(struct replay *r, const char *path, FILE *file, struct err *e)
{
	size_t capacity = 0, line_capacity = 0, number = 1;
	char *line = NULL;
	int result = -1;

	if (getline(&line, &line_capacity, file) < 0) {
		err_set(e, ERR_INPUT, "%s is empty", path);
		goto out;
	}
	if (header_read(r, path, line, e) != 0)
		goto out;
	while (getline(&line, &line_capacity, file) >= 0) {
		if (r->row_count == capacity) {
			size_t larger = capacity ? 2 * capacity : 4096;
			struct replay_row *rows = NULL;

			if (larger <= 2 * REPLAY_ROWS_MAX)
				rows = realloc(r->rows, larger * sizeof(*rows));
			if (!rows) {
				err_set(e, ERR_MEMORY, "memory is out for the rows of %s", path);
				goto out;
			}
			r->rows = rows;
			capacity = larger;
		}
		if (row_read(r, path, line, ++number, e) != 0)
			goto out;
	}
	if (ferror(file))
		err_errno(e, errno, "%s cannot be read", path);
	else if (r->row_count < 2)
		err_set(e, ERR_INPUT, "%s has fewer than two rows", path);
	else
		result = 0;
out:
	free(line);
	return result;
}

int replay_read(const char *path, struct replay **result, struct err *e)
{
	struct replay *r = calloc(1, sizeof(*r));
	FILE *file = fopen(path, "re");
	int status = -1;

	*result = NULL;
	if (!file)
		err_errno(e, errno, "%s cannot be opened", path);
	else if (!r)
		err_set(e, ERR_MEMORY, "memory is out");
	else
		status = rows_read(r, path, file, e);
	if (file)
		fclose(file);
	if (status == 0)
		*result = r;
	else
		replay_free(r);
	return status;
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->row_count; i++)
		free(r->rows[i].values);
	free(r->rows);
	free(r);
}

double replay_speed(const struct replay *r, const struct replay_options *options)
{
	double span = (double)(r->rows[r->row_count - 1].departed_s - r->rows[0].departed_s);

	if (options->speed > 0)
		return options->speed;
	return span * options->rate_rps / ((double)r->row_count * (double)options->model_count);
}

int replay_body(const struct replay *r, size_t row, char *text, size_t size)
{
	int n = snprintf(text, size,
			 "{\"inputs\":[{\"name\":\"rows\",\"shape\":[1,%zu],\"datatype\":\"FP64\","
			 "\"data\":[%s]}]}",
			 r->feature_count, r->rows[row].values);

	return n > 0 && (size_t)n < size ? 0 : -1;
}

struct sender {
	const struct replay *replay;
	const struct replay_options *options;
	struct replay_result *result;
	struct fetch *fetch;
	struct fetch_answer answer;
	int64_t answered_ns; /* when the runtime last answered */
	int64_t failing_ns;  /* when the first exchange after that failed; 0: none did */
};

/* One exchange; 1 when it failed and the runtime may still come back, -1 once it is gone for good. */
static int exchange(struct sender *s, const struct fetch_request *request, struct err *e)
{
	int64_t start_ns = (int64_t)clock_ns(), end_ns;
	bool timed_out;

	if (fetch_perform(s->fetch, request, &s->answer, e) == 0) {
		s->answered_ns = (int64_t)clock_ns();
		s->failing_ns = 0;
		return 0;
	}
	end_ns = (int64_t)clock_ns();
	timed_out = end_ns - start_ns >= REQUEST_TIMEOUT_MS * 1000000LL;
	if (s->failing_ns == 0)
		s->failing_ns = start_ns;
	if (!timed_out && end_ns - s->failing_ns >= REFUSED_NS)
		return -1;
	return end_ns - s->answered_ns < GONE_NS ? 1 : -1;
}

static void failure_note(struct sender *s, const char *model, const char *sentence)
{
	if (s->result->failed++ == 0)
		snprintf(s->result->first_failure, sizeof(s->result->first_failure), "%s: %.180s", model, sentence);
}

/* -1 once the runtime is gone for good. */
static int row_send(struct sender *s, size_t row, const char *model, struct err *e)
{
	char url[256], unit[64], body[8192];
	const char *headers[] = {"Content-Type: application/json", unit, NULL};
	struct fetch_request request = {.url = url,
					.headers = headers,
					.body = body,
					.direct = true,
					.timeout_ms = REQUEST_TIMEOUT_MS,
					.answer_max = ANSWER_MAX};
	int gone;

	snprintf(url, sizeof(url), "%s/v2/models/%s/infer", s->options->url, model);
	snprintf(unit, sizeof(unit), "Mldeck-Unit: %s", s->replay->rows[row].unit);
	if (replay_body(s->replay, row, body, sizeof(body)) != 0)
		return err_set(e, ERR_TOO_LARGE, "row %zu has too many features to replay", row + 1);
	request.body_size = strlen(body);
	s->result->sent++;
	gone = exchange(s, &request, e);
	if (gone != 0) {
		failure_note(s, model, e->text);
		return gone < 0 ? -1 : 0;
	}
	if (s->answer.status != 200) {
		char status[64];

		snprintf(status, sizeof(status), "HTTP status %d", s->answer.status);
		failure_note(s, model, status);
	}
	return 0;
}

static bool stopped(const struct sender *s)
{
	return s->options->stop && *s->options->stop;
}

/* While nothing is due the runtime may end, and so must the replay. */
static int runtime_probe(struct sender *s, struct err *e)
{
	char url[256];
	struct fetch_request request = {
	    .url = url, .direct = true, .timeout_ms = REQUEST_TIMEOUT_MS, .answer_max = ANSWER_MAX};

	snprintf(url, sizeof(url), "%s/v2/health/live", s->options->url);
	return exchange(s, &request, e) < 0 ? -1 : 0;
}

static int wait_until(struct sender *s, int64_t due_ns, struct err *e)
{
	while (!stopped(s)) {
		int64_t left = due_ns - (int64_t)clock_ns();
		int64_t slice = left < SLICE_NS ? left : SLICE_NS;
		struct timespec t = {.tv_nsec = (long)slice};

		if (left <= 0)
			return 0;
		nanosleep(&t, NULL);
		if ((int64_t)clock_ns() - s->answered_ns > 1000000000LL && runtime_probe(s, e) != 0)
			return -1;
	}
	return 0;
}

/* One pass over the recording. */
static int pass_run(struct sender *s, double speed, struct err *e)
{
	const struct replay *r = s->replay;
	int64_t start_ns = (int64_t)clock_ns();

	for (size_t i = 0; i < r->row_count && !stopped(s); i++) {
		double offset_s = (double)(r->rows[i].departed_s - r->rows[0].departed_s) / speed;
		int64_t due_ns = start_ns + (int64_t)(offset_s * 1e9);
		int64_t behind_ns = (int64_t)clock_ns() - due_ns;

		if (behind_ns > BEHIND_NS)
			start_ns += behind_ns;
		else if (wait_until(s, due_ns, e) != 0)
			return -1;
		for (size_t j = 0; j < s->options->model_count && !stopped(s); j++)
			if (row_send(s, i, s->options->models[j], e) != 0)
				return -1;
	}
	return 0;
}

int replay_run(const struct replay *r, const struct replay_options *options, struct replay_result *result,
	       struct err *e)
{
	struct sender s = {.replay = r, .options = options, .result = result, .answered_ns = (int64_t)clock_ns()};
	double speed = replay_speed(r, options);
	int status = 0;

	memset(result, 0, sizeof(*result));
	if (!(speed > 0))
		return err_set(e, ERR_INPUT, "the recording cannot be replayed at this speed");
	s.fetch = fetch_new();
	if (!s.fetch)
		return err_set(e, ERR_MEMORY, "memory is out");
	buf_init(&s.answer.body);
	while (status == 0 && !stopped(&s))
		status = pass_run(&s, speed, e);
	buf_release(&s.answer.body);
	fetch_free(s.fetch);
	return status;
}
