/* forest_lightgbm_tree: one tree's block of a LightGBM model. Facts: LightGBM's tree.cpp. */
#include "runtime/engine/forest_lightgbm.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fields of a tree's block, in the order of enum field. */
const char *const lightgbm_fields[LIGHTGBM_FIELD_COUNT] = {
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

_Static_assert(FIELD_COUNT == LIGHTGBM_FIELD_COUNT, "every field has a name");

static int bad(struct lightgbm_parser *p, enum field field)
{
	return err_set(p->e, ERR_INPUT, "Tree %zu has a missing or malformed %s.", p->f->info.tree_count,
		       lightgbm_fields[field]);
}

const char *lightgbm_skip_spaces(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

bool lightgbm_next_number(struct lightgbm_parser *p, const char **at, double *number)
{
	const char *s = lightgbm_skip_spaces(*at);
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
static double *numbers(struct lightgbm_parser *p, enum field field, size_t count, double low, double high)
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
		if (lightgbm_next_number(p, &at, &list[i]) && !isnan(list[i]) &&
		    (low >= high || (list[i] >= low && list[i] <= high && list[i] == floor(list[i]))))
			continue;
		free(list);
		bad(p, field);
		return NULL;
	}
	if (!*lightgbm_skip_spaces(at))
		return list;
	free(list);
	bad(p, field);
	return NULL;
}

static int whole(struct lightgbm_parser *p, enum field field, double high, size_t *number)
{
	double *list = numbers(p, field, 1, 0, high);

	if (!list)
		return -1;
	*number = (size_t)list[0];
	free(list);
	return 0;
}

/* The category bitsets of a tree; bounds[] gets num_cat + 1 offsets into sets[]. */
static int read_sets(struct lightgbm_parser *p, size_t count, uint32_t **bounds)
{
	struct forest *f = p->f;
	double *limits = numbers(p, CAT_BOUNDARIES, count + 1, 0, INT_MAX);
	double *words = limits ? numbers(p, CAT_THRESHOLD, (size_t)limits[count], 0, UINT32_MAX) : NULL;
	int status = -1;

	if (words) {
		*bounds = malloc((count + 1) * sizeof(**bounds));
		status = !*bounds ? err_set(p->e, ERR_MEMORY, "Memory ran out while the model was loaded.")
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

static int read_split(struct lightgbm_parser *p, struct source_node *n, double threshold, unsigned decision,
		      size_t sets, const uint32_t *bounds)
{
	unsigned missing = decision >> 2 & 3;

	if (decision > 15 || missing == 3)
		return err_set(p->e, ERR_INPUT, "Tree %zu has the unknown decision_type %u.", p->f->info.tree_count,
			       decision);
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

static int read_splits(struct lightgbm_parser *p, struct source_node *nodes, size_t splits, size_t sets,
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
		n->left = (uint32_t)(lists[3][i] < 0 ? (double)splits - 1 - lists[3][i] : lists[3][i]);
		n->right = (uint32_t)(lists[4][i] < 0 ? (double)splits - 1 - lists[4][i] : lists[4][i]);
		status = read_split(p, n, lists[1][i], (unsigned)lists[2][i], sets, bounds);
	}
	for (int i = 0; i < 5; i++)
		free(lists[i]);
	return status;
}

static int add_weights(struct lightgbm_parser *p, const double *features, const double *weights, size_t count)
{
	struct forest *f = p->f;
	size_t capacity = f->weight_capacity;

	if (forest_grow((void **)&f->linear_features, &capacity, f->weight_count, count, sizeof(uint32_t), p->e) ||
	    forest_grow((void **)&f->linear_weights, &f->weight_capacity, f->weight_count, count, sizeof(double), p->e))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (features[i] >= (double)f->info.feature_count)
			return bad(p, LEAF_FEATURES);
		f->linear_features[f->weight_count] = (uint32_t)features[i];
		f->linear_weights[f->weight_count++] = weights[i];
	}
	return 0;
}

static int add_linear(struct lightgbm_parser *p, struct source_node *leaves, size_t count, const double *constants,
		      const double *sizes)
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
	    !forest_grow((void **)&f->linear, &f->linear_capacity, f->linear_count, count, sizeof(*f->linear), p->e)) {
		size_t first = f->weight_count;

		status = add_weights(p, features, weights, (size_t)total);
		for (size_t i = 0; !status && i < count; i++) {
			f->linear[f->linear_count] =
			    (struct linear_leaf){.constant = constants[i], .first = first, .count = (size_t)sizes[i]};
			leaves[i].linear = (uint32_t)++f->linear_count;
			first += (size_t)sizes[i];
		}
	}
	free(features);
	free(weights);
	return status;
}

static int read_leaves(struct lightgbm_parser *p, struct source_node *leaves, size_t count)
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

int lightgbm_tree(struct lightgbm_parser *p, size_t classes)
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
	status = forest_add_tree(p->f, nodes, 2 * leaves - 1, p->f->info.tree_count % classes, p->e);
out:
	free(nodes);
	free(bounds);
	return status;
}
