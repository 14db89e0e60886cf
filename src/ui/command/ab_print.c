#include "ui/command/ab_print.h"

#include "core/finding.h"
#include "core/snapshot_experiment.h"
#include "core/text.h"
#include "ui/command/finding_table.h"
#include "ui/command/output.h"
#include "ui/command/table.h"

#include <math.h>
#include <string.h>

int ab_print_gates(const cJSON *answer, struct err *e)
{
	struct finding findings[FINDINGS_MAX];
	size_t count;

	if (!cJSON_GetObjectItemCaseSensitive(answer, "gates"))
		return 0;
	if (findings_from_json(cJSON_GetObjectItemCaseSensitive(answer, "gates"), findings, &count, e) != 0)
		return -1;
	if (count > 0)
		putchar('\n');
	return finding_table_print("GATE", findings, count, e);
}

static void time_text(char text[TEXT_AGE_SIZE], const cJSON *object, const char *name)
{
	const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsNumber(seconds) && seconds->valuedouble < 1e10)
		text_age(text, (long long)seconds->valuedouble);
	else
		snprintf(text, TEXT_AGE_SIZE, "-");
}

static void size_row(struct table *t, const cJSON *size)
{
	char fixed[TEXT_AGE_SIZE], anytime[TEXT_AGE_SIZE];
	const char *needs = json_find_text(size, "needs");

	time_text(fixed, size, "fixed_s");
	time_text(anytime, size, "anytime_s");
	table_row(t);
	table_cell(t, "%s", json_find_text(size, "metric"));
	table_cell(t, "%.0f", json_find_number(size, "arm"));
	if (*needs) {
		for (int i = 0; i < 4; i++)
			table_cell(t, "-");
		table_cell(t, "needs --assume: its %s", needs);
		return;
	}
	table_cell(t, "%.4g", json_find_number(size, "effect"));
	table_cell(t, "%.0f", json_find_number(size, "anytime_units"));
	table_cell(t, "%s", anytime);
	table_cell(t, "%.4g", json_find_number(size, "least"));
	table_cell(t, "judged once: %.0f units, %s", json_find_number(size, "fixed_units"), fixed);
}

static int forecast_print(const cJSON *forecast, struct err *e)
{
	static const char *const headers[] = {"METRIC", ">ARM",        ">EFFECT", ">UNITS NEEDED",
					      "TIME",   ">LEAST SEEN", "NOTE",    NULL};
	const cJSON *size, *sizes = cJSON_GetObjectItemCaseSensitive(forecast, "sizes");
	char planned[TEXT_AGE_SIZE];
	struct table *t = table_new(headers);
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	time_text(planned, forecast, "planned_s");
	if (strcmp(planned, "-") == 0)
		puts("\nThere is no traffic now, so that nobody knows how long it takes.\n");
	else
		printf("\nAt %.3g units a second the planned size takes %s at the least.\n\n",
		       json_find_number(forecast, "units_per_s"), planned);
	cJSON_ArrayForEach(size, sizes) size_row(t, size);
	result = table_print(t, e);
	table_free(t);
	return result;
}

int ab_print_change(const cJSON *answer, bool is_start, struct err *e)
{
	bool dry = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "dry_run"));

	output_text(json_find_text(answer, "model"));
	fputs(": ", stdout);
	output_text(json_find_text(answer, "name"));
	if (dry)
		printf(" would be %s. Nothing was changed.\n", is_start ? "started" : "stopped");
	else
		printf(" is %s.\n", is_start ? "started" : "stopped");
	fputs("  before  ", stdout);
	output_text(json_find_text(answer, "before"));
	printf("  (revision %.0f)\n  after   ", json_find_number(answer, "based_on"));
	output_text(json_find_text(answer, "after"));
	printf("  (revision %.0f)\n", json_find_number(answer, "revision"));
	if (is_start)
		printf("  plan    SHA-256 %.64s\n", json_find_text(answer, "sha256"));
	else
		printf("  verdict %.20s: ",
		       json_find_text(cJSON_GetObjectItemCaseSensitive(answer, "experiment"), "verdict"));
	if (!is_start) {
		output_text(json_find_text(cJSON_GetObjectItemCaseSensitive(answer, "experiment"), "sentence"));
		putchar('\n');
	}
	if (is_start && forecast_print(cJSON_GetObjectItemCaseSensitive(answer, "forecast"), e) != 0)
		return -1;
	return ab_print_gates(answer, e) != 0 ? -1 : output_end(e);
}

/* --- one in full --- */

static void number_cell(struct table *t, double value, bool is_share, bool sign)
{
	if (!isfinite(value))
		table_cell(t, "?");
	else
		table_cell(t, sign ? "%+.4g%s" : "%.4g%s", is_share ? 100 * value : value,
			   !is_share ? ""
			   : sign    ? " points"
				     : "%");
}

static int comparisons_print(const struct snapshot_experiment *s, struct err *e)
{
	static const char *const headers[] = {"METRIC",  "ROLE", "ARM",   ">CONTROL", ">VALUE",
					      ">EFFECT", ">LOW", ">HIGH", "VERDICT",  NULL};
	struct table *t = table_new(headers);
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < s->detail->comparison_count; i++) {
		const struct snapshot_comparison *c = &s->detail->comparisons[i];
		const struct experiment_metric *m = &s->detail->plan.metrics[c->metric];

		table_row(t);
		table_cell(t, "%s", m->name);
		table_cell(t, "%s", experiment_role_name(m->role));
		table_cell(t, "%u (v%u)", c->arm + 1, s->arms[c->arm].version);
		number_cell(t, c->mean[0], c->is_share, false);
		number_cell(t, c->mean[1], c->is_share, false);
		number_cell(t, c->effect, c->is_share, true);
		number_cell(t, c->low, c->is_share, true);
		number_cell(t, c->high, c->is_share, true);
		table_cell(t, "%s", experiment_verdict_name(c->verdict));
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

static int arms_print(const struct snapshot_experiment *s, struct err *e)
{
	static const char *const headers[] = {">ARM",   "VERSION", ">SHARE", ">UNITS", ">OUTCOMES",
					      ">REQ/S", ">P50",    ">P99",   ">QUEUE", NULL};
	struct table *t = table_new(headers);
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < s->arm_count; i++) {
		const struct snapshot_arm *a = &s->arms[i];
		const uint64_t times[] = {a->p50_ns, a->p99_ns, a->queue_ns};

		table_row(t);
		table_cell(t, "%zu", i + 1);
		table_cell(t, "v%u%s", a->version, i == 0 ? " control" : "");
		table_cell(t, "%.4g%%", a->share_bp / 100.0);
		table_cell(t, "%llu", (unsigned long long)a->exposed);
		table_cell(t, "%llu", (unsigned long long)a->outcomes);
		table_cell(t, "%.3g", a->rate_rps);
		for (size_t j = 0; j < 3; j++) {
			char text[24];

			text_duration(text, sizeof(text), (double)times[j], output_ascii());
			table_cell(t, "%s", times[j] > 0 ? text : "-");
		}
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

static int status_print(const struct snapshot_experiment *s, struct err *e)
{
	printf("%s/%s: %s, %s\n", s->model, s->name, s->state, experiment_verdict_name(s->verdict));
	output_text(*s->sentence ? s->sentence : "Nobody has looked at it yet.");
	putchar('\n');
	if (*s->note) {
		output_text(s->note);
		putchar('\n');
	}
	putchar('\n');
	if (s->detail && (comparisons_print(s, e) != 0 || putchar('\n') == EOF))
		return -1;
	if (arms_print(s, e) != 0)
		return -1;
	if (s->detail)
		printf("\nThe sample ratio %s: evidence against the plan %.3g of %.0f.\n",
		       s->detail->is_ratio_broken ? "is broken" : "holds", exp(s->detail->ratio_log_e),
		       1 / EXPERIMENT_RATIO_ALPHA);
	return output_end(e);
}

int ab_print_status(const cJSON *experiment, bool *passes, struct err *e)
{
	struct snapshot_experiment s = {0};
	int result = snapshot_experiment_from_json(experiment, &s, e);

	*passes = s.verdict != EXPERIMENT_WORSE && s.verdict != EXPERIMENT_INVALID;
	if (result == 0)
		result = status_print(&s, e);
	snapshot_experiment_release(&s);
	return result;
}

/* --- the list --- */

int ab_print_list(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {"MODEL",  "TEST",    "STATE",        "VERDICT",
					      ">UNITS", "STARTED", "WHAT IT SAYS", NULL};
	const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(answer, "experiments");
	struct table *t;
	int result;

	if (cJSON_GetArraySize(list) == 0) {
		puts("There are no A/B tests.");
		return output_end(e);
	}
	t = table_new(headers);
	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(item, list)
	{
		char started[32];

		output_time(started, sizeof(started), json_find_number(item, "started_ms"));
		table_row(t);
		table_cell(t, "%s", json_find_text(item, "model"));
		table_cell(t, "%s", json_find_text(item, "name"));
		table_cell(t, "%s", json_find_text(item, "state"));
		table_cell(t, "%s", json_find_text(item, "verdict"));
		table_cell(t, "%.0f", json_find_number(item, "exposed"));
		table_cell(t, "%s", started);
		table_cell(t, "%s", json_find_text(item, "sentence"));
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}
