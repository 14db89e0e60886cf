#include "runtime/capture/capture_row.h"

#include "core/tensor_copy.h"

size_t capture_row_count(const struct capture_request *request)
{
	int64_t rows = -1;

	for (size_t i = 0; i < request->input_count; i++) {
		const struct tensor *t = &request->inputs[i];
		if (t->rank == 0 || (rows >= 0 && t->shape[0] != rows))
			return 1;
		rows = t->shape[0];
	}
	return rows < 0 ? 1 : (size_t)rows;
}

static size_t head_size(size_t input_count)
{
	return tensor_copy_aligned(sizeof(struct capture_row) + input_count * sizeof(struct tensor));
}

size_t capture_row_size(const struct capture_request *request, size_t row, size_t rows)
{
	size_t size = head_size(request->input_count);

	for (size_t i = 0; i < request->input_count; i++) {
		const struct tensor *t = &request->inputs[i];
		size_t count = t->count / rows;
		size += tensor_copy_size(t, row * count, count);
	}
	return size;
}

void capture_row_fill(struct capture_row *piece, const struct capture_request *request, size_t row, size_t rows)
{
	char *next = (char *)piece + head_size(request->input_count);

	piece->at_ms = request->at_ms;
	piece->version = request->version;
	piece->input_count = (uint32_t)request->input_count;
	for (size_t i = 0; i < request->input_count; i++) {
		const struct tensor *t = &request->inputs[i];
		size_t count = t->count / rows;
		tensor_copy_put(&piece->inputs[i], t, row * count, count, &next);
		if (rows > 1)
			piece->inputs[i].shape[0] = 1;
	}
}
