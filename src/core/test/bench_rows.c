#include "core/test/bench_rows.h"

#include "core/arena.h"
#include "core/columns.h"
#include "core/csv.h"
#include "core/hash.h"
#include "core/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Tries a row that is made: where a source has few different values most of what is made is there already. */
#define TRIES_MAX 64
#define SET_SIZE ((size_t)1 << 21) /* slots; more than twice BENCH_ROWS_SOURCE_MAX */

uint64_t bench_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *state, size_t count)
{
	return (size_t)(bench_random(state) >> 11) % count;
}

static double uniform(uint64_t *state)
{
	return (double)(bench_random(state) >> 11) * 0x1p-53;
}

static uint64_t state_of(uint64_t seed)
{
	uint64_t state = hash_seeded(seed, NULL, "rows", 4);
	return state != 0 ? state : 1;
}

/* --- which rows there are: a set of their hashes --- */

struct row_set {
	uint64_t *slots; /* [SET_SIZE]; 0 is empty */
};

/* Whether the row was not in it. */
static bool set_add(struct row_set *set, const char *row, size_t size)
{
	uint64_t hash = hash_seeded(0, NULL, row, size) | 1;
	size_t i = (size_t)(hash >> 1) % SET_SIZE;

	for (; set->slots[i] != 0; i = (i + 1) % SET_SIZE)
		if (set->slots[i] == hash)
			return false;
	set->slots[i] = hash;
	return true;
}

/* --- the source --- */

struct source {
	struct arena arena;
	struct row_set set;
	struct buf line, key; /* a row, and the row as rows are told apart */
	size_t width, count, capacity;
	struct csv_field **rows; /* [count][width], different ones */
};

static bool number_of(const struct csv_field *field, struct number *n)
{
	return field->size > 0 && number_read(field->data, field->data + field->size, n) == field->size &&
	       isfinite(number_double(n));
}

/* Rows differ by their values: 1.0 is no other number than 1. */
static void add_key(struct buf *key, const char *data, size_t size)
{
	const struct csv_field field = {.data = data, .size = size};
	char text[NUMBER_SIZE];
	struct number n;

	if (number_of(&field, &n))
		buf_add(key, text, number_write_double(text, number_double(&n) + 0.0));
	else
		buf_add(key, data, size);
	buf_add_char(key, ',');
}

static void line_of(struct buf *line, const struct csv_field *fields, size_t width)
{
	buf_clear(line);
	for (size_t j = 0; j < width; j++) {
		if (j > 0)
			buf_add_char(line, ',');
		csv_write(line, fields[j].data, fields[j].size);
	}
	buf_add_char(line, '\n');
}

static int keep_row(struct source *s, const struct csv *csv, struct err *e)
{
	buf_clear(&s->key);
	for (size_t j = 0; j < s->width; j++)
		add_key(&s->key, csv->fields[j].data, csv->fields[j].size);
	if (s->key.failed)
		return err_set(e, ERR_MEMORY, "memory is out for the rows");
	if (!set_add(&s->set, s->key.data, s->key.size))
		return 0;
	if (s->count == s->capacity) {
		size_t capacity = s->capacity == 0 ? 1024 : 2 * s->capacity;
		void *grown = realloc(s->rows, capacity * sizeof *s->rows);
		if (grown == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for the rows");
		s->rows = grown;
		s->capacity = capacity;
	}
	struct csv_field *fields = arena_array(&s->arena, s->width, sizeof *fields);
	for (size_t j = 0; fields != NULL && j < s->width; j++) {
		fields[j].size = csv->fields[j].size;
		fields[j].data = arena_copy(&s->arena, csv->fields[j].data, csv->fields[j].size);
		if (fields[j].data == NULL)
			fields = NULL;
	}
	if (fields == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for the rows");
	s->rows[s->count++] = fields;
	return 0;
}

static int read_record(struct source *s, const struct csv *csv, struct buf *header, struct err *e)
{
	if (header->size == 0) {
		s->width = csv->field_count;
		line_of(header, csv->fields, csv->field_count);
		return 0;
	}
	if (csv->field_count != s->width)
		return err_set(e, ERR_INPUT, "line %llu has %zu fields, and the header %zu",
			       (unsigned long long)csv->line, csv->field_count, s->width);
	return keep_row(s, csv, e);
}

static int read_source(struct source *s, const char *text, size_t size, struct buf *header, struct err *e)
{
	struct csv csv;
	enum csv_step step;
	int result;

	csv_init(&csv);
	result = csv_feed(&csv, text, size, true, e);
	while (result == 0 && s->count < BENCH_ROWS_SOURCE_MAX && (step = csv_next(&csv, e)) != CSV_END &&
	       step != CSV_MORE) {
		if (step == CSV_RECORD)
			result = read_record(s, &csv, header, e);
		else if (step == CSV_BAD)
			result = err_set(e, ERR_INPUT, "line %llu: %s", (unsigned long long)csv.line, e->text);
		else
			result = -1;
	}
	csv_release(&csv);
	if (result == 0 && s->count == 0)
		result = err_set(e, ERR_INPUT, "there are no rows behind the header");
	return result;
}

static int source_init(struct source *s, struct err *e)
{
	*s = (struct source){0};
	buf_init(&s->line);
	buf_init(&s->key);
	s->set.slots = calloc(SET_SIZE, sizeof *s->set.slots);
	return s->set.slots != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for the rows");
}

static void source_release(struct source *s)
{
	arena_release(&s->arena);
	buf_release(&s->line);
	buf_release(&s->key);
	free(s->set.slots);
	free(s->rows);
}

/* --- rows that are drawn, and rows that are made --- */

/* The first `wanted` of a random order: Fisher and Yates. */
static void draw(struct source *s, size_t wanted, uint64_t *state, struct buf *csv)
{
	for (size_t i = 0; i < wanted; i++) {
		size_t other = i + below(state, s->count - i);
		struct csv_field *row = s->rows[other];
		s->rows[other] = s->rows[i];
		s->rows[i] = row;
		line_of(&s->line, row, s->width);
		buf_add(csv, s->line.data, s->line.size);
	}
}

/* A whole number from low to high, both below 1e15; in doubles the last one's share of a step would round up. */
static int64_t whole_between(int64_t low, int64_t high, uint64_t *state)
{
	return low + (int64_t)below(state, (size_t)(high - low) + 1);
}

static void add_between(struct buf *line, const struct csv_field *a, const struct csv_field *b, uint64_t *state)
{
	struct number x, y;
	char text[NUMBER_SIZE];

	if (!number_of(a, &x) || !number_of(b, &y)) {
		csv_write(line, a->data, a->size);
		return;
	}
	double low = number_double(&x), high = number_double(&y);
	double value = low + uniform(state) * (high - low);
	/* A whole number is written as one, for an integer takes no point. */
	if (x.integer && y.integer && fabs(low) < 1e15 && fabs(high) < 1e15)
		buf_format(line, "%lld",
			   (long long)whole_between((int64_t)fmin(low, high), (int64_t)fmax(low, high), state));
	else
		buf_add(line, text, number_write_double(text, value));
}

static void make_row(struct source *s, uint64_t *state)
{
	const struct csv_field *row = s->rows[below(state, s->count)];

	buf_clear(&s->line);
	buf_clear(&s->key);
	for (size_t j = 0; j < s->width; j++) {
		if (j > 0)
			buf_add_char(&s->line, ',');
		const struct csv_field *a = &s->rows[below(state, s->count)][j];
		const struct csv_field *b = &s->rows[below(state, s->count)][j];
		if (bench_random(state) >> 63) {
			csv_write(&s->line, row[j].data, row[j].size);
			add_key(&s->key, row[j].data, row[j].size);
			continue;
		}
		size_t start = s->line.size;
		struct number ignored;
		add_between(&s->line, a, b, state);
		if (number_of(a, &ignored) && number_of(b, &ignored))
			add_key(&s->key, s->line.data + start, s->line.size - start);
		else
			add_key(&s->key, a->data, a->size);
	}
	buf_add_char(&s->line, '\n');
}

static int make_rows(struct source *s, size_t count, uint64_t *state, struct buf *csv, struct err *e)
{
	size_t made = 0;

	for (size_t tries = 0; made < count && tries < TRIES_MAX * BENCH_ROWS; tries++) {
		make_row(s, state);
		if (csv->size + s->line.size > BENCH_ROWS_SIZE_MAX)
			return err_set(e, ERR_INPUT,
				       "its rows are so long that the %d of a benchmark would be more than %zu MiB: "
				       "give a file with more rows, or with shorter ones",
				       BENCH_ROWS, BENCH_ROWS_SIZE_MAX >> 20);
		if (!s->line.failed && !s->key.failed && set_add(&s->set, s->key.data, s->key.size)) {
			buf_add(csv, s->line.data, s->line.size);
			made++;
		}
	}
	if (s->line.failed || s->key.failed)
		return err_set(e, ERR_MEMORY, "memory is out for the rows");
	if (made == count)
		return 0;
	return err_set(e, ERR_INPUT,
		       "only %zu different rows can be made of these %zu, and a benchmark needs %d: give a file with "
		       "more rows by --data",
		       s->count + made, s->count, BENCH_ROWS);
}

int bench_rows_from_csv(const char *text, size_t size, uint64_t seed, struct bench_rows *rows, struct err *e)
{
	struct source s;
	uint64_t state = state_of(seed);

	*rows = (struct bench_rows){0};
	buf_init(&rows->csv);
	int result = source_init(&s, e);
	if (result == 0)
		result = read_source(&s, text, size, &rows->csv, e);
	if (result == 0) {
		size_t drawn = s.count < BENCH_ROWS ? s.count : BENCH_ROWS;
		rows->source_count = s.count;
		rows->origin = drawn == BENCH_ROWS ? BENCH_ROWS_GIVEN : BENCH_ROWS_JITTERED;
		draw(&s, drawn, &state, &rows->csv);
		result = make_rows(&s, BENCH_ROWS - drawn, &state, &rows->csv, e);
	}
	source_release(&s);
	if (result == 0 && rows->csv.failed)
		result = err_set(e, ERR_MEMORY, "memory is out for the rows");
	return result;
}

/* --- from the signature --- */

static void make_value(struct buf *line, enum datatype type, uint64_t *state)
{
	char text[NUMBER_SIZE];

	switch (datatype_kind(type)) {
	case KIND_BOOL:
		buf_add_char(line, bench_random(state) >> 63 ? '1' : '0');
		break;
	case KIND_UNSIGNED:
	case KIND_SIGNED:
		buf_format(line, "%zu", below(state, 100));
		break;
	case KIND_FLOAT:
		buf_add(line, text, number_write_double(text, 200 * uniform(state) - 100));
		break;
	case KIND_BYTES:
		buf_add_char(line, (char)('a' + (int)below(state, 26)));
		break;
	}
}

static int make_signature_rows(const struct columns *c, struct row_set *set, uint64_t *state, struct buf *csv,
			       struct err *e)
{
	size_t made = 0;

	for (size_t j = 0; j < c->count; j++) {
		if (j > 0)
			buf_add_char(csv, ',');
		csv_write(csv, c->list[j].name, strlen(c->list[j].name));
	}
	buf_add_char(csv, '\n');
	for (size_t tries = 0; made < BENCH_ROWS && tries < TRIES_MAX * BENCH_ROWS && !csv->failed; tries++) {
		size_t start = csv->size;
		for (size_t j = 0; j < c->count; j++) {
			if (j > 0)
				buf_add_char(csv, ',');
			make_value(csv, c->list[j].datatype, state);
		}
		buf_add_char(csv, '\n');
		if (csv->failed || set_add(set, csv->data + start, csv->size - start))
			made++;
		else
			csv->data[csv->size = start] = '\0';
	}
	if (csv->failed)
		return err_set(e, ERR_MEMORY, "memory is out for the rows");
	if (made == BENCH_ROWS)
		return 0;
	return err_set(e, ERR_INPUT,
		       "only %zu different rows can be made of its inputs, and a benchmark needs %d: give rows by "
		       "--data",
		       made, BENCH_ROWS);
}

int bench_rows_from_signature(const struct manifest *manifest, const char *model, uint64_t seed,
			      struct bench_rows *rows, struct err *e)
{
	uint64_t state = state_of(seed);
	struct row_set set;
	struct columns *c;
	int result = -1;

	*rows = (struct bench_rows){.origin = BENCH_ROWS_MADE_UP};
	buf_init(&rows->csv);
	c = columns_new(manifest, model, e);
	if (c == NULL)
		return -1;
	set.slots = calloc(SET_SIZE, sizeof *set.slots);
	if (set.slots == NULL)
		err_set(e, ERR_MEMORY, "memory is out for the rows");
	else
		result = make_signature_rows(c, &set, &state, &rows->csv, e);
	free(set.slots);
	columns_free(c);
	return result;
}

void bench_rows_release(struct bench_rows *rows)
{
	buf_release(&rows->csv);
}
