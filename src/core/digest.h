/*
 * digest: SHA-256 of bytes that arrive in pieces, and base64: what libcrypto does for us.
 *
 * Owner: the caller, from digest_new() to digest_free(). Not thread-safe.
 */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_SIZE 65 /* 64 lower-case hexadecimal digits and the NUL */

struct digest;

struct digest *digest_new(struct err *e); /* NULL when memory is out */
int digest_add(struct digest *d, const void *data, size_t size, struct err *e);
/* The digest of everything added; only digest_free() may follow. */
int digest_end(struct digest *d, char sha256[DIGEST_SIZE], struct err *e);
void digest_free(struct digest *d);

/* All of it at once. */
int digest_of(const void *data, size_t size, char sha256[DIGEST_SIZE], struct err *e);
/* Writes text in base64; "" where size bytes do not hold it. */
void digest_base64(const char *text, char *coded, size_t size);
/* The same for any bytes: coded has room for DIGEST_BASE64_SIZE(size), at most INT_MAX. Returns its length. */
#define DIGEST_BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)
size_t digest_base64_bytes(const void *bytes, size_t size, char *coded);
/* The bytes behind base64 (with its padding, no white space); malloc'd, NUL-terminated. ERR_INPUT when it is none. */
int digest_base64_read(const char *coded, size_t coded_size, char **bytes, size_t *size, struct err *e);
/* Whether text is 64 lower-case hexadecimal digits. */
bool digest_valid(const char *text);

#endif
