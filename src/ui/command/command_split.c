#include "ui/command/change.h"

extern const struct command command_split;

static int check_sum(const struct route_entry *entries, size_t count, struct err *e)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += entries[i].weight_bp;
	if (sum != ROUTE_BUCKETS)
		return err_set(e, ERR_INPUT, "the shares add up to %u.%02u%%; they must add up to 100%%", sum / 100,
			       sum % 100);
	return 0;
}

static int split(const struct arguments *a, struct err *e)
{
	struct route_entry entries[ROUTE_ENTRIES_MAX] = {0};
	size_t count;
	cJSON *body;

	if (change_shares(a, entries, &count, e) != 0 || check_sum(entries, count, e) != 0)
		return -1;
	body = change_share_body(entries, count);
	if (!body)
		return err_set(e, ERR_MEMORY, "memory is out");
	return change_send(a, "split", body, e);
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return split(a, &e) == 0 ? 0 : command_fail(&command_split, &e);
}

static const struct option_spec options[] = {CHANGE_OPTIONS, OPTION_FORCE, OPTION_END};

const struct command command_split = {
    .name = "split",
    .arguments = "MODEL VERSION=PERCENT...",
    .summary = "share the requests of a model between versions",
    .details = "The percentages have up to two decimals and add up to 100: mldeck split churn 2=80 3=20.",
    .options = options,
    .run = run,
};
