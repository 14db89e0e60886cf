/* columns: elements of outputs as text. */
#include "core/columns.h"
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
