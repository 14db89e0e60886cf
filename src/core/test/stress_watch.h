/*
 * stress_watch: what a load may do to live traffic: who is there beside it, how much it may be, and when it must end.
 *
 * Pure functions of snapshots; any thread. Not here: asking for snapshots (command_stress).
 */
#ifndef CORE_TEST_STRESS_WATCH_H
#define CORE_TEST_STRESS_WATCH_H

#include "core/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

#define STRESS_WATCHED_MAX 64
#define STRESS_SHARE_PERCENT 50 /* of a live version's traffic that a load may be, where nothing else is said */
#define STRESS_POLLS_BAD 2      /* in a row: one bad second is no reason */
#define STRESS_POLLS_SILENT 5   /* in a row: the runtime itself does not answer */
#define STRESS_BAD_MIN 30       /* requests in a window, to judge it */
#define STRESS_REASON_SIZE 256

/* Whom a load on a version of a model touches. */
struct stress_blast {
	bool live;            /* the version has a share of the model's traffic */
	double share_percent; /* that share, by the route; of the model's own path 100 */
	double model_rps;     /* the model's traffic in the snapshot's window */
	double others_rps;    /* of all other models of the runtime */
	unsigned others;      /* how many of them have traffic */
	char names[160];      /* the busiest of them, "churn, price" */
};
/* version 0: the model's own path, so all of its route. */
struct stress_blast stress_blast(const struct snapshot *s, const char *model, uint32_t version);
/* The rate that is the given part, 0 to 100, of the model's requests once it runs; 0 when there is no limit: nothing
 * live is touched or there is no traffic to be a part of. */
double stress_blast_cap(const struct stress_blast *blast, double max_percent);
/* One sentence for the operator. */
void stress_blast_text(const struct stress_blast *blast, const char *model, uint32_t version, double rate_rps,
		       char *text, size_t size);

/* Live traffic while a load runs: every model that has a live version. */
struct stress_watch {
	uint64_t slo_p99_ns;   /* of the model under test, as its own statistics show it; 0: ten times what it was */
	double errors_percent; /* of any model */
	const char *model;
	size_t count;
	struct stress_watched {
		char model[TEXT_NAME_MAX + 1];
		uint64_t limit_p99_ns;
		unsigned bad; /* polls in a row */
	} models[STRESS_WATCHED_MAX];
	unsigned silent;
};
/* before: a snapshot from before the load. */
void stress_watch_begin(struct stress_watch *w, const struct snapshot *before, const char *model, uint64_t slo_p99_ns,
			double errors_percent);
/* now: the last seconds; NULL: the runtime did not answer. Whether to end the load, and why. */
bool stress_watch_check(struct stress_watch *w, const struct snapshot *now, char reason[STRESS_REASON_SIZE]);

#endif
