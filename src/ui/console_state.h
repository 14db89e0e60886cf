/*
 * console_state: what the files of the console share. Private to console*.c.
 *
 * One value, owned by console_run(), used by the drawing thread only.
 */
#ifndef UI_CONSOLE_STATE_H
#define UI_CONSOLE_STATE_H

#include "core/registry/registry.h"
#include "ui/console.h"
#include "ui/console_job.h"
#include "ui/dialog.h"
#include "ui/draw.h"
#include "ui/embedded.h"
#include "ui/fetcher.h"
#include "ui/view.h"

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

enum change_kind { CHANGE_PROMOTE, CHANGE_ROLLBACK, CHANGE_SPLIT };

/* The dialog's fields, in this order. */
enum { CHANGE_TARGET, CHANGE_NAME, CHANGE_REASON, CHANGE_FIELDS };

struct change {
	enum change_kind kind;
	char model[TEXT_NAME_MAX + 1];
	uint32_t revision; /* of the opening, or the last one accepted: sent as expect_revision */
	uint32_t moved_to; /* where another operator took the route, not yet accepted with enter; 0: nowhere */
	char moved[128];   /* that change in words; stays marked once accepted */
	struct dialog dialog;
	int dry_id, send_id; /* requests under way; 0: none */
	bool dry_again;      /* the target changed while a dry run was under way */
	char after[128];     /* what the dry run said; "" not yet */
	uint32_t after_live;
	uint32_t after_revision; /* the one a rollback gives back; 0: not known, or no rollback */
	char dry_error[ERR_TEXT_SIZE];
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
	struct job_dialog job;
	struct dialog quit;
	int stop_id;
	int64_t stop_until_ms; /* 0: not stopping the embedded runtime */
	char back_view[16];
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
/* Makes sure that a model that is drawn is the selected one. */
void console_select(struct console *c);

/* console_change.c */
void change_open(struct console *c, enum change_kind kind);
void change_key(struct console *c, int key);
/* Writes the facts of the newest snapshot into the dialog. */
void change_refresh(struct console *c);
/* Whether the answer was one for the dialog. */
bool change_answer(struct console *c, const struct fetcher_answer *a);

/* console_change_facts.c: what its dialog says. Writes the dialog's lines. */
void change_facts(struct change *change, const struct snapshot_model *m);
/* The revision that a rollback gives back; 0: not in the history at hand. */
uint32_t change_revision_returned(const struct change *change, const struct snapshot_model *m);

/* change_request.c: what a change says to the runtime. */
/* NULL when the target cannot be sent; then e says why. */
cJSON *change_body(const struct change *change, bool dry_run, struct err *e);
/* The command that it equals. */
void change_command(const struct change *change, char *command, size_t size);
/* "2=80 3=20": shares in percent, at most two decimals, that sum to 100. */
int change_weights(const char *text, struct route_entry *entries, size_t *count, struct err *e);

/* console_command.c */
void command_line_run(struct console *c, const char *line);
bool command_line_answer(struct console *c, const struct fetcher_answer *a);
void output_key(struct console *c, int key);
void output_draw(struct console *c);

#endif
