/*
 * fuzz_csv: libFuzzer target; any bytes as CSV, or as JSON lines, of a made-up model's rows.
 *
 * The first byte chooses the format, the second the size of the pieces that the text is fed in. Whatever the
 * pieces are, the same rows come out of it as out of the whole.
 */
#include "core/rows.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tensor_spec inputs[] = {
    {"a", "FP64", 1, {-1}}, {"n", "INT16", 2, {-1, 1}}, {"x", "FP32", 2, {-1, 2}}, {"s", "BYTES", 1, {-1}}};
static const struct manifest manifest = {.input_count = 4, .inputs = inputs};

static void check(bool good)
{
	if (!good)
		abort();
}

/* What was read: a line an event. */
static void note(struct buf *out, const struct rows *r, enum rows_step step, const struct err *e)
{
	buf_format(out, "%d %llu %llu %s", step, (unsigned long long)r->csv.line, (unsigned long long)r->csv.offset,
		   step == ROWS_BAD || step == ROWS_FAILED ? e->text : "");
	for (size_t k = 0; step != ROWS_FAILED && k < r->kept_count; k++) {
		rows_write_csv(out, &r->kept[k].value);
		rows_write_json(out, &r->kept[k].value);
	}
	buf_add_char(out, '\n');
}

static void read_rows(const struct columns *columns, const char *text, size_t size, size_t piece,
		      enum rows_format format, struct buf *out)
{
	static struct arena arena;
	const struct rows_keep keep = {.all = true};
	struct columns_rows into;
	struct rows r;
	struct err e;
	size_t at = 0;
	enum rows_step step;

	check(columns_rows_init(&into, columns, &arena, 1, &e) == 0);
	check(rows_init(&r, format, columns, &keep, &e) == 0);
	do {
		step = rows_next(&r, &into, &e);
		size_t next = size - at < piece ? size - at : piece;
		if (step == ROWS_MORE) {
			check(rows_feed(&r, text + at, next, at + next == size, &e) == 0);
			at += next;
		} else if (step != ROWS_END) {
			note(out, &r, step, &e);
		}
	} while (step != ROWS_FAILED && step != ROWS_END);
	check(step != ROWS_FAILED || e.text[0] != '\0');
	for (size_t i = 0; i < into.count; i++) {
		struct tensor tensors[4];
		columns_rows_tensors(&into, i, 1, tensors);
		for (size_t t = 0; t < 4; t++)
			for (size_t k = 0; k < tensors[t].count; k++)
				columns_write_json(out, &tensors[t], k);
	}
	rows_release(&r);
	arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct columns *columns;
	struct buf whole, pieces;
	struct err e;

	if (size < 2)
		return 0;
	if (columns == NULL)
		columns = columns_new(&manifest, "m", &e);
	check(columns != NULL);
	enum rows_format format = (data[0] & 1) != 0 ? ROWS_JSON : ROWS_CSV;
	buf_init(&whole);
	buf_init(&pieces);
	read_rows(columns, (const char *)data + 2, size - 2, size, format, &whole);
	read_rows(columns, (const char *)data + 2, size - 2, (size_t)data[1] + 1, format, &pieces);
	check(whole.size == pieces.size && (whole.size == 0 || memcmp(whole.data, pieces.data, whole.size) == 0));
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}
