/*
 * forest_xgboost: XGBoost's JSON and UBJSON models, 1.x to 3.x. Facts: tree_model.cc, io_utils.h,
 * learner.cc. Rows carry the category codes of training; the dictionaries of `cats` only re-code
 * data frames.
 */
#include "runtime/engine/forest_internal.h"
#include "runtime/engine/value.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct loader {
	struct forest *f;
	const struct value *model; /* trees, tree_info; or weights */
	const struct value *drop;  /* DART's weight_drop, or NULL */
	struct err *e;
};

enum margin { MARGIN_SAME, MARGIN_LOGIT, MARGIN_LOG };

struct objective {
	const char *name;
	enum transform transform;
	enum margin margin;
	bool probability;
};

static const struct objective objectives[] = {
    {"binary:logistic", TRANSFORM_SIGMOID, MARGIN_LOGIT, true},
    {"reg:logistic", TRANSFORM_SIGMOID, MARGIN_LOGIT, true},
    {"binary:logitraw", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"binary:hinge", TRANSFORM_HINGE, MARGIN_SAME, false},
    {"multi:softmax", TRANSFORM_ARGMAX, MARGIN_SAME, false},
    {"multi:softprob", TRANSFORM_SOFTMAX, MARGIN_SAME, true},
    {"count:poisson", TRANSFORM_EXP, MARGIN_LOG, false},
    {"reg:gamma", TRANSFORM_EXP, MARGIN_LOG, false},
    {"reg:tweedie", TRANSFORM_EXP, MARGIN_LOG, false},
    {"survival:cox", TRANSFORM_EXP, MARGIN_LOG, false},
    {"survival:aft", TRANSFORM_EXP, MARGIN_LOG, false},
    {"reg:linear", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"reg:squarederror", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"reg:squaredlogerror", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"reg:pseudohubererror", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"reg:absoluteerror", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"reg:quantileerror", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"rank:pairwise", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"rank:ndcg", TRANSFORM_IDENTITY, MARGIN_SAME, false},
    {"rank:map", TRANSFORM_IDENTITY, MARGIN_SAME, false},
};

static int bad(struct loader *l, const char *field)
{
	return err_set(l->e, ERR_INPUT, "The model's %s is missing or malformed (tree %zu).", field,
		       l->f->info.tree_count);
}

/* A whole number in [0, high], written as a string or a number; the fallback where it is absent. */
static int whole(struct loader *l, const struct value *v, const char *name, double high, double fallback,
		 size_t *number)
{
	const struct value *field = value_get(v, name);
	double x = fallback;
	char *end;

	if (field && field->kind == VALUE_NUMBER)
		x = field->number;
	else if (field && field->kind == VALUE_STRING && field->count) {
		x = (double)strtoll(field->text, &end, 10);
		if (*end)
			return bad(l, name);
	} else if (field)
		return bad(l, name);
	if (!(x >= 0 && x <= high && x == floor(x)))
		return bad(l, name);
	*number = (size_t)x;
	return 0;
}

/* The array of numbers under name; count elements where count is not SIZE_MAX. */
static const double *array(struct loader *l, const struct value *v, const char *name, size_t count)
{
	static const double none[1];
	const struct value *field = value_get(v, name);

	if (!field || field->kind != VALUE_NUMBERS || field->count != count) {
		bad(l, name);
		return NULL;
	}
	return field->count ? field->numbers : none;
}

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* A bitset where that is small, else a sorted list: one category may be as large as 2^24. */
static int add_set(struct loader *l, struct source_node *n, const double *categories, size_t count)
{
	struct forest *f = l->f;
	double high = 0;
	size_t words;
	uint32_t *set;

	for (size_t i = 0; i < count; i++) {
		if (!(categories[i] >= 0 && categories[i] < 16777216 && categories[i] == floor(categories[i])))
			return bad(l, "categories");
		high = categories[i] > high ? categories[i] : high;
	}
	words = (size_t)high / 32 + 1;
	n->flags = NODE_CATEGORICAL | NODE_HIT_RIGHT | (words > 8 + 2 * count ? NODE_LIST : 0);
	n->set_size = (uint32_t)(n->flags & NODE_LIST ? count : words);
	n->set_offset = (uint32_t)f->set_count;
	if (f->set_count + n->set_size > UINT32_MAX)
		return bad(l, "categories");
	if (forest_grow((void **)&f->sets, &f->set_capacity, f->set_count, n->set_size, sizeof(*set), l->e))
		return -1;
	set = f->sets + f->set_count;
	f->set_count += n->set_size;
	memset(set, 0, n->set_size * sizeof(*set));
	for (size_t i = 0; i < count; i++)
		if (n->flags & NODE_LIST)
			set[i] = (uint32_t)categories[i];
		else
			set[(size_t)categories[i] / 32] |= 1u << (size_t)categories[i] % 32;
	if (n->flags & NODE_LIST)
		qsort(set, count, sizeof(*set), compare_words);
	return 0;
}

static int read_sets(struct loader *l, const struct value *tree, struct source_node *nodes, size_t count)
{
	const struct value *listed = value_get(tree, "categories_nodes");
	const struct value *all = value_get(tree, "categories");
	size_t sets = listed && listed->kind == VALUE_NUMBERS ? listed->count : 0;
	size_t total;
	const double *first, *size;

	if (sets == 0)
		return 0;
	if (!all || all->kind != VALUE_NUMBERS)
		return bad(l, "categories");
	total = all->count;
	first = array(l, tree, "categories_segments", sets);
	size = first ? array(l, tree, "categories_sizes", sets) : NULL;
	if (!size)
		return -1;
	for (size_t i = 0; i < sets; i++) {
		double at = listed->numbers[i];
		struct source_node *n;

		if (!(at >= 0 && at < (double)count && at == floor(at)))
			return bad(l, "categories_nodes");
		if (!(first[i] >= 0 && size[i] >= 0 && first[i] + size[i] <= (double)total &&
		      first[i] == floor(first[i]) && size[i] == floor(size[i])))
			return bad(l, "categories_segments");
		n = &nodes[(size_t)at];
		if (n->leaf || n->flags & NODE_CATEGORICAL || !(n->flags & NODE_LIST))
			return bad(l, "categories_nodes");
		if (size[i] == 0) /* a split that nothing takes; the library writes none */
			return bad(l, "categories_sizes");
		if (add_set(l, n, all->numbers + (size_t)first[i], (size_t)size[i]))
			return -1;
	}
	return 0;
}

/* One node; NODE_LIST alone marks a categorical split that still waits for its set. */
static int read_node(struct loader *l, struct source_node *n, const double *const lists[5], double type, size_t i,
		     size_t count, float weight)
{
	float value = (float)lists[2][i];

	n->leaf = lists[0][i] == -1;
	if (n->leaf) {
		n->value = (double)(value * weight);
		return isfinite(n->value) ? 0 : bad(l, "split_conditions");
	}
	if (!(lists[0][i] >= 0 && lists[0][i] < (double)count && lists[1][i] >= 0 && lists[1][i] < (double)count &&
	      lists[0][i] == floor(lists[0][i]) && lists[1][i] == floor(lists[1][i])))
		return bad(l, "left_children or right_children");
	if (!(lists[3][i] >= 0 && lists[3][i] < (double)l->f->info.feature_count && lists[3][i] == floor(lists[3][i])))
		return bad(l, "split_indices");
	if ((type != 0 && type != 1) || (lists[4][i] != 0 && lists[4][i] != 1))
		return bad(l, "split_type or default_left");
	if (type == 0 && (isnan(value) || value == -INFINITY))
		return bad(l, "split_conditions");
	n->left = (uint32_t)lists[0][i];
	n->right = (uint32_t)lists[1][i];
	n->feature = (uint32_t)lists[3][i];
	n->mode = COLUMN_PLAIN;
	n->flags = type == 1 ? NODE_LIST : 0;
	/* x < t is x <= the float32 before t, which lets one comparison serve both libraries. */
	n->value = type == 1 ? 0 : (double)nextafterf(value, -INFINITY);
	return 0;
}

static int read_nodes(struct loader *l, const struct value *tree, struct source_node *nodes, size_t count, float weight)
{
	static const char *const names[5] = {"left_children", "right_children", "split_conditions", "split_indices",
					     "default_left"};
	const double *lists[5];
	const double *types = NULL;

	for (int i = 0; i < 5; i++) {
		lists[i] = array(l, tree, names[i], count);
		if (!lists[i])
			return -1;
	}
	if (value_get(tree, "split_type")) {
		types = array(l, tree, "split_type", count);
		if (!types)
			return -1;
	}
	for (size_t i = 0; i < count; i++)
		if (read_node(l, &nodes[i], lists, types ? types[i] : 0, i, count, weight))
			return -1;
	if (read_sets(l, tree, nodes, count))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (nodes[i].flags == NODE_LIST)
			return bad(l, "categories_nodes");
		if (!nodes[i].leaf && lists[4][i] == 0)
			nodes[i].flags |= NODE_DEFAULT_RIGHT;
	}
	return 0;
}

static int read_tree(struct loader *l, const struct value *tree, double class, float weight)
{
	const struct value *left = value_get(tree, "left_children");
	size_t count = left && left->kind == VALUE_NUMBERS ? left->count : 0;
	struct source_node *nodes;
	size_t vector;
	int status;

	if (whole(l, value_get(tree, "tree_param"), "size_leaf_vector", 1e9, 0, &vector))
		return -1;
	if (vector > 1 || (value_get(tree, "leaf_weights") && value_get(tree, "leaf_weights")->count))
		return err_set(l->e, ERR_INPUT, "Trees with vector leaves (size_leaf_vector %zu) are not supported.",
			       vector);
	if (count == 0)
		return bad(l, "left_children");
	if (!(class >= 0 && class < (double)l->f->info.raw_count && class == floor(class)))
		return bad(l, "tree_info");
	nodes = calloc(count, sizeof(*nodes));
	if (!nodes)
		return err_set(l->e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	status = read_nodes(l, tree, nodes, count, weight);
	if (!status)
		status = forest_add_tree(l->f, nodes, count, (size_t) class, l->e);
	free(nodes);
	return status;
}

static int read_trees(struct loader *l)
{
	const struct value *trees = value_get(l->model, "trees");
	size_t count, announced;
	const double *info;
	const double *drop = NULL;

	if (!trees || (trees->kind != VALUE_ARRAY && trees->count))
		return bad(l, "trees");
	count = trees->count;
	if (whole(l, value_get(l->model, "gbtree_model_param"), "num_trees", 1e9, (double)count, &announced))
		return -1;
	if (announced != count)
		return err_set(l->e, ERR_INPUT, "The model announces num_trees %zu but holds %zu.", announced, count);
	info = array(l, l->model, "tree_info", count);
	if (!info)
		return -1;
	if (l->drop) {
		if (l->drop->kind != VALUE_NUMBERS || l->drop->count != count)
			return bad(l, "weight_drop");
		drop = l->drop->numbers;
	}
	for (size_t i = 0; i < count; i++)
		if (read_tree(l, &trees->items[i], info[i], drop ? (float)drop[i] : 1.0f))
			return -1;
	return 0;
}

static int read_linear(struct loader *l)
{
	struct forest *f = l->f;
	size_t count = (f->info.feature_count + 1) * f->info.raw_count;
	const double *weights = array(l, l->model, "weights", count);

	if (!weights)
		return -1;
	f->gblinear = malloc(count * sizeof(float));
	if (!f->gblinear)
		return err_set(l->e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	for (size_t i = 0; i < count; i++) {
		f->gblinear[i] = (float)weights[i];
		if (!isfinite(f->gblinear[i]))
			return bad(l, "weights");
	}
	return 0;
}

static int to_margin(struct loader *l, enum margin margin, float *x)
{
	if (!isfinite(*x))
		return bad(l, "base_score");
	if (margin == MARGIN_LOGIT) {
		float p = fminf(fmaxf(*x, 1e-6f), 1.0f - 1e-6f);

		*x = -logf(1.0f / p - 1.0f);
	} else if (margin == MARGIN_LOG) {
		*x = logf(*x);
	}
	return isfinite(*x) ? 0 : bad(l, "base_score");
}

/* "5E-1", "[5E-1]" or "[1E0,2E0]". */
static int read_base(struct loader *l, const struct value *params, enum margin margin, locale_t locale)
{
	const struct value *text = value_get(params, "base_score");
	size_t count = l->f->info.raw_count;
	size_t found = 0;
	const char *at;

	if (!text || text->kind != VALUE_STRING)
		return bad(l, "base_score");
	l->f->base = calloc(count, sizeof(float));
	if (!l->f->base)
		return err_set(l->e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	at = text->text + (text->text[0] == '[');
	for (;;) {
		char *end;
		float x = strtof_l(at, &end, locale);

		if (end == at || found >= count || to_margin(l, margin, &x))
			return bad(l, "base_score");
		l->f->base[found++] = x;
		if (*end != ',') {
			at = end;
			break;
		}
		at = end + 1;
	}
	if (strcmp(at, text->text[0] == '[' ? "]" : "") != 0 || (found != 1 && found != count))
		return bad(l, "base_score");
	for (size_t i = found; i < count; i++)
		l->f->base[i] = l->f->base[0];
	return 0;
}

static int read_shape(struct loader *l, const struct value *learner, const struct value *params)
{
	const struct value *names = value_get(learner, "feature_names");
	size_t features, classes, targets;

	if (whole(l, params, "num_feature", 1e9, -1, &features) || whole(l, params, "num_class", 1e9, 0, &classes) ||
	    whole(l, params, "num_target", 1e9, 1, &targets))
		return -1;
	if (classes > 1 && targets > 1)
		return err_set(l->e, ERR_INPUT, "A model with num_class %zu and num_target %zu is not supported.",
			       classes, targets);
	classes = classes > targets ? classes : targets;
	if (forest_shape(l->f, features, classes ? classes : 1, l->e))
		return -1;
	if (!names || names->count == 0)
		return 0;
	if (names->kind != VALUE_ARRAY || names->count != features)
		return bad(l, "feature_names");
	for (size_t i = 0; i < features; i++)
		if (names->items[i].kind != VALUE_STRING)
			return bad(l, "feature_names");
		else if (forest_name(l->f, i, names->items[i].text, names->items[i].count, l->e))
			return -1;
	return 0;
}

static const struct objective *read_objective(struct loader *l, const struct value *learner)
{
	const struct value *name = value_get(value_get(learner, "objective"), "name");
	struct forest *f = l->f;

	if (!name || name->kind != VALUE_STRING) {
		bad(l, "objective");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(objectives) / sizeof(objectives[0]); i++) {
		const struct objective *o = &objectives[i];

		if (strcmp(o->name, name->text) != 0)
			continue;
		f->transform = o->transform;
		f->info.probability = o->probability;
		if (o->transform == TRANSFORM_ARGMAX)
			f->info.output_count = 1;
		return forest_objective(f, name->text, name->count, l->e) ? NULL : o;
	}
	err_set(l->e, ERR_INPUT, "The objective %.64s is not supported.", name->text);
	return NULL;
}

static int read_booster(struct loader *l, const struct value *booster)
{
	const struct value *name = value_get(booster, "name");
	const char *kind = name && name->kind == VALUE_STRING ? name->text : "";
	const struct value *nested = value_get(booster, "gbtree");

	l->model = value_get(nested ? nested : booster, "model");
	if (!l->model)
		return bad(l, "gradient_booster");
	if (forest_fact_add(l->f, "booster", kind, strlen(kind), l->e))
		return -1;
	if (strcmp(kind, "gblinear") == 0)
		return read_linear(l);
	if (strcmp(kind, "dart") == 0) {
		l->drop = value_get(booster, "weight_drop");
		if (!l->drop)
			l->drop = value_get(l->model, "weight_drop");
		return l->drop ? read_trees(l) : bad(l, "weight_drop");
	}
	if (strcmp(kind, "gbtree") == 0)
		return read_trees(l);
	return err_set(l->e, ERR_INPUT, "The booster %.64s is not supported.", kind);
}

static int read_facts(struct loader *l, const struct value *learner)
{
	const struct value *attributes = value_get(learner, "attributes");

	for (size_t i = 0; attributes && attributes->kind == VALUE_OBJECT && i < attributes->count && i < 64; i++) {
		const struct value *v = &attributes->items[i];

		if (v->kind == VALUE_STRING && v->count < 1024 &&
		    forest_fact_add(l->f, attributes->names[i], v->text, v->count, l->e))
			return -1;
	}
	return 0;
}

static int load(struct loader *l, const struct value *root, locale_t locale)
{
	const struct value *learner = value_get(root, "learner");
	const struct value *params = value_get(learner, "learner_model_param");
	const struct objective *o;

	l->f->info.float32 = true;
	if (!params)
		return bad(l, "learner_model_param");
	if (read_shape(l, learner, params))
		return -1;
	o = read_objective(l, learner);
	if (!o || read_base(l, params, o->margin, locale))
		return -1;
	return read_booster(l, value_get(learner, "gradient_booster")) || read_facts(l, learner) ? -1 : 0;
}

int xgboost_load(struct forest *f, const void *data, size_t size, bool ubjson, struct err *e)
{
	struct loader l = {.f = f, .e = e};
	locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	struct value root;
	int status;

	if (!locale)
		return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	status = ubjson ? value_parse_ubjson(data, size, &root, e) : value_parse_json(data, size, &root, e);
	if (!status) {
		status = load(&l, &root, locale);
		value_release(&root);
	}
	freelocale(locale);
	return status;
}
