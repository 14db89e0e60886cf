#include "ui/command/rollout_text.h"

#include "ui/command/finding_table.h"

#include "ui/command/output.h"
#include "ui/command/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What is left of a hold, in whole seconds: it is 0 only when it is over. */
static void left_text(char *text, size_t size, int64_t ms)
{
	rollout_hold_text(text, size, ms < 1000 ? ms : (ms + 999) / 1000 * 1000);
}

void rollout_line(const struct rollout *r, char *text, size_t size)
{
	int64_t left_ms = rollout_left_ms(r);
	char left[48], end[64] = "";

	left_text(left, sizeof(left), left_ms);
	if (rollout_ended(r))
		snprintf(text, size, "%s: rollout of v%u, %s at %g%% (step %u of %u)", r->model, r->version,
			 rollout_state_name(r->state), r->steps[r->step].weight_bp / 100.0, r->step + 1, r->step_count);
	else
		snprintf(end, sizeof(end), left_ms > 0 ? ", %s left" : ", the hold is over", left);
	if (!rollout_ended(r))
		snprintf(text, size, "%s: rollout of v%u, %s at %g%% (step %u of %u)%s", r->model, r->version,
			 rollout_state_name(r->state), r->steps[r->step].weight_bp / 100.0, r->step + 1, r->step_count,
			 end);
}

static void line(const char *name, const char *text)
{
	if (!*text)
		return;
	printf("%-9s ", name);
	output_text(text);
	putchar('\n');
}

static int print_steps(const struct rollout *r, struct err *e)
{
	static const char *const headers[] = {">STEP", ">SHARE", "HOLD", "STATE", NULL};
	struct table *t = table_new(headers);
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (uint32_t i = 0; i < r->step_count; i++) {
		bool reached = i < r->step || r->state == ROLLOUT_DONE;
		char hold[48];

		rollout_hold_text(hold, sizeof(hold), r->steps[i].hold_ms);
		table_row(t);
		table_cell(t, "%u", i + 1);
		table_cell(t, "%g%%", r->steps[i].weight_bp / 100.0);
		table_cell(t, "%s", i + 1 < r->step_count ? hold : "");
		table_cell(t, "%s", reached ? "done" : r->id != 0 && i == r->step ? rollout_state_name(r->state) : "");
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

int rollout_print(const struct rollout *r, struct err *e)
{
	char text[2 * REASON_SIZE], time[32];

	/* A plan, of a dry run, is nowhere yet. */
	if (r->id != 0) {
		rollout_line(r, text, sizeof(text));
		output_text(text);
		putchar('\n');
	}
	line("note", r->note);
	snprintf(text, sizeof(text), "%s%s", r->who, r->forced ? ", with force" : "");
	line("by", text);
	line("reason", r->reason);
	output_time(time, sizeof(time), (double)r->started_ms);
	line("started", r->id != 0 ? time : "");
	if (r->ended_ms > 0) {
		output_time(time, sizeof(time), (double)r->ended_ms);
		line("ended", time);
	}
	snprintf(text, sizeof(text), "v%u, revision %u", r->from, r->first_revision);
	line("from", text);
	putchar('\n');
	if (print_steps(r, e) != 0)
		return -1;
	if (r->finding_count > 0)
		putchar('\n');
	return finding_table_print("ANALYSIS", r->findings, r->finding_count, e);
}
