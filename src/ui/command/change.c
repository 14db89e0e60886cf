#include "ui/command/change.h"

#include "core/registry/registry.h"
#include "core/shares.h"
#include "ui/command/output.h"

/* A version that is not loaded is loaded first, and asked its sample rows. */
#define CHANGE_TIMEOUT_MS 120000

int change_shares(const struct arguments *a, struct route_entry entries[ROUTE_ENTRIES_MAX], size_t *count,
		  struct err *e)
{
	*count = 0;
	for (size_t i = 1; i < arguments_count(a); i++)
		if (shares_read(arguments_at(a, i), ROUTE_CANARY, entries, count, e) != 0)
			return -1;
	return 0;
}

cJSON *change_share_body(const struct route_entry *entries, size_t count)
{
	cJSON *body = cJSON_CreateObject();
	cJSON *weights = cJSON_AddArrayToObject(body, "weights");

	for (size_t i = 0; weights && i < count; i++) {
		cJSON *item = cJSON_CreateObject();

		if (!cJSON_AddNumberToObject(item, "version", entries[i].version) ||
		    !cJSON_AddNumberToObject(item, "weight_bp", entries[i].weight_bp) ||
		    !cJSON_AddItemToArray(weights, item)) {
			cJSON_Delete(item);
			weights = NULL;
		}
	}
	if (weights)
		return body;
	cJSON_Delete(body);
	return NULL;
}

static int body_fill(const struct arguments *a, const char *action, cJSON *body, struct err *e)
{
	const char *reason = arguments_value(a, "reason");
	long long expected = 0;
	bool whole = body != NULL;

	if (output_model(arguments_at(a, 0), e) != 0 ||
	    output_reason(a, arguments_flag(a, "dry-run") ? NULL : OUTPUT_REASON_NEEDED, e) != 0 ||
	    output_number(a, "expect-revision", 0, UINT32_MAX, -1, &expected, e) != 0)
		return -1;
	whole = whole && cJSON_AddStringToObject(body, "action", action);
	if (reason)
		whole = whole && cJSON_AddStringToObject(body, "reason", reason);
	if (expected >= 0)
		whole = whole && cJSON_AddNumberToObject(body, "expect_revision", (double)expected);
	if (arguments_flag(a, "dry-run"))
		whole = whole && cJSON_AddTrueToObject(body, "dry_run");
	if (arguments_flag(a, "force"))
		whole = whole && cJSON_AddTrueToObject(body, "force");
	return whole ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

/* The sentence follows on stderr; a failure to print must not hide it. */
static void refusal_print(const struct arguments *a, const char *action, const cJSON *refusal)
{
	struct err e = {0};

	if (!cJSON_GetObjectItemCaseSensitive(refusal, "gates"))
		return;
	if (arguments_flag(a, "json"))
		output_json(refusal, &e);
	else
		change_print_refusal(a, action, refusal, &e);
}

int change_send(const struct arguments *a, const char *action, cJSON *body, struct err *e)
{
	char path[128];
	struct client *client = NULL;
	cJSON *answer = NULL;
	int result = -1;

	if (body_fill(a, action, body, e) != 0 || output_client(a, action, &client, e) != 0)
		goto out;
	snprintf(path, sizeof(path), "/control/v1/models/%s/route", arguments_at(a, 0));
	if (client_post(client, path, body, CHANGE_TIMEOUT_MS, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : change_print(a, action, answer, e);
	else
		refusal_print(a, action, client_refusal(client));
out:
	cJSON_Delete(answer);
	client_free(client);
	cJSON_Delete(body);
	return result;
}
