/* check_print: a check as JUnit's XML: a suite a test, a case a finding; one more where no finding says it. */
#include "ui/command/check_print.h"

#include "core/json.h"
#include "core/junit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITES_MAX (POLICY_TESTS_MAX + 1) /* and the gates */
#define CASES_MAX (FINDINGS_MAX + 1)

/* All that the texts of a document point to. */
struct document {
	struct junit_suite suites[SUITES_MAX];
	struct junit_case cases[SUITES_MAX][CASES_MAX];
	char messages[SUITES_MAX][CASES_MAX][FINDING_TEXT_SIZE + 80];
	char class_names[SUITES_MAX][128];
	struct finding findings[SUITES_MAX][FINDINGS_MAX];
};

/* "25% of the rows differ (96.4%, the limit is 0.1%)" */
static void message(const struct finding *f, char *text, size_t size)
{
	char value[FINDING_VALUE_SIZE], limit[FINDING_VALUE_SIZE];

	finding_value_text(f->value, f->unit, value);
	finding_value_text(f->threshold, f->unit, limit);
	if (isfinite(f->value) && isfinite(f->threshold))
		snprintf(text, size, "%s (%s, the limit is %s)", f->text, value, limit);
	else
		snprintf(text, size, "%s", f->text);
}

static void add_findings(struct document *d, size_t i, size_t count)
{
	struct junit_suite *s = &d->suites[i];

	for (size_t k = 0; k < count; k++) {
		const struct finding *f = &d->findings[i][k];
		message(f, d->messages[i][k], sizeof d->messages[i][k]);
		d->cases[i][s->case_count++] =
		    (struct junit_case){.name = f->name,
					.outcome = f->verdict == FINDING_PASS ? JUNIT_PASSED : JUNIT_FAILED,
					.type = finding_verdict_name(f->verdict),
					.message = d->messages[i][k]};
	}
	s->cases = d->cases[i];
}

static void begin_suite(struct document *d, size_t i, const struct check_plan *p, const char *name)
{
	snprintf(d->class_names[i], sizeof d->class_names[i], "%s.%s", p->options.model, name);
	d->suites[i] = (struct junit_suite){.name = name, .class_name = d->class_names[i], .cases = d->cases[i]};
}

static void add_test(struct document *d, size_t i, const struct check_plan *p, const struct check_test *t)
{
	const cJSON *findings = cJSON_GetObjectItemCaseSensitive(t->state, "findings");
	struct err fault = {0};
	size_t count = 0;

	begin_suite(d, i, p, t->test.kind);
	d->suites[i].seconds = t->seconds;
	d->suites[i].output = json_find_text(t->state, "summary");
	if (t->fault[0] == '\0' && findings_from_json(findings, d->findings[i], &count, &fault) != 0)
		count = 0;
	add_findings(d, i, count);
	/* What no finding says: it is missing, too old, looser, could not be run, or nobody gave a report. */
	if (count > 0 && (findings_verdict(d->findings[i], count) == FINDING_PASS) == check_test_passed(t))
		return;
	bool error = t->fault[0] != '\0', passed = !error && check_test_passed(t);
	d->cases[i][d->suites[i].case_count++] = (struct junit_case){.name = "verdict",
								     .outcome = error    ? JUNIT_ERROR
										: passed ? JUNIT_PASSED
											 : JUNIT_FAILED,
								     .type = check_test_verdict(t),
								     .message = check_test_text(t)};
}

int check_junit(const struct check_plan *p, const struct check_gates *gates, struct buf *out, struct err *e)
{
	struct document *d = calloc(1, sizeof *d);
	char name[160];
	size_t count = p->count;

	if (d == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for the report of JUnit");
	for (size_t i = 0; i < p->count; i++)
		add_test(d, i, p, &p->tests[i]);
	if (gates->count > 0) {
		begin_suite(d, count, p, "gates");
		memcpy(d->findings[count], gates->findings, sizeof gates->findings);
		add_findings(d, count++, gates->count);
	}
	snprintf(name, sizeof name, "mldeck check %s v%u against v%u", p->options.model, (unsigned)p->options.version,
		 (unsigned)p->against);
	junit_write(out, name, d->suites, count);
	free(d);
	return out->failed ? err_set(e, ERR_MEMORY, "memory is out for the report of JUnit") : 0;
}
