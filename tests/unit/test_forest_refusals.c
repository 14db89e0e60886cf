/* forest: each kind of broken, hostile or unsupported model is refused with a sentence naming the
 * field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/engine/forest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Swaps the first "from" of a good model for "to". */
struct refusal {
	const char *from;
	const char *to;
	const char *says; /* part of the sentence; NULL where the model still loads */
};

static const char lightgbm[] = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
			       "max_feature_idx=1\nobjective=regression\nfeature_names=a b\n"
			       "feature_infos=none none\ntree_sizes=300\n\n"
			       "Tree=0\nnum_leaves=4\nnum_cat=1\nsplit_feature=0 1 0\n"
			       "threshold=0.5 0 1.5\ndecision_type=2 1 10\nleft_child=1 -1 -3\n"
			       "right_child=2 -2 -4\nleaf_value=1 2 3 4\ncat_boundaries=0 1\n"
			       "cat_threshold=5\nis_linear=1\nleaf_const=1 2 3 4\nnum_features=1 0 0 0\n"
			       "leaf_features=1 \nleaf_coeff=0.5 \nshrinkage=1\n\nend of trees\n";

static const struct refusal lightgbm_refusals[] = {
    {"version=v4", "version=v4", NULL},
    {"version=v4", "version=v9", "version"},
    {"num_class=1", "num_class=0", "num_class"},
    {"num_class=1", "num_class=2", "num_class 2"},
    {"num_class=1", "num_class=1000000000", "num_class"},
    {"num_tree_per_iteration=1", "num_tree_per_iteration=-1", "num_tree_per_iteration"},
    {"max_feature_idx=1\n", "max_feature_idx=1000000000\n", "max_feature_idx"},
    {"max_feature_idx=1\n", "max_feature_idx=-1\n", "max_feature_idx"},
    {"max_feature_idx=1\n", "", "max_feature_idx"},
    {"feature_names=a b", "feature_names=a", "feature_names"},
    {"feature_names=a b", "feature_names=a b c", "feature_names"},
    {"objective=regression", "objective=surprise", "objective surprise"},
    {"objective=regression", "objective=multiclass num_class:1", "num_class"},
    {"objective=regression", "objective=binary sigmoid:0", "sigmoid"},
    {"objective=regression", "objective=binary sigmoid:-1", "sigmoid"},
    {"tree_sizes=300", "tree_sizes=300 300", "tree_sizes"},
    {"tree_sizes=300", "tree_sizes=none", "tree_sizes"},
    {"tree_sizes=300\n", "", NULL},
    {"num_leaves=4", "num_leaves=1000000000", "num_leaves"},
    {"num_leaves=4", "num_leaves=-4", "num_leaves"},
    {"num_leaves=4", "num_leaves=0", "num_leaves"},
    {"num_leaves=4", "num_leaves=3", "leaf_value"},
    {"num_leaves=4\n", "", "num_leaves"},
    {"num_cat=1", "num_cat=1000000000", "cat_boundaries"},
    {"num_cat=1", "num_cat=-1", "num_cat"},
    {"num_cat=1", "num_cat=0", "threshold"},
    {"split_feature=0 1 0", "split_feature=0 7 0", "split_feature 7"},
    {"split_feature=0 1 0", "split_feature=0 -1 0", "split_feature"},
    {"split_feature=0 1 0", "split_feature=0 1", "split_feature"},
    {"split_feature=0 1 0", "split_feature=0 1 0 0", "split_feature"},
    {"threshold=0.5", "threshold=nan", "threshold"},
    {"threshold=0.5", "threshold=0.5x", "threshold"},
    {"threshold=0.5 0 1.5", "threshold=0.5 1 1.5", "threshold"},
    {"threshold=0.5 0 1.5", "threshold=0.5 0.5 1.5", "threshold"},
    {"threshold=0.5 0 1.5\n", "", "threshold"},
    {"decision_type=2", "decision_type=16", "decision_type 16"},
    {"decision_type=2", "decision_type=14", "decision_type 14"},
    {"decision_type=2", "decision_type=-1", "decision_type"},
    {"left_child=1 -1", "left_child=9 -1", "left_child"},
    {"left_child=1 -1", "left_child=-9 -1", "left_child"},
    {"left_child=1 -1", "left_child=0 -1", "twice"},
    {"left_child=1 -1", "left_child=2 -1", "twice"},
    {"right_child=2 -2", "right_child=2 0", "twice"},
    {"right_child=2 -2", "right_child=2 0.5", "right_child"},
    {"leaf_value=1 2 3 4", "leaf_value=1 2 3", "num_leaves"},
    {"leaf_value=1 2 3 4", "leaf_value=1 2 nan 4", "leaf_value"},
    {"leaf_value=1 2 3 4", "leaf_value=1 2 inf 4", "leaf_value"},
    {"cat_boundaries=0 1", "cat_boundaries=0 1000000000", "cat_threshold"},
    {"cat_boundaries=0 1", "cat_boundaries=2 1", "cat_boundaries"},
    {"cat_boundaries=0 1", "cat_boundaries=0", "cat_boundaries"},
    {"cat_threshold=5", "cat_threshold=4294967296", "cat_threshold"},
    {"cat_threshold=5\n", "", "cat_threshold"},
    {"is_linear=1", "is_linear=2", "is_linear"},
    {"leaf_const=1 2 3 4", "leaf_const=1 2 3", "leaf_const"},
    {"num_features=1 0", "num_features=-1 0", "num_features"},
    {"num_features=1 0", "num_features=65000 0", "leaf_features"},
    {"leaf_features=1 ", "leaf_features=2 ", "leaf_features"},
    {"leaf_coeff=0.5 ", "leaf_coeff=", "leaf_coeff"},
    {"end of trees\n", "", "end of trees"},
    {"Tree=0", "Trie=0", "tree_sizes"},
};

static const char xgboost[] =
    "{\"learner\":{\"attributes\":{},\"feature_names\":[\"a\",\"b\"],\"feature_types\":[\"q\","
    "\"c\"],"
    "\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\","
    "\"num_trees\":\"1\"},\"tree_info\":[0],\"trees\":[{\"categories\":[1,3],"
    "\"categories_nodes\":[1],\"categories_segments\":[0],\"categories_sizes\":[2],"
    "\"default_left\":[1,0,0,0,0],\"left_children\":[1,3,-1,-1,-1],"
    "\"right_children\":[2,4,-1,-1,-1],\"split_conditions\":[5E-1,0E0,1E0,2E0,3E0],"
    "\"split_indices\":[0,1,0,0,0],\"split_type\":[0,1,0,0,0],"
    "\"tree_param\":{\"num_nodes\":\"5\",\"size_leaf_vector\":\"1\"}}]},\"name\":\"gbtree\"},"
    "\"learner_model_param\":{\"base_score\":\"[5E-1]\",\"num_class\":\"0\",\"num_feature\":\"2\","
    "\"num_target\":\"1\"},\"objective\":{\"name\":\"reg:squarederror\"}},\"version\":[3,2,0]}";

static const struct refusal xgboost_refusals[] = {
    {"version", "version", NULL},
    {"\"num_trees\":\"1\"", "\"num_trees\":\"1000000000\"", "num_trees"},
    {"\"num_trees\":\"1\"", "\"num_trees\":\"-1\"", "num_trees"},
    {"\"num_trees\":\"1\"", "\"num_trees\":[]", "num_trees"},
    {"\"tree_info\":[0]", "\"tree_info\":[0,0]", "tree_info"},
    {"\"tree_info\":[0]", "\"tree_info\":[1]", "tree_info"},
    {"\"tree_info\":[0]", "\"tree_info\":[-1]", "tree_info"},
    {"\"trees\"", "\"shrubs\"", "trees"},
    {"\"categories\":[1,3]", "\"categories\":[1,-3]", "categories"},
    {"\"categories\":[1,3]", "\"categories\":[1,16777216]", "categories"},
    {"\"categories\":[1,3]", "\"categories\":[1]", "categories_segments"},
    {"\"categories\":[1,3]", "\"categories\":null", "categories"},
    {"\"categories_nodes\":[1]", "\"categories_nodes\":[7]", "categories_nodes"},
    {"\"categories_nodes\":[1]", "\"categories_nodes\":[0]", "categories_nodes"},
    {"\"categories_nodes\":[1]", "\"categories_nodes\":[]", "categories_nodes"},
    {"\"categories_segments\":[0]", "\"categories_segments\":[1]", "categories_segments"},
    {"\"categories_segments\":[0]", "\"categories_segments\":[-1]", "categories_segments"},
    {"\"categories_sizes\":[2]", "\"categories_sizes\":[1000000000]", "categories_segments"},
    {"\"categories_sizes\":[2]", "\"categories_sizes\":[0]", "categories_sizes"},
    {"\"categories_sizes\":[2]", "\"categories_sizes\":[]", "categories_sizes"},
    {"\"default_left\":[1,", "\"default_left\":[2,", "default_left"},
    {"\"default_left\":[1,", "\"default_left\":[", "default_left"},
    {"\"left_children\":[1,", "\"left_children\":[9,", "left_children"},
    {"\"left_children\":[1,", "\"left_children\":[-2,", "left_children"},
    {"\"left_children\":[1,", "\"left_children\":[0,", "twice"},
    {"\"left_children\":[1,", "\"left_children\":[2,", "twice"},
    {"\"left_children\":[1,3,-1,-1,-1]", "\"left_children\":[]", "left_children"},
    {"\"right_children\":[2,4,", "\"right_children\":[2,0,", "twice"},
    {"\"right_children\":[2,4,", "\"right_children\":[2,", "right_children"},
    {"\"split_conditions\":[5E-1", "\"split_conditions\":[nan", "split_conditions"},
    {"\"split_conditions\":[5E-1,0E0,1E0", "\"split_conditions\":[5E-1,0E0,nan", "split_conditions"},
    {"\"split_conditions\":[5E-1,0E0,1E0", "\"split_conditions\":[5E-1,0E0,1E99", "split_conditions"},
    {"\"split_indices\":[0,1", "\"split_indices\":[0,2", "split_indices"},
    {"\"split_indices\":[0,1", "\"split_indices\":[-1,1", "split_indices"},
    {"\"split_type\":[0", "\"split_type\":[2", "split_type"},
    {"\"split_type\":[0,1", "\"split_type\":[0,0", "categories_nodes"},
    {"\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"3\"", "size_leaf_vector"},
    {"\"tree_param\"", "\"leaf_weights\":[1,2],\"tree_param\"", "vector leaves"},
    {"\"name\":\"gbtree\"", "\"name\":\"gbforest\"", "booster gbforest"},
    {"\"name\":\"gbtree\"", "\"name\":\"dart\"", "weight_drop"},
    {"\"name\":\"gbtree\"", "\"name\":\"dart\",\"weight_drop\":[1,1]", "weight_drop"},
    {"\"name\":\"gbtree\"", "\"name\":\"gblinear\"", "weights"},
    {"\"name\":\"gbtree\"", "\"name\":3", "booster"},
    {"\"base_score\":\"[5E-1]\"", "\"base_score\":\"[nan]\"", "base_score"},
    {"\"base_score\":\"[5E-1]\"", "\"base_score\":\"[1,2]\"", "base_score"},
    {"\"base_score\":\"[5E-1]\"", "\"base_score\":\"\"", "base_score"},
    {"\"base_score\":\"[5E-1]\"", "\"base_score\":0.5", "base_score"},
    {"\"num_class\":\"0\"", "\"num_class\":\"1000000000\"", "outputs"},
    {"\"num_class\":\"0\"", "\"num_class\":\"-3\"", "num_class"},
    {"\"num_feature\":\"2\"", "\"num_feature\":\"1000000000\"", "features"},
    {"\"num_feature\":\"2\"", "\"num_feature\":\"0\"", "features"},
    {"\"num_feature\":\"2\"", "\"num_feature\":\"3\"", "feature_names"},
    {"\"num_feature\":\"2\",", "", "num_feature"},
    {"[\"a\",\"b\"]", "[\"a\",7]", "feature_names"},
    {"\"learner_model_param\"", "\"other\"", "learner_model_param"},
    {"\"gradient_booster\"", "\"other\"", "gradient_booster"},
    {"reg:squarederror", "reg:expectileerror", "objective reg:expectileerror"},
    {"\"objective\"", "\"other\"", "objective"},
    {"[3,2,0]}", "[3,2,0]", "JSON"},
    {"[3,2,0]}", "[3,2,0]}x", "JSON"},
    {"[3,2,0]", "[3,2,0x]", "JSON"},
};

static int load(const void *data, size_t size, struct err *e)
{
	struct forest *f = NULL;
	void *exact = malloc(size ? size : 1); /* so that a sanitizer sees a read past the end */
	int status;

	memcpy(exact, data, size);
	memset(e, 0, sizeof(*e));
	status = forest_load(exact, size, &f, e);
	free(exact);
	if (status) {
		assert_null(f);
		assert_int_equal(e->code, ERR_INPUT);
		assert_int_equal(e->text[strlen(e->text) - 1], '.');
	}
	forest_free(f);
	return status;
}

static int check(const char *model, const struct refusal *r)
{
	const char *place = strstr(model, r->from);
	char changed[4096];
	struct err e;
	int status;

	assert_non_null(place);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(place - model), model, r->to, place + strlen(r->from));
	status = load(changed, strlen(changed), &e);
	if (r->says ? status && strstr(e.text, r->says) : !status)
		return 0;
	print_error("\"%s\" for \"%s\": %s\n", r->to, r->from, status ? e.text : "it loaded");
	return 1;
}

static void names_the_field(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(lightgbm_refusals) / sizeof(lightgbm_refusals[0]); i++)
		failures += check(lightgbm, &lightgbm_refusals[i]);
	for (size_t i = 0; i < sizeof(xgboost_refusals) / sizeof(xgboost_refusals[0]); i++)
		failures += check(xgboost, &xgboost_refusals[i]);
	assert_int_equal(failures, 0);
}

static void refuses_every_prefix(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(xgboost) - 1; i++)
		assert_int_equal(load(xgboost, i, &e), -1);
	/* Without its last newline the text is still whole. */
	for (size_t i = 0; i + 2 < sizeof(lightgbm) - 1; i++)
		assert_int_equal(load(lightgbm, i, &e), -1);
}

static void says(const void *data, size_t size, const char *part)
{
	struct err e;

	assert_int_equal(load(data, size, &e), -1);
	if (!strstr(e.text, part))
		fail_msg("no \"%s\" in: %s", part, e.text);
}

#define SAYS(bytes, part) says(bytes, sizeof(bytes) - 1, part)
#define LEARNER "{L\0\0\0\0\0\0\0\7learner"

static void refuses_hostile_ubjson(void **state)
{
	(void)state;
	assert_string_equal(forest_detect(LEARNER "Z}", sizeof(LEARNER "Z}") - 1), "xgboost-ubj");
	SAYS(LEARNER "Z}", "learner_model_param");
	SAYS(LEARNER, "cut off");
	SAYS(LEARNER "[$d#l\x3b\x9a\xca\0", "length");                 /* 10^9 floats */
	SAYS(LEARNER "[$[#l\x3b\x9a\xca\0", "length");                 /* 10^9 arrays */
	SAYS(LEARNER "[#L\x7f\xff\xff\xff\xff\xff\xff\xff", "length"); /* more than memory */
	SAYS(LEARNER "[#l\xff\xff\xff\xff", "length");                 /* a negative count */
	SAYS(LEARNER "SL\xff\xff\xff\xff\xff\xff\xff\xff", "length");  /* a negative size */
	SAYS(LEARNER "[#d\x3f\x80\0\0", "UBJSON");                     /* a count with a fraction */
	SAYS(LEARNER "[$Z#U\xff", "UBJSON");                           /* elements that take no bytes */
	SAYS(LEARNER "[$dU\2", "UBJSON");                              /* a type without a count */
	SAYS(LEARNER "[$d#U\2\0\0\0\0\0", "cut off");
	SAYS(LEARNER "?}", "UBJSON");
}

static void refuses_deep_nesting(void **state)
{
	static const char before[] = "{\"learner\":";
	char deep[20000];
	size_t size = sizeof(before) - 1;

	(void)state;
	memcpy(deep, before, size);
	memset(deep + size, '[', sizeof(deep) - size);
	says(deep, sizeof(deep), "nests deeper");
	size = sizeof(LEARNER) - 1;
	memcpy(deep, LEARNER, size);
	says(deep, sizeof(deep), "nests deeper");
}

/* Values of one byte each would fill memory many times the size of the file. */
static void bounds_memory(void **state)
{
	size_t room = 1 << 20, size = sizeof(LEARNER "[") - 1;
	char *data = malloc(room);

	(void)state;
	memcpy(data, LEARNER "[", size);
	memset(data + size, 'Z', room - size);
	says(data, room, "memory");
	size = (size_t)snprintf(data, room, "{\"learner\":[");
	for (; size + 3 <= room; size += 3)
		memcpy(data + size, "\"\",", 3);
	says(data, size, "memory");
	free(data);
}

static void detects_by_content(void **state)
{
	static const char *const others[] = {
	    "\x89PNG\r\n\x1a\n", "PK\3\4 learner", "\x80\4\x95 learner", "tree", "tree\nlearner", "{", "{}",
	    "{\"a\":1}",         "[\"learner\"]",  " tree\nversion=v4",  "GGUF", "\0\0\0\0",
	};

	(void)state;
	assert_null(forest_detect("", 0));
	SAYS("", "not a LightGBM");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_null(forest_detect(others[i], strlen(others[i])));
		says(others[i], strlen(others[i]), "not a LightGBM");
	}
	assert_string_equal(forest_detect(lightgbm, sizeof(lightgbm) - 1), "lightgbm-text");
	assert_string_equal(forest_detect(xgboost, sizeof(xgboost) - 1), "xgboost-json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_the_field),        cmocka_unit_test(refuses_every_prefix),
	    cmocka_unit_test(refuses_hostile_ubjson), cmocka_unit_test(refuses_deep_nesting),
	    cmocka_unit_test(bounds_memory),          cmocka_unit_test(detects_by_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
