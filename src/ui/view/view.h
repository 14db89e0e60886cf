/*
 * view: one screen of the console, a function from a snapshot and a ui_state to a canvas.
 *
 * Views keep nothing and fetch nothing: the same snapshot, state and size give the same cells. To add one:
 * write view_<name>.c, then one line in VIEWS.
 */
#ifndef UI_VIEW_H
#define UI_VIEW_H

#include "core/snapshot.h"
#include "ui/view/canvas.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order of their tabs. */
#define VIEWS(X)                                                                                          \
	X(models)                                                                                         \
	X(model)                                                                                          \
	X(history) X(rollout) X(policy) X(jobs) X(job) X(tests) X(test) X(alerts) X(audit) X(experiments) \
	    X(experiment) X(help)

#define UI_FILTER_SIZE 64
#define UI_MESSAGE_SIZE 512

/* Where the runtime that is looked at stands. */
enum connection { CONNECTION_STARTING, CONNECTION_UP, CONNECTION_LOST };

/* All that a screen depends on besides the snapshot. */
struct ui_state {
	const struct snapshot *snapshot; /* NULL until the first one came */
	enum connection connection;
	int64_t age_ms;                /* of the snapshot; above UI_STALE_MS it is drawn stale, actions are off */
	bool embedded;                 /* this console started the runtime */
	bool demo;                     /* the footer says that replayed traffic flows */
	char view[16];                 /* name of the view shown */
	char model[TEXT_NAME_MAX + 1]; /* the selected, or in the model view the open, model */
	uint32_t version;              /* moved to in the model view; 0: view_version() says which */
	int64_t job;                   /* the selected, or in the job view the open, job; 0: the first */
	uint32_t revision;             /* the selected one in the history view; 0: the newest */
	int64_t alert;                 /* the selected one; 0: the first */
	int64_t audit;                 /* the selected record; 0: the newest */
	int64_t test;                  /* the selected, or in the test view the open, result; 0: the newest */
	int64_t test_with;             /* opened beside it; 0: what came before it is, where there is such a one */
	int64_t test_marked;           /* to be opened beside another one; 0: none */
	/* The selected, or in the experiment view the open, A/B test; "": the first. */
	char experiment_model[TEXT_NAME_MAX + 1], experiment[TEXT_NAME_MAX + 1];
	size_t setting; /* the selected row of the policy view */
	int scroll;
	char filter[UI_FILTER_SIZE];       /* substring of model names; "" all */
	char audit_filter[UI_FILTER_SIZE]; /* substring of what an audit record says; "" all */
	char tests_filter[UI_FILTER_SIZE]; /* substring of what a result says; "" all */
	char tests_of[TEXT_NAME_MAX + 1];  /* the model whose tests are listed; "" all models */
	int prompt;                        /* '/', ':' or 0: the line being typed at the bottom */
	char input[256];
	char message[UI_MESSAGE_SIZE]; /* the last answer, shown in the footer */
	enum canvas_role message_role;
	int undo_s;       /* so many seconds left in which u undoes the last change made here; 0: none */
	char undone[100]; /* what it would undo, "r12 of flight-delay"; "" where the message says it */
	int64_t now_ms;
	bool utc; /* show times in UTC (default), else local */
};

#define UI_STALE_MS 3500

struct view {
	const char *name;    /* the file's stem, what `mldeck snapshot` calls it */
	const char *title;   /* on the tab bar; NULL: not on it */
	char key;            /* its key on the tab bar; 0: none */
	const char *tab;     /* of the view whose tab this one is on; NULL: its own */
	bool audits;         /* what it needs of a snapshot beyond the usual: the audit, */
	bool detail;         /* all revisions of the selected model, */
	bool tests;          /* results of tests, */
	bool report;         /* tests in full, */
	bool experiments;    /* A/B tests, */
	bool experiment;     /* one of them in full */
	const char *summary; /* one line for help */
	/* Draws the body into rows [top, bottom) of the canvas. */
	void (*draw)(struct canvas *c, int top, int bottom, const struct ui_state *state);
};

extern const struct view *const view_table[];
extern const size_t view_count;
const struct view *view_find(const char *name);

/* The whole screen: top line, tab bar, the view, message or prompt, key bar. At least 40x10 is usable. */
void screen_draw(struct canvas *c, const struct ui_state *state);

/* Audit records that pass the filter, in order; indexes[] holds up to max, the total is returned. */
size_t view_audits(const struct ui_state *state, size_t *indexes, size_t max);
/* Results of tests that pass the filter and are of the model in question, likewise. */
size_t view_tests_shown(const struct ui_state *state, size_t *indexes, size_t max);
/* How many lines the test view has at the width of the canvas, on which nothing is drawn. */
int view_test_lines(struct canvas *c, const struct ui_state *state);
/* The same of the experiment view. */
int view_experiment_lines(struct canvas *c, const struct ui_state *state);
/* The selected alert, or NULL when there is none. */
const struct alert *view_alert(const struct ui_state *state);

/* The selected version of a model, which a promotion is about: the one moved to in the model view, else the canary with
 * the greatest share, else the newest that is not live; 0 when there is none. */
uint32_t view_version(const struct ui_state *state, const struct snapshot_model *m);

/* Models that pass the filter, in order; indexes[] holds up to max, the total is returned. */
size_t view_filtered(const struct ui_state *state, size_t *indexes, size_t max);

#endif
