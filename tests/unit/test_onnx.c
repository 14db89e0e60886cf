/* engine_onnx against the frameworks' own answers (tests/fixtures/make_onnx.py): all rows at once,
 * row by row, and from several threads; and what it must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/manifest.h"
#include "onnx_fixture.h"
#include "onnx_library.h"
#include "runtime/engine/engine_onnx.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURES "tests/fixtures/onnx/"

static struct config config;

static int load(const char *name, struct manifest *manifest, struct prediction_kind *kind, void **model, struct err *e)
{
	size_t size;
	char *data = fixture_read(name, ".onnx", &size);
	const struct engine_source source = {.data = data, .size = size, .config = &config};
	int result;

	assert_string_equal(engine_onnx.detect(data, size), "onnx");
	manifest_init(manifest);
	result = engine_onnx.load(&source, manifest, kind, model, e);
	free(data);
	return result;
}

/* A model with all that is known of it. */
struct loaded {
	struct manifest manifest;
	struct prediction_kind kind;
	void *model;
	cJSON *wanted;
	struct arena arena;
};

static void open_fixture(const char *name, struct loaded *l)
{
	struct err e;

	*l = (struct loaded){0};
	if (load(name, &l->manifest, &l->kind, &l->model, &e) != 0)
		fail_msg("%s: %s", name, e.text);
	l->wanted = fixture_json(name);
}

static void close_fixture(struct loaded *l)
{
	engine_onnx.unload(l->model);
	manifest_release(&l->manifest);
	cJSON_Delete(l->wanted);
	arena_release(&l->arena);
}

/* first, rows: which rows are asked for; rows 0: all. Returns how many outputs are wrong. */
static int ask(struct loaded *l, const char *name, size_t first, size_t rows, struct arena *arena)
{
	struct inference inference;
	struct err e;
	int wrong = 0;

	assert_int_equal(inference_begin(&inference, &l->manifest, arena, &e), 0);
	fixture_inputs(l->wanted, &inference, first, rows);
	inference_want_default(&inference, &engine_onnx);
	if (engine_onnx.predict(l->model, &inference, &e) != 0) {
		print_error("%s: %s\n", name, e.text);
		return 1;
	}
	for (size_t i = 0; i < inference.output_count; i++)
		wrong += !fixture_equal(l->wanted, name, &inference, i, first, rows);
	return wrong;
}

static bool by_rows(const struct loaded *l)
{
	for (size_t i = 0; i < l->manifest.input_count; i++)
		if (l->manifest.inputs[i].dimension_count == 0 || l->manifest.inputs[i].dimensions[0] != -1)
			return false;
	for (size_t i = 0; i < l->manifest.output_count; i++)
		if (l->manifest.outputs[i].dimension_count == 0 || l->manifest.outputs[i].dimensions[0] != -1)
			return false;
	return true;
}

static int check_fixture(const char *name)
{
	struct loaded l;
	int wrong;

	open_fixture(name, &l);
	wrong = ask(&l, name, 0, 0, &l.arena);
	/* Each row twice: what was kept of the first time must not show. */
	size_t rows = by_rows(&l) ? fixture_rows(l.wanted) : 0;
	for (size_t i = 0; wrong == 0 && i < 2 * rows; i++) {
		arena_reset(&l.arena);
		wrong = ask(&l, name, i % rows, 1, &l.arena);
	}
	close_fixture(&l);
	return wrong;
}

static void equals_the_frameworks(void **state)
{
	DIR *directory = opendir(FIXTURES);
	struct dirent *entry;
	int wrong = 0, models = 0;
	char name[64];

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');
		if (strcmp(end, ".json") != 0)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(end - entry->d_name), entry->d_name);
		wrong += check_fixture(name);
		models++;
	}
	closedir(directory);
	assert_true(models >= 20);
	assert_int_equal(wrong, 0);
}

/* --- manifests --- */

static const char *fact(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->fact_count; i++)
		if (strcmp(m->facts[i].name, name) == 0)
			return m->facts[i].value;
	return "";
}

static void describes_a_net(void **state)
{
	struct loaded l;

	(void)state;
	open_fixture("net", &l);
	assert_string_equal(l.manifest.engine, "onnx");
	assert_string_equal(l.manifest.format, "onnx");
	assert_int_equal(l.manifest.input_count, 1);
	assert_string_equal(l.manifest.inputs[0].name, "x");
	assert_string_equal(l.manifest.inputs[0].datatype, "FP32");
	assert_int_equal(l.manifest.inputs[0].dimensions[0], -1);
	assert_int_equal(l.manifest.inputs[0].dimensions[1], 4);
	assert_int_equal(l.manifest.feature_count, 4);
	assert_string_equal(l.manifest.feature_names[3], "years");
	assert_string_equal(fact(&l.manifest, "producer"), "make_onnx");
	assert_string_equal(fact(&l.manifest, "graph"), "risk of default");
	assert_string_equal(fact(&l.manifest, "domain"), "example.org");
	assert_string_equal(fact(&l.manifest, "description"), "a net\\x0aof two layers");
	assert_string_equal(fact(&l.manifest, "version"), "3");
	assert_string_equal(fact(&l.manifest, "trained_at"), "2026-01-02");
	assert_string_equal(fact(&l.manifest, "feature_names"), "");
	close_fixture(&l);
	open_fixture("softmax", &l);
	assert_string_equal(l.manifest.feature_names[1], "income");
	close_fixture(&l);
}

static void describes_maps_and_wrong_shapes(void **state)
{
	struct loaded l;

	(void)state;
	open_fixture("sk_zipmap_names", &l);
	assert_string_equal(fact(&l.manifest, "classes"), "[\"cold\",\"hot\",\"mild\"]");
	assert_string_equal(l.manifest.outputs[0].datatype, "BYTES");
	assert_string_equal(l.manifest.outputs[1].datatype, "FP32");
	assert_int_equal(l.manifest.outputs[1].dimension_count, 2);
	assert_int_equal(l.manifest.outputs[1].dimensions[0], -1);
	assert_int_equal(l.manifest.outputs[1].dimensions[1], 3);
	close_fixture(&l);
	/* Its file declares a label of [1]. */
	open_fixture("lgb_zipmap", &l);
	assert_string_equal(fact(&l.manifest, "classes"), "[0,1]");
	assert_int_equal(l.manifest.outputs[0].dimensions[0], -1);
	close_fixture(&l);
	open_fixture("free_shape", &l);
	assert_int_equal(l.manifest.outputs[0].dimension_count, 2);
	close_fixture(&l);
	open_fixture("scalar", &l);
	assert_int_equal(l.manifest.input_count, 1);
	assert_int_equal(l.manifest.inputs[0].dimension_count, 0);
	close_fixture(&l);
}

static void knows_what_is_counted(void **state)
{
	static const struct {
		const char *name;
		struct prediction_kind kind;
	} cases[] = {
	    {"net", {.output = 0, .probability = true}},
	    {"half", {.output = 0, .probability = true}},
	    {"softmax", {.output = 0, .column = PREDICTION_ARGMAX, .class_count = 3}},
	    {"sk_pipeline", {.output = 1, .column = 1, .probability = true}},
	    {"sk_zipmap", {.output = 1, .column = PREDICTION_ARGMAX, .class_count = 3}},
	    {"lgb_zipmap", {.output = 1, .column = 1, .probability = true}},
	    {"xgb_classes", {.output = 1, .column = PREDICTION_ARGMAX, .class_count = 3}},
	    {"sk_regressor", {.output = 0}},
	    {"whole", {.output = 0}},
	    {"text", {.output = PREDICTION_NONE}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct loaded l;
		open_fixture(cases[i].name, &l);
		if (l.kind.output != cases[i].kind.output || l.kind.column != cases[i].kind.column ||
		    l.kind.class_count != cases[i].kind.class_count || l.kind.probability != cases[i].kind.probability)
			fail_msg("%s: output %zd, column %zd, %zu classes, probability %d", cases[i].name,
				 (ssize_t)l.kind.output, (ssize_t)l.kind.column, l.kind.class_count,
				 l.kind.probability);
		close_fixture(&l);
	}
}

/* --- refusals --- */

static void refuses_what_cannot_be_served(void **state)
{
	static const struct {
		const char *name, *words;
	} cases[] = {
	    {"refused_external", "another file (`../../etc/weights.bin`)"},
	    {"refused_external_inner", "another file"},
	    {"refused_sequence", "output `y` of the model is a sequence of tensors"},
	    {"refused_complex", "ONNX Runtime refuses the model"},
	    {"refused_optional", "input `x` of the model is optional"},
	    {"refused_shapeless", "input `x` of the model has no shape"},
	    {"refused_operator", "NoSuchOperator"},
	    {"refused_name", "input of the model is named `x\\x0a`"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct manifest manifest;
		struct prediction_kind kind;
		void *model = NULL;
		struct err e = {0};

		if (load(cases[i].name, &manifest, &kind, &model, &e) == 0)
			fail_msg("%s was taken", cases[i].name);
		manifest_release(&manifest);
		if (e.code != ERR_INPUT || strstr(e.text, cases[i].words) == NULL)
			fail_msg("%s: %d %s", cases[i].name, e.code, e.text);
	}
}

static int predict_wrong(const char *name, const struct tensor *input, struct err *e)
{
	struct inference inference;
	struct loaded l;
	int result;

	open_fixture(name, &l);
	assert_int_equal(inference_begin(&inference, &l.manifest, &l.arena, e), 0);
	inference.inputs[0] = *input;
	inference_want_default(&inference, &engine_onnx);
	result = engine_onnx.predict(l.model, &inference, e);
	close_fixture(&l);
	return result;
}

static void blames_the_inputs(void **state)
{
	float row[5] = {0};
	struct tensor wide = {DATATYPE_FP32, 2, {1, 5}, 5, row};
	struct tensor deep = {DATATYPE_FP32, 3, {1, 1, 4}, 4, row};
	struct err e;

	(void)state;
	assert_int_equal(predict_wrong("net", &wide, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_non_null(strstr(e.text, "refuses these inputs"));
	assert_null(strchr(e.text, '\n'));
	assert_int_equal(predict_wrong("net", &deep, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
}

static void answers_no_rows(void **state)
{
	static const char *const names[] = {"net", "sk_plain", "text"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct loaded l;
		struct inference inference;
		struct err e;

		open_fixture(names[i], &l);
		assert_int_equal(inference_begin(&inference, &l.manifest, &l.arena, &e), 0);
		for (size_t k = 0; k < l.manifest.input_count; k++) {
			const struct tensor_spec *spec = &l.manifest.inputs[k];
			struct tensor *t = &inference.inputs[k];
			*t = (struct tensor){.datatype = datatype_find(spec->datatype, strlen(spec->datatype)),
					     .rank = spec->dimension_count};
			for (size_t d = 0; d < t->rank; d++)
				t->shape[d] = d == 0 ? 0 : spec->dimensions[d];
		}
		inference_want_default(&inference, &engine_onnx);
		if (engine_onnx.predict(l.model, &inference, &e) != 0)
			fail_msg("%s: %s", names[i], e.text);
		assert_int_equal(inference.outputs[0].tensor.count, 0);
		close_fixture(&l);
	}
}

/* Only what is asked for is answered, in that order. */
static void answers_what_is_wanted(void **state)
{
	struct inference inference;
	struct loaded l;
	struct err e;

	(void)state;
	open_fixture("sk_zipmap", &l);
	assert_int_equal(inference_begin(&inference, &l.manifest, &l.arena, &e), 0);
	fixture_inputs(l.wanted, &inference, 0, 0);
	inference_want(&inference, 1);
	inference_want(&inference, 0);
	assert_int_equal(engine_onnx.predict(l.model, &inference, &e), 0);
	assert_int_equal(inference.outputs[0].tensor.datatype, DATATYPE_FP32);
	assert_int_equal(inference.outputs[1].tensor.datatype, DATATYPE_INT64);
	close_fixture(&l);
}

/* --- threads --- */

static void *ask_often(void *context)
{
	struct loaded *l = context;
	struct arena arena = {0};
	size_t wrong = 0;

	for (size_t i = 0; i < 200; i++) {
		arena_reset(&arena);
		wrong += (size_t)ask(l, "threads", i % 6, i % 5 == 0 ? 2 : 1, &arena);
	}
	arena_release(&arena);
	return (void *)wrong;
}

static void answers_many_threads(void **state)
{
	static const char *const names[] = {"net", "sk_zipmap", "sk_pipeline"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct loaded l;
		pthread_t threads[4];
		void *wrong;

		open_fixture(names[i], &l);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(pthread_create(&threads[k], NULL, ask_often, &l), 0);
		for (size_t k = 0; k < 4; k++) {
			pthread_join(threads[k], &wrong);
			assert_null(wrong);
		}
		close_fixture(&l);
	}
}

static void takes_every_setting(void **state)
{
	struct config usual = config;

	(void)state;
	for (unsigned optimization = 0; optimization <= 3; optimization++) {
		config.onnx.optimization = optimization;
		config.onnx.arena = optimization % 2 == 0;
		config.onnx.threads = optimization;
		assert_int_equal(check_fixture("sk_forest"), 0);
	}
	config = usual;
}

static int find_library(void **state)
{
	const char *library = onnx_library();

	(void)state;
	config_init(&config);
	if (library == NULL) {
		print_message("ok onnx # SKIP no ONNX Runtime library: run scripts/setup --tests\n");
		exit(0);
	}
	snprintf(config.onnx.library, sizeof config.onnx.library, "%s", library);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equals_the_frameworks),
	    cmocka_unit_test(describes_a_net),
	    cmocka_unit_test(describes_maps_and_wrong_shapes),
	    cmocka_unit_test(knows_what_is_counted),
	    cmocka_unit_test(refuses_what_cannot_be_served),
	    cmocka_unit_test(blames_the_inputs),
	    cmocka_unit_test(answers_no_rows),
	    cmocka_unit_test(answers_what_is_wanted),
	    cmocka_unit_test(answers_many_threads),
	    cmocka_unit_test(takes_every_setting),
	};

	return cmocka_run_group_tests(tests, find_library, NULL);
}
