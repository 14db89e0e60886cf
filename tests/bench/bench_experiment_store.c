/* bench_experiment_store: what it costs to keep an A/B test: a line of JSON for exposures and for outcomes, by the size
 * of a batch. usage: bench_experiment_store FOLDER [UNITS]   FOLDER: empty; on the disk that is to be measured */
#include "core/clock.h"
#include "core/db.h"
#include "core/registry/registry_experiments.h"
#include "lib/experiment_work.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define BATCH 1000

static const struct actor bench = {.uid = 0, .name = "bench", .client = "bench"};

static void die(const struct err *e)
{
	fprintf(stderr, "bench_experiment_store: %s\n", e->text);
	exit(1);
}

static double cpu_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void deploy(struct registry *r, const char *content)
{
	struct artifact *a;
	struct manifest m;
	struct deploy_result result;
	struct err e = {0};
	manifest_init(&m);
	strcpy(m.engine, "forest");
	strcpy(m.format, "lightgbm");
	if (artifact_begin(r, &a, &e) != 0 || artifact_write(a, content, strlen(content), &e) != 0 ||
	    artifact_commit(a, m.sha256, &m.size_bytes, &e) != 0 ||
	    registry_deploy(r, EXPERIMENT_WORK_MODEL, &m, NULL, NULL, false, "", &bench, &result, &e) != 0)
		die(&e);
}

/* Of the database, its log brought in. */
static double bytes_of(struct registry *r, const char *folder)
{
	char path[4096];
	struct stat file;
	struct db *db;
	struct err e = {0};
	(void)r;
	snprintf(path, sizeof path, "%s/mldeck.db", folder);
	if (db_open(path, &db, &e) != 0 || db_checkpoint(db, &e) != 0)
		die(&e);
	db_close(db);
	return stat(path, &file) == 0 ? (double)file.st_size : (double)NAN;
}

/* All units in batches: exposures, or an outcome of each. */
static void measure(struct registry *r, const struct experiment_record *record, const char *folder, uint64_t units,
		    bool outcomes)
{
	static struct experiment_exposure served[BATCH];
	static struct experiment_outcome told[BATCH];
	struct experiment_counts counts;
	struct err e = {0};
	double bytes = bytes_of(r, folder), cpu = cpu_s();
	uint64_t began_ns = clock_ns(), taken = 0;
	for (uint64_t from = 0; from < units; from += BATCH) {
		int64_t now_ms = clock_unix_ms();
		for (uint64_t i = 0; i < BATCH; i++) {
			uint64_t unit = from + i;
			struct experiment_hash hash =
			    experiment_hash(&record->plan, EXPERIMENT_HASH_UNIT, &unit, sizeof unit);
			served[i] = (struct experiment_exposure){
			    .unit = hash,
			    .request = experiment_hash(&record->plan, EXPERIMENT_HASH_REQUEST, &unit, sizeof unit),
			    .arm = (uint32_t)(unit % 2),
			    .at_ms = now_ms,
			    .latency_ns = unit % 7 * 300,
			    .prediction = (double)(unit % 100) / 100,
			    .covariate = (double)NAN};
			told[i] = (struct experiment_outcome){.unit = hash, .value = unit % 3 == 0, .at_ms = -1};
			told[i].key = experiment_key(&record->plan, 0, NULL, hash, -1);
		}
		const struct experiment_batch batch = {.now_ms = now_ms,
						       .exposures = served,
						       .exposure_count = outcomes ? 0 : BATCH,
						       .outcomes = told,
						       .outcome_count = outcomes ? BATCH : 0};
		if (registry_experiment_apply(r, record->id, &batch, &counts, &e) != 0)
			die(&e);
		taken += outcomes ? counts.outcomes[EXPERIMENT_RESULT_ACCEPTED] : counts.units;
	}
	cpu = cpu_s() - cpu;
	double seconds = (double)(clock_ns() - began_ns) * 1e-9;
	printf("{\"records\":\"%s\",\"taken\":%" PRIu64 ",\"a_batch\":%d,\"per_s\":%.0f,\"per_core_s\":%.0f,"
	       "\"bytes_each\":%.0f}\n",
	       outcomes ? "outcomes" : "units", taken, BATCH, (double)taken / seconds, (double)taken / cpu,
	       (bytes_of(r, folder) - bytes) / (double)taken);
}

static void measure_opening(struct registry **r, const char *folder, const struct experiment_record *record)
{
	struct err e = {0};
	struct experiment_seen seen;
	registry_close(*r);
	uint64_t began_ns = clock_ns();
	if (registry_open(folder, r, &e) != 0 || registry_experiment_seen(*r, record, &seen, &e) != 0)
		die(&e);
	printf("{\"opening_ms\":%.2f,\"units\":%" PRIu64 "}\n", (double)(clock_ns() - began_ns) * 1e-6,
	       seen.counts.units);
	experiment_state_free(seen.state);
}

static void measure_empty_batches(struct registry *r, const struct experiment_record *record)
{
	struct experiment_counts counts;
	struct err e = {0};
	const struct experiment_batch none = {.now_ms = clock_unix_ms()};
	double cpu = cpu_s();
	for (int i = 0; i < 200; i++)
		if (registry_experiment_apply(r, record->id, &none, &counts, &e) != 0)
			die(&e);
	printf("{\"empty_batch_cpu_us\":%.0f}\n", (cpu_s() - cpu) / 200 * 1e6);
}

/* Looks on a state that has not changed, which one row counts. */
static void measure_looks(struct registry *r, const struct experiment_record *record)
{
	static struct experiment_report report;
	struct err e = {0};
	char *text;
	double cpu = cpu_s();
	for (int i = 0; i < 200; i++)
		if (registry_experiment_look(r, record->id, clock_unix_ms(), &report, &e) != 0)
			die(&e);
	cpu = cpu_s() - cpu;
	if (registry_experiment_look_report(r, record->id, 1, &text, &e) != 0)
		die(&e);
	printf("{\"look_cpu_us\":%.0f,\"report_bytes\":%zu}\n", cpu / 200 * 1e6, strlen(text));
	free(text);
}

int main(int argc, char **argv)
{
	struct registry *r;
	struct experiment_record record;
	struct err e = {0};
	if (argc < 2)
		return 2;
	uint64_t units = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000;
	if (registry_open(argv[1], &r, &e) != 0)
		die(&e);
	deploy(r, "one");
	deploy(r, "two");
	if (experiment_work_start(r, &bench, &record, &e) != 0)
		die(&e);
	measure_opening(&r, argv[1], &record);
	measure(r, &record, argv[1], units, false);
	measure(r, &record, argv[1], units, true);
	for (int i = 0; i < 3; i++)
		measure_opening(&r, argv[1], &record);
	measure_empty_batches(r, &record);
	measure_looks(r, &record);
	registry_close(r);
	return 0;
}
