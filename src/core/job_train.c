/* job_train: a training command and what it took; only ever started in a shell. */
#include "core/job_kind.h"

extern const struct job_kind job_train;

const struct job_kind job_train = {
    .name = "train",
    .title = "Train, timed",
    .version = JOB_VERSION_NONE,
    .test = true,
    .shell_only = true,
};
