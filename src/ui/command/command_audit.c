#include "core/buf.h"
#include "core/clock.h"
#include "core/registry/registry_verify.h"
#include "core/units.h"
#include "ui/command/output.h"
#include "ui/command/table.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VERIFY_TIMEOUT_MS 600000 /* a million records take three seconds, the disk may be slow */

extern const struct command command_audit;

/* --- listing --- */

static void print_row(struct table *t, const cJSON *record)
{
	double revision = json_find_number(record, "revision");
	bool forced = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(record, "forced"));
	char time[32];

	output_time(time, sizeof(time), json_find_number(record, "at_ms"));
	table_row(t);
	table_cell(t, "%.0f", json_find_number(record, "id"));
	table_cell(t, "%s", time);
	table_cell(t, "%s", json_find_text(record, "who"));
	table_cell(t, "%s", json_find_text(record, "action"));
	table_cell(t, "%s", json_find_text(record, "model"));
	if (revision > 0)
		table_cell(t, "%.0f", revision);
	else
		table_cell(t, "-");
	table_cell(t, "%s%s", json_find_text(record, "outcome"), forced ? " FORCED" : "");
	table_cell(t, "%s", json_find_text(record, "client"));
	table_cell(t, "%s", json_find_text(record, "reason"));
	table_cell(t, "%s", json_find_text(record, "detail"));
}

static int audit_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {">ID",     "TIME",   "WHO",    "ACTION", "MODEL", ">REVISION",
					      "OUTCOME", "CLIENT", "REASON", "DETAIL", NULL};
	const cJSON *record;
	struct table *t = table_new(headers);
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(record, cJSON_GetObjectItemCaseSensitive(answer, "records")) print_row(t, record);
	result = table_print(t, e);
	table_free(t);
	return result;
}

/* "&who=ada", with what a query may not hold as %NN; nothing for NULL. */
static void add_query(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_format(path, "&%s=", name);
	for (; *value; value++)
		buf_format(path, isalnum((unsigned char)*value) || strchr("._-", *value) ? "%c" : "%%%02X",
			   (unsigned char)*value);
}

/* "2h" is two hours ago, else a day or a moment in UTC. */
static int read_since(const char *text, int64_t *since_ms, struct err *e)
{
	static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ"};
	unsigned long long seconds;

	*since_ms = 0;
	if (!text)
		return 0;
	if (units_parse(units_s, text, &seconds)) {
		int64_t now_ms = clock_unix_ms();

		*since_ms = seconds < (unsigned long long)now_ms / 1000 ? now_ms - (int64_t)seconds * 1000 : 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm parts = {0};
		const char *end = strptime(text, forms[i], &parts);

		if (end && !*end) {
			*since_ms = (int64_t)timegm(&parts) * 1000;
			return 0;
		}
	}
	return err_set(e, ERR_INPUT,
		       "--since takes 90m, 2h, 3d, or 2026-03-01 or \"2026-03-01 14:00\" in UTC, not %.60s",
		       *text ? text : "\"\"");
}

static int list_path(const struct arguments *a, struct buf *path, struct err *e)
{
	const char *model = arguments_at(a, 0);
	long long limit;
	int64_t since_ms;

	if ((model && output_model(model, e) != 0) || output_number(a, "limit", 1, 1000, 100, &limit, e) != 0 ||
	    read_since(arguments_value(a, "since"), &since_ms, e) != 0)
		return -1;
	buf_format(path, "/control/v1/audit?limit=%lld&since_ms=%" PRId64, limit, since_ms);
	add_query(path, "model", model);
	add_query(path, "who", arguments_value(a, "who"));
	add_query(path, "action", arguments_value(a, "action"));
	add_query(path, "forced", arguments_flag(a, "forced") ? "1" : NULL);
	return path->failed ? err_set(e, ERR_MEMORY, "memory is out") : 0;
}

static int list(const struct arguments *a, struct client *client, struct err *e)
{
	struct buf path;
	cJSON *answer = NULL;
	int result = -1;

	buf_init(&path);
	if (list_path(a, &path, e) == 0 && client_get(client, path.data, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : audit_print(answer, e);
	cJSON_Delete(answer);
	buf_release(&path);
	return result;
}

/* --- the chain --- */

/* Of the state directory itself, when no runtime answers; only reads. */
static int read_state(const struct arguments *a, const struct audit_head *kept, cJSON **answer, struct err *e)
{
	char state[256];
	struct audit_head head;
	struct audit_verdict verdict;

	if (arguments_state(a, state, sizeof(state), e) != 0)
		return -1;
	if (!arguments_flag(a, "verify")) {
		if (registry_read_head(state, &head, e) != 0)
			return -1;
		*answer = audit_head_to_json(&head);
	} else {
		if (registry_verify(state, kept, &verdict, e) != 0)
			return -1;
		*answer = audit_verdict_to_json(&verdict);
	}
	return *answer ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

static int ask(const struct arguments *a, struct client *client, cJSON **answer, struct err *e)
{
	const char *text = arguments_value(a, "head");
	struct audit_head kept = {0};
	char path[160];

	if (text && audit_head_read(text, &kept, e) != 0)
		return -1;
	if (!arguments_flag(a, "verify"))
		snprintf(path, sizeof(path), "/control/v1/audit/head");
	else if (text)
		snprintf(path, sizeof(path), "/control/v1/audit/verify?head=%" PRId64 ":%s", kept.id, kept.hash);
	else
		snprintf(path, sizeof(path), "/control/v1/audit/verify");
	if (client_get(client, path, VERIFY_TIMEOUT_MS, answer, e) == 0)
		return 0;
	/* Who names a socket means that runtime, and nothing else. */
	if (e->code != ERR_UNREACHABLE || arguments_flag(a, "socket"))
		return -1;
	return read_state(a, text ? &kept : NULL, answer, e);
}

static int print_verdict(const cJSON *answer, struct err *e)
{
	const cJSON *head = cJSON_GetObjectItemCaseSensitive(answer, "head");

	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok")))
		return 0;
	printf("the audit is whole: %.0f records, head %.0f:%s\n", json_find_number(answer, "records"),
	       json_find_number(head, "id"), json_find_text(head, "hash"));
	return output_end(e);
}

static int chain(const struct arguments *a, struct client *client, struct err *e)
{
	cJSON *answer = NULL;
	bool verify = arguments_flag(a, "verify");
	int result = ask(a, client, &answer, e);

	if (result == 0 && arguments_flag(a, "json")) {
		result = output_json(answer, e);
	} else if (result == 0 && verify) {
		result = print_verdict(answer, e);
	} else if (result == 0) {
		printf("%.0f:%s\n", json_find_number(answer, "id"), json_find_text(answer, "hash"));
		result = output_end(e);
	}
	if (result == 0 && verify && !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok")))
		result = err_set(e, ERR_GATE, "the audit was altered: %s",
				 json_find_text(cJSON_GetObjectItemCaseSensitive(answer, "fault"), "text"));
	cJSON_Delete(answer);
	return result;
}

static int audit(const struct arguments *a, struct err *e)
{
	struct client *client = NULL;
	bool of_chain = arguments_flag(a, "verify") || arguments_flag(a, "head");
	int result = -1;

	if (arguments_value(a, "head") && !arguments_flag(a, "verify"))
		return err_set(e, ERR_USAGE,
			       "--head ID:HASH is what --verify checks; --head alone prints the head of now");
	if (of_chain && arguments_at(a, 0))
		return err_set(e, ERR_USAGE, "the chain is of all models: leave %.80s out", arguments_at(a, 0));
	if (output_client(a, "audit", &client, e) == 0)
		result = of_chain ? chain(a, client, e) : list(a, client, e);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};

	return audit(a, &e) == 0 ? 0 : command_fail(&command_audit, &e);
}

static const struct option_spec options[] = {
    {"who", "NAME", "only what this user did or tried"},
    {"action", "NAME", "only this action, such as promote"},
    {"since", "TIME", "only since 2h ago, or 2026-03-01 in UTC"},
    {"forced", NULL, "only where a gate was overridden"},
    {"limit", "N", "at most so many records (default 100, at most 1000)"},
    {"verify", NULL, "check that no record was altered, removed or put in"},
    {"head", "[ID:HASH]", "with --verify: the last record as it was kept; alone: print it"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_audit = {
    .name = "audit",
    .arguments = "[MODEL]",
    .summary = "list who changed what, when and why, newest first, or verify that list",
    .details = "Each record has a hash over itself and the record before it. --verify finds any edit, and with the "
	       "head that --head printed some day, and that was kept elsewhere, also a cut tail. Both read the state "
	       "directory, or a copy of mldeck.db given as --state, when no runtime answers. Exit code 1: altered.",
    .options = options,
    .run = run,
};
