/*
 * check_plan: which tests of a version `mldeck check` runs, with which commands, and what came of each.
 *
 * Plain values over the runtime's answer (GET .../check), which is borrowed; nothing is run here. Paths of the model's
 * policy are looked at, for they are of this machine. Not here: running (check_run), printing (check_print).
 */
#ifndef UI_CHECK_PLAN_H
#define UI_CHECK_PLAN_H

#include "core/command.h"
#include "core/finding.h"
#include "core/policy.h"

#define CHECK_WORDS_MAX 28
#define CHECK_WORD_SIZE 64
#define CHECK_NOT_RUN (-1)

struct check_options {
	const char *model;
	uint32_t version, against;                                   /* against 0: the live version */
	const char *data, *captured, *only, *junit, *socket, *state; /* NULL: not given */
	bool rerun, gates, yes, json;
};

/* One test that the policy names. */
struct check_test {
	struct policy_test test;
	const cJSON *state;        /* of the answer: {"kind","state","text",...} */
	bool run;                  /* it is to be run, or was */
	int code;                  /* the run's exit code */
	double seconds;            /* that it took */
	char fault[ERR_TEXT_SIZE]; /* why the run gave no result; "" it gave one, or was none */
};

struct check_plan {
	struct check_options options;
	struct policy policy;
	uint32_t against;
	size_t count;
	struct check_test tests[POLICY_TESTS_MAX]; /* by their cost, the cheapest first */
};

enum check_verdict {
	CHECK_PASS,
	CHECK_WAIT,  /* nothing says no, but not all have passed */
	CHECK_FAIL,  /* one says no */
	CHECK_ERROR, /* one could not be run, and none says no */
};

/* By the runtime's answer: what is run, and whether it can be. ERR_INPUT names what is missing and how to give it. */
int check_plan_make(struct check_plan *p, const struct check_options *options, const cJSON *answer, struct err *e);
/* The answer of after the runs. */
int check_plan_update(struct check_plan *p, const cJSON *answer, struct err *e);

/* The command of a test, a word at a time and a NULL; words of its own are in the struct. */
struct check_words {
	size_t count;
	const char *words[CHECK_WORDS_MAX];
	char own[8][CHECK_WORD_SIZE]; /* private */
	size_t own_count;
};
void check_plan_words(const struct check_plan *p, const struct check_test *t, struct check_words *words);

bool check_test_passed(const struct check_test *t);
/* "pass", "fail", "inconclusive", "missing", "old", "looser", "error". */
const char *check_test_verdict(const struct check_test *t);
/* One sentence. */
const char *check_test_text(const struct check_test *t);
enum check_verdict check_plan_verdict(const struct check_plan *p);
const char *check_verdict_name(enum check_verdict verdict);
/* 0 all passed, 1 not, else what the first run that gave no result ended with. */
int check_plan_exit(const struct check_plan *p);

#endif
