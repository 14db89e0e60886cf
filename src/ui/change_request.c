#include "ui/console_state.h"

#include "ui/line_edit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const verbs[] = {"promote", "rollback", "split"};

/* "80", "12.5", "0.25%" to basis points, exactly. */
static int share_read(const char **text, uint32_t *weight_bp)
{
	const char *c = *text;
	uint32_t whole = 0, part = 0, unit = 100;

	if (!isdigit((unsigned char)*c))
		return -1;
	for (; isdigit((unsigned char)*c) && whole <= 100; c++)
		whole = whole * 10 + (uint32_t)(*c - '0');
	if (*c == '.')
		for (c++; isdigit((unsigned char)*c) && unit > 1; c++) {
			unit /= 10;
			part += unit * (uint32_t)(*c - '0');
		}
	if (*c == '%')
		c++;
	*text = c;
	*weight_bp = whole * 100 + part;
	return *weight_bp <= ROUTE_BUCKETS && (*c == '\0' || *c == ' ') ? 0 : -1;
}

static int entry_read(const char **text, struct route_entry *entry)
{
	char *end;
	unsigned long version;

	if (**text == 'v')
		++*text;
	if (!isdigit((unsigned char)**text))
		return -1;
	version = strtoul(*text, &end, 10);
	if (*end != '=' || version == 0 || version > UINT32_MAX)
		return -1;
	*entry = (struct route_entry){.version = (uint32_t)version, .role = ROUTE_CANARY};
	*text = end + 1;
	return share_read(text, &entry->weight_bp);
}

int change_weights(const char *text, struct route_entry *entries, size_t *count, struct err *e)
{
	uint32_t sum = 0;

	*count = 0;
	for (;;) {
		while (*text == ' ')
			text++;
		if (!*text)
			break;
		if (*count == ROUTE_ENTRIES_MAX)
			return err_set(e, ERR_INPUT, "a route holds at most %d versions", ROUTE_ENTRIES_MAX);
		if (entry_read(&text, &entries[*count]) != 0)
			return err_set(e, ERR_INPUT, "write shares as VERSION=PERCENT, as in 2=80 3=20");
		for (size_t i = 0; i < *count; i++)
			if (entries[i].version == entries[*count].version)
				return err_set(e, ERR_INPUT, "v%u has two shares; give it one", entries[i].version);
		sum += entries[(*count)++].weight_bp;
	}
	if (sum != ROUTE_BUCKETS)
		return err_set(e, ERR_INPUT, "the shares add up to %u.%02u%%; they must add up to 100%%", sum / 100,
			       sum % 100);
	return 0;
}

static bool weights_add(cJSON *body, const struct route_entry *entries, size_t count)
{
	cJSON *weights = cJSON_AddArrayToObject(body, "weights");

	for (size_t i = 0; i < count; i++) {
		cJSON *item = cJSON_CreateObject();

		if (!cJSON_AddNumberToObject(item, "version", entries[i].version) ||
		    !cJSON_AddNumberToObject(item, "weight_bp", entries[i].weight_bp) ||
		    !cJSON_AddItemToArray(weights, item)) {
			cJSON_Delete(item);
			return false;
		}
	}
	return weights != NULL;
}

static int target_add(const struct change *change, cJSON *body, struct err *e)
{
	const char *target = change->dialog.fields[CHANGE_TARGET].value;
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	size_t count;
	long long number = 0;
	bool added = true;

	if (*target == 'v' || (change->kind == CHANGE_ROLLBACK && *target == 'r'))
		target++;
	if (change->kind == CHANGE_SPLIT) {
		if (change_weights(change->dialog.fields[CHANGE_TARGET].value, entries, &count, e) != 0)
			return -1;
		added = weights_add(body, entries, count);
	} else if (change->kind == CHANGE_PROMOTE || *target) {
		if (!text_integer(target, 1, UINT32_MAX, &number))
			return err_set(e, ERR_INPUT, "%s",
				       change->kind == CHANGE_PROMOTE ? "type the number of a version"
								      : "type the number of a revision, or nothing");
		added = cJSON_AddNumberToObject(body, change->kind == CHANGE_PROMOTE ? "version" : "to_revision",
						(double)number) != NULL;
	}
	return added ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

cJSON *change_body(const struct change *change, bool dry_run, struct err *e)
{
	const char *reason = change->dialog.fields[CHANGE_REASON].value;
	cJSON *body = cJSON_CreateObject();

	if (target_add(change, body, e) == 0) {
		if (cJSON_AddStringToObject(body, "action", verbs[change->kind]) &&
		    cJSON_AddStringToObject(body, "reason", reason) &&
		    cJSON_AddNumberToObject(body, "expect_revision", change->revision) &&
		    cJSON_AddBoolToObject(body, "dry_run", dry_run))
			return body;
		err_set(e, ERR_MEMORY, "memory is out");
	}
	cJSON_Delete(body);
	return NULL;
}

/* What "one step back" means depends on when it is run; the command names what was meant. */
static void rollback_options(const struct change *change, bool name_target, char *command, size_t size)
{
	char number[16];

	if (name_target && change->after_revision) {
		snprintf(number, sizeof(number), "%u", change->after_revision);
		text_quote(command, size, "--to");
		text_quote(command, size, number);
	}
	snprintf(number, sizeof(number), "%u", change->revision);
	text_quote(command, size, "--expect-revision");
	text_quote(command, size, number);
}

void change_command(const struct change *change, char *command, size_t size)
{
	const struct dialog_field *fields = change->dialog.fields;
	char storage[DIALOG_VALUE_SIZE], *words[ROUTE_ENTRIES_MAX + 1];
	int count = line_split(fields[CHANGE_TARGET].value, storage, words, ROUTE_ENTRIES_MAX);

	*command = '\0';
	text_quote(command, size, "mldeck");
	text_quote(command, size, verbs[change->kind]);
	text_quote(command, size, change->model);
	if (change->kind == CHANGE_ROLLBACK && count > 0)
		text_quote(command, size, "--to");
	for (int i = 0; i < count; i++)
		text_quote(command, size, words[i]);
	if (change->kind == CHANGE_ROLLBACK)
		rollback_options(change, count == 0, command, size);
	text_quote(command, size, "--reason");
	text_quote(command, size, *fields[CHANGE_REASON].value ? fields[CHANGE_REASON].value : "…");
}
