/* columns: elements of outputs as text. */
#include "core/columns.h"
#include "core/csv.h"
#include "core/v2_tensor.h"

#include <math.h>

void columns_write_text(struct buf *out, const struct tensor *t, size_t i)
{
	double value = datatype_kind(t->datatype) == KIND_FLOAT ? tensor_double(t, i) : 0;

	if (t->datatype == DATATYPE_BYTES) {
		const struct bytes *bytes = &((const struct bytes *)t->data)[i];
		buf_add(out, bytes->data, bytes->size);
	} else if (!isfinite(value)) {
		buf_add_string(out, isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf");
	} else {
		v2_tensor_write_element(out, t, i);
	}
}

void columns_write_json(struct buf *out, const struct tensor *t, size_t i)
{
	v2_tensor_write_element(out, t, i);
}

void columns_write_csv(struct buf *out, const struct tensor *t, size_t i)
{
	if (t->datatype == DATATYPE_BYTES) {
		const struct bytes *bytes = &((const struct bytes *)t->data)[i];
		csv_write(out, bytes->data, bytes->size);
	} else {
		columns_write_text(out, t, i);
	}
}

void columns_write_json_row(struct buf *out, const struct tensor *t, size_t width, size_t row)
{
	if (width != 1)
		buf_add_char(out, '[');
	for (size_t k = 0; k < width; k++) {
		if (k > 0)
			buf_add_char(out, ',');
		columns_write_json(out, t, row * width + k);
	}
	if (width != 1)
		buf_add_char(out, ']');
}
