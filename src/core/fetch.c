#include "core/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fetch {
	CURL *curl;
};

struct sink {
	struct buf *body;
	size_t max;
	bool too_large;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct fetch *fetch_new(void)
{
	struct fetch *f = calloc(1, sizeof(*f));

	pthread_once(&library_once, library_init);
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

static size_t sink_write(char *data, size_t unit, size_t count, void *context)
{
	struct sink *sink = context;
	size_t size = unit * count;

	if (size > sink->max - sink->body->size) {
		sink->too_large = true;
		return 0;
	}
	buf_add(sink->body, data, size);
	return sink->body->failed ? 0 : size;
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
}

/* A file's upload lasts as long as it takes: only a stall ends it. */
static void options_body(CURL *curl, const struct fetch_request *r, FILE *file, curl_off_t file_size)
{
	if (file) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_READDATA, file);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, file_size);
		curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout_ms);
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (r->timeout_ms + 999L) / 1000);
		return;
	}
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
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

static int failed(CURL *curl, CURLcode code, const struct fetch_request *r, const struct sink *sink,
		  struct err *e)
{
	const char *where = r->socket_path ? r->socket_path : r->url;
	long system_error = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_error);
	if (sink->too_large)
		return err_set(e, ERR_TOO_LARGE, "the answer of %s is longer than %zu bytes", where,
			       sink->max);
	if (code == CURLE_OUT_OF_MEMORY || sink->body->failed)
		return err_set(e, ERR_MEMORY, "memory is out");
	if (code == CURLE_COULDNT_CONNECT && (system_error == EACCES || system_error == EPERM))
		return err_set(e, ERR_DENIED, "you may not open %s; it belongs to another user", where);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, ERR_UNREACHABLE, "%s did not answer within %d ms", where,
			       r->timeout_ms);
	if (code == CURLE_COULDNT_CONNECT)
		return err_set(e, ERR_UNREACHABLE, "nothing answers on %s", where);
	return err_set(e, ERR_UNREACHABLE, "the exchange with %s broke off: %s", where,
		       curl_easy_strerror(code));
}

int fetch_perform(struct fetch *f, const struct fetch_request *request, struct fetch_answer *answer,
		  struct err *e)
{
	struct sink sink = {&answer->body, request->answer_max, false};
	struct curl_slist *headers = NULL;
	curl_off_t file_size = 0;
	FILE *file = NULL;
	long status = 0;
	int result = -1;
	CURLcode code;

	buf_clear(&answer->body);
	if (request->file_path && body_open(request->file_path, &file, &file_size, e) != 0)
		return -1;
	headers = headers_list(request);
	if (!headers) {
		err_set(e, ERR_MEMORY, "memory is out");
		goto out;
	}
	curl_easy_reset(f->curl);
	options_common(f->curl, request);
	options_body(f->curl, request, file, file_size);
	curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, sink_write);
	curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, &sink);
	code = curl_easy_perform(f->curl);
	if (code != CURLE_OK) {
		failed(f->curl, code, request, &sink, e);
		goto out;
	}
	curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int)status;
	result = 0;
out:
	curl_slist_free_all(headers);
	if (file)
		fclose(file);
	return result;
}
