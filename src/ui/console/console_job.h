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

#define JOB_FACTS_SHOWN 6
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
	const struct job_kind *job_kind; /* of START: its fields come first, the version last */
	int64_t id;                      /* the job, but of START */
	char model[TEXT_NAME_MAX + 1];
	struct dialog dialog;
	int dry_id, send_id; /* requests under way; 0: none */
	bool dry_again;      /* something was typed while a dry run was under way */
	bool dry_done;       /* the runtime said what would happen */
	char dry_error[ERR_TEXT_SIZE];
	size_t fact_count;
	struct job_dialog_fact facts[JOB_FACTS_SHOWN];
	uint32_t version;         /* that it would be */
	unsigned running, queued; /* jobs there are already */
};

void job_dialog_open(struct console *c, enum job_dialog_kind kind);
void job_dialog_key(struct console *c, int key);
/* Writes the facts of the newest snapshot into the dialog. */
void job_dialog_refresh(struct console *c);
/* Whether the answer was one for the dialog. */
bool job_dialog_answer(struct console *c, const struct fetcher_answer *a);

/* console_job_request.c: what a dialog says to the runtime. */
/* The value of a field as the runtime needs it: absolute, and the output derived from the input where none was
 * typed. "" while nothing is known. */
void job_dialog_path(const struct job_dialog *j, size_t field, char *path, size_t size);
/* The request and the path it goes to; NULL and why. */
cJSON *job_dialog_body(const struct job_dialog *j, bool dry_run, char *path, size_t size, struct err *e);
/* The command that it equals. */
void job_dialog_command(const struct console *c, const struct job_dialog *j, char *command, size_t size);

#endif
