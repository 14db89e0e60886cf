/*
 * finding: what one gate or one analysis says: a number against its threshold, from how much, and the verdict.
 *
 * A plain value; any thread. "Not enough traffic" is WAIT: it neither passes nor fails.
 * Not here: what is judged (runtime/gate/gates, core/analysis).
 */
#ifndef CORE_FINDING_H
#define CORE_FINDING_H

#include "core/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINDINGS_MAX 24
#define FINDING_NAME_SIZE 24
#define FINDING_TEXT_SIZE 200

#define FINDING_VERDICTS(X) X(PASS, "pass") X(WAIT, "wait") X(FAIL, "fail")

enum finding_verdict {
#define X(name, text) FINDING_##name,
	FINDING_VERDICTS(X)
#undef X
	    FINDING_VERDICT_COUNT
};

struct finding {
	char name[FINDING_NAME_SIZE]; /* of the gate or analysis: "error_rate" */
	enum finding_verdict verdict;
	bool forced;                  /* a gate that did not pass, and that an operator overrode */
	double value, threshold;      /* NaN: there is none */
	char unit[8];                 /* of both, for people: "%", "x", "" */
	uint64_t n, n_needed;         /* of the value, and from how many on it is judged; 0: nothing is counted */
	char text[FINDING_TEXT_SIZE]; /* "v3 answers 2.1% with an error, v2 0.3%" */
};

/* Its value or its threshold as people write it: "5%", "1.2x", "8 ms", of seconds "90m", "p 0.003"; "-" for NaN. */
#define FINDING_VALUE_SIZE 40
void finding_value_text(double value, const char *unit, char text[FINDING_VALUE_SIZE]);

const char *finding_verdict_name(enum finding_verdict verdict);
/* FAIL if one fails, else WAIT if one waits, else PASS; forced ones count as passed. */
enum finding_verdict findings_verdict(const struct finding *findings, size_t count);
/* The first that decides that verdict, or NULL when all passed. */
const struct finding *findings_first(const struct finding *findings, size_t count);

/* An array of {"name","verdict","forced","value","threshold","unit","n","n_needed","text"}; NULL when memory is out. */
cJSON *findings_to_json(const struct finding *findings, size_t count);
/* At most FINDINGS_MAX; strings are cleaned. A missing array is none. */
int findings_from_json(const cJSON *array, struct finding findings[FINDINGS_MAX], size_t *count, struct err *e);

#endif
