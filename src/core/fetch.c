#include "core/fetch.h"

#include "core/fetch_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct fetch {
	CURL *curl;
};

/* Headers beyond this are no answer that anybody means. */
#define HEADERS_MAX ((size_t)64 << 10)
#define CODE_TOO_LARGE 100 /* CURLE_TOO_LARGE, which older headers lack */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void fetch_library_init(void)
{
	pthread_once(&library_once, library_init);
}

struct fetch *fetch_new(void)
{
	struct fetch *f = calloc(1, sizeof(*f));

	fetch_library_init();
	if (f && !(f->curl = curl_easy_init())) {
		free(f);
		return NULL;
	}
	return f;
}

void fetch_free(struct fetch *f)
{
	if (!f)
		return;
	curl_easy_cleanup(f->curl);
	free(f);
}

/* Takes size bytes into b, which may hold max. */
static size_t take(struct fetch_exchange *x, struct buf *b, const char *data, size_t size, size_t max)
{
	if (b->size > max || size > max - b->size) {
		x->too_large = true;
		return 0;
	}
	buf_add(b, data, size);
	return b->failed ? 0 : size;
}

static size_t body_write(char *data, size_t unit, size_t count, void *context)
{
	struct fetch_exchange *x = context;
	long status = 0;

	if (x->request->write) {
		curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
		if (status == 200)
			return x->request->write(x->request->write_context, data, unit * count) == 0 ? unit * count : 0;
	}
	return take(x, &x->answer->body, data, unit * count, x->request->answer_max);
}

/* Line after line. An interim answer's (100 to 199) are forgotten when the next one begins. */
static size_t header_write(char *data, size_t unit, size_t count, void *context)
{
	struct fetch_exchange *x = context;
	size_t size = unit * count;

	if (size >= 5 && memcmp(data, "HTTP/", 5) == 0)
		buf_clear(&x->answer->headers);
	size_t taken = take(x, &x->answer->headers, data, size, HEADERS_MAX);
	x->header_too_large = x->too_large;
	return taken;
}

static int body_open(const char *path, FILE **file, curl_off_t *size, struct err *e)
{
	struct stat st;

	*file = fopen(path, "rbe");
	if (!*file)
		return err_errno(e, errno, "%s cannot be opened", path);
	if (fstat(fileno(*file), &st) == 0 && S_ISREG(st.st_mode)) {
		*size = st.st_size;
		return 0;
	}
	fclose(*file);
	*file = NULL;
	return err_set(e, ERR_INPUT, "%s is not a regular file", path);
}

static void options_common(CURL *curl, const struct fetch_request *r)
{
	curl_easy_setopt(curl, CURLOPT_URL, r->url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "mldeck/" MLDECK_VERSION);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	if (r->socket_path)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, r->socket_path);
	if (r->socket_path || r->direct)
		curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	if (r->connect_timeout_ms > 0)
		curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)r->connect_timeout_ms);
}

/* Over TLS the handshake tells whether one connection can carry many requests, so it is waited for. In the clear
 * HTTP/2 would have to be known beforehand. */
static void options_secure(CURL *curl, const struct fetch_request *r)
{
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (r->ca_file) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, r->ca_file);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
#if LIBCURL_VERSION_NUM >= 0x075700
	/* An authority that is exchanged is noticed; libcurl would keep the old ones for a day. */
	curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, 60L);
#endif
	if (r->http2 && strncmp(r->url, "https:", 6) == 0) {
		curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
		curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L);
	} else {
		curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	}
}

/* A file lasts as long as it takes, up or down: only a stall ends it. */
static void options_time(CURL *curl, const struct fetch_request *r)
{
	if (!r->file_path && !r->write) {
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
		return;
	}
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (r->timeout_ms + 999L) / 1000);
}

static void options_body(CURL *curl, const struct fetch_request *r, FILE *file, curl_off_t file_size)
{
	if (file) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_READDATA, file);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, file_size);
		return;
	}
	if (r->head)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (!r->body)
		return;
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_size);
}

/* "Expect:" without a value: a local server would answer 100-continue a round trip later. */
static struct curl_slist *headers_list(const struct fetch_request *r)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0; list && r->headers && r->headers[i]; i++) {
		struct curl_slist *longer = curl_slist_append(list, r->headers[i]);

		if (!longer) {
			curl_slist_free_all(list);
			return NULL;
		}
		list = longer;
	}
	return list;
}

static enum fetch_fault fault_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return FETCH_UNCONNECTED;
	case CURLE_OPERATION_TIMEDOUT:
		return FETCH_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return FETCH_UNTRUSTED;
	case CURLE_OUT_OF_MEMORY:
		return FETCH_LOCAL;
	default:
		return FETCH_BROKEN;
	}
}

static int timed_out(CURL *curl, const struct fetch_request *r, const char *where, struct err *e)
{
	curl_off_t connected_us = 0;

	curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
	if (r->connect_timeout_ms > 0 && r->connect_timeout_ms < r->timeout_ms && connected_us == 0)
		return err_set(e, ERR_UNREACHABLE, "%s took no connection within %d ms", where, r->connect_timeout_ms);
	return err_set(e, ERR_UNREACHABLE, "%s did not answer within %d ms", where, r->timeout_ms);
}

/* Of a line beyond 100 KB libcurl says that memory is out; from 8.6 on it has a code for it. */
static bool header_too_large(CURL *curl, CURLcode code, const struct fetch_exchange *x)
{
	curl_off_t begun_us = 0;

	curl_easy_getinfo(curl, CURLINFO_STARTTRANSFER_TIME_T, &begun_us);
	return x->header_too_large || ((code == CURLE_OUT_OF_MEMORY || (int)code == CODE_TOO_LARGE) && begun_us > 0);
}

static int failed(CURL *curl, CURLcode code, struct fetch_exchange *x, struct err *e)
{
	const struct fetch_request *r = x->request;
	const char *where = r->socket_path ? r->socket_path : r->url;
	const char *reason = x->error[0] ? x->error : curl_easy_strerror(code);
	long system_error = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_error);
	x->header_too_large = header_too_large(curl, code, x);
	x->answer->fault = x->too_large || x->header_too_large ? FETCH_TOO_LARGE : fault_of(code);
	if (x->answer->body.failed || (r->keep_headers && x->answer->headers.failed))
		x->answer->fault = FETCH_LOCAL;
	switch (x->answer->fault) {
	case FETCH_TOO_LARGE:
		if (x->header_too_large)
			return err_set(e, ERR_TOO_LARGE, "the header of the answer of %s is too long", where);
		return err_set(e, ERR_TOO_LARGE, "the answer of %s is longer than %zu bytes", where, r->answer_max);
	case FETCH_LOCAL:
		return err_set(e, ERR_MEMORY, "memory is out");
	case FETCH_TIMEOUT:
		return timed_out(curl, r, where, e);
	case FETCH_UNTRUSTED:
		return err_set(e, ERR_UNREACHABLE, "no secure connection with %s: %s", where, reason);
	case FETCH_UNCONNECTED:
		if (system_error == EACCES || system_error == EPERM)
			return err_set(e, ERR_DENIED, "you may not open %s; it belongs to another user", where);
		if (code != CURLE_COULDNT_CONNECT)
			return err_set(e, ERR_UNREACHABLE, "%s: %s", where, reason);
		return err_set(e, ERR_UNREACHABLE, "nothing answers on %s", where);
	default:
		return err_set(e, ERR_UNREACHABLE, "the exchange with %s broke off: %s", where, reason);
	}
}

int fetch_prepare(CURL *curl, struct fetch_exchange *x, FILE *file, curl_off_t file_size, struct err *e)
{
	const struct fetch_request *r = x->request;

	buf_clear(&x->answer->body);
	if (r->keep_headers)
		buf_clear(&x->answer->headers);
	x->answer->fault = FETCH_LOCAL;
	x->too_large = x->header_too_large = false;
	x->error[0] = '\0';
	x->headers = headers_list(r);
	if (!x->headers)
		return err_set(e, ERR_MEMORY, "memory is out");
	x->curl = curl;
	options_common(curl, r);
	options_time(curl, r);
	options_secure(curl, r);
	options_body(curl, r, file, file_size);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, x->headers);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_write);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	if (r->keep_headers) {
		curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_write);
		curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
	}
	return 0;
}

int fetch_finish(CURL *curl, CURLcode code, struct fetch_exchange *x, struct err *e)
{
	long status = 0, connections = 0;

	curl_slist_free_all(x->headers);
	x->headers = NULL;
	curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
	x->answer->reused = connections == 0;
	/* It points into x, and the handle may outlive that. */
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK)
		return failed(curl, code, x, e);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	x->answer->status = (int)status;
	x->answer->fault = FETCH_NONE;
	return 0;
}

int fetch_perform(struct fetch *f, const struct fetch_request *request, struct fetch_answer *answer, struct err *e)
{
	struct fetch_exchange x = {.request = request, .answer = answer};
	curl_off_t file_size = 0;
	FILE *file = NULL;
	int result;

	answer->fault = FETCH_LOCAL;
	if (request->file_path && body_open(request->file_path, &file, &file_size, e) != 0) {
		buf_clear(&answer->body);
		return -1;
	}
	curl_easy_reset(f->curl);
	result = fetch_prepare(f->curl, &x, file, file_size, e);
	if (result == 0)
		result = fetch_finish(f->curl, curl_easy_perform(f->curl), &x, e);
	if (file)
		fclose(file);
	return result;
}

bool fetch_header(const struct fetch_answer *answer, const char *name, char *text, size_t size)
{
	const char *line = answer->headers.data, *end;
	size_t name_size = strlen(name);
	bool found = false;

	for (; line && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		const char *from = line + name_size + 1, *to = end;

		if (strncasecmp(line, name, name_size) != 0 || line[name_size] != ':')
			continue;
		while (from < to && strchr(" \t", *from))
			from++;
		while (to > from && strchr(" \t\r", to[-1]))
			to--;
		found = (size_t)(to - from) < size;
		if (found) {
			memcpy(text, from, (size_t)(to - from));
			text[to - from] = '\0';
		}
	}
	return found;
}
