#include "core/test/benchmark.h"

#include "core/stat/stat_multiple.h"
#include "core/stat/stat_quantile.h"
#include "core/stat/stat_rank.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdict_names[] = {
#define X(name, text) text,
    BENCHMARK_VERDICTS(X)
#undef X
};

const char *benchmark_verdict_name(enum benchmark_verdict verdict)
{
	return verdict_names[verdict];
}

struct benchmark_plan benchmark_plan_make(bool quick, size_t pairs)
{
	if (pairs > 0)
		return (struct benchmark_plan){1, {pairs}};
	if (quick)
		return (struct benchmark_plan){1, {BENCHMARK_PAIRS_MIN}};
	return (struct benchmark_plan){3, {12, 24, 48}};
}

static void keep(struct benchmark_measure *m, size_t i, double old_value, double new_value)
{
	m->old_values[i] = old_value;
	m->new_values[i] = new_value;
}

static bool is_usable(const struct benchmark *b, const struct benchmark_launch *launch)
{
	bool usable =
	    isfinite(launch->peak_bytes) && launch->peak_bytes > 0 && isfinite(launch->load_ns) && launch->load_ns > 0;
	for (size_t i = 0; i < b->batch_count; i++)
		usable = usable && isfinite(launch->ns_per_row[i]) && launch->ns_per_row[i] > 0;
	return usable;
}

int benchmark_add(struct benchmark *b, const struct benchmark_launch *old_launch,
		  const struct benchmark_launch *new_launch, struct err *e)
{
	size_t n = b->pair_count;

	if (n == BENCHMARK_PAIRS_MAX)
		return err_set(e, ERR_TOO_LARGE, "a benchmark has at most %d pairs", BENCHMARK_PAIRS_MAX);
	if (!is_usable(b, old_launch) || !is_usable(b, new_launch))
		return err_set(e, ERR_INPUT, "a launch measured what is no time or no size");
	for (size_t i = 0; i < b->batch_count; i++)
		keep(&b->times[i], n, old_launch->ns_per_row[i], new_launch->ns_per_row[i]);
	keep(&b->memory, n, old_launch->peak_bytes, new_launch->peak_bytes);
	keep(&b->load, n, old_launch->load_ns, new_launch->load_ns);
	b->pair_count++;
	return 0;
}

bool benchmark_due(const struct benchmark *b)
{
	return b->looks_done < b->plan.look_count && b->pair_count >= b->plan.pairs[b->looks_done];
}

/* --- one figure --- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median_of(const double *values, size_t count)
{
	double sorted[BENCHMARK_PAIRS_MAX];
	memcpy(sorted, values, count * sizeof *values);
	qsort(sorted, count, sizeof *sorted, compare_doubles);
	return stat_quantile_sorted(sorted, count, 0.5);
}

static int measure_compare(struct benchmark_measure *m, size_t count, double alpha, struct err *e)
{
	double logs[BENCHMARK_PAIRS_MAX];
	struct stat_wilcoxon test;

	for (size_t i = 0; i < count; i++)
		logs[i] = log(m->new_values[i] / m->old_values[i]);
	if (stat_wilcoxon(logs, count, alpha, &test, e) != 0)
		return -1;
	m->old_median = median_of(m->old_values, count);
	m->new_median = median_of(m->new_values, count);
	m->ratio = exp(test.shift);
	m->interval = (struct stat_interval){exp(test.interval.low), exp(test.interval.high)};
	m->p = m->p_adjusted = test.p;
	return 0;
}

enum benchmark_verdict benchmark_judge_ratio(double ratio, struct stat_interval interval, double p, double threshold,
					     double alpha, bool *noisy)
{
	/* So wide that twins could not be told from versions whose ratio is the threshold. */
	*noisy = log(interval.high / interval.low) / 2 > log(threshold);
	if (p < alpha && interval.low > threshold)
		return BENCHMARK_REGRESSION;
	if (interval.high <= threshold || (!*noisy && ratio <= threshold))
		return BENCHMARK_PASS;
	return BENCHMARK_INCONCLUSIVE;
}

static void measure_judge(struct benchmark_measure *m, double threshold, double alpha)
{
	m->verdict = benchmark_judge_ratio(m->ratio, m->interval, m->p_adjusted, threshold, alpha, &m->noisy);
}

/* --- all of them --- */

static int adjust(struct benchmark *b, struct err *e)
{
	double p[BENCHMARK_BATCHES_MAX], adjusted[BENCHMARK_BATCHES_MAX];
	size_t order[BENCHMARK_BATCHES_MAX];

	for (size_t i = 0; i < b->batch_count; i++)
		p[i] = b->times[i].p;
	if (stat_holm(p, b->batch_count, order, adjusted, e) != 0)
		return -1;
	for (size_t i = 0; i < b->batch_count; i++)
		b->times[i].p_adjusted = adjusted[i];
	return 0;
}

static enum benchmark_verdict worse(enum benchmark_verdict a, enum benchmark_verdict b)
{
	if (a == BENCHMARK_REGRESSION || b == BENCHMARK_REGRESSION)
		return BENCHMARK_REGRESSION;
	return a == BENCHMARK_INCONCLUSIVE ? a : b;
}

int benchmark_estimate(struct benchmark *b, struct err *e)
{
	double alpha = BENCHMARK_ALPHA / (double)b->plan.look_count;

	for (size_t i = 0; i < b->batch_count; i++)
		if (measure_compare(&b->times[i], b->pair_count, alpha, e) != 0)
			return -1;
	if (measure_compare(&b->memory, b->pair_count, alpha, e) != 0 ||
	    measure_compare(&b->load, b->pair_count, alpha, e) != 0 || adjust(b, e) != 0)
		return -1;
	measure_judge(&b->memory, b->memory_max, alpha);
	b->load.verdict = BENCHMARK_PASS;
	for (size_t i = 0; i < b->batch_count; i++)
		measure_judge(&b->times[i], b->ratio_max, alpha);
	return 0;
}

int benchmark_judge(struct benchmark *b, bool *done, struct err *e)
{
	if (benchmark_estimate(b, e) != 0)
		return -1;
	b->verdict = b->memory.verdict;
	for (size_t i = 0; i < b->batch_count; i++)
		b->verdict = worse(b->verdict, b->times[i].verdict);
	b->looks_done++;
	*done = b->verdict != BENCHMARK_INCONCLUSIVE || b->looks_done == b->plan.look_count;
	return 0;
}

/* --- what is said of it --- */

static void say_times(const struct benchmark_measure *m, char *text, size_t size)
{
	char old_time[16], new_time[16];

	text_duration(old_time, sizeof old_time, m->old_median, true);
	text_duration(new_time, sizeof new_time, m->new_median, true);
	snprintf(text, size, "%s a row against %s: %.3f times (%.3f to %.3f), adjusted p %.2g%s", new_time, old_time,
		 m->ratio, m->interval.low, m->interval.high, m->p_adjusted,
		 m->verdict == BENCHMARK_INCONCLUSIVE && m->noisy ? "; the machine is too noisy for the threshold"
								  : "");
}

static void say_memory(const struct benchmark_measure *m, char *text, size_t size)
{
	char old_size[16], new_size[16];

	text_bytes(old_size, sizeof old_size, m->old_median);
	text_bytes(new_size, sizeof new_size, m->new_median);
	snprintf(text, size, "%s resident at most against %s: %.3f times (%.3f to %.3f)", new_size, old_size, m->ratio,
		 m->interval.low, m->interval.high);
}

static void say_load(const struct benchmark_measure *m, char *text, size_t size)
{
	char old_time[16], new_time[16];

	text_duration(old_time, sizeof old_time, m->old_median, true);
	text_duration(new_time, sizeof new_time, m->new_median, true);
	snprintf(text, size, "loaded in %s against %s: %.3f times (%.3f to %.3f); it informs and is not judged",
		 new_time, old_time, m->ratio, m->interval.low, m->interval.high);
}

static struct finding finding_of(const struct benchmark *b, const struct benchmark_measure *m, double threshold)
{
	static const enum finding_verdict verdicts[] = {FINDING_PASS, FINDING_FAIL, FINDING_WAIT};

	return (struct finding){.verdict = verdicts[m->verdict],
				.value = m->ratio,
				.threshold = threshold,
				.unit = "x",
				.n = b->pair_count,
				.n_needed = b->plan.pairs[0]};
}

size_t benchmark_findings(const struct benchmark *b, struct finding findings[FINDINGS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < b->batch_count; i++, count++) {
		findings[count] = finding_of(b, &b->times[i], b->ratio_max);
		snprintf(findings[count].name, sizeof findings[count].name, "batch_%zu", b->batches[i]);
		say_times(&b->times[i], findings[count].text, sizeof findings[count].text);
	}
	findings[count] = finding_of(b, &b->memory, b->memory_max);
	snprintf(findings[count].name, sizeof findings[count].name, "memory");
	say_memory(&b->memory, findings[count].text, sizeof findings[count].text);
	count++;
	findings[count] = finding_of(b, &b->load, (double)NAN);
	snprintf(findings[count].name, sizeof findings[count].name, "load");
	say_load(&b->load, findings[count].text, sizeof findings[count].text);
	return count + 1;
}

/* The figure that a sentence is about: the greatest ratio among those with the verdict of all; its threshold, and how
 * it is called. */
static const struct benchmark_measure *worst_of(const struct benchmark *b, double *threshold, char name[40])
{
	const struct benchmark_measure *worst = NULL;

	for (size_t i = 0; i < b->batch_count; i++) {
		if (b->times[i].verdict != b->verdict || (worst != NULL && b->times[i].ratio <= worst->ratio))
			continue;
		worst = &b->times[i];
		*threshold = b->ratio_max;
		snprintf(name, 40, "at %zu row%s a call", b->batches[i], b->batches[i] == 1 ? "" : "s");
	}
	if (worst == NULL || (b->memory.verdict == b->verdict && b->verdict == BENCHMARK_REGRESSION &&
			      b->memory.ratio / b->memory_max > worst->ratio / *threshold)) {
		worst = &b->memory;
		*threshold = b->memory_max;
		snprintf(name, 40, "in memory");
	}
	return worst;
}

void benchmark_summary(const struct benchmark *b, const char *new_name, const char *old_name, char *text, size_t size)
{
	char name[40], old_short[40], new_short[40];
	double threshold = b->ratio_max;
	const struct benchmark_measure *m = worst_of(b, &threshold, name);
	const char *verb = m == &b->memory ? "needs" : "takes", *as = m == &b->memory ? "much" : "long";

	snprintf(old_short, sizeof old_short, "%s", old_name);
	snprintf(new_short, sizeof new_short, "%s", new_name);
	if (b->verdict == BENCHMARK_PASS)
		snprintf(text, size, "%s is no slower than %s by more than %g: %s %.3f times (%.3f to %.3f), %zu pairs",
			 new_short, old_short, threshold, name, m->ratio, m->interval.low, m->interval.high,
			 b->pair_count);
	else if (b->verdict == BENCHMARK_REGRESSION)
		snprintf(text, size, "%s %s %s %.3f times as %s as %s (%.3f to %.3f), more than %g, %zu pairs", name,
			 new_short, verb, m->ratio, as, old_short, m->interval.low, m->interval.high, threshold,
			 b->pair_count);
	else
		snprintf(text, size,
			 "%s: %s %s %s %.3f times as %s as %s (%.3f to %.3f), %zu pairs; the threshold is %g",
			 m->noisy ? "the machine is too noisy to tell" : "not shown either way", name, new_short, verb,
			 m->ratio, as, old_short, m->interval.low, m->interval.high, b->pair_count, threshold);
}
