/* What can be said of a test before it starts: what is compared, with which rows, how long it is likely to take, and
 * whom it touches. */
#include "runtime/control/control_routes.h"

#include "core/registry/registry_jobs.h"
#include "core/registry/registry_samples.h"
#include "core/test/stress_watch.h"
#include "core/units.h"
#include "runtime/control/control_request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_S 60    /* of the traffic that a load is compared with, as `mldeck stress` takes it */
#define EARLIER_MAX 20 /* runs that are looked at for the time */
#define STRESS_DEFAULT_S 60

static bool says_yes(struct job_plan *plan, const char *field)
{
	bool on;
	const char *value = job_plan_value(plan, field);
	return value[0] != '\0' && units_flag(value, &on) && on;
}

/* --- what is compared --- */

static bool has_version(const struct snapshot_model *m, uint32_t version)
{
	for (size_t i = 0; i < m->version_count; i++)
		if (m->versions[i].version == version)
			return true;
	return false;
}

/* The version that it is compared with, as a number from here on: another may go live meanwhile. */
static int find_against(struct job_plan *plan, const struct snapshot_model *m, uint32_t *against, struct err *e)
{
	char *value = job_plan_value(plan, "against");
	long long number = m->live;

	if (value[0] != '\0')
		text_integer(value + (value[0] == 'v'), 1, VERSIONS_MAX, &number);
	if (number == 0)
		return err_set(e, ERR_CONFLICT, "%s has no live version: name the one to compare with, --against",
			       m->name);
	if (!has_version(m, (uint32_t)number))
		return err_set(e, ERR_NOT_FOUND, "%s has no version %lld", m->name, number);
	if (value[0] == '\0' && number == plan->version)
		return err_set(e, ERR_CONFLICT,
			       "v%u of %s is the live version: name the one to compare with, --against", plan->version,
			       m->name);
	*against = (uint32_t)number;
	snprintf(value, JOB_PATH_SIZE, "%lld", number);
	return 0;
}

static int add_compared(struct job_plan *plan, const struct snapshot_model *m, struct err *e)
{
	char text[JOB_FACT_SIZE];
	uint32_t against = 0;

	if (job_kind_field(plan->kind, "against") == plan->kind->field_count)
		return 0;
	if (find_against(plan, m, &against, e) != 0)
		return -1;
	if (against == plan->version)
		snprintf(text, sizeof text, "v%u with itself: it shows nothing but the noise", against);
	else
		snprintf(text, sizeof text, "v%u%s with v%u%s", plan->version,
			 plan->version == m->live ? ", live," : "", against,
			 against == m->live ? ", which is live" : "");
	job_plan_fact(plan, against == plan->version, "compared", text);
	return job_plan_write(plan, e);
}

/* --- which rows --- */

static size_t count_lines(const char *text)
{
	size_t lines = 0;
	for (; *text != '\0'; text++)
		lines += *text == '\n' && text[1] != '\0';
	return lines;
}

static int add_rows(struct server *s, struct job_plan *plan, struct err *e)
{
	struct sample_rows samples = {0};
	char text[JOB_FACT_SIZE];

	if (job_plan_value(plan, "data")[0] != '\0')
		return 0;
	if (job_plan_value(plan, "captured")[0] != '\0') {
		snprintf(text, sizeof text, "up to %.20s rows of live requests that were captured",
			 job_plan_value(plan, "captured"));
		job_plan_fact(plan, false, "captured", text);
		return 0;
	}
	if (registry_samples(s->registry, plan->model, plan->version, &samples, e) != 0)
		return -1;
	size_t rows = samples.csv == NULL ? 0 : count_lines(samples.csv);
	sample_rows_release(&samples);
	if (rows == 0 && strcmp(plan->kind->name, "stress") == 0)
		return err_set(e, ERR_INPUT, "v%u of %s has no sample rows: name a file of rows, --data", plan->version,
			       plan->model);
	if (rows == 0)
		snprintf(text, sizeof text, "v%u has no sample rows: others are taken, or made up", plan->version);
	else
		snprintf(text, sizeof text, "no file: the %zu sample row%s of v%u", rows, rows == 1 ? "" : "s",
			 plan->version);
	job_plan_fact(plan, rows == 0, "data", text);
	return 0;
}

/* --- how long --- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static bool has_word(const struct job_record *job, const char *option)
{
	const char *at = strstr(job->command, option);
	return at != NULL && (at[strlen(option)] == ' ' || at[strlen(option)] == '\0');
}

/* What an earlier run says of this one: seconds, of a differential test by its rows; NaN: nothing. */
static double told_by(const struct job_record *job, struct job_plan *plan)
{
	double took_s = (double)(job->ended_ms - job->started_ms) / 1000;
	double rows = plan->input_lines > 0 ? plan->input_lines : strtod(job_plan_value(plan, "captured"), NULL);
	bool diff = strcmp(plan->kind->name, "diff") == 0, bench = strcmp(plan->kind->name, "bench") == 0;

	if (job->state != JOB_DONE || job->started_ms == 0)
		return (double)NAN;
	if (diff)
		return job->progress.done > 0 && rows > 0 ? took_s * rows / (double)job->progress.done : (double)NAN;
	if (bench && (has_word(job, "--quick") != says_yes(plan, "quick") ||
		      has_word(job, "--pairs") != (job_plan_value(plan, "pairs")[0] != '\0')))
		return (double)NAN;
	return bench || has_word(job, "--find-max") ? took_s : (double)NAN;
}

/* The median of what earlier runs say; *count: how many did. */
static int usual(struct server *s, struct job_plan *plan, double *seconds, size_t *count, struct err *e)
{
	double told[EARLIER_MAX];
	struct job_record *jobs;
	size_t found;

	*count = 0;
	if (registry_jobs_like(s->registry, plan->kind->name, plan->model, EARLIER_MAX, &jobs, &found, e) != 0)
		return -1;
	for (size_t i = 0; i < found; i++) {
		told[*count] = told_by(&jobs[i], plan);
		*count += !isnan(told[*count]);
	}
	free(jobs);
	if (*count > 0)
		qsort(told, *count, sizeof *told, compare_doubles);
	*seconds = *count > 0 ? told[*count / 2] : (double)NAN;
	return 0;
}

/* What a stress test takes is what it was told, but for a search. */
static bool add_stress_time(struct job_plan *plan)
{
	char text[JOB_FACT_SIZE], took[TEXT_AGE_SIZE];
	unsigned long long duration_ms = STRESS_DEFAULT_S * 1000;

	if (strcmp(plan->kind->name, "stress") != 0 || says_yes(plan, "find-max"))
		return false;
	if (job_plan_value(plan, "duration")[0] != '\0')
		units_parse(units_ms, job_plan_value(plan, "duration"), &duration_ms);
	text_age(took, (long long)(duration_ms / 1000));
	snprintf(text, sizeof text, "%s, as it is told", took);
	job_plan_fact(plan, false, "takes", text);
	return true;
}

static int add_time(struct server *s, struct job_plan *plan, struct err *e)
{
	char text[JOB_FACT_SIZE], took[TEXT_AGE_SIZE];
	double seconds;
	size_t count;

	if (add_stress_time(plan))
		return 0;
	if (usual(s, plan, &seconds, &count, e) != 0)
		return -1;
	if (count == 0) {
		job_plan_fact(plan, false, "takes", "not known: none like it has ended yet");
		return 0;
	}
	if (seconds < 1)
		snprintf(took, sizeof took, "1 s at most");
	else
		text_age(took, (long long)(seconds + 0.5));
	snprintf(text, sizeof text, "about %s, by %zu earlier run%s", took, count, count == 1 ? "" : "s");
	job_plan_fact(plan, false, "takes", text);
	return 0;
}

/* --- whom a load touches --- */

/* The greatest rate that is asked for; 0: a search finds it. */
static double asked_rps(struct job_plan *plan)
{
	const char *ramp = job_plan_value(plan, "ramp");
	if (says_yes(plan, "find-max"))
		return 0;
	if (ramp[0] == '\0')
		return strtod(job_plan_value(plan, "rate"), NULL);
	return fmax(strtod(ramp, NULL), strtod(strchr(ramp, ':') + 1, NULL));
}

static void add_others(struct job_plan *plan, const struct stress_blast *blast)
{
	char text[JOB_FACT_SIZE], rate[16];
	text_count(rate, sizeof rate, blast->others_rps);
	if (blast->others == 0)
		snprintf(text, sizeof text, "no other model has traffic on this machine");
	else
		snprintf(text, sizeof text, "%u other model%s with %s/s on this machine: %.80s%s", blast->others,
			 blast->others == 1 ? "" : "s", rate, blast->names, blast->others > 3 ? " ..." : "");
	job_plan_fact(plan, blast->others > 0, "beside", text);
}

static int add_limit(struct job_plan *plan, const struct stress_blast *blast, struct err *e)
{
	double cap = stress_blast_cap(blast, STRESS_SHARE_PERCENT), asked = asked_rps(plan);
	char text[JOB_FACT_SIZE], most[16], wanted[16];

	text_count(most, sizeof most, cap);
	text_count(wanted, sizeof wanted, asked);
	if (cap > 0 && asked > cap)
		return err_set(e, ERR_DENIED,
			       "%s has live traffic there, and %s/s would be more than %d%% of it all: at most %s/s",
			       plan->model, wanted, STRESS_SHARE_PERCENT, most);
	if (cap > 0)
		snprintf(text, sizeof text, "at most %s/s more; it stops by itself when live requests suffer", most);
	else
		snprintf(text, sizeof text, "it stops by itself when live requests suffer");
	job_plan_fact(plan, false, "limit", text);
	return 0;
}

static int add_blast(struct job_plan *plan, const struct snapshot *picture, bool dry_run, struct err *e)
{
	const struct stress_blast blast = stress_blast(picture, plan->model, plan->version);
	char text[JOB_FACT_SIZE], rate[16];

	if (strcmp(plan->kind->name, "stress") != 0)
		return 0;
	text_count(rate, sizeof rate, blast.model_rps);
	if (blast.live)
		snprintf(text, sizeof text, "v%u has %.4g%% of the requests of %s, now %s/s", plan->version,
			 blast.share_percent, plan->model, rate);
	else
		snprintf(text, sizeof text, "v%u has no live traffic; %s has %s/s", plan->version, plan->model, rate);
	job_plan_fact(plan, blast.live, "live traffic", text);
	add_others(plan, &blast);
	if (add_limit(plan, &blast, e) != 0)
		return -1;
	plan->asks_consent = blast.live && !says_yes(plan, "yes");
	if (!plan->asks_consent || dry_run)
		return 0;
	return err_set(e, ERR_DENIED, "v%u of %s has live traffic: say yes to that in field `yes`", plan->version,
		       plan->model);
}

int control_job_facts(struct server *s, struct job_plan *plan, bool dry_run, struct err *e)
{
	int result = 0;
	if (!plan->kind->test)
		return 0;
	struct snapshot *picture = picture_take(s, NULL, WINDOW_S);
	const struct snapshot_model *m = picture == NULL ? NULL : snapshot_find(picture, plan->model);
	if (picture == NULL)
		result = err_set(e, ERR_MEMORY, "memory is out for starting a job");
	else if (m == NULL)
		result = err_set(e, ERR_NOT_FOUND, "there is no model %s", plan->model);
	if (result == 0 && (add_compared(plan, m, e) != 0 || add_blast(plan, picture, dry_run, e) != 0 ||
			    add_rows(s, plan, e) != 0 || add_time(s, plan, e) != 0))
		result = -1;
	snapshot_free(picture);
	return result;
}
