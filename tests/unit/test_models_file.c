/* A models file: what it says, and what is refused with its line. */
#include "core/models_file.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEX "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static struct models_file parsed(const char *text)
{
	struct models_file f;
	struct err e = {.text = ""};
	if (models_file_parse(&f, "dir/models.ini", text, &e) != 0)
		fail_msg("%s", e.text);
	return f;
}

static void refused(const char *text, const char *sentence)
{
	struct models_file f;
	struct err e = {.text = ""};
	assert_int_equal(models_file_parse(&f, "m.ini", text, &e), -1);
	assert_string_equal(e.text, sentence);
	assert_int_equal(e.code, ERR_INPUT);
	assert_null(f.models);
}

static void says_everything(void **state)
{
	(void)state;
	struct models_file f = parsed("\xef\xbb\xbf; what serves\r\n"
				      "[model churn] ; ours\r\n"
				      "version.2 = churn 2.txt ; the new one\r\n"
				      "version.1 = /abs/churn-1.txt\r\n"
				      "baseline.2=rows.csv\r\n"
				      "features.2 = a,b\r\n"
				      "  c,\r\n"
				      "  d\r\n"
				      "name.2 = churn-2.txt\r\n"
				      "shadow = v3=25%\r\n"
				      "route = 1=90\r\n"
				      "\t2=9.5, 4=0.5 5=0\r\n"
				      "live = 2\r\n"
				      "version.3 = sha256:" HEX "\r\n"
				      "policy.p99_ratio_max = 2\r\n"
				      "policy.tests = differential:7d\r\n"
				      "  benchmark\r\n"
				      "policy.promoters =\r\n"
				      "# another\r\n"
				      "[model a-model-whose-name-is-as-long-as-a-name-can-be-64-characters-xxx]\n"
				      "version.1 = https://other.example/v2/models/fraud/\n"
				      "route = none");
	assert_int_equal(f.model_count, 2);
	const struct models_model *m = &f.models[0];
	assert_string_equal(m->name, "churn");
	assert_int_equal(m->line, 2);
	assert_int_equal(m->version_count, 3);
	assert_int_equal(m->versions[0].version, 1);
	assert_string_equal(m->versions[0].path, "/abs/churn-1.txt");
	assert_string_equal(m->versions[1].source, "churn 2.txt");
	assert_string_equal(m->versions[1].path, "dir/churn 2.txt");
	assert_string_equal(m->versions[1].options[MODELS_BASELINE], "rows.csv");
	assert_string_equal(m->versions[1].options[MODELS_FEATURES], "a,b,c,d");
	assert_string_equal(m->versions[1].options[MODELS_NAME], "churn-2.txt");
	assert_int_equal(m->versions[2].kind, MODELS_SHA256);
	assert_string_equal(m->versions[2].sha256, HEX);
	assert_null(m->versions[2].path);
	assert_int_equal(m->entry_count, 4);
	assert_int_equal(m->entries[1].weight_bp, 950);
	assert_int_equal(m->entries[2].version, 4);
	assert_int_equal(m->entries[3].version, 3);
	assert_int_equal(m->entries[3].role, ROUTE_SHADOW);
	assert_int_equal(m->entries[3].weight_bp, 2500);
	assert_int_equal(m->live, 2);
	assert_int_equal(m->policy_line, 15);
	assert_true(m->policy.p99_ratio_max == 2);
	assert_int_equal(m->policy.test_count, 2);
	m = &f.models[1];
	assert_int_equal(strlen(m->name), 64);
	assert_int_equal(m->versions[0].kind, MODELS_URL);
	assert_string_equal(m->versions[0].source, "https://other.example/v2/models/fraud");
	assert_int_not_equal(m->route_line, 0);
	assert_int_equal(m->entry_count, 0);
	models_file_release(&f);
}

static void silence_leaves_alone(void **state)
{
	(void)state;
	struct models_file f = parsed("[model a]\nversion.1 = x\n[model b]\n");
	assert_int_equal(f.models[0].route_line, 0);
	assert_int_equal(f.models[0].policy_line, 0);
	assert_int_equal(f.models[1].version_count, 0);
	models_file_release(&f);
	f = parsed("");
	assert_int_equal(f.model_count, 0);
	models_file_release(&f);
}

static void refuses_lines(void **state)
{
	(void)state;
	refused("version.1 = x", "m.ini, line 1: `version.1` is in no section: begin with [model NAME]");
	refused("[model a]\nnonsense\n", "m.ini, line 2: neither [model NAME] nor KEY = VALUE");
	refused("[model a]\nnonsense\nversion.0=x\n", "m.ini, line 2: neither [model NAME] nor KEY = VALUE");
	refused("[model a", "m.ini, line 1: the section has no `]`");
	refused("[server]", "m.ini, line 1: a section is [model NAME], not [server]");
	refused("[model a] x", "m.ini, line 1: nothing but a comment follows a section");
	refused("[model a]\nversion.1 = x\n  [model b]", "m.ini, line 3: a section begins at the start of its line");
	refused("[model Churn!]",
		"m.ini, line 1: `Churn!` is no name for a model: use a-z, 0-9, `.`, `_` and `-`, at most "
		"64, beginning with a letter or digit");
	refused("[model \033[31m]",
		"m.ini, line 1: `\\x1b[31m` is no name for a model: use a-z, 0-9, `.`, `_` and `-`, "
		"at most 64, beginning with a letter or digit");
	refused("[model a-model-whose-name-is-longer-than-a-name-can-be-65-characters-xxx]",
		"m.ini, line 1: `a-model-whose-name-is-longer-than-a-name-can-be-65-characters-xxx` is no name for a "
		"model: use a-z, 0-9, `.`, `_` and `-`, at most 64, beginning with a letter or digit");
	refused("[model a]\n\n[model b]\n[model a]\n", "m.ini, line 4: [model a] is there twice, first on line 1");
	char longer[256];
	snprintf(longer, sizeof longer, "[model a]\nversion.1 = %0200d", 1);
	refused(longer, "m.ini, line 2: the line has 212 bytes, the limit is 190; a list goes on in an indented line");
}

static void refuses_keys(void **state)
{
	(void)state;
#define KEYS "version.N, baseline.N, samples.N, features.N, name.N, route, live, shadow and policy.NAME"
	refused("[model a]\nversions.1 = x", "m.ini, line 2: there is no key `versions.1`; a model has " KEYS);
	refused("[model a]\nweight = x", "m.ini, line 2: there is no key `weight`; a model has " KEYS);
	refused("[model a]\nversion.x = x", "m.ini, line 2: `version.x`: a version is a number from 1 to 100000");
	refused("[model a]\nversion.01 = x", "m.ini, line 2: `version.01`: a version is a number from 1 to 100000");
	refused("[model a]\nversion.1 =", "m.ini, line 2: `version.1` has no value");
	refused("[model a]\nversion.1 = x\nversion.1 = y",
		"m.ini, line 3: `version.1` is there twice, first on line 2");
	refused("[model a]\nversion.1 = x\n y",
		"m.ini, line 3: an indented line continues `version.1`, which takes one value");
	refused("[model a]\nversion.1 = sha256:beef",
		"m.ini, line 2: sha256: is followed by 64 lower-case hexadecimal digits, not `beef`");
	refused("[model a]\nversion.1 = ftp://x/v2/models/a",
		"m.ini, line 2: the URL of a model begins with http:// or https://");
	refused("[model a]\nbaseline.2 = rows.csv\nversion.1 = x",
		"m.ini, line 2: `baseline.2` is for a version that the file does not have: say version.2");
	refused("[model a]\nversion.1 = x\nname.1 = p\nname.1 = q",
		"m.ini, line 4: `name.1` is there twice, first on line 3");
	refused("[model a]\npolicy.drift_max = 1e9", "m.ini, line 2: drift_max is from 0.001 to 100, not `1e9`");
	refused("[model a]\npolicy.min_age = 1d\npolicy.min_age = 2d",
		"m.ini, line 3: `policy.min_age` is there twice");
	refused("[model a]\npolicy.min_age = soon",
		"m.ini, line 2: min_age takes a time such as 30m, 24h or 7d, not `soon`");
}

static void refuses_routes(void **state)
{
	(void)state;
	refused("[model a]\nroute = 1=90 2=9.5",
		"m.ini, line 2: the shares of the route add up to 99.5%; they must add up to "
		"100%");
	refused("[model a]\nroute = 1=0",
		"m.ini, line 2: the shares of the route add up to 0%; they must add up to 100%");
	refused("[model a]\nroute = 1=90.001 2=9",
		"m.ini, line 2: `1=90.001`: a share is a percentage from 0 to 100 with at most two decimals");
	refused("[model a]\nroute = 1=-5 2=105",
		"m.ini, line 2: `1=-5`: a share is a percentage from 0 to 100 with at most two decimals");
	refused("[model a]\nroute = all", "m.ini, line 2: `all` is no share: write VERSION=PERCENT, as in 2=80");
	refused("[model a]\nroute = ,", "m.ini, line 2: `route` has no share: write VERSION=PERCENT");
	refused("[model a]\nroute = 1=50 1=50", "m.ini, line 2: v1 has two shares; give it one");
	refused("[model a]\nroute = 1=100\nroute = 2=100", "m.ini, line 3: `route` is there twice, first on line 2");
	refused("[model a]\nroute = 1=100\nshadow = 1=5", "m.ini, line 3: v1 has two shares; give it one");
	refused("[model a]\nshadow = 2=5", "m.ini, line 2: `shadow` is a part of the route: say `route` too");
	refused("[model a]\nlive = 2", "m.ini, line 2: `live` is a part of the route: say `route` too");
	refused("[model a]\nroute = 1=100 2=0\nlive = 2",
		"m.ini, line 3: version 2 cannot be live: the route gives it no share");
	refused("[model a]\nroute = 1=1 2=1 3=1 4=1 5=1 6=1 7=1 8=1 9=1 10=1 11=1 12=1 13=1 14=1 15=1 16=1 17=84",
		"m.ini, line 2: a route holds at most 16 versions");
	refused("[model a]\nroute = none\nshadow = 1=5",
		"m.ini, line 2: the shares of the route add up to 0%; they must add up to 100%");
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void finds_digests(void **state)
{
	(void)state;
	char folder[] = "/tmp/models-file-XXXXXX", path[64], model[64], text[256];
	struct models_file f;
	struct err e = {.text = ""};
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/m.ini", folder);
	snprintf(model, sizeof model, "%s/test.txt", folder);
	write_file(model, "test");
	write_file(path, "[model a]\nversion.1 = test.txt\nversion.2 = http://h/v2/models/a\n");
	assert_int_equal(models_file_read(&f, path, &e), 0);
	assert_int_equal(models_file_resolve(&f, &e), 0);
	assert_string_equal(f.models[0].versions[0].sha256, HEX);
	assert_int_equal(f.models[0].versions[0].size_bytes, 4);
	assert_true(digest_valid(f.models[0].versions[1].sha256));
	/* As a deploy of the URL sends it. */
	char sha256[DIGEST_SIZE];
	static const char descriptor[] = "{\"mldeck_remote\":1,\"url\":\"http://h/v2/models/a\"}";
	assert_int_equal(digest_of(descriptor, strlen(descriptor), sha256, &e), 0);
	assert_string_equal(f.models[0].versions[1].sha256, sha256);

	write_file(model, "");
	assert_int_equal(models_file_resolve(&f, &e), -1);
	snprintf(text, sizeof text, "%s, line 2: %s is empty", path, model);
	assert_string_equal(e.text, text);
	assert_int_equal(unlink(model), 0);
	assert_int_equal(models_file_resolve(&f, &e), -1);
	snprintf(text, sizeof text, "%s, line 2: %s cannot be opened: No such file or directory", path, model);
	assert_string_equal(e.text, text);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	models_file_release(&f);

	write_file(path, "[model a]\nversion.1 = .\n");
	assert_int_equal(models_file_read(&f, path, &e), 0);
	assert_int_equal(models_file_resolve(&f, &e), -1);
	snprintf(text, sizeof text, "%s, line 2: %s/. is not a regular file", path, folder);
	assert_string_equal(e.text, text);
	models_file_release(&f);
	write_file(path, "[model a]\npolicy.second_person = yes\npolicy.promoters = root\n");
	assert_int_equal(models_file_read(&f, path, &e), 0);
	assert_int_equal(models_file_resolve(&f, &e), -1);
	assert_non_null(strstr(e.text, "line 2: "));
	models_file_release(&f);
	unlink(path);
	assert_int_equal(models_file_read(&f, path, &e), -1);
	assert_int_equal(models_file_read(&f, folder, &e), -1);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_everything), cmocka_unit_test(silence_leaves_alone), cmocka_unit_test(refuses_lines),
	    cmocka_unit_test(refuses_keys),    cmocka_unit_test(refuses_routes),       cmocka_unit_test(finds_digests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
