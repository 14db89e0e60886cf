#include "core/test/required.h"

#include "core/json.h"
#include "core/test/strictness.h"
#include "core/text.h"
#include "core/units.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *required_state_name(enum required_state state)
{
	static const char *const names[] = {
#define X(name, text) text,
	    REQUIRED_STATES(X)
#undef X
	};
	return state < REQUIRED_STATE_COUNT ? names[state] : "";
}

/* --- its numbers --- */

static void failure_text(const struct finding *f, char *text, size_t size)
{
	char value[FINDING_VALUE_SIZE], limit[FINDING_VALUE_SIZE];

	finding_value_text(f->value, f->unit, value);
	finding_value_text(f->threshold, f->unit, limit);
	if (!isfinite(f->value))
		snprintf(text, size, "%s", f->name);
	else if (!isfinite(f->threshold))
		snprintf(text, size, "%s %s", f->name, value);
	else
		snprintf(text, size, "%s %s (limit %s)", f->name, value, limit);
}

void required_failures(const struct finding *findings, size_t count, char *text, size_t size)
{
	char one[128];
	size_t used = 0, left = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		left += findings[i].verdict == FINDING_FAIL;
	for (size_t i = 0; i < count; i++) {
		if (findings[i].verdict != FINDING_FAIL)
			continue;
		failure_text(&findings[i], one, sizeof one);
		/* Room for "and 24 more", too. */
		if (used + strlen(one) + 16 > size) {
			snprintf(text + used, size - used, "%sand %zu more", used > 0 ? ", " : "", left);
			return;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", one);
		left--;
	}
}

/* --- what there is --- */

static void say(struct required *q, enum required_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct required *q, enum required_state state, const char *format, ...)
{
	char text[2 * REASON_SIZE];
	va_list list;

	q->state = state;
	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	text_clean(q->text, sizeof q->text, text);
}

/* "the benchmark test of v2 against v1", "the stress test of v2" */
static void name_it(const struct test_result *t, char *text, size_t size)
{
	bool alone = t->against == 0 || strcmp(t->kind, "stress") == 0;

	snprintf(text, size, "the %s test of v%u", t->kind, (unsigned)t->version);
	if (!alone)
		snprintf(text + strlen(text), size - strlen(text), " against v%u", (unsigned)t->against);
}

static void judge(struct required *q, const struct policy *policy, const struct policy_test *test, const cJSON *report)
{
	char name[80], age[TEXT_AGE_SIZE], limit[UNITS_TEXT_SIZE], why[FINDING_TEXT_SIZE];

	name_it(&q->result, name, sizeof name);
	text_age(age, q->age_s);
	if (!q->result.passed) {
		required_failures(q->findings, q->finding_count, why, sizeof why - sizeof name);
		/* "wait" and "inconclusive" do not pass, and did not fail either. */
		if (why[0] == '\0' && strcmp(q->result.verdict, "fail") != 0)
			say(q, REQUIRED_FAILED, "%s ended in `%s` %s ago: %s", name, q->result.verdict, age,
			    q->result.summary);
		else
			say(q, REQUIRED_FAILED, "%s failed %s ago: %s", name, age,
			    why[0] != '\0' ? why : q->result.summary);
	} else if (!strictness_holds(policy, test->kind, report, why, sizeof why)) {
		say(q, REQUIRED_LOOSER, "%s %s", name, why);
	} else if (test->max_age_s > 0 && q->age_s > test->max_age_s) {
		units_write(units_s, (unsigned long long)test->max_age_s, limit);
		say(q, REQUIRED_OLD, "%s passed %s ago, and may be %s old", name, age, limit);
	} else {
		say(q, REQUIRED_PASSED, "%s passed %s ago", name, age);
	}
}

static int read_report(struct registry *r, const char *model, struct required *q, cJSON **report, struct err *e)
{
	char *text = NULL;
	struct err fault = {0};

	if (registry_test_report(r, model, q->result.id, &q->result, &text, e) != 0)
		return -1;
	*report = cJSON_Parse(text);
	free(text);
	/* Of another program's report they may be anything. */
	if (findings_from_json(cJSON_GetObjectItemCaseSensitive(*report, "findings"), q->findings, &q->finding_count,
			       &fault) != 0)
		q->finding_count = 0;
	return 0;
}

int required_judge(struct registry *r, const char *model, const struct policy *policy, const struct policy_test *test,
		   uint32_t version, uint32_t against, int64_t now_ms, struct required *q, struct err *e)
{
	cJSON *report = NULL;

	*q = (struct required){.state = REQUIRED_MISSING};
	if (registry_test_result(r, model, test->kind, version, against, &q->result, e) != 0)
		return -1;
	if (q->result.id == 0) {
		struct test_result none = {.version = version, .against = against};
		char name[80];
		memcpy(none.kind, test->kind, sizeof none.kind);
		name_it(&none, name, sizeof name);
		/* Nobody but its owner can run it. */
		if (strcmp(test->kind, "training") == 0)
			say(q, REQUIRED_MISSING,
			    "there is no%s: mldeck train %s --produces FILE, then mldeck bench %s %u --training",
			    name + strlen("the"), model, model, (unsigned)version);
		else
			say(q, REQUIRED_MISSING, "there is no%s", name + strlen("the"));
		return 0;
	}
	if (read_report(r, model, q, &report, e) != 0)
		return -1;
	q->age_s = now_ms > q->result.at_ms ? (now_ms - q->result.at_ms) / 1000 : 0;
	judge(q, policy, test, report);
	cJSON_Delete(report);
	return 0;
}
