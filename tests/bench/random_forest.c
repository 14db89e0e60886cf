/* random_forest: prints a LightGBM text model of 100 trees, 31 leaves and 30 features, the same
 * each time. */
#include <stdint.h>
#include <stdio.h>

#define TREES 100
#define LEAVES 31
#define FEATURES 30
#define NODES (LEAVES - 1)

/* Marsaglia's xorshift: the same numbers on every machine. */
static double random_unit(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / 9007199254740992.0;
}

/* Grows a tree as LightGBM numbers it: node n splits a leaf, which keeps its number on the left;
 * the new leaf n + 1 stands on the right. A child below zero is the leaf -child - 1. */
static void grow(int left[NODES], int right[NODES])
{
	int *where[LEAVES]; /* the child that points to each leaf; NULL: the leaf is the whole tree
			     */

	where[0] = NULL;
	for (int node = 0; node < NODES; node++) {
		int leaf = (int)(random_unit() * (node + 1));

		if (where[leaf])
			*where[leaf] = node;
		left[node] = -leaf - 1;
		right[node] = -(node + 1) - 1;
		where[leaf] = &left[node];
		where[node + 1] = &right[node];
	}
}

static void print_whole(const char *name, const int *values, int count)
{
	printf("%s=", name);
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? " " : "", values[i]);
	putchar('\n');
}

static void print_tree(int tree)
{
	int left[NODES], right[NODES], types[NODES], features[NODES];

	grow(left, right);
	printf("Tree=%d\nnum_leaves=%d\nnum_cat=0\n", tree, LEAVES);
	for (int i = 0; i < NODES; i++) {
		features[i] = (int)(random_unit() * FEATURES);
		types[i] = 10; /* a missing value is NaN and goes left */
	}
	print_whole("split_feature", features, NODES);
	printf("threshold=");
	for (int i = 0; i < NODES; i++)
		printf("%s%.17g", i ? " " : "", random_unit() * 4 - 2);
	putchar('\n');
	print_whole("decision_type", types, NODES);
	print_whole("left_child", left, NODES);
	print_whole("right_child", right, NODES);
	printf("leaf_value=");
	for (int i = 0; i < LEAVES; i++)
		printf("%s%.17g", i ? " " : "", (random_unit() - 0.5) / 10);
	puts("\nis_linear=0\nshrinkage=1\n\n");
}

int main(void)
{
	printf("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_"
	       "feature_idx=%d\n"
	       "objective=binary sigmoid:1\nfeature_names=",
	       FEATURES - 1);
	for (int i = 0; i < FEATURES; i++)
		printf("%sf%d", i ? " " : "", i);
	puts("\n");
	for (int i = 0; i < TREES; i++)
		print_tree(i);
	puts("end of trees\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
