/* forest_lightgbm: LightGBM's text models around their trees. Facts: LightGBM's
 * gbdt_model_text.cpp. */
#include "runtime/engine/forest_lightgbm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The next line without its end, or NULL. */
static const char *next_line(struct lightgbm_parser *p)
{
	const char *line = p->text;

	if (line >= p->end)
		return NULL;
	p->text += strlen(line) + 1;
	return line;
}

/* The value of a "name=value" line, or NULL where its name is another. */
static const char *value_of(const char *line, const char *name)
{
	size_t size = strlen(name);

	return strncmp(line, name, size) == 0 && line[size] == '=' ? line + size + 1 : NULL;
}

static int header_number(struct lightgbm_parser *p, const char *value, const char *name, long low, long high,
			 long *number)
{
	char *end;

	*number = value ? strtol(value, &end, 10) : -1;
	if (!value || end == value || *lightgbm_skip_spaces(end) || *number < low || *number > high)
		return err_set(p->e, ERR_INPUT, "The model has a missing or malformed %s.", name);
	return 0;
}

struct objective {
	const char *name;
	enum transform transform;
	bool probability;
};

static const struct objective objectives[] = {
    {"regression", TRANSFORM_IDENTITY, false},
    {"regression_l2", TRANSFORM_IDENTITY, false},
    {"regression_l1", TRANSFORM_IDENTITY, false},
    {"huber", TRANSFORM_IDENTITY, false},
    {"fair", TRANSFORM_IDENTITY, false},
    {"quantile", TRANSFORM_IDENTITY, false},
    {"mape", TRANSFORM_IDENTITY, false},
    {"lambdarank", TRANSFORM_IDENTITY, false},
    {"rank_xendcg", TRANSFORM_IDENTITY, false},
    {"custom", TRANSFORM_IDENTITY, false},
    {"none", TRANSFORM_IDENTITY, false},
    {"poisson", TRANSFORM_EXP, false},
    {"gamma", TRANSFORM_EXP, false},
    {"tweedie", TRANSFORM_EXP, false},
    {"binary", TRANSFORM_SIGMOID, true},
    {"multiclassova", TRANSFORM_SIGMOID, true},
    {"multiclass", TRANSFORM_SOFTMAX, true},
    {"cross_entropy", TRANSFORM_SIGMOID, true},
    {"cross_entropy_lambda", TRANSFORM_LOG1P_EXP, false},
};

static int read_objective(struct lightgbm_parser *p, const char *text)
{
	struct forest *f = p->f;
	size_t size = strcspn(text, " ");
	const char *option = strstr(text, "sigmoid:");
	bool root = strstr(text, " sqrt") != NULL;

	f->sigmoid = 1;
	if (forest_objective(f, text, strlen(text), p->e))
		return -1;
	for (size_t i = 0; i < sizeof(objectives) / sizeof(objectives[0]); i++) {
		const struct objective *o = &objectives[i];

		if (strlen(o->name) != size || strncmp(o->name, text, size) != 0)
			continue;
		f->transform = o->transform;
		f->info.probability = o->probability;
		if (o->transform == TRANSFORM_IDENTITY && root)
			f->transform = TRANSFORM_SIGNED_SQUARE;
		if (!option || strncmp(o->name, "cross", 5) == 0)
			return 0;
		f->sigmoid = strtod_l(option + 8, NULL, p->locale);
		if (f->sigmoid > 0 && isfinite(f->sigmoid))
			return 0;
		return err_set(p->e, ERR_INPUT, "The model's objective has a sigmoid that is not positive.");
	}
	return err_set(p->e, ERR_INPUT, "The objective %.64s is not supported.", text);
}

static int read_names(struct lightgbm_parser *p, const char *names)
{
	struct forest *f = p->f;

	for (size_t i = 0; i < f->info.feature_count; i++) {
		size_t size = strcspn(names, " ");

		if (size == 0)
			return err_set(p->e, ERR_INPUT, "The model's feature_names has fewer than %zu names.",
				       f->info.feature_count);
		if (forest_name(f, i, names, size, p->e))
			return -1;
		names = lightgbm_skip_spaces(names + size);
	}
	if (*names)
		return err_set(p->e, ERR_INPUT, "The model's feature_names has more than %zu names.",
			       f->info.feature_count);
	return 0;
}

/* Reads up to the first tree; classes gets num_tree_per_iteration. */
static int read_header(struct lightgbm_parser *p, size_t *classes, bool *average)
{
	static const char *const keys[] = {"num_class", "num_tree_per_iteration", "max_feature_idx",
					   "objective", "feature_names",          "version",
					   "tree_sizes"};
	const char *values[7] = {NULL};
	const char *line;
	long class_count, per_iteration, last_feature;

	*average = false;
	while (strncmp(p->text, "Tree=", 5) != 0 && strcmp(p->text, "end of trees") != 0) {
		line = next_line(p);
		if (!line)
			return err_set(p->e, ERR_INPUT, "The model file ends before its first tree.");
		*average |= strcmp(line, "average_output") == 0;
		for (int i = 0; i < 7; i++)
			if (value_of(line, keys[i]))
				values[i] = value_of(line, keys[i]);
	}
	if (header_number(p, values[0], keys[0], 1, FOREST_OUTPUTS_MAX, &class_count) ||
	    header_number(p, values[1], keys[1], 1, FOREST_OUTPUTS_MAX, &per_iteration) ||
	    header_number(p, values[2], keys[2], 0, FOREST_FEATURES_MAX - 1, &last_feature))
		return -1;
	if (!values[5] || values[5][0] != 'v' || values[5][1] < '2' || values[5][1] > '4' || values[5][2])
		return err_set(p->e, ERR_INPUT, "The model's version is not v2, v3 or v4.");
	if (class_count != per_iteration)
		return err_set(p->e, ERR_INPUT,
			       "The model's num_class %ld differs from its num_tree_per_iteration %ld.", class_count,
			       per_iteration);
	p->tree_sizes = values[6];
	*classes = (size_t)per_iteration;
	if (forest_shape(p->f, (size_t)last_feature + 1, *classes, p->e) || (values[4] && read_names(p, values[4])))
		return -1;
	return values[3] && *values[3] ? read_objective(p, values[3]) : forest_objective(p->f, "custom", 6, p->e);
}

static int read_trees(struct lightgbm_parser *p, size_t classes)
{
	const char *line;
	bool open = false;

	while ((line = next_line(p))) {
		bool end = strcmp(line, "end of trees") == 0;

		if (end || strncmp(line, "Tree=", 5) == 0) {
			if (open && lightgbm_tree(p, classes))
				return -1;
			if (end)
				return 0;
			open = true;
			memset(p->fields, 0, sizeof(p->fields));
		}
		for (int i = 0; i < LIGHTGBM_FIELD_COUNT; i++)
			if (value_of(line, lightgbm_fields[i]))
				p->fields[i] = value_of(line, lightgbm_fields[i]);
	}
	return err_set(p->e, ERR_INPUT, "The model file ends before its line 'end of trees'.");
}

/* "[learning_rate: 0.1]" lines after the trees. */
static int read_facts(struct lightgbm_parser *p)
{
	static const char *const names[] = {"boosting",  "learning_rate",    "num_leaves", "num_iterations",
					    "max_depth", "min_data_in_leaf", "metric",     "seed"};
	const char *line;

	while ((line = next_line(p)))
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			size_t size = strlen(names[i]);
			const char *value = line + size + 3;

			if (line[0] != '[' || strncmp(line + 1, names[i], size) != 0 ||
			    strncmp(line + 1 + size, ": ", 2) != 0 || p->f->info.fact_count >= 64)
				continue;
			if (forest_fact_add(p->f, names[i], value, strcspn(value, "]"), p->e))
				return -1;
		}
	return 0;
}

/* The library loads as many trees as tree_sizes has numbers; a file of more or fewer is not whole.
 */
static int check_tree_sizes(struct lightgbm_parser *p)
{
	const char *at = p->tree_sizes;
	size_t count = 0;
	double size;

	while (at && lightgbm_next_number(p, &at, &size))
		count++;
	if (!at || (count == p->f->info.tree_count && !*lightgbm_skip_spaces(at)))
		return 0;
	return err_set(p->e, ERR_INPUT, "The model's tree_sizes announces %zu trees, but it holds %zu.", count,
		       p->f->info.tree_count);
}

static int load(struct lightgbm_parser *p)
{
	struct forest *f = p->f;
	size_t classes = 1;
	bool average = false;

	if (read_header(p, &classes, &average) || read_trees(p, classes) || check_tree_sizes(p) || read_facts(p))
		return -1;
	if (f->info.tree_count % classes)
		return err_set(p->e, ERR_INPUT, "The model has %zu trees for num_tree_per_iteration %zu.",
			       f->info.tree_count, classes);
	if (f->transform == TRANSFORM_SOFTMAX && classes < 2)
		return err_set(p->e, ERR_INPUT, "The objective multiclass needs a num_class above 1.");
	if (average)
		f->average = f->info.tree_count / classes;
	return 0;
}

int lightgbm_load(struct forest *f, const char *data, size_t size, struct err *e)
{
	struct lightgbm_parser p = {.f = f, .e = e};
	char *copy = malloc(size + 2);
	int status;

	p.locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!copy || !p.locale) {
		free(copy);
		if (p.locale)
			freelocale(p.locale);
		return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	}
	memcpy(copy, data, size);
	copy[size] = copy[size + 1] = '\0';
	for (size_t i = 0; i < size; i++)
		if (copy[i] == '\n' || copy[i] == '\r')
			copy[i] = '\0';
	p.text = copy;
	p.end = copy + size;
	status = load(&p);
	freelocale(p.locale);
	free(copy);
	return status;
}
