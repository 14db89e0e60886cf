/* Sample rows in the registry: written once, with the version that they are of. */
#include "core/registry/registry_samples.h"
#include "registry_fixture.h"

static char directory[256];
static struct registry *r;

static int set_up(void **state)
{
	(void)state;
	fixture_directory(directory);
	r = fixture_open(directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	registry_close(r);
	fixture_remove(directory);
	return 0;
}

static int deploy(const char *content, char *csv, const char *finite, struct deploy_result *result, struct err *e)
{
	struct sample_rows samples = {.csv = csv};
	struct manifest m;
	manifest_init(&m);
	strcpy(m.engine, "forest");
	strcpy(m.format, "lightgbm");
	assert_int_equal(fixture_upload(r, content, m.sha256, e), 0);
	strcpy(samples.finite, finite);
	return registry_deploy(r, "m", &m, NULL, csv == NULL ? NULL : &samples, false, "because", &operator, result, e);
}

static void check_kept(uint32_t version, const char *csv, const char *finite)
{
	struct sample_rows samples;
	assert_int_equal(registry_samples(r, "m", version, &samples, NULL), 0);
	if (csv == NULL) {
		assert_null(samples.csv);
	} else {
		assert_string_equal(samples.csv, csv);
		assert_string_equal(samples.finite, finite);
	}
	sample_rows_release(&samples);
}

static void are_kept_once(void **state)
{
	(void)state;
	static char csv[] = "x\n1\n", other[] = "x\n2\n";
	struct deploy_result result;
	assert_int_equal(deploy("one", csv, "1", &result, NULL), 0);
	check_kept(1, csv, "1");
	/* The same file is the same version: what it has stays. */
	assert_int_equal(deploy("one", other, "0", &result, NULL), 0);
	assert_int_equal(result.version, 1);
	check_kept(1, csv, "1");
	/* One that has none may get some. */
	assert_int_equal(deploy("two", NULL, "", &result, NULL), 0);
	check_kept(2, NULL, NULL);
	assert_int_equal(deploy("two", other, "0", &result, NULL), 0);
	assert_int_equal(result.version, 2);
	check_kept(2, other, "0");
	registry_close(r);
	r = fixture_open(directory);
	check_kept(1, csv, "1");
}

static void refusals(void **state)
{
	(void)state;
	struct deploy_result result;
	struct sample_rows samples;
	struct err e = {0};
	char *huge = malloc(SAMPLE_CSV_MAX + 2);
	assert_int_equal(registry_samples(r, "m", 1, &samples, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	memset(huge, 'x', SAMPLE_CSV_MAX + 1);
	huge[SAMPLE_CSV_MAX + 1] = '\0';
	assert_int_equal(deploy("one", huge, "", &result, &e), -1);
	assert_int_equal(e.code, ERR_TOO_LARGE);
	free(huge);
	assert_int_equal(deploy("one", NULL, "", &result, &e), 0);
	assert_int_equal(registry_samples(r, "m", 2, &samples, &e), -1);
	assert_string_equal(e.text, "m has no version 2; it has 1 only");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(are_kept_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
