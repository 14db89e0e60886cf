#include "ui/command/check_plan.h"

#include "core/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In the order of their cost. One without a command cannot be run by somebody who only has a version. */
static const struct recipe {
	const char *kind, *verb;
	const char *data, *needed; /* settings: of its rows, and without which it cannot be run; NULL: none */
} recipes[] = {
    {"differential", "diff", "diff_data", "diff_data"},
    {"benchmark", "bench", "bench_data", NULL},
    {"stress", "stress", "stress_data", "stress_rate"},
    {"training", NULL, NULL, NULL},
};
#define RECIPE_COUNT (sizeof recipes / sizeof *recipes)

static const struct recipe *recipe_of(const struct check_test *t)
{
	for (size_t i = 0; i < RECIPE_COUNT; i++)
		if (strcmp(recipes[i].kind, t->test.kind) == 0)
			return &recipes[i];
	return NULL;
}

/* --- which --- */

/* Whether a list as in "differential,stress" names it. */
static bool names(const char *list, const char *kind)
{
	size_t size = strlen(kind);

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, kind, size) == 0 && (at[size] == '\0' || at[size] == ','))
			return true;
	}
	return false;
}

static bool demanded(const struct policy *p, const char *kind, size_t size)
{
	for (size_t i = 0; i < p->test_count; i++)
		if (strlen(p->tests[i].kind) == size && strncmp(p->tests[i].kind, kind, size) == 0)
			return true;
	return false;
}

static void demanded_text(const struct policy *p, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < p->test_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", p->tests[i].kind);
}

/* A kind that the policy does not name would be checked by nobody's rule. */
static int check_only(const struct check_plan *p, struct err *e)
{
	const char *at = p->options.only;
	char all[160] = "";

	demanded_text(&p->policy, all, sizeof all);
	while (at != NULL && *at != '\0') {
		size_t size = strcspn(at, ",");
		if (!demanded(&p->policy, at, size))
			return err_set(e, ERR_INPUT, "--only: the policy of %s names no test `%.*s`, only %s",
				       p->options.model, size < 40 ? (int)size : 40, at, all);
		at += size + (at[size] == ',');
	}
	return 0;
}

static const cJSON *state_of(const cJSON *answer, const char *kind)
{
	const cJSON *state;

	cJSON_ArrayForEach(state, cJSON_GetObjectItemCaseSensitive(answer, "tests"))
	{
		if (strcmp(json_find_text(state, "kind"), kind) == 0)
			return state;
	}
	return NULL;
}

static void add_test(struct check_plan *p, const struct policy_test *test, const cJSON *answer)
{
	struct check_test *t = &p->tests[p->count];

	if (p->options.only != NULL && !names(p->options.only, test->kind))
		return;
	*t = (struct check_test){.test = *test, .state = state_of(answer, test->kind), .code = CHECK_NOT_RUN};
	t->run = (p->options.rerun || !check_test_passed(t)) && recipe_of(t) != NULL && recipe_of(t)->verb != NULL;
	p->count++;
}

static void add_tests(struct check_plan *p, const cJSON *answer)
{
	for (size_t k = 0; k < RECIPE_COUNT; k++)
		for (size_t i = 0; i < p->policy.test_count; i++)
			if (strcmp(p->policy.tests[i].kind, recipes[k].kind) == 0)
				add_test(p, &p->policy.tests[i], answer);
}

/* --- what they run with --- */

static const char *setting(const struct check_plan *p, const char *name, char value[POLICY_NAMES_SIZE])
{
	const char *row, *help;

	for (size_t i = 0; name != NULL && policy_row(&p->policy, i, &row, value, &help); i++)
		if (strcmp(row, name) == 0)
			return strcmp(value, "none") == 0 ? "" : value;
	value[0] = '\0';
	return value;
}

/* The rows of a test: those of the command, else the policy's; NULL: the test finds some itself. */
static const char *data_of(const struct check_plan *p, const struct check_test *t)
{
	const char *data = recipe_of(t)->data;

	if (p->options.captured != NULL)
		return NULL;
	if (p->options.data != NULL)
		return p->options.data;
	const char *path = strcmp(data, "diff_data") == 0    ? p->policy.diff_data
			   : strcmp(data, "bench_data") == 0 ? p->policy.bench_data
							     : p->policy.stress_data;
	return *path != '\0' ? path : NULL;
}

static int check_runnable(const struct check_plan *p, const struct check_test *t, struct err *e)
{
	const struct recipe *r = recipe_of(t);
	const char *model = p->options.model, *data = data_of(p, t);
	char value[POLICY_NAMES_SIZE];

	if (data != NULL && access(data, R_OK) != 0)
		return err_errno(e, errno, "%.300s, the rows of the %s test (%s), cannot be read", data, t->test.kind,
				 p->options.data != NULL ? "--data" : r->data);
	if (p->options.captured != NULL && r->needed != NULL && strcmp(r->needed, r->data) == 0)
		return 0;
	if (r->needed == NULL || *setting(p, r->needed, value) != '\0' || (strcmp(r->needed, r->data) == 0 && data))
		return 0;
	if (strcmp(r->needed, r->data) == 0)
		return err_set(e, ERR_INPUT,
			       "the %s test has no rows: give --data FILE or --captured N, or set mldeck policy %s "
			       "%s=/absolute/path "
			       "--reason TEXT",
			       t->test.kind, model, r->needed);
	return err_set(e, ERR_INPUT, "the %s test cannot be run: set mldeck policy %s %s=%s --reason TEXT",
		       t->test.kind, model, r->needed, "N (requests a second)");
}

static int read_answer(struct check_plan *p, const cJSON *answer, struct err *e)
{
	return json_uint32(answer, "against", 1, UINT32_MAX, &p->against, e) != 0 ||
		       policy_from_json(cJSON_GetObjectItemCaseSensitive(answer, "policy"), &p->policy, e) != 0
		   ? -1
		   : 0;
}

int check_plan_make(struct check_plan *p, const struct check_options *options, const cJSON *answer, struct err *e)
{
	*p = (struct check_plan){.options = *options};
	if (read_answer(p, answer, e) != 0)
		return -1;
	if (p->policy.test_count == 0)
		return err_set(e, ERR_INPUT,
			       "the policy of %s names no tests, so there is nothing to check and nothing was: mldeck "
			       "policy %s tests=\"differential:7d benchmark\" --reason TEXT",
			       options->model, options->model);
	if (check_only(p, e) != 0)
		return -1;
	add_tests(p, answer);
	for (size_t i = 0; i < p->count; i++)
		if (p->tests[i].run && check_runnable(p, &p->tests[i], e) != 0)
			return -1;
	return p->count > 0 ? 0 : err_set(e, ERR_INPUT, "--only names no test");
}

/* Whether the policy names a test that this check knows nothing of. */
static bool demands_more(const struct check_plan *p)
{
	bool more = false;

	for (size_t i = 0; i < p->policy.test_count && !more; i++) {
		more = p->options.only == NULL;
		for (size_t k = 0; k < p->count && more; k++)
			more = strcmp(p->tests[k].test.kind, p->policy.tests[i].kind) != 0;
	}
	return more;
}

int check_plan_update(struct check_plan *p, const cJSON *answer, struct err *e)
{
	uint32_t against = p->against;

	if (read_answer(p, answer, e) != 0)
		return -1;
	if (p->against != against)
		return err_set(e, ERR_CONFLICT, "v%u of %s went live meanwhile, in place of v%u: check again",
			       (unsigned)p->against, p->options.model, (unsigned)against);
	if (demands_more(p))
		return err_set(e, ERR_CONFLICT, "the policy of %s was changed meanwhile: check again",
			       p->options.model);
	for (size_t i = 0; i < p->count; i++) {
		p->tests[i].state = state_of(answer, p->tests[i].test.kind);
		if (p->tests[i].state == NULL)
			return err_set(e, ERR_CONFLICT, "the policy of %s was changed meanwhile: check again",
				       p->options.model);
	}
	return 0;
}

/* --- the commands --- */

static void add(struct check_words *w, const char *word)
{
	if (w->count + 1 < CHECK_WORDS_MAX)
		w->words[w->count++] = word;
	w->words[w->count] = NULL;
}

static void add_option(struct check_words *w, const char *option, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	add(w, option);
	add(w, value);
}

static const char *own(struct check_words *w, const char *text)
{
	char *place = w->own[w->own_count++];

	snprintf(place, CHECK_WORD_SIZE, "%s", text);
	return place;
}

static const char *own_version(struct check_words *w, uint32_t version)
{
	char text[16];

	snprintf(text, sizeof text, "%u", (unsigned)version);
	return own(w, text);
}

static void add_stress(const struct check_plan *p, struct check_words *w)
{
	static const char *const list[][2] = {{"--rate", "stress_rate"},
					      {"--duration", "stress_duration"},
					      {"--slo-p99", "stress_slo_p99"},
					      {"--max-errors", "stress_errors_max"}};
	char value[POLICY_NAMES_SIZE];

	add_option(w, "--version", own_version(w, p->options.version));
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (*setting(p, list[i][1], value) != '\0')
			add_option(w, list[i][0], own(w, setting(p, list[i][1], value)));
	if (p->options.yes)
		add(w, "--yes");
}

void check_plan_words(const struct check_plan *p, const struct check_test *t, struct check_words *w)
{
	*w = (struct check_words){0};
	add(w, "mldeck");
	add(w, recipe_of(t)->verb);
	add(w, p->options.model);
	if (strcmp(t->test.kind, "stress") == 0) {
		add_stress(p, w);
	} else {
		add(w, own_version(w, p->options.version));
		add_option(w, "--against", own_version(w, p->against));
	}
	add_option(w, "--data", data_of(p, t));
	add_option(w, "--captured", p->options.captured);
	/* Captured rows have neither labels nor other columns. */
	if (strcmp(t->test.kind, "differential") == 0 && p->options.captured == NULL) {
		add_option(w, "--labels", p->policy.diff_labels);
		add_option(w, "--segment", p->policy.diff_segment);
	}
	add_option(w, "--socket", p->options.socket);
	add_option(w, "--state", p->options.state);
	add(w, "--json");
}

/* --- what came of it --- */

bool check_test_passed(const struct check_test *t)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(t->state, "passed"));
}

const char *check_test_verdict(const struct check_test *t)
{
	const char *state = json_find_text(t->state, "state"), *verdict = json_find_text(t->state, "verdict");

	if (t->fault[0] != '\0')
		return "error";
	if (strcmp(state, "passed") == 0)
		return "pass";
	if (strcmp(state, "failed") == 0)
		return *verdict != '\0' && strcmp(verdict, "pass") != 0 ? verdict : "fail";
	return state;
}

const char *check_test_text(const struct check_test *t)
{
	return t->fault[0] != '\0' ? t->fault : json_find_text(t->state, "text");
}

enum check_verdict check_plan_verdict(const struct check_plan *p)
{
	bool fault = false, wait = false;

	for (size_t i = 0; i < p->count; i++) {
		const struct check_test *t = &p->tests[i];
		if (t->fault[0] != '\0')
			fault = true;
		else if (strcmp(json_find_text(t->state, "state"), "failed") == 0)
			return CHECK_FAIL;
		else if (!check_test_passed(t))
			wait = true;
	}
	return fault ? CHECK_ERROR : wait ? CHECK_WAIT : CHECK_PASS;
}

const char *check_verdict_name(enum check_verdict verdict)
{
	static const char *const list[] = {"pass", "wait", "fail", "error"};

	return list[verdict];
}

int check_plan_exit(const struct check_plan *p)
{
	enum check_verdict verdict = check_plan_verdict(p);

	for (size_t i = 0; verdict == CHECK_ERROR && i < p->count; i++)
		if (p->tests[i].fault[0] != '\0')
			return p->tests[i].code;
	return verdict == CHECK_PASS ? 0 : 1;
}
