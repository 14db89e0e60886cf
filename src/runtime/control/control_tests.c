/* control: what tests of versions gave, reported by the command that ran them or by a pipeline, and kept for ever. */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/finding.h"
#include "core/json.h"
#include "core/registry/registry_policy.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 1000
#define REPORT_MAX ((size_t)4 << 20) /* bytes of a report, as JSON */

/* The report as text; free(). NULL without one, or with an error. */
static char *read_report(const cJSON *body, struct err *e)
{
	const cJSON *report = json_object(body, "report", e);
	char *text = report == NULL ? NULL : cJSON_PrintUnformatted(report);

	if (report == NULL)
		return NULL;
	if (text == NULL) {
		err_set(e, ERR_MEMORY, "memory is out for a report");
	} else if (strlen(text) > REPORT_MAX) {
		err_set(e, ERR_TOO_LARGE, "field `report` has %zu bytes, the limit is %zu", strlen(text), REPORT_MAX);
		cJSON_free(text);
		text = NULL;
	}
	return text;
}

/* A training may be of no version yet: the file that it made is deployed later, or never. */
static int read_version(const cJSON *body, const char *kind, uint32_t *version, struct err *e)
{
	*version = 0;
	if (strcmp(kind, "training") == 0 && !json_has(body, "version"))
		return 0;
	return json_uint32(body, "version", 1, VERSIONS_MAX, version, e);
}

/* A training is a run, which stands alone, or a comparison with those before. */
static bool alone_allowed(const char *kind)
{
	return strcmp(kind, "training") == 0;
}

/* --- what a report says of itself --- */

static int refuse_report(const char *field, struct err *e)
{
	return err_set(e, ERR_INPUT, "field `report` is of another test: its `%s` is not the result's", field);
}

/* Of another program's report a field may be anything; what is of our form must be the result's. */
static bool other_text(const cJSON *report, const char *field, const char *text)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(report, field);

	return cJSON_IsString(item) && strcmp(item->valuestring, text) != 0;
}

static bool other_number(const cJSON *report, const char *field, uint32_t number)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(report, field);

	return cJSON_IsNumber(item) && item->valuedouble != (double)number;
}

static bool other_outcome(const cJSON *report, bool passed)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(report, "passed");

	return cJSON_IsBool(item) && (cJSON_IsTrue(item) != 0) != passed;
}

/* Words of verdicts that do not pass, and findings that failed. */
static bool does_not_pass(const cJSON *report)
{
	static const char *const words[] = {"fail", "wait", "inconclusive", "regression"};
	const char *verdict = json_find_text(report, "verdict");
	struct finding findings[FINDINGS_MAX];
	struct err ignored;
	size_t count = 0;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(verdict, words[i]) == 0)
			return true;
	return findings_from_json(cJSON_GetObjectItemCaseSensitive(report, "findings"), findings, &count, &ignored) ==
		   0 &&
	       findings_verdict(findings, count) == FINDING_FAIL;
}

/* A gate reads the result and a reader the report: they must be of one test. */
static int check_report(const cJSON *report, const char *model, const struct test_result *result, struct err *e)
{
	if (other_text(report, "model", model))
		return refuse_report("model", e);
	if (other_text(report, "kind", result->kind))
		return refuse_report("kind", e);
	if (other_number(report, "version", result->version))
		return refuse_report("version", e);
	if (result->against != 0 && other_number(report, "against", result->against))
		return refuse_report("against", e);
	if (other_outcome(report, result->passed))
		return refuse_report("passed", e);
	if (result->passed && does_not_pass(report))
		return err_set(e, ERR_INPUT, "the result passed, and its field `report` says that it did not");
	return 0;
}

static int read_result(const cJSON *body, struct test_result *result, struct err *e)
{
	const char *kind = json_text(body, "kind", e), *summary = "";
	int64_t against = 0;

	if (kind == NULL || !policy_test_known(kind, e) || read_version(body, kind, &result->version, e) != 0 ||
	    json_optional_integer(body, "against", alone_allowed(kind) ? 0 : 1, VERSIONS_MAX, &against, e) != 0 ||
	    json_boolean(body, "passed", &result->passed, e) != 0 ||
	    json_optional_integer(body, "job", 0, INT64_C(1) << 53, &result->job, e) != 0 ||
	    json_optional_text(body, "summary", &summary, e) != 0)
		return -1;
	if (strlen(summary) >= sizeof result->summary)
		return err_set(e, ERR_INPUT, "the summary is longer than %zu bytes: shorten it",
			       sizeof result->summary - 1);
	const char *verdict = json_find_text(cJSON_GetObjectItemCaseSensitive(body, "report"), "verdict");
	text_clean(result->verdict, sizeof result->verdict,
		   verdict[0] != '\0' ? verdict
		   : result->passed   ? "pass"
				      : "fail");
	text_clean(result->kind, sizeof result->kind, kind);
	text_clean(result->summary, sizeof result->summary, summary);
	result->against = (uint32_t)against;
	result->alone = against == 0 && json_has(body, "against");
	return 0;
}

static cJSON *result_json(const char *model, const struct test_result *result)
{
	cJSON *json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "id", (double)result->id);
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddStringToObject(json, "kind", result->kind);
	cJSON_AddNumberToObject(json, "version", result->version);
	cJSON_AddNumberToObject(json, "against", result->against);
	cJSON_AddStringToObject(json, "verdict", result->verdict);
	cJSON_AddBoolToObject(json, "passed", result->passed);
	cJSON_AddNumberToObject(json, "at_ms", (double)result->at_ms);
	cJSON_AddNumberToObject(json, "job", (double)result->job);
	cJSON_AddStringToObject(json, "who", result->who);
	cJSON_AddStringToObject(json, "summary", result->summary);
	return json;
}

void control_post_test(void *context, const struct http_request *request, const struct http_segments *segments,
		       struct http_response *response)
{
	struct server *s = context;
	struct test_result result = {0};
	struct actor actor;
	struct err e;
	char *report = NULL;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || read_result(body, &result, &e) != 0 ||
	    (json_has(body, "report") &&
	     ((report = read_report(body, &e)) == NULL ||
	      check_report(cJSON_GetObjectItemCaseSensitive(body, "report"), segments->values[0], &result, &e) != 0))) {
		control_refuse(response, &e);
	} else {
		result.report = report;
		memcpy(result.who, actor.name, sizeof result.who);
		if (registry_report_test(s->registry, segments->values[0], &result, &actor, &e) != 0)
			control_refuse(response, &e);
		else
			control_answer(response, result_json(segments->values[0], &result));
	}
	cJSON_free(report);
	cJSON_Delete(body);
}

void control_get_tests(void *context, const struct http_request *request, const struct http_segments *segments,
		       struct http_response *response)
{
	struct server *s = context;
	struct test_result *results = NULL;
	struct test_filter filter = {.kind = http_query(request, "kind")};
	long long version, before, limit;
	size_t count = 0;
	struct err e;

	if ((filter.kind != NULL && !policy_test_known(filter.kind, &e)) ||
	    control_query(request, "version", 0, VERSIONS_MAX, 0, &version, &e) != 0 ||
	    control_query(request, "before", 0, INT64_MAX, 0, &before, &e) != 0 ||
	    control_query(request, "limit", 1, LIMIT_MAX, 50, &limit, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	filter.version = (uint32_t)version;
	filter.before = before;
	filter.limit = (size_t)limit;
	if (registry_test_results(s->registry, segments->values[0], &filter, &results, &count, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = cJSON_CreateObject();
	cJSON_AddStringToObject(json, "model", segments->values[0]);
	cJSON *list = cJSON_AddArrayToObject(json, "tests");
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, result_json(segments->values[0], &results[i]));
	free(results);
	control_answer(response, json);
}

void control_get_test(void *context, const struct http_request *request, const struct http_segments *segments,
		      struct http_response *response)
{
	(void)request;
	struct server *s = context;
	const char *model = segments->values[0], *number = segments->values[1];
	struct test_result result;
	long long id;
	char *report = NULL;
	struct err e;
	int done = text_integer(number, 1, INT64_MAX, &id)
		       ? registry_test_report(s->registry, model, id, &result, &report, &e)
		       : err_set(&e, ERR_NOT_FOUND, "%s has no test `%.32s`", model, number);

	if (done != 0) {
		control_refuse(response, &e);
		return;
	}
	cJSON *json = result_json(model, &result), *parsed = cJSON_Parse(report);
	cJSON_AddItemToObject(json, "report", parsed != NULL ? parsed : cJSON_CreateNull());
	free(report);
	control_answer(response, json);
}
