/*
 * job_plan: what a request to start a job comes to: its command, and what can be said before it
 * runs.
 *
 * A plain value of the caller's; any thread that may wait for the disk.
 * Not here: whether the model is there (control_jobs), running it (jobs).
 */
#ifndef RUNTIME_JOB_PLAN_H
#define RUNTIME_JOB_PLAN_H

#include "core/job_kind.h"

#define JOB_FACTS_MAX 6
#define JOB_FACT_SIZE 192

/* One thing that is good to know before it starts. */
struct job_fact {
	char name[16];
	char text[JOB_FACT_SIZE];
	bool warning;
};

struct job_plan {
	const struct job_kind *kind;
	char model[TEXT_NAME_MAX + 1];
	uint32_t version;
	char values[JOB_FIELDS_MAX][JOB_PATH_SIZE]; /* in the order of the kind's fields */
	char title[JOB_TITLE_SIZE];
	char target[JOB_PATH_SIZE];
	char command[JOB_COMMAND_SIZE];
	size_t fact_count;
	struct job_fact facts[JOB_FACTS_MAX];
};

/* Reads the fields of start by the kind's record and looks at the files that they name. ERR_INPUT,
 * ERR_NOT_FOUND or ERR_DENIED says which field is wrong and why; nothing was made or changed. */
int job_plan_make(const struct job_kind *kind, const char *model, uint32_t version, const cJSON *start,
		  struct job_plan *plan, struct err *e);
/* The fields as JSON text, to make the plan again; free(). NULL when memory is out. */
char *job_plan_start(const struct job_plan *plan);

#endif
