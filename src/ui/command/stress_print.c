#include "ui/command/stress_print.h"

#include "core/text.h"
#include "ui/command/finding_table.h"
#include "ui/command/output.h"
#include "ui/command/stress_meter.h"
#include "ui/command/table.h"

#include <math.h>
#include <stdio.h>

static const struct {
	const char *header;
	double quantile;
} quantiles[] = {{">P50", 0.5}, {">P90", 0.9}, {">P99", 0.99}, {">P99.9", 0.999}, {">P99.99", 0.9999}, {">MAX", 1}};
#define QUANTILES (sizeof quantiles / sizeof *quantiles)

static void latency_row(struct table *t, const char *name, const uint64_t counts[HISTOGRAM_BUCKETS])
{
	table_row(t);
	table_cell(t, "%s", name);
	for (size_t i = 0; i < QUANTILES; i++) {
		char text[16];
		text_duration(text, sizeof text, (double)histogram_quantile_ns(counts, quantiles[i].quantile),
			      output_ascii());
		table_cell(t, "%s", text);
	}
}

static int print_latency(const struct stress_report *r, struct err *e)
{
	const char *headers[QUANTILES + 2] = {"LATENCY"};
	struct table *t;

	for (size_t i = 0; i < QUANTILES; i++)
		headers[i + 1] = quantiles[i].header;
	t = table_new(headers);
	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	latency_row(t, "from the intended start", r->counts->intended);
	latency_row(t, "from the send", r->counts->service);
	latency_row(t, "the generator's own lag", r->counts->lag);
	int result = table_print(t, e);
	table_free(t);
	return result;
}

static void print_chart(const struct stress_report *r)
{
	char chart[4 * STRESS_CHART_COLUMNS + 1];

	stress_meter_chart(chart, sizeof chart, r->counts->intended, output_ascii());
	printf("10us [%s] 10s\n", chart);
}

static void print_errors(const struct stress_report *r)
{
	const char *between = "errors: ";

	for (int i = 0; i < LOAD_ERROR_COUNT; i++)
		if (r->counts->errors[i] > 0) {
			printf("%s%s %llu", between, load_error_name((enum load_error)i),
			       (unsigned long long)r->counts->errors[i]);
			between = ", ";
		}
	if (load_errors_total(r->counts) > 0)
		putchar('\n');
}

static void step_row(struct table *t, const struct stress_step *s, bool knee)
{
	char p50[16], p99[16];

	text_duration(p50, sizeof p50, (double)s->p50_ns, output_ascii());
	text_duration(p99, sizeof p99, (double)s->p99_ns, output_ascii());
	table_row(t);
	table_cell(t, "%.0f", s->rate_rps);
	table_cell(t, "%.0f", s->answered_rps);
	table_cell(t, "%s", p50);
	table_cell(t, "%s", p99);
	table_cell(t, "%llu", (unsigned long long)s->failed);
	table_cell(t, "%.0f%%", 100 * s->busy);
	table_cell(t, "%s%s", stress_verdict_name(s->verdict), knee ? ", knee" : "");
}

static int print_steps(const struct stress_report *r, struct err *e)
{
	static const char *const headers[] = {">RATE",   ">ANSWERED",  ">P50",    ">P99",
					      ">FAILED", ">GENERATOR", "VERDICT", NULL};
	size_t knee = stress_knee(r->steps, r->step_count);
	struct table *t = table_new(headers);

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < r->step_count; i++)
		step_row(t, &r->steps[i], i == knee);
	int result = table_print(t, e);
	table_free(t);
	return result;
}

static void print_runtime(const struct stress_report *r)
{
	char first[16], most[16];

	if (!r->watched)
		return;
	text_bytes(first, sizeof first, r->memory_first_bytes);
	text_bytes(most, sizeof most, r->memory_max_bytes);
	printf("runtime: at most %.0f%% of a processor, memory %s, at most %s", r->cpu_max_percent, first, most);
	if (!isnan(r->waiting_max))
		printf(", at most %.0f predictions waiting", r->waiting_max);
	putchar('\n');
}

int stress_print(const struct stress_report *r, struct err *e)
{
	char version[16] = "";

	if (r->version != 0)
		snprintf(version, sizeof version, " v%u", (unsigned)r->version);
	printf("%s%s: %s: ", r->model, version, stress_verdict_name(r->verdict));
	output_text(r->summary);
	puts(".");
	if (r->mode == STRESS_FIND_MAX && print_steps(r, e) != 0)
		return -1;
	if (r->counts->sent > 0) {
		if (print_latency(r, e) != 0)
			return -1;
		print_chart(r);
	}
	print_errors(r);
	print_runtime(r);
	return finding_table_print("FINDING", r->findings, r->finding_count, e);
}
