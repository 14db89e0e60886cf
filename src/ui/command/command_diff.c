#include "core/job_report.h"
#include "core/registry/registry.h"
#include "core/test/differential_plots.h"
#include "core/version_client.h"
#include "ui/command/batch_meter.h"
#include "ui/command/captured.h"
#include "ui/command/diff_run.h"
#include "ui/command/output.h"
#include "ui/command/stop_signal.h"
#include "ui/command/table.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_diff;

#define WORDS_MAX 48
#define WORST_SHOWN 5

/* One run, as it is put together. */
struct diff {
	const struct arguments *arguments;
	char socket_path[128];
	struct client *client;
	struct diff_options options;
	const char *data_name; /* of the rows, for people */
	struct captured captured;
	struct diff_run run;
	struct policy policy;
	struct differential_settings settings;
	bool own_settings; /* the command has some of its own */
	struct diff_noise noise;
	struct differential *differential;
	struct job_report report;
	struct batch_meter meter;
	bool cancelled; /* by the runtime's job list */
	struct finding findings[FINDINGS_MAX];
	size_t finding_count;
	enum finding_verdict verdict;
	char summary[REASON_SIZE];
};

/* --- what was typed --- */

static int read_options(struct diff *d, struct err *e)
{
	const struct arguments *a = d->arguments;
	const char *against = arguments_value(a, "against");
	struct diff_options *o = &d->options;

	o->model = arguments_at(a, 0);
	o->data = arguments_value(a, "data");
	o->columns = (struct diff_columns){arguments_value(a, "labels"), arguments_value(a, "segment")};
	o->stop = stop_signal_flag();
	o->socket_path = d->socket_path;
	if (output_model(o->model, e) != 0 || output_version(arguments_at(a, 1), &o->version, e) != 0 ||
	    (against != NULL && output_version(against, &o->against, e) != 0))
		return -1;
	if (captured_option(a, &d->captured.asked, e) != 0)
		return -1;
	if (d->captured.asked > 0 && o->columns.labels != NULL)
		return err_set(e, ERR_USAGE, "captured rows have no labels: leave --labels out, or give --data FILE");
	if (d->captured.asked == 0 && (o->data == NULL || *o->data == '\0' || strcmp(o->data, "-") == 0))
		return err_set(e, ERR_USAGE,
			       "--data FILE is missing: rows as CSV with a header, or as JSON lines (or --captured N: "
			       "rows of live requests)");
	o->bare = d->captured.asked > 0 && !arguments_flag(a, "keep-inputs");
	d->data_name = d->captured.asked > 0 ? "captured" : o->data;
	return arguments_socket(a, d->socket_path, sizeof d->socket_path, e);
}

/* "diff_rows_max=5%" */
static int set_one(struct policy *p, const char *word, struct err *e)
{
	char name[64];
	const char *equals = strchr(word, '=');

	if (equals == NULL || strncmp(word, "diff_", 5) != 0 || (size_t)(equals - word) >= sizeof name)
		return err_set(e, ERR_USAGE,
			       "--set takes a setting of differential tests, as in diff_rows_max=5%%, not `%.60s`",
			       word);
	memcpy(name, word, (size_t)(equals - word));
	name[equals - word] = '\0';
	return policy_set(p, name, equals + 1, e);
}

/* The model's policy, and over it what the command says. */
static int read_settings(struct diff *d, struct err *e)
{
	const char *atol = arguments_value(d->arguments, "atol"), *rtol = arguments_value(d->arguments, "rtol"), *word;
	char path[128];
	cJSON *json = NULL;

	snprintf(path, sizeof path, "/control/v1/models/%s/policy", d->options.model);
	int result = client_get(d->client, path, CLIENT_TIMEOUT_MS, &json, e);
	if (result == 0)
		result = policy_from_json(cJSON_GetObjectItemCaseSensitive(json, "policy"), &d->policy, e);
	cJSON_Delete(json);
	d->own_settings = atol != NULL || rtol != NULL || arguments_value(d->arguments, "set") != NULL;
	for (size_t i = 0; result == 0 && (word = arguments_value_at(d->arguments, "set", i)) != NULL; i++)
		result = set_one(&d->policy, word, e);
	if (result == 0 && atol != NULL)
		result = policy_set(&d->policy, "diff_atol", atol, e);
	if (result == 0 && rtol != NULL)
		result = policy_set(&d->policy, "diff_rtol", rtol, e);
	differential_settings_of(&d->policy, &d->settings);
	return result;
}

/* --- running --- */

static struct job_progress job_progress_of(const struct diff *d)
{
	struct job_progress progress = {.done = d->run.rows,
					.done_bytes = diff_data_bytes(d->run.data),
					.total_bytes = diff_data_size(d->run.data),
					.rate = d->meter.rate,
					.left_s = d->meter.left_s};

	if (d->differential != NULL)
		progress.plot_count =
		    differential_plots(d->differential, d->run.names[DIFF_NEW], d->run.names[DIFF_OLD], progress.plots);
	return progress;
}

static bool tick(struct diff *d)
{
	const struct batch_progress progress = {
	    .rows = d->run.rows, .bytes = diff_data_bytes(d->run.data), .bytes_total = diff_data_size(d->run.data)};

	batch_meter_update(&d->meter, &progress);
	if (job_report_due(&d->report)) {
		const struct job_progress job = job_progress_of(d);
		d->cancelled = !job_report_progress(&d->report, &job);
	}
	return !d->cancelled && stop_signal_number() == 0;
}

static int compare(struct diff *d, bool *ended, struct err *e)
{
	bool more = true;

	*ended = false;
	if (diff_run_noise(&d->run, &d->noise, e) != 0)
		return -1;
	differential_settings_by_noise(&d->settings, d->noise.greatest, d->noise.old_sd);
	d->differential = differential_new(&d->settings, &d->run.kinds[DIFF_OLD]);
	if (d->differential == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	while (more && tick(d))
		if (diff_run_next(&d->run, d->differential, &more, e) != 0)
			return -1;
	*ended = !more;
	if (*ended && d->options.columns.labels != NULL && d->differential->label_rows == 0)
		return err_set(e, ERR_INPUT, "no row has a label in column `%.100s`", d->options.columns.labels);
	return 0;
}

/* --- what came of it --- */

static void judge(struct diff *d)
{
	d->finding_count = differential_judge(d->differential, d->findings);
	d->verdict = findings_verdict(d->findings, d->finding_count);
	const struct finding *first = findings_first(d->findings, d->finding_count);
	char text[2 * REASON_SIZE];

	if (first == NULL)
		snprintf(text, sizeof text,
			 "%llu of %llu rows differ by more than %.3g + %.3g |old|, and nothing else does%s",
			 (unsigned long long)d->differential->diff.violations,
			 (unsigned long long)d->differential->diff.rows, d->settings.atol, d->settings.rtol,
			 d->own_settings ? " (sensitivity of the command)" : "");
	else
		snprintf(text, sizeof text, "%s: %s%s", first->name, first->text,
			 d->own_settings ? " (sensitivity of the command)" : "");
	text_clean(d->summary, sizeof d->summary, text);
}

static cJSON *report_make(const struct diff *d)
{
	cJSON *json = cJSON_CreateObject();
	const char *extra;

	cJSON_AddStringToObject(json, "kind", "differential");
	cJSON_AddStringToObject(json, "model", d->options.model);
	cJSON_AddNumberToObject(json, "version", d->run.versions[DIFF_NEW]);
	cJSON_AddNumberToObject(json, "against", d->run.versions[DIFF_OLD]);
	cJSON_AddStringToObject(json, "verdict", finding_verdict_name(d->verdict));
	cJSON_AddBoolToObject(json, "passed", d->verdict == FINDING_PASS);
	cJSON_AddStringToObject(json, "summary", d->summary);
	cJSON_AddItemToObject(json, "findings", findings_to_json(d->findings, d->finding_count));
	cJSON_AddStringToObject(json, "data", d->data_name);
	captured_report(&d->captured, json);
	cJSON_AddNumberToObject(json, "seconds", batch_meter_seconds(&d->meter));
	cJSON *noise = cJSON_AddObjectToObject(json, "noise");
	cJSON_AddNumberToObject(noise, "rows", (double)d->noise.rows);
	cJSON_AddNumberToObject(noise, "differing", (double)d->noise.differing);
	differential_add_number(noise, "greatest", d->noise.greatest);
	cJSON *unused = cJSON_AddArrayToObject(json, "ignored_columns");
	for (size_t i = 0; diff_data_extra(d->run.data, i, &extra); i++)
		cJSON_AddItemToArray(unused, cJSON_CreateString(extra));
	differential_to_json(d->differential, d->options.columns.segment, json);
	struct plot plots[PLOTS_MAX];
	size_t plot_count = differential_plots(d->differential, d->run.names[DIFF_NEW], d->run.names[DIFF_OLD], plots);
	cJSON_AddItemToObject(json, "plots", plots_to_json(plots, plot_count));
	return json;
}

/* Kept for ever, and a gate. */
static int report_send(const struct diff *d, const cJSON *report, struct err *e)
{
	char path[128];
	cJSON *body = cJSON_CreateObject(), *answer = NULL;

	snprintf(path, sizeof path, "/control/v1/models/%s/tests", d->options.model);
	cJSON_AddStringToObject(body, "kind", "differential");
	cJSON_AddNumberToObject(body, "version", d->run.versions[DIFF_NEW]);
	cJSON_AddNumberToObject(body, "against", d->run.versions[DIFF_OLD]);
	cJSON_AddBoolToObject(body, "passed", d->verdict == FINDING_PASS);
	cJSON_AddStringToObject(body, "summary", d->summary);
	cJSON_AddNumberToObject(body, "job", (double)d->report.id);
	cJSON_AddItemReferenceToObject(body, "report", (cJSON *)(uintptr_t)report);
	int result = client_post(d->client, path, body, CLIENT_TIMEOUT_MS, &answer, e);
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}

static void worst_print(const cJSON *report)
{
	const cJSON *row;
	int shown = 0;

	cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(report, "worst"))
	{
		const cJSON *before = cJSON_GetObjectItemCaseSensitive(row, "old");
		const cJSON *after = cJSON_GetObjectItemCaseSensitive(row, "new");
		/* null: infinitely many times. */
		const cJSON *times = cJSON_GetObjectItemCaseSensitive(row, "times_tolerance");
		if ((cJSON_IsNumber(times) && times->valuedouble <= 1) || shown++ == WORST_SHOWN)
			break;
		printf("\nline %.0f: ", json_find_number(row, "line"));
		if (cJSON_IsNumber(before) && cJSON_IsNumber(after))
			printf("%.9g, was %.9g\n", after->valuedouble, before->valuedouble);
		else
			puts("no number on one side");
		if (*json_find_text(row, "curl") == '\0')
			continue;
		fputs("  ", stdout);
		output_text(json_find_text(row, "curl"));
		putchar('\n');
	}
}

static int findings_print(const struct diff *d, struct err *e)
{
	static const char *const headers[] = {"VERDICT", "FINDING", ">VALUE", ">LIMIT", "WHAT", NULL};
	struct table *t = table_new(headers);

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < d->finding_count; i++) {
		const struct finding *f = &d->findings[i];
		table_row(t);
		table_cell(t, "%s", finding_verdict_name(f->verdict));
		table_cell(t, "%s", f->name);
		table_cell(t, isnan(f->value) ? "-" : "%.4g%s", f->value, strcmp(f->unit, "%") == 0 ? "%" : "");
		table_cell(t, isnan(f->threshold) ? "-" : "%.4g%s", f->threshold, strcmp(f->unit, "%") == 0 ? "%" : "");
		table_cell(t, "%s", f->text);
	}
	int result = table_print(t, e);
	table_free(t);
	return result;
}

static int outcome_print(const struct diff *d, const cJSON *report, struct err *e)
{
	const char *extra;

	if (arguments_flag(d->arguments, "json"))
		return output_json(report, e);
	printf("%s %s against %s, %llu rows: %s\n", d->options.model, d->run.names[DIFF_NEW], d->run.names[DIFF_OLD],
	       (unsigned long long)d->run.rows,
	       d->verdict == FINDING_PASS   ? "pass"
	       : d->verdict == FINDING_WAIT ? "undecided, which does not pass"
					    : "FAIL");
	if (d->captured.asked > 0)
		printf("%s%s\n", d->captured.text,
		       d->options.bare ? "; the report has none of their inputs (--keep-inputs)" : "");
	for (size_t i = 0; diff_data_extra(d->run.data, i, &extra); i++)
		printf("%s%s", i == 0 ? "columns that are not used: " : ", ", extra);
	if (diff_data_extra(d->run.data, 0, &extra))
		putchar('\n');
	if (findings_print(d, e) != 0)
		return -1;
	worst_print(report);
	return output_end(e);
}

/* --- all of it --- */

static size_t add_words(const struct arguments *a, const char **words)
{
	static const char *const names[] = {"data", "captured", "against", "labels", "segment", "atol", "rtol"};
	static const char *const dashed[] = {"--data",    "--captured", "--against", "--labels",
					     "--segment", "--atol",     "--rtol"};
	size_t count = 0;
	const char *word;

	words[count++] = "mldeck";
	words[count++] = "diff";
	words[count++] = arguments_at(a, 0);
	words[count++] = arguments_at(a, 1);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (arguments_value(a, names[i]) == NULL)
			continue;
		words[count++] = dashed[i];
		words[count++] = arguments_value(a, names[i]);
	}
	if (arguments_flag(a, "keep-inputs"))
		words[count++] = "--keep-inputs";
	for (size_t i = 0; count + 2 <= WORDS_MAX && (word = arguments_value_at(a, "set", i)) != NULL; i++) {
		words[count++] = "--set";
		words[count++] = word;
	}
	return count;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static int job_begin(struct diff *d, struct err *e)
{
	const char *words[WORDS_MAX];
	char title[JOB_TITLE_SIZE];
	size_t count = add_words(d->arguments, words);

	snprintf(title, sizeof title, "%s against %s, %.80s", d->run.names[DIFF_NEW], d->run.names[DIFF_OLD],
		 base_name(d->data_name));
	return job_report_begin(&d->report, d->client, "diff", d->options.model, d->options.version, title, words,
				count, e);
}

/* Before anything is loaded: the same test runs already. */
static int job_check(const struct diff *d, struct err *e)
{
	const char *words[WORDS_MAX];
	size_t count = add_words(d->arguments, words);

	return job_report_check(d->client, "diff", d->options.model, d->options.version, words, count, e);
}

static int finish(struct diff *d, int *code, struct err *e)
{
	judge(d);
	cJSON *report = report_make(d);
	int result = report_send(d, report, e);
	const struct job_progress last = job_progress_of(d);

	job_report_end(&d->report, result == 0 ? JOB_DONE : JOB_FAILED, &last, result == 0 ? d->summary : e->text);
	if (result == 0)
		result = outcome_print(d, report, e);
	cJSON_Delete(report);
	*code = d->verdict != FINDING_PASS;
	return result;
}

static int go(struct diff *d, int *code, struct err *e)
{
	bool ended;

	if (job_begin(d, e) != 0)
		return -1;
	batch_meter_begin(&d->meter, base_name(d->data_name));
	int result = compare(d, &ended, e);
	batch_meter_end(&d->meter);
	const struct job_progress last = job_progress_of(d);
	if (result != 0) {
		job_report_end(&d->report, JOB_FAILED, &last, e->text);
		return -1;
	}
	if (ended)
		return finish(d, code, e);
	const char *text = d->cancelled ? "cancelled by an operator; nothing was kept" : "stopped; nothing was kept";
	job_report_end(&d->report, JOB_CANCELLED, &last, text);
	fprintf(stderr, "mldeck diff: %s\n", text);
	*code = stop_signal_exit();
	return 0;
}

/* Rows of live requests in place of a file, where they were asked for. */
static int fetch_captured(struct diff *d, struct err *e)
{
	struct diff_options *o = &d->options;
	uint32_t versions[] = {o->version, o->against};

	if (d->captured.asked == 0)
		return 0;
	if (o->against == 0 && version_client_live(d->client, o->model, &versions[1], e) != 0)
		return -1;
	if (captured_fetch(&d->captured, d->client, o->model, versions, 2, d->captured.asked, e) != 0 ||
	    captured_file(&d->captured, e) != 0)
		return -1;
	o->data = d->captured.path;
	return 0;
}

static int run(const struct arguments *a)
{
	struct diff d = {.arguments = a};
	struct err e = {0};
	int code = 0, result = -1;

	if (read_options(&d, &e) == 0) {
		stop_signal_catch();
		d.client = client_new(d.socket_path, "diff");
		if (d.client == NULL)
			err_set(&e, ERR_MEMORY, "memory is out");
		else if (job_check(&d, &e) == 0 && fetch_captured(&d, &e) == 0 &&
			 diff_run_open(&d.run, &d.options, d.client, &e) == 0 && read_settings(&d, &e) == 0)
			result = go(&d, &code, &e);
		diff_run_close(&d.run);
	}
	if (result != 0)
		code = command_fail(&command_diff, &e);
	differential_free(d.differential);
	captured_release(&d.captured);
	client_free(d.client);
	return code;
}

static const struct option_spec options[] = {
    {"data", "FILE", "rows: CSV with a header, or JSON lines (.jsonl); read twice"},
    CAPTURED_OPTION,
    {"keep-inputs", NULL, "keep inputs of captured rows in the report too"},
    {"against", "VERSION", "the version to compare with (the live one)"},
    {"labels", "COLUMN", "what is true: the number of the class, or of the outcome"},
    {"segment", "COLUMN", "figures for each value of this column, too"},
    {"atol", "X", "a row may differ by this, and"},
    {"rtol", "X", "by this times the old prediction (else by the model's policy)"},
    {"set", "KEY=VALUE", "another setting, as in diff_rows_max=5%; may be repeated"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_diff = {
    .name = "diff",
    .arguments = "MODEL VERSION",
    .summary = "compare a version's answers with the live one's, row by row and on average",
    .details =
	"Both versions are asked for every row of the file; columns are matched by name. The test fails where rows "
	"differ "
	"by more than atol + rtol |old|, fall into another class, get worse by the labels, or where the mean, a "
	"quantile "
	"or a segment moves. How much is too much stands in the model's policy (mldeck policy MODEL diff_rows_max=1%); "
	"without tolerances there they come from asking the old version twice.\n\n"
	"By default only the same model passes, however it was exported. For a model that was trained again set "
	"diff_rows_max and diff_flips_max to what a retraining may change. The report is kept: mldeck tests MODEL. The "
	"exit "
	"code is 1 when the test does not pass.",
    .options = options,
    .run = run,
};
