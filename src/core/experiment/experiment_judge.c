#include "core/experiment/experiment_judge.h"

#include "core/experiment/experiment_say.h"
#include "core/stat/stat_anytime.h"
#include "core/stat/stat_multiple.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const char *const verdicts[] = {
#define X(name, text) text,
    EXPERIMENT_VERDICTS(X)
#undef X
};

const char *experiment_verdict_name(enum experiment_verdict verdict)
{
	return verdicts[verdict];
}

static bool decides(const struct experiment_metric *m)
{
	return m->role != EXPERIMENT_OTHER;
}

/* Guardrails are watched at any time, whatever the form. */
static bool is_judged_once(const struct experiment *x, const struct experiment_metric *m)
{
	return x->form == EXPERIMENT_FIXED && m->role != EXPERIMENT_GUARDRAIL;
}

/* --- the whole: units, time, sample ratio --- */

static uint64_t units_of(const struct experiment *x, const struct experiment_state *s, size_t metric)
{
	uint64_t units = 0;
	for (size_t arm = 0; arm < x->arm_count; arm++)
		units += s->sums[arm][metric].count;
	return units;
}

static uint64_t units_of_primaries(const struct experiment *x, const struct experiment_state *s)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < x->metric_count; i++) {
		uint64_t units = units_of(x, s, i);
		if (x->metrics[i].role == EXPERIMENT_PRIMARY && units < least)
			least = units;
	}
	return least;
}

static void find_time(const struct experiment *x, const struct experiment_look *look, struct experiment_report *r)
{
	double elapsed_s = (double)look->elapsed_s, to_come = 0;
	if (r->units < x->planned_size)
		to_come = (double)(x->planned_size - r->units);
	r->elapsed_s = look->elapsed_s;
	r->units_per_s = look->elapsed_s > 0 ? (double)r->units / elapsed_s : 0;
	r->left_s = to_come == 0 ? 0 : r->units_per_s > 0 ? to_come / r->units_per_s : NAN;
	r->left_s = fmax(r->left_s, (double)x->minimum_duration_s - elapsed_s);
	if (r->units == 0 && x->maximum_duration_s == 0)
		r->left_s = NAN;
	if (x->maximum_duration_s > 0)
		r->left_s = fmax(fmin(r->left_s, (double)x->maximum_duration_s - elapsed_s), 0);
	bool has_size = to_come == 0 && look->elapsed_s >= x->minimum_duration_s;
	bool has_time = x->maximum_duration_s > 0 && look->elapsed_s >= x->maximum_duration_s;
	r->is_over = has_size || has_time || look->is_stopped;
	if (r->is_over)
		r->left_s = 0;
}

static double ratio_log_e(const struct experiment *x, const uint64_t counts[EXPERIMENT_ARMS_MAX])
{
	double weights[EXPERIMENT_ARMS_MAX], log_e = 0;
	for (size_t arm = 0; arm < x->arm_count; arm++)
		weights[arm] = experiment_share(x, arm);
	/* Shares of a plan cannot be refused. */
	stat_counts_log_e(counts, weights, x->arm_count, STAT_RATIO_CONCENTRATION, &log_e, NULL);
	return log_e;
}

static void check_ratio(const struct experiment *x, const struct experiment_state *s, struct experiment_history *h,
			struct experiment_report *r)
{
	h->ratio_log_e = fmax(h->ratio_log_e, ratio_log_e(x, s->exposed));
	r->ratio_log_e = h->ratio_log_e;
	r->is_ratio_broken = h->ratio_log_e >= -log(EXPERIMENT_RATIO_ALPHA);
}

/* --- one comparison: what is remembered --- */

/* Outcomes of the units that report must fall to both arms as the units do; a version that changes who reports
 * cannot be compared by those who do. The level is shared by all metrics that can be so. */
static void check_reports(const struct experiment *x, const struct experiment_state *s, size_t arm, size_t metric,
			  struct experiment_track *t)
{
	const struct experiment_metric *m = &x->metrics[metric];
	if (m->missing_is_zero || !experiment_kind_is_outcome(m->kind))
		return;
	uint64_t counts[2] = {s->sums[0][metric].count, s->sums[arm][metric].count};
	double both = experiment_share(x, 0) + experiment_share(x, arm), log_e = 0;
	double weights[2] = {experiment_share(x, 0) / both, experiment_share(x, arm) / both};
	stat_counts_log_e(counts, weights, 2, STAT_RATIO_CONCENTRATION, &log_e, NULL);
	t->reports_log_e = fmax(t->reports_log_e, log_e);
}

static bool is_unreported(const struct experiment *x, const struct experiment_track *t)
{
	double comparisons = (double)x->metric_count * (double)(x->arm_count - 1);
	return t->reports_log_e >= log(comparisons / EXPERIMENT_RATIO_ALPHA);
}

static void remember(const struct experiment_evidence *v, bool is_share, struct experiment_track *t)
{
	if (v->log_e > t->log_e) {
		t->log_e = v->log_e;
		t->sign = (v->effect > 0) - (v->effect < 0);
	}
	/* An interval of something else has nothing in common with the ones before. */
	if (t->has_interval && t->is_share == is_share) {
		t->interval.low = fmax(t->interval.low, v->interval.low);
		t->interval.high = fmin(t->interval.high, v->interval.high);
	} else {
		t->interval = v->interval;
	}
	t->has_interval = true;
	t->is_share = is_share;
}

static void look_at(const struct experiment *x, const struct experiment_state *s, struct experiment_history *h,
		    struct experiment_comparison *c)
{
	struct experiment_track *t = &h->tracks[c->arm][c->metric];
	const struct experiment_metric *m = &x->metrics[c->metric];
	check_reports(x, s, c->arm, c->metric, t);
	if (!is_judged_once(x, m)) {
		experiment_compare(x, s, c->arm, c->metric, c->level, &c->evidence);
		if (c->evidence.method != EXPERIMENT_BY_NOTHING)
			remember(&c->evidence, experiment_is_share(m, c->evidence.method), t);
		c->interval = t->has_interval ? t->interval : c->evidence.interval;
		c->p = stat_anytime_p(t->log_e);
		return;
	}
	if (!t->is_taken) {
		experiment_compare_once(x, s, c->arm, c->metric, c->level, &c->evidence);
		t->is_taken = units_of(x, s, c->metric) >= x->planned_size;
		/* What holds once only is not shown before, or somebody would stop by it. */
		if (!t->is_taken) {
			c->evidence.p = 1;
			c->evidence.faster_p = NAN;
			c->evidence.interval = (struct stat_interval){-INFINITY, INFINITY};
		}
		t->once = c->evidence;
		t->sign = (t->once.effect > 0) - (t->once.effect < 0);
	}
	c->evidence = t->once;
	c->interval = t->once.interval;
	c->p = t->once.p;
}

/* --- several at once --- */

/* Holm for primaries and guardrails. */
static void correct_deciding(const struct experiment *x, struct experiment_report *r)
{
	double p[EXPERIMENT_COMPARISONS_MAX] = {1}, adjusted[EXPERIMENT_COMPARISONS_MAX];
	size_t order[EXPERIMENT_COMPARISONS_MAX], at[EXPERIMENT_COMPARISONS_MAX], count = 0;
	for (size_t i = 0; i < r->comparison_count; i++)
		if (decides(&x->metrics[r->comparisons[i].metric])) {
			at[count] = i;
			p[count++] = r->comparisons[i].p;
		}
	if (stat_holm(p, count, order, adjusted, NULL) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		r->comparisons[at[i]].p = adjusted[i];
		r->comparisons[at[i]].is_rejected = adjusted[i] <= x->alpha;
	}
}

/* e-BH for the others; of p values that hold once, Benjamini-Hochberg. */
static void correct_others(const struct experiment *x, const struct experiment_history *h, struct experiment_report *r)
{
	double p[EXPERIMENT_COMPARISONS_MAX] = {1}, adjusted[EXPERIMENT_COMPARISONS_MAX];
	double log_e[EXPERIMENT_COMPARISONS_MAX] = {0};
	size_t order[EXPERIMENT_COMPARISONS_MAX], at[EXPERIMENT_COMPARISONS_MAX], count = 0, rejected = 0;
	for (size_t i = 0; i < r->comparison_count; i++) {
		const struct experiment_comparison *c = &r->comparisons[i];
		if (decides(&x->metrics[c->metric]))
			continue;
		at[count] = i;
		p[count] = c->p;
		log_e[count++] = h->tracks[c->arm][c->metric].log_e;
	}
	if (count == 0)
		return;
	bool is_once = x->form == EXPERIMENT_FIXED;
	if (is_once ? stat_benjamini_hochberg(p, count, order, adjusted, NULL) != 0
		    : stat_bonferroni(p, count, adjusted, NULL) != 0 ||
			  stat_e_benjamini_hochberg(log_e, count, x->alpha, order, &rejected, NULL) != 0)
		return;
	for (size_t i = 0; i < count; i++) {
		r->comparisons[at[i]].p = adjusted[i];
		r->comparisons[at[i]].is_rejected = is_once && adjusted[i] <= x->alpha;
	}
	for (size_t k = 0; k < rejected; k++)
		r->comparisons[at[order[k]]].is_rejected = true;
}

/* --- verdicts --- */

static bool is_within(struct stat_interval interval, double margin)
{
	return margin > 0 && interval.low > -margin && interval.high < margin;
}

static bool is_safe(const struct experiment_metric *m, struct stat_interval interval)
{
	bool low = interval.low > -m->margin, high = interval.high < m->margin;
	return m->direction == EXPERIMENT_HIGHER ? low : m->direction == EXPERIMENT_LOWER ? high : low && high;
}

static enum experiment_verdict way(const struct experiment_metric *m, int sign)
{
	int good = m->direction == EXPERIMENT_HIGHER ? 1 : m->direction == EXPERIMENT_LOWER ? -1 : 0;
	return sign == good ? EXPERIMENT_BETTER : EXPERIMENT_WORSE;
}

static enum experiment_verdict judge_one(const struct experiment *x, const struct experiment_history *h,
					 const struct experiment_report *r, const struct experiment_comparison *c)
{
	const struct experiment_metric *m = &x->metrics[c->metric];
	const struct experiment_track *t = &h->tracks[c->arm][c->metric];
	enum experiment_verdict open = r->is_over ? EXPERIMENT_INCONCLUSIVE : EXPERIMENT_CONTINUE;
	bool is_known = !is_judged_once(x, m) || t->is_taken;
	bool is_ripe = is_known && c->is_enough && (r->elapsed_s >= x->minimum_duration_s || r->is_over);
	if (is_unreported(x, t))
		return EXPERIMENT_INVALID;
	if (!is_known)
		return open;
	/* The intervals of two times exclude each other: the difference was not the same all the time. */
	if (c->interval.low > c->interval.high)
		return EXPERIMENT_INCONCLUSIVE;
	if (is_within(c->interval, m->margin))
		return is_ripe ? EXPERIMENT_EQUIVALENT : open;
	if (!c->is_rejected || t->sign == 0)
		return open;
	enum experiment_verdict decided = way(m, t->sign);
	/* Harm is told at once. */
	return decided == EXPERIMENT_WORSE || is_ripe ? decided : open;
}

struct tally {
	size_t primaries, counts[EXPERIMENT_VERDICT_COUNT]; /* of primaries, by verdict */
	int first[EXPERIMENT_VERDICT_COUNT];                /* metric of the first primary with it, -1: none */
	int harm, invalid, unsafe;                          /* of any metric that decides, -1: none */
};

static struct tally count_verdicts(const struct experiment *x, const struct experiment_report *r, size_t arm)
{
	struct tally t = {.harm = -1, .invalid = -1, .unsafe = -1};
	for (size_t i = 0; i < EXPERIMENT_VERDICT_COUNT; i++)
		t.first[i] = -1;
	for (size_t i = 0; i < x->metric_count; i++) {
		const struct experiment_comparison *c = &r->comparisons[(arm - 1) * x->metric_count + i];
		const struct experiment_metric *m = &x->metrics[i];
		if (!decides(m))
			continue;
		if (c->verdict == EXPERIMENT_WORSE && (t.harm < 0 || m->role == EXPERIMENT_GUARDRAIL))
			t.harm = (int)i;
		if (c->verdict == EXPERIMENT_INVALID && t.invalid < 0)
			t.invalid = (int)i;
		if (m->role == EXPERIMENT_GUARDRAIL) {
			if (m->margin > 0 && !c->is_safe && t.unsafe < 0)
				t.unsafe = (int)i;
			continue;
		}
		t.primaries++;
		if (t.counts[c->verdict]++ == 0)
			t.first[c->verdict] = (int)i;
	}
	return t;
}

static void judge_arm(const struct experiment *x, struct experiment_report *r, size_t arm)
{
	struct tally t = count_verdicts(x, r, arm);
	struct experiment_arm_report *a = &r->arms[arm];
	enum experiment_verdict open = r->is_over ? EXPERIMENT_INCONCLUSIVE : EXPERIMENT_CONTINUE;
	enum experiment_verdict reached = t.counts[EXPERIMENT_BETTER] > 0                  ? EXPERIMENT_BETTER
					  : t.counts[EXPERIMENT_EQUIVALENT] == t.primaries ? EXPERIMENT_EQUIVALENT
					  : t.counts[EXPERIMENT_INCONCLUSIVE] > 0          ? EXPERIMENT_INCONCLUSIVE
											   : open;
	bool is_good = reached == EXPERIMENT_BETTER || reached == EXPERIMENT_EQUIVALENT;
	if (r->is_ratio_broken || t.invalid >= 0) {
		a->verdict = EXPERIMENT_INVALID;
		a->metric = t.invalid;
	} else if (t.harm >= 0) {
		a->verdict = EXPERIMENT_WORSE;
		a->metric = t.harm;
	} else if (is_good && t.unsafe >= 0) {
		a->verdict = open;
		a->metric = t.unsafe;
	} else {
		a->verdict = reached;
		a->metric = t.first[reached];
	}
	/* The same version cannot differ from itself. */
	if (x->mode == EXPERIMENT_AA && (a->verdict == EXPERIMENT_BETTER || a->verdict == EXPERIMENT_WORSE))
		a->verdict = EXPERIMENT_INVALID;
}

/* Of several arms: a broken test, else the best arm, else the first that is still open, else what all share. */
static void judge_all(const struct experiment *x, const struct experiment_state *s, struct experiment_report *r)
{
	static const enum experiment_verdict order[] = {EXPERIMENT_INVALID,    EXPERIMENT_BETTER,
							EXPERIMENT_CONTINUE,   EXPERIMENT_INCONCLUSIVE,
							EXPERIMENT_EQUIVALENT, EXPERIMENT_WORSE};
	r->arm = 0;
	for (size_t i = 0; r->arm == 0 && i < EXPERIMENT_VERDICT_COUNT; i++)
		for (size_t arm = 1; arm < x->arm_count; arm++) {
			double gain = 0, best = 0;
			if (r->arms[arm].verdict != order[i])
				continue;
			if (r->arm != 0 && order[i] == EXPERIMENT_BETTER) {
				size_t metric = (size_t)r->arms[r->arm].metric;
				gain = fabs(r->comparisons[(arm - 1) * x->metric_count + metric].evidence.effect);
				best = fabs(r->comparisons[(r->arm - 1) * x->metric_count + metric].evidence.effect);
			}
			if (r->arm == 0 || (gain > best && r->arms[arm].metric == r->arms[r->arm].metric))
				r->arm = arm;
		}
	r->verdict = s->faults != 0 ? EXPERIMENT_INVALID : r->arms[r->arm].verdict;
	r->is_early = (r->verdict == EXPERIMENT_BETTER || r->verdict == EXPERIMENT_WORSE) && r->units < x->planned_size;
}

static void compare_all(const struct experiment *x, const struct experiment_state *s, struct experiment_history *h,
			struct experiment_report *r)
{
	size_t deciding = 0, pairs = x->arm_count - 1;
	for (size_t i = 0; i < x->metric_count; i++)
		deciding += decides(&x->metrics[i]);
	size_t others = x->metric_count - deciding;
	r->decide_level = x->alpha / (double)(deciding * pairs);
	r->other_level = others > 0 ? x->alpha / (double)(others * pairs) : x->alpha;
	r->comparison_count = 0;
	for (size_t arm = 1; arm < x->arm_count; arm++)
		for (size_t i = 0; i < x->metric_count; i++) {
			struct experiment_comparison *c = &r->comparisons[r->comparison_count++];
			*c = (struct experiment_comparison){.arm = arm, .metric = i};
			c->level = decides(&x->metrics[i]) ? r->decide_level : r->other_level;
			look_at(x, s, h, c);
			c->is_enough = c->evidence.events_needed >= x->minimum_events;
			c->is_safe = is_safe(&x->metrics[i], c->interval);
		}
	correct_deciding(x, r);
	correct_others(x, h, r);
	for (size_t i = 0; i < r->comparison_count; i++) {
		r->comparisons[i].verdict = judge_one(x, h, r, &r->comparisons[i]);
		experiment_say_comparison(x, h, r, &r->comparisons[i]);
	}
}

void experiment_judge(const struct experiment *x, const struct experiment_state *s, const struct experiment_look *look,
		      struct experiment_history *h, struct experiment_report *r)
{
	assert(s->arm_count == x->arm_count && s->metric_count == x->metric_count);
	r->looks = ++h->looks;
	r->units = units_of_primaries(x, s);
	memcpy(r->exposed, s->exposed, sizeof r->exposed);
	find_time(x, look, r);
	check_ratio(x, s, h, r);
	compare_all(x, s, h, r);
	r->arms[0] = (struct experiment_arm_report){.metric = -1};
	for (size_t arm = 1; arm < x->arm_count; arm++) {
		judge_arm(x, r, arm);
		experiment_say_arm(x, r, arm);
	}
	judge_all(x, s, r);
	experiment_say_all(x, s, r);
}
