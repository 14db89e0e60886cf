/*
 * compress: gzip and deflate, as HTTP names them: bodies inflated as they arrive, answers deflated
 * whole.
 *
 * A struct inflater is used and freed by the thread that made it. Each thread keeps a few streams
 * between requests, freed when it ends, so that the steady path allocates none. The only file that
 * knows zlib. Not here: the limit on what is inflated; that is for whoever takes the bytes.
 */
#ifndef CORE_COMPRESS_H
#define CORE_COMPRESS_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

/* gzip: any number of members. deflate: the zlib form; raw deflate is read too, as some clients
 * send it. */
enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_DEFLATE };

/* What a Content-Encoding names; NULL, "" and "identity" are COMPRESSION_NONE. ERR_UNSUPPORTED for
 * others. */
int compression_parse(const char *content_encoding, enum compression *form, struct err *e);
/* The best that an Accept-Encoding (NULL: none was sent) allows, by its q-values; gzip before
 * deflate. */
enum compression compression_accepted(const char *accept_encoding);
/* "gzip", "deflate". */
const char *compression_name(enum compression form);

struct inflater;

/* NULL when memory is out. */
struct inflater *inflater_new(enum compression form);
void inflater_free(struct inflater *i);
/* Inflates size bytes and hands what comes out to write, in pieces; stops when that returns -1.
 * ERR_INPUT: the data is malformed, or something is behind its end. */
int inflater_add(struct inflater *i, const void *data, size_t size,
		 int (*write)(void *context, const void *data, size_t size, struct err *e), void *context,
		 struct err *e);
/* All input is there: ERR_INPUT when it ended in the middle. No input at all is an empty body. */
int inflater_end(struct inflater *i, struct err *e);

/* Deflates fast into small, which must be empty. False, and small unchanged, when it would not get
 * shorter or memory is out. */
bool compress_body(enum compression form, const void *data, size_t size, struct buf *small);

#endif
