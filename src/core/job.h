/*
 * job: a test or batch run: a command of mldeck that the runtime runs as a process of its own, or
 * that somebody started in a shell and that told the runtime of itself.
 *
 * Plain values; any thread. A record holds what a console shows of a job.
 * Not here: what kinds there are (job_kind), what survives (registry_jobs), running them
 * (runtime/job/jobs).
 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include "core/err.h"
#include "core/plot.h"
#include "core/registry/registry.h"
#include "core/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Those from DONE on have ended. INTERRUPTED: it, or its runtime, ended before its work did; the
 * same command goes on where it was. */
#define JOB_STATES(X)             \
	X(QUEUED, "queued")       \
	X(RUNNING, "running")     \
	X(DONE, "done")           \
	X(FAILED, "failed")       \
	X(CANCELLED, "cancelled") \
	X(INTERRUPTED, "interrupted")

enum job_state {
#define X(name, text) JOB_##name,
	JOB_STATES(X)
#undef X
	    JOB_STATE_COUNT
};

#define JOB_KIND_SIZE 16
#define JOB_TITLE_SIZE 128
#define JOB_PATH_SIZE 1024
#define JOB_COMMAND_SIZE 2560
#define JOB_NOTE_SIZE 96
#define JOB_LINES_MAX 8 /* of its output, the last ones */
#define JOB_LINE_SIZE 160

struct job_progress {
	uint64_t done, total; /* rows; total 0: not known */
	uint64_t done_bytes, total_bytes;
	uint64_t rejected;        /* of the rows done */
	double rate;              /* rows a second */
	double left_s;            /* NaN: not known */
	char note[JOB_NOTE_SIZE]; /* what else there is to say just now; "" nothing. Not kept when it has ended */
	size_t plot_count;        /* what it shows of itself; in memory alone */
	struct plot plots[PLOTS_MAX];
};

struct job_record {
	int64_t id; /* 1, 2, 3 ... */
	char kind[JOB_KIND_SIZE];
	char model[TEXT_NAME_MAX + 1];
	uint32_t version;               /* 0: not known */
	char title[JOB_TITLE_SIZE];     /* "rows.csv to out.csv" */
	char command[JOB_COMMAND_SIZE]; /* as a shell reads it */
	char target[JOB_PATH_SIZE];     /* the file that it makes; "" none */
	char who[WHO_SIZE];
	bool in_shell; /* it registered itself: no child of the runtime */
	bool cancelling;
	int64_t pid;                             /* 0: no process, or not known */
	int64_t queued_ms, started_ms, ended_ms; /* Unix; 0: not yet */
	enum job_state state;
	char summary[REASON_SIZE]; /* what came of it, one sentence */
	struct job_progress progress;
	size_t line_count;
	char lines[JOB_LINES_MAX][JOB_LINE_SIZE]; /* cleaned */
};

const char *job_state_name(enum job_state state);
/* JOB_STATE_COUNT for a name that is none. */
enum job_state job_state_by_name(const char *name);
bool job_ended(const struct job_record *job);
/* The part of its work that is done, 0 to 1, of rows or else of bytes; -1 when the whole is not
 * known. */
double job_fraction(const struct job_progress *progress);
/* The last lines of an output into the record, cleaned; empty ones are left out. */
void job_set_lines(struct job_record *job, const char *output);

/* NULL when memory is out. */
cJSON *job_progress_to_json(const struct job_progress *progress);
cJSON *job_to_json(const struct job_record *job);
/* Absent fields count as 0 or unknown; wrong ones are ERR_INPUT with their name. */
int job_progress_from_json(const cJSON *json, struct job_progress *progress, struct err *e);
/* Strings are cleaned and cut at their size. */
int job_from_json(const cJSON *json, struct job_record *job, struct err *e);

#endif
