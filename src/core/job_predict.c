/* job_predict: a file's rows predicted by one version into another file. */
#include "core/job_kind.h"

extern const struct job_kind job_predict;

const struct job_kind job_predict = {
    .name = "predict",
    .title = "Predict a file",
    .counted = "rows",
    .spoilt = "rejected",
    .field_count = 2,
    .fields =
	{
	    {"input", "rows", "/data/rows.csv or .jsonl, where the runtime is", JOB_FIELD_INPUT},
	    {"output", "predictions", "beside the rows, or /data/out.csv", JOB_FIELD_OUTPUT},
	},
};
