/* Routes as JSON: {"entries":[{"version","role","weight_bp","ranges":[[from,to],...]}]}, a range
 * being the buckets from <= bucket < to. */
#include "core/json.h"
#include "core/route.h"

#include <stdbool.h>
#include <string.h>

static bool add_ranges(cJSON *object, const struct route *r, uint32_t owner)
{
	cJSON *ranges = cJSON_AddArrayToObject(object, "ranges");
	bool done = ranges != NULL;
	uint32_t from = 0;
	bool traffic = r->entries[owner].role != ROUTE_SHADOW;
	while (done && traffic && from < ROUTE_BUCKETS) {
		if (r->owner[from] != owner) {
			from++;
			continue;
		}
		uint32_t to = from;
		while (to < ROUTE_BUCKETS && r->owner[to] == owner)
			to++;
		const int pair[2] = {(int)from, (int)to};
		done = cJSON_AddItemToArray(ranges, cJSON_CreateIntArray(pair, 2));
		from = to;
	}
	return done;
}

cJSON *route_to_json(const struct route *r)
{
	cJSON *object = cJSON_CreateObject();
	/* Routes are compared as texts, and older ones have none. */
	bool done = r->salt[0] == '\0' || json_add_text(object, "salt", r->salt);
	cJSON *entries = cJSON_AddArrayToObject(object, "entries");
	done = done && entries != NULL;
	for (uint32_t i = 0; done && i < r->entry_count; i++) {
		const struct route_entry *entry = &r->entries[i];
		cJSON *item = cJSON_CreateObject();
		cJSON_AddItemToArray(entries, item);
		done = cJSON_AddNumberToObject(item, "version", entry->version) != NULL &&
		       cJSON_AddStringToObject(item, "role", route_role_name(entry->role)) != NULL &&
		       cJSON_AddNumberToObject(item, "weight_bp", entry->weight_bp) != NULL && add_ranges(item, r, i);
	}
	if (done)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static int read_role(const cJSON *json, enum route_role *role, struct err *e)
{
	char name[16];
	if (json_string(json, "role", name, sizeof name, e) != 0)
		return -1;
	for (int i = 0; i < ROUTE_ROLE_COUNT; i++)
		if (strcmp(name, route_role_name((enum route_role)i)) == 0) {
			*role = (enum route_role)i;
			return 0;
		}
	return err_set(e, ERR_INPUT, "field `role` must be live, canary or shadow, got \"%s\"", name);
}

static int read_range(struct route *r, const cJSON *range, uint8_t owner, bool *taken, uint32_t *total, struct err *e)
{
	int64_t from, to;
	if (!cJSON_IsArray(range) || cJSON_GetArraySize(range) != 2 ||
	    !json_is_integer(cJSON_GetArrayItem(range, 0), 0, ROUTE_BUCKETS - 1, &from) ||
	    !json_is_integer(cJSON_GetArrayItem(range, 1), from + 1, ROUTE_BUCKETS, &to))
		return err_set(e, ERR_INPUT,
			       "field `ranges` must hold pairs [from, to] of buckets, "
			       "0 <= from < to <= %d",
			       ROUTE_BUCKETS);
	for (int64_t bucket = from; bucket < to; bucket++) {
		if (taken[bucket])
			return err_set(e, ERR_INPUT, "bucket %lld is in the ranges of two versions", (long long)bucket);
		taken[bucket] = true;
		r->owner[bucket] = owner;
	}
	*total += (uint32_t)(to - from);
	return 0;
}

static int read_ranges(struct route *r, const cJSON *json, uint8_t owner, bool *taken, struct err *e)
{
	const struct route_entry *entry = &r->entries[owner];
	const cJSON *ranges = json_array(json, "ranges", ROUTE_BUCKETS, e);
	if (ranges == NULL)
		return -1;
	uint32_t total = 0;
	const cJSON *range;
	cJSON_ArrayForEach(range, ranges)
	{
		if (read_range(r, range, owner, taken, &total, e) != 0)
			return -1;
	}
	uint32_t wanted = entry->role == ROUTE_SHADOW ? 0 : entry->weight_bp;
	if (total != wanted)
		return err_set(e, ERR_INPUT, "the ranges of v%u hold %u buckets, not %u", entry->version, total,
			       wanted);
	return 0;
}

static int read_entry(struct route *r, const cJSON *json, bool *taken, struct err *e)
{
	struct route_entry entry = {0};
	/* No limit of the registry here: a route is as good as its numbers. */
	if (json_uint32(json, "version", 1, UINT32_MAX, &entry.version, e) != 0 ||
	    read_role(json, &entry.role, e) != 0 ||
	    json_uint32(json, "weight_bp", 1, ROUTE_BUCKETS, &entry.weight_bp, e) != 0)
		return -1;
	if (route_find(r, entry.version) != NULL)
		return err_set(e, ERR_INPUT, "v%u is twice in the route", entry.version);
	if (entry.role == ROUTE_LIVE && route_live(r) != 0)
		return err_set(e, ERR_INPUT, "a route has one live version, not v%u and v%u", route_live(r),
			       entry.version);
	uint8_t owner = (uint8_t)r->entry_count;
	r->entries[r->entry_count++] = entry;
	return read_ranges(r, json, owner, taken, e);
}

static int read_salt(const cJSON *json, struct route *r, struct err *e)
{
	if (json_string(json, "salt", r->salt, sizeof r->salt, e) != 0)
		return -1;
	return text_name_valid(r->salt) ? 0 : err_set(e, ERR_INPUT, "field `salt` must be a name");
}

int route_from_json(struct route *r, const cJSON *json, struct err *e)
{
	struct route result;
	bool taken[ROUTE_BUCKETS] = {false};
	route_init(&result);
	const cJSON *entries = json_array(json, "entries", ROUTE_ENTRIES_MAX, e);
	if (entries == NULL || (json_has(json, "salt") && read_salt(json, &result, e) != 0))
		return -1;
	const cJSON *item;
	cJSON_ArrayForEach(item, entries)
	{
		if (read_entry(&result, item, taken, e) != 0)
			return -1;
	}
	if (result.entry_count > 0 && route_live(&result) == 0)
		return err_set(e, ERR_INPUT, "a route must have one live version");
	for (uint32_t bucket = 0; result.entry_count > 0 && bucket < ROUTE_BUCKETS; bucket++)
		if (!taken[bucket])
			return err_set(e, ERR_INPUT, "bucket %u is in no version's ranges", bucket);
	*r = result;
	return 0;
}
