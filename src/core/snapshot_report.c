/* snapshot_report: a kept report cut to what is shown; histories of tests and whole tests in the JSON of a snapshot. */
#include "core/snapshot_report.h"

#include "core/json.h"
#include "core/snapshot_reader.h"
#include "core/snapshot_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- from a report --- */

static void value_text(const cJSON *item, char *text, size_t size)
{
	char number[24] = "";
	if (cJSON_IsNumber(item))
		snprintf(number, sizeof number, "%.6g", item->valuedouble);
	text_clean(text, size, cJSON_IsString(item) ? item->valuestring : number);
}

static int fill_worst(struct snapshot_worst *w, const cJSON *item, struct err *e)
{
	const char *curl = json_find_text(item, "curl");
	double line = json_find_number(item, "line");
	char clean[SNAPSHOT_CURL_SIZE];

	w->line = line > 0 && line < 1e15 ? (uint64_t)line : 0;
	value_text(cJSON_GetObjectItemCaseSensitive(item, "old"), w->old_value, sizeof w->old_value);
	value_text(cJSON_GetObjectItemCaseSensitive(item, "new"), w->new_value, sizeof w->new_value);
	value_text(cJSON_GetObjectItemCaseSensitive(item, "label"), w->label, sizeof w->label);
	value_text(cJSON_GetObjectItemCaseSensitive(item, "segment"), w->segment, sizeof w->segment);
	text_clean(clean, sizeof clean, strlen(curl) < sizeof clean ? curl : "");
	w->curl = strdup(clean);
	return w->curl != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for a report");
}

static int fill_worst_rows(struct snapshot_report *r, const cJSON *report, struct err *e)
{
	const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(report, "worst");

	cJSON_ArrayForEach(item, list)
	{
		if (r->worst_count == SNAPSHOT_WORST_MAX)
			break;
		if (fill_worst(&r->worst[r->worst_count], item, e) != 0)
			return -1;
		r->worst_count++;
	}
	return 0;
}

static int fill_figures(struct snapshot_report *r, const cJSON *report, struct err *e)
{
	struct figure *figures = calloc(FIGURES_MAX, sizeof *figures), *cut;
	if (figures == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for a report");
	r->figure_count = figures_of(report, figures, FIGURES_MAX);
	cut = realloc(figures, (r->figure_count + 1) * sizeof *figures);
	r->figures = cut != NULL ? cut : figures;
	return 0;
}

int snapshot_report_fill(struct snapshot_report *r, const char *text, struct err *e)
{
	struct err fault = {0};
	cJSON *report = *text != '\0' ? cJSON_Parse(text) : NULL;
	int result;

	if (*text != '\0' && !cJSON_IsObject(report))
		snprintf(r->note, sizeof r->note, "the report that was kept is no JSON object");
	if (findings_from_json(cJSON_GetObjectItemCaseSensitive(report, "findings"), r->findings, &r->finding_count,
			       &fault) != 0) {
		r->finding_count = 0;
		text_clean(r->note, sizeof r->note, fault.text);
	}
	if (plots_from_json(cJSON_GetObjectItemCaseSensitive(report, "plots"), r->plots, &r->plot_count, &fault) != 0) {
		r->plot_count = 0;
		text_clean(r->note, sizeof r->note, fault.text);
	}
	result = fill_figures(r, report, e) == 0 ? fill_worst_rows(r, report, e) : -1;
	cJSON_Delete(report);
	return result;
}

void snapshot_report_release(struct snapshot_report *r)
{
	for (size_t i = 0; i < r->worst_count; i++)
		free(r->worst[i].curl);
	free(r->figures);
	*r = (struct snapshot_report){0};
}

/* --- writing --- */

cJSON *writer_test(const struct test_result *t)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, json_add_number(o, "id", (double)t->id) && json_add_number(o, "at_ms", (double)t->at_ms) &&
				 json_add_number(o, "job", (double)t->job) && json_add_text(o, "model", t->model) &&
				 json_add_text(o, "kind", t->kind) && json_add_some(o, "version", t->version) &&
				 json_add_some(o, "against", t->against) && json_add_text(o, "verdict", t->verdict) &&
				 json_add_boolean(o, "passed", t->passed) && json_add_text(o, "who", t->who) &&
				 json_add_text(o, "summary", t->summary));
}

static bool add_figures(cJSON *o, const struct snapshot_report *r)
{
	cJSON *list = cJSON_AddArrayToObject(o, "figures");
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < r->figure_count; i++) {
		cJSON *f = cJSON_CreateObject();
		ok = json_add_text(f, "name", r->figures[i].name) && json_add_text(f, "text", r->figures[i].text) &&
		     json_add_number(f, "value", r->figures[i].value);
		ok = json_append(list, json_whole(f, ok)) && ok;
	}
	return ok;
}

static bool add_worst(cJSON *o, const struct snapshot_report *r)
{
	cJSON *list = cJSON_AddArrayToObject(o, "worst");
	bool ok = list != NULL;
	for (size_t i = 0; ok && i < r->worst_count; i++) {
		const struct snapshot_worst *w = &r->worst[i];
		cJSON *row = cJSON_CreateObject();
		ok = json_add_number(row, "line", (double)w->line) && json_add_text(row, "old", w->old_value) &&
		     json_add_text(row, "new", w->new_value) && json_add_text(row, "label", w->label) &&
		     json_add_text(row, "segment", w->segment) && json_add_text(row, "curl", w->curl);
		ok = json_append(list, json_whole(row, ok)) && ok;
	}
	return ok;
}

static cJSON *report_json(const struct snapshot_report *r)
{
	cJSON *o;
	if (r->missing) {
		o = cJSON_CreateObject();
		return json_whole(o,
				  json_add_number(o, "id", (double)r->test.id) && json_add_boolean(o, "missing", true));
	}
	o = writer_test(&r->test);
	return json_whole(o, json_add_boolean(o, "before", r->before) && json_add_text(o, "note", r->note) &&
				 json_add(o, "findings", findings_to_json(r->findings, r->finding_count)) &&
				 json_add(o, "plots", plots_to_json(r->plots, r->plot_count)) && add_figures(o, r) &&
				 add_worst(o, r));
}

bool writer_tests(cJSON *o, const struct snapshot *s)
{
	cJSON *tests = s->tests_known ? cJSON_AddArrayToObject(o, "tests") : NULL;
	cJSON *reports = s->report_count > 0 ? cJSON_AddArrayToObject(o, "reports") : NULL;
	bool ok = (!s->tests_known || tests != NULL) && (s->report_count == 0 || reports != NULL);
	for (size_t i = 0; ok && i < s->test_count; i++)
		ok = json_append(tests, writer_test(&s->tests[i]));
	for (size_t i = 0; ok && i < s->report_count; i++)
		ok = json_append(reports, report_json(&s->reports[i]));
	return ok;
}

/* --- reading --- */

static void read_test(struct reader *r, struct test_result *t)
{
	t->id = (int64_t)reader_count(r, "id");
	t->at_ms = (int64_t)reader_count(r, "at_ms");
	t->job = (int64_t)reader_count(r, "job");
	reader_string(r, "model", t->model, sizeof t->model);
	reader_string(r, "kind", t->kind, sizeof t->kind);
	t->version = reader_count32(r, "version");
	t->against = reader_count32(r, "against");
	reader_string(r, "verdict", t->verdict, sizeof t->verdict);
	t->passed = reader_bool(r, "passed");
	reader_string(r, "who", t->who, sizeof t->who);
	reader_string(r, "summary", t->summary, sizeof t->summary);
}

static void read_tests(struct reader *outer, struct snapshot *s)
{
	size_t length;
	const cJSON *list = reader_array(outer, "tests", SNAPSHOT_TESTS_MAX, &length), *item;
	struct reader r;
	s->tests_known = list != NULL;
	s->tests = length > 0 ? calloc(length, sizeof s->tests[0]) : NULL;
	if (length > 0 && s->tests == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "tests", item, &r))
			return;
		read_test(&r, &s->tests[s->test_count++]);
		outer->failed |= r.failed;
	}
}

static void read_figures(struct reader *outer, struct snapshot_report *report)
{
	size_t length;
	const cJSON *list = reader_array(outer, "figures", FIGURES_MAX, &length), *item;
	struct reader r;
	report->figures = calloc(length + 1, sizeof report->figures[0]);
	if (report->figures == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		struct figure *f = &report->figures[report->figure_count];
		if (!reader_element(outer, "figures", item, &r))
			return;
		reader_string(&r, "name", f->name, sizeof f->name);
		reader_string(&r, "text", f->text, sizeof f->text);
		f->value = reader_number(&r, "value", (double)NAN);
		report->figure_count++;
		outer->failed |= r.failed;
	}
}

static void read_worst(struct reader *outer, struct snapshot_report *report)
{
	size_t length;
	const cJSON *list = reader_array(outer, "worst", SNAPSHOT_WORST_MAX, &length), *item;
	char curl[SNAPSHOT_CURL_SIZE];
	struct reader r;
	cJSON_ArrayForEach(item, list)
	{
		struct snapshot_worst *w = &report->worst[report->worst_count];
		if (!reader_element(outer, "worst", item, &r))
			return;
		w->line = reader_count(&r, "line");
		reader_string(&r, "old", w->old_value, sizeof w->old_value);
		reader_string(&r, "new", w->new_value, sizeof w->new_value);
		reader_string(&r, "label", w->label, sizeof w->label);
		reader_string(&r, "segment", w->segment, sizeof w->segment);
		reader_string(&r, "curl", curl, sizeof curl);
		w->curl = strdup(curl);
		outer->failed |= r.failed;
		if (w->curl == NULL) {
			reader_no_memory(outer);
			return;
		}
		report->worst_count++;
	}
}

static void read_report(struct reader *r, struct snapshot_report *report)
{
	struct err e = {0};
	read_test(r, &report->test);
	report->missing = reader_bool(r, "missing");
	report->before = reader_bool(r, "before");
	reader_string(r, "note", report->note, sizeof report->note);
	if (findings_from_json(reader_get(r, "findings"), report->findings, &report->finding_count, &e) != 0)
		reader_wrong(r, "findings", &e);
	if (plots_from_json(reader_get(r, "plots"), report->plots, &report->plot_count, &e) != 0)
		reader_wrong(r, "plots", &e);
	read_figures(r, report);
	read_worst(r, report);
}

void reader_tests(struct reader *outer, struct snapshot *s)
{
	size_t length;
	struct reader r;
	read_tests(outer, s);
	const cJSON *list = reader_array(outer, "reports", SNAPSHOT_REPORTS_MAX, &length), *item;
	s->reports = length > 0 ? calloc(length, sizeof s->reports[0]) : NULL;
	if (length > 0 && s->reports == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "reports", item, &r))
			return;
		read_report(&r, &s->reports[s->report_count++]);
		outer->failed |= r.failed;
	}
}
