/*
 * console_change: the dialogs that change what serves: promote, rollback, the route editor, rollouts and their steps, a
 * policy's setting, and the acknowledgement of an alert. Private to console*.c.
 *
 * Drawing thread only. Asks the runtime, through the fetcher, what would happen and what the gates say before it lets
 * it happen; sends the revision that was shown, so that nobody's change is overwritten unseen. Not here: undoing the
 * last one (console_undo).
 */
#ifndef UI_CONSOLE_CHANGE_H
#define UI_CONSOLE_CHANGE_H

#include "core/finding.h"
#include "core/registry/registry.h"
#include "ui/console/dialog.h"
#include "ui/console/fetcher.h"
#include "ui/console/route_editor.h"

#include <stdbool.h>
#include <stdint.h>

#define CHANGE_SETTING_SIZE 32

enum change_kind {
	CHANGE_PROMOTE,
	CHANGE_ROLLBACK,
	CHANGE_SPLIT, /* the route editor: shares, shadows, or both */
	CHANGE_ROLLOUT,
	CHANGE_PAUSE,
	CHANGE_RESUME,
	CHANGE_ABORT,
	CHANGE_SKIP,
	CHANGE_POLICY,
	CHANGE_ACKNOWLEDGE,
	CHANGE_KINDS
};

/* What can be typed; a kind has some of them, in this order. */
enum change_field { CHANGE_TARGET, CHANGE_STEPS, CHANGE_HOLD, CHANGE_VALUE, CHANGE_NAME, CHANGE_REASON, CHANGE_FIELDS };

struct change_spec {
	const char *verb;  /* of the command that it equals */
	const char *title; /* before the model's name */
	unsigned fields;   /* bits 1 << enum change_field */
	bool route;        /* makes a revision: what another operator does meanwhile has to be read first */
	bool dry;          /* the runtime is asked first what would happen */
	bool undo;         /* u undoes it for a while */
};

struct change {
	enum change_kind kind;
	char model[TEXT_NAME_MAX + 1];
	uint32_t revision; /* of the opening, or the last one accepted: sent as expect_revision */
	uint32_t moved_to; /* where another operator took the route, not yet accepted with enter; 0: nowhere */
	char moved[128];   /* that change in words; stays marked once accepted */
	struct dialog dialog;
	struct dialog_field *fields[CHANGE_FIELDS]; /* of the dialog; NULL: this kind has none */
	struct route_editor editor;                 /* of SPLIT */
	int64_t alert;                              /* of ACKNOWLEDGE */
	char setting[CHANGE_SETTING_SIZE];          /* of POLICY */
	int64_t number;                             /* of POLICY: how often it was set, by the dry run; -1: not known */
	uint32_t version;                           /* of the open rollout's dialogs, the one that is rolled out */
	bool force;                                 /* gates that do not pass are overridden */
	int dry_id, send_id;                        /* requests under way; 0: none */
	bool dry_again;                             /* the target changed while a dry run was under way */
	bool dry_done;                              /* what would happen is known, and allowed */
	char after[128];                            /* what the dry run said; "" not yet */
	uint32_t after_live;
	uint32_t after_revision; /* the one a rollback gives back; 0: not known, or no rollback */
	char dry_error[ERR_TEXT_SIZE];
	size_t gate_count;
	struct finding gates[FINDINGS_MAX];
};

struct console;
struct snapshot_model;

const struct change_spec *change_spec(enum change_kind kind);
/* What was typed; "" where the kind has no such field. */
const char *change_typed(const struct change *change, enum change_field which);
void change_type(struct change *change, enum change_field which, const char *text);
/* The version that a promotion or a rollout is about, as typed; 0: none yet. */
uint32_t change_version(const struct change *change);
/* Whether gates stand in the way. */
bool change_gated(const struct change *change);

/* console_change_open.c */
void change_open(struct console *c, enum change_kind kind);

/* console_change.c */
void change_key(struct console *c, int key);
/* Writes the facts of the newest snapshot into the dialog. */
void change_refresh(struct console *c);

/* console_change_send.c */
/* Asks the runtime what would happen. One dry run at a time. */
void change_dry_run(struct console *c);
void change_submit(struct console *c);
/* Whether the answer was one for the dialog. */
bool change_answer(struct console *c, const struct fetcher_answer *a);

/* console_change_facts.c: what its dialog says. Writes lines, body, outcome and warning; m may be NULL. */
void change_facts(struct console *c, struct change *change, const struct snapshot_model *m);
/* The revision that a rollback gives back; 0: not in the history at hand. */
uint32_t change_revision_returned(const struct change *change, const struct snapshot_model *m);

/* change_request.c: what a change says to the runtime. */
/* Where it is posted to. */
void change_path(const struct change *change, char *path, size_t size);
/* NULL when the target cannot be sent; then e says why. */
cJSON *change_body(const struct change *change, bool dry_run, struct err *e);
/* The command that it equals. */
void change_command(const struct change *change, char *command, size_t size);

#endif
