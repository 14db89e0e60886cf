#include "core/job.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {
#define X(name, text) text,
    JOB_STATES(X)
#undef X
};

const char *job_state_name(enum job_state state)
{
	return names[state];
}

enum job_state job_state_by_name(const char *name)
{
	int state = 0;
	while (state < JOB_STATE_COUNT && strcmp(name, names[state]) != 0)
		state++;
	return (enum job_state)state;
}

bool job_ended(const struct job_record *job)
{
	return job->state >= JOB_DONE;
}

double job_fraction(const struct job_progress *p)
{
	double fraction = p->total > 0         ? (double)p->done / (double)p->total
			  : p->total_bytes > 0 ? (double)p->done_bytes / (double)p->total_bytes
					       : -1;
	return fraction > 1 ? 1 : fraction;
}

static void add_line(struct job_record *job, const char *start, size_t size)
{
	char raw[4 * JOB_LINE_SIZE];
	if (size == 0)
		return;
	if (size >= sizeof raw)
		size = sizeof raw - 1;
	memcpy(raw, start, size);
	raw[size] = '\0';
	if (job->line_count == JOB_LINES_MAX) {
		memmove(job->lines[0], job->lines[1], sizeof job->lines - sizeof job->lines[0]);
		job->line_count--;
	}
	text_clean(job->lines[job->line_count++], JOB_LINE_SIZE, raw);
}

void job_set_lines(struct job_record *job, const char *output)
{
	job->line_count = 0;
	while (*output != '\0') {
		/* A carriage return is a line drawn over: what came last is what stands. */
		size_t size = strcspn(output, "\r\n");
		add_line(job, output, size);
		output += size + (output[size] != '\0');
	}
}
