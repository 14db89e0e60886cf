#include "core/rollout.h"

#include "core/shares.h"
#include "core/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ITEM_SIZE 24 /* of one share or one duration as text */

static const char *const names[] = {
#define X(name, text) text,
    ROLLOUT_STATES(X)
#undef X
};

const char *rollout_state_name(enum rollout_state state)
{
	return names[state];
}

enum rollout_state rollout_state_by_name(const char *name)
{
	int state = 0;
	while (state < ROLLOUT_STATE_COUNT && strcmp(name, names[state]) != 0)
		state++;
	return (enum rollout_state)state;
}

bool rollout_ended(const struct rollout *r)
{
	return r->state >= ROLLOUT_DONE;
}

/* The next item of a list with commas, without blanks around it; false when it is empty or too long. */
static bool next_item(const char **list, char item[ITEM_SIZE])
{
	const char *start = *list + strspn(*list, " ");
	size_t size = strcspn(start, ",");
	*list = start + size + (start[size] == ',');
	while (size > 0 && start[size - 1] == ' ')
		size--;
	if (size == 0 || size >= ITEM_SIZE)
		return false;
	memcpy(item, start, size);
	item[size] = '\0';
	return true;
}

static size_t count_items(const char *list)
{
	size_t count = 1;
	for (const char *c = list; *c != '\0'; c++)
		count += *c == ',';
	return count;
}

/* "5m", or as rollout_hold_text() writes it, "1h30m": each unit smaller than the one before. */
static bool hold_parse(const char *text, int64_t *ms)
{
	unsigned long long number, sum = 0, before = 0;
	for (bool first = true; first || *text != '\0'; first = false) {
		char part[ITEM_SIZE];
		size_t digits = strspn(text, "0123456789 ");
		size_t size = digits + strcspn(text + digits, "0123456789");
		const struct unit *unit = units_ms;
		if (size >= sizeof part)
			return false;
		memcpy(part, text, size);
		part[size] = '\0';
		text += size;
		if (!units_parse(units_ms, part, &number) || number > ROLLOUT_HOLD_MAX_MS)
			return false;
		while (strcmp(unit->name, part + digits) != 0)
			unit++;
		if (!first && unit->factor >= before)
			return false;
		before = unit->factor;
		sum += number;
	}
	*ms = (int64_t)sum;
	return sum <= ROLLOUT_HOLD_MAX_MS;
}

static int plan_steps(struct rollout *r, const char *steps, struct err *e)
{
	uint32_t previous = 0;
	r->step_count = 0;
	for (size_t i = 0, count = count_items(steps); i < count; i++) {
		char item[ITEM_SIZE];
		uint32_t weight_bp;
		/* The last place is for the 100% that may be left out. */
		if (!next_item(&steps, item) || share_read(item, &weight_bp) != 0)
			return err_set(e, ERR_INPUT,
				       "the steps of a rollout are percentages above 0, at most 100 and with at most "
				       "two decimals, as in 1,5,25,100");
		if (weight_bp <= previous)
			return err_set(e, ERR_INPUT, "the steps of a rollout must ascend from above 0%%: %s%s does not",
				       item, strchr(item, '%') != NULL ? "" : "%");
		if (r->step_count == ROLLOUT_STEPS_MAX ||
		    (r->step_count == ROLLOUT_STEPS_MAX - 1 && weight_bp < ROUTE_BUCKETS))
			return err_set(e, ERR_INPUT, "a rollout has at most %d steps, with the one of 100%%",
				       ROLLOUT_STEPS_MAX);
		r->steps[r->step_count++].weight_bp = previous = weight_bp;
	}
	if (previous < ROUTE_BUCKETS)
		r->steps[r->step_count++].weight_bp = ROUTE_BUCKETS;
	if (r->step_count < 2)
		return err_set(
		    e, ERR_INPUT,
		    "a rollout needs a step below 100%%; mldeck promote gives a version all requests at once");
	return 0;
}

static int plan_holds(struct rollout *r, const char *hold, struct err *e)
{
	uint32_t held = r->step_count - 1;
	size_t count = count_items(hold);
	int64_t ms = 0;

	if (count != 1 && count != held)
		return err_set(e, ERR_INPUT,
			       "%zu hold times do not fit %u steps below 100%%: give one for all, or one for each",
			       count, held);
	for (uint32_t i = 0; i < held; i++) {
		char item[ITEM_SIZE];
		if ((i == 0 || count > 1) && (!next_item(&hold, item) || !hold_parse(item, &ms)))
			return err_set(
			    e, ERR_INPUT,
			    "a hold time is a whole number with ms, s, m, h or d, from 0s to 30d, as in 5m or 1h30m");
		r->steps[i].hold_ms = ms;
	}
	r->steps[held].hold_ms = 0;
	return 0;
}

int rollout_plan(struct rollout *r, const char *steps, const char *hold, struct err *e)
{
	return plan_steps(r, steps, e) != 0 ? -1 : plan_holds(r, hold, e);
}

int64_t rollout_left_ms(const struct rollout *r)
{
	int64_t left = r->steps[r->step].hold_ms - r->held_ms;
	return left > 0 ? left : 0;
}

enum rollout_action rollout_next(const struct rollout *r)
{
	if (rollout_ended(r) || r->finding_count == 0)
		return ROLLOUT_WAIT;
	switch (findings_verdict(r->findings, r->finding_count)) {
	case FINDING_FAIL:
		return ROLLOUT_BREACH;
	case FINDING_PASS:
		break;
	default:
		return ROLLOUT_WAIT;
	}
	if (r->state != ROLLOUT_RUNNING || rollout_left_ms(r) > 0 || r->step + 1 >= r->step_count)
		return ROLLOUT_WAIT;
	return r->step + 2 == r->step_count ? ROLLOUT_FINISH : ROLLOUT_ADVANCE;
}

void rollout_hold_text(char *text, size_t size, int64_t hold_ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	size_t used = 0;

	snprintf(text, size, "0s");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && used < size; i++) {
		int64_t count = hold_ms / units[i].ms;

		hold_ms -= count * units[i].ms;
		if (count > 0)
			used += (size_t)snprintf(text + used, size - used, "%" PRId64 "%s", count, units[i].name);
	}
}
