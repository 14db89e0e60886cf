/*
 * fault: named points of the code at which a test ends the process, as kill -9 does.
 *
 * Only in the variant `fault` (make VARIANT=fault); in every other a point is no code at all. There MLDECK_FAULT=name
 * kills at the first time that the point is reached, name:N at the Nth, and MLDECK_FAULT_SYNCHRONOUS=OFF opens the
 * database without waiting for the disk, which the tests of tests/fault must notice. Any thread.
 */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

/* To add a point: a line here, FAULT_POINT(name) where it is, and in tests/fault something that comes by. */
#define FAULT_POINTS(X)                                                               \
	X(artifact_written) /* not yet synced */                                      \
	X(artifact_synced)  /* under its temporary name */                            \
	X(artifact_renamed) /* the directories are not yet synced */                  \
	X(artifact_shelved)                                                           \
	X(deploy_begun)                                                               \
	X(deploy_version) /* the row of the version is written */                     \
	X(deploy_audit)   /* all is written, before the commit */                     \
	X(deploy_committed)                                                           \
	X(change_unbegun) /* of a route: before its transaction */                    \
	X(change_begun)                                                               \
	X(change_rollout) /* the rollout's row is written, where there is one */      \
	X(change_revision)                                                            \
	X(change_audit) /* before the commit */                                       \
	X(change_committed)                                                           \
	X(publish) /* before the routing is swapped */                                \
	X(published)                                                                  \
	X(rollout_row) /* of a pause, a resume or a checkpoint */                     \
	X(rollout_audit)                                                              \
	X(rollout_committed)                                                          \
	X(batch_begun)     /* of records of an A/B test: nothing is written */        \
	X(batch_exposures) /* rows of units and requests are */                       \
	X(batch_unit)      /* an outcome is in its unit's row, its key is not kept */ \
	X(batch_rows)      /* all rows are written, the sums are not */               \
	X(batch_state)     /* all is written, before the commit */                    \
	X(batch_committed)                                                            \
	X(look_written) /* a look and what it remembers, before the commit */         \
	X(look_committed)                                                             \
	X(answer) /* before a change is answered */

enum fault_point {
#define X(name) FAULT_##name,
	FAULT_POINTS(X)
#undef X
	    FAULT_POINT_COUNT
};

const char *fault_point_name(enum fault_point point);
void fault_point(enum fault_point point);

#ifdef MLDECK_FAULTS
#define FAULT_POINT(name) fault_point(FAULT_##name)
#else
#define FAULT_POINT(name) ((void)0)
#endif

#endif
