/*
 * Kill -9 at random points: whatever was acknowledged is there afterwards, and the rest is whole or
 * absent.
 *
 * A child deploys, promotes and rolls back as fast as it can and writes an acknowledgement into a
 * pipe after every call that returned 0. The parent kills it in the middle of that, opens the
 * registry and compares.
 */
#include "core/db.h"
#include "registry_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 80
#define ACKS_MAX 100000

struct ack {
	uint32_t version;  /* deployed: this one; else 0 */
	uint32_t revision; /* of the change, else 0 */
	uint32_t live;
};

static struct ack acks[ACKS_MAX];
static size_t ack_count;

static void acknowledge(int fd, struct ack ack)
{
	if (write(fd, &ack, sizeof ack) != (ssize_t)sizeof ack)
		_exit(3);
}

static void work_once(struct registry *r, int fd, unsigned round, unsigned step)
{
	char content[64];
	struct deploy_result deployed;
	struct revision_record revision;
	struct err e = {0};
	if (step % 5 == 0) {
		snprintf(content, sizeof content, "model %u %u", round, step);
		if (fixture_deploy(r, "m", content, false, &deployed, &e) != 0)
			_exit(4);
		acknowledge(fd, (struct ack){deployed.version, 0, 0});
	}
	uint32_t version = 1 + (uint32_t)rand() % 3;
	int done = step % 3 == 2 ? fixture_rollback(r, "m", 0, &revision, &e)
				 : fixture_promote(r, "m", version, -1, &revision, &e);
	if (done == 0)
		acknowledge(fd, (struct ack){0, revision.revision, route_live(&revision.route)});
	else if (e.code != ERR_CONFLICT && e.code != ERR_NOT_FOUND)
		_exit(5);
}

static void work(const char *directory, int fd, unsigned round)
{
	struct registry *r;
	if (registry_open(directory, &r, NULL) != 0)
		_exit(2);
	srand(round);
	for (unsigned step = 0;; step++)
		work_once(r, fd, round, step);
}

/* Takes one acknowledgement; false at the end of the pipe. */
static bool take_ack(int fd)
{
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&waiting, 1, 30000), 1);
	assert_true(ack_count < ACKS_MAX);
	/* A write of a few bytes into a pipe is whole. */
	ssize_t size = read(fd, &acks[ack_count], sizeof *acks);
	if (size == 0)
		return false;
	assert_int_equal(size, sizeof *acks);
	ack_count++;
	return true;
}

static void run_and_kill(const char *directory, unsigned round)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		work(directory, ends[1], round);
	}
	close(ends[1]);
	for (int left = rand() % 20; left > 0; left--)
		assert_true(take_ack(ends[0]));
	/* No wait for anything: the random point inside an operation. */
	struct timespec moment = {.tv_nsec = rand() % 2000000};
	nanosleep(&moment, NULL);
	kill(child, SIGKILL);
	while (take_ack(ends[0]))
		;
	close(ends[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void check_versions(struct registry *r, uint32_t *version_count)
{
	struct version_record *versions;
	size_t count;
	*version_count = 0;
	struct err e = {0};
	if (registry_versions(r, "m", &versions, &count, &e) != 0) {
		assert_int_equal(e.code, ERR_NOT_FOUND);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const void *data;
		size_t size;
		assert_int_equal(versions[i].version, i + 1);
		/* The file came before the row that names it. */
		assert_int_equal(artifact_map(r, versions[i].manifest.sha256, &data, &size, NULL), 0);
		artifact_unmap(data, size);
	}
	version_records_free(versions, count);
	*version_count = (uint32_t)count;
}

static void check_revisions(struct registry *r, struct revision_record *revisions, size_t count)
{
	struct audit_record *audits;
	size_t audit_count, next = 0;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(revisions[i].revision, count - i);
	assert_int_equal(registry_audits(r, NULL, 0, 1000000, &audits, &audit_count, NULL), 0);
	/* Every revision has its audit record, in the same order, and none has two. */
	for (size_t i = 0; i < audit_count; i++) {
		if (audits[i].revision == 0)
			continue;
		assert_true(next < count);
		assert_int_equal(audits[i].revision, revisions[next].revision);
		assert_string_equal(audits[i].action, revisions[next].action);
		assert_string_equal(audits[i].outcome, "done");
		next++;
	}
	assert_int_equal(next, count);
	free(audits);
}

static void check(const char *directory)
{
	struct registry *r = fixture_open(directory);
	uint32_t version_count;
	check_versions(r, &version_count);
	struct revision_record *revisions = NULL;
	size_t count = 0;
	if (version_count > 0)
		assert_int_equal(registry_revisions(r, "m", 1000000, &revisions, &count, NULL), 0);
	check_revisions(r, revisions, count);
	for (size_t i = 0; i < ack_count; i++) {
		assert_true(acks[i].version <= version_count);
		assert_true(acks[i].revision <= count);
		if (acks[i].revision != 0)
			assert_int_equal(route_live(&revisions[count - acks[i].revision].route), acks[i].live);
	}
	free(revisions);
	registry_close(r);
}

static void check_file(const char *directory)
{
	char path[300];
	struct db *db;
	snprintf(path, sizeof path, "%s/mldeck.db", directory);
	assert_int_equal(db_open(path, &db, NULL), 0);
	struct statement *s = db_prepare(db, "PRAGMA integrity_check", NULL);
	assert_int_equal(db_step(s, NULL), 1);
	assert_string_equal(db_text(s, 0), "ok");
	db_end(s);
	s = db_prepare(db, "PRAGMA foreign_key_check", NULL);
	assert_int_equal(db_step(s, NULL), 0);
	db_end(s);
	db_close(db);
}

static void nothing_acknowledged_is_lost(void **state)
{
	(void)state;
	char directory[256];
	fixture_directory(directory);
	srand(20130101);
	for (unsigned round = 0; round < ROUNDS; round++) {
		run_and_kill(directory, round);
		check(directory);
		check_file(directory);
	}
	/* It did get somewhere: a test of nothing would pass as well. */
	assert_true(ack_count > ROUNDS);
	print_message("%d kills, %zu acknowledged changes\n", ROUNDS, ack_count);
	fixture_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_acknowledged_is_lost)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
