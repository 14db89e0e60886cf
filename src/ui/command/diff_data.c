#include "ui/command/diff_data.h"

#include "core/number.h"
#include "core/text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_SIZE ((size_t)64 << 10)
#define CHUNK_BYTES ((size_t)1 << 20) /* of the file, in a chunk */
#define EXTRA_SIZE 64

struct diff_data {
	const char *path;
	enum rows_format format;
	struct diff_columns wanted;
	int fd;
	uint64_t size, read_bytes;
	bool ended;
	struct columns *columns[DIFF_SIDES];
	struct rows rows[DIFF_SIDES];
	struct rows_keep keep; /* of the first side: labels and segments are read from it */
	size_t extra_count;
	char extra[DIFF_EXTRA_MAX][EXTRA_SIZE];
	char piece[PIECE_SIZE];
};

static int open_file(struct diff_data *d, struct err *e)
{
	struct stat st;

	d->fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (d->fd < 0 || fstat(d->fd, &st) != 0)
		return err_errno(e, errno, "%.300s cannot be opened", d->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT,
			       "%.300s is no ordinary file; --data takes a file of rows, which is read twice", d->path);
	if (st.st_size == 0)
		return err_set(e, ERR_INPUT, "%.300s is empty; its first line is to name the columns", d->path);
	d->size = (uint64_t)st.st_size;
	return 0;
}

static int begin_rows(struct diff_data *d, struct err *e)
{
	for (size_t side = 0; side < DIFF_SIDES; side++)
		if (rows_init(&d->rows[side], d->format, d->columns[side], side == 0 ? &d->keep : NULL, e) != 0)
			return -1;
	return 0;
}

struct diff_data *diff_data_open(const char *path, const char *model, const struct manifest manifests[DIFF_SIDES],
				 const struct diff_columns *wanted, struct err *e)
{
	struct diff_data *d = calloc(1, sizeof *d);

	if (d == NULL) {
		err_set(e, ERR_MEMORY, "memory is out");
		return NULL;
	}
	d->path = path;
	d->fd = -1;
	d->wanted = *wanted;
	d->keep.all = true;
	d->format = text_ends_with(path, ".jsonl") || text_ends_with(path, ".ndjson") ? ROWS_JSON : ROWS_CSV;
	for (size_t side = 0; side < DIFF_SIDES; side++) {
		d->columns[side] = columns_new(&manifests[side], model, e);
		if (d->columns[side] == NULL)
			goto fail;
	}
	if (open_file(d, e) == 0 && begin_rows(d, e) == 0)
		return d;
fail:
	diff_data_close(d);
	return NULL;
}

void diff_data_close(struct diff_data *d)
{
	if (d == NULL)
		return;
	for (size_t side = 0; side < DIFF_SIDES; side++) {
		rows_release(&d->rows[side]);
		columns_free(d->columns[side]);
	}
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

int diff_data_rewind(struct diff_data *d, struct err *e)
{
	for (size_t side = 0; side < DIFF_SIDES; side++)
		rows_release(&d->rows[side]);
	if (lseek(d->fd, 0, SEEK_SET) < 0)
		return err_errno(e, errno, "%.300s cannot be read again", d->path);
	d->read_bytes = 0;
	d->ended = false;
	d->extra_count = 0;
	return begin_rows(d, e);
}

static int feed(struct diff_data *d, struct err *e)
{
	ssize_t size;

	do
		size = read(d->fd, d->piece, PIECE_SIZE);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return err_errno(e, errno, "%.300s cannot be read", d->path);
	d->read_bytes += (uint64_t)size;
	d->ended = size == 0;
	for (size_t side = 0; side < DIFF_SIDES; side++)
		if (rows_feed(&d->rows[side], d->piece, (size_t)size, d->ended, e) != 0)
			return -1;
	return 0;
}

/* --- what is beside the columns --- */

static const struct rows_kept *find_kept(const struct rows *r, const char *name)
{
	for (size_t i = 0; i < r->kept_count; i++)
		if (r->kept[i].name_size == strlen(name) && memcmp(r->kept[i].name, name, r->kept[i].name_size) == 0)
			return &r->kept[i];
	return NULL;
}

static int check_wanted(const struct diff_data *d, const char *option, const char *name, struct err *e)
{
	if (name == NULL || find_kept(&d->rows[0], name) != NULL)
		return 0;
	return err_set(e, ERR_INPUT, "the rows have no column `%.100s`, which --%s names", name, option);
}

static int take_header(struct diff_data *d, struct err *e)
{
	const struct rows *r = &d->rows[0];

	for (size_t i = 0; i < r->kept_count && d->extra_count < DIFF_EXTRA_MAX; i++) {
		const struct rows_kept *kept = &r->kept[i];
		char raw[EXTRA_SIZE];
		size_t size = kept->name_size < sizeof raw ? kept->name_size : sizeof raw - 1;
		memcpy(raw, kept->name, size);
		raw[size] = '\0';
		bool asked = (d->wanted.labels != NULL && strcmp(d->wanted.labels, raw) == 0) ||
			     (d->wanted.segment != NULL && strcmp(d->wanted.segment, raw) == 0);
		if (!asked && columns_find(d->columns[0], kept->name, kept->name_size) == COLUMNS_NONE &&
		    columns_find(d->columns[1], kept->name, kept->name_size) == COLUMNS_NONE)
			text_clean(d->extra[d->extra_count++], EXTRA_SIZE, raw);
	}
	return check_wanted(d, "labels", d->wanted.labels, e) == 0 ? check_wanted(d, "segment", d->wanted.segment, e)
								   : -1;
}

/* A field as it was written, a JSON string without its quotes. */
static struct rows_value value_of(const struct diff_data *d, const char *name)
{
	const struct rows_kept *kept = find_kept(&d->rows[0], name);
	struct rows_value value = kept != NULL ? kept->value : (struct rows_value){.kind = ROWS_ABSENT};

	if (value.kind == ROWS_TEXT_JSON && value.size >= 2 && value.data[0] == '"') {
		value.data++;
		value.size -= 2;
	}
	if (value.kind == ROWS_TEXT_JSON && value.size == 4 && memcmp(value.data, "null", 4) == 0)
		value.size = 0;
	return value;
}

static int take_label(const struct diff_data *d, struct diff_note *note, struct err *e)
{
	struct rows_value value = value_of(d, d->wanted.labels);
	struct number n;

	if (value.kind == ROWS_ABSENT || value.size == 0)
		return 0;
	size_t size = number_read(value.data, value.data + value.size, &n);
	note->label = size == value.size ? number_double(&n) : (double)NAN;
	if (isfinite(note->label))
		return 0;
	return err_set(
	    e, ERR_INPUT,
	    "line %llu, column `%.60s`: `%.*s` is no label: it takes the number of a class, or of the outcome",
	    (unsigned long long)note->line, d->wanted.labels, (int)(value.size < 60 ? value.size : 60), value.data);
}

static int take_note(const struct diff_data *d, struct diff_chunk *chunk, struct err *e)
{
	struct diff_note *note = &chunk->notes[chunk->rows];

	*note = (struct diff_note){.line = d->rows[0].csv.line, .label = (double)NAN, .segment = chunk->segments.size};
	if (d->wanted.segment != NULL) {
		struct rows_value value = value_of(d, d->wanted.segment);
		buf_add(&chunk->segments, value.data, value.kind == ROWS_ABSENT ? 0 : value.size);
		note->segment_size = chunk->segments.size - note->segment;
	}
	if (chunk->segments.failed)
		return err_set(e, ERR_MEMORY, "memory is out for rows");
	return d->wanted.labels != NULL ? take_label(d, note, e) : 0;
}

/* --- rows --- */

static int begin_chunk(struct diff_data *d, struct diff_chunk *chunk, struct err *e)
{
	arena_reset(&chunk->arena);
	buf_clear(&chunk->segments);
	chunk->rows = 0;
	for (size_t side = 0; side < DIFF_SIDES; side++)
		if (columns_rows_init(&chunk->sides[side], d->columns[side], &chunk->arena, DIFF_CHUNK_ROWS, e) != 0)
			return -1;
	return 0;
}

static int refuse_row(const struct rows *r, struct err *e)
{
	return err_set(e, e->code, "line %llu%s%s%s: %s", (unsigned long long)r->csv.line,
		       *r->bad_column ? ", column `" : "", r->bad_column, *r->bad_column ? "`" : "", e->text);
}

int diff_data_next(struct diff_data *d, struct diff_chunk *chunk, struct err *e)
{
	if (begin_chunk(d, chunk, e) != 0)
		return -1;
	uint64_t start = d->rows[0].csv.offset;
	while (chunk->rows < DIFF_CHUNK_ROWS && d->rows[0].csv.offset - start < CHUNK_BYTES) {
		/* Both read the same text, so that both are at the same row. */
		enum rows_step step = rows_next(&d->rows[0], &chunk->sides[0], e);
		if (step == ROWS_BAD)
			return refuse_row(&d->rows[0], e);
		if (step != ROWS_FAILED) {
			enum rows_step other = rows_next(&d->rows[1], &chunk->sides[1], e);
			if (other == ROWS_BAD)
				return refuse_row(&d->rows[1], e);
			step = other == ROWS_FAILED ? other : step;
		}
		if (step == ROWS_FAILED)
			return -1;
		if (step == ROWS_END)
			return 0;
		if (step == ROWS_MORE ? feed(d, e) != 0 : step == ROWS_HEADER && take_header(d, e) != 0)
			return -1;
		if (step != ROWS_ROW)
			continue;
		if (take_note(d, chunk, e) != 0)
			return -1;
		chunk->rows++;
	}
	return 0;
}

void diff_chunk_release(struct diff_chunk *chunk)
{
	arena_release(&chunk->arena);
	buf_release(&chunk->segments);
}

uint64_t diff_data_bytes(const struct diff_data *d)
{
	return d->rows[0].csv.offset < d->size ? d->rows[0].csv.offset : d->size;
}

uint64_t diff_data_size(const struct diff_data *d)
{
	return d->size;
}

bool diff_data_extra(const struct diff_data *d, size_t i, const char **name)
{
	if (i >= d->extra_count)
		return false;
	*name = d->extra[i];
	return true;
}
