/*
 * models_file: the state of models as a file says it, which `mldeck apply` brings about: docs/APPLY.md.
 *
 *     [model churn]
 *     version.1 = models/churn-1.txt
 *     version.2 = sha256:9f86d081…
 *     route = 1=90 2=10
 *
 * A plain value; owner: the caller, from models_file_parse() or models_file_read() to models_file_release(); constant
 * after models_file_resolve(). Every refusal names file and line, and leaves nothing behind.
 * Limits: MODELS_FILE_MAX bytes, MODELS_LINE_MAX bytes a line (a list goes on in an indented one).
 * Not here: what a runtime has, and what must change (models_plan).
 */
#ifndef CORE_MODELS_FILE_H
#define CORE_MODELS_FILE_H

#include "core/buf.h"
#include "core/digest.h"
#include "core/err.h"
#include "core/policy.h"
#include "core/route.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODELS_FILE_MAX ((size_t)16 << 20)
/* inih reads lines into a buffer of its own, of 200 bytes where a distribution did not change it. */
#define MODELS_LINE_MAX 190
#define MODELS_VERSIONS_MAX 10000 /* of one section */

/* What a deploy takes besides the model, a key `NAME.N` each; only used when version N is new. */
#define MODELS_OPTIONS(X) X(BASELINE, "baseline") X(SAMPLES, "samples") X(FEATURES, "features") X(NAME, "name")

enum models_option {
#define X(name, text) MODELS_##name,
	MODELS_OPTIONS(X)
#undef X
	    MODELS_OPTION_COUNT
};

enum models_source {
	MODELS_NONE,   /* only options name the version: refused once all was read */
	MODELS_FILE,   /* a model file */
	MODELS_URL,    /* a model on a V2 server */
	MODELS_SHA256, /* an artifact that the runtime has */
};

struct models_version {
	uint32_t version;
	int line;
	enum models_source kind;
	char *source;                       /* as it is written */
	char *path;                         /* of a file: found from where the models file is; else NULL */
	char sha256[DIGEST_SIZE];           /* of a file or URL: known from models_file_resolve() on, else "" */
	uint64_t size_bytes;                /* of what is to be sent; 0: nothing is */
	char *options[MODELS_OPTION_COUNT]; /* as written; NULL: not given */
	int option_lines[MODELS_OPTION_COUNT];
};

struct models_model {
	char name[TEXT_NAME_MAX + 1];
	int line;
	size_t version_count; /* ascending */
	struct models_version *versions;
	int route_line; /* 0: the file says nothing of the route, and it is left alone */
	/* Live and canaries as given (the role says CANARY), then the shadows; none of 0%. */
	size_t entry_count; /* 0 with a route_line: nothing is live */
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	uint32_t live; /* of them, by `live = N`; 0: the one that is live if it has a share, else the greatest */
	int live_line, shadow_line;
	int policy_line; /* 0: the file says nothing of the policy, and it is left alone */
	struct policy policy;

	size_t version_capacity; /* private, as is the rest */
	uint32_t version_greatest;
	uint64_t policy_rows; /* that are named, a bit each */
};

struct models_file {
	char *name;   /* for sentences */
	char *folder; /* that relative paths begin in, with a slash at its end; "": the working directory */
	size_t model_count;
	struct models_model *models; /* in the file's order; names are unique */
};

/* Fills f from a text; name is the file's path ("-": standard input). ERR_INPUT "NAME, line 7: …". */
int models_file_parse(struct models_file *f, const char *name, const char *text, struct err *e);
/* The same of a file; "-" is standard input. */
int models_file_read(struct models_file *f, const char *path, struct err *e);
void models_file_release(struct models_file *f);
/* Looks at what the file names outside of itself: digests and sizes of the versions are filled in, the users of
 * policies must be there, and what can never hold is refused. */
int models_file_resolve(struct models_file *f, struct err *e);

/* -1 with "NAME, line 7: " before the sentence that e has. */
int models_file_refuse(const struct models_file *f, int line, struct err *e);
/* What no single line shows, and the order of versions and shares; models_file_parse() calls it. */
int models_file_check(struct models_file *f, struct err *e);
/* A path as the file has it, from where the file is; malloc'd, NULL when memory is out. */
char *models_file_path(const struct models_file *f, const char *path);
/* "baseline" */
const char *models_option_name(enum models_option option);

#endif
