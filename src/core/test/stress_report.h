/*
 * stress_report: all that a stress test found, put together as it runs, and the JSON of it.
 *
 * Owner: the caller, from stress_report_new() to stress_report_free(); one thread. Limits: STRESS_POINTS_MAX seconds of
 * the series; when they are full, every second one is dropped and further ones come half as often.
 * Not here: judging (stress), keeping it (stress_target).
 */
#ifndef CORE_TEST_STRESS_REPORT_H
#define CORE_TEST_STRESS_REPORT_H

#include "core/registry/registry.h"
#include "core/test/machine.h"
#include "core/test/stress.h"
#include "core/test/stress_watch.h"

#define STRESS_POINTS_MAX 600
#define STRESS_SUMMARY_SIZE REASON_SIZE /* what a result may say, or it would not be kept */

enum stress_mode { STRESS_RATE, STRESS_RAMP, STRESS_FIND_MAX };

/* A second or so of a load. */
struct stress_point {
	double at_s, rate_rps, answered_rps, failed_rps; /* rate: that the schedule asked for */
	uint64_t p50_ns, p99_ns;                         /* from the intended start */
	double cpu_percent, memory_bytes, waiting;       /* of the runtime; NaN: not known */
};

struct stress_report {
	const char *model; /* borrowed, as all texts */
	uint32_t version;
	const char *url, *rows_from;
	enum stress_mode mode;
	double from_rps, to_rps, duration_s;
	enum load_arrivals arrivals;
	uint64_t seed;
	size_t connections, rows, batch;
	struct stress_limits limits;
	char blast[512];
	bool soak, watched; /* watched: the figures of the runtime's process are known */

	size_t step_count;
	struct stress_step steps[STRESS_STEPS_MAX];
	struct stress_search search; /* of FIND_MAX */
	struct load_counts *counts;  /* of the run; of FIND_MAX: of the last step that passed */
	size_t point_count;
	double point_s; /* the least time between two points */
	struct stress_point points[STRESS_POINTS_MAX];
	struct stress_memory memory;
	struct stress_growth growth;
	double cpu_max_percent, memory_first_bytes, memory_max_bytes, waiting_max;
	char live_reason[STRESS_REASON_SIZE]; /* why live traffic ended it; "" */

	enum stress_verdict verdict;
	size_t finding_count;
	struct finding findings[FINDINGS_MAX];
	char summary[STRESS_SUMMARY_SIZE];

	struct load_counts *before; /* private: at the last point */
	double before_s, before_cpu_s;
};

/* NULL when memory is out. */
struct stress_report *stress_report_new(void);
void stress_report_free(struct stress_report *r);
/* A load starts: the counters are at 0 again. */
void stress_report_begin(struct stress_report *r);
/* What the counters are now, at_s from the start of the test; use NULL: not known. A point when it is time for one:
 * whether it was. */
bool stress_report_point(struct stress_report *r, const struct load_counts *counts, double at_s, double rate_rps,
			 const struct machine_use *use, double waiting);
void stress_report_step(struct stress_report *r, const struct stress_step *step);
/* Verdict, findings and summary of what there is. stopped: by an operator. */
int stress_report_judge(struct stress_report *r, bool stopped, struct err *e);
/* The JSON text, indented; free(). NULL when memory is out. */
char *stress_report_text(const struct stress_report *r);

#endif
