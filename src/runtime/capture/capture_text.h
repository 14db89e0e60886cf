/*
 * capture_text: captured rows as text that versions of their model take: CSV, or bodies of V2 requests.
 *
 * Owner: the caller, from capture_text_init() to capture_text_release(); one thread. Rows come from requests of any
 * version; one that a wanted version could not be asked, or that text cannot carry (bytes that are no UTF-8), is passed
 * over and counted. Limit: CAPTURE_TEXT_MAX bytes; what would go beyond is left out. Not here: which rows (capture).
 */
#ifndef RUNTIME_CAPTURE_TEXT_H
#define RUNTIME_CAPTURE_TEXT_H

#include "core/buf.h"
#include "core/columns.h"
#include "core/manifest.h"
#include "runtime/capture/capture_row.h"

#include <stdbool.h>

#define CAPTURE_TEXT_MAX ((size_t)64 << 20)
#define CAPTURE_WANTED_MAX 8

enum capture_form {
	CAPTURE_CSV, /* a header and rows: the columns of all wanted versions */
	CAPTURE_V2,  /* a list of objects {"inputs":[...]} */
};

struct capture_text {
	enum capture_form form;
	struct buf out;
	size_t rows, unfit;     /* unfit: of those that were looked at */
	bool cut;               /* the limit was reached */
	int64_t from_ms, to_ms; /* Unix: of the rows; 0 without any */

	const char *model; /* private, as is the rest */
	size_t version_count, wanted_count;
	const struct manifest *manifests; /* [version_count]: of versions 1, 2, 3 ... */
	uint32_t wanted[CAPTURE_WANTED_MAX];
	struct columns *wanted_columns[CAPTURE_WANTED_MAX];
	size_t column_count;
	const struct column **columns;  /* of all wanted versions, each name once */
	struct capture_source *sources; /* [version_count] */
};

/* All is borrowed until capture_text_release(). manifests: of versions 1, 2, 3 ...; wanted: which of them the rows are
 * for. ERR_INPUT: the inputs of one are no columns, and CSV is asked for. */
int capture_text_init(struct capture_text *t, enum capture_form form, const char *model,
		      const struct manifest *manifests, size_t version_count, const uint32_t *wanted,
		      size_t wanted_count, struct err *e);
void capture_text_release(struct capture_text *t);
/* For capture_read(): false when the row does not fit. context: the capture_text. */
bool capture_text_add(void *context, const struct capture_row *row);

#endif
