/* experiment: a plan as JSON and back, every field by name, one sentence a mistake. */
#include "core/experiment/experiment.h"

#include "core/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The names of each list, by number. */
#define X(name, text) text,
static const char *const roles[] = {EXPERIMENT_ROLES(X)};
static const char *const directions[] = {EXPERIMENT_DIRECTIONS(X)};
static const char *const forms[] = {EXPERIMENT_FORMS(X)};
static const char *const modes[] = {EXPERIMENT_MODES(X)};
static const char *const covariates[] = {EXPERIMENT_COVARIATES(X)};
#undef X
#define X(name, text, events, ratio, loss) text,
static const char *const kinds[] = {EXPERIMENT_KINDS(X)};
#undef X

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *const plan_fields[] = {
    "model",
    "name",
    "salt",
    "mode",
    "form",
    "arms",
    "metrics",
    "alpha",
    "planned_size",
    "minimum_events",
    "minimum_duration_s",
    "maximum_duration_s",
    "window_s",
    "covariate",
    "covariate_low",
    "covariate_high",
};
static const char *const arm_fields[] = {"version", "share_bp"};
static const char *const metric_fields[] = {
    "name", "kind", "role", "direction", "margin", "low", "high", "missing_is_zero", "quantile", "threshold_ns",
};

/* A misspelt field would be a rule that nobody applies. */
static int check_fields(const cJSON *object, const char *what, const char *const *fields, size_t count, struct err *e)
{
	const cJSON *item;
	if (!cJSON_IsObject(object))
		return err_set(e, ERR_INPUT, "%s must be an object", what);
	cJSON_ArrayForEach(item, object)
	{
		size_t i = 0;
		while (i < count && strcmp(item->string, fields[i]) != 0)
			i++;
		if (i == count)
			return err_set(e, ERR_INPUT, "%s has no field `%.60s`", what, item->string);
		if (cJSON_GetObjectItemCaseSensitive(object, item->string) != item)
			return err_set(e, ERR_INPUT, "%s has the field `%s` twice", what, fields[i]);
	}
	return 0;
}

/* One of a list's names; absent: *number stays. */
static int read_word(const cJSON *object, const char *name, const char *const *words, size_t count, int *number,
		     struct err *e)
{
	const char *text = NULL;
	char list[300] = "";
	size_t used = 0;
	if (json_optional_text(object, name, &text, e) != 0)
		return -1;
	if (text == NULL)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			*number = (int)i;
			return 0;
		}
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	return err_set(e, ERR_INPUT, "field `%s` must be one of %s, got \"%.40s\"", name, list, text);
}

static int read_count(const cJSON *object, const char *name, uint64_t *count, struct err *e)
{
	int64_t number = (int64_t)*count;
	if (json_optional_integer(object, name, 0, EXPERIMENT_SIZE_MAX, &number, e) != 0)
		return -1;
	*count = (uint64_t)number;
	return 0;
}

static int read_name(const cJSON *object, const char *name, char text[EXPERIMENT_NAME_SIZE], struct err *e)
{
	return json_string(object, name, text, EXPERIMENT_NAME_SIZE, e);
}

static int read_arms(const cJSON *json, struct experiment *x, struct err *e)
{
	const cJSON *array = json_array(json, "arms", EXPERIMENT_ARMS_MAX, e), *item;
	if (array == NULL)
		return -1;
	cJSON_ArrayForEach(item, array)
	{
		struct experiment_arm *arm = &x->arms[x->arm_count++];
		if (check_fields(item, "an arm", arm_fields, COUNT(arm_fields), e) != 0 ||
		    json_uint32(item, "version", 1, INT32_MAX, &arm->version, e) != 0 ||
		    json_uint32(item, "share_bp", 1, ROUTE_BUCKETS, &arm->share_bp, e) != 0)
			return -1;
	}
	return 0;
}

static int read_bounds(const cJSON *json, struct experiment_metric *m, struct err *e)
{
	experiment_bounds(m->kind, &m->low, &m->high);
	if (json_optional_number(json, "low", &m->low, e) != 0)
		return -1;
	return json_optional_number(json, "high", &m->high, e);
}

static int read_metric(const cJSON *json, struct experiment_metric *m, struct err *e)
{
	int kind = -1, role = -1, direction = -1;
	int64_t threshold_ns = 0;
	if (check_fields(json, "a metric", metric_fields, COUNT(metric_fields), e) != 0 ||
	    read_name(json, "name", m->name, e) != 0 || read_word(json, "kind", kinds, COUNT(kinds), &kind, e) != 0 ||
	    read_word(json, "role", roles, COUNT(roles), &role, e) != 0 ||
	    read_word(json, "direction", directions, COUNT(directions), &direction, e) != 0 ||
	    json_optional_number(json, "margin", &m->margin, e) != 0 ||
	    json_optional_boolean(json, "missing_is_zero", &m->missing_is_zero, e) != 0 ||
	    json_optional_number(json, "quantile", &m->quantile, e) != 0 ||
	    json_optional_integer(json, "threshold_ns", 0, JSON_INTEGER_MAX, &threshold_ns, e) != 0)
		return -1;
	if (kind < 0 || role < 0)
		return err_set(e, ERR_INPUT, "metric `%.64s` needs a kind and a role", m->name);
	m->kind = (enum experiment_kind)kind;
	m->role = (enum experiment_role)role;
	m->threshold_ns = (uint64_t)threshold_ns;
	/* Less loss, fewer errors, less time: that needs no saying. */
	if (direction < 0 &&
	    (experiment_kind_is_loss(m->kind) || m->kind == EXPERIMENT_LATENCY || m->kind == EXPERIMENT_ERROR_RATE))
		direction = EXPERIMENT_LOWER;
	if (direction < 0)
		return err_set(e, ERR_INPUT, "metric `%.64s` needs a direction: higher, lower or same is better",
			       m->name);
	m->direction = (enum experiment_direction)direction;
	return read_bounds(json, m, e);
}

static int read_metrics(const cJSON *json, struct experiment *x, struct err *e)
{
	const cJSON *array = json_array(json, "metrics", EXPERIMENT_METRICS_MAX, e), *item;
	if (array == NULL)
		return -1;
	cJSON_ArrayForEach(item, array) if (read_metric(item, &x->metrics[x->metric_count++], e) != 0) return -1;
	return 0;
}

static int read_rules(const cJSON *json, struct experiment *x, struct err *e)
{
	int covariate = EXPERIMENT_COVARIATE_NONE;
	if (json_optional_number(json, "alpha", &x->alpha, e) != 0 ||
	    read_count(json, "planned_size", &x->planned_size, e) != 0 ||
	    read_count(json, "minimum_events", &x->minimum_events, e) != 0 ||
	    json_optional_integer(json, "minimum_duration_s", 0, EXPERIMENT_DURATION_MAX_S, &x->minimum_duration_s,
				  e) != 0 ||
	    json_optional_integer(json, "maximum_duration_s", 0, EXPERIMENT_DURATION_MAX_S, &x->maximum_duration_s,
				  e) != 0 ||
	    json_optional_integer(json, "window_s", 0, EXPERIMENT_DURATION_MAX_S, &x->window_s, e) != 0 ||
	    read_word(json, "covariate", covariates, COUNT(covariates), &covariate, e) != 0 ||
	    json_optional_number(json, "covariate_low", &x->covariate_low, e) != 0 ||
	    json_optional_number(json, "covariate_high", &x->covariate_high, e) != 0)
		return -1;
	x->covariate = (enum experiment_covariate)covariate;
	return 0;
}

int experiment_from_json(const cJSON *json, struct experiment *x, struct err *e)
{
	struct experiment read;
	int mode = EXPERIMENT_AB, form = EXPERIMENT_ANYTIME;
	experiment_init(&read);
	if (check_fields(json, "the plan of a test", plan_fields, COUNT(plan_fields), e) != 0 ||
	    read_name(json, "model", read.model, e) != 0 || read_name(json, "name", read.name, e) != 0 ||
	    read_name(json, "salt", read.salt, e) != 0 || read_word(json, "mode", modes, COUNT(modes), &mode, e) != 0 ||
	    read_word(json, "form", forms, COUNT(forms), &form, e) != 0)
		return -1;
	read.mode = (enum experiment_mode)mode;
	read.form = (enum experiment_form)form;
	if (read_arms(json, &read, e) != 0 || read_metrics(json, &read, e) != 0 || read_rules(json, &read, e) != 0 ||
	    experiment_check(&read, e) != 0)
		return -1;
	memcpy(x, &read, sizeof read);
	return 0;
}

static bool add_metric(cJSON *array, const struct experiment_metric *m)
{
	cJSON *json = cJSON_CreateObject();
	bool done =
	    json != NULL && json_add_text(json, "name", m->name) && json_add_text(json, "kind", kinds[m->kind]) &&
	    json_add_text(json, "role", roles[m->role]) && json_add_text(json, "direction", directions[m->direction]) &&
	    json_add_number(json, "margin", m->margin) && json_add_number(json, "low", m->low) &&
	    json_add_number(json, "high", m->high) && json_add_boolean(json, "missing_is_zero", m->missing_is_zero);
	if (m->kind == EXPERIMENT_LATENCY)
		done = done && json_add_number(json, "quantile", m->quantile) &&
		       json_add_number(json, "threshold_ns", (double)m->threshold_ns);
	return json_append(array, json_whole(json, done));
}

static bool add_arm(cJSON *array, const struct experiment_arm *arm)
{
	cJSON *json = cJSON_CreateObject();
	bool done = json != NULL && json_add_number(json, "version", arm->version) &&
		    json_add_number(json, "share_bp", arm->share_bp);
	return json_append(array, json_whole(json, done));
}

static bool add_lists(cJSON *json, const struct experiment *x)
{
	cJSON *arms = cJSON_AddArrayToObject(json, "arms"), *metrics = cJSON_AddArrayToObject(json, "metrics");
	bool done = arms != NULL && metrics != NULL;
	for (size_t i = 0; done && i < x->arm_count; i++)
		done = add_arm(arms, &x->arms[i]);
	for (size_t i = 0; done && i < x->metric_count; i++)
		done = add_metric(metrics, &x->metrics[i]);
	return done;
}

cJSON *experiment_to_json(const struct experiment *x)
{
	cJSON *json = cJSON_CreateObject();
	bool done = json != NULL && json_add_text(json, "model", x->model) && json_add_text(json, "name", x->name) &&
		    json_add_text(json, "salt", x->salt) && json_add_text(json, "mode", modes[x->mode]) &&
		    json_add_text(json, "form", forms[x->form]) && add_lists(json, x) &&
		    json_add_number(json, "alpha", x->alpha) &&
		    json_add_number(json, "planned_size", (double)x->planned_size) &&
		    json_add_number(json, "minimum_events", (double)x->minimum_events) &&
		    json_add_number(json, "minimum_duration_s", (double)x->minimum_duration_s) &&
		    json_add_number(json, "maximum_duration_s", (double)x->maximum_duration_s) &&
		    json_add_number(json, "window_s", (double)x->window_s) &&
		    json_add_text(json, "covariate", covariates[x->covariate]) &&
		    json_add_number(json, "covariate_low", x->covariate_low) &&
		    json_add_number(json, "covariate_high", x->covariate_high);
	return json_whole(json, done);
}
