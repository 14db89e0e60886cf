/*
 * check_print: what a check found, for people, for programs and for the servers that run pipelines.
 *
 * Not here: the XML itself (core/junit), what is found (check_plan).
 */
#ifndef UI_CHECK_PRINT_H
#define UI_CHECK_PRINT_H

#include "core/buf.h"
#include "ui/command/check_plan.h"

/* The other gates of a promotion, as a dry run gave them; count 0: not asked for. */
struct check_gates {
	size_t count;
	bool passed;
	char text[ERR_TEXT_SIZE]; /* why it would be refused; "" it would not */
	struct finding findings[FINDINGS_MAX];
};

int check_print_text(const struct check_plan *p, const struct check_gates *gates, struct err *e);
/* The caller's; NULL when memory is out. */
cJSON *check_json(const struct check_plan *p, const struct check_gates *gates);
/* Adds the document of JUnit: a suite a test, a case a finding. */
int check_junit(const struct check_plan *p, const struct check_gates *gates, struct buf *out, struct err *e);

#endif
