#include "core/registry/registry.h"
#include "ui/command/captured.h"
#include "ui/command/check_file.h"
#include "ui/command/check_print.h"
#include "ui/command/check_run.h"
#include "ui/command/output.h"
#include "ui/command/stop_signal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct command command_check;

/* A version that is not loaded is loaded first, as a promotion does. */
#define GATES_TIMEOUT_MS 120000

/* One check, as it is put together. */
struct check {
	struct check_options options;
	struct client *client;
	cJSON *answer;
	struct check_plan plan;
	struct check_file junit;
	struct check_gates gates;
};

static int read_options(const struct arguments *a, struct check_options *o, struct err *e)
{
	const char *against = arguments_value(a, "against");
	size_t rows; /* the tests read it again */

	*o = (struct check_options){.model = arguments_at(a, 0),
				    .data = arguments_value(a, "data"),
				    .captured = arguments_value(a, "captured"),
				    .only = arguments_value(a, "only"),
				    .junit = arguments_value(a, "junit"),
				    .socket = arguments_value(a, "socket"),
				    .state = arguments_value(a, "state"),
				    .rerun = arguments_flag(a, "rerun"),
				    .gates = arguments_flag(a, "gates"),
				    .yes = arguments_flag(a, "yes"),
				    .json = arguments_flag(a, "json")};
	if (output_model(o->model, e) != 0 || output_version(arguments_at(a, 1), &o->version, e) != 0 ||
	    (against != NULL && output_version(against, &o->against, e) != 0) || captured_option(a, &rows, e) != 0)
		return -1;
	return 0;
}

/* How the tests of the pair stand. */
static int ask(struct check *c, struct err *e)
{
	const struct check_options *o = &c->options;
	char path[160], end[24] = "";

	if (o->against != 0)
		snprintf(end, sizeof end, "&against=%u", (unsigned)o->against);
	snprintf(path, sizeof path, "/control/v1/models/%s/check?version=%u%s", o->model, (unsigned)o->version, end);
	cJSON_Delete(c->answer);
	c->answer = NULL;
	return client_get(c->client, path, CLIENT_TIMEOUT_MS, &c->answer, e);
}

static int run_tests(struct check *c, bool *stopped, int *code, struct err *e)
{
	struct check_plan *p = &c->plan;

	for (size_t i = 0; i < p->count && !*stopped; i++) {
		struct check_test *t = &p->tests[i];
		if (!t->run)
			continue;
		fprintf(stderr, "%s of v%u against v%u: %s\n", t->test.kind, (unsigned)p->options.version,
			(unsigned)p->against, check_test_passed(t) ? "again" : check_test_text(t));
		if (check_run(p, t, c->client, stopped, e) != 0)
			return -1;
		if (stop_signal_number() != 0)
			*stopped = true;
		*code = t->code >= 128 ? t->code : stop_signal_exit();
	}
	return 0;
}

/* Whether a promotion would pass, as of now. */
static int ask_gates(struct check *c, struct err *e)
{
	struct check_gates *g = &c->gates;
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	char path[128];
	struct err refused = {0};

	snprintf(path, sizeof path, "/control/v1/models/%s/route", c->options.model);
	cJSON_AddStringToObject(body, "action", "promote");
	cJSON_AddNumberToObject(body, "version", c->options.version);
	cJSON_AddTrueToObject(body, "dry_run");
	g->passed = client_post(c->client, path, body, GATES_TIMEOUT_MS, &answer, &refused) == 0;
	const cJSON *said = g->passed ? answer : client_refusal(c->client);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(said, "gates");
	int result = list != NULL ? findings_from_json(list, g->findings, &g->count, e)
				  : err_set(e, refused.code, "a promotion cannot be tried: %s", refused.text);
	if (!g->passed)
		snprintf(g->text, sizeof g->text, "%s", refused.text);
	cJSON_Delete(answer);
	cJSON_Delete(body);
	return result;
}

static int report(struct check *c, struct err *e)
{
	struct buf document;
	int result = 0;

	buf_init(&document);
	if (c->junit.path != NULL)
		result = check_junit(&c->plan, &c->gates, &document, e);
	if (result == 0)
		result = check_file_write(&c->junit, &document, e);
	buf_release(&document);
	if (result != 0)
		return -1;
	if (!c->options.json)
		return check_print_text(&c->plan, &c->gates, e);
	cJSON *json = check_json(&c->plan, &c->gates);
	result = json != NULL ? output_json(json, e) : err_set(e, ERR_MEMORY, "memory is out");
	cJSON_Delete(json);
	return result;
}

static int go(struct check *c, int *code, struct err *e)
{
	bool stopped = false;

	if (ask(c, e) != 0 || check_plan_make(&c->plan, &c->options, c->answer, e) != 0 ||
	    check_file_open(&c->junit, c->options.junit, e) != 0 || run_tests(c, &stopped, code, e) != 0)
		return -1;
	if (stopped) {
		fprintf(stderr, "mldeck check: stopped; there is no verdict\n");
		return 0;
	}
	if (ask(c, e) != 0 || check_plan_update(&c->plan, c->answer, e) != 0 ||
	    (c->options.gates && ask_gates(c, e) != 0) || report(c, e) != 0)
		return -1;
	*code = check_plan_exit(&c->plan);
	if (*code == 0 && c->options.gates && !c->gates.passed)
		*code = 1;
	return 0;
}

static int run(const struct arguments *a)
{
	struct check *c = calloc(1, sizeof *c);
	struct err e = {0};
	int code = 0, result = -1;

	if (c == NULL) {
		err_set(&e, ERR_MEMORY, "memory is out");
		return command_fail(&command_check, &e);
	}
	c->junit.fd = -1;
	if (read_options(a, &c->options, &e) == 0 && output_client(a, "check", &c->client, &e) == 0) {
		stop_signal_catch();
		result = go(c, &code, &e);
	}
	check_file_close(&c->junit);
	cJSON_Delete(c->answer);
	client_free(c->client);
	free(c);
	return result == 0 ? code : command_fail(&command_check, &e);
}

static const struct option_spec options[] = {
    {"against", "VERSION", "the version to test against (the live one)"},
    {"data", "FILE", "rows of every test, instead of the policy's diff_data, bench_data, stress_data"},
    {"captured", "N", "N captured rows of live requests instead, for every test (capture_rows of the policy)"},
    {"only", "KIND,KIND", "of the policy's tests only these: differential, benchmark, stress"},
    {"rerun", NULL, "run what passed, too"},
    {"gates", NULL, "ask the other gates of a promotion, too"},
    {"junit", "FILE", "write what was found as JUnit's XML"},
    {"yes", NULL, "a stress test may touch live traffic"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_check = {
    .name = "check",
    .arguments = "MODEL VERSION",
    .summary = "run the tests that a version still lacks, and say whether it passes",
    .details =
	"The model's policy names the tests (mldeck policy MODEL tests=\"differential:7d benchmark\") and what they "
	"run with (diff_data, stress_rate, ...). Results that are there, passed, are recent and ran as strictly as "
	"the policy has it are kept; the rest is run, the cheapest first, each as a job, as mldeck diff, bench and "
	"stress would. The verdict is that of the gate `tests`.\n\n"
	"Exit codes: 0 all pass; 1 one fails, is undecided, or cannot be run from here (training); 2 bad input, also "
	"a policy without tests; 3 conflict, 4 not found, 5 no runtime, 6 not allowed; 128 and the signal's number "
	"when it was stopped. docs/TESTS.md has an example of a pipeline.",
    .options = options,
    .run = run,
};
