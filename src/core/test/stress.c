#include "core/test/stress.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of the requests: so many may be unanswered at the end, for some always are. */
#define MISSING_MAX 0.01

static const char *const verdict_names[] = {
#define X(name, text) text,
    STRESS_VERDICTS(X)
#undef X
};

const char *stress_verdict_name(enum stress_verdict verdict)
{
	return verdict_names[verdict];
}

uint64_t stress_lag_limit_ns(const struct stress_limits *limits)
{
	if (limits->slo_p99_ns == 0)
		return 10000000;
	return limits->slo_p99_ns / 2 > 1000000 ? limits->slo_p99_ns / 2 : 1000000;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (double)part / (double)whole;
}

static double missing(const struct stress_step *s)
{
	return share(s->unsent + s->unanswered, s->due);
}

static bool generator_late(const struct stress_step *s, const struct stress_limits *limits)
{
	return s->lag_p99_ns > stress_lag_limit_ns(limits);
}

/* What of a processor the generator would need for all that was due, by what it took for what it sent. */
static double busy_at_rate(const struct stress_step *s)
{
	return s->sent == 0 ? s->busy : s->busy * (double)s->due / (double)s->sent;
}

static enum stress_verdict judge(const struct stress_step *s, const struct stress_limits *limits)
{
	bool late = generator_late(s, limits), overloaded = late || busy_at_rate(s) > STRESS_BUSY_MAX;

	if (s->due == 0)
		return STRESS_WAIT;
	if (100 * share(s->failed, s->sent) > limits->errors_percent)
		return STRESS_ERRORS;
	if (missing(s) > MISSING_MAX)
		return overloaded ? STRESS_GENERATOR : STRESS_BACKLOG;
	if (limits->slo_p99_ns > 0 && s->p99_ns > limits->slo_p99_ns)
		return overloaded ? STRESS_GENERATOR : STRESS_SLO;
	return late ? STRESS_GENERATOR : STRESS_PASS;
}

void stress_step_make(struct stress_step *step, const struct load_counts *counts, double rate_rps,
		      const struct stress_limits *limits)
{
	double elapsed_s = (double)counts->elapsed_ns / 1e9;

	*step = (struct stress_step){
	    .rate_rps = rate_rps,
	    .seconds = elapsed_s,
	    .due = counts->due,
	    .sent = counts->sent,
	    .answered = counts->answered,
	    .failed = load_errors_total(counts),
	    .unsent = counts->unsent,
	    .unanswered = counts->unanswered,
	    .offered_rps = elapsed_s > 0 ? (double)counts->sent / elapsed_s : 0,
	    .answered_rps = elapsed_s > 0 ? (double)counts->answered / elapsed_s : 0,
	    .p50_ns = histogram_quantile_ns(counts->intended, 0.5),
	    .p99_ns = histogram_quantile_ns(counts->intended, 0.99),
	    .service_p50_ns = histogram_quantile_ns(counts->service, 0.5),
	    .lag_p99_ns = histogram_quantile_ns(counts->lag, 0.99),
	    .busy = share(counts->cpu_ns + counts->delayed_ns, counts->elapsed_ns),
	};
	step->verdict = judge(step, limits);
}

/* --- findings --- */

static struct finding make(const char *name, bool pass, double value, double threshold, const char *unit, uint64_t n)
{
	struct finding f = {
	    .verdict = pass ? FINDING_PASS : FINDING_FAIL, .value = value, .threshold = threshold, .n = n};

	snprintf(f.name, sizeof f.name, "%s", name);
	snprintf(f.unit, sizeof f.unit, "%s", unit);
	return f;
}

static struct finding offered(const struct stress_step *s, const struct stress_limits *limits)
{
	double limit_ms = (double)stress_lag_limit_ns(limits) / 1e6, lag_ms = (double)s->lag_p99_ns / 1e6;
	bool pass = s->verdict != STRESS_GENERATOR;
	struct finding f = make("offered_rate", pass, lag_ms, limit_ms, "ms", s->sent);

	if (pass)
		snprintf(f.text, sizeof f.text,
			 "the generator was %.3g ms late at p99 and took %.0f%% of a processor: the rate was offered",
			 lag_ms, 100 * s->busy);
	else
		snprintf(
		    f.text, sizeof f.text,
		    "this machine cannot offer %.0f/s: the generator was %.3g ms late at p99, and ran or waited to "
		    "run %.0f%% of the time for %.0f/s",
		    s->rate_rps, lag_ms, 100 * s->busy, s->offered_rps);
	return f;
}

static struct finding answered(const struct stress_step *s)
{
	struct finding f =
	    make("answered", missing(s) <= MISSING_MAX, 100 * missing(s), 100 * MISSING_MAX, "%", s->due);

	snprintf(
	    f.text, sizeof f.text, "%llu of %llu requests had no answer when the time was over, %llu of them unsent",
	    (unsigned long long)(s->unsent + s->unanswered), (unsigned long long)s->due, (unsigned long long)s->unsent);
	if (s->due > 0)
		return f;
	f.verdict = FINDING_WAIT;
	snprintf(f.text, sizeof f.text, "no request was due in that time: nothing is known");
	return f;
}

static struct finding error_rate(const struct stress_step *s, const struct stress_limits *limits)
{
	double percent = 100 * share(s->failed, s->sent);
	struct finding f =
	    make("error_rate", percent <= limits->errors_percent, percent, limits->errors_percent, "%", s->sent);

	snprintf(f.text, sizeof f.text, "%llu of %llu requests failed", (unsigned long long)s->failed,
		 (unsigned long long)s->sent);
	return f;
}

static struct finding latency_p99(const struct stress_step *s, const struct stress_limits *limits)
{
	char p99[16], limit[16];
	struct finding f = make("latency_p99", s->p99_ns <= limits->slo_p99_ns, (double)s->p99_ns / 1e6,
				(double)limits->slo_p99_ns / 1e6, "ms", s->due);

	text_duration(p99, sizeof p99, (double)s->p99_ns, true);
	text_duration(limit, sizeof limit, (double)limits->slo_p99_ns, true);
	snprintf(f.text, sizeof f.text, "p99 from the intended start is %s, the limit %s", p99, limit);
	return f;
}

size_t stress_findings(const struct stress_step *step, const struct stress_limits *limits,
		       struct finding findings[FINDINGS_MAX])
{
	size_t count = 0;

	findings[count++] = offered(step, limits);
	findings[count++] = answered(step);
	findings[count++] = error_rate(step, limits);
	if (limits->slo_p99_ns > 0)
		findings[count++] = latency_p99(step, limits);
	return count;
}

/* --- the greatest rate --- */

#define SEARCH_RATIO 1.05
#define SEARCH_DOWN 4 /* below the first rate, when that fails */
#define SEARCH_LEAST_RPS 1
#define SEARCH_TRIES 2
#define SEARCH_TRIES_GENERATOR 3

struct stress_search stress_search_make(double start_rps, double cap_rps)
{
	return (struct stress_search){.cap_rps = cap_rps,
				      .next_rps = cap_rps > 0 && start_rps > cap_rps ? cap_rps : start_rps};
}

static void choose_next(struct stress_search *s)
{
	if (s->failed_rps == 0) {
		s->done = s->cap_rps > 0 && s->passed_rps >= s->cap_rps;
		s->next_rps = s->cap_rps > 0 ? fmin(2 * s->passed_rps, s->cap_rps) : 2 * s->passed_rps;
	} else if (s->passed_rps == 0) {
		s->done = s->failed_rps <= SEARCH_LEAST_RPS;
		s->next_rps = fmax(s->failed_rps / SEARCH_DOWN, SEARCH_LEAST_RPS);
	} else {
		s->done = s->failed_rps <= SEARCH_RATIO * s->passed_rps;
		s->next_rps = sqrt(s->passed_rps * s->failed_rps);
	}
	if (s->steps >= STRESS_STEPS_MAX)
		s->done = true;
}

void stress_search_add(struct stress_search *s, enum stress_verdict verdict)
{
	s->steps++;
	s->tries++;
	unsigned most = verdict == STRESS_GENERATOR ? SEARCH_TRIES_GENERATOR : SEARCH_TRIES;
	if (verdict != STRESS_PASS && s->tries < most && s->steps < STRESS_STEPS_MAX)
		return;
	s->tries = 0;
	if (verdict == STRESS_PASS) {
		s->passed_rps = s->next_rps;
	} else {
		s->failed_rps = s->next_rps;
		s->limit = verdict;
	}
	choose_next(s);
}

size_t stress_knee(const struct stress_step *steps, size_t count)
{
	size_t best = count;
	double most = 0;

	for (size_t i = 0; i < count; i++) {
		double power = steps[i].p50_ns == 0 ? 0 : steps[i].answered_rps / (double)steps[i].p50_ns;
		if (steps[i].verdict == STRESS_GENERATOR || power <= most)
			continue;
		most = power;
		best = i;
	}
	return best;
}
