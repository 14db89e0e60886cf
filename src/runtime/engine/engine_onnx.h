/*
 * engine_onnx: what the files engine_onnx*.c share.
 *
 * Owner: engine_onnx.c makes and frees a struct onnx_model. Immutable once loaded but for its
 * slots, which are taken and given back without a lock: any number of threads predict at once.
 * Limits: ONNX_CLASSES_MAX classes of an output of maps; what the manifest has room for.
 * Not here: the library itself (ort), the file's form (onnx_file).
 */
#ifndef RUNTIME_ENGINE_ONNX_H
#define RUNTIME_ENGINE_ONNX_H

#include "core/arena.h"
#include "core/manifest.h"
#include "core/tensor.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/ort.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define ONNX_CLASSES_MAX 100000
#define ONNX_SLOTS_MAX 16

/* The keys of a map, in its order: int64_t[count], or offsets size_t[count] and then the
 * characters. */
struct onnx_keys {
	int type; /* ORT_INT64 or ORT_STRING */
	size_t count;
	size_t size; /* bytes of data */
	char *data;  /* NULL: not known */
};

/* What an output is besides its spec. */
struct onnx_output {
	bool maps;                /* a sequence of maps (ZipMap), which is answered as [rows, classes] */
	bool single;              /* one map without a sequence: one row */
	int key_type;             /* of maps */
	enum datatype datatype;   /* of the elements, or of the maps' values */
	struct onnx_keys classes; /* of maps; known when the probe ran */
	size_t columns;           /* of a row, as the probe saw it; 0: it did not */
};

extern const struct engine engine_onnx;

struct onnx_slot;
struct onnx_model {
	const struct ort *ort;
	struct ort_session *session;
	size_t input_count, output_count;
	char **input_names, **output_names; /* as the library has them */
	struct tensor_spec *inputs, *outputs;
	enum datatype *input_types;
	struct onnx_output *kinds; /* [output_count] */
	bool slotted;              /* predictions of one row may use slots */
	_Atomic(struct onnx_slot *) slots[ONNX_SLOTS_MAX];
};

/* engine_onnx_signature.c: names, types and shapes out of the session. ERR_INPUT for what cannot be
 * served. */
int onnx_signature_read(struct onnx_model *m, const void *data, size_t size, struct err *e);
/* ONNX Runtime's type of an element, and back; 0 and DATATYPE_COUNT for none. */
int onnx_element(enum datatype type);
enum datatype onnx_datatype(int element);

/* engine_onnx_describe.c: engine, format, signature, features and facts. */
int onnx_describe(const struct onnx_model *m, struct manifest *manifest, struct err *e);
/* The names in "a, b, c" or a JSON list of strings, when they are exactly count, none empty or
 * twice and all printable: [count], each of malloc. Else NULL. */
char **onnx_feature_names(const char *text, size_t count);

/* engine_onnx_kind.c: which number of a prediction is counted. */
void onnx_kind(const struct onnx_model *m, const void *data, size_t size, struct prediction_kind *kind);

/* engine_onnx_probe.c: runs rows of zeros and empty strings, to learn what the file does not say:
 * the classes of maps, columns, and shapes that are declared wrongly. A model that refuses them is
 * no error. */
void onnx_probe(struct onnx_model *m);

/* engine_onnx_run.c: one prediction with values made for it. ERR_INPUT when the library blames the
 * inputs. */
int onnx_run(struct onnx_model *m, struct inference *inference, struct err *e);
/* A value over the tensor's data, which must outlive it; strings are copied. */
int onnx_value(const struct onnx_model *m, enum datatype type, const struct tensor *t, struct ort_value **value,
	       struct err *e);
/* Element type and shape of a tensor's value. ERR_SYSTEM for more than TENSOR_RANK_MAX dimensions.
 */
int onnx_value_shape(const struct onnx_model *m, const struct ort_value *value, enum datatype *type, int64_t *shape,
		     size_t *rank, struct err *e);

/* engine_onnx_maps.c: the output of maps as [rows, classes]. ERR_SYSTEM when rows differ in their
 * keys. */
int onnx_maps_read(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *value,
		   struct inference *inference, struct inference_output *output, struct err *e);
/* The keys of the first map, as new memory; data is NULL when there are none or memory is out. */
void onnx_maps_classes(const struct onnx_model *m, const struct onnx_output *kind, const struct ort_value *value,
		       struct onnx_keys *classes);
/* "[0,1,2]" or "[\"no\",\"yes\"]" (cJSON_free() it); NULL when memory is out. */
char *onnx_classes_json(const struct onnx_keys *classes);

/* engine_onnx_slot.c: values that are kept for predictions of one row. 1: done; 0: not for slots,
 * or it did not work out: use onnx_run(). */
int onnx_slot_run(struct onnx_model *m, struct inference *inference);
void onnx_slots_init(struct onnx_model *m);
void onnx_slots_free(struct onnx_model *m);

#endif
