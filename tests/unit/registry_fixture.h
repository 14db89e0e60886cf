/* registry_fixture: a throw-away state directory and short words for what the registry's tests do
 * with it. */
#ifndef TESTS_UNIT_REGISTRY_FIXTURE_H
#define TESTS_UNIT_REGISTRY_FIXTURE_H

#include "core/registry/registry.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct actor operator= {.uid = 1000, .name = "ada", .client = "mldeck test"};

/* Makes a directory of its own below $TMPDIR. */
static inline void fixture_directory(char path[256])
{
	const char *base = getenv("TMPDIR");
	snprintf(path, 256, "%s/mldeck-test-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
	assert_non_null(mkdtemp(path));
}

static inline void fixture_remove(const char *path)
{
	char command[300];
	snprintf(command, sizeof command, "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
}

static inline struct registry *fixture_open(const char *path)
{
	struct registry *r = NULL;
	struct err e = {0};
	if (registry_open(path, &r, &e) != 0)
		fail_msg("%s", e.text);
	return r;
}

static inline int fixture_upload(struct registry *r, const char *content, char sha256[65], struct err *e)
{
	struct artifact *a;
	uint64_t size_bytes;
	if (artifact_begin(r, &a, e) != 0)
		return -1;
	if (artifact_write(a, content, strlen(content), e) != 0) {
		artifact_abort(a);
		return -1;
	}
	return artifact_commit(a, sha256, &size_bytes, e);
}

/* Uploads the content and deploys it. */
static inline int fixture_deploy(struct registry *r, const char *model, const char *content, bool no_live,
				 struct deploy_result *result, struct err *e)
{
	struct manifest m;
	manifest_init(&m);
	strcpy(m.engine, "forest");
	strcpy(m.format, "lightgbm");
	m.size_bytes = strlen(content);
	struct tensor_spec input = {.name = "x", .datatype = "FP64", .dimension_count = 2, .dimensions = {-1, 3}};
	m.inputs = &input;
	m.input_count = 1;
	if (fixture_upload(r, content, m.sha256, e) != 0)
		return -1;
	return registry_deploy(r, model, &m, NULL, NULL, no_live, "because", &operator, result, e);
}

static inline int fixture_promote(struct registry *r, const char *model, uint32_t version, int64_t expect,
				  struct revision_record *result, struct err *e)
{
	const struct route_change change = {
	    .model = model, .action = "promote", .version = version, .expect_revision = expect, .reason = "better"};
	return registry_change_route(r, &change, &operator, result, e);
}

static inline int fixture_rollback(struct registry *r, const char *model, uint32_t to_revision,
				   struct revision_record *result, struct err *e)
{
	const struct route_change change = {
	    .model = model, .action = "rollback", .to_revision = to_revision, .expect_revision = -1, .reason = "worse"};
	return registry_change_route(r, &change, &operator, result, e);
}

#endif
