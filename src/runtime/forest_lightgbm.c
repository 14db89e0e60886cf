/* forest_lightgbm: LightGBM's text models. Facts: LightGBM's tree.cpp and gbdt_model_text.cpp. */
#include "runtime/forest_internal.h"

#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fields of a tree's block, in the order of enum field. */
static const char *const field_names[] = {
    "num_leaves", "num_cat",     "split_feature", "threshold",      "decision_type",
    "left_child", "right_child", "leaf_value",    "cat_boundaries", "cat_threshold",
    "is_linear",  "leaf_const",  "num_features",  "leaf_features",  "leaf_coeff",
};

enum field {
	NUM_LEAVES,
	NUM_CAT,
	SPLIT_FEATURE,
	THRESHOLD,
	DECISION_TYPE,
	LEFT_CHILD,
	RIGHT_CHILD,
	LEAF_VALUE,
	CAT_BOUNDARIES,
	CAT_THRESHOLD,
	IS_LINEAR,
	LEAF_CONST,
	NUM_FEATURES,
	LEAF_FEATURES,
	LEAF_COEFF,
	FIELD_COUNT
};

struct parser {
	struct forest *f;
	const char *text; /* NUL-terminated lines */
	const char *end;
	locale_t locale; /* "C": numbers read alike everywhere */
	const char *fields[FIELD_COUNT];
	const char *tree_sizes; /* one number a tree, or NULL */
	struct err *e;
};

static int bad(struct parser *p, enum field field)
{
	return err_set(p->e, ERR_INPUT, "Tree %zu has a missing or malformed %s.",
		       p->f->info.tree_count, field_names[field]);
}

static const char *skip_spaces(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* The next number; false at the end of the line or at anything else. */
static bool next_number(struct parser *p, const char **at, double *number)
{
	const char *s = skip_spaces(*at);
	char *end;

	if (!*s)
		return false;
	*number = strtod_l(s, &end, p->locale);
	if (end == s || (*end && *end != ' ' && *end != '\t'))
		return false;
	*at = end;
	return true;
}

/* Reads exactly count numbers; whole ones within [low, high] where low < high. */
static double *numbers(struct parser *p, enum field field, size_t count, double low, double high)
{
	const char *at = p->fields[field];
	double *list;

	/* Every number takes a digit and a space, so the line bounds the memory. */
	if (!at || strlen(at) + 1 < count * 2) {
		bad(p, field);
		return NULL;
	}
	list = malloc((count + 1) * sizeof(*list));
	if (!list) {
		err_set(p->e, ERR_MEMORY, "Memory ran out while the model was loaded.");
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		if (next_number(p, &at, &list[i]) && !isnan(list[i]) &&
		    (low >= high ||
		     (list[i] >= low && list[i] <= high && list[i] == floor(list[i]))))
			continue;
		free(list);
		bad(p, field);
		return NULL;
	}
	if (!*skip_spaces(at))
		return list;
	free(list);
	bad(p, field);
	return NULL;
}

static int whole(struct parser *p, enum field field, double high, size_t *number)
{
	double *list = numbers(p, field, 1, 0, high);

	if (!list)
		return -1;
	*number = (size_t)list[0];
	free(list);
	return 0;
}

/* The category bitsets of a tree; bounds[] gets num_cat + 1 offsets into sets[]. */
static int read_sets(struct parser *p, size_t count, uint32_t **bounds)
{
	struct forest *f = p->f;
	double *limits = numbers(p, CAT_BOUNDARIES, count + 1, 0, INT_MAX);
	double *words =
	    limits ? numbers(p, CAT_THRESHOLD, (size_t)limits[count], 0, UINT32_MAX) : NULL;
	int status = -1;

	if (words) {
		*bounds = malloc((count + 1) * sizeof(**bounds));
		status = !*bounds ? err_set(p->e, ERR_MEMORY,
					    "Memory ran out while the model was loaded.")
				  : forest_grow((void **)&f->sets, &f->set_capacity, f->set_count,
						(size_t)limits[count], sizeof(uint32_t), p->e);
	}
	for (size_t i = 0; !status && i <= count; i++) {
		if (limits[i] > limits[count] || (i && limits[i] < limits[i - 1]))
			status = bad(p, CAT_BOUNDARIES);
		(*bounds)[i] = (uint32_t)(f->set_count + (size_t)limits[i]);
	}
	for (size_t i = 0; !status && i < (size_t)limits[count]; i++)
		f->sets[f->set_count++] = (uint32_t)words[i];
	free(limits);
	free(words);
	return status;
}

static int read_split(struct parser *p, struct source_node *n, double threshold, unsigned decision,
		      size_t sets, const uint32_t *bounds)
{
	unsigned missing = decision >> 2 & 3;

	if (decision > 15 || missing == 3)
		return err_set(p->e, ERR_INPUT, "Tree %zu has the unknown decision_type %u.",
			       p->f->info.tree_count, decision);
	n->value = threshold;
	if (decision & 1) {
		if (!(threshold >= 0 && threshold < (double)sets && threshold == floor(threshold)))
			return bad(p, THRESHOLD);
		n->set_offset = bounds[(size_t)threshold];
		n->set_size = bounds[(size_t)threshold + 1] - n->set_offset;
		n->flags = NODE_CATEGORICAL | NODE_DEFAULT_RIGHT;
		n->mode = COLUMN_NAN;
		return 0;
	}
	n->mode = (uint8_t)missing; /* the same numbers as enum column_mode */
	n->flags = decision & 2 ? 0 : NODE_DEFAULT_RIGHT;
	return 0;
}

static int read_splits(struct parser *p, struct source_node *nodes, size_t splits, size_t sets,
		       const uint32_t *bounds)
{
	double leaves = (double)splits + 1;
	double *lists[5] = {
	    numbers(p, SPLIT_FEATURE, splits, 0, FOREST_FEATURES_MAX),
	    numbers(p, THRESHOLD, splits, 0, 0),
	    numbers(p, DECISION_TYPE, splits, 0, 255),
	    numbers(p, LEFT_CHILD, splits, -leaves, leaves - 2),
	    numbers(p, RIGHT_CHILD, splits, -leaves, leaves - 2),
	};
	int status = 0;

	for (int i = 0; i < 5; i++)
		if (!lists[i])
			status = -1;
	for (size_t i = 0; !status && i < splits; i++) {
		struct source_node *n = &nodes[i];

		n->feature = (uint32_t)lists[0][i];
		n->left =
		    (uint32_t)(lists[3][i] < 0 ? (double)splits - 1 - lists[3][i] : lists[3][i]);
		n->right =
		    (uint32_t)(lists[4][i] < 0 ? (double)splits - 1 - lists[4][i] : lists[4][i]);
		status = read_split(p, n, lists[1][i], (unsigned)lists[2][i], sets, bounds);
	}
	for (int i = 0; i < 5; i++)
		free(lists[i]);
	return status;
}

static int add_weights(struct parser *p, const double *features, const double *weights,
		       size_t count)
{
	struct forest *f = p->f;
	size_t capacity = f->weight_capacity;

	if (forest_grow((void **)&f->linear_features, &capacity, f->weight_count, count,
			sizeof(uint32_t), p->e) ||
	    forest_grow((void **)&f->linear_weights, &f->weight_capacity, f->weight_count, count,
			sizeof(double), p->e))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (features[i] >= (double)f->info.feature_count)
			return bad(p, LEAF_FEATURES);
		f->linear_features[f->weight_count] = (uint32_t)features[i];
		f->linear_weights[f->weight_count++] = weights[i];
	}
	return 0;
}

static int add_linear(struct parser *p, struct source_node *leaves, size_t count,
		      const double *constants, const double *sizes)
{
	struct forest *f = p->f;
	double total = 0;
	double *features;
	double *weights;
	int status = -1;

	for (size_t i = 0; i < count; i++)
		total += sizes[i];
	if (total > INT_MAX)
		return bad(p, NUM_FEATURES);
	features = numbers(p, LEAF_FEATURES, (size_t)total, 0, FOREST_FEATURES_MAX);
	weights = features ? numbers(p, LEAF_COEFF, (size_t)total, 0, 0) : NULL;
	if (features && weights &&
	    !forest_grow((void **)&f->linear, &f->linear_capacity, f->linear_count, count,
			 sizeof(*f->linear), p->e)) {
		size_t first = f->weight_count;

		status = add_weights(p, features, weights, (size_t)total);
		for (size_t i = 0; !status && i < count; i++) {
			f->linear[f->linear_count] = (struct linear_leaf){
			    .constant = constants[i], .first = first, .count = (size_t)sizes[i]};
			leaves[i].linear = (uint32_t)++f->linear_count;
			first += (size_t)sizes[i];
		}
	}
	free(features);
	free(weights);
	return status;
}

static int read_leaves(struct parser *p, struct source_node *leaves, size_t count)
{
	double *values = numbers(p, LEAF_VALUE, count, 0, 0);
	double *constants = NULL;
	double *sizes = NULL;
	size_t linear = 0;
	int status = -1;

	if (!values || (p->fields[IS_LINEAR] && whole(p, IS_LINEAR, 1, &linear)))
		goto out;
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(values[i])) {
			bad(p, LEAF_VALUE);
			goto out;
		}
		leaves[i].leaf = true;
		leaves[i].value = values[i];
	}
	status = 0;
	if (!linear)
		goto out;
	constants = numbers(p, LEAF_CONST, count, 0, 0);
	sizes = constants ? numbers(p, NUM_FEATURES, count, 0, FOREST_FEATURES_MAX) : NULL;
	status = sizes ? add_linear(p, leaves, count, constants, sizes) : -1;
out:
	free(values);
	free(constants);
	free(sizes);
	return status;
}

static int read_tree(struct parser *p, size_t classes)
{
	struct source_node *nodes = NULL;
	uint32_t *bounds = NULL;
	size_t leaves;
	size_t sets = 0;
	int status = -1;

	if (whole(p, NUM_LEAVES, INT_MAX / 2, &leaves))
		return -1;
	if (leaves < 1 || !p->fields[LEAF_VALUE] || strlen(p->fields[LEAF_VALUE]) + 1 < leaves * 2)
		return bad(p, NUM_LEAVES);
	if (p->fields[NUM_CAT] && whole(p, NUM_CAT, INT_MAX, &sets))
		return -1;
	if (sets && read_sets(p, sets, &bounds))
		goto out;
	nodes = calloc(2 * leaves - 1, sizeof(*nodes));
	if (!nodes) {
		err_set(p->e, ERR_MEMORY, "Memory ran out while the model was loaded.");
		goto out;
	}
	if (read_leaves(p, nodes + leaves - 1, leaves) ||
	    (leaves > 1 && read_splits(p, nodes, leaves - 1, sets, bounds)))
		goto out;
	status =
	    forest_add_tree(p->f, nodes, 2 * leaves - 1, p->f->info.tree_count % classes, p->e);
out:
	free(nodes);
	free(bounds);
	return status;
}

/* The next line without its end, or NULL. */
static const char *next_line(struct parser *p)
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

static int header_number(struct parser *p, const char *value, const char *name, long low, long high,
			 long *number)
{
	char *end;

	*number = value ? strtol(value, &end, 10) : -1;
	if (!value || end == value || *skip_spaces(end) || *number < low || *number > high)
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

static int read_objective(struct parser *p, const char *text)
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
		return err_set(p->e, ERR_INPUT,
			       "The model's objective has a sigmoid that is not positive.");
	}
	return err_set(p->e, ERR_INPUT, "The objective %.64s is not supported.", text);
}

static int read_names(struct parser *p, const char *names)
{
	struct forest *f = p->f;

	for (size_t i = 0; i < f->info.feature_count; i++) {
		size_t size = strcspn(names, " ");

		if (size == 0)
			return err_set(p->e, ERR_INPUT,
				       "The model's feature_names has fewer than %zu names.",
				       f->info.feature_count);
		if (forest_name(f, i, names, size, p->e))
			return -1;
		names = skip_spaces(names + size);
	}
	if (*names)
		return err_set(p->e, ERR_INPUT,
			       "The model's feature_names has more than %zu names.",
			       f->info.feature_count);
	return 0;
}

/* Reads up to the first tree; classes gets num_tree_per_iteration. */
static int read_header(struct parser *p, size_t *classes, bool *average)
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
			return err_set(p->e, ERR_INPUT,
				       "The model file ends before its first tree.");
		*average |= strcmp(line, "average_output") == 0;
		for (int i = 0; i < 7; i++)
			if (value_of(line, keys[i]))
				values[i] = value_of(line, keys[i]);
	}
	if (header_number(p, values[0], keys[0], 1, FOREST_OUTPUTS_MAX, &class_count) ||
	    header_number(p, values[1], keys[1], 1, FOREST_OUTPUTS_MAX, &per_iteration) ||
	    header_number(p, values[2], keys[2], 0, FOREST_FEATURES_MAX - 1, &last_feature))
		return -1;
	if (!values[5] || values[5][0] != 'v' || values[5][1] < '2' || values[5][1] > '4' ||
	    values[5][2])
		return err_set(p->e, ERR_INPUT, "The model's version is not v2, v3 or v4.");
	if (class_count != per_iteration)
		return err_set(
		    p->e, ERR_INPUT,
		    "The model's num_class %ld differs from its num_tree_per_iteration %ld.",
		    class_count, per_iteration);
	p->tree_sizes = values[6];
	*classes = (size_t)per_iteration;
	if (forest_shape(p->f, (size_t)last_feature + 1, *classes, p->e) ||
	    (values[4] && read_names(p, values[4])))
		return -1;
	return values[3] && *values[3] ? read_objective(p, values[3])
				       : forest_objective(p->f, "custom", 6, p->e);
}

static int read_trees(struct parser *p, size_t classes)
{
	const char *line;
	bool open = false;

	while ((line = next_line(p))) {
		bool end = strcmp(line, "end of trees") == 0;

		if (end || strncmp(line, "Tree=", 5) == 0) {
			if (open && read_tree(p, classes))
				return -1;
			if (end)
				return 0;
			open = true;
			memset(p->fields, 0, sizeof(p->fields));
		}
		for (int i = 0; i < FIELD_COUNT; i++)
			if (value_of(line, field_names[i]))
				p->fields[i] = value_of(line, field_names[i]);
	}
	return err_set(p->e, ERR_INPUT, "The model file ends before its line 'end of trees'.");
}

/* "[learning_rate: 0.1]" lines after the trees. */
static int read_facts(struct parser *p)
{
	static const char *const names[] = {"boosting",       "learning_rate", "num_leaves",
					    "num_iterations", "max_depth",     "min_data_in_leaf",
					    "metric",         "seed"};
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
static int check_tree_sizes(struct parser *p)
{
	const char *at = p->tree_sizes;
	size_t count = 0;
	double size;

	while (at && next_number(p, &at, &size))
		count++;
	if (!at || (count == p->f->info.tree_count && !*skip_spaces(at)))
		return 0;
	return err_set(p->e, ERR_INPUT,
		       "The model's tree_sizes announces %zu trees, but it holds %zu.", count,
		       p->f->info.tree_count);
}

static int load(struct parser *p)
{
	struct forest *f = p->f;
	size_t classes = 1;
	bool average = false;

	if (read_header(p, &classes, &average) || read_trees(p, classes) || check_tree_sizes(p) ||
	    read_facts(p))
		return -1;
	if (f->info.tree_count % classes)
		return err_set(p->e, ERR_INPUT,
			       "The model has %zu trees for num_tree_per_iteration %zu.",
			       f->info.tree_count, classes);
	if (f->transform == TRANSFORM_SOFTMAX && classes < 2)
		return err_set(p->e, ERR_INPUT,
			       "The objective multiclass needs a num_class above 1.");
	if (average)
		f->average = f->info.tree_count / classes;
	return 0;
}

int lightgbm_load(struct forest *f, const char *data, size_t size, struct err *e)
{
	struct parser p = {.f = f, .e = e};
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
