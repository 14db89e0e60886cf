/*
 * policy: one table of all settings; commands, the console, the database and apply go through it.
 */
#include "core/policy.h"

#include "core/number.h"
#include "core/text.h"
#include "core/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	KIND_NAMES,
	KIND_TESTS,
	KIND_FLAG,
	KIND_AGE,
	KIND_LATENCY,
	KIND_COUNT,
	KIND_PERCENT,
	KIND_NUMBER,
	KIND_OPTIONAL,
	KIND_LATENCY_OPTIONAL,
	KIND_PATH,
	KIND_COLUMN,
};

struct setting {
	const char *name;
	enum kind kind;
	size_t offset;
	double low, high; /* of a number, in the unit that it is kept in */
	const char *help;
};

#define ROW(name, kind, member, low, high, help)                              \
	{                                                                     \
		name, kind, offsetof(struct policy, member), low, high, help, \
	}
#define AGE_MAX ((double)POLICY_AGE_MAX_S)
#define COUNT_MAX ((double)POLICY_REQUESTS_MAX)

/* To add a setting: its field in policy.h, a line here, its default below, its row in docs/ROUTES.md, and the gate or
 * analysis that asks for it. */
static const struct setting settings[] = {
    ROW("promoters", KIND_NAMES, promoters, 0, 0, "users and @groups who may promote; empty: whoever is let in"),
    ROW("second_person", KIND_FLAG, second_person, 0, 0, "somebody else must have approved the version"),
    ROW("approval_max_age", KIND_AGE, approval_max_age_s, 1, AGE_MAX, "how long an approval holds"),
    ROW("min_age", KIND_AGE, min_age_s, 0, AGE_MAX, "how long ago a version must have been deployed"),
    ROW("same_signature", KIND_FLAG, same_signature, 0, 0, "inputs and outputs must be the live version's"),
    ROW("shadow_requests", KIND_COUNT, shadow_requests, 0, COUNT_MAX, "requests to be compared as a shadow before"),
    ROW("shadow_flips_max", KIND_PERCENT, shadow_flips_percent, 0, 100,
	"rows of them that may fall into another class"),
    ROW("shadow_difference_max", KIND_OPTIONAL, shadow_difference_max, 0, 1e300,
	"mean difference of their predictions; or none"),
    ROW("tests", KIND_TESTS, tests, 0, AGE_MAX, "tests that must have passed, as in differential:7d benchmark"),
    ROW("canary_requests", KIND_COUNT, canary_requests, 0, COUNT_MAX, "requests to be answered as a canary before all"),
    ROW("no_alerts", KIND_FLAG, no_alerts, 0, 0, "no alert of the model may be firing"),
    ROW("error_margin", KIND_PERCENT, error_margin_percent, 0, 100, "by how much errors may exceed the live version's"),
    ROW("p99_ratio_max", KIND_NUMBER, p99_ratio_max, 0.1, 1000, "p99 latency, against the live version's"),
    ROW("p99_margin", KIND_LATENCY, p99_margin_us, 0, 60e6, "by how much p99 latency may exceed it whatever the ratio"),
    ROW("drift_max", KIND_NUMBER, drift_max, 0.001, 100, "PSI of predictions, against the live version's"),
    ROW("analysis_requests", KIND_COUNT, analysis_requests, 1, COUNT_MAX,
	"requests before latency and drift are judged"),
    ROW("analysis_alpha", KIND_NUMBER, analysis_alpha, 1e-6, 0.5, "how often an analysis may fail a good version"),
    ROW("bench_ratio_max", KIND_NUMBER, bench_ratio_max, 1.005, 100, "time of a prediction, against the old version's"),
    ROW("bench_memory_max", KIND_NUMBER, bench_memory_max, 1.005, 100,
	"memory of a process that predicts, against the old version's"),
    ROW("diff_atol", KIND_OPTIONAL, diff_atol, 0, 1e300, "what a row may differ by in a differential test; or none"),
    ROW("diff_rtol", KIND_OPTIONAL, diff_rtol, 0, 1e300, "and besides, times the old prediction; none: by its noise"),
    ROW("diff_rows_max", KIND_PERCENT, diff_rows_percent, 0, 100, "rows that may differ by more"),
    ROW("diff_flips_max", KIND_PERCENT, diff_flips_percent, 0, 100, "rows that may fall into another class there"),
    ROW("diff_mean_max", KIND_NUMBER, diff_mean_max, 1e-9, 1e6, "shift of the mean, in standard deviations"),
    ROW("diff_quantile_max", KIND_NUMBER, diff_quantile_max, 1e-9, 1e6, "shift of a quantile, in the same unit"),
    ROW("diff_alpha", KIND_NUMBER, diff_alpha, 1e-6, 0.5, "how often its statistics may err"),
    ROW("diff_data", KIND_PATH, diff_data, 0, 0, "rows of differential tests that mldeck check runs"),
    ROW("diff_labels", KIND_COLUMN, diff_labels, 0, 0, "column of these rows that says what is true"),
    ROW("diff_segment", KIND_COLUMN, diff_segment, 0, 0, "column whose values have figures of their own"),
    ROW("bench_data", KIND_PATH, bench_data, 0, 0, "rows of its benchmarks; none: the version's sample rows"),
    ROW("stress_data", KIND_PATH, stress_data, 0, 0, "rows of its stress tests; none: the version's sample rows"),
    ROW("stress_rate", KIND_OPTIONAL, stress_rate_rps, 0.1, 1e7, "requests a second of a stress test, at least"),
    ROW("stress_duration", KIND_AGE, stress_duration_s, 1, 7 * 86400, "how long it lasts, at least"),
    ROW("stress_slo_p99", KIND_LATENCY_OPTIONAL, stress_slo_p99_us, 1, 600e6, "its p99 latency, at most; or none"),
    ROW("stress_errors_max", KIND_PERCENT, stress_errors_percent, 0, 100, "requests of it that may fail"),
    ROW("capture_rows", KIND_COUNT, capture_rows, 0, (double)POLICY_CAPTURE_MAX,
	"rows of live requests kept in memory, for tests; 0: none"),
};
#define SETTING_COUNT (sizeof settings / sizeof *settings)

void policy_init(struct policy *p)
{
	/* Whole, so that two equal policies are equal bytes. */
	memset(p, 0, sizeof *p);
	p->approval_max_age_s = 86400;
	p->same_signature = true;
	p->shadow_flips_percent = 1;
	p->shadow_difference_max = NAN;
	p->error_margin_percent = 0.5;
	p->p99_ratio_max = 1.5;
	p->p99_margin_us = 1000;
	p->drift_max = 0.2;
	p->analysis_requests = 200;
	p->analysis_alpha = 0.01;
	p->bench_ratio_max = 1.05;
	p->bench_memory_max = 1.5;
	p->diff_atol = p->diff_rtol = NAN;
	p->diff_rows_percent = 0.1;
	p->diff_flips_percent = 0.1;
	p->diff_mean_max = 0.02;
	p->diff_quantile_max = 0.1;
	p->diff_alpha = 0.01;
	p->stress_rate_rps = NAN;
	p->stress_duration_s = 60;
	p->stress_errors_percent = 1;
}

/* --- values --- */

static int refuse_form(const struct setting *s, const char *takes, const char *text, struct err *e)
{
	return err_set(e, ERR_INPUT, "%s takes %s, not `%.60s`", s->name, takes, text);
}

static void write_double(double number, const char *unit, char *text)
{
	char digits[NUMBER_SIZE];
	size_t size = number_write_double(digits, number);
	snprintf(text, POLICY_NAMES_SIZE, "%.*s%s", (int)size, digits, unit);
}

static int check_range(const struct setting *s, double number, const char *text, struct err *e)
{
	char low[POLICY_NAMES_SIZE], high[POLICY_NAMES_SIZE];
	if (number >= s->low && number <= s->high)
		return 0;
	if (s->kind == KIND_AGE || s->kind == KIND_LATENCY || s->kind == KIND_LATENCY_OPTIONAL) {
		const struct unit *units = s->kind == KIND_AGE ? units_s : units_us;
		units_write(units, (unsigned long long)s->low, low);
		units_write(units, (unsigned long long)s->high, high);
	} else {
		write_double(s->low, s->kind == KIND_PERCENT ? "%" : "", low);
		write_double(s->high, s->kind == KIND_PERCENT ? "%" : "", high);
	}
	return err_set(e, ERR_INPUT, "%s is from %s to %s, not `%.60s`", s->name, low, high, text);
}

static int set_age(const struct setting *s, const char *text, int64_t *age_s, struct err *e)
{
	unsigned long long number;
	/* A bare number may be meant in anything; only nothing is nothing in every unit. */
	bool unit = text[strspn(text, "0123456789")] != '\0';
	if (!units_parse(units_s, text, &number) || (!unit && number != 0))
		return refuse_form(s, "a time such as 30m, 24h or 7d", text, e);
	if (check_range(s, (double)number, text, e) != 0)
		return -1;
	*age_s = (int64_t)number;
	return 0;
}

static int set_latency(const struct setting *s, const char *text, uint64_t *latency_us, struct err *e)
{
	unsigned long long number;
	if (!units_parse(units_us, text, &number))
		return refuse_form(s, "a time such as 500us, 1ms or 2s", text, e);
	if (check_range(s, (double)number, text, e) != 0)
		return -1;
	*latency_us = number;
	return 0;
}

static int set_count(const struct setting *s, const char *text, uint64_t *count, struct err *e)
{
	unsigned long long number;
	if (!units_parse(units_none, text, &number))
		return refuse_form(s, "a whole number", text, e);
	if (check_range(s, (double)number, text, e) != 0)
		return -1;
	*count = number;
	return 0;
}

static int set_number(const struct setting *s, const char *text, double *value, struct err *e)
{
	struct number n;
	const char *end = text + strlen(text);
	size_t size = number_read(text, end, &n);
	const char *rest = text + size;
	if (s->kind == KIND_PERCENT && *rest == '%')
		rest++;
	if (size == 0 || *rest != '\0')
		return refuse_form(s, s->kind == KIND_PERCENT ? "a percentage such as 0.5%" : "a number such as 1.5",
				   text, e);
	double number = number_double(&n);
	if (check_range(s, number, text, e) != 0)
		return -1;
	*value = number == 0 ? 0 : number; /* no minus zero */
	return 0;
}

/* Copies the next word of a list that blanks or commas separate; false past its end or where it is too long. */
static bool next_word(const char **list, char *word, size_t size)
{
	*list += strspn(*list, " ,");
	size_t length = strcspn(*list, " ,");
	if (length == 0 || length >= size)
		return false;
	memcpy(word, *list, length);
	word[length] = '\0';
	*list += length;
	return true;
}

static bool has_word(const char *list, const char *wanted)
{
	char word[POLICY_NAMES_SIZE];
	while (next_word(&list, word, sizeof word))
		if (strcmp(word, wanted) == 0)
			return true;
	return false;
}

/* What useradd lets a name be, and directories: letters of any script, digits, . _ - $ and \ of a domain. */
static bool name_valid(const char *name)
{
	if (*name == '@')
		name++;
	size_t length = strlen(name);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == 127 || strchr("@:/\"'", name[i]) != NULL)
			return false;
	return length > 0 && length < 64 && name[0] != '-';
}

static int set_names(const struct setting *s, const char *text, char *names, struct err *e)
{
	char list[POLICY_NAMES_SIZE] = "", word[POLICY_NAMES_SIZE];
	size_t used = 0;

	if (strlen(text) >= sizeof word)
		return err_set(e, ERR_INPUT, "%s has %zu bytes, the limit is %zu", s->name, strlen(text),
			       sizeof word - 1);
	while (next_word(&text, word, sizeof word)) {
		if (!name_valid(word))
			return refuse_form(s, "names of users and @groups, separated by blanks", word, e);
		if (has_word(list, word))
			return err_set(e, ERR_INPUT, "%s names %s twice", s->name, word);
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? " " : "", word);
	}
	memset(names, 0, POLICY_NAMES_SIZE);
	memcpy(names, list, used);
	return 0;
}

/* "differential:7d" */
static int set_test(const struct setting *s, char *word, struct policy_test *test, struct err *e)
{
	static const char takes[] = "kinds of tests, each with how long ago at most, as in differential:7d benchmark";
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	char *age = strchr(word, ':');
	memset(test, 0, sizeof *test);
	if (age != NULL)
		*age++ = '\0';
	size_t length = strlen(word);
	if (length == 0 || length >= sizeof test->kind || strspn(word, letters) != length)
		return refuse_form(s, takes, word, e);
	memcpy(test->kind, word, length);
	if (age == NULL)
		return 0;
	/* No test is of this very second, and 0 is kept for any age. */
	return set_age(s, age, &test->max_age_s, e) != 0 ? -1
	       : test->max_age_s > 0                     ? 0
							 : refuse_form(s, "ages of tests from 1s", age, e);
}

static int set_tests(const struct setting *s, const char *text, struct policy *p, struct err *e)
{
	struct policy_test tests[POLICY_TESTS_MAX] = {0};
	char word[64];
	size_t count = 0;

	while (next_word(&text, word, sizeof word)) {
		if (count == POLICY_TESTS_MAX)
			return err_set(e, ERR_INPUT, "%s are %d at most", s->name, POLICY_TESTS_MAX);
		if (set_test(s, word, &tests[count], e) != 0)
			return -1;
		for (size_t i = 0; i < count; i++)
			if (strcmp(tests[i].kind, tests[count].kind) == 0)
				return err_set(e, ERR_INPUT, "%s names %s twice", s->name, tests[i].kind);
		count++;
	}
	if (*text != '\0')
		return refuse_form(s, "kinds of tests", text, e);
	memcpy(p->tests, tests, sizeof tests);
	p->test_count = count;
	return 0;
}

/* What a models file can hold, too: printable, one line, no blanks at the ends, nothing that begins a comment. */
static bool text_plain(const char *text)
{
	size_t size = strlen(text), step;
	if (text[0] == ' ' || text[0] == ';' || (size > 0 && text[size - 1] == ' ') || strstr(text, " ;") != NULL)
		return false;
	for (const char *c = text; *c != '\0'; c += step) {
		step = text_character_size(c);
		if (step == 0 || (unsigned char)*c < ' ' || *c == 127 ||
		    ((unsigned char)c[0] == 0xc2 && step == 2 && (unsigned char)c[1] < 0xa0))
			return false;
	}
	return true;
}

static int set_text(const struct setting *s, const char *text, char *field, struct err *e)
{
	if (strlen(text) >= POLICY_TEXT_SIZE)
		return err_set(e, ERR_INPUT, "%s has %zu bytes, the limit is %d", s->name, strlen(text),
			       POLICY_TEXT_SIZE - 1);
	if (strcmp(text, "none") == 0)
		text = "";
	if (!text_plain(text))
		return refuse_form(s, s->kind == KIND_PATH ? "a plain path" : "the plain name of a column", text, e);
	if (s->kind == KIND_PATH && text[0] != '\0' && text[0] != '/')
		return refuse_form(s, "an absolute path, of the machine where mldeck check runs", text, e);
	memset(field, 0, POLICY_TEXT_SIZE);
	memcpy(field, text, strlen(text));
	return 0;
}

static int set(const struct setting *s, struct policy *p, const char *text, struct err *e)
{
	void *field = (char *)p + s->offset;
	switch (s->kind) {
	case KIND_NAMES:
		return set_names(s, text, field, e);
	case KIND_TESTS:
		return set_tests(s, text, p, e);
	case KIND_FLAG:
		return units_flag(text, field) ? 0 : refuse_form(s, "yes or no", text, e);
	case KIND_AGE:
		return set_age(s, text, field, e);
	case KIND_LATENCY:
		return set_latency(s, text, field, e);
	case KIND_LATENCY_OPTIONAL:
		if (strcmp(text, "none") == 0) {
			*(uint64_t *)field = 0;
			return 0;
		}
		return set_latency(s, text, field, e);
	case KIND_PATH:
	case KIND_COLUMN:
		return set_text(s, text, field, e);
	case KIND_COUNT:
		return set_count(s, text, field, e);
	case KIND_OPTIONAL:
		if (strcmp(text, "none") == 0) {
			*(double *)field = NAN;
			return 0;
		}
		return set_number(s, text, field, e);
	case KIND_PERCENT:
	case KIND_NUMBER:
		return set_number(s, text, field, e);
	}
	return -1;
}

static void write_tests(const struct policy *p, char *text)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < p->test_count; i++) {
		char age[UNITS_TEXT_SIZE] = "";
		if (p->tests[i].max_age_s > 0)
			units_write(units_s, (unsigned long long)p->tests[i].max_age_s, age);
		used += (size_t)snprintf(text + used, POLICY_NAMES_SIZE - used, "%s%s%s%s", i > 0 ? " " : "",
					 p->tests[i].kind, age[0] != '\0' ? ":" : "", age);
	}
}

static void write(const struct setting *s, const struct policy *p, char *text)
{
	const void *field = (const char *)p + s->offset;
	double number = 0;
	if (s->kind == KIND_NUMBER || s->kind == KIND_PERCENT || s->kind == KIND_OPTIONAL)
		number = *(const double *)field;
	if (s->kind == KIND_NAMES || s->kind == KIND_PATH || s->kind == KIND_COLUMN)
		snprintf(text, POLICY_NAMES_SIZE, "%s", (const char *)field);
	else if (s->kind == KIND_TESTS)
		write_tests(p, text);
	else if (s->kind == KIND_FLAG)
		snprintf(text, POLICY_NAMES_SIZE, "%s", *(const bool *)field ? "yes" : "no");
	else if (s->kind == KIND_AGE)
		units_write(units_s, (unsigned long long)*(const int64_t *)field, text);
	else if (s->kind == KIND_LATENCY_OPTIONAL && *(const uint64_t *)field == 0)
		snprintf(text, POLICY_NAMES_SIZE, "none");
	else if (s->kind == KIND_LATENCY || s->kind == KIND_LATENCY_OPTIONAL)
		units_write(units_us, (unsigned long long)*(const uint64_t *)field, text);
	else if (s->kind == KIND_COUNT)
		snprintf(text, POLICY_NAMES_SIZE, "%llu", (unsigned long long)*(const uint64_t *)field);
	else if (isnan(number))
		snprintf(text, POLICY_NAMES_SIZE, "none");
	else
		write_double(number, s->kind == KIND_PERCENT ? "%" : "", text);
}

/* --- settings by name --- */

static const struct setting *find(const char *name, struct err *e)
{
	char names[SETTING_COUNT * 26] = "";
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	for (size_t i = 0, used = 0; i < SETTING_COUNT; i++)
		used +=
		    (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", settings[i].name);
	err_set(e, ERR_INPUT, "a policy has no setting `%.60s`; it has %s", name, names);
	return NULL;
}

int policy_set(struct policy *p, const char *name, const char *text, struct err *e)
{
	const struct setting *s = find(name, e);
	return s == NULL ? -1 : set(s, p, text, e);
}

int policy_unset(struct policy *p, const char *name, struct err *e)
{
	struct policy defaults;
	char text[POLICY_NAMES_SIZE];
	const struct setting *s = find(name, e);
	if (s == NULL)
		return -1;
	policy_init(&defaults);
	write(s, &defaults, text);
	return set(s, p, text, e);
}

bool policy_row(const struct policy *p, size_t i, const char **name, char value[POLICY_NAMES_SIZE], const char **help)
{
	if (i >= SETTING_COUNT)
		return false;
	*name = settings[i].name;
	*help = settings[i].help;
	write(&settings[i], p, value);
	return true;
}

double policy_value(const struct policy *p, const char *name)
{
	const struct setting *s = find(name, NULL);
	const void *field = s == NULL ? NULL : (const char *)p + s->offset;
	if (s == NULL)
		return (double)NAN;
	switch (s->kind) {
	case KIND_NUMBER:
	case KIND_PERCENT:
	case KIND_OPTIONAL:
		return *(const double *)field;
	case KIND_AGE:
		return (double)*(const int64_t *)field;
	case KIND_LATENCY_OPTIONAL:
		return *(const uint64_t *)field == 0 ? (double)NAN : (double)*(const uint64_t *)field;
	case KIND_LATENCY:
	case KIND_COUNT:
		return (double)*(const uint64_t *)field;
	default:
		return (double)NAN;
	}
}

void policy_value_text(const char *name, double number, char text[POLICY_NAMES_SIZE])
{
	const struct setting *s = find(name, NULL);
	bool whole = number >= 0 && number < 1e15;
	if (isnan(number))
		snprintf(text, POLICY_NAMES_SIZE, "none");
	else if (s != NULL && s->kind == KIND_AGE && whole)
		units_write(units_s, (unsigned long long)number, text);
	else if (s != NULL && (s->kind == KIND_LATENCY || s->kind == KIND_LATENCY_OPTIONAL) && whole)
		units_write(units_us, (unsigned long long)number, text);
	else
		write_double(number, s != NULL && s->kind == KIND_PERCENT ? "%" : "", text);
}

bool policy_is_default(const struct policy *p, size_t i)
{
	struct policy defaults;
	char value[POLICY_NAMES_SIZE], standard[POLICY_NAMES_SIZE];
	policy_init(&defaults);
	write(&settings[i], p, value);
	write(&settings[i], &defaults, standard);
	return strcmp(value, standard) == 0;
}

bool policy_promoter(const struct policy *p, size_t i, char name[POLICY_NAMES_SIZE], bool *group)
{
	const char *list = p->promoters;
	for (size_t k = 0; k <= i; k++)
		if (!next_word(&list, name, POLICY_NAMES_SIZE))
			return false;
	*group = name[0] == '@';
	if (*group)
		memmove(name, name + 1, strlen(name));
	return true;
}

cJSON *policy_to_json(const struct policy *p)
{
	char value[POLICY_NAMES_SIZE];
	cJSON *json = cJSON_CreateObject();
	for (size_t i = 0; json != NULL && i < SETTING_COUNT; i++) {
		write(&settings[i], p, value);
		if (cJSON_AddStringToObject(json, settings[i].name, value) == NULL) {
			cJSON_Delete(json);
			json = NULL;
		}
	}
	return json;
}

int policy_from_json(const cJSON *json, struct policy *p, struct err *e)
{
	struct policy read;
	const cJSON *item;
	policy_init(&read);
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "a policy must be an object of texts");
	cJSON_ArrayForEach(item, json)
	{
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "setting `%.60s` of a policy must be a text", item->string);
		if (policy_set(&read, item->string, item->valuestring, e) != 0)
			return -1;
	}
	*p = read;
	return 0;
}
