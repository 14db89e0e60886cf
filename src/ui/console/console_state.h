/*
 * console_state: what the files of the console share. Private to console*.c.
 *
 * One value, owned by console_run(), used by the drawing thread only.
 */
#ifndef UI_CONSOLE_STATE_H
#define UI_CONSOLE_STATE_H

#include "core/registry/registry.h"
#include "ui/console/console.h"
#include "ui/console/console_change.h"
#include "ui/console/console_job.h"
#include "ui/console/dialog.h"
#include "ui/console/draw.h"
#include "ui/console/embedded.h"
#include "ui/console/fetcher.h"
#include "ui/view/view.h"

#define CONSOLE_COLUMNS_MIN 40
#define CONSOLE_ROWS_MIN 10
#define CONSOLE_COMMAND_SIZE JOB_COMMAND_SIZE

enum console_mode {
	MODE_VIEW,
	MODE_PROMPT, /* ui.prompt says which */
	MODE_CHANGE, /* the dialog of a change */
	MODE_JOB,    /* a dialog about a job */
	MODE_OUTPUT, /* a command's output lies over the view */
	MODE_QUIT,   /* asks whether the runtime goes on serving */
};

/* The last change that was made here, as long as it can be undone. */
struct undo {
	char model[TEXT_NAME_MAX + 1];
	uint32_t revision, back_to; /* the change, and the revision of before it */
	int64_t until_ms;           /* on the monotonic clock; 0: there is none */
	int send_id;                /* under way; 0: not */
	char said[UI_MESSAGE_SIZE]; /* the message that told of the change */
};

struct console {
	const struct console_options *options;
	struct draw *draw;
	struct fetcher *fetcher;
	struct embedded embedded;
	struct canvas *canvas;
	enum charset charset;
	struct theme theme;
	int columns, rows;
	struct snapshot *snapshot;
	struct ui_state ui;
	int64_t arrived_ms; /* of the snapshot, on the monotonic clock */
	bool tried_start;
	bool done;
	int exit_code;
	enum console_mode mode;
	struct change change;
	struct undo undo;
	struct job_dialog job;
	struct dialog quit;
	int stop_id;
	int64_t stop_until_ms; /* 0: not stopping the embedded runtime */
	char back_view[16];    /* where help was opened */
	char model_view[16];   /* where a view of one model was opened */
	char tests_view[16];   /* where the tests of one model were opened; "" by their tab */
	char filter_before[UI_FILTER_SIZE];
	size_t cursor; /* in ui.input */
	char last_line[256];
	int command_id;
	char *output;
	char output_title[300];
	int output_top;
	char last_command[CONSOLE_COMMAND_SIZE]; /* what the last action equals */
	int empty_reads;
};

void console_say(struct console *c, enum canvas_role role, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether what is drawn is fresh enough to act on. */
bool console_fresh(const struct console *c);
/* Leaves, or asks first. */
void console_quit(struct console *c);

/* console_keys.c */
void console_key(struct console *c, int key);

/* console_select.c */
bool console_in(const struct console *c, const char *view);
void console_show(struct console *c, const char *view);
/* Makes sure that a model that is drawn is the selected one. */
void console_select(struct console *c);
void console_move(struct console *c, long step);
/* Tells the fetcher what the view that is shown needs of a snapshot. */
void console_needs(struct console *c);
/* Takes tests in full that the view shows over into the next picture, which was not asked for them again. */
void console_keep_reports(struct console *c, struct snapshot *next);

/* console_experiments.c */
/* Opens the selected A/B test. */
void experiment_open(struct console *c);
void experiment_move(struct console *c, long step);

/* console_tests.c */
/* Opens the selected test alone. */
void tests_open(struct console *c);
/* Marks the selected or open one, takes the mark away, or opens both side by side. */
void tests_mark(struct console *c);
/* From a view of a model to its tests; in the list from all models to one and back. */
void tests_of_model(struct console *c);
/* Where esc leads from the list; false when that is another one's to say. */
bool tests_back(struct console *c);

/* console_undo.c */
/* Begins the countdown. */
void undo_start(struct console *c, const char *model, uint32_t revision, uint32_t back_to);
/* What of it shows. */
void undo_update(struct console *c);
/* Until the next second of the countdown; -1: none runs. */
int undo_wait_ms(const struct console *c);
void undo_do(struct console *c);
bool undo_answer(struct console *c, const struct fetcher_answer *a);

/* console_command.c */
void command_line_run(struct console *c, const char *line);
bool command_line_answer(struct console *c, const struct fetcher_answer *a);
void output_key(struct console *c, int key);
void output_draw(struct console *c);

#endif
