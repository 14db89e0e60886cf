/*
 * training: what training runs of a model took, and whether the newest took more than those before.
 *
 * Plain values; any thread. A run is kept as the report of a test of the kind "training". Compared are wall time, CPU
 * time and memory; runs that failed, or ran on another host, are left out.
 *
 * One run against n earlier ones: is it within what one more of them would be? The interval is the t prediction
 * interval of one further observation on logarithms (Hahn and Meeker, Statistical Intervals, section 4.8), which takes
 * them for normal, and needs TRAINING_EARLIER_MIN of them. Ranks can show nothing there: 1 against n has no p below 2 /
 * (n + 1). Several runs against n: Mann and Whitney, and the Hodges-Lehmann ratio with Moses's interval; what so few
 * runs cannot cover at 95% is INCONCLUSIVE. Holm over the three figures, and then as a benchmark is judged (benchmark).
 */
#ifndef CORE_TEST_TRAINING_H
#define CORE_TEST_TRAINING_H

#include "core/test/benchmark.h"
#include "core/test/timed_run.h"

#include <cjson/cJSON.h>
#include <stdint.h>

#define TRAINING_RUNS_MAX 100
#define TRAINING_EARLIER_MIN 3
#define TRAINING_COMMAND_SIZE 512
#define TRAINING_HOST_SIZE 65

struct training_run {
	int64_t id, at_ms; /* of the test; 0: not kept yet */
	struct timed_run took;
	double rate_per_hour;                /* NaN: none was given */
	char command[TRAINING_COMMAND_SIZE]; /* as a shell reads it, cut */
	char host[TRAINING_HOST_SIZE];
	char produces[256]; /* the file that it made; "" none was named */
	char sha256[65];    /* of that file after the run; "" there was none */
	uint32_t version;   /* that has this file; 0: none yet */
};

#define TRAINING_FIGURES(X) X(WALL, "wall") X(CPU, "cpu") X(MEMORY, "memory")
enum training_figure {
#define X(name, text) TRAINING_##name,
	TRAINING_FIGURES(X)
#undef X
	    TRAINING_FIGURE_COUNT
};

struct training_comparison {
	size_t last, earlier; /* runs on either side */
	size_t left_out;      /* that failed, or ran elsewhere */
	size_t newest;        /* the place of the newest run that counts */
	bool by_rank;         /* else by the prediction interval */
	bool too_few;         /* the interval would not cover what it must: nothing can be said */
	struct training_ratio {
		double old_median, new_median; /* seconds, or bytes */
		double ratio;
		struct stat_interval interval;
		double p, p_adjusted;
		bool noisy;
		enum benchmark_verdict verdict;
	} figures[TRAINING_FIGURE_COUNT];
	double ratio_max, memory_max; /* the thresholds */
	enum benchmark_verdict verdict;
};

const char *training_figure_name(enum training_figure figure);
/* NaN when no rate was given. */
double training_cost(const struct training_run *run);
/* "took 12.4 s (CPU 20.1 s), 310 MB, exit code 0, cost 0.0086" */
void training_summary(const struct training_run *run, char *text, size_t size);
/* The report; cJSON_Delete() it. */
cJSON *training_report(const struct training_run *run, const char *model);
/* From a test as the runtime gives it, with its report. ERR_INPUT names the field. */
int training_from_test(const cJSON *test, struct training_run *run, struct err *e);

/* One sentence. */
void training_comparison_summary(const struct training_comparison *c, char *text, size_t size);
/* The report of a comparison, of the version that the newest run made (0: none yet) against another (0: none), with a
 * finding a figure; cJSON_Delete() it. */
cJSON *training_comparison_report(const struct training_comparison *c, const char *model,
				  const struct training_run *runs, uint32_t against);

/* runs[count]: newest first; the first `last` of those that count are compared with the others. ERR_INPUT when there
 * are not so many, or none before. */
int training_compare(const struct training_run *runs, size_t count, size_t last, double ratio_max, double memory_max,
		     struct training_comparison *c, struct err *e);

#endif
