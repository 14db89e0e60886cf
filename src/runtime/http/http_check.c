/*
 * http_check: what libmicrohttpd lets through and a request must not have: things that two servers
 * in a row could read in two ways, and bytes that have no place in a header.
 *
 * libmicrohttpd ends a text at a NUL and a line at a bare CR or LF. Both show only in where it left
 * the pieces: names and values lie in the buffer that was received, in order, so the bytes between
 * two of them are the line's end. What cannot be seen: a bare LF behind the last header, or in the
 * trailer of a chunked body.
 */
#include "runtime/http/http_internal.h"

#include <microhttpd.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 100
#define ARGUMENTS_MAX 64
#define URI_MAX 16384 /* half of HTTP_HEADER_MAX: the headers have room, too */

/* libmicrohttpd puts every argument into the connection's memory. When that is full it neither answers nor says
 * that the request has ended, so a query that is refused anyway is cut before it is taken apart. */
static int check_size(struct exchange *x, char *uri)
{
	char *query = strchr(uri, '?');
	size_t arguments = 1;

	if (strlen(uri) > URI_MAX) {
		if (query != NULL)
			query[1] = '\0';
		x->status = 414;
		return err_set(&x->refused, ERR_TOO_LARGE, "the path and query are longer than %d bytes", URI_MAX);
	}
	for (char *p = query; p != NULL; p = strchr(p + 1, '&')) {
		if (*p != '&' || p[1] == '\0' || ++arguments <= ARGUMENTS_MAX)
			continue;
		*p = '\0';
		return err_set(&x->refused, ERR_INPUT, "the query has more than %d arguments", ARGUMENTS_MAX);
	}
	return 0;
}

static int check_characters(const char *uri, struct err *e)
{
	for (const char *p = uri; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		if (c <= ' ' || c == 127)
			return err_set(e, ERR_INPUT, "the request's path holds a blank or a control character");
		if (c != '%')
			continue;
		if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
			return err_set(e, ERR_INPUT,
				       "`%.3s` in the path or query is no %%-escape: two "
				       "hexadecimal digits follow a %%",
				       p);
		if (p[1] == '0' && p[2] == '0')
			return err_set(e, ERR_INPUT, "the path or query holds a NUL (%%00)");
	}
	return 0;
}

int http_check_uri(struct exchange *x, char *uri)
{
	return check_size(x, uri) == 0 ? check_characters(uri, &x->refused) : -1;
}

enum gap { GAP_CLEAN, GAP_BARE, GAP_HIDDEN };

/* What lies between the end of one piece of the header and the start of the next. */
static enum gap look_between(const char *end, const char *next)
{
	uintptr_t size = (uintptr_t)next - (uintptr_t)end;
	if (end == NULL || (uintptr_t)next <= (uintptr_t)end || size > HTTP_HEADER_MAX)
		return GAP_CLEAN; /* libmicrohttpd moved one of them: it joins folded lines
				     elsewhere */
	for (const char *p = end; p < next; p++)
		if (*p != '\0' && *p != ' ' && *p != '\t' && *p != '\r' && *p != '\n')
			return GAP_HIDDEN;
	return size == 1 ? GAP_BARE : GAP_CLEAN;
}

struct header_check {
	const char *end; /* of the last value; NULL where the next name is elsewhere */
	size_t count;
	size_t hosts, lengths, encodings, codings, json_lengths;
	const char *host;
	bool chunked;
	const char *expect;
	struct err *e; /* set at the first fault */
	bool failed;
};

bool http_token_valid(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!isalnum((unsigned char)text[i]) && strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)
			return false;
	return size > 0 && memchr(text, '\0', size) == NULL;
}

/* Blanks, tabs and anything visible, also beyond ASCII. */
static bool value_valid(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c < ' ' && c != '\t') || c == 127)
			return false;
	}
	return true;
}

static void count_header(struct header_check *check, const char *name, const char *value)
{
	switch (name[0] | 0x20) {
	case 'h':
		if (strcasecmp(name, "Host") == 0) {
			check->hosts++;
			check->host = value;
		}
		break;
	case 'c':
		check->lengths += strcasecmp(name, "Content-Length") == 0;
		check->codings += strcasecmp(name, "Content-Encoding") == 0;
		break;
	case 'i':
		check->json_lengths += strcasecmp(name, "Inference-Header-Content-Length") == 0;
		break;
	case 't':
		if (strcasecmp(name, "Transfer-Encoding") == 0) {
			check->encodings++;
			check->chunked = strcasecmp(value, "chunked") == 0;
		}
		break;
	case 'e':
		if (strcasecmp(name, "Expect") == 0)
			check->expect = value;
		break;
	default:
		break;
	}
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
				 const char *value, size_t value_size)
{
	struct header_check *check = context;
	enum gap gap = look_between(check->end, name);
	(void)kind;
	check->end = value != NULL && value - name < HTTP_HEADER_MAX && value > name ? value + value_size : NULL;
	if (value == NULL) {
		value = "";
		value_size = 0;
	}
	if (++check->count > HEADERS_MAX)
		err_set(check->e, ERR_INPUT, "the request has more than %d header lines", HEADERS_MAX);
	else if (gap != GAP_CLEAN)
		err_set(check->e, ERR_INPUT, "the line before the header %.60s %s", name,
			gap == GAP_BARE ? "ends with a bare CR or LF" : "is folded or holds a NUL");
	else if (!http_token_valid(name, name_size))
		err_set(check->e, ERR_INPUT, "`%.60s` is no name of a header", name);
	else if (!value_valid(value, value_size))
		err_set(check->e, ERR_INPUT, "the header %.60s holds a control character", name);
	else {
		count_header(check, name, value);
		return MHD_YES;
	}
	check->failed = true;
	return MHD_NO;
}

/* Which bytes are the body's must be beyond doubt. */
static int check_framing(const struct header_check *check, bool old, struct err *e)
{
	if (check->lengths > 1)
		return err_set(e, ERR_INPUT, "the request has several Content-Length headers");
	if (check->encodings > 0 && check->lengths > 0)
		return err_set(e, ERR_INPUT, "the request has both Content-Length and Transfer-Encoding");
	if (check->encodings > 0 && (check->encodings > 1 || !check->chunked || old))
		return err_set(e, ERR_INPUT, "of Transfer-Encoding only `chunked` is known, once, in HTTP/1.1");
	if (check->codings > 1)
		return err_set(e, ERR_INPUT, "the request has several Content-Encoding headers");
	if (check->json_lengths > 1)
		return err_set(e, ERR_INPUT, "the request has several Inference-Header-Content-Length headers");
	return 0;
}

/* RFC 9112, 3.2: a name or address, and perhaps a port; it may be empty. */
static int check_host(const struct header_check *check, bool old, struct err *e)
{
	static const char marks[] = "-._~%!$&'()*+,;=[]:";

	if (check->hosts > 1)
		return err_set(e, ERR_INPUT, "the request has several Host headers");
	if (check->hosts == 0)
		return old ? 0 : err_set(e, ERR_INPUT, "the request has no Host header");
	for (const char *p = check->host; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr(marks, *p) == NULL)
			return err_set(e, ERR_INPUT, "`%.60s` in the header Host is no host", check->host);
	return 0;
}

int http_check_header(struct exchange *x, const char *version)
{
	struct header_check check = {.e = &x->refused, .end = version + strlen(version)};
	bool old = strcmp(version, "HTTP/1.1") != 0;

	if (look_between(x->line_end, version) == GAP_HIDDEN)
		return err_set(&x->refused, ERR_INPUT, "the path or query holds a NUL");
	MHD_get_connection_values_n(x->request.connection, MHD_HEADER_KIND, on_header, &check);
	if (check.failed)
		return -1;
	/* Behind the last value there is at least the empty line. */
	if (check.end != NULL && look_between(check.end, check.end + 2) == GAP_HIDDEN)
		return err_set(&x->refused, ERR_INPUT, "the last header holds a NUL");
	if (check_host(&check, old, &x->refused) != 0 || check_framing(&check, old, &x->refused) != 0)
		return -1;
	if (check.expect != NULL && strcasecmp(check.expect, "100-continue") != 0) {
		x->status = 417;
		return err_set(&x->refused, ERR_INPUT, "of Expect only `100-continue` is known, not `%.60s`",
			       check.expect);
	}
	return 0;
}
