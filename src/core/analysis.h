/*
 * analysis: whether a version that gets a part of the requests is worse than the live one beside it.
 *
 * Pure functions of counts; any thread. An analysis is one file, analysis_<name>.c, and one line in ANALYSES. It
 * fails a version only with both effect and evidence: the number is beyond its threshold, and an anytime-valid test
 * says that this is no chance. One that has seen too little waits.
 * Not here: gathering the counts (runtime/rollout/rollouts), the thresholds (core/policy).
 */
#ifndef CORE_ANALYSIS_H
#define CORE_ANALYSIS_H

#include "core/baseline.h"
#include "core/finding.h"
#include "core/histogram.h"
#include "core/policy.h"

/* To add an analysis: write analysis_<name>.c, then one line here. */
#define ANALYSES(X) X(error_rate) X(latency_p99) X(prediction_drift)

/* What one version did in a time, since the step began. */
struct analysis_arm {
	uint32_t version;
	uint32_t weight_bp;                  /* its share of the requests */
	uint64_t answered, errors;           /* requests; those that the caller is to blame for are in neither */
	uint64_t latency[HISTOGRAM_BUCKETS]; /* of the answered ones */
	uint32_t bin_count;                  /* 0: its predictions have no bins yet */
	double edges[BASELINE_BINS_MAX + 1];
	uint64_t predictions[BASELINE_BINS_MAX], below, above, nan;
};

struct analysis_input {
	const struct policy *thresholds;
	const struct analysis_arm *version; /* that is judged */
	const struct analysis_arm *live;
};

struct analysis {
	const char *name;
	const char *summary;
	/* Fills everything of the finding but its name. */
	void (*judge)(const struct analysis_input *input, struct finding *finding);
};

extern const struct analysis *const analysis_table[];
extern const size_t analysis_count;
const struct analysis *analysis_find(const char *name);
/* All of them; returns how many findings there are. */
size_t analysis_judge(const struct analysis_input *input, struct finding *findings, size_t max);

#endif
