#include "core/csv.h"

#include <stdlib.h>
#include <string.h>

void csv_init(struct csv *c)
{
	*c = (struct csv){.line = 1, .next_line = 1};
	buf_init(&c->pending);
}

void csv_release(struct csv *c)
{
	buf_release(&c->pending);
	free(c->fields);
	csv_init(c);
}

void csv_seek(struct csv *c, uint64_t offset, uint64_t line)
{
	buf_clear(&c->pending);
	c->at = 0;
	c->last = false;
	c->offset = offset;
	c->line = c->next_line = line;
}

int csv_feed(struct csv *c, const char *data, size_t size, bool last, struct err *e)
{
	struct buf *b = &c->pending;

	if (c->at > 0) {
		b->size -= c->at;
		memmove(b->data, b->data + c->at, b->size);
		c->at = 0;
	}
	buf_add(b, data, size);
	c->last = last;
	return b->failed ? err_set(e, ERR_MEMORY, "memory is out while reading rows") : 0;
}

/* The record's end from start on, where a quote opens only at a field's start: at its line feed, or at the end of
 * the data. NULL: it is not whole yet; *open says whether a quote was. */
static const char *record_end(const char *start, const char *end, bool *open)
{
	const char *at = start;

	*open = false;
	while (at < end) {
		if (*at == '"') {
			const char *close = at + 1;
			while ((close = memchr(close, '"', (size_t)(end - close))) != NULL && close + 1 < end &&
			       close[1] == '"')
				close += 2;
			*open = close == NULL;
			if (close == NULL)
				return NULL;
			at = close + 1;
		}
		while (at < end && *at != ',' && *at != '\n')
			at++;
		if (at == end || *at == '\n')
			break;
		at++;
	}
	return at < end ? at : NULL;
}

/* Most records hold no quote: then the first line feed ends them. */
static const char *find_end(const struct csv *c, const char *start, const char *end, bool *open)
{
	const char *line = memchr(start, '\n', (size_t)(end - start));
	const char *until = line != NULL ? line : end;

	*open = false;
	if (c->lines || memchr(start, '"', (size_t)(until - start)) == NULL)
		return line;
	return record_end(start, end, open);
}

/* Takes the quotes off the field at `at` in place; returns what is behind its closing quote. */
static char *unquote(char *at, char *end, struct csv_field *field)
{
	char *to = at, *from = at + 1;

	field->data = at;
	while (from < end) {
		if (*from == '"') {
			if (from + 1 == end || from[1] != '"')
				break;
			from++;
		}
		*to++ = *from++;
	}
	field->size = (size_t)(to - at);
	return from < end ? from + 1 : end;
}

static int field_room(struct csv *c, struct err *e)
{
	size_t capacity = c->field_capacity == 0 ? 64 : c->field_capacity * 2;
	struct csv_field *more;

	if (c->field_count < c->field_capacity)
		return 0;
	if (c->field_count == CSV_FIELDS_MAX)
		return err_set(e, ERR_INPUT, "it has more than %d fields", CSV_FIELDS_MAX);
	more = realloc(c->fields, capacity * sizeof *more);
	if (more == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while reading rows");
	c->fields = more;
	c->field_capacity = capacity;
	return 0;
}

static enum csv_step split(struct csv *c, char *at, char *end, struct err *e)
{
	c->field_count = 0;
	for (;;) {
		if (field_room(c, e) != 0)
			return e->code == ERR_MEMORY ? CSV_FAILED : CSV_BAD;
		struct csv_field *field = &c->fields[c->field_count++];
		if (c->lines) {
			*field = (struct csv_field){at, (size_t)(end - at)};
			return CSV_RECORD;
		}
		if (at < end && *at == '"') {
			at = unquote(at, end, field);
			if (at < end && *at != ',') {
				err_set(e, ERR_INPUT, "field %zu goes on behind its closing quote", c->field_count);
				return CSV_BAD;
			}
		} else {
			char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
			field->data = at;
			at = comma != NULL ? comma : end;
			field->size = (size_t)(at - field->data);
		}
		if (at == end)
			return CSV_RECORD;
		at++;
	}
}

static uint64_t count_lines(const char *at, const char *end)
{
	uint64_t count = 0;
	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		count++;
		at++;
	}
	return count;
}

/* The next record's bytes in [*start, *end), or why there are none. */
static enum csv_step take(struct csv *c, char **start, char **end, struct err *e)
{
	struct buf *b = &c->pending;
	char *all_end = b->data + b->size;
	bool open;

	*start = b->data + c->at;
	const char *found = find_end(c, *start, all_end, &open);
	size_t size = found != NULL ? (size_t)(found - *start) : (size_t)(all_end - *start);
	if (size > CSV_RECORD_MAX) {
		err_set(e, ERR_TOO_LARGE, "line %llu %s %zu MiB", (unsigned long long)c->next_line,
			open ? "has a quote that is not closed within" : "is longer than", CSV_RECORD_MAX >> 20);
		return CSV_FAILED;
	}
	if (found == NULL && !c->last)
		return CSV_MORE;
	if (open) {
		err_set(e, ERR_INPUT, "line %llu has a quote that is not closed", (unsigned long long)c->next_line);
		return CSV_FAILED;
	}
	*end = *start + size;
	c->line = c->next_line;
	c->next_line += count_lines(*start, *end) + 1;
	size += found != NULL;
	c->at += size;
	c->offset += size;
	return CSV_RECORD;
}

/* Passes a byte order mark; false while too little is there to tell. */
static bool pass_mark(struct csv *c)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t left = c->pending.size - c->at;

	if (left < 3 && !c->last && memcmp(c->pending.data + c->at, mark, left) == 0)
		return false;
	if (left >= 3 && memcmp(c->pending.data + c->at, mark, 3) == 0) {
		c->at += 3;
		c->offset += 3;
	}
	return true;
}

enum csv_step csv_next(struct csv *c, struct err *e)
{
	for (;;) {
		char *start, *end;
		if (c->at == c->pending.size)
			return c->last ? CSV_END : CSV_MORE;
		if (c->offset == 0 && !pass_mark(c))
			return CSV_MORE;
		if (c->at == c->pending.size)
			continue;
		enum csv_step step = take(c, &start, &end, e);
		if (step != CSV_RECORD)
			return step;
		if (end > start && end[-1] == '\r')
			end--;
		if (end > start)
			return split(c, start, end, e);
	}
}

void csv_write(struct buf *out, const char *data, size_t size)
{
	bool plain = true;

	for (size_t i = 0; plain && i < size; i++)
		plain = data[i] != '"' && data[i] != ',' && data[i] != '\n' && data[i] != '\r';
	if (plain) {
		buf_add(out, data, size);
		return;
	}
	buf_add_char(out, '"');
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, data[i]);
	}
	buf_add_char(out, '"');
}
