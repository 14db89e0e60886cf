/*
 * job_plan: what a request to start a job comes to: its command, and what can be said before it
 * runs.
 *
 * A plain value of the caller's; any thread that may wait for the disk.
 * Not here: whether the model is there (control_jobs), what a test does to others and how long it takes
 * (control_jobs_facts), running it (jobs).
 */
#ifndef RUNTIME_JOB_PLAN_H
#define RUNTIME_JOB_PLAN_H

#include "core/job_kind.h"

#define JOB_FACTS_MAX 10
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
	double input_lines; /* of the last input named, about; 0: none */
	bool asks_consent;  /* it does something to others, and nobody has said yes to it yet */
	size_t fact_count;
	struct job_fact facts[JOB_FACTS_MAX];
};

/* Reads the fields of start by the kind's record and looks at the files that they name. ERR_INPUT,
 * ERR_NOT_FOUND or ERR_DENIED says which field is wrong and why; nothing was made or changed. */
int job_plan_make(const struct job_kind *kind, const char *model, uint32_t version, const cJSON *start,
		  struct job_plan *plan, struct err *e);
/* The value of a field, "" where it has none; the caller may change it until the command is made again. */
char *job_plan_value(struct job_plan *plan, const char *field);
/* Makes title and command of the values. ERR_TOO_LARGE. */
int job_plan_write(struct job_plan *plan, struct err *e);
/* One more fact; dropped beyond JOB_FACTS_MAX. name is a field's, where it is about one. */
void job_plan_fact(struct job_plan *plan, bool warning, const char *name, const char *text);
/* The fields as JSON text, to make the plan again; free(). NULL when memory is out. */
char *job_plan_start(const struct job_plan *plan);

#endif
