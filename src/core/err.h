/*
 * err: what went wrong, as one code out of one list and one complete sentence.
 *
 * Functions that can fail return 0 or -1 and fill the struct err that the caller owns. Only main, the
 * control API and the screen report it. The sentence never holds a control character, so it is safe to
 * print on a terminal whatever input it quotes.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stddef.h>

/* name, exit code of the process, HTTP status, code in JSON */
#define ERRS(X)                               \
	X(NONE, 0, 200, "ok")                 \
	X(USAGE, 2, 400, "usage")             \
	X(INPUT, 2, 400, "bad_input")         \
	X(TOO_LARGE, 2, 413, "too_large")     \
	X(UNSUPPORTED, 2, 415, "unsupported") \
	X(GATE, 1, 412, "gate")               \
	X(CONFLICT, 3, 409, "conflict")       \
	X(NOT_FOUND, 4, 404, "not_found")     \
	X(UNREACHABLE, 5, 503, "unreachable") \
	X(BUSY, 5, 429, "busy")               \
	X(UPSTREAM, 5, 502, "upstream")       \
	X(TIMEOUT, 5, 504, "timeout")         \
	X(DENIED, 6, 403, "denied")           \
	X(SYSTEM, 7, 500, "system")           \
	X(DISK_FULL, 7, 507, "disk_full")     \
	X(MEMORY, 7, 503, "memory")

enum err_code {
#define X(name, exit, http, text) ERR_##name,
	ERRS(X)
#undef X
	    ERR_COUNT
};

#define ERR_TEXT_SIZE 512

struct err {
	enum err_code code;
	char text[ERR_TEXT_SIZE];
};

/* Sets code and sentence (cut at ERR_TEXT_SIZE, control characters shown as \xNN); e may be NULL, and its own old
 * sentence may be among the arguments: err_set(e, e->code, "rows: %s", e->text). Returns -1, so that a failing
 * function can end with `return err_set(...)`. */
int err_set(struct err *e, enum err_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Like err_set() for a failed system call: ": " and strerror(error) are appended, and ENOSPC, EDQUOT,
 * ENOMEM, EACCES, EPERM, ENOENT choose the code. */
int err_errno(struct err *e, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The process exit code, the HTTP status and the JSON name of a code. */
int err_exit(enum err_code code);
int err_http(enum err_code code);
const char *err_name(enum err_code code);

/* The code whose JSON name this is; ERR_SYSTEM for an unknown one. */
enum err_code err_by_name(const char *name);

#endif
