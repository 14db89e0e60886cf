/*
 * junit: results of tests as JUnit's XML, the form that Jenkins, GitLab and their like read.
 *
 * Pure; any thread. Whatever a text holds the document is valid XML 1.0 in UTF-8: what is no character of XML, or no
 * UTF-8, becomes U+FFFD. Fields are those that all readers know: testsuites, testsuite, testcase, failure, error,
 * system-out. Not here: what is tested (ui/command/check_junit).
 */
#ifndef CORE_JUNIT_H
#define CORE_JUNIT_H

#include "core/buf.h"

enum junit_outcome {
	JUNIT_PASSED,
	JUNIT_FAILED, /* the test says no */
	JUNIT_ERROR,  /* it could not be run */
};

/* All texts are borrowed. */
struct junit_case {
	const char *name;
	enum junit_outcome outcome;
	const char *type;    /* of a failure or an error: "fail", "wait"; its kind for machines */
	const char *message; /* one sentence */
};

struct junit_suite {
	const char *name;
	const char *class_name; /* of its cases: "flight-delay.differential" */
	double seconds;         /* that it ran */
	const char *output;     /* NULL or "": none */
	size_t case_count;
	const struct junit_case *cases;
};

/* Adds the document; out->failed says whether memory was out. */
void junit_write(struct buf *out, const char *name, const struct junit_suite *suites, size_t count);

#endif
