/*
 * forest_internal: what the parsers of the two formats build and the predictor walks.
 *
 * Owner: struct forest owns everything in it. Not thread-safe while a loader builds it, immutable
 * after. Limits: a node's place in its tree fits 32 bits; a row of FOREST_FEATURES_MAX columns. Not
 * here: the file formats (forest_lightgbm, forest_xgboost).
 */
#ifndef RUNTIME_FOREST_INTERNAL_H
#define RUNTIME_FOREST_INTERNAL_H

#include "runtime/engine/forest.h"

#include <stdint.h>

/* What a value becomes before it is compared. */
enum column_mode {
	COLUMN_NONE,  /* LightGBM without missing values: NaN is 0 */
	COLUMN_ZERO,  /* LightGBM, zero is missing: zero becomes NaN */
	COLUMN_NAN,   /* LightGBM: NaN is missing */
	COLUMN_PLAIN, /* XGBoost: rounded to float32, NaN is missing */
	COLUMN_MODES
};

/* A feature as the nodes with one missing mode see it. */
struct column {
	uint32_t feature;
	uint32_t mode;
};

#define NODE_DEFAULT_RIGHT 0x80000000u
#define NODE_CATEGORICAL 0x40000000u
#define NODE_LIST 0x20000000u      /* the category set is a sorted list, not a bitset */
#define NODE_HIT_RIGHT 0x10000000u /* a category of the set goes right (XGBoost) */
#define NODE_COLUMN 0x0fffffffu

/* Children are adjacent: right is child + 1. A leaf is its own left child and never goes right. */
struct node {
	union {
		double threshold;
		struct {
			uint32_t offset; /* into sets[] */
			uint32_t size;   /* words */
		} set;
	} test;
	uint32_t child;  /* from the tree's first node */
	uint32_t column; /* NODE_* flags and the column */
};

/* The same for trees without categories and of at most 65535 nodes. Bit 15 of column: default
 * right. */
struct small_node {
	float threshold;
	uint16_t column;
	uint16_t child;
};

struct tree {
	size_t first; /* node */
	uint32_t size;
	uint32_t depth;
	uint32_t class;
	bool categorical;
};

struct linear_leaf {
	double constant;
	size_t first; /* into linear_features and linear_weights */
	size_t count;
};

enum transform {
	TRANSFORM_IDENTITY,
	TRANSFORM_SIGMOID,
	TRANSFORM_SOFTMAX,
	TRANSFORM_ARGMAX,
	TRANSFORM_EXP,
	TRANSFORM_LOG1P_EXP,
	TRANSFORM_SIGNED_SQUARE,
	TRANSFORM_HINGE
};

struct forest {
	struct forest_info info;
	char *objective;
	enum transform transform;
	double sigmoid;
	size_t average; /* iterations to divide by; 0: sums stay sums */
	struct column *columns;
	size_t column_count;
	uint32_t (*column_of)[COLUMN_MODES]; /* [feature_count], column + 1 or 0; only while loading */
	struct node *nodes;
	struct small_node *small; /* [node_count], or NULL where some tree does not fit */
	double *values;           /* [node_count]: a leaf's value */
	uint32_t *linear_of;      /* [node_count]: linear leaf + 1, or NULL */
	size_t node_count, node_capacity;
	struct tree *trees;
	size_t tree_capacity;
	uint32_t *sets;
	size_t set_count, set_capacity;
	struct linear_leaf *linear;
	size_t linear_count, linear_capacity;
	uint32_t *linear_features;
	double *linear_weights;
	size_t weight_count, weight_capacity;
	float *base;     /* [raw_count]: XGBoost's margin before the first tree, or NULL */
	float *gblinear; /* [feature_count + 1][raw_count], the last row the bias, or NULL */
};

/* A node as a parser hands it over; children are indices into the same array. */
struct source_node {
	double value; /* threshold, or a leaf's value */
	uint32_t left, right;
	uint32_t feature;
	uint32_t set_offset, set_size;
	uint32_t linear; /* linear leaf + 1 */
	uint32_t flags;  /* NODE_* */
	uint8_t mode;
	bool leaf;
};

/* Makes room for one more element of size bytes; array is NULL at first. 0 or -1 with ERR_MEMORY.
 */
int forest_grow(void **array, size_t *capacity, size_t count, size_t extra, size_t size, struct err *e);

/* Sets feature_count and names (f0, f1, ...), raw and output counts to outputs. */
int forest_shape(struct forest *f, size_t features, size_t outputs, struct err *e);
/* Gives feature i a name of size bytes. */
int forest_name(struct forest *f, size_t i, const char *name, size_t size, struct err *e);
int forest_fact_add(struct forest *f, const char *name, const char *value, size_t size, struct err *e);
int forest_objective(struct forest *f, const char *text, size_t size, struct err *e);
/* Appends a tree whose root is nodes[0]; every node must be reached at most once. */
int forest_add_tree(struct forest *f, const struct source_node *nodes, size_t count, size_t class, struct err *e);

int lightgbm_load(struct forest *f, const char *data, size_t size, struct err *e);
int xgboost_load(struct forest *f, const void *data, size_t size, bool ubjson, struct err *e);

/* raw[raw_count] to output[output_count]; they may be the same array. */
void forest_transform(const struct forest *f, const double *raw, double *output);

#endif
