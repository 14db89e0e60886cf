#include "ui/command/shadow_table.h"

#include "ui/command/output.h"
#include "ui/command/table.h"

#include <math.h>

size_t shadow_table_rows(const struct snapshot_model *m)
{
	size_t count = 0;

	for (uint32_t i = 0; i < m->route_count; i++)
		count += m->route[i].role == ROUTE_SHADOW;
	return count;
}

/* "-" for what is not known. */
static void cell_number(struct table *t, const char *format, double value)
{
	char text[32];

	if (isfinite(value)) {
		snprintf(text, sizeof text, format, value);
		table_cell(t, "%s", text);
	} else {
		table_cell(t, "-");
	}
}

static void row(struct table *t, const struct route_entry *entry, const struct shadow_stats *s)
{
	double rows = s->compared > 0 ? (double)s->rows : NAN;
	char since[32] = "-";

	if (s->against > 0)
		output_time(since, sizeof since, (double)s->since_ms);
	table_row(t);
	table_cell(t, "v%u", entry->version);
	table_cell(t, "%g%%", entry->weight_bp / 100.0);
	if (s->against > 0)
		table_cell(t, "v%u", s->against);
	else
		table_cell(t, "-");
	table_cell(t, "%llu", (unsigned long long)s->compared);
	table_cell(t, "%llu", (unsigned long long)s->dropped);
	table_cell(t, "%llu", (unsigned long long)s->failed);
	cell_number(t, "%.2f%%", 100 * (double)s->differing / rows);
	cell_number(t, "%.2f%%", shadow_flip_percent(s));
	cell_number(t, "%.4g", shadow_absolute_mean(s));
	cell_number(t, "%.4g", s->compared > 0 ? s->absolute_max : NAN);
	cell_number(t, "%.2fx", shadow_latency_ratio(s));
	table_cell(t, "%s", since);
}

int shadow_table_print(const struct snapshot_model *m, struct err *e)
{
	static const char *const headers[] = {"SHADOW",   ">SHARE",     "OF",     ">COMPARED",    ">DROPPED",
					      ">FAILED",  ">DIFFERING", ">FLIPS", ">MEAN |DIFF|", ">MAX",
					      ">LATENCY", "SINCE",      NULL};
	static const struct shadow_stats nothing;
	struct table *t = table_new(headers);
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (uint32_t i = 0; i < m->route_count; i++) {
		const struct snapshot_version_stats *stats = snapshot_stats_of(m, m->route[i].version);

		if (m->route[i].role == ROUTE_SHADOW)
			row(t, &m->route[i], stats ? &stats->shadow : &nothing);
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}
