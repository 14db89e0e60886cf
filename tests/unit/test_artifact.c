/* Artifacts and the state directory: nothing left over, nothing altered unseen, one holder. */
#include "registry_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

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
	r = NULL;
	fixture_remove(directory);
	return 0;
}

static void path_of(char path[512], const char *sha256)
{
	snprintf(path, 512, "%s/artifacts/sha256/%.2s/%s", directory, sha256, sha256);
}

static size_t temporary_count(void)
{
	char path[512];
	snprintf(path, sizeof path, "%s/artifacts/tmp", directory);
	DIR *handle = opendir(path);
	assert_non_null(handle);
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(handle)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(handle);
	return count;
}

static void kept_and_mapped(void **state)
{
	(void)state;
	char sha256[65], empty[65];
	const void *data;
	size_t size;
	assert_int_equal(fixture_upload(r, "abc", sha256, NULL), 0);
	assert_string_equal(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(fixture_upload(r, "abc", sha256, NULL), 0);
	assert_int_equal(artifact_map(r, sha256, &data, &size, NULL), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(data, "abc", 3);
	artifact_unmap(data, size);
	assert_int_equal(fixture_upload(r, "", empty, NULL), 0);
	assert_int_equal(artifact_map(r, empty, &data, &size, NULL), 0);
	assert_null(data);
	artifact_unmap(data, size);
	artifact_discard(r, sha256);
	struct err e = {0};
	assert_int_equal(artifact_map(r, sha256, &data, &size, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(artifact_map(r, "../../mldeck.db", &data, &size, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_int_equal(temporary_count(), 0);
}

static void named_ones_stay(void **state)
{
	(void)state;
	struct deploy_result result;
	assert_int_equal(fixture_deploy(r, "m", "abc", false, &result, NULL), 0);
	char sha256[65], orphan[65];
	assert_int_equal(fixture_upload(r, "abc", sha256, NULL), 0);
	assert_int_equal(fixture_upload(r, "orphan", orphan, NULL), 0);
	artifact_discard(r, sha256);
	/* As a crash in the middle of an upload leaves it. */
	char left[512];
	snprintf(left, sizeof left, "%s/artifacts/tmp/0", directory);
	FILE *file = fopen(left, "w");
	fputs("half", file);
	fclose(file);
	assert_int_equal(temporary_count(), 1);
	registry_close(r);
	r = fixture_open(directory);
	assert_int_equal(temporary_count(), 0);
	const void *data;
	size_t size;
	assert_int_equal(artifact_map(r, sha256, &data, &size, NULL), 0);
	artifact_unmap(data, size);
	assert_int_equal(artifact_map(r, orphan, &data, &size, NULL), -1);

	/* A database that was lost does not take the model files with it. */
	registry_close(r);
	snprintf(left, sizeof left, "%s/mldeck.db", directory);
	assert_int_equal(unlink(left), 0);
	r = fixture_open(directory);
	assert_int_equal(artifact_map(r, sha256, &data, &size, NULL), 0);
	artifact_unmap(data, size);
}

static void alteration_is_seen(void **state)
{
	(void)state;
	char sha256[65], path[512];
	assert_int_equal(fixture_upload(r, "abc", sha256, NULL), 0);
	path_of(path, sha256);
	assert_int_equal(chmod(path, 0600), 0);
	int fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, "abd", 3), 3);
	close(fd);
	const void *data;
	size_t size;
	struct err e = {0};
	assert_int_equal(artifact_map(r, sha256, &data, &size, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "was altered on disk"));
	/* Uploading it again repairs it. */
	assert_int_equal(fixture_upload(r, "abc", sha256, NULL), 0);
	assert_int_equal(artifact_map(r, sha256, &data, &size, NULL), 0);
	artifact_unmap(data, size);
}

static void deploy_needs_the_file(void **state)
{
	(void)state;
	struct manifest m;
	manifest_init(&m);
	strcpy(m.engine, "forest");
	memset(m.sha256, 'a', 64);
	struct deploy_result result;
	struct err e = {0};
	assert_int_equal(registry_deploy(r, "m", &m, NULL, NULL, false, "", &operator, & result, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	char(*names)[TEXT_NAME_MAX + 1];
	size_t count;
	assert_int_equal(registry_models(r, &names, &count, NULL), 0);
	assert_int_equal(count, 0);
	free(names);
}

static void one_holder(void **state)
{
	(void)state;
	struct registry *second = NULL;
	struct err e = {0};
	char wanted[64];
	snprintf(wanted, sizeof wanted, "is held by process %ld", (long)getpid());
	assert_int_equal(registry_open(directory, &second, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_non_null(strstr(e.text, wanted));
	pid_t child = fork();
	if (child == 0) {
		struct err mine = {0};
		int result = registry_open(directory, &second, &mine);
		_exit(result == -1 && mine.code == ERR_CONFLICT && strstr(mine.text, wanted) ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void made_private_with_parents(void **state)
{
	(void)state;
	char path[512];
	struct stat status;
	snprintf(path, sizeof path, "%s/a//b/c/", directory);
	mode_t mask = umask(0);
	struct registry *deep = fixture_open(path);
	umask(mask);
	registry_close(deep);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	snprintf(path, sizeof path, "%s/a/b/c/mldeck.db", directory);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void unsafe_directories(void **state)
{
	(void)state;
	char path[512];
	struct registry *other = NULL;
	struct err e = {0};
	snprintf(path, sizeof path, "%s/open", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(registry_open(path, &other, &e), -1);
	assert_int_equal(e.code, ERR_DENIED);
	assert_non_null(strstr(e.text, "may be written by others (mode 770)"));
	if (geteuid() == 0) {
		assert_int_equal(chmod(path, 0700), 0);
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(registry_open(path, &other, &e), -1);
		assert_int_equal(e.code, ERR_DENIED);
		assert_non_null(strstr(e.text, "belongs to uid 12345"));
	}
	assert_int_equal(registry_open("", &other, &e), -1);
	snprintf(path, sizeof path, "%s/mldeck.db", directory);
	assert_int_equal(registry_open(path, &other, &e), -1);
	assert_null(other);
}

static void no_database(void **state)
{
	(void)state;
	char path[512];
	struct registry *other = NULL;
	struct err e = {0};
	snprintf(path, sizeof path, "%s/bad", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/mldeck.db");
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 5000; i++)
		fputs("this is no database ", file);
	fclose(file);
	*strrchr(path, '/') = '\0';
	assert_int_equal(registry_open(path, &other, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "is damaged or is no database"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(kept_and_mapped),       CASE(named_ones_stay), CASE(alteration_is_seen),
	    CASE(deploy_needs_the_file), CASE(one_holder),      CASE(made_private_with_parents),
	    CASE(unsafe_directories),    CASE(no_database),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
