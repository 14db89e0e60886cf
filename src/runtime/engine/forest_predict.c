/*
 * forest_predict: walks the trees. Groups of trees are walked together without branches, each for
 * as many steps as the deepest of them; leaves are then added in tree order, as the libraries do.
 */
#include "runtime/engine/forest_internal.h"

#include <math.h>

#define GROUP 8
#define COLUMNS_MAX 2048 /* wider models prepare each value where it is compared */

/* LightGBM's kZeroThreshold is this float widened. */
#define ZERO_THRESHOLD ((double)1e-35f)

struct row {
	const float *f32; /* the caller's row: one of the two */
	const double *f64;
	const float *narrow; /* prepared columns, or NULL */
	const double *wide;
	bool missing;
};

static double row_value(const struct row *r, size_t feature)
{
	return r->f32 ? (double)r->f32[feature] : r->f64[feature];
}

static double prepare(double x, unsigned mode)
{
	if (mode == COLUMN_PLAIN)
		return (float)x;
	if (fabs(x) <= ZERO_THRESHOLD)
		x = 0;
	if (mode == COLUMN_NONE && isnan(x))
		return 0;
	if (mode == COLUMN_ZERO && x == 0)
		return (double)NAN;
	return x;
}

static bool set_holds(const uint32_t *words, uint32_t size, bool list, double x)
{
	uint32_t category;
	uint32_t low = 0;

	if (!(x > -1 && x < 2147483648.0))
		return false;
	category = (uint32_t)(int32_t)x;
	if (!list)
		return category / 32 < size && (words[category / 32] >> category % 32 & 1);
	while (low < size) {
		uint32_t middle = low + (size - low) / 2;

		if (words[middle] == category)
			return true;
		if (words[middle] < category)
			low = middle + 1;
		else
			size = middle;
	}
	return false;
}

static bool goes_right(const struct forest *f, const struct node *n, double x)
{
	bool hit;

	if (!(n->column & NODE_CATEGORICAL))
		return x > n->test.threshold || (isnan(x) && n->column & NODE_DEFAULT_RIGHT);
	if (isnan(x))
		return n->column & NODE_DEFAULT_RIGHT;
	if (n->column & NODE_HIT_RIGHT && (x < 0 || x >= 16777216))
		return false;
	hit = set_holds(f->sets + n->test.set.offset, n->test.set.size, n->column & NODE_LIST, x);
	return hit == ((n->column & NODE_HIT_RIGHT) != 0);
}

/* One tree, any kind of node. */
static size_t walk_any(const struct forest *f, const struct tree *t, const struct row *r)
{
	const struct node *nodes = f->nodes + t->first;
	uint32_t at = 0;

	while (nodes[at].child != at) {
		const struct node *n = &nodes[at];
		uint32_t column = n->column & NODE_COLUMN;
		double x;

		if (r->narrow)
			x = r->narrow[column];
		else if (r->wide)
			x = r->wide[column];
		else
			x = prepare(row_value(r, f->columns[column].feature), f->columns[column].mode);
		at = n->child + goes_right(f, n, x);
	}
	return t->first + at;
}

#define STEP_NARROW(k)                                                             \
	do {                                                                       \
		const struct small_node *n = nodes[k] + at[k];                     \
		float x = columns[n->column & 0x7fff];                             \
		unsigned right = x > n->threshold;                                 \
		if (missing)                                                       \
			right |= (unsigned)(x != x) & (unsigned)(n->column >> 15); \
		at[k] = n->child + right;                                          \
	} while (0)

static inline void walk_narrow(const struct forest *f, const struct tree *t, const float *columns, bool missing,
			       size_t *leaves)
{
	const struct small_node *nodes[GROUP];
	unsigned at[GROUP] = {0};
	uint32_t depth = 0;

	for (int k = 0; k < GROUP; k++) {
		nodes[k] = f->small + t[k].first;
		depth = t[k].depth > depth ? t[k].depth : depth;
	}
	while (depth--) {
		STEP_NARROW(0);
		STEP_NARROW(1);
		STEP_NARROW(2);
		STEP_NARROW(3);
		STEP_NARROW(4);
		STEP_NARROW(5);
		STEP_NARROW(6);
		STEP_NARROW(7);
	}
	for (int k = 0; k < GROUP; k++)
		leaves[k] = t[k].first + at[k];
}

static inline void walk_wide(const struct forest *f, const struct tree *t, const double *columns, bool missing,
			     size_t *leaves)
{
	uint32_t at[GROUP] = {0};
	uint32_t depth = 0;

	for (int k = 0; k < GROUP; k++)
		depth = t[k].depth > depth ? t[k].depth : depth;
	while (depth--)
		for (int k = 0; k < GROUP; k++) {
			const struct node *n = f->nodes + t[k].first + at[k];
			double x = columns[n->column & NODE_COLUMN];
			unsigned right = x > n->test.threshold;

			if (missing)
				right |= (unsigned)(x != x) & (n->column >> 31);
			at[k] = n->child + right;
		}
	for (int k = 0; k < GROUP; k++)
		leaves[k] = t[k].first + at[k];
}

/* Trees of which some ask for categories: only that question branches, and it is rarely asked. */
static inline void walk_mixed(const struct forest *f, const struct tree *t, const struct row *r, size_t *leaves)
{
	uint32_t at[GROUP] = {0};
	uint32_t depth = 0;

	for (int k = 0; k < GROUP; k++)
		depth = t[k].depth > depth ? t[k].depth : depth;
	while (depth--)
		for (int k = 0; k < GROUP; k++) {
			const struct node *n = f->nodes + t[k].first + at[k];
			uint32_t column = n->column & NODE_COLUMN;
			double x = r->narrow ? (double)r->narrow[column] : r->wide[column];
			unsigned right;

			if (n->column & NODE_CATEGORICAL)
				right = goes_right(f, n, x);
			else
				right = (unsigned)(x > n->test.threshold) | ((unsigned)(x != x) & (n->column >> 31));
			at[k] = n->child + right;
		}
	for (int k = 0; k < GROUP; k++)
		leaves[k] = t[k].first + at[k];
}

static bool group_plain(const struct tree *t)
{
	for (int k = 0; k < GROUP; k++)
		if (t[k].categorical)
			return false;
	return true;
}

static bool group_even(const struct tree *t)
{
	uint32_t low = UINT32_MAX;
	uint32_t high = 0;

	for (int k = 0; k < GROUP; k++) {
		low = t[k].depth < low ? t[k].depth : low;
		high = t[k].depth > high ? t[k].depth : high;
	}
	return high <= 4 * low + 16; /* else a chain would make its neighbours walk for nothing */
}

static size_t walk_group(const struct forest *f, size_t first, const struct row *r, size_t *leaves)
{
	const struct tree *t = f->trees + first;
	size_t left = f->info.tree_count - first;

	if (left >= GROUP && (r->narrow || r->wide) && group_even(t)) {
		if (!group_plain(t))
			walk_mixed(f, t, r, leaves);
		else if (r->narrow && r->missing)
			walk_narrow(f, t, r->narrow, true, leaves);
		else if (r->narrow)
			walk_narrow(f, t, r->narrow, false, leaves);
		else
			walk_wide(f, t, r->wide, r->missing, leaves);
		return GROUP;
	}
	left = left < GROUP ? left : GROUP;
	for (size_t k = 0; k < left; k++)
		leaves[k] = walk_any(f, &t[k], r);
	return left;
}

static double leaf_output(const struct forest *f, size_t node, const struct row *r)
{
	const struct linear_leaf *leaf;
	double sum;

	if (!f->linear_of || !f->linear_of[node])
		return f->values[node];
	leaf = &f->linear[f->linear_of[node] - 1];
	sum = leaf->constant;
	for (size_t i = 0; i < leaf->count; i++) {
		double x = row_value(r, f->linear_features[leaf->first + i]);

		if (isnan(x))
			return f->values[node];
		sum += f->linear_weights[leaf->first + i] * prepare(x, COLUMN_NAN);
	}
	return sum;
}

static void sum_trees(const struct forest *f, const struct row *r, double *raw)
{
	size_t leaves[GROUP];
	size_t count;

	for (size_t i = 0; i < f->info.raw_count; i++)
		raw[i] = f->base ? f->base[i] : 0;
	for (size_t first = 0; first < f->info.tree_count; first += count) {
		count = walk_group(f, first, r, leaves);
		for (size_t k = 0; k < count; k++) {
			double *sum = &raw[f->trees[first + k].class];

			if (f->info.float32)
				*sum = (float)*sum + (float)f->values[leaves[k]];
			else
				*sum += leaf_output(f, leaves[k], r);
		}
	}
}

static void sum_gblinear(const struct forest *f, const struct row *r, double *raw)
{
	size_t count = f->info.raw_count;
	size_t features = f->info.feature_count;

	for (size_t g = 0; g < count; g++) {
		/* XGBoost 3.2 starts every class of gblinear at the first base score. */
		float sum = f->gblinear[features * count + g] + f->base[0];

		for (size_t i = 0; i < features; i++) {
			float x = (float)row_value(r, i);

			if (!isnan(x))
				sum += x * f->gblinear[i * count + g];
		}
		raw[g] = sum;
	}
}

static void prepare_narrow(const struct forest *f, struct row *r, float *columns)
{
	bool missing = false;

	for (size_t i = 0; i < f->column_count; i++) {
		columns[i] = (float)prepare(row_value(r, f->columns[i].feature), f->columns[i].mode);
		missing |= columns[i] != columns[i];
	}
	r->narrow = columns;
	r->missing = missing;
}

/* Fills columns; false, with r unchanged, where some value needs double precision. */
static bool fits_narrow(const struct forest *f, const struct row *r)
{
	if (f->info.float32 || r->f32)
		return true;
	for (size_t i = 0; i < f->column_count; i++) {
		double x = r->f64[f->columns[i].feature];

		if (!isnan(x) && (double)(float)x != x)
			return false;
	}
	return true;
}

static void prepare_wide(const struct forest *f, struct row *r, double *columns)
{
	for (size_t i = 0; i < f->column_count; i++) {
		columns[i] = prepare(row_value(r, f->columns[i].feature), f->columns[i].mode);
		r->missing |= columns[i] != columns[i];
	}
	r->wide = columns;
}

static void predict_row(const struct forest *f, struct row *r, double *output, double *raw)
{
	double scores[FOREST_OUTPUTS_MAX];
	double wide[COLUMNS_MAX];
	float narrow[COLUMNS_MAX];

	if (!raw)
		raw = f->info.raw_count == f->info.output_count ? output : scores;
	if (f->gblinear) {
		sum_gblinear(f, r, raw);
	} else {
		if (f->column_count <= COLUMNS_MAX && f->small && fits_narrow(f, r))
			prepare_narrow(f, r, narrow);
		else if (f->column_count <= COLUMNS_MAX)
			prepare_wide(f, r, wide);
		sum_trees(f, r, raw);
	}
	forest_transform(f, raw, output);
}

void forest_predict_f32(const struct forest *f, const float *rows, size_t row_count, double *output, double *raw)
{
	for (size_t i = 0; i < row_count; i++) {
		struct row r = {.f32 = rows + i * f->info.feature_count};

		predict_row(f, &r, output + i * f->info.output_count, raw ? raw + i * f->info.raw_count : NULL);
	}
}

void forest_predict_f64(const struct forest *f, const double *rows, size_t row_count, double *output, double *raw)
{
	for (size_t i = 0; i < row_count; i++) {
		struct row r = {.f64 = rows + i * f->info.feature_count};

		predict_row(f, &r, output + i * f->info.output_count, raw ? raw + i * f->info.raw_count : NULL);
	}
}
