/* job_diff: two versions' answers to the same rows, compared. */
#include "core/job_kind.h"

extern const struct job_kind job_diff;

const struct job_kind job_diff = {
    .name = "diff",
    .title = "Compare answers",
    .field_count = 4,
    .fields =
	{
	    {"data", "data file", "/data/rows.csv or .jsonl, where the runtime is", JOB_FIELD_INPUT},
	    {"against", "against version", "the live one", JOB_FIELD_VERSION, .optional = true},
	    {"labels", "column of labels", "none", JOB_FIELD_TEXT, .optional = true},
	    {"segment", "column of segments", "none", JOB_FIELD_TEXT, .optional = true},
	},
    .version = JOB_VERSION_ARGUMENT,
    .test = true,
};
