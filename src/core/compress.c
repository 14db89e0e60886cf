#include "core/compress.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define SPARE_MAX 4 /* inflaters that a thread keeps: bodies that arrive at once on it */
#define PIECE_SIZE 16384
#define WINDOW_BITS 15
#define GZIP_BITS 16 /* zlib: added to the window's bits, gzip instead of zlib */
#define MEMORY_LEVEL 8
/* zlib counts in unsigned int. */
#define INPUT_MAX (UINT_MAX / 2)

struct inflater {
	z_stream stream;
	enum compression form;
	bool begun; /* some input was there */
	bool ended; /* the end of the data, or of a gzip member, was there */
	bool known; /* deflate: zlib or raw */
	unsigned char first;
};

/* What a thread keeps. */
struct streams {
	struct inflater *spare[SPARE_MAX];
	size_t spare_count;
	z_stream deflater[2]; /* gzip, deflate */
	bool deflater_ready[2];
};

static _Thread_local struct streams *mine;
static pthread_key_t thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void inflater_destroy(struct inflater *i)
{
	inflateEnd(&i->stream);
	free(i);
}

static void streams_free(void *ended)
{
	struct streams *s = ended;
	for (size_t i = 0; i < s->spare_count; i++)
		inflater_destroy(s->spare[i]);
	for (size_t i = 0; i < 2; i++)
		if (s->deflater_ready[i])
			deflateEnd(&s->deflater[i]);
	free(s);
	mine = NULL;
}

static void make_key(void)
{
	pthread_key_create(&thread_end, streams_free);
}

static struct streams *my_streams(void)
{
	if (mine == NULL) {
		pthread_once(&once, make_key);
		mine = calloc(1, sizeof *mine);
		pthread_setspecific(thread_end, mine);
	}
	return mine;
}

/* --- names --- */

const char *compression_name(enum compression form)
{
	return form == COMPRESSION_GZIP ? "gzip" : form == COMPRESSION_DEFLATE ? "deflate" : "identity";
}

static bool is(const char *text, size_t size, const char *word)
{
	return size == strlen(word) && strncasecmp(text, word, size) == 0;
}

int compression_parse(const char *content_encoding, enum compression *form, struct err *e)
{
	size_t size = content_encoding == NULL ? 0 : strlen(content_encoding);
	*form = COMPRESSION_NONE;
	if (size == 0 || is(content_encoding, size, "identity"))
		return 0;
	if (is(content_encoding, size, "gzip") || is(content_encoding, size, "x-gzip"))
		*form = COMPRESSION_GZIP;
	else if (is(content_encoding, size, "deflate"))
		*form = COMPRESSION_DEFLATE;
	else
		return err_set(e, ERR_UNSUPPORTED,
			       "of Content-Encoding only gzip, deflate and identity are known, not `%.60s`",
			       content_encoding);
	return 0;
}

/* The q-value behind a name, in thousandths: ";q=0.5" is 500, none is 1000, a malformed one 0. */
static int quality(const char *text, size_t size)
{
	const char *end = text + size, *p = text;
	int value, digit = 100;

	while (p < end && (*p == ' ' || *p == '\t' || *p == ';'))
		p++;
	if (p == end)
		return 1000;
	if (end - p < 3 || (*p | 0x20) != 'q' || p[1] != '=' || (p[2] != '0' && p[2] != '1'))
		return 0;
	value = p[2] == '1' ? 1000 : 0;
	for (p += 3; p < end && (*p == '.' || (*p >= '0' && *p <= '9')); p++) {
		if (*p == '.')
			continue;
		value += (*p - '0') * digit;
		digit /= 10;
	}
	return value > 1000 ? 1000 : value;
}

enum compression compression_accepted(const char *accept_encoding)
{
	int gzip = -1, deflate = -1, identity = -1, any = -1;

	for (const char *p = accept_encoding; p != NULL && *p != '\0'; p += *p == ',') {
		p += strspn(p, " \t");
		size_t item = strcspn(p, ","), name = strcspn(p, ",; \t");
		int q = quality(p + name, item - name);
		if (is(p, name, "gzip") || is(p, name, "x-gzip"))
			gzip = q;
		else if (is(p, name, "deflate"))
			deflate = q;
		else if (is(p, name, "identity"))
			identity = q;
		else if (is(p, name, "*"))
			any = q;
		p += item;
	}
	gzip = gzip < 0 ? any : gzip;
	deflate = deflate < 0 ? any : deflate;
	int best = gzip >= deflate ? gzip : deflate;
	if (best <= 0 || best < identity)
		return COMPRESSION_NONE;
	return best == gzip ? COMPRESSION_GZIP : COMPRESSION_DEFLATE;
}

/* --- inflating --- */

struct inflater *inflater_new(enum compression form)
{
	struct streams *s = my_streams();
	int bits = WINDOW_BITS + (form == COMPRESSION_GZIP ? GZIP_BITS : 0);
	struct inflater *i;

	if (s != NULL && s->spare_count > 0) {
		i = s->spare[--s->spare_count];
		inflateReset2(&i->stream, bits);
		*i = (struct inflater){.stream = i->stream, .form = form};
		return i;
	}
	i = calloc(1, sizeof *i);
	if (i == NULL || inflateInit2(&i->stream, bits) != Z_OK) {
		free(i);
		return NULL;
	}
	i->form = form;
	return i;
}

void inflater_free(struct inflater *i)
{
	struct streams *s = mine;
	if (i == NULL)
		return;
	if (s == NULL || s->spare_count == SPARE_MAX)
		inflater_destroy(i);
	else
		s->spare[s->spare_count++] = i;
}

static int malformed(const struct inflater *i, int result, struct err *e)
{
	if (result == Z_MEM_ERROR)
		return err_set(e, ERR_MEMORY, "memory is out while inflating the body");
	return err_set(e, ERR_INPUT, "the body's %s data is malformed%s%s", compression_name(i->form),
		       i->stream.msg != NULL ? ": " : "", i->stream.msg != NULL ? i->stream.msg : "");
}

static int inflate_piece(struct inflater *i, const void *data, size_t size,
			 int (*write)(void *, const void *, size_t, struct err *), void *context, struct err *e)
{
	unsigned char piece[PIECE_SIZE];

	i->stream.next_in = (unsigned char *)(uintptr_t)data;
	i->stream.avail_in = (unsigned)size;
	do {
		if (i->ended) {
			if (i->stream.avail_in == 0)
				return 0;
			if (i->form != COMPRESSION_GZIP)
				return err_set(e, ERR_INPUT,
					       "there are bytes behind the end of the body's deflate data");
			inflateReset(&i->stream);
			i->ended = false;
		}
		i->stream.next_out = piece;
		i->stream.avail_out = sizeof piece;
		int result = inflate(&i->stream, Z_NO_FLUSH);
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			return malformed(i, result, e);
		i->ended = result == Z_STREAM_END;
		size_t got = sizeof piece - i->stream.avail_out;
		if (got > 0 && write(context, piece, got, e) != 0)
			return -1;
	} while (i->stream.avail_in > 0 || i->stream.avail_out == 0);
	return 0;
}

/* RFC 1950: method 8, and the two bytes are a multiple of 31. Anything else is taken for raw
 * deflate. */
static bool looks_like_zlib(const unsigned char head[2])
{
	return (head[0] & 15) == 8 && (head[0] * 256 + head[1]) % 31 == 0;
}

int inflater_add(struct inflater *i, const void *data, size_t size,
		 int (*write)(void *, const void *, size_t, struct err *), void *context, struct err *e)
{
	const unsigned char *bytes = data;

	if (i->form == COMPRESSION_DEFLATE && !i->known && size > 0) {
		unsigned char head[2] = {i->begun ? i->first : bytes[0]};
		if (!i->begun && size == 1) {
			i->first = bytes[0];
			i->begun = true;
			return 0;
		}
		head[1] = bytes[i->begun ? 0 : 1];
		i->known = true;
		if (!looks_like_zlib(head))
			inflateReset2(&i->stream, -WINDOW_BITS);
		if (i->begun && inflate_piece(i, &i->first, 1, write, context, e) != 0)
			return -1;
	}
	while (size > 0) {
		size_t part = size < INPUT_MAX ? size : INPUT_MAX;
		i->begun = true;
		if (inflate_piece(i, bytes, part, write, context, e) != 0)
			return -1;
		bytes += part;
		size -= part;
	}
	return 0;
}

int inflater_end(struct inflater *i, struct err *e)
{
	if (!i->begun || i->ended)
		return 0;
	return err_set(e, ERR_INPUT, "the body's %s data ends too early", compression_name(i->form));
}

/* --- deflating --- */

static z_stream *my_deflater(enum compression form)
{
	struct streams *s = my_streams();
	size_t i = form == COMPRESSION_GZIP ? 0 : 1;

	if (s == NULL)
		return NULL;
	if (s->deflater_ready[i])
		return deflateReset(&s->deflater[i]) == Z_OK ? &s->deflater[i] : NULL;
	s->deflater_ready[i] =
	    deflateInit2(&s->deflater[i], Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS + (i == 0 ? GZIP_BITS : 0),
			 MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
	return s->deflater_ready[i] ? &s->deflater[i] : NULL;
}

bool compress_body(enum compression form, const void *data, size_t size, struct buf *small)
{
	if (form == COMPRESSION_NONE || size > INPUT_MAX)
		return false;
	z_stream *z = my_deflater(form);
	if (z == NULL || buf_reserve(small, size) != 0) {
		buf_release(small);
		return false;
	}
	z->next_in = (unsigned char *)(uintptr_t)data;
	z->avail_in = (unsigned)size;
	z->next_out = (unsigned char *)small->data;
	z->avail_out = (unsigned)size;
	if (deflate(z, Z_FINISH) != Z_STREAM_END) {
		buf_release(small);
		return false;
	}
	small->size = size - z->avail_out;
	small->data[small->size] = '\0';
	return true;
}
