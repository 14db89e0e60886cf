/*
 * fault_drive: kills fault_work at every point of core/fault.h in turn, and at random times, starts anew, and compares
 * what is there with what was acknowledged.
 *
 * usage: fault_drive FOLDER LOOPS [SHIM]. With a shim (disk_shim) all that was not synced is lost at each kill. In the
 * environment MLDECK_FAULT_SYNCHRONOUS=OFF then means that a loss is what is expected: exit 0 when one was noticed.
 */
#include "core/fault.h"
#include "core/registry/registry_rollouts.h"
#include "core/registry/registry_verify.h"
#include "lib/disk_image.h"
#include "lib/experiment_work.h"
#include "runtime/router/router.h"

#include "acks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ACKS_MAX 4096
#define RANDOM_KILLS 6 /* for each round of all points */
#define LOOPS_A_STATE 26

struct drive {
	const char *folder, *shim; /* shim NULL: what was written stays */
	char work[PATH_MAX];
	char state[PATH_MAX], image[PATH_MAX];
	struct ack acks[ACKS_MAX]; /* of this state directory */
	size_t ack_count;
	unsigned kills[FAULT_POINT_COUNT + 1]; /* that came, by point; the last: at random times */
};

/* --- one run and its end --- */

static void run_command(const char *format, const char *path)
{
	char command[PATH_MAX + 64];
	snprintf(command, sizeof command, format, path);
	if (system(command) != 0)
		exit(2);
}

static void new_state(struct drive *d, unsigned loop)
{
	snprintf(d->state, sizeof d->state, "%.200s/s%u", d->folder, loop);
	snprintf(d->image, sizeof d->image, "%.200s/image", d->folder);
	if (mkdir(d->state, 0700) != 0)
		exit(2);
	d->ack_count = 0;
}

/* In the child; never returns. */
static void become_work(const struct drive *d, unsigned loop, const char *fault, int fd)
{
	char seed[16];
	snprintf(seed, sizeof seed, "%u", loop);
	if (dup2(fd, ACK_FD) < 0)
		_exit(2);
	if (fault[0] != '\0')
		setenv("MLDECK_FAULT", fault, 1);
	if (d->shim != NULL) {
		setenv("MLDECK_DISK_STATE", d->state, 1);
		setenv("MLDECK_DISK_IMAGE", d->image, 1);
		setenv("LD_PRELOAD", d->shim, 1);
	}
	execl(d->work, d->work, d->state, seed, (char *)NULL);
	_exit(2);
}

/* false at the end of the pipe. */
static bool take_ack(struct drive *d, int fd)
{
	struct ack *ack = &d->acks[d->ack_count];
	ssize_t size = read(fd, ack, sizeof *ack);
	if (size == (ssize_t)sizeof *ack && d->ack_count + 1 < ACKS_MAX) {
		d->ack_count++;
		return true;
	}
	if (size != 0)
		exit(2);
	return false;
}

/* Starts the work and has it end, at the point or at a time of its own. Gives what waitpid() said. */
static int run(struct drive *d, unsigned loop, const char *fault)
{
	int ends[2], status;
	if (d->shim != NULL) {
		run_command("rm -rf '%s'", d->image);
		if (mkdir(d->image, 0700) != 0)
			exit(2);
	}
	if (pipe2(ends, O_CLOEXEC) != 0)
		exit(2);
	pid_t child = fork();
	if (child == 0)
		become_work(d, loop, fault, ends[1]);
	close(ends[1]);
	if (fault[0] == '\0') {
		bool going = true;
		for (int i = rand() % 20; going && i > 0; i--)
			going = take_ack(d, ends[0]);
		const struct timespec moment = {.tv_nsec = rand() % 4000000};
		nanosleep(&moment, NULL);
		kill(child, SIGKILL);
	}
	while (take_ack(d, ends[0]))
		;
	close(ends[0]);
	if (waitpid(child, &status, 0) != child)
		exit(2);
	/* Killed before the shim had its picture, it had done nothing yet. */
	char root[PATH_MAX + 8];
	snprintf(root, sizeof root, "%s/root", d->image);
	if (d->shim != NULL && access(root, F_OK) == 0)
		disk_restore(d->image, d->state);
	return status;
}

/* --- what must hold then --- */

static int check_audit(struct drive *d, struct err *e)
{
	struct audit_verdict verdict;
	const struct audit_head *kept = d->ack_count > 0 ? &d->acks[d->ack_count - 1].head : NULL;
	if (registry_verify(d->state, kept, &verdict, e) != 0)
		return -1;
	return verdict.whole ? 0 : err_set(e, ERR_GATE, "audit: %s", verdict.fault);
}

static int check_versions(struct drive *d, struct registry *r, struct err *e)
{
	struct version_record *versions;
	size_t count;
	int result = 0;
	if (registry_versions(r, WORK_MODEL, &versions, &count, e) != 0)
		return -1;
	for (size_t i = 0; result == 0 && i < count; i++) {
		const void *data;
		size_t size;
		result = artifact_map(r, versions[i].manifest.sha256, &data, &size, e);
		if (result == 0)
			artifact_unmap(data, size);
	}
	for (size_t i = 0; result == 0 && i < d->ack_count; i++)
		if (d->acks[i].version > count)
			result = err_set(e, ERR_GATE, "v%u was deployed and is lost", d->acks[i].version);
	version_records_free(versions, count);
	return result;
}

/* revisions: newest first. */
static int check_revisions(struct drive *d, const struct revision_record *revisions, size_t count, struct err *e)
{
	for (size_t i = 0; i < d->ack_count; i++) {
		const struct ack *ack = &d->acks[i];
		char route[128];
		if (ack->revision == 0)
			continue;
		if (ack->revision > count)
			return err_set(e, ERR_GATE, "revision %u was answered and is lost", ack->revision);
		route_text(&revisions[count - ack->revision].route, route, sizeof route);
		if (strcmp(route, ack->route) != 0)
			return err_set(e, ERR_GATE, "revision %u is %s and was answered as %s", ack->revision, route,
				       ack->route);
	}
	return 0;
}

/* A rollout is at the step that its revision has, and nothing but shadows came after the revision of an open one. */
static int check_rollout(const struct rollout *rollout, const struct revision_record *revisions, size_t count,
			 struct err *e)
{
	if (rollout->revision == 0 || rollout->revision > count)
		return err_set(e, ERR_GATE, "rollout %" PRId64 " names revision %u, which is not there", rollout->id,
			       rollout->revision);
	const struct revision_record *last = &revisions[count - rollout->revision];
	const struct route_entry *entry = route_find(&last->route, rollout->version);
	bool ended = rollout_ended(rollout), back = ended && rollout->state != ROLLOUT_DONE;
	if (!back && (entry == NULL || entry->weight_bp != rollout->steps[rollout->step].weight_bp ||
		      strcmp(last->action, "rollout") != 0))
		return err_set(e, ERR_GATE, "rollout %" PRId64 " is at step %u, its revision %u is not", rollout->id,
			       rollout->step + 1, rollout->revision);
	for (uint32_t later = rollout->revision + 1; !ended && later <= count; later++)
		if (strcmp(revisions[count - later].action, "shadow") != 0)
			return err_set(e, ERR_GATE, "revision %u changed the route of an open rollout", later);
	return 0;
}

/* What was acknowledged last of it, or something later. */
static int check_acknowledged(struct drive *d, const struct rollout *rollouts, size_t count, struct err *e)
{
	for (size_t i = d->ack_count; i-- > 0;) {
		const struct ack *ack = &d->acks[i];
		const struct rollout *found = NULL;
		if (ack->rollout == 0)
			continue;
		for (size_t k = 0; k < count; k++)
			if (rollouts[k].id == ack->rollout)
				found = &rollouts[k];
		if (found == NULL)
			return err_set(e, ERR_GATE, "rollout %" PRId64 " is lost", ack->rollout);
		if (found->step < ack->rollout_step ||
		    ((enum rollout_state)ack->rollout_state >= ROLLOUT_DONE && (int)found->state != ack->rollout_state))
			return err_set(e, ERR_GATE, "rollout %" PRId64 " is behind what was answered", ack->rollout);
	}
	return 0;
}

static int check_rollouts(struct drive *d, struct registry *r, const struct revision_record *revisions, size_t count,
			  struct err *e)
{
	struct rollout *rollouts;
	size_t rollout_count;
	if (registry_rollouts(r, WORK_MODEL, 100000, &rollouts, &rollout_count, e) != 0)
		return -1;
	int result = check_acknowledged(d, rollouts, rollout_count, e);
	for (size_t i = 0; result == 0 && i < rollout_count; i++)
		result = check_rollout(&rollouts[i], revisions, count, e);
	free(rollouts);
	return result;
}

/* What was acknowledged of an A/B test is there. */
static int check_experiment(struct drive *d, struct registry *r, const struct experiment_record *record, struct err *e)
{
	struct experiment_look_row *looks;
	uint64_t units = 0, looked = 0;
	size_t count;
	for (size_t i = 0; i < d->ack_count; i++) {
		const struct ack *ack = &d->acks[i];
		if (ack->experiment != record->id)
			continue;
		units = ack->units > units ? ack->units : units;
		looked = ack->looks > looked ? ack->looks : looked;
	}
	if (experiment_work_check(r, record, units, e) != 0 ||
	    registry_experiment_looks(r, record->id, 0, 1, &looks, &count, e) != 0)
		return -1;
	uint64_t has = count > 0 ? (uint64_t)looks[0].number + looks[0].times - 1 : 0;
	free(looks);
	return has >= looked
		   ? 0
		   : err_set(e, ERR_GATE, "look %" PRIu64 " was answered and %" PRIu64 " are there", looked, has);
}

static int check_experiments(struct drive *d, struct registry *r, struct err *e)
{
	struct experiment_record *records;
	size_t count;
	int64_t newest = 0;
	if (registry_experiments(r, NULL, 100000, &records, &count, e) != 0)
		return -1;
	int result = 0;
	for (size_t i = 0; result == 0 && i < count; i++)
		result = check_experiment(d, r, &records[i], e);
	for (size_t i = 0; i < d->ack_count; i++)
		newest = d->acks[i].experiment > newest ? d->acks[i].experiment : newest;
	if (result == 0 && newest > (count > 0 ? records[0].id : 0))
		result = err_set(e, ERR_GATE, "A/B test %" PRId64 " was answered and is lost", newest);
	free(records);
	return result;
}

/* The router serves the newest revision, with versions that work. */
static int check_served(struct registry *r, const struct revision_record *newest, struct err *e)
{
	struct config config;
	struct router *router;
	int result = 0;
	config_init(&config);
	if (router_new(r, &config, &router, e) != 0)
		return -1;
	const struct served_model *m = routing_find(router_enter(router), WORK_MODEL, e);
	if (m == NULL)
		result = -1;
	else if (m->revision != newest->revision || !route_same(&m->route, &newest->route))
		result = err_set(e, ERR_GATE, "revision %u serves, the newest is %u", m->revision, newest->revision);
	for (int i = 0; result == 0 && i < 50; i++) {
		const struct served_version *v = served_model_pick(m, (const char *)&i, sizeof i);
		const struct route_entry *entry = v != NULL ? route_find(&newest->route, v->version) : NULL;
		if (entry == NULL || entry->role == ROUTE_SHADOW)
			result = err_set(e, ERR_GATE, "a request gets a version that is not in the route");
		else if (served_version_state(v, e) != SERVED_READY)
			result = -1;
	}
	router_leave(router);
	router_free(router);
	return result;
}

static int check_registry(struct drive *d, struct registry *r, struct err *e)
{
	struct revision_record *revisions;
	size_t count;
	char(*names)[TEXT_NAME_MAX + 1];
	/* Killed before its first deploy: then nothing may have been acknowledged. */
	if (registry_models(r, &names, &count, e) != 0)
		return -1;
	if (count > 0)
		free(names);
	if (count == 0)
		return d->ack_count == 0 ? 0 : err_set(e, ERR_GATE, "everything is lost");
	if (registry_revisions(r, WORK_MODEL, 100000, &revisions, &count, e) != 0)
		return -1;
	int result = check_versions(d, r, e);
	if (result == 0)
		result = check_revisions(d, revisions, count, e);
	if (result == 0)
		result = check_rollouts(d, r, revisions, count, e);
	if (result == 0)
		result = check_experiments(d, r, e);
	if (result == 0)
		result = check_served(r, &revisions[0], e);
	free(revisions);
	return result;
}

static int check(struct drive *d, struct err *e)
{
	struct registry *r;
	/* As the kill left it, before anybody opens it for writing; where nothing was acknowledged there may be no
	 * database. */
	if (d->ack_count > 0 && check_audit(d, e) != 0)
		return -1;
	if (registry_open(d->state, &r, e) != 0)
		return -1;
	int result = check_registry(d, r, e);
	registry_close(r);
	return result == 0 ? check_audit(d, e) : -1;
}

/* --- all of them --- */

static int one_loop(struct drive *d, unsigned loop, struct err *e)
{
	unsigned which = loop % (FAULT_POINT_COUNT + RANDOM_KILLS);
	char fault[64] = "";
	if (loop % LOOPS_A_STATE == 0)
		new_state(d, loop);
	if (which < FAULT_POINT_COUNT)
		snprintf(fault, sizeof fault, "%s:%d", fault_point_name((enum fault_point)which), 1 + rand() % 4);
	int status = run(d, loop, fault);
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (!killed && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return err_set(e, ERR_USAGE, "the work itself failed (status %d)", status);
	d->kills[which < FAULT_POINT_COUNT ? which : FAULT_POINT_COUNT] += killed;
	struct err why = {0};
	if (check(d, &why) == 0)
		return 0;
	return err_set(e, why.code, "loop %u, %s: %s", loop, fault[0] != '\0' ? fault : "a random time", why.text);
}

int main(int argc, char **argv)
{
	static struct drive d;
	const char *synchronous = getenv("MLDECK_FAULT_SYNCHRONOUS");
	bool loss_expected = synchronous != NULL && strcmp(synchronous, "OFF") == 0;
	struct err e = {0};
	if (argc < 3)
		return 2;
	d.folder = argv[1];
	d.shim = argc > 3 ? argv[3] : NULL;
	snprintf(d.work, sizeof d.work, "%s", argv[0]);
	char *name = strrchr(d.work, '/');
	snprintf(name != NULL ? name + 1 : d.work, 16, "fault_work");
	unsigned loops = (unsigned)strtoul(argv[2], NULL, 10);
	srand(4711);
	for (unsigned loop = 0; loop < loops; loop++) {
		if (one_loop(&d, loop, &e) == 0)
			continue;
		if (loss_expected && e.code != ERR_USAGE) {
			printf("noticed after %u kills: %s\n", loop + 1, e.text);
			return 0;
		}
		printf("%s\n", e.text);
		return 1;
	}
	unsigned kills = 0;
	for (int i = 0; i <= FAULT_POINT_COUNT; i++) {
		kills += d.kills[i];
		if (d.kills[i] == 0 && loops > 2 * (FAULT_POINT_COUNT + RANDOM_KILLS)) {
			printf("nothing ever came by %s\n",
			       i < FAULT_POINT_COUNT ? fault_point_name((enum fault_point)i) : "a random kill");
			return 1;
		}
	}
	printf("%u kills in %u runs\n", kills, loops);
	return loss_expected ? 1 : 0;
}
