/* job_diff: two versions' answers to the same rows, compared. */
#include "core/job_kind.h"

extern const struct job_kind job_diff;

const struct job_kind job_diff = {
    .name = "diff",
    .title = "Compare answers",
    .either = {"data", "captured"},
    .either_needed = true,
    .counted = "rows",
    .field_count = 6,
    .fields =
	{
	    {"data", "data file", "/data/rows.csv or .jsonl, where the runtime is", JOB_FIELD_INPUT, .optional = true},
	    {"captured", "captured rows", "5000: of live requests, instead of a file", JOB_FIELD_NUMBER, true, NULL},
	    {"against", "against version", "the live one", JOB_FIELD_VERSION, .optional = true},
	    {"labels", "column of labels", "none", JOB_FIELD_TEXT, .optional = true},
	    {"segment", "column of segments", "none", JOB_FIELD_TEXT, .optional = true},
	    {"keep-inputs", "keep their inputs", "in the report; may be private", JOB_FIELD_SWITCH, true, NULL},
	},
    .version = JOB_VERSION_ARGUMENT,
    .test = true,
};
