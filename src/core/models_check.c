/* models_check: what no single line of a models file shows. */
#include "core/models_file.h"
#include "core/shares.h"

#include <stdlib.h>
#include <string.h>

static int compare_versions(const void *a, const void *b)
{
	uint32_t one = ((const struct models_version *)a)->version, other = ((const struct models_version *)b)->version;
	return one < other ? -1 : one > other;
}

static int check_versions(const struct models_file *f, struct models_model *m, struct err *e)
{
	if (m->version_count > 1)
		qsort(m->versions, m->version_count, sizeof *m->versions, compare_versions);
	for (size_t i = 0; i < m->version_count; i++) {
		const struct models_version *v = &m->versions[i];
		for (int option = 0; v->kind == MODELS_NONE && option < MODELS_OPTION_COUNT; option++) {
			if (v->options[option] == NULL)
				continue;
			err_set(e, ERR_INPUT, "`%s.%u` is for a version that the file does not have: say version.%u",
				models_option_name((enum models_option)option), v->version, v->version);
			return models_file_refuse(f, v->option_lines[option], e);
		}
	}
	return 0;
}

/* Shares of 0% are left out: they say that a version gets none. */
static void drop_zeros(struct models_model *m)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->entry_count; i++)
		if (m->entries[i].weight_bp > 0)
			m->entries[kept++] = m->entries[i];
	m->entry_count = kept;
}

/* Shadows last, whatever the order of the lines. */
static void order_entries(struct models_model *m)
{
	struct route_entry ordered[ROUTE_ENTRIES_MAX];
	size_t count = 0;
	for (int role = ROUTE_CANARY; role <= ROUTE_SHADOW; role++)
		for (size_t i = 0; i < m->entry_count; i++)
			if ((int)m->entries[i].role == role)
				ordered[count++] = m->entries[i];
	memcpy(m->entries, ordered, count * sizeof *ordered);
}

static int check_shares(const struct models_file *f, const struct models_model *m, struct err *e)
{
	uint32_t sum = 0;
	bool has_live = m->live == 0;

	for (size_t i = 0; i < m->entry_count; i++) {
		if (m->entries[i].role == ROUTE_SHADOW)
			continue;
		sum += m->entries[i].weight_bp;
		has_live |= m->entries[i].version == m->live && m->entries[i].weight_bp > 0;
	}
	if (m->entry_count > 0 && sum != ROUTE_BUCKETS) {
		char text[SHARE_TEXT_SIZE];
		share_text(text, sum);
		err_set(e, ERR_INPUT, "the shares of the route add up to %s%%; they must add up to 100%%", text);
		return models_file_refuse(f, m->route_line, e);
	}
	if (!has_live) {
		err_set(e, ERR_INPUT, "version %u cannot be live: the route gives it no share", m->live);
		return models_file_refuse(f, m->live_line, e);
	}
	return 0;
}

static int check_route(const struct models_file *f, struct models_model *m, struct err *e)
{
	int line = m->shadow_line != 0 ? m->shadow_line : m->live_line;

	if (m->route_line == 0 && line != 0) {
		err_set(e, ERR_INPUT, "`%s` is a part of the route: say `route` too",
			m->shadow_line != 0 ? "shadow" : "live");
		return models_file_refuse(f, line, e);
	}
	if (check_shares(f, m, e) != 0)
		return -1;
	drop_zeros(m);
	order_entries(m);
	return 0;
}

static int compare_models(const void *a, const void *b)
{
	const struct models_model *one = *(const struct models_model *const *)a;
	const struct models_model *other = *(const struct models_model *const *)b;
	int order = strcmp(one->name, other->name);
	return order != 0 ? order : one->line - other->line;
}

static int check_unique(const struct models_file *f, struct err *e)
{
	const struct models_model **sorted = calloc(f->model_count + 1, sizeof *sorted);
	int result = 0;

	if (sorted == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while reading the models file");
	for (size_t i = 0; i < f->model_count; i++)
		sorted[i] = &f->models[i];
	qsort(sorted, f->model_count, sizeof *sorted, compare_models);
	for (size_t i = 1; result == 0 && i < f->model_count; i++)
		if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0) {
			err_set(e, ERR_INPUT, "[model %s] is there twice, first on line %d", sorted[i]->name,
				sorted[i - 1]->line);
			result = models_file_refuse(f, sorted[i]->line, e);
		}
	free(sorted);
	return result;
}

int models_file_check(struct models_file *f, struct err *e)
{
	for (size_t i = 0; i < f->model_count; i++)
		if (check_versions(f, &f->models[i], e) != 0 || check_route(f, &f->models[i], e) != 0)
			return -1;
	return check_unique(f, e);
}
