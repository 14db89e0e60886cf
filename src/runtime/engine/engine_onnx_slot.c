/*
 * engine_onnx: the library's values for one row, made once and used again: making and releasing
 * them costs as much as a small model takes to run.
 *
 * A slot is used by one thread at a time. Slots lie in an array of atomic pointers: a thread
 * exchanges one out and puts it back where there is room, so there is no lock and nothing to wait
 * for. Only for models whose inputs and outputs are all numbers and whose shapes are fixed but for
 * the rows.
 */
#include "runtime/engine/engine_onnx.h"

#include <stdlib.h>
#include <string.h>

/* Past this, copying a row costs more than making a value of it. */
#define SLOT_SIZE_MAX ((size_t)64 << 10)
#define ALIGNMENT 64

struct onnx_slot {
	struct ort_value **inputs, **outputs; /* over the memory below */
	void **input_data, **output_data;
	size_t input_count, output_count; /* values made */
	char *memory;
};

/* The tensor of one row; false for a spec that has free dimensions besides the rows, or none for
 * them. */
static bool one_row(const struct tensor_spec *spec, enum datatype type, struct tensor *t)
{
	if (type == DATATYPE_BYTES || spec->dimension_count == 0 || spec->dimensions[0] != -1)
		return false;
	*t = (struct tensor){.datatype = type, .rank = spec->dimension_count, .shape = {1}};
	for (size_t i = 1; i < t->rank; i++)
		t->shape[i] = spec->dimensions[i];
	return tensor_count(t->shape, t->rank, &t->count) && t->count > 0;
}

static size_t aligned_size(const struct tensor *t)
{
	size_t size = t->count * datatype_size(t->datatype);
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Bytes of a slot; 0: no model for slots. */
static size_t slot_size(const struct onnx_model *m)
{
	struct tensor t;
	size_t size = 0;

	for (size_t i = 0; i < m->input_count + m->output_count; i++) {
		bool input = i < m->input_count;
		size_t k = input ? i : i - m->input_count;
		if (!one_row(input ? &m->inputs[k] : &m->outputs[k], input ? m->input_types[k] : m->kinds[k].datatype,
			     &t) ||
		    (!input && m->kinds[k].maps) || t.count > SLOT_SIZE_MAX)
			return 0;
		size += aligned_size(&t);
		if (size > SLOT_SIZE_MAX)
			return 0;
	}
	return size;
}

static void slot_free(const struct onnx_model *m, struct onnx_slot *s)
{
	for (size_t i = 0; i < s->input_count; i++)
		m->ort->ReleaseValue(s->inputs[i]);
	for (size_t i = 0; i < s->output_count; i++)
		m->ort->ReleaseValue(s->outputs[i]);
	free(s->inputs);
	free(s->outputs);
	free(s->input_data);
	free(s->output_data);
	free(s->memory);
	free(s);
}

static bool slot_fill(const struct onnx_model *m, struct onnx_slot *s)
{
	char *at = s->memory;
	struct tensor t;

	for (; s->input_count < m->input_count; s->input_count++) {
		size_t i = s->input_count;
		one_row(&m->inputs[i], m->input_types[i], &t);
		s->input_data[i] = t.data = at;
		if (onnx_value(m, t.datatype, &t, &s->inputs[i], NULL) != 0)
			return false;
		at += aligned_size(&t);
	}
	for (; s->output_count < m->output_count; s->output_count++) {
		size_t i = s->output_count;
		one_row(&m->outputs[i], m->kinds[i].datatype, &t);
		s->output_data[i] = t.data = at;
		if (onnx_value(m, t.datatype, &t, &s->outputs[i], NULL) != 0)
			return false;
		at += aligned_size(&t);
	}
	return true;
}

static struct onnx_slot *slot_new(const struct onnx_model *m)
{
	struct onnx_slot *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->inputs = calloc(m->input_count, sizeof *s->inputs);
	s->input_data = calloc(m->input_count, sizeof *s->input_data);
	s->outputs = calloc(m->output_count, sizeof *s->outputs);
	s->output_data = calloc(m->output_count, sizeof *s->output_data);
	s->memory = aligned_alloc(ALIGNMENT, slot_size(m));
	if (s->inputs != NULL && s->input_data != NULL && s->outputs != NULL && s->output_data != NULL &&
	    s->memory != NULL && slot_fill(m, s))
		return s;
	slot_free(m, s);
	return NULL;
}

static struct onnx_slot *slot_take(struct onnx_model *m)
{
	for (size_t i = 0; i < ONNX_SLOTS_MAX; i++) {
		if (atomic_load_explicit(&m->slots[i], memory_order_relaxed) == NULL)
			continue;
		struct onnx_slot *s = atomic_exchange_explicit(&m->slots[i], NULL, memory_order_acquire);
		if (s != NULL)
			return s;
	}
	return slot_new(m);
}

static void slot_give(struct onnx_model *m, struct onnx_slot *s)
{
	for (size_t i = 0; i < ONNX_SLOTS_MAX; i++) {
		struct onnx_slot *empty = NULL;
		if (atomic_compare_exchange_strong_explicit(&m->slots[i], &empty, s, memory_order_release,
							    memory_order_relaxed))
			return;
	}
	slot_free(m, s);
}

void onnx_slots_init(struct onnx_model *m)
{
	m->slotted = slot_size(m) > 0;
}

void onnx_slots_free(struct onnx_model *m)
{
	for (size_t i = 0; i < ONNX_SLOTS_MAX; i++) {
		struct onnx_slot *s = atomic_load(&m->slots[i]);
		if (s != NULL)
			slot_free(m, s);
	}
}

/* Whether every input is exactly the one row that slots are made for. */
static bool fits(const struct onnx_model *m, const struct inference *inference)
{
	struct tensor t;

	for (size_t i = 0; i < m->input_count; i++) {
		const struct tensor *input = &inference->inputs[i];
		one_row(&m->inputs[i], m->input_types[i], &t);
		if (input->datatype != t.datatype || input->rank != t.rank ||
		    memcmp(input->shape, t.shape, t.rank * sizeof *t.shape) != 0)
			return false;
	}
	return true;
}

static int read_outputs(const struct onnx_model *m, const struct onnx_slot *s, struct inference *inference)
{
	for (size_t i = 0; i < inference->output_count; i++) {
		struct inference_output *output = &inference->outputs[i];
		struct tensor t;
		one_row(&m->outputs[output->spec], m->kinds[output->spec].datatype, &t);
		if (inference_reserve(inference, output, t.datatype, t.shape, t.rank, NULL) != 0)
			return 0;
		memcpy(output->tensor.data, s->output_data[output->spec], t.count * datatype_size(t.datatype));
	}
	return 1;
}

static int run(struct onnx_model *m, struct onnx_slot *s, struct inference *inference)
{
	struct ort_value *outputs[MANIFEST_TENSORS_MAX];
	const char *names[MANIFEST_TENSORS_MAX];

	for (size_t i = 0; i < m->input_count; i++)
		memcpy(s->input_data[i], inference->inputs[i].data,
		       inference->inputs[i].count * datatype_size(m->input_types[i]));
	for (size_t i = 0; i < inference->output_count; i++) {
		size_t spec = inference->outputs[i].spec;
		names[i] = m->output_names[spec];
		outputs[i] = s->outputs[spec];
	}
	struct ort_status *status = m->ort->Run(m->session, NULL, (const char *const *)m->input_names,
						(const struct ort_value *const *)s->inputs, m->input_count, names,
						inference->output_count, outputs);
	if (status == NULL)
		return read_outputs(m, s, inference);
	/* An output that is shaped otherwise than one row, or a real failure: the other way tells.
	 */
	ort_ignore(m->ort, status);
	return 0;
}

int onnx_slot_run(struct onnx_model *m, struct inference *inference)
{
	struct onnx_slot *s;
	int done;

	if (!m->slotted || inference->output_count == 0 || !fits(m, inference))
		return 0;
	s = slot_take(m);
	if (s == NULL)
		return 0;
	done = run(m, s, inference);
	slot_give(m, s);
	return done;
}
