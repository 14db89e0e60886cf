/*
 * Refusals in the audit, one record an attempt, but bounded: whoever floods the runtime with attempts must not fill its
 * disk. Each uid has a bucket of records that refills with time; what finds it empty is counted, and the count becomes
 * a record before the next one of that uid, or when the registry is closed. What was done is always recorded.
 */
#include "core/registry/registry_internal.h"

#include "core/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct refusals *find(struct registry *r, uint32_t uid)
{
	for (size_t i = 0; i < REFUSERS_MAX; i++)
		if (r->refusals[i].used && r->refusals[i].uid == uid)
			return &r->refusals[i];
	return NULL;
}

/* A bucket for another uid: an unused one, else that which was used the longest time ago. */
static int make(struct registry *r, uint32_t uid, struct refusals **bucket, struct err *e)
{
	struct refusals *oldest = &r->refusals[0];
	for (size_t i = 0; i < REFUSERS_MAX; i++)
		if (!r->refusals[i].used || (oldest->used && r->refusals[i].filled_ms < oldest->filled_ms))
			oldest = &r->refusals[i];
	if (registry_count_refusals(r, oldest, e) != 0)
		return -1;
	*oldest = (struct refusals){.used = true, .uid = uid, .left = REFUSALS_BURST, .filled_ms = clock_ms()};
	*bucket = oldest;
	return 0;
}

static void refill(struct refusals *bucket)
{
	int64_t seconds = (clock_ms() - bucket->filled_ms) / 1000;
	if (seconds <= 0)
		return;
	int64_t left = bucket->left + seconds * REFUSALS_A_SECOND;
	bucket->left = left < REFUSALS_BURST ? (int)left : REFUSALS_BURST;
	bucket->filled_ms += seconds * 1000;
}

int registry_count_refusals(struct registry *r, struct refusals *bucket, struct err *e)
{
	struct audit_record record;
	struct actor actor = {.uid = bucket->uid};
	if (bucket->left_out == 0)
		return 0;
	memcpy(actor.name, bucket->who, sizeof actor.name);
	registry_audit_init(&record, &actor, "left-out", "", err_name(ERR_BUSY), "");
	snprintf(record.detail, sizeof record.detail,
		 "%" PRIu64 " further refusals are not recorded one by one: there were too many", bucket->left_out);
	if (registry_append_audit(r, &record, e) != 0)
		return -1;
	bucket->left_out = 0;
	return 0;
}

int registry_admit_refusal(struct registry *r, const struct audit_record *record, bool *admitted, struct err *e)
{
	struct refusals *bucket = find(r, record->uid);
	*admitted = false;
	if (bucket == NULL && make(r, record->uid, &bucket, e) != 0)
		return -1;
	refill(bucket);
	if (bucket->left == 0) {
		memcpy(bucket->who, record->who, sizeof bucket->who);
		bucket->left_out++;
		return 0;
	}
	if (registry_count_refusals(r, bucket, e) != 0)
		return -1;
	bucket->left--;
	*admitted = true;
	return 0;
}
