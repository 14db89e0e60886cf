/*
 * analysis_error_rate: errors of the version against those of the live one beside it.
 *
 * Effect: its rate is above the live one's by more than error_margin. Evidence: the exact Dirichlet-multinomial e-value
 * (stat_counts_log_e, concentration 20) of the errors by version, against the versions' shares of the requests, above
 * 1 / analysis_alpha: given an error, and no difference, its version is drawn by these shares, also while the rate of
 * errors rises and falls. It holds however often it is looked at. A rate needs no analysis_requests to be bad: a
 * version that fails every request is caught by a handful of them.
 */
#include "core/analysis.h"
#include "core/stat/stat_anytime.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static double percent(uint64_t part, uint64_t whole)
{
	return 100.0 * (double)part / (double)whole;
}

static bool has_evidence(const struct analysis_input *input, uint64_t n, uint64_t live_n)
{
	const uint64_t counts[] = {input->version->errors, input->live->errors};
	const double share = (double)n / (double)(n + live_n), weights[] = {share, 1 - share};
	double log_e = 0;
	return stat_counts_log_e(counts, weights, 2, STAT_EVENT_CONCENTRATION, &log_e, NULL) == 0 &&
	       log_e > -log(input->thresholds->analysis_alpha);
}

static void judge(const struct analysis_input *input, struct finding *f)
{
	const struct analysis_arm *version = input->version, *live = input->live;
	uint64_t n = version->answered + version->errors, live_n = live->answered + live->errors;

	snprintf(f->unit, sizeof f->unit, "%%");
	f->n = n;
	f->n_needed = input->thresholds->analysis_requests;
	f->verdict = FINDING_WAIT;
	if (n == 0 || live_n == 0) {
		snprintf(f->text, sizeof f->text, "v%u has answered nothing yet, so there is nothing to compare",
			 n == 0 ? version->version : live->version);
		return;
	}
	double live_rate = percent(live->errors, live_n);
	f->value = percent(version->errors, n);
	f->threshold = live_rate + input->thresholds->error_margin_percent;
	snprintf(f->text, sizeof f->text, "v%u answers %.3g%% with an error, v%u %.3g%%", version->version, f->value,
		 live->version, live_rate);
	if (f->value > f->threshold && has_evidence(input, n, live_n)) {
		f->verdict = FINDING_FAIL;
	} else if (n < f->n_needed) {
		snprintf(f->text, sizeof f->text,
			 "not enough traffic: %" PRIu64 " of %" PRIu64 " requests, %" PRIu64 " with an error", n,
			 f->n_needed, version->errors);
	} else {
		f->verdict = FINDING_PASS;
	}
}

extern const struct analysis analysis_error_rate;
const struct analysis analysis_error_rate = {
    .name = "error_rate",
    .summary = "its share of errors is not above the live version's by more than error_margin",
    .judge = judge,
};
