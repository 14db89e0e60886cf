/*
 * experiment_work: records of an A/B test that are a function of their number alone, so that what must be in the
 * database after so many batches can be computed anew.
 *
 * Batch n serves ten units for the first time and tells what became of the ten before; those of the batch before that
 * it tells again, as a client does that had no answer.
 */
#ifndef TESTS_LIB_EXPERIMENT_WORK_H
#define TESTS_LIB_EXPERIMENT_WORK_H

#include "core/registry/registry_experiments.h"

#define EXPERIMENT_WORK_MODEL "ab"
#define EXPERIMENT_WORK_UNITS 10 /* a batch */

/* The running test of the model, or one that is started; the model has versions 1 and 2, and v1 or v2 is live. */
int experiment_work_start(struct registry *r, const struct actor *actor, struct experiment_record *record,
			  struct err *e);
int experiment_work_stop(struct registry *r, const struct actor *actor, const struct experiment_record *record,
			 struct err *e);
/* The next batch; *units gets how many there are then. */
int experiment_work_batch(struct registry *r, const struct experiment_record *record, uint64_t *units, struct err *e);
/* ERR_GATE unless the state is that of a whole number of batches, with so many units or more, and the log of looks says
 * what it said. */
int experiment_work_check(struct registry *r, const struct experiment_record *record, uint64_t units, struct err *e);

#endif
