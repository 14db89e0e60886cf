/*
 * deploy: a model file, or where a model is on another server, sent to the runtime and registered as the next
 * version.
 *
 * The request is borrowed for the call; one thread a client.
 */
#ifndef UI_DEPLOY_H
#define UI_DEPLOY_H

#include "core/client.h"
#include "core/command.h"
#include "core/err.h"
#include "core/remote.h"

#include <stdbool.h>
#include <stdint.h>

struct deploy_request {
	const char *model;           /* a valid name */
	const char *file_path;       /* or the URL that remote has */
	const struct remote *remote; /* NULL: a file */
	const char *baseline_path;   /* CSV rows, or the JSON of a baseline that was exported; or NULL */
	const char *samples_path;    /* CSV rows that it is warmed up with, or NULL */
	const char *features;        /* names with commas between them, or a CSV file with a header; or NULL */
	const char *reason;          /* or NULL */
	bool no_live;
	/* For who knows the file already: */
	const char *sha256;      /* of an artifact that the runtime has: nothing is sent; else NULL */
	const char *file_digest; /* what the file must be when it is sent; NULL: whatever it is */
	const char *file_name;   /* what people call it; NULL: its own name */
	uint32_t expect_version; /* the number that it is to get; 0: any */
};

/* The caller owns *answer, also after an error (NULL then). */
int deploy_send(struct client *client, const struct deploy_request *r, cJSON **answer, struct err *e);

/* The options of `mldeck deploy MODEL URL`. */
#define OPTIONS_REMOTE                                                                                   \
	{"token-file", "FILE", "remote: a file with the token that is sent, read by the runtime"},       \
	    {"ca-file", "FILE", "remote: the authorities to trust, in place of the system's"},           \
	    {"timeout", "TIME", "remote: of one prediction, such as 2s; else the configuration's"},      \
	    {"connect-timeout", "TIME", "remote: until there is a connection, such as 500ms"},           \
	    {"retries", "N", "remote: how often to ask again where nothing can have been done"},         \
	    {"signature", "FILE", "remote: JSON with `inputs` and `outputs`, in place of the server's"}, \
	{                                                                                                \
		"free-rows", NULL, "remote: an output may have other rows than the inputs"               \
	}
/* Fills r (initialised by the callee; remote_release() it) when the second argument is a URL; url says whether it is.
 * Refuses those options for a file. Relative paths become absolute: the runtime opens them. */
int deploy_read_remote(const struct arguments *a, struct remote *r, bool *url, struct err *e);

/* The whole of a text file that is not empty; b is initialised. */
int deploy_read_file(const char *path, size_t size_max, struct buf *b, struct err *e);

#endif
