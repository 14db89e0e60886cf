/*
 * console_job: the dialogs that start a job, start one again, and cancel one. Private to console*.c.
 *
 * Drawing thread only. Asks the runtime, through the fetcher, what would happen before it lets it happen.
 */
#ifndef UI_CONSOLE_JOB_H
#define UI_CONSOLE_JOB_H

#include "core/job_kind.h"
#include "ui/console/dialog.h"
#include "ui/console/fetcher.h"

#include <stdbool.h>
#include <stdint.h>

#define JOB_FACTS_SHOWN 10
/* Of a path that is made of what was typed: the runtime refuses one that is too long, where a shorter one would name
 * another file. */
#define JOB_TYPED_SIZE (2 * JOB_PATH_SIZE)

struct console;

enum job_dialog_kind { JOB_DIALOG_START, JOB_DIALOG_AGAIN, JOB_DIALOG_CANCEL };

/* One thing that the runtime said of the files. */
struct job_dialog_fact {
	char name[16];
	char text[DIALOG_LINE_SIZE - 20];
	bool warning;
};

struct job_dialog {
	enum job_dialog_kind kind;
	const struct job_kind *job_kind; /* of START */
	size_t version_at; /* of START: the version's place among the dialog's fields: first of tests, else last */
	int64_t id;        /* the job, but of START */
	char model[TEXT_NAME_MAX + 1];
	struct dialog dialog;
	int dry_id, send_id; /* requests under way; 0: none */
	int last_id;         /* asks what the kind was last started with; nothing is tried out before it is there */
	int64_t filled_from; /* the job that filled the fields; 0: none */
	bool asks_consent;   /* it touches live traffic: the last field takes the model's name */
	bool dry_again;      /* something was typed while a dry run was under way */
	bool dry_done;       /* the runtime said what would happen */
	char dry_error[ERR_TEXT_SIZE];
	size_t fact_count;
	struct job_dialog_fact facts[JOB_FACTS_SHOWN];
	uint32_t version;        /* that it would be */
	unsigned running, waits; /* jobs that run already; its place in the queue, 0: it begins at once */
};

/* console_job_open.c */
/* The dialog that starts a job of a kind with the selected model. */
void job_dialog_start(struct console *c, const char *kind);
/* Of AGAIN and CANCEL: about the selected job. */
void job_dialog_open(struct console *c, enum job_dialog_kind kind);
/* Whether the answer was the values of the last run; fills the fields in that nobody has typed in. */
bool job_dialog_last(struct console *c, const struct fetcher_answer *a);

/* Asks the runtime what would happen; one dry run at a time. */
void job_dialog_dry_run(struct console *c);
void job_dialog_key(struct console *c, int key);
/* Writes the facts of the newest snapshot into the dialog. */
void job_dialog_refresh(struct console *c);
/* Whether the answer was one for the dialog. */
bool job_dialog_answer(struct console *c, const struct fetcher_answer *a);

/* console_job_request.c: what a dialog says to the runtime. */
/* The dialog's field of the kind's field; NULL for consent, which has none. */
struct dialog_field *job_dialog_field(struct job_dialog *j, size_t field);
/* The kind's field that is at a place of the dialog; NULL: the version, or the name. */
const struct job_field *job_dialog_field_at(const struct job_dialog *j, size_t at);
/* Whether the model's name was typed where it is asked for. */
bool job_dialog_consents(const struct job_dialog *j);
/* What was said of a field by the names of options and requests, with the labels that the dialog shows. */
void job_dialog_word(const struct job_dialog *j, const char *text, char *said, size_t size);
/* Marks the field that a refusal names first, --data or `data`, as wrong. */
void job_dialog_mark(struct job_dialog *j, const char *text);
/* What is wrong with what was typed, as far as the console can tell; marks the fields. */
int job_dialog_check(struct job_dialog *j, struct err *e);
/* The value of a field as the runtime needs it: absolute, and the output derived from the input where none was
 * typed. "" while nothing is known. */
void job_dialog_path(const struct job_dialog *j, size_t field, char *path, size_t size);
/* The request and the path it goes to; NULL and why. */
cJSON *job_dialog_body(const struct job_dialog *j, bool dry_run, char *path, size_t size, struct err *e);
/* The command that it equals. */
void job_dialog_command(const struct console *c, const struct job_dialog *j, char *command, size_t size);

#endif
