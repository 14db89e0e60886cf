/*
 * stress_run: carries out a stress test: one load, or one after the other in a search, while live traffic, the
 * runtime's process and the list of jobs are looked after.
 *
 * Owner: the caller (command_stress); one thread, with that of the load beside it. Not here: what is sent to whom.
 */
#ifndef UI_STRESS_RUN_H
#define UI_STRESS_RUN_H

#include "core/client.h"
#include "core/job_report.h"
#include "core/test/load.h"
#include "core/test/stress_report.h"
#include "core/test/stress_watch.h"
#include "ui/command/stress_meter.h"
#include "ui/command/stress_options.h"

#include <signal.h>

struct stress_run {
	const struct stress_options *options; /* borrowed, as what follows */
	const struct load_target *target;
	const struct load_requests *requests;
	struct client *client; /* NULL: no runtime is watched */
	int64_t pid;           /* of the runtime, 0: not known */
	const char *listen;    /* of the runtime: where its metrics are */
	const volatile sig_atomic_t *stop;
	double cap_rps; /* of a search; 0: no limit */
	struct stress_watch watch;
	struct stress_report *report;
	struct job_report job;

	struct stress_meter meter; /* private, as is the rest */
	int64_t begun_ms;
	bool cancelled; /* by the list of jobs */
	struct load_counts *counts;
};

/* Runs it and judges; the figures are in the report. *stopped: an operator ended it. ERR_UNREACHABLE and the like when
 * the target takes no connection at all. */
int stress_run(struct stress_run *run, bool *stopped, struct err *e);

#endif
