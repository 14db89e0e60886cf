/* job_bench: a version's prediction time, load time and memory against another's. */
#include "core/job_kind.h"

#include <string.h>

#define ROWS_MAX 1000000 /* of a call; the command has its own, smaller limit */

extern const struct job_kind job_bench;

enum { AGAINST, DATA, BATCH };

/* "1,16,256" */
static int check(const char *const *values, struct err *e)
{
	const char *at = values[BATCH];
	char word[24];
	long long rows;

	while (*at != '\0') {
		size_t size = strcspn(at, ",");
		if (size >= sizeof word)
			break;
		memcpy(word, at, size);
		word[size] = '\0';
		if (!text_integer(word, 1, ROWS_MAX, &rows))
			break;
		at += size;
		if (*at == '\0')
			return 0;
		at++;
	}
	return values[BATCH][0] == '\0'
		   ? 0
		   : err_set(e, ERR_INPUT, "--batch takes numbers of rows, as 1,16,256, not `%.60s`", values[BATCH]);
}

const struct job_kind job_bench = {
    .name = "bench",
    .title = "Benchmark",
    .version = JOB_VERSION_ARGUMENT,
    .test = true,
    .check = check,
    .either = {"data", "captured"},
    .counted = "launches",
    .field_count = 7,
    .fields =
	{
	    [AGAINST] = {"against", "against", "a version; the live one unless named", JOB_FIELD_VERSION, true, NULL},
	    [DATA] = {"data", "data file", "/data/rows.csv, where the runtime is; else the version's sample rows",
		      JOB_FIELD_INPUT, true, NULL},
	    [BATCH] = {"batch", "batch sizes", "1,16,256", JOB_FIELD_TEXT, true, NULL},
	    {"threshold", "threshold", "1.05: of the time of a row; else the policy's", JOB_FIELD_NUMBER, true, NULL},
	    {"pairs", "pairs", "of launches; 12, 24 and 48 unless given", JOB_FIELD_NUMBER, true, NULL},
	    {"quick", "quick", "8 pairs and one look", JOB_FIELD_SWITCH, true, NULL},
	    {"captured", "captured rows", "5000: of live requests, instead of a file", JOB_FIELD_NUMBER, true, NULL},
	},
};
