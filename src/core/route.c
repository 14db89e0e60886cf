#include "core/route.h"

#include "core/hash.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* No entry's index: a bucket that nobody owns yet. */
#define NOBODY UINT8_MAX

static const char *const role_names[ROUTE_ROLE_COUNT] = {"live", "canary", "shadow"};

const char *route_role_name(enum route_role role)
{
	return role_names[role];
}

void route_init(struct route *r)
{
	memset(r, 0, sizeof *r);
}

void route_single(struct route *r, uint32_t version)
{
	route_init(r);
	r->entry_count = 1;
	r->entries[0] = (struct route_entry){version, ROUTE_LIVE, ROUTE_BUCKETS};
}

uint32_t route_live(const struct route *r)
{
	for (uint32_t i = 0; i < r->entry_count; i++)
		if (r->entries[i].role == ROUTE_LIVE)
			return r->entries[i].version;
	return 0;
}

const struct route_entry *route_find(const struct route *r, uint32_t version)
{
	for (uint32_t i = 0; i < r->entry_count; i++)
		if (r->entries[i].version == version)
			return &r->entries[i];
	return NULL;
}

bool route_same(const struct route *a, const struct route *b)
{
	if (a->entry_count != b->entry_count || strcmp(a->salt, b->salt) != 0)
		return false;
	uint8_t twin[ROUTE_ENTRIES_MAX] = {0};
	for (uint32_t i = 0; i < a->entry_count; i++) {
		const struct route_entry *entry = &a->entries[i];
		const struct route_entry *other = route_find(b, entry->version);
		if (other == NULL || other->role != entry->role || other->weight_bp != entry->weight_bp)
			return false;
		twin[i] = (uint8_t)(other - b->entries);
	}
	for (uint32_t bucket = 0; a->entry_count > 0 && bucket < ROUTE_BUCKETS; bucket++)
		if (twin[a->owner[bucket]] != b->owner[bucket])
			return false;
	return true;
}

/* Each by itself: versions that can be, once each, no share above the whole. */
static int check_entries(const struct route_entry *entries, size_t count, struct err *e)
{
	if (count > ROUTE_ENTRIES_MAX)
		return err_set(e, ERR_INPUT, "a route has at most %d versions, got %zu", ROUTE_ENTRIES_MAX, count);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].version == 0)
			return err_set(e, ERR_INPUT, "there is no version 0: versions start at 1");
		if (entries[i].weight_bp > ROUTE_BUCKETS)
			return err_set(e, ERR_INPUT, "the share of v%u is more than 100%%", entries[i].version);
		for (size_t j = 0; j < i; j++)
			if (entries[j].version == entries[i].version)
				return err_set(e, ERR_INPUT, "v%u is named twice", entries[i].version);
	}
	return 0;
}

static int check_sum(const struct route_entry *entries, size_t count, struct err *e)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		if (entries[i].role != ROUTE_SHADOW)
			sum += entries[i].weight_bp;
	if (sum != ROUTE_BUCKETS)
		return err_set(e, ERR_INPUT, "the shares must add up to 100%%, got %.10g%%", (double)sum / 100);
	return 0;
}

static bool named(const struct route_entry *weights, size_t count, uint32_t version)
{
	for (size_t i = 0; i < count; i++)
		if (weights[i].version == version)
			return true;
	return false;
}

/* The version that is live under the new weights. */
static uint32_t choose_live(const struct route *previous, const struct route_entry *weights, size_t count)
{
	uint32_t before = route_live(previous), greatest_bp = 0, live = 0;
	for (size_t i = 0; i < count; i++) {
		if (weights[i].role == ROUTE_SHADOW || weights[i].weight_bp == 0)
			continue;
		if (weights[i].version == before)
			return before;
		if (weights[i].weight_bp > greatest_bp) {
			greatest_bp = weights[i].weight_bp;
			live = weights[i].version;
		}
	}
	return live;
}

/* Adds an entry; false when the route is full. */
static bool add(struct route *r, uint32_t version, enum route_role role, uint32_t weight_bp)
{
	if (r->entry_count == ROUTE_ENTRIES_MAX)
		return false;
	r->entries[r->entry_count++] = (struct route_entry){version, role, weight_bp};
	return true;
}

/* The live entry first, then the canaries and the shadows as given. */
static bool add_given(struct route *r, uint32_t live, const struct route_entry *weights, size_t count)
{
	bool fits = true;
	for (int role = ROUTE_LIVE; role <= ROUTE_SHADOW; role++)
		for (size_t i = 0; i < count; i++) {
			enum route_role own = weights[i].role == ROUTE_SHADOW ? ROUTE_SHADOW
					      : weights[i].version == live    ? ROUTE_LIVE
									      : ROUTE_CANARY;
			if ((int)own == role && weights[i].weight_bp > 0)
				fits = fits && add(r, weights[i].version, own, weights[i].weight_bp);
		}
	return fits;
}

/* The shadows of before, but for those that are named. */
static bool add_shadows(struct route *r, const struct route *previous, const struct route_entry *weights, size_t count)
{
	bool fits = true;
	for (uint32_t i = 0; i < previous->entry_count; i++) {
		const struct route_entry *entry = &previous->entries[i];
		if (entry->role == ROUTE_SHADOW && !named(weights, count, entry->version))
			fits = fits && add(r, entry->version, ROUTE_SHADOW, entry->weight_bp);
	}
	return fits;
}

/*
 * Every version keeps the first of its buckets, up to its new weight; what is left free then fills
 * the versions that grew, in order. So exactly sum(max(0, old - new)) buckets move, which is the
 * fewest possible.
 */
static void share_buckets(struct route *r, const struct route *previous)
{
	uint32_t owned[ROUTE_ENTRIES_MAX] = {0};
	uint8_t heir[ROUTE_ENTRIES_MAX];
	for (uint32_t i = 0; i < previous->entry_count; i++) {
		const struct route_entry *entry = route_find(r, previous->entries[i].version);
		bool stays = entry != NULL && entry->role != ROUTE_SHADOW;
		heir[i] = stays ? (uint8_t)(entry - r->entries) : NOBODY;
	}
	for (uint32_t bucket = 0; bucket < ROUTE_BUCKETS; bucket++) {
		uint8_t owner = previous->entry_count > 0 ? heir[previous->owner[bucket]] : NOBODY;
		bool keeps = owner != NOBODY && owned[owner] < r->entries[owner].weight_bp;
		r->owner[bucket] = keeps ? owner : NOBODY;
		if (keeps)
			owned[owner]++;
	}
	uint8_t next = 0;
	for (uint32_t bucket = 0; bucket < ROUTE_BUCKETS; bucket++) {
		if (r->owner[bucket] != NOBODY)
			continue;
		while (owned[next] == r->entries[next].weight_bp)
			next++;
		r->owner[bucket] = next;
		owned[next]++;
	}
}

/* Versions that answer requests. */
static uint32_t traffic_count(const struct route *r)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < r->entry_count; i++)
		count += r->entries[i].role != ROUTE_SHADOW;
	return count;
}

static int finish(struct route *r, struct route *result, const struct route *previous, bool fits, struct err *e)
{
	if (!fits)
		return err_set(e, ERR_INPUT, "a route has at most %d versions, shadows included", ROUTE_ENTRIES_MAX);
	share_buckets(result, previous);
	/* Units stay where they are, until all are with one version. */
	if (traffic_count(result) > 1)
		memcpy(result->salt, previous->salt, sizeof result->salt);
	*r = *result;
	return 0;
}

int route_split(struct route *r, const struct route *previous, const struct route_entry *weights, size_t count,
		struct err *e)
{
	struct route result;
	if (check_entries(weights, count, e) != 0 || check_sum(weights, count, e) != 0)
		return -1;
	route_init(&result);
	bool fits = add_given(&result, choose_live(previous, weights, count), weights, count) &&
		    add_shadows(&result, previous, weights, count);
	return finish(r, &result, previous, fits, e);
}

static int check_shadows(const struct route *previous, const struct route_entry *shadows, size_t count, struct err *e)
{
	if (check_entries(shadows, count, e) != 0)
		return -1;
	if (count == 0)
		return err_set(e, ERR_INPUT, "no shadow is named");
	if (previous->entry_count == 0)
		return err_set(e, ERR_INPUT, "nothing is live, so there are no requests to copy to a shadow");
	for (size_t i = 0; i < count; i++) {
		const struct route_entry *entry = route_find(previous, shadows[i].version);
		if (entry != NULL && entry->role != ROUTE_SHADOW)
			return err_set(e, ERR_INPUT, "v%u %s, so it cannot be a shadow as well", entry->version,
				       entry->role == ROUTE_LIVE ? "is live" : "is a canary");
	}
	return 0;
}

int route_shadow(struct route *r, const struct route *previous, const struct route_entry *shadows, size_t count,
		 struct err *e)
{
	struct route result;
	bool fits = true;
	if (check_shadows(previous, shadows, count, e) != 0)
		return -1;
	route_init(&result);
	for (uint32_t i = 0; i < previous->entry_count; i++)
		if (previous->entries[i].role != ROUTE_SHADOW)
			fits = fits && add(&result, previous->entries[i].version, previous->entries[i].role,
					   previous->entries[i].weight_bp);
	fits = fits && add_shadows(&result, previous, shadows, count);
	for (size_t i = 0; i < count; i++)
		if (shadows[i].weight_bp > 0)
			fits = fits && add(&result, shadows[i].version, ROUTE_SHADOW, shadows[i].weight_bp);
	return finish(r, &result, previous, fits, e);
}

/* The version that is given the role live, 0 when none is. */
static int given_live(const struct route_entry *entries, size_t count, uint32_t *live, struct err *e)
{
	*live = 0;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].role != ROUTE_LIVE)
			continue;
		if (*live != 0)
			return err_set(e, ERR_INPUT, "a route has one live version, not v%u and v%u", *live,
				       entries[i].version);
		if (entries[i].weight_bp == 0)
			return err_set(e, ERR_INPUT, "v%u cannot be live with a share of 0%%", entries[i].version);
		*live = entries[i].version;
	}
	return 0;
}

int route_set(struct route *r, const struct route *previous, const struct route_entry *entries, size_t count,
	      struct err *e)
{
	struct route result;
	uint32_t live;
	if (check_entries(entries, count, e) != 0 || given_live(entries, count, &live, e) != 0 ||
	    check_sum(entries, count, e) != 0)
		return -1;
	if (live == 0)
		live = choose_live(previous, entries, count);
	route_init(&result);
	return finish(r, &result, previous, add_given(&result, live, entries, count), e);
}

/* The arms are of the live version or of ones that get no requests, or get them as this arm. */
static int check_arms(const struct route *previous, const struct route_entry *weights, size_t count, struct err *e)
{
	uint32_t live = route_live(previous), sum = 0;
	if (live == 0)
		return err_set(e, ERR_CONFLICT, "nothing is live, so there is nothing to compare with");
	if (count == 0 || weights[0].version != live)
		return err_set(e, ERR_INPUT, "the first arm is the control, which must be the live version, v%u", live);
	for (size_t i = 0; i < count; i++) {
		if (weights[i].version == 0 || weights[i].weight_bp == 0 || weights[i].weight_bp > ROUTE_BUCKETS)
			return err_set(e, ERR_INPUT, "an arm has a version from 1 and a share of 0.01%% to 100%%");
		sum += weights[i].weight_bp;
		for (size_t k = 1; k < i; k++)
			if (weights[i].version != live && weights[i].version == weights[k].version)
				return err_set(e, ERR_INPUT, "v%u is named twice", weights[i].version);
	}
	if (sum > ROUTE_BUCKETS)
		return err_set(e, ERR_INPUT, "the arms have more than 100%% together");
	for (uint32_t i = 0; i < previous->entry_count; i++)
		if (previous->entries[i].role == ROUTE_CANARY && !named(weights, count, previous->entries[i].version))
			return err_set(e, ERR_CONFLICT, "v%u is a canary and no arm: end its share first",
				       previous->entries[i].version);
	return 0;
}

/* The place of a version's entry, made with no weight where there is none; ROUTE_ENTRIES_MAX when it is full. */
static uint32_t place_of(struct route *r, uint32_t version)
{
	const struct route_entry *entry = route_find(r, version);
	if (entry != NULL)
		return (uint32_t)(entry - r->entries);
	return add(r, version, ROUTE_CANARY, 0) ? r->entry_count - 1 : ROUTE_ENTRIES_MAX;
}

int route_experiment(struct route *r, const struct route *previous, const char *salt, const struct route_entry *weights,
		     size_t count, struct err *e)
{
	struct route result;
	uint32_t bucket = 0;
	if (check_arms(previous, weights, count, e) != 0)
		return -1;
	route_init(&result);
	if (strlen(salt) >= sizeof result.salt)
		return err_set(e, ERR_INPUT, "a salt is at most %d bytes", TEXT_NAME_MAX);
	memcpy(result.salt, salt, strlen(salt) + 1);
	bool fits = add(&result, weights[0].version, ROUTE_LIVE, 0);
	for (size_t i = 0; fits && i < count; i++) {
		uint32_t place = place_of(&result, weights[i].version);
		fits = place < ROUTE_ENTRIES_MAX;
		for (uint32_t end = bucket + weights[i].weight_bp; fits && bucket < end; bucket++)
			result.owner[bucket] = (uint8_t)place;
		if (fits)
			result.entries[place].weight_bp += weights[i].weight_bp;
	}
	/* The rest is the first entry's, which owner says already. */
	result.entries[0].weight_bp += ROUTE_BUCKETS - bucket;
	if (!fits || !add_shadows(&result, previous, weights, count))
		return err_set(e, ERR_INPUT, "a route has at most %d versions, shadows included", ROUTE_ENTRIES_MAX);
	*r = result;
	return 0;
}

uint32_t route_bucket(const char *salt, const void *unit, size_t unit_size)
{
	return hash_bucket(hash_unit(salt, unit, unit_size), ROUTE_BUCKETS);
}

void route_text(const struct route *r, char *text, size_t size)
{
	size_t used = 0;
	if (size > 0)
		text[0] = '\0';
	if (r->entry_count == 0)
		snprintf(text, size, "nothing live");
	for (uint32_t i = 0; i < r->entry_count && used < size; i++) {
		const struct route_entry *entry = &r->entries[i];
		char part[48];
		int length = snprintf(part, sizeof part, "%sv%u %s%.10g%%", i > 0 ? " " : "", entry->version,
				      entry->role == ROUTE_SHADOW ? "shadow " : "", entry->weight_bp / 100.0);
		/* A share that does not fit is left out whole: half a number would be a lie. */
		if (used + (size_t)length >= size)
			break;
		memcpy(text + used, part, (size_t)length + 1);
		used += (size_t)length;
	}
}
