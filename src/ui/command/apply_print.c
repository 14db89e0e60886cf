/* apply_print: a plan and what came of it, for people and as JSON. */
#include "ui/command/apply.h"

#include "ui/command/output.h"

#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 160

void apply_change_name(const struct models_change *c, char *text, size_t size)
{
	if (c->kind == MODELS_DEPLOY)
		snprintf(text, size, "version %u", c->version->version);
	else
		snprintf(text, size, "%s", c->kind == MODELS_POLICY ? "policy" : "route");
}

static void route_before(const struct models_change *c, char *text, size_t size)
{
	if (c->now)
		models_entries_text(c->now->route, c->now->route_count, text, size);
	else
		snprintf(text, size, "nothing live");
}

/* --- for people --- */

static void print_deploy(const struct models_change *c)
{
	const struct models_version *v = c->version;
	char size[32];

	printf("  + version %u = ", v->version);
	output_text(v->source);
	if (v->kind != MODELS_SHA256) {
		text_bytes(size, sizeof(size), (double)v->size_bytes);
		printf(" (sha256 %.12s, %s)", v->sha256, size);
	}
	puts(c->goes_live ? ", which becomes live: the first of its model, without a route" : "");
}

/* A setting that gets its default again is a "-". */
static void print_policy(const struct models_change *c)
{
	char value[POLICY_NAMES_SIZE], was[POLICY_NAMES_SIZE];
	const char *name, *help;
	struct policy before;

	models_change_policy(c, &before);
	for (size_t i = 0; policy_row(&c->model->policy, i, &name, value, &help); i++) {
		policy_row(&before, i, &name, was, &help);
		if (strcmp(value, was) == 0)
			continue;
		printf("  %c policy.%s = ",
		       policy_is_default(&c->model->policy, i) ? '-'
		       : policy_is_default(&before, i)         ? '+'
							       : '~',
		       name);
		output_text(*value ? value : "none");
		fputs(" (was ", stdout);
		output_text(*was ? was : "none");
		puts(")");
	}
}

static void print_route(const struct models_change *c)
{
	char after[TEXT_SIZE], before[TEXT_SIZE];

	models_entries_text(c->entries, c->entry_count, after, sizeof(after));
	route_before(c, before, sizeof(before));
	printf("  %c route = %s (was %s)\n", c->now && c->now->route_count ? '~' : '+', after, before);
}

static void print_names(const struct apply *a)
{
	for (size_t i = 0; i < a->plan->left_count; i++)
		printf("%s is left alone: the file does not name it\n", a->plan->left[i]->name);
}

static void print_sum(const struct apply *a)
{
	const struct models_plan *p = a->plan;

	if (p->change_count == 0)
		fputs("Nothing to do: ", stdout);
	else
		printf("%zu change%s to %zu model%s; ", p->change_count, p->change_count == 1 ? "" : "s",
		       p->model_count, p->model_count == 1 ? "" : "s");
	printf("%zu %s as ", p->same_count, p->same_count == 1 ? "is" : "are");
	output_text(a->file.name);
	puts(" says.");
}

void apply_print_plan(const struct apply *a, bool verbose)
{
	const struct models_model *last = NULL;

	for (size_t i = 0; i < a->plan->change_count; i++) {
		const struct models_change *c = &a->plan->changes[i];

		if (c->model != last)
			printf("%s%s\n", c->model->name, c->now ? "" : " (new)");
		last = c->model;
		if (c->kind == MODELS_DEPLOY)
			print_deploy(c);
		else if (c->kind == MODELS_POLICY)
			print_policy(c);
		else
			print_route(c);
	}
	if (verbose)
		print_names(a);
	print_sum(a);
	fflush(stdout);
}

void apply_print_change(const struct apply *a, size_t i)
{
	const struct models_change *c = &a->plan->changes[i];
	char route[TEXT_SIZE];

	printf("%s: ", c->model->name);
	if (c->kind == MODELS_DEPLOY) {
		printf("v%u is registered%s.\n", c->version->version, c->goes_live ? " and live" : "");
	} else if (c->kind == MODELS_POLICY) {
		printf("the policy is set (number %u).\n", a->outcomes[i].number);
	} else {
		models_entries_text(c->entries, c->entry_count, route, sizeof(route));
		printf("the route is %s (revision %u).\n", route, a->outcomes[i].number);
	}
	fflush(stdout);
}

void apply_print_rest(const struct apply *a)
{
	char name[32];

	for (size_t i = a->done_count; i < a->plan->change_count; i++) {
		apply_change_name(&a->plan->changes[i], name, sizeof(name));
		printf("%s: %s was not changed.\n", a->plan->changes[i].model->name, name);
	}
	fflush(stdout);
}

/* --- JSON --- */

static bool deploy_fields(cJSON *json, const struct models_change *c)
{
	const struct models_version *v = c->version;

	return cJSON_AddNumberToObject(json, "version", v->version) &&
	       cJSON_AddStringToObject(json, "source", v->source) &&
	       cJSON_AddStringToObject(json, "sha256", v->sha256) &&
	       cJSON_AddBoolToObject(json, "goes_live", c->goes_live);
}

static bool policy_fields(cJSON *json, const struct models_change *c)
{
	struct policy before;

	models_change_policy(c, &before);
	return cJSON_AddItemToObject(json, "before", policy_to_json(&before)) &&
	       cJSON_AddItemToObject(json, "after", policy_to_json(&c->model->policy));
}

static bool route_fields(cJSON *json, const struct models_change *c)
{
	char after[TEXT_SIZE], before[TEXT_SIZE];
	cJSON *entries;

	models_entries_text(c->entries, c->entry_count, after, sizeof(after));
	route_before(c, before, sizeof(before));
	if (!cJSON_AddStringToObject(json, "before", before) || !cJSON_AddStringToObject(json, "after", after) ||
	    !cJSON_AddNumberToObject(json, "based_on", models_change_revision(c)) ||
	    !(entries = cJSON_AddArrayToObject(json, "entries")))
		return false;
	for (size_t i = 0; i < c->entry_count; i++) {
		cJSON *entry = cJSON_CreateObject();
		if (!cJSON_AddItemToArray(entries, entry) ||
		    !cJSON_AddNumberToObject(entry, "version", c->entries[i].version) ||
		    !cJSON_AddStringToObject(entry, "role", route_role_name(c->entries[i].role)) ||
		    !cJSON_AddNumberToObject(entry, "weight_bp", c->entries[i].weight_bp))
			return false;
	}
	return true;
}

static bool change_fields(cJSON *json, const struct models_change *c, const struct apply_outcome *outcome)
{
	static const char *const kinds[] = {"deploy", "policy", "route"};
	static const char *const numbers[] = {"version", "number", "revision"};

	if (!cJSON_AddStringToObject(json, "model", c->model->name) ||
	    !cJSON_AddStringToObject(json, "kind", kinds[c->kind]) ||
	    !cJSON_AddBoolToObject(json, "done", outcome->done))
		return false;
	if (outcome->done && c->kind != MODELS_DEPLOY &&
	    !cJSON_AddNumberToObject(json, numbers[c->kind], outcome->number))
		return false;
	if (c->kind == MODELS_DEPLOY)
		return deploy_fields(json, c);
	return c->kind == MODELS_POLICY ? policy_fields(json, c) : route_fields(json, c);
}

static bool fault_field(cJSON *json, const struct apply *a)
{
	cJSON *fault;

	if (a->fault.code == ERR_NONE)
		return cJSON_AddNullToObject(json, "fault") != NULL;
	fault = cJSON_AddObjectToObject(json, "fault");
	return cJSON_AddStringToObject(fault, "error", a->fault.text) &&
	       cJSON_AddStringToObject(fault, "code", err_name(a->fault.code));
}

static bool lists(cJSON *json, const struct apply *a)
{
	cJSON *changes = cJSON_AddArrayToObject(json, "changes"), *left = cJSON_AddArrayToObject(json, "left_alone");

	for (size_t i = 0; changes && i < a->plan->change_count; i++) {
		cJSON *change = cJSON_CreateObject();
		if (!cJSON_AddItemToArray(changes, change) ||
		    !change_fields(change, &a->plan->changes[i], &a->outcomes[i]))
			return false;
	}
	for (size_t i = 0; left && i < a->plan->left_count; i++)
		if (!cJSON_AddItemToArray(left, cJSON_CreateString(a->plan->left[i]->name)))
			return false;
	return changes && left;
}

cJSON *apply_json(const struct apply *a, bool dry_run)
{
	cJSON *json = cJSON_CreateObject();

	if (cJSON_AddStringToObject(json, "file", a->file.name) && cJSON_AddBoolToObject(json, "dry_run", dry_run) &&
	    cJSON_AddNumberToObject(json, "models_changed", (double)a->plan->model_count) &&
	    cJSON_AddNumberToObject(json, "models_same", (double)a->plan->same_count) && lists(json, a) &&
	    fault_field(json, a))
		return json;
	cJSON_Delete(json);
	return NULL;
}
