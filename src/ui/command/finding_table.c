#include "ui/command/finding_table.h"

#include "ui/command/table.h"

#include <inttypes.h>

static void number_cell(struct table *t, const struct finding *f, double value)
{
	char text[FINDING_VALUE_SIZE];

	finding_value_text(value, f->unit, text);
	table_cell(t, "%s", text);
}

static void count_cell(struct table *t, const struct finding *f)
{
	if (f->n_needed > f->n)
		table_cell(t, "%" PRIu64 "/%" PRIu64, f->n, f->n_needed);
	else if (f->n > 0)
		table_cell(t, "%" PRIu64, f->n);
	else
		table_cell(t, "-");
}

int finding_table_print(const char *header, const struct finding *findings, size_t count, struct err *e)
{
	const char *const headers[] = {header, "VERDICT", ">VALUE", ">LIMIT", ">N", "WHAT", NULL};
	struct table *t;
	int result;

	if (count == 0)
		return 0;
	t = table_new(headers);
	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < count; i++) {
		const struct finding *f = &findings[i];

		table_row(t);
		table_cell(t, "%s", f->name);
		table_cell(t, f->forced ? "%s, forced" : "%s", finding_verdict_name(f->verdict));
		number_cell(t, f, f->value);
		number_cell(t, f, f->threshold);
		count_cell(t, f);
		table_cell(t, "%s", f->text);
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}
