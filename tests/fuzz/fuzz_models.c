/* fuzz_models: any text as a models file; a refusal is one sentence with a line, and what is taken makes sense. */
#include "core/models_file.h"
#include "core/models_plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_model(const struct models_model *m)
{
	uint32_t sum = 0, version = 0;

	if (!text_name_valid(m->name) || m->line < 1 || m->entry_count > ROUTE_ENTRIES_MAX)
		abort();
	for (size_t i = 0; i < m->version_count; i++) {
		const struct models_version *v = &m->versions[i];
		if (v->version <= version || v->source == NULL || v->kind == MODELS_NONE ||
		    (v->kind == MODELS_FILE) != (v->path != NULL) ||
		    digest_valid(v->sha256) != (v->kind == MODELS_SHA256))
			abort();
		version = v->version;
	}
	for (size_t i = 0; i < m->entry_count; i++)
		if (m->entries[i].role != ROUTE_SHADOW)
			sum += m->entries[i].weight_bp;
	if ((m->entry_count > 0 && (sum != ROUTE_BUCKETS || m->route_line == 0)))
		abort();
}

/* Whatever was read, a plan against a runtime without models is made or refused. */
static void check_plan(const struct models_file *f)
{
	struct snapshot *s = snapshot_new();
	struct models_plan *plan;
	struct err e = {.code = ERR_NONE};

	if (s == NULL)
		abort();
	if (models_plan_make(f, s, &plan, &e) != 0) {
		if (e.code == ERR_NONE || strstr(e.text, "line ") == NULL)
			abort();
	} else if (plan->model_count + plan->same_count != f->model_count) {
		abort();
	}
	models_plan_free(plan);
	snapshot_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct models_file f;
	struct err e = {.code = ERR_NONE};
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (models_file_parse(&f, "f", text, &e) != 0) {
		if ((e.code != ERR_INPUT && e.code != ERR_TOO_LARGE) || strncmp(e.text, "f, line ", 8) != 0)
			abort();
	} else {
		for (size_t i = 0; i < f.model_count; i++)
			check_model(&f.models[i]);
		check_plan(&f);
		models_file_release(&f);
	}
	free(text);
	return 0;
}
