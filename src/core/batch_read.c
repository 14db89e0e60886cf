/* batch: reading: the input's rows into a slot, with what is kept of them as it will be written. */
#include "core/batch_internal.h"
#include "core/json_write.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)1 << 20) /* of the input, in a chunk */
#define POLL_MS 100

/* Input that was written to while it was read: what is behind its first size is left out, but a last row that is
 * not whole would be predicted as it is. */
static int check_end(struct batch *b, char last, struct err *e)
{
	struct stat st;

	if (!b->files.regular_input || fstat(b->files.input_fd, &st) != 0)
		return 0;
	if ((uint64_t)st.st_size < b->files.input_size)
		return err_set(e, ERR_CONFLICT, "%s became shorter while it was read; run it again", b->options.input);
	if ((uint64_t)st.st_size > b->files.input_size && last != '\n')
		return err_set(e, ERR_CONFLICT,
			       "%s is still being written to: its last row was not whole; run it again when it is "
			       "complete",
			       b->options.input);
	return 0;
}

/* False when the run is to stop before there is anything to read. */
static bool wait_readable(struct batch *b)
{
	struct pollfd fd = {.fd = b->files.input_fd, .events = POLLIN};

	if (b->files.regular_input)
		return !batch_stopping(b);
	while (!batch_stopping(b)) {
		if (poll(&fd, 1, POLL_MS) > 0)
			return true;
		batch_tick(b);
	}
	return false;
}

/* Feeds the next piece; where the run is to stop, nothing, and the input has not ended. */
static int feed(struct batch *b, struct err *e)
{
	static const char nothing[1];
	size_t room = BATCH_READ_SIZE;
	ssize_t size;

	if (!wait_readable(b))
		return 0;
	if (b->files.regular_input && b->read_offset + room > b->files.input_size)
		room = (size_t)(b->files.input_size - b->read_offset);
	do
		size = room == 0 ? 0 : read(b->files.input_fd, b->piece, room);
	while (size < 0 && errno == EINTR && !batch_stopping(b));
	if (size < 0)
		return errno == EINTR ? 0 : err_errno(e, errno, "%s cannot be read", b->options.input);
	if (size == 0) {
		if (check_end(b, b->last_byte, e) != 0)
			return -1;
		b->input_ended = true;
		return rows_feed(&b->rows, nothing, 0, true, e);
	}
	b->read_offset += (uint64_t)size;
	b->last_byte = b->piece[size - 1];
	return rows_feed(&b->rows, b->piece, (size_t)size, false, e);
}

void batch_row_reject(struct batch_slot *slot, struct batch_row *row, const char *column, const char *reason)
{
	row->column = column;
	row->reason = reason;
	slot->refused++;
}

static void keep_json(struct buf *out, const struct rows_kept *kept)
{
	if (kept->escaped) {
		buf_add_char(out, '"');
		buf_add(out, kept->name, kept->name_size);
		buf_add_char(out, '"');
	} else {
		json_write_string(out, kept->name, kept->name_size);
	}
	buf_add_char(out, ':');
	rows_write_json(out, &kept->value);
	buf_add_char(out, ',');
}

/* An output's name in JSON belongs to the output. */
static bool is_output(const struct batch *b, const struct rows_kept *kept)
{
	for (size_t i = 0; i < b->layout.count; i++)
		if (strlen(b->layout.outputs[i].name) == kept->name_size &&
		    memcmp(b->layout.outputs[i].name, kept->name, kept->name_size) == 0)
			return true;
	return false;
}

/* Each kept field, and a comma behind it. */
static void keep_fields(const struct batch *b, struct buf *out)
{
	for (size_t k = 0; k < b->rows.kept_count; k++) {
		const struct rows_kept *kept = &b->rows.kept[k];
		if (b->options.output_format == ROWS_JSON) {
			if (!is_output(b, kept))
				keep_json(out, kept);
			continue;
		}
		rows_write_csv(out, &kept->value);
		buf_add_char(out, ',');
	}
}

static int add_row(struct batch *b, struct batch_slot *slot, enum rows_step step, const struct err *why, struct err *e)
{
	struct batch_row *row = &slot->list[slot->row_count++];

	*row = (struct batch_row){.line = b->rows.csv.line, .good = COLUMNS_NONE, .column = ""};
	keep_fields(b, &slot->kept);
	row->kept_end = slot->kept.size;
	if (step == ROWS_ROW) {
		row->good = slot->rows.count - 1;
	} else {
		const char *reason = arena_copy(&slot->arena, why->text, strlen(why->text));
		if (reason == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for a reject");
		batch_row_reject(slot, row, b->rows.bad_column, reason);
	}
	slot->end_offset = b->rows.csv.offset;
	slot->end_line = b->rows.csv.next_line;
	return slot->kept.failed ? err_set(e, ERR_MEMORY, "memory is out for rows") : 0;
}

static int begin(struct batch *b, struct batch_slot *slot, struct err *e)
{
	arena_reset(&slot->arena);
	buf_clear(&slot->kept);
	slot->row_count = slot->part_count = slot->part_capacity = slot->refused = 0;
	slot->result = 0;
	if (slot->list == NULL) {
		slot->list = calloc(b->chunk_rows, sizeof *slot->list);
		if (slot->list == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for rows");
	}
	return columns_rows_init(&slot->rows, b->columns, &slot->arena, b->chunk_rows, e);
}

int batch_fill(struct batch *b, struct batch_slot *slot, struct err *e)
{
	struct err why = {0};

	if (begin(b, slot, e) != 0)
		return -1;
	uint64_t start = b->rows.csv.offset;
	while (slot->row_count < b->chunk_rows && b->rows.csv.offset - start < CHUNK_BYTES && !batch_stopping(b)) {
		enum rows_step step = rows_next(&b->rows, &slot->rows, &why);
		if (step == ROWS_FAILED) {
			*e = why;
			return -1;
		}
		if (step == ROWS_END)
			break;
		if (step == ROWS_MORE ? feed(b, e) != 0 : step != ROWS_HEADER && add_row(b, slot, step, &why, e) != 0)
			return -1;
	}
	return slot->row_count > 0;
}

int batch_read_header(struct batch *b, struct err *e)
{
	struct arena arena = {0};
	struct columns_rows none;
	enum rows_step step = ROWS_MORE;
	int result = columns_rows_init(&none, b->columns, &arena, 1, e);

	while (result == 0 && step == ROWS_MORE && !batch_stopping(b)) {
		step = rows_next(&b->rows, &none, e);
		if (step == ROWS_FAILED || (step == ROWS_MORE && feed(b, e) != 0))
			result = -1;
	}
	arena_release(&arena);
	if (result == 0 && step == ROWS_END)
		return err_set(e, ERR_INPUT, "%s is empty; its first line is to name the columns", b->options.input);
	return result;
}
