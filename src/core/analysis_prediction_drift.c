/*
 * analysis_prediction_drift: the distribution of the version's predictions against that of the live one beside it.
 *
 * The population stability index of both, in bins that hold about a tenth of the live version's predictions each.
 * It fails above drift_max and what chance adds to it, the upper quantile of (1/N + 1/M) chi-square with one degree
 * less than bins (Yurdakul 2018): an index of few requests is too great on average, and a good version that was trained
 * anew differs a little. It is looked at again and again while N grows, so that the quantile's level is spent: at the
 * k-th doubling of the requests, analysis_alpha / (LOOKS k (k + 1)), where LOOKS stands for the looks within a doubling
 * that are as good as independent (measured, docs/ROUTES.md).
 *
 * Rows of one request may be alike, so that requests are what counts as N and M.
 */
#include "core/analysis.h"
#include "core/stat/stat_distance.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TENTHS 10
#define LOOKS 10
/* Below, the bins, above. */
#define CELLS_MAX (BASELINE_BINS_MAX + 2)
/* A live version with numbers has bins after BASELINE_LEARN_COUNT predictions, so after these it has no numbers. */
#define BINLESS_REQUESTS (2 * BASELINE_LEARN_COUNT)

struct merged {
	size_t count;
	uint64_t live[CELLS_MAX + 1], version[CELLS_MAX + 1];
};

static size_t cells(const struct analysis_arm *arm, uint64_t counts[CELLS_MAX])
{
	counts[0] = arm->below;
	memcpy(counts + 1, arm->predictions, arm->bin_count * sizeof *counts);
	counts[arm->bin_count + 1] = arm->above;
	return arm->bin_count + 2;
}

static uint64_t total(const struct analysis_arm *arm)
{
	uint64_t sum = arm->below + arm->above + arm->nan;
	for (uint32_t i = 0; i < arm->bin_count; i++)
		sum += arm->predictions[i];
	return sum;
}

/* Ends a bin; one that is empty on both sides says nothing. */
static void close_bin(struct merged *m, uint64_t *live, uint64_t *version)
{
	if (*live + *version > 0) {
		m->live[m->count] = *live;
		m->version[m->count++] = *version;
	}
	*live = *version = 0;
}

/* Neighbouring cells together until they hold a tenth of the live version's predictions. A cell that holds as much by
 * itself stays alone: what the version has beside it must not vanish in it. */
static void merge(const struct analysis_input *input, struct merged *m)
{
	uint64_t live[CELLS_MAX], version[CELLS_MAX], live_sum = 0, version_sum = 0;
	size_t count = cells(input->live, live);
	double tenth = (double)total(input->live) / TENTHS;
	cells(input->version, version);
	m->count = 0;
	for (size_t i = 0; i < count; i++) {
		if ((double)live[i] >= tenth)
			close_bin(m, &live_sum, &version_sum);
		live_sum += live[i];
		version_sum += version[i];
		if ((double)live_sum >= tenth)
			close_bin(m, &live_sum, &version_sum);
	}
	close_bin(m, &live_sum, &version_sum);
	live_sum = input->live->nan;
	version_sum = input->version->nan;
	close_bin(m, &live_sum, &version_sum);
}

/* The level of a look at so many requests. */
static double level(double alpha, uint64_t requests, uint64_t needed)
{
	double doubling = 1 + floor(log2((double)requests / (double)(needed > 0 ? needed : 1)));
	return alpha / (LOOKS * doubling * (doubling + 1));
}

/* How many predictions a request has, at least one. */
static double rows_a_request(const struct analysis_arm *arm)
{
	double rows = (double)total(arm) / (double)arm->answered;
	return rows > 1 ? rows : 1;
}

static bool same_bins(const struct analysis_arm *a, const struct analysis_arm *b)
{
	return a->bin_count == b->bin_count && memcmp(a->edges, b->edges, (a->bin_count + 1) * sizeof *a->edges) == 0;
}

/* Whether there is something to compare; else why not, and the verdict. */
static bool comparable(const struct analysis_input *input, uint64_t fewest, struct finding *f)
{
	const struct analysis_arm *version = input->version, *live = input->live;
	if (fewest < f->n_needed) {
		snprintf(f->text, sizeof f->text,
			 "not enough traffic: v%u answered %" PRIu64 " requests, v%u %" PRIu64 ", of %" PRIu64,
			 version->version, version->answered, live->version, live->answered, f->n_needed);
		return false;
	}
	if (live->bin_count == 0 && live->answered >= BINLESS_REQUESTS) {
		f->verdict = FINDING_PASS;
		snprintf(f->text, sizeof f->text, "the predictions of v%u are no numbers, so none are compared",
			 live->version);
		return false;
	}
	if (live->bin_count == 0 || version->bin_count == 0) {
		snprintf(f->text, sizeof f->text, "v%u has no bins yet: they are made of its first %d predictions",
			 live->bin_count == 0 ? live->version : version->version, BASELINE_LEARN_COUNT);
		return false;
	}
	if (!same_bins(version, live)) {
		snprintf(f->text, sizeof f->text, "the predictions of v%u and v%u are counted in different bins",
			 version->version, live->version);
		return false;
	}
	return total(version) > 0 && total(live) > 0;
}

static void judge(const struct analysis_input *input, struct finding *f)
{
	const struct analysis_arm *version = input->version, *live = input->live;
	uint64_t fewest = version->answered < live->answered ? version->answered : live->answered;
	struct merged m;
	struct stat_psi psi = {0};

	f->n = version->answered;
	f->n_needed = input->thresholds->analysis_requests;
	f->threshold = input->thresholds->drift_max;
	f->verdict = FINDING_WAIT;
	snprintf(f->text, sizeof f->text, "there are no predictions yet in bins that both versions have");
	if (!comparable(input, fewest, f))
		return;
	merge(input, &m);
	/* In one bin, and both versions in it, nothing differs. */
	if (m.count >= 2 && stat_psi(m.live, m.version, m.count, STAT_PSI_SMOOTHING,
				     level(input->thresholds->analysis_alpha, fewest, f->n_needed), &psi, NULL) != 0)
		return;
	double rows = rows_a_request(version), live_rows = rows_a_request(live);
	double chance = psi.critical * (rows > live_rows ? rows : live_rows);
	f->value = psi.psi;
	f->threshold += chance;
	f->verdict = f->value > f->threshold ? FINDING_FAIL : FINDING_PASS;
	snprintf(f->text, sizeof f->text,
		 "the PSI of the predictions of v%u and v%u is %.3f, of which up to %.3f by chance", version->version,
		 live->version, psi.psi, chance);
}

extern const struct analysis analysis_prediction_drift;
const struct analysis analysis_prediction_drift = {
    .name = "prediction_drift",
    .summary = "its predictions are distributed like the live version's: PSI at most drift_max and what chance adds",
    .judge = judge,
};
