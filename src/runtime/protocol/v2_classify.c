/* v2_classify: the greatest values of each row of an output, as Triton's classification extension gives them. */
#include "core/number.h"
#include "runtime/protocol/v2.h"

#include <math.h>
#include <string.h>

/* Places of a row's greatest values so far, greatest first. */
struct best {
	size_t count, max;
	size_t *places;
	const struct tensor *values;
	size_t first; /* element of the row */
};

/* NaN is less than everything. */
static bool greater(double a, double b)
{
	return a > b || (isnan(b) && !isnan(a));
}

static void offer(struct best *best, size_t place)
{
	double value = tensor_double(best->values, best->first + place);
	size_t at = best->count;

	while (at > 0 && greater(value, tensor_double(best->values, best->first + best->places[at - 1])))
		at--;
	if (at == best->max)
		return;
	if (best->count < best->max)
		best->count++;
	memmove(best->places + at + 1, best->places + at, (best->count - at - 1) * sizeof *best->places);
	best->places[at] = place;
}

/* "0.75:2" */
static int write_class(const struct best *best, size_t rank, struct arena *arena, struct bytes *text)
{
	char written[2 * NUMBER_SIZE + 1];
	size_t place = best->places[rank], size;
	double value = tensor_double(best->values, best->first + place);

	if (isfinite(value)) {
		size = best->values->datatype == DATATYPE_FP64 ? number_write_double(written, value)
							       : number_write_float(written, (float)value);
	} else {
		const char *word = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
		size = strlen(word);
		memcpy(written, word, size);
	}
	written[size++] = ':';
	size += number_write_unsigned(written + size, place);
	text->data = arena_copy(arena, written, size);
	text->size = size;
	return text->data != NULL ? 0 : -1;
}

int v2_classify(const struct tensor *values, size_t class_count, struct arena *arena, struct tensor *classes)
{
	size_t rows = values->rank == 0 ? 1 : (size_t)values->shape[0];
	size_t columns = rows == 0 ? 0 : values->count / rows;
	size_t kept = class_count < columns ? class_count : columns;
	struct best best = {.max = kept, .values = values};

	*classes = (struct tensor){
	    .datatype = DATATYPE_BYTES, .rank = 2, .shape = {(int64_t)rows, (int64_t)kept}, .count = rows * kept};
	classes->data = arena_array(arena, classes->count, sizeof(struct bytes));
	best.places = arena_array(arena, kept + 1, sizeof *best.places);
	if (classes->data == NULL || best.places == NULL)
		return -1;
	for (size_t row = 0; row < rows; row++) {
		best.first = row * columns;
		best.count = 0;
		for (size_t place = 0; place < columns; place++)
			offer(&best, place);
		for (size_t rank = 0; rank < kept; rank++)
			if (write_class(&best, rank, arena, (struct bytes *)classes->data + row * kept + rank) != 0)
				return -1;
	}
	return 0;
}
