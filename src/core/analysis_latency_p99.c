/*
 * analysis_latency_p99: the slowest hundredth of the version's answers against the live one's beside it.
 *
 * Effect: the ratio of both p99s is above p99_ratio_max, and their difference above p99_margin: a canary that gets one
 * request in a hundred finds colder caches than the live version, which of microseconds makes several, and which nobody
 * who waits for an answer sees. Evidence: of the answers that took longer than the live
 * version's p99, the exact Dirichlet-multinomial e-value by version against the versions' shares of the answers, above
 * 1 / analysis_alpha, with more of them on the version's side than its share.
 *
 * The p99 is the concurrent one, of the answers since the step began. A frozen one makes the e-value exact, but it is
 * of another hour: under today's load everything is above it, or nothing. Estimated from the very answers, it takes
 * from the live version's exceedances more chance than it adds; false alarms were measured (docs/ROUTES.md), and
 * stay below analysis_alpha.
 */
#include "core/analysis.h"
#include "core/stat/stat_anytime.h"
#include "core/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Answers that took longer than those of a bucket. */
static uint64_t beyond(const uint64_t latency[HISTOGRAM_BUCKETS], uint32_t bucket)
{
	uint64_t count = 0;
	for (uint32_t i = bucket + 1; i < HISTOGRAM_BUCKETS; i++)
		count += latency[i];
	return count;
}

static bool has_evidence(const struct analysis_input *input, uint64_t live_p99_ns)
{
	const struct analysis_arm *version = input->version, *live = input->live;
	uint32_t bucket = histogram_bucket(live_p99_ns);
	const uint64_t counts[] = {beyond(version->latency, bucket), beyond(live->latency, bucket)};
	const double share = (double)version->answered / (double)(version->answered + live->answered);
	const double weights[] = {share, 1 - share};
	double log_e = 0;
	if ((double)counts[0] <= share * (double)(counts[0] + counts[1]))
		return false;
	return stat_counts_log_e(counts, weights, 2, STAT_EVENT_CONCENTRATION, &log_e, NULL) == 0 &&
	       log_e > -log(input->thresholds->analysis_alpha);
}

static void judge(const struct analysis_input *input, struct finding *f)
{
	const struct analysis_arm *version = input->version, *live = input->live;
	uint64_t fewest = version->answered < live->answered ? version->answered : live->answered;
	char p99[16], live_p99[16];

	snprintf(f->unit, sizeof f->unit, "x");
	f->n = version->answered;
	f->n_needed = input->thresholds->analysis_requests;
	f->threshold = input->thresholds->p99_ratio_max;
	f->verdict = FINDING_WAIT;
	if (fewest < f->n_needed) {
		snprintf(f->text, sizeof f->text,
			 "not enough traffic: v%u answered %" PRIu64 " requests, v%u %" PRIu64 ", of %" PRIu64,
			 version->version, version->answered, live->version, live->answered, f->n_needed);
		return;
	}
	uint64_t p99_ns = histogram_quantile_ns(version->latency, 0.99);
	uint64_t live_p99_ns = histogram_quantile_ns(live->latency, 0.99);
	text_duration(p99, sizeof p99, (double)p99_ns, false);
	text_duration(live_p99, sizeof live_p99, (double)live_p99_ns, false);
	snprintf(f->text, sizeof f->text, "the p99 of v%u is %s, of v%u %s", version->version, p99, live->version,
		 live_p99);
	/* Below the clock's resolution there is no ratio, and nobody waits for it. */
	f->value = (double)p99_ns / (double)(live_p99_ns > 0 ? live_p99_ns : 1);
	bool slower = f->value > f->threshold && p99_ns > live_p99_ns + input->thresholds->p99_margin_us * 1000;
	f->verdict = slower && has_evidence(input, live_p99_ns) ? FINDING_FAIL : FINDING_PASS;
}

extern const struct analysis analysis_latency_p99;
const struct analysis analysis_latency_p99 = {
    .name = "latency_p99",
    .summary = "its p99 latency is at most p99_ratio_max times the live version's, or p99_margin above it",
    .judge = judge,
};
