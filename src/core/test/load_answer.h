/*
 * load_answer: where an HTTP/1.1 answer ends, out of bytes that arrive in any pieces.
 *
 * A plain value, one a connection; no allocation. Reads the status, the framing (RFC 9112, section 6.3: a length,
 * chunks, or until the connection ends) and whether the connection may be used again; the body is passed over. Interim
 * answers (100 Continue) are passed over too. Limits: LOAD_HEAD_MAX bytes of head and of trailer; a line is looked at
 * up to LOAD_LINE_SIZE. Not here: sockets (load), what a body says.
 */
#ifndef CORE_TEST_LOAD_ANSWER_H
#define CORE_TEST_LOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_HEAD_MAX 65536
#define LOAD_LINE_SIZE 256

enum load_answer_step {
	LOAD_ANSWER_MORE,
	LOAD_ANSWER_DONE,
	LOAD_ANSWER_BAD, /* it is no HTTP/1 */
};

struct load_answer {
	int status; /* 200 ... 599, once its line was read */
	bool keep;  /* when DONE: the connection may take a further request */
	bool begun; /* a byte arrived */

	int part; /* private, as is the rest */
	uint64_t left;
	size_t head_size, line_size;
	bool old, chunked, sized, until_end, close, stay;
	char line[LOAD_LINE_SIZE];
};

void load_answer_begin(struct load_answer *a);
/* Takes bytes up to the end of the answer; *used of them. */
enum load_answer_step load_answer_feed(struct load_answer *a, const char *data, size_t size, size_t *used);
/* The connection ended: DONE when that is how the answer ends, else BAD: it was cut short. */
enum load_answer_step load_answer_end(const struct load_answer *a);

#endif
