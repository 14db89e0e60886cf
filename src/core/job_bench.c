/* job_bench: a version's prediction time, load time and memory against another's. */
#include "core/job_kind.h"

extern const struct job_kind job_bench;

const struct job_kind job_bench = {
    .name = "bench",
    .title = "Benchmark against the live version",
    .version = JOB_VERSION_ARGUMENT,
    .either = {"data", "captured"},
    .field_count = 7,
    .fields =
	{
	    {"against", "against", "a version; the live one unless named", JOB_FIELD_VERSION, true, NULL},
	    {"data", "rows", "/data/rows.csv, where the runtime is; else the version's sample rows", JOB_FIELD_INPUT,
	     true, NULL},
	    {"batch", "batch sizes", "1,16,256", JOB_FIELD_TEXT, true, NULL},
	    {"threshold", "threshold", "1.05: of the time of a row; else the policy's", JOB_FIELD_NUMBER, true, NULL},
	    {"pairs", "pairs", "of launches; 12, 24 and 48 unless given", JOB_FIELD_NUMBER, true, NULL},
	    {"quick", "quick", "8 pairs and one look", JOB_FIELD_SWITCH, true, NULL},
	    {"captured", "captured rows", "5000: of live requests, instead of a file", JOB_FIELD_NUMBER, true, NULL},
	},
};
