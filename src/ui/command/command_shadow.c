#include "core/snapshot.h"
#include "ui/command/change.h"
#include "ui/command/output.h"
#include "ui/command/shadow_table.h"

extern const struct command command_shadow;

static int change(const struct arguments *a, struct err *e)
{
	struct route_entry entries[ROUTE_ENTRIES_MAX] = {0};
	size_t count;
	cJSON *body;

	if (change_shares(a, entries, &count, e) != 0)
		return -1;
	body = change_share_body(entries, count);
	if (!body)
		return err_set(e, ERR_MEMORY, "memory is out");
	return change_send(a, "shadow", body, e);
}

static int print_model(const struct snapshot_model *m, struct err *e)
{
	if (shadow_table_rows(m) > 0)
		return shadow_table_print(m, e);
	output_text(m->name);
	fputs(" has no shadow: mldeck shadow ", stdout);
	output_text(m->name);
	puts(" VERSION=PERCENT --reason TEXT");
	return output_end(e);
}

/* {"model","live","shadows":[{"version","percent","comparison":{...}}]}, out of the snapshot's own. */
static cJSON *shadows_json(const struct snapshot_model *m, const cJSON *model)
{
	const cJSON *stats, *per_version = cJSON_GetObjectItemCaseSensitive(model, "per_version");
	cJSON *json = cJSON_CreateObject(), *list, *item;
	const struct route_entry *entry;

	cJSON_AddStringToObject(json, "model", m->name);
	cJSON_AddNumberToObject(json, "live", m->live);
	list = cJSON_AddArrayToObject(json, "shadows");
	for (uint32_t i = 0; list && i < m->route_count; i++) {
		entry = &m->route[i];
		if (entry->role != ROUTE_SHADOW)
			continue;
		item = cJSON_CreateObject();
		cJSON_AddNumberToObject(item, "version", entry->version);
		cJSON_AddNumberToObject(item, "percent", entry->weight_bp / 100.0);
		cJSON_ArrayForEach(stats, per_version)
		{
			const cJSON *shadow = cJSON_GetObjectItemCaseSensitive(stats, "shadow");

			if (shadow && json_find_number(stats, "version") == entry->version)
				cJSON_AddItemToObject(item, "comparison", cJSON_Duplicate(shadow, true));
		}
		cJSON_AddItemToArray(list, item);
	}
	return json;
}

static int print_json(const struct snapshot_model *m, const cJSON *snapshot, struct err *e)
{
	const cJSON *models = cJSON_GetObjectItemCaseSensitive(snapshot, "models");
	cJSON *json = shadows_json(m, cJSON_GetArrayItem(models, 0));
	int result = json ? output_json(json, e) : err_set(e, ERR_MEMORY, "memory is out");

	cJSON_Delete(json);
	return result;
}

static int print_snapshot(const struct arguments *a, const cJSON *json, struct err *e)
{
	const char *name = arguments_at(a, 0);
	struct snapshot *s = NULL;
	const struct snapshot_model *m;
	int result = -1;

	if (snapshot_from_json(json, &s, e) != 0)
		return -1;
	m = snapshot_find(s, name);
	if (!m)
		err_set(e, ERR_NOT_FOUND, "there is no model %s; `mldeck status` lists them", name);
	else
		result = arguments_flag(a, "json") ? print_json(m, json, e) : print_model(m, e);
	snapshot_free(s);
	return result;
}

static int show(const struct arguments *a, struct err *e)
{
	struct client *client = NULL;
	cJSON *json = NULL;
	char path[160];
	int result = -1;

	if (output_model(arguments_at(a, 0), e) != 0 || output_client(a, "shadow", &client, e) != 0)
		return -1;
	snprintf(path, sizeof path, "/control/v1/snapshot?model=%s", arguments_at(a, 0));
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &json, e) == 0)
		result = print_snapshot(a, json, e);
	cJSON_Delete(json);
	client_free(client);
	return result;
}

static int run(const struct arguments *a)
{
	struct err e = {0};
	int result = arguments_count(a) > 1 ? change(a, &e) : show(a, &e);

	return result == 0 ? 0 : command_fail(&command_shadow, &e);
}

static const struct option_spec options[] = {CHANGE_OPTIONS, OPTION_FORCE, OPTION_END};

const struct command command_shadow = {
    .name = "shadow",
    .arguments = "MODEL [VERSION=PERCENT...]",
    .summary = "copy a share of a model's requests to versions whose answers nobody gets",
    .details =
	"Compares their answers with the live version's: mldeck shadow churn 8=25%. 0 ends it. With MODEL alone: "
	"what was found so far.",
    .options = options,
    .run = run,
};
