/*
 * fetch_internal: what fetch.c (one after the other) and fetch_pool.c (many at once) do alike with
 * libcurl. Private to fetch*.c.
 */
#ifndef CORE_FETCH_INTERNAL_H
#define CORE_FETCH_INTERNAL_H

#include "core/fetch.h"

#include <curl/curl.h>
#include <stdio.h>

/* One exchange, from fetch_prepare() to fetch_finish(). It must not move in between. */
struct fetch_exchange {
	const struct fetch_request *request;
	struct fetch_answer *answer;
	struct curl_slist *headers;
	CURL *curl;
	bool too_large, header_too_large;
	char error[CURL_ERROR_SIZE]; /* libcurl's own sentence, or "" */
};

void fetch_library_init(void);
/* Sets every option on a fresh (or reset) handle; fetch_finish() must follow in any case. file: the
 * body, or NULL. */
int fetch_prepare(CURL *curl, struct fetch_exchange *x, FILE *file, curl_off_t file_size, struct err *e);
/* Fills the answer but for its body, which came in already; -1 with the sentence when code says
 * there is none. Frees what fetch_prepare() took. */
int fetch_finish(CURL *curl, CURLcode code, struct fetch_exchange *x, struct err *e);

#endif
