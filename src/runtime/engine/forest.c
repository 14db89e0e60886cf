/* forest: detection, life cycle and the building of trees; forest_predict.c walks them. */
#include "runtime/engine/forest_internal.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETECT_SIZE 4096 /* "learner" is the first or second key of either format */

static bool contains(const char *data, size_t size, const char *word)
{
	return memmem(data, size < DETECT_SIZE ? size : DETECT_SIZE, word, strlen(word)) != NULL;
}

const char *forest_detect(const void *data, size_t size)
{
	const char *text = data;
	size_t i = 1;

	if (size >= 5 && (memcmp(text, "tree\n", 5) == 0 || memcmp(text, "tree\r", 5) == 0) &&
	    contains(text, size, "version="))
		return "lightgbm-text";
	if (size < 3 || text[0] != '{')
		return NULL;
	while (i < size && strchr(" \t\r\n", text[i]) && text[i])
		i++;
	if (i < size && text[i] == '"' &&
	    (contains(text, size, "\"learner\"") || memmem(text, size, "\"gradient_booster\"", 18)))
		return "xgboost-json";
	if (strchr("iUIlL#$", text[1]) && text[1] && contains(text, size, "learner"))
		return "xgboost-ubj";
	return NULL;
}

int forest_grow(void **array, size_t *capacity, size_t count, size_t extra, size_t size, struct err *e)
{
	size_t wanted = *capacity ? *capacity : 16;
	void *grown;

	if (count + extra <= *capacity)
		return 0;
	while (wanted < count + extra)
		wanted *= 2;
	grown = realloc(*array, wanted * size);
	if (!grown)
		return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	*array = grown;
	*capacity = wanted;
	return 0;
}

static char *cleaned(const char *raw, size_t size, struct err *e)
{
	size_t room = size * 4 + 1; /* \xNN is the longest form of a byte */
	char *copy = malloc(size + 1);
	char *clean = malloc(room);

	if (!copy || !clean) {
		free(copy);
		free(clean);
		err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
		return NULL;
	}
	memcpy(copy, raw, size);
	copy[size] = '\0';
	text_clean(clean, room, copy);
	free(copy);
	return clean;
}

int forest_name(struct forest *f, size_t i, const char *name, size_t size, struct err *e)
{
	char *clean = cleaned(name, size, e);

	if (!clean)
		return -1;
	free(f->info.feature_names[i]);
	f->info.feature_names[i] = clean;
	return 0;
}

int forest_shape(struct forest *f, size_t features, size_t outputs, struct err *e)
{
	char name[32];

	if (features < 1 || features > FOREST_FEATURES_MAX)
		return err_set(e, ERR_INPUT, "The model has %zu features; 1 to %d are supported.", features,
			       FOREST_FEATURES_MAX);
	if (outputs < 1 || outputs > FOREST_OUTPUTS_MAX)
		return err_set(e, ERR_INPUT, "The model has %zu outputs; 1 to %d are supported.", outputs,
			       FOREST_OUTPUTS_MAX);
	f->info.raw_count = f->info.output_count = outputs;
	f->info.feature_names = calloc(features, sizeof(char *));
	f->column_of = calloc(features, sizeof(*f->column_of));
	f->columns = calloc(features * COLUMN_MODES, sizeof(*f->columns));
	if (!f->info.feature_names || !f->column_of || !f->columns)
		return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	f->info.feature_count = features;
	for (size_t i = 0; i < features; i++) {
		int length = snprintf(name, sizeof(name), "f%zu", i);

		if (forest_name(f, i, name, (size_t)length, e))
			return -1;
	}
	return 0;
}

int forest_objective(struct forest *f, const char *text, size_t size, struct err *e)
{
	free(f->objective);
	f->objective = cleaned(text, size, e);
	f->info.objective = f->objective;
	return f->objective ? 0 : -1;
}

int forest_fact_add(struct forest *f, const char *name, const char *value, size_t size, struct err *e)
{
	struct forest_info *info = &f->info;
	struct forest_fact fact;
	void *grown = realloc(info->facts, (info->fact_count + 1) * sizeof(fact));

	if (!grown)
		return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	info->facts = grown;
	fact.name = cleaned(name, strlen(name), e);
	fact.value = fact.name ? cleaned(value, size, e) : NULL;
	if (!fact.value) {
		free(fact.name);
		return -1;
	}
	info->facts[info->fact_count++] = fact;
	return 0;
}

static uint32_t column_for(struct forest *f, uint32_t feature, unsigned mode)
{
	uint32_t *slot = &f->column_of[feature][mode];

	if (!*slot) {
		f->columns[f->column_count].feature = feature;
		f->columns[f->column_count].mode = mode;
		*slot = (uint32_t)++f->column_count;
	}
	return *slot - 1;
}

static int room_for_nodes(struct forest *f, size_t extra, struct err *e)
{
	size_t nodes = f->node_capacity;
	size_t values = f->node_capacity;
	size_t linear = f->node_capacity;

	if (forest_grow((void **)&f->values, &values, f->node_count, extra, sizeof(double), e) ||
	    forest_grow((void **)&f->linear_of, &linear, f->node_count, extra, sizeof(uint32_t), e))
		return -1;
	if (forest_grow((void **)&f->nodes, &nodes, f->node_count, extra, sizeof(struct node), e))
		return -1;
	f->node_capacity = nodes;
	return 0;
}

static int place_node(struct forest *f, const struct source_node *s, size_t at, uint32_t child, struct err *e)
{
	struct node *n = &f->nodes[at];

	n->child = child;
	n->column = 0;
	f->values[at] = s->leaf ? s->value : 0;
	f->linear_of[at] = s->leaf ? s->linear : 0;
	n->test.threshold = (double)INFINITY;
	if (s->leaf)
		return 0;
	if (s->feature >= f->info.feature_count)
		return err_set(e, ERR_INPUT, "Tree %zu has the split_feature %u, but the model has %zu features.",
			       f->info.tree_count, s->feature, f->info.feature_count);
	if (isnan(s->value))
		return err_set(e, ERR_INPUT, "Tree %zu has a threshold that is not a number.", f->info.tree_count);
	n->column = s->flags | column_for(f, s->feature, s->mode);
	n->test.threshold = s->value;
	if (s->flags & NODE_CATEGORICAL) {
		n->test.set.offset = s->set_offset;
		n->test.set.size = s->set_size;
	}
	return 0;
}

/* Lays the tree out level by level, so that siblings are neighbours. queue[] is both the order and
 * the work. */
static int lay_out(struct forest *f, const struct source_node *nodes, size_t count, uint32_t *queue,
		   unsigned char *seen, struct tree *t, struct err *e)
{
	size_t tail = 1;
	size_t level_end = 1;

	queue[0] = 0;
	seen[0] = 1;
	for (size_t head = 0; head < tail; head++) {
		const struct source_node *s = &nodes[queue[head]];

		if (head == level_end) {
			t->depth++;
			level_end = tail;
		}
		if (place_node(f, s, t->first + head, (uint32_t)(s->leaf ? head : tail), e))
			return -1;
		if (s->leaf) {
			f->info.leaf_count++;
			continue;
		}
		t->categorical |= (s->flags & NODE_CATEGORICAL) != 0;
		if (s->left >= count || s->right >= count)
			return err_set(e, ERR_INPUT, "Tree %zu has a left or right child outside the tree.",
				       f->info.tree_count);
		if (s->left == s->right || seen[s->left] || seen[s->right])
			return err_set(e, ERR_INPUT,
				       "Tree %zu reaches one node twice through its left and right children.",
				       f->info.tree_count);
		seen[s->left] = seen[s->right] = 1;
		queue[tail++] = s->left;
		queue[tail++] = s->right;
	}
	t->size = (uint32_t)tail;
	return 0;
}

int forest_add_tree(struct forest *f, const struct source_node *nodes, size_t count, size_t class, struct err *e)
{
	struct tree t = {.first = f->node_count, .class = (uint32_t) class};
	uint32_t *queue;
	unsigned char *seen;
	int status = -1;

	if (class >= f->info.raw_count)
		return err_set(e, ERR_INPUT, "Tree %zu belongs to output %zu of %zu.", f->info.tree_count, class,
			       f->info.raw_count);
	if (count < 1 || count > INT32_MAX)
		return err_set(e, ERR_INPUT, "Tree %zu has %zu nodes.", f->info.tree_count, count);
	if (room_for_nodes(f, count, e) ||
	    forest_grow((void **)&f->trees, &f->tree_capacity, f->info.tree_count, 1, sizeof(t), e))
		return -1;
	queue = malloc(count * sizeof(*queue));
	seen = calloc(count, 1);
	if (!queue || !seen)
		err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	else
		status = lay_out(f, nodes, count, queue, seen, &t, e);
	free(queue);
	free(seen);
	if (status)
		return -1;
	f->node_count += t.size;
	f->trees[f->info.tree_count++] = t;
	return 0;
}

/* The largest float32 not above x: for float32 inputs, v <= x exactly when v <= this. */
static float round_down(double x)
{
	float y;

	if (x < -(double)3.402823466e38f)
		return -INFINITY;
	if (x > (double)3.402823466e38f)
		return isinf(x) ? INFINITY : 3.402823466e38f;
	y = (float)x;
	return (double)y > x ? nextafterf(y, -INFINITY) : y;
}

static int make_small(struct forest *f, struct err *e)
{
	if (f->column_count > 0x7fff || f->node_count == 0)
		return 0;
	for (size_t t = 0; t < f->info.tree_count; t++)
		if (f->trees[t].size > 0xffff)
			return 0;
	f->small = malloc(f->node_count * sizeof(*f->small));
	if (!f->small)
		return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	for (size_t i = 0; i < f->node_count; i++) {
		const struct node *n = &f->nodes[i];

		f->small[i].child = (uint16_t)n->child;
		f->small[i].column = (uint16_t)((n->column & 0x7fff) | (n->column & NODE_DEFAULT_RIGHT) >> 16);
		f->small[i].threshold = n->column & NODE_CATEGORICAL ? INFINITY : round_down(n->test.threshold);
	}
	return 0;
}

static int finish(struct forest *f, struct err *e)
{
	free(f->column_of);
	f->column_of = NULL;
	if (f->linear_count == 0) {
		free(f->linear_of);
		f->linear_of = NULL;
	}
	if (make_small(f, e))
		return -1;
	f->info.memory_bytes = sizeof(*f) + f->node_capacity * (sizeof(struct node) + sizeof(double)) +
			       (f->small ? f->node_count * sizeof(struct small_node) : 0) +
			       f->tree_capacity * sizeof(struct tree) + f->set_capacity * sizeof(uint32_t) +
			       f->weight_capacity * (sizeof(uint32_t) + sizeof(double)) +
			       f->info.feature_count * (sizeof(char *) + 16);
	return 0;
}

int forest_load(const void *data, size_t size, struct forest **result, struct err *e)
{
	const char *format = forest_detect(data, size);
	struct forest *f;
	int status;

	*result = NULL;
	if (!format)
		return err_set(e, ERR_INPUT, "The file is not a LightGBM text or an XGBoost JSON or UBJSON model.");
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
	f->info.format = format;
	if (strcmp(format, "lightgbm-text") == 0)
		status = lightgbm_load(f, data, size, e);
	else
		status = xgboost_load(f, data, size, strcmp(format, "xgboost-ubj") == 0, e);
	if (status || finish(f, e)) {
		forest_free(f);
		return -1;
	}
	*result = f;
	return 0;
}

void forest_free(struct forest *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->info.feature_count; i++)
		free(f->info.feature_names[i]);
	for (size_t i = 0; i < f->info.fact_count; i++) {
		free(f->info.facts[i].name);
		free(f->info.facts[i].value);
	}
	free(f->info.feature_names);
	free(f->info.facts);
	free(f->objective);
	free(f->columns);
	free(f->column_of);
	free(f->nodes);
	free(f->small);
	free(f->values);
	free(f->linear_of);
	free(f->trees);
	free(f->sets);
	free(f->linear);
	free(f->linear_features);
	free(f->linear_weights);
	free(f->base);
	free(f->gblinear);
	free(f);
}

const struct forest_info *forest_info(const struct forest *f)
{
	return &f->info;
}
