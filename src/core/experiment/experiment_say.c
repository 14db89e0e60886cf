#include "core/experiment/experiment_say.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_TEXT_SIZE 32
#define FIGURES_SIZE 240

void experiment_label(const struct experiment *x, size_t arm, char label[EXPERIMENT_LABEL_SIZE])
{
	if (x->mode == EXPERIMENT_AA)
		snprintf(label, EXPERIMENT_LABEL_SIZE, "arm %zu (v%u)", arm + 1, x->arms[arm].version);
	else
		snprintf(label, EXPERIMENT_LABEL_SIZE, "v%u", x->arms[arm].version);
}

/* Shares in percent. */
static void say_value(char text[NUMBER_TEXT_SIZE], double value, bool is_share)
{
	if (!isfinite(value))
		snprintf(text, NUMBER_TEXT_SIZE, "?");
	else if (is_share)
		snprintf(text, NUMBER_TEXT_SIZE, "%.3g%%", 100 * value);
	else
		snprintf(text, NUMBER_TEXT_SIZE, "%.4g", value);
}

static void say_difference(char text[NUMBER_TEXT_SIZE], double value, bool is_share)
{
	if (!isfinite(value))
		snprintf(text, NUMBER_TEXT_SIZE, "%s", value < 0 ? "-?" : "?");
	else
		snprintf(text, NUMBER_TEXT_SIZE, "%+.3g", is_share ? 100 * value : value);
}

/* "5.3% against 5%, a difference of +0.31 points [+0.05, +0.57]" */
static void say_figures(const struct experiment_metric *m, const struct experiment_comparison *c,
			char text[FIGURES_SIZE])
{
	char control[NUMBER_TEXT_SIZE], arm[NUMBER_TEXT_SIZE], effect[NUMBER_TEXT_SIZE];
	char low[NUMBER_TEXT_SIZE], high[NUMBER_TEXT_SIZE];
	bool is_share = experiment_is_share(m, c->evidence.method);
	char slower[NUMBER_TEXT_SIZE] = "", threshold[NUMBER_TEXT_SIZE];
	if (m->kind == EXPERIMENT_LATENCY) {
		text_duration(threshold, sizeof threshold, (double)m->threshold_ns, true);
		snprintf(slower, sizeof slower, " beyond %.20s", threshold);
	}
	say_value(control, c->evidence.mean[0], is_share);
	say_value(arm, c->evidence.mean[1], is_share);
	say_difference(effect, c->evidence.effect, is_share);
	say_difference(low, c->interval.low, is_share);
	say_difference(high, c->interval.high, is_share);
	snprintf(text, FIGURES_SIZE, "%s%s against %s, a difference of %s%s [%s, %s]", arm, slower, control, effect,
		 is_share ? " points" : "", low, high);
}

struct names {
	char arm[EXPERIMENT_LABEL_SIZE], control[EXPERIMENT_LABEL_SIZE];
	const char *metric;
};

static void say_open(const struct experiment *x, const struct experiment_report *r, const struct names *n,
		     struct experiment_comparison *c)
{
	const struct experiment_metric *m = &x->metrics[c->metric];
	const struct experiment_evidence *v = &c->evidence;
	bool is_once = x->form == EXPERIMENT_FIXED && m->role != EXPERIMENT_GUARDRAIL;
	bool has_events = experiment_kind_has_events(m->kind);
	const uint64_t *counts = has_events ? v->units : v->events;
	char figures[FIGURES_SIZE];
	say_figures(m, c, figures);
	if (v->method == EXPERIMENT_BY_NOTHING)
		snprintf(c->sentence, sizeof c->sentence, "too few values of %s%s to compare: %s has %llu, %s %llu",
			 n->metric, has_events ? "" : " other than 0", n->arm, (unsigned long long)counts[1],
			 n->control, (unsigned long long)counts[0]);
	else if (v->is_flat)
		snprintf(c->sentence, sizeof c->sentence,
			 "no value of %s has varied in %s or %s, so nothing is known of it", n->metric, n->arm,
			 n->control);
	else if (is_once && !r->is_over)
		snprintf(c->sentence, sizeof c->sentence, "%s is judged once, at the planned size of %llu units",
			 n->metric, (unsigned long long)x->planned_size);
	else if (!c->is_enough)
		snprintf(c->sentence, sizeof c->sentence, "%llu events of %s are too few, the plan asks for %llu: %s",
			 (unsigned long long)v->events_needed, n->metric, (unsigned long long)x->minimum_events,
			 figures);
	else
		snprintf(c->sentence, sizeof c->sentence, "no difference of %s between %s and %s is sure%s: %s",
			 n->metric, n->arm, n->control, r->is_over ? "" : " yet", figures);
}

void experiment_say_comparison(const struct experiment *x, const struct experiment_history *h,
			       const struct experiment_report *r, struct experiment_comparison *c)
{
	struct names n = {.metric = x->metrics[c->metric].name};
	char figures[FIGURES_SIZE], margin[NUMBER_TEXT_SIZE];
	const struct experiment_metric *m = &x->metrics[c->metric];
	bool is_share = experiment_is_share(m, c->evidence.method);
	experiment_label(x, c->arm, n.arm);
	experiment_label(x, 0, n.control);
	say_figures(m, c, figures);
	say_value(margin, is_share ? 100 * m->margin : m->margin, false);
	if (c->verdict == EXPERIMENT_BETTER || c->verdict == EXPERIMENT_WORSE)
		snprintf(c->sentence, sizeof c->sentence, "%s is %s than %s on %s: %s", n.arm,
			 c->verdict == EXPERIMENT_BETTER ? "better" : "worse", n.control, n.metric, figures);
	else if (c->verdict == EXPERIMENT_EQUIVALENT)
		snprintf(c->sentence, sizeof c->sentence, "%s and %s are equal on %s, within the margin of %s%s: %s",
			 n.arm, n.control, n.metric, margin, is_share ? " points" : "", figures);
	else if (c->verdict == EXPERIMENT_INVALID)
		snprintf(
		    c->sentence, sizeof c->sentence,
		    "outcomes of %s reach %s and %s not as their units do, %llu and %llu: who reports depends on the "
		    "version",
		    n.metric, n.arm, n.control, (unsigned long long)c->evidence.units[1],
		    (unsigned long long)c->evidence.units[0]);
	else if (h->tracks[c->arm][c->metric].has_interval && c->interval.low > c->interval.high)
		snprintf(c->sentence, sizeof c->sentence,
			 "the difference of %s between %s and %s changed while the test ran: there is not one effect",
			 n.metric, n.arm, n.control);
	else
		say_open(x, r, &n, c);
}

/* --- arms and the whole --- */

static const struct experiment_comparison *comparison(const struct experiment *x, const struct experiment_report *r,
						      size_t arm, int metric)
{
	return &r->comparisons[(arm - 1) * x->metric_count + (size_t)(metric < 0 ? 0 : metric)];
}

static void say_guardrail(const struct experiment *x, struct experiment_arm_report *a, const char *arm,
			  const char *control)
{
	snprintf(a->sentence, sizeof a->sentence,
		 "%s holds on what the test is for, but it is not sure yet that %s is not worse than %s by its margin",
		 arm, x->metrics[a->metric].name, control);
}

void experiment_say_arm(const struct experiment *x, struct experiment_report *r, size_t arm)
{
	struct experiment_arm_report *a = &r->arms[arm];
	const struct experiment_comparison *c = comparison(x, r, arm, a->metric);
	char label[EXPERIMENT_LABEL_SIZE], control[EXPERIMENT_LABEL_SIZE];
	experiment_label(x, arm, label);
	experiment_label(x, 0, control);
	bool is_open = a->verdict == EXPERIMENT_CONTINUE || a->verdict == EXPERIMENT_INCONCLUSIVE;
	if (r->is_ratio_broken)
		snprintf(a->sentence, sizeof a->sentence,
			 "units do not fall to the arms as planned, so %s and %s cannot be compared", label, control);
	else if (x->mode == EXPERIMENT_AA && a->verdict == EXPERIMENT_INVALID && c->verdict != EXPERIMENT_INVALID)
		snprintf(a->sentence, sizeof a->sentence,
			 "%s and %s are the same version and differ on %s: the assignment or the outcomes are at fault",
			 label, control, x->metrics[c->metric].name);
	else if (is_open && a->metric >= 0 && x->metrics[a->metric].role == EXPERIMENT_GUARDRAIL)
		say_guardrail(x, a, label, control);
	else
		memcpy(a->sentence, c->sentence, sizeof a->sentence);
}

static void say_ratio(const struct experiment *x, const struct experiment_state *s, struct experiment_report *r)
{
	char seen[96] = "", planned[96] = "";
	size_t used = 0, used_planned = 0;
	for (size_t arm = 0; arm < x->arm_count && used < sizeof seen && used_planned < sizeof planned; arm++) {
		used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%llu", arm > 0 ? " : " : "",
					 (unsigned long long)s->exposed[arm]);
		used_planned += (size_t)snprintf(planned + used_planned, sizeof planned - used_planned, "%s%.4g",
						 arm > 0 ? " : " : "", 100 * experiment_share(x, arm));
	}
	snprintf(r->sentence, sizeof r->sentence,
		 "The test is void: units fell to its arms as %s, planned is %s; look for what loses or repeats units.",
		 seen, planned);
}

static void say_note(const struct experiment *x, struct experiment_report *r)
{
	r->note[0] = '\0';
	if (r->is_early)
		snprintf(r->note, sizeof r->note,
			 "Decided at %llu of %llu planned units: an effect that ends a test early looks larger than it "
			 "is, by "
			 "a third on average; go by the interval.",
			 (unsigned long long)r->units, (unsigned long long)x->planned_size);
	else if (x->form == EXPERIMENT_FIXED && !r->is_over)
		snprintf(r->note, sizeof r->note,
			 "This test is judged once; until then only guardrails are, which may be looked at any time.");
	else if (r->is_over && r->verdict == EXPERIMENT_INCONCLUSIVE && x->form == EXPERIMENT_ANYTIME)
		snprintf(r->note, sizeof r->note,
			 "The planned size or time is reached; a test that may be looked at any time may also go on.");
}

void experiment_say_all(const struct experiment *x, const struct experiment_state *s, struct experiment_report *r)
{
	char arm[EXPERIMENT_TEXT_SIZE];
	char left[TEXT_AGE_SIZE] = "";
	memcpy(arm, r->arms[r->arm].sentence, sizeof arm);
	say_note(x, r);
	for (size_t i = 0; i < EXPERIMENT_FAULT_COUNT; i++)
		if (s->faults & 1u << i) {
			snprintf(r->sentence, sizeof r->sentence, "The test is void: %s.",
				 experiment_fault_sentence((enum experiment_fault)i));
			return;
		}
	if (r->is_ratio_broken) {
		say_ratio(x, s, r);
		return;
	}
	if (r->verdict == EXPERIMENT_CONTINUE && isfinite(r->left_s))
		text_age(left, (long long)r->left_s);
	if (left[0] != '\0')
		snprintf(r->sentence, sizeof r->sentence, "Go on: %s; %s to go at this rate.", arm, left);
	else
		snprintf(r->sentence, sizeof r->sentence, "%s%s.", r->verdict == EXPERIMENT_CONTINUE ? "Go on: " : "",
			 arm);
}
