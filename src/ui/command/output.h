/*
 * output: what the commands share: opening the runtime, reading names and versions, printing answers.
 *
 * Used by the main thread of a command only.
 */
#ifndef UI_OUTPUT_H
#define UI_OUTPUT_H

#include "core/client.h"
#include "core/command.h"
#include "core/err.h"
#include "core/json.h"
#include "core/snapshot.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A client on the socket that the arguments name; the caller frees it. */
int output_client(const struct arguments *a, const char *program, struct client **client, struct err *e);
/* ERR_INPUT with the form of a name unless name is a model's. */
int output_model(const char *name, struct err *e);
/* "3" or "v3". */
int output_version(const char *text, uint32_t *version, struct err *e);
/* Checks --reason: that the audit keeps all of it and, unless needed is NULL, that it is there; needed is the sentence
 * of the refusal. */
int output_reason(const struct arguments *a, const char *needed, struct err *e);
#define OUTPUT_REASON_NEEDED "a change needs --reason TEXT, which the audit keeps (or --dry-run)"
/* The whole number of --option in [low, high], or otherwise when it was not given. */
int output_number(const struct arguments *a, const char *option, long long low, long long high, long long otherwise,
		  long long *number, struct err *e);
/* Posts body to path and prints the answer: with --json as it came, else by print. Body is taken; NULL is memory that
 * was out. */
int output_post(const struct arguments *a, const char *program, const char *path, cJSON *body, int timeout_ms,
		int (*print)(const struct arguments *a, const cJSON *answer, struct err *e), struct err *e);
/* An object with this text in it, unless it is NULL; NULL when memory is out. */
cJSON *output_body(const char *name, const char *text);
/* The runtime's snapshot of the last window_s seconds; snapshot_free() it. */
int output_snapshot(struct client *client, int window_s, struct snapshot **snapshot, struct err *e);
/* Pretty JSON and a newline to stdout. */
int output_json(const cJSON *json, struct err *e);
/* Flushes stdout: ERR_DISK_FULL or ERR_SYSTEM when it did not take everything. */
int output_end(struct err *e);
/* Whether the locale's character set is not UTF-8, so that only ASCII may be printed. */
bool output_ascii(void);
/* Columns of the terminal on f, 0 when it is none: nothing is cut then. */
int output_width(FILE *f);
/* "2026-03-01 14:02:11Z". */
void output_time(char *text, size_t size, double unix_ms);
/* Puts text, cleaned and in ASCII where the locale demands it, to stdout. */
void output_text(const char *text);

#endif
