/*
 * A full disk: one clear refusal, nothing changed, nothing left behind, and on with it once there
 * is room.
 *
 * On a small file system of its own where it may be mounted, and always under a limit on file
 * sizes.
 */
#include "registry_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void expect_nothing_left(const char *directory)
{
	char path[300];
	snprintf(path, sizeof path, "%s/artifacts/tmp", directory);
	DIR *handle = opendir(path);
	assert_non_null(handle);
	for (struct dirent *entry; (entry = readdir(handle)) != NULL;)
		assert_true(entry->d_name[0] == '.');
	closedir(handle);
}

/* A megabyte, which has no room anywhere here. */
static void expect_upload_refused(struct registry *r, const char *directory)
{
	char *large = malloc((1 << 20) + 1), sha256[65];
	struct err e = {0};
	memset(large, 'x', 1 << 20);
	large[1 << 20] = '\0';
	assert_int_equal(fixture_upload(r, large, sha256, &e), -1);
	assert_int_equal(e.code, ERR_DISK_FULL);
	assert_non_null(strstr(e.text, "the disk of the state directory is full"));
	free(large);
	expect_nothing_left(directory);
}

static uint32_t revision_now(struct registry *r)
{
	struct revision_record *records;
	size_t count;
	assert_int_equal(registry_revisions(r, "m", 1, &records, &count, NULL), 0);
	uint32_t revision = records[0].revision;
	free(records);
	return revision;
}

/* Changes routes until there is no room for it. */
static void expect_change_refused(struct registry *r)
{
	struct revision_record result;
	struct err e = {0};
	uint32_t revision = revision_now(r);
	for (int i = 0; i < 20000 && e.code == ERR_NONE; i++)
		if (fixture_promote(r, "m", revision % 2 + 1, revision, &result, &e) == 0)
			revision = result.revision;
	if (e.code != ERR_DISK_FULL)
		fail_msg("%s", e.text);
	assert_non_null(strstr(e.text, "is full"));
	assert_int_equal(revision_now(r), revision);
}

static void expect_change_done(struct registry *r)
{
	struct revision_record result;
	struct err e = {0};
	uint32_t revision = revision_now(r);
	if (fixture_promote(r, "m", revision % 2 + 1, revision, &result, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(revision_now(r), revision + 1);
}

static struct registry *open_with_two_versions(const char *directory)
{
	struct registry *r = fixture_open(directory);
	struct deploy_result result;
	assert_int_equal(fixture_deploy(r, "m", "1", false, &result, NULL), 0);
	assert_int_equal(fixture_deploy(r, "m", "2", false, &result, NULL), 0);
	return r;
}

static void file_size_limit(void **state)
{
	(void)state;
	char directory[256];
	fixture_directory(directory);
	struct registry *r = open_with_two_versions(directory);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit before, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 256 << 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	expect_upload_refused(r, directory);
	expect_change_refused(r);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	expect_change_done(r);
	uint32_t revision = revision_now(r);
	registry_close(r);
	r = fixture_open(directory);
	assert_int_equal(revision_now(r), revision);
	registry_close(r);
	fixture_remove(directory);
}

static void fill(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof block) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void full_file_system(void **state)
{
	(void)state;
	char directory[256], filler[300], inner[300];
	/* In a name space of its own, so that the mount ends with this process. */
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		print_message("no file system may be mounted here\n");
		skip();
	}
	fixture_directory(directory);
	if (mount("tmpfs", directory, "tmpfs", 0, "size=1m,mode=700") != 0) {
		fixture_remove(directory);
		skip();
	}
	snprintf(filler, sizeof filler, "%s/filler", directory);
	snprintf(inner, sizeof inner, "%s/state", directory);
	struct registry *r = open_with_two_versions(inner);
	expect_upload_refused(r, inner);
	fill(filler);
	expect_upload_refused(r, inner);
	expect_change_refused(r);
	struct deploy_result deployed;
	struct err e = {0};
	assert_int_equal(fixture_deploy(r, "m", "3", false, &deployed, &e), -1);
	assert_int_equal(e.code, ERR_DISK_FULL);
	/* A runtime that starts on a full disk serves what there is, or says why it cannot. */
	registry_close(r);
	if (registry_open(inner, &r, &e) != 0) {
		assert_int_equal(e.code, ERR_DISK_FULL);
		print_message("on a full disk: %s\n", e.text);
		r = NULL;
	}
	assert_int_equal(unlink(filler), 0);
	if (r == NULL)
		r = fixture_open(inner);
	expect_change_done(r);
	assert_int_equal(fixture_deploy(r, "m", "3", false, &deployed, &e), 0);
	assert_int_equal(deployed.version, 3);
	registry_close(r);
	assert_int_equal(umount(directory), 0);
	fixture_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(file_size_limit),
	    cmocka_unit_test(full_file_system),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
