/*
 * captured: rows of live requests, asked of the runtime for a test: what `--captured N` means.
 *
 * Owner: the caller, from captured_fetch() to captured_release(); one thread. The rows are in memory and on no disk:
 * who needs a file gets one of memory (memfd_create), which ends with the process. Not here: which rows there are (the
 * runtime's capture), what is done with them.
 */
#ifndef UI_CAPTURED_H
#define UI_CAPTURED_H

#include "core/client.h"
#include "core/command.h"

#include <stddef.h>
#include <stdint.h>

#define CAPTURED_MAX 100000
#define CAPTURED_OPTION                                                                                            \
	{                                                                                                          \
		"captured", "N", "N rows of live requests, instead of a file (mldeck policy MODEL capture_rows=N)" \
	}

struct captured {
	size_t asked, rows, unfit; /* unfit: that a version could not be asked */
	int64_t from_ms, to_ms;    /* Unix: of the oldest and the newest */
	cJSON *answer;             /* private, as is fd */
	const char *csv;           /* a header and rows */
	size_t size;
	int fd;         /* -1: no file was made */
	char path[48];  /* of the file: for this process and those that it starts */
	char text[160]; /* "500 rows of live requests, 2026-03-01 14:02:11Z to ...; 1000 were asked for" */
};

/* *rows 0 where the option was not given. ERR_USAGE: --data was given too, or no number. */
int captured_option(const struct arguments *a, size_t *rows, struct err *e);
/* Rows that all the versions can be asked; 0 among them is passed over. ERR_CONFLICT says what to do: nothing is
 * captured, or there are no rows yet. Call captured_release() also when it failed. */
int captured_fetch(struct captured *c, struct client *client, const char *model, const uint32_t *versions, size_t count,
		   size_t rows, struct err *e);
void captured_release(struct captured *c);
/* The rows as c->path. */
int captured_file(struct captured *c, struct err *e);
/* An empty file of memory at c->path, for rows that are made of them. */
int captured_empty_file(struct captured *c, struct err *e);
/* "captured": how many, from when to when. NULL is fine: there are none. */
void captured_report(const struct captured *c, cJSON *report);

#endif
