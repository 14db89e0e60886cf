/*
 * manifest: what a version is, fixed for ever when it is deployed: engine, format, signature, digest.
 *
 * Owner: whoever holds it, from manifest_init() to manifest_release(); strings are owned. Not thread-safe,
 * but constant after deploy. Kept in the registry as JSON.
 */
#ifndef CORE_MANIFEST_H
#define CORE_MANIFEST_H

#include "core/err.h"
#include "core/tensor_spec.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_TENSORS_MAX 256

struct manifest_fact {
	char *name;
	char *value;
};

struct manifest {
	char engine[16];
	char format[32];
	char sha256[65]; /* lower-case hex of the artifact */
	uint64_t size_bytes;
	char *file_name; /* as the deployer named it; for people only */
	size_t input_count, output_count;
	struct tensor_spec *inputs, *outputs;
	size_t feature_count;
	char **feature_names; /* of a single [rows, features] input; NULL otherwise */
	bool features_given;  /* those names are the deployer's, for the file has none */
	size_t fact_count;
	struct manifest_fact *facts; /* training metadata where the file has it */
};

void manifest_init(struct manifest *m);
void manifest_release(struct manifest *m);
/* A new JSON object (cJSON_Delete it), or NULL when memory is out. */
cJSON *manifest_to_json(const struct manifest *m);
/* Fills m (initialised by the callee) from that form. */
int manifest_from_json(struct manifest *m, const cJSON *json, struct err *e);

/* Whether a request for a can be given to b as it is: the same inputs, in any order, by name, datatype and shape, and
 * the same features in the same order. matrices: both take their features as one matrix of FP32 or FP64, under any
 * name. Else says the first difference, "input `x` is FP32 [-1, 3], not FP64 [-1, 2]": b's first, then a's. */
#define MANIFEST_DIFFERENCE_SIZE 640
bool manifest_same_inputs(const struct manifest *a, const struct manifest *b, bool matrices,
			  char difference[MANIFEST_DIFFERENCE_SIZE]);
/* The same of what they answer: outputs by name, datatype and shape, in any order; with matrices FP32 is as good as
 * FP64. */
bool manifest_same_outputs(const struct manifest *a, const struct manifest *b, bool matrices,
			   char difference[MANIFEST_DIFFERENCE_SIZE]);

#endif
