/* onnx_file and the names of features: what is read of a file before ONNX Runtime sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/engine/engine_onnx.h"
#include "runtime/engine/onnx_file.h"
#include "onnx_fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* How many files of a folder with this end look like ONNX. */
static int count_detected(const char *folder, const char *suffix, int *files)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	char path[512];
	int detected = 0;

	assert_non_null(directory);
	*files = 0;
	while ((entry = readdir(directory)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');
		if (entry->d_name[0] == '.' || end == NULL || (suffix != NULL && strcmp(end, suffix) != 0))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		FILE *file = fopen(path, "rb");
		char *data = malloc(FIXTURE_SIZE_MAX);
		assert_non_null(file);
		size_t size = fread(data, 1, FIXTURE_SIZE_MAX, file);
		detected += onnx_file_detect(data, size);
		++*files;
		free(data);
		fclose(file);
	}
	closedir(directory);
	return detected;
}

static void detects_onnx_alone(void **state)
{
	int files, detected;

	(void)state;
	detected = count_detected("tests/fixtures/onnx", ".onnx", &files);
	assert_int_equal(detected, files);
	assert_true(files > 20);
	assert_int_equal(count_detected("tests/fixtures/onnx", ".json", &files), 0);
	assert_int_equal(count_detected("tests/fixtures/forest", NULL, &files), 0);
	assert_true(files > 50);
	assert_int_equal(count_detected("themes", NULL, &files), 0);
}

static void tells_what_is_no_onnx(void **state)
{
	static const struct {
		const char *data;
		size_t size;
	} cases[] = {
	    {"", 0},
	    {"\x08", 1},
	    {"\x08\x07", 2},                 /* a version and no graph */
	    {"\x3a\x00", 2},                 /* a graph and no version */
	    {"\x08\x00\x3a\x00", 4},         /* version 0 */
	    {"\x08\xe9\x07\x3a\x00", 5},     /* version 1001 */
	    {"\x0a\x01\x07\x3a\x00", 5},     /* a version that is a string */
	    {"\x08\x07\x38\x00", 4},         /* a graph that is a number */
	    {"\x08\x07\x13\x3a\x00", 5},     /* a group */
	    {"\x08\x07\x3a\x00\x02\x00", 6}, /* field 0 */
	    {"\x08\x01\x12\x04"
	     "abcd",
	     8}, /* a saved model of TensorFlow begins so */
	    {"\x08\x07\x12\x20"
	     "abcd",
	     8}, /* cut before any graph */
	    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (onnx_file_detect(cases[i].data, cases[i].size))
			fail_msg("case %zu", i);
	assert_true(onnx_file_detect("\x08\x07\x3a\x00", 4));
	assert_true(onnx_file_detect("\x3a\x00\x08\x07", 4));
	assert_true(onnx_file_detect("\x08\x07\x3a\x20", 4));         /* cut inside its graph */
	assert_true(onnx_file_detect("\x08\x07\x3a\x00\x42\x20", 6)); /* cut behind it */
}

/* Every prefix is refused, or is a whole file; nothing outside of it is read. */
static void refuses_every_prefix(void **state)
{
	size_t size;
	char *data = fixture_read("net", ".onnx", &size);
	struct err e;

	(void)state;
	assert_int_equal(onnx_file_check(data, size, &e), 0);
	for (size_t i = 0; i < size; i++) {
		char *part = malloc(i + 1), *end = i == 0 ? part : part + 1;
		memcpy(end, data, i);
		if (onnx_file_detect(end, i) && onnx_file_check(end, i, &e) != 0)
			assert_non_null(strstr(e.text, "cut short"));
		onnx_file_shaped(end, i, "x");
		free(part);
	}
	free(data);
}

static void refuses_damage(void **state)
{
	size_t size;
	char *data = fixture_read("sk_pipeline", ".onnx", &size), name[32];
	struct err e;

	(void)state;
	for (size_t i = 0; i < size; i++) {
		char kept = data[i];
		data[i] = (char)(kept ^ 0x55);
		if (onnx_file_check(data, size, &e) != 0)
			assert_int_equal(e.code, ERR_INPUT);
		onnx_file_operator(data, size, "label", name, sizeof name);
		data[i] = kept;
	}
	free(data);
}

static void refuses_deep_nesting(void **state)
{
	/* graph { node { attribute { graph { ... } } } } with fields 1, 5 and 6, from the inside
	 * out. */
	static const char tags[] = {0x0a, 0x2a, 0x32};
	char data[2048], whole[2100];
	size_t size = 0;
	struct err e;

	(void)state;
	for (int depth = 0; depth < 300; depth++) {
		char head[4] = {tags[(300 - 1 - depth) % 3]};
		size_t used = 1;
		if (size >= 128)
			head[used++] = (char)(size | 0x80);
		head[used++] = (char)(size >= 128 ? size >> 7 : size);
		memmove(data + used, data, size);
		memcpy(data, head, used);
		size += used;
	}
	whole[0] = 0x3a;
	whole[1] = (char)(size | 0x80);
	whole[2] = (char)(size >> 7);
	memcpy(whole + 3, data, size);
	assert_int_equal(onnx_file_check(whole, size + 3, &e), -1);
	assert_non_null(strstr(e.text, "nests deeper"));
}

static void finds_shapes_and_operators(void **state)
{
	size_t size;
	char *data = fixture_read("net", ".onnx", &size), name[32];

	(void)state;
	assert_true(onnx_file_shaped(data, size, "x"));
	assert_false(onnx_file_shaped(data, size, "y"));
	assert_true(onnx_file_operator(data, size, "risk", name, sizeof name));
	assert_string_equal(name, "Sigmoid");
	assert_false(onnx_file_operator(data, size, "x", name, sizeof name));
	free(data);
	data = fixture_read("scalar", ".onnx", &size);
	assert_true(onnx_file_shaped(data, size, "x"));
	free(data);
	data = fixture_read("refused_shapeless", ".onnx", &size);
	assert_false(onnx_file_shaped(data, size, "x"));
	free(data);
}

static void reads_names_of_features(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *last; /* NULL: no names */
	} cases[] = {
	    {"[\"a\", \"b c\"]", 2, "b c"},
	    {" [\"a\"]", 1, "a"},
	    {"a, b ,c", 3, "c"},
	    {"one", 1, "one"},
	    {"[\"a\"]", 2, NULL},
	    {"[\"a\", 2]", 2, NULL},
	    {"[\"a\", \"a\"]", 2, NULL},
	    {"a,,c", 3, NULL},
	    {"a,b", 3, NULL},
	    {"a,b,c", 2, NULL},
	    {"a,b\x1b[m", 2, NULL},
	    {"", 1, NULL},
	    {"[\"a\"", 1, NULL},
	    {"a", 0, NULL},
	    {"a", SIZE_MAX, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char **names = onnx_feature_names(cases[i].text, cases[i].count);
		if ((names == NULL) != (cases[i].last == NULL) ||
		    (names != NULL && strcmp(names[cases[i].count - 1], cases[i].last) != 0))
			fail_msg("%s of %zu", cases[i].text, cases[i].count);
		for (size_t k = 0; names != NULL && k < cases[i].count; k++)
			free(names[k]);
		free(names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(detects_onnx_alone),      cmocka_unit_test(tells_what_is_no_onnx),
	    cmocka_unit_test(refuses_every_prefix),    cmocka_unit_test(refuses_damage),
	    cmocka_unit_test(refuses_deep_nesting),    cmocka_unit_test(finds_shapes_and_operators),
	    cmocka_unit_test(reads_names_of_features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
