/* Whether a version takes the rows of a benchmark, before any is drawn: in what is drawn the lines are others. */
#include "core/test/bench_rows.h"

#include "core/arena.h"
#include "core/columns.h"
#include "core/rows.h"

#define CHUNK_ROWS 1024

static int refuse(const struct rows *r, struct err *e)
{
	return err_set(e, ERR_INPUT, "line %llu%s%s%s: %s", (unsigned long long)r->csv.line,
		       r->bad_column[0] != '\0' ? ", column `" : "", r->bad_column, r->bad_column[0] != '\0' ? "`" : "",
		       e->text);
}

/* *more: whether there may be other rows behind those of this chunk. */
static int check_chunk(struct rows *r, const struct columns *columns, struct arena *arena, size_t *seen, bool *more,
		       struct err *e)
{
	struct columns_rows into;

	arena_reset(arena);
	if (columns_rows_init(&into, columns, arena, CHUNK_ROWS, e) != 0)
		return -1;
	for (*more = true; into.count < CHUNK_ROWS && *more;) {
		enum rows_step step = rows_next(r, &into, e);
		if (step == ROWS_BAD)
			return refuse(r, e);
		if (step == ROWS_FAILED)
			return -1;
		*seen += step == ROWS_ROW;
		*more = step != ROWS_END && step != ROWS_MORE && *seen < BENCH_ROWS_SOURCE_MAX;
	}
	return 0;
}

int bench_rows_check(const struct manifest *manifest, const char *model, const char *text, size_t size, struct err *e)
{
	struct columns *columns = columns_new(manifest, model, e);
	struct arena arena = {0};
	struct rows rows = {0};
	size_t seen = 0;
	bool more = true;

	if (columns == NULL)
		return -1;
	int result = rows_init(&rows, ROWS_CSV, columns, NULL, e);
	if (result == 0)
		result = rows_feed(&rows, text, size, true, e);
	while (result == 0 && more)
		result = check_chunk(&rows, columns, &arena, &seen, &more, e);
	if (result == 0 && seen == 0)
		result = err_set(e, ERR_INPUT, "there are no rows behind the header");
	rows_release(&rows);
	arena_release(&arena);
	columns_free(columns);
	return result;
}
