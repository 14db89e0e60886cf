/* telemetry: a version as a shadow. */
#include "runtime/telemetry/telemetry_internal.h"

#include <string.h>

/* The telemetry of the copies, made on the first use. */
static struct telemetry *need_copies(struct telemetry *t)
{
	struct telemetry *copies = atomic_load(&t->copies);

	if (copies != NULL)
		return copies;
	copies = telemetry_new(atomic_load(&t->baseline));
	if (copies == NULL)
		return NULL;
	copies->parent = t;
	atomic_store(&t->copies, copies);
	return copies;
}

int telemetry_begin_shadow(struct telemetry *t, uint32_t against, struct comparison **ended)
{
	struct comparison *begun = need_copies(t) == NULL ? NULL : comparison_new(against, &t->shadow_total);

	*ended = atomic_exchange(&t->comparison, begun);
	if (*ended != NULL)
		comparison_end(*ended);
	return begun == NULL ? -1 : 0;
}

struct comparison *telemetry_comparison(struct telemetry *t)
{
	return atomic_load(&t->comparison);
}

struct telemetry *telemetry_copies(struct telemetry *t)
{
	return atomic_load(&t->copies);
}

bool telemetry_read_shadow(struct telemetry *t, struct shadow_stats *stats)
{
	struct comparison *c = telemetry_comparison(t);

	memset(stats, 0, sizeof *stats);
	if (c != NULL)
		comparison_read(c, stats);
	return c != NULL;
}

bool telemetry_read_shadow_totals(struct telemetry *t, struct shadow_stats *stats)
{
	memset(stats, 0, sizeof *stats);
	tally_read(&t->shadow_total, stats);
	stats->copied = stats->compared + stats->failed + stats->dropped;
	return telemetry_copies(t) != NULL;
}
