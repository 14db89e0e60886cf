/*
 * job_kind: what jobs can be started, as constant records: a verb of mldeck and the fields that it
 * is given.
 *
 * The runtime makes the command from a record and checks its fields; a console asks for them. A
 * further kind is one file, job_<name>.c, and one line here. Not here: a job that is, or was, one
 * (job).
 */
#ifndef CORE_JOB_KIND_H
#define CORE_JOB_KIND_H

#include "core/job.h"

#include <stdbool.h>
#include <stddef.h>

/* The name is the verb that is run. */
#define JOB_KINDS(X) X(predict) X(diff) X(bench) X(train) X(stress)

#define JOB_FIELDS_MAX 12
#define JOB_PROGRESS_SUFFIX ".progress" /* of the file beside an output that is not whole yet */

enum job_field_type {
	JOB_FIELD_INPUT,    /* an absolute path of a file that the runtime can read */
	JOB_FIELD_OUTPUT,   /* an absolute path in a folder where the runtime can write; the job's
			       target */
	JOB_FIELD_VERSION,  /* 3 or v3 */
	JOB_FIELD_NUMBER,   /* a finite one */
	JOB_FIELD_TEXT,     /* anything that can be shown */
	JOB_FIELD_DURATION, /* 30s, 5m */
	JOB_FIELD_CHOICE,   /* one of the choices */
	JOB_FIELD_SWITCH,   /* yes or no: --name without a value, or left out */
	JOB_FIELD_CONSENT,  /* a switch that says yes to what a run does to others: for one run, never taken from an
			       earlier one */
};

struct job_field {
	const char *name; /* in the request, and of the option: --name VALUE */
	const char *label;
	const char *hint;
	enum job_field_type type;
	bool optional;       /* may be absent or ""; a switch always may */
	const char *choices; /* of a choice: "a|b|c" */
};

/* How the command takes the version that a job is of. */
enum job_version {
	JOB_VERSION_OPTION,   /* --version N, the live one when none is named */
	JOB_VERSION_ARGUMENT, /* behind the model: one must be named */
	JOB_VERSION_NONE,     /* it is of none */
};

struct job_kind {
	const char *name;
	const char *title; /* "Predict a file" */
	size_t field_count;
	struct job_field fields[JOB_FIELDS_MAX];
	enum job_version version;
	/* Tests a version, which it loads itself: of the same version, and of the same command where it is of none, one
	 * at a time. */
	bool test;
	/* What must hold between the values, in the order of fields, when each is one of its type; NULL: nothing. */
	int (*check)(const char *const *values, struct err *e);
	/* What it does, in a few words; NULL: the names of its files say. */
	void (*describe)(const char *const *values, char *title, size_t size);
	const char *either[2]; /* two fields of which one may be given; NULL: none are so */
	bool either_needed;    /* and one must be */
	/* Registers itself, and is not started by the runtime: it runs what a user of the system says, as that user. */
	bool shell_only;
	/* What its progress counts, and how those are called that came to nothing; NULL: it counts nothing, or has none
	 * of these. */
	const char *counted, *spoilt;
};

extern const struct job_kind *const job_kind_table[];
extern const size_t job_kind_count;
/* NULL when there is none of that name. */
const struct job_kind *job_kind_find(const char *name);

/* What the progress of a job counts, "rows" of a kind that is not known; and what those are that came to nothing. NULL:
 * nothing. */
const char *job_counted(const struct job_record *job);
const char *job_spoilt(const struct job_record *job);

/* The place of a field among the kind's; field_count when it has none of that name. */
size_t job_kind_field(const struct job_kind *kind, const char *name);
/* Whether both are the same, so that one is open at a time: they make the same file, or are the same test. */
bool job_same(const struct job_record *a, const struct job_record *b);

/* A field's value as its option takes it: whether it is one, of every type but files, which only the runtime can look
 * at. "" is one of an optional field. ERR_INPUT names the field and what it takes. */
int job_field_check(const struct job_field *field, const char *value, struct err *e);
/* Whether the values go together: what is given of `either`, and what `check` says; in the order of the kind's fields.
 */
int job_kind_check(const struct job_kind *kind, const char *const *values, struct err *e);
/* The command, a word at a time: mldeck predict M --input I --output O --version 3. values in the order of the
 * kind's fields, "" left out; version 0 leaves it to the runtime. False as soon as take is. */
bool job_kind_words(const struct job_kind *kind, const char *model, uint32_t version, const char *const *values,
		    bool (*take)(void *context, const char *word), void *context);
/* The same as a shell reads it; false when it is longer than size. */
bool job_kind_command(const struct job_kind *kind, const char *model, uint32_t version, const char *const *values,
		      char *command, size_t size);

#endif
