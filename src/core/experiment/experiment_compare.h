/*
 * experiment_compare: one metric of one arm against the control: how large the difference is, and how sure that is.
 *
 * Pure; any thread; no allocation. The difference is always of the arm less the control, in the metric's unit, and the
 * evidence against "no difference". docs/EXPERIMENTS.md says which method is taken when and why; none is chosen by
 * what the difference is.
 * Not here: several metrics at once, looking again, the verdict (experiment_judge).
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_COMPARE_H
#define CORE_EXPERIMENT_EXPERIMENT_COMPARE_H

#include "core/experiment/experiment_state.h"
#include "core/stat/stat.h"

#define EXPERIMENT_RARE 0.1               /* events of fewer units are rare */
#define EXPERIMENT_UNEQUAL 0.25           /* so are shares of less than this of both arms together unequal */
#define EXPERIMENT_MEAN_LEAST 30          /* values other than 0 in both arms before means are compared */
#define EXPERIMENT_MEAN_LEAST_UNEQUAL 100 /* where shares are unequal (0.05 to 0.46 false alarms with fewer) */
#define EXPERIMENT_SPLIT_LEVEL 0.95 /* of a level: for how events fall to the arms; the rest for how many there are */

/* name, text, what it is and when it is taken */
#define EXPERIMENT_METHODS(X)                                                                                         \
	X(NOTHING, "none", "there are too few values in an arm")                                                      \
	X(MIXTURE, "normal_mixture", "there are enough values: an interval of means that holds at any time")          \
	X(ADJUSTED, "normal_mixture_cuped", "the same, with values adjusted for the covariate of the plan")           \
	X(CLUSTERED, "normal_mixture_clustered", "the same, with requests clustered by unit, for units have several") \
	X(COUNTS, "counts", "events are rare or few, or shares unequal: an exact test of how they fall to the arms")  \
	X(COUNTS_ANY, "counts_of_units", "the same of units with any event, for units have several requests")         \
	X(RATES, "newcombe", "two rates with Newcombe's interval, once, at the planned size")                         \
	X(WELCH, "welch", "two means by Welch's test, once, at the planned size")

enum experiment_method {
#define X(name, text, sentence) EXPERIMENT_BY_##name,
	EXPERIMENT_METHODS(X)
#undef X
	    EXPERIMENT_METHOD_COUNT
};

/* [0] is of the control, [1] of the arm. */
struct experiment_evidence {
	enum experiment_method method;
	uint64_t units[2], events[2]; /* units with a value; of them, those with another one than 0 */
	uint64_t events_needed;       /* what the plan's minimum of events is held against */
	double mean[2];               /* NaN: no values */
	double effect;                /* NaN: not known yet */
	struct stat_interval interval;
	double log_e, p;       /* of "no difference"; log_e is 0 of what is judged once */
	double variance_ratio; /* what the covariate leaves of the squared error; 1 without one */
	double faster;         /* of latency judged once: P(arm faster) + P(equal) / 2, by rank; else NaN */
	double faster_p;       /* of its Mann-Whitney test */
	bool is_flat;          /* no value has varied */
};

const char *experiment_method_name(enum experiment_method method);
const char *experiment_method_sentence(enum experiment_method method);
/* Whether the difference is of shares of units or requests: for people, in percent. */
bool experiment_is_share(const struct experiment_metric *m, enum experiment_method method);

/* The evidence at any time, with an interval of level 1 - level. arm is 1 or more, level in (0, 1). */
void experiment_compare(const struct experiment *x, const struct experiment_state *s, size_t arm, size_t metric,
			double level, struct experiment_evidence *evidence);
/* The same by a test that may be asked once only. */
void experiment_compare_once(const struct experiment *x, const struct experiment_state *s, size_t arm, size_t metric,
			     double level, struct experiment_evidence *evidence);

#endif
