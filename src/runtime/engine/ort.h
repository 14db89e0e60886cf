/*
 * ort: ONNX Runtime's C interface, opened when the first model wants it.
 *
 * Owner: the process: opened once, never closed. Any thread. Its functions are found by their place
 * in the library's table, which is its ABI and only ever grows: ORT_API is what is asked for, and
 * no header of ONNX Runtime is used. tests/unit/test_ort.c compares places and names with the real
 * header where there is one. Privacy: builds of 2026 and later report to their maker unless they
 * are told not to. They are told, in the two ways that they know, before and after they start. Not
 * here: models (engine_onnx).
 */
#ifndef RUNTIME_ORT_H
#define RUNTIME_ORT_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

#define ORT_API 17

struct ort_allocator;
struct ort_binding;
struct ort_env;
struct ort_map_info;
struct ort_memory_info;
struct ort_metadata;
struct ort_run_options;
struct ort_sequence_info;
struct ort_session;
struct ort_session_options;
struct ort_status;
struct ort_tensor_info;
struct ort_type_info;
struct ort_value;

/* Kinds of a value. */
enum { ORT_TENSOR = 1, ORT_SEQUENCE = 2, ORT_MAP = 3, ORT_SPARSE = 5, ORT_OPTIONAL = 6 };
/* Types of an element. */
enum {
	ORT_FLOAT = 1,
	ORT_UINT8,
	ORT_INT8,
	ORT_UINT16,
	ORT_INT16,
	ORT_INT32,
	ORT_INT64,
	ORT_STRING,
	ORT_BOOL,
	ORT_FLOAT16,
	ORT_DOUBLE,
	ORT_UINT32,
	ORT_UINT64,
	ORT_BFLOAT16 = 16
};
/* Codes of a status. */
enum { ORT_CODE_INVALID_ARGUMENT = 2 };
enum { ORT_SEVERITY_ERROR = 3, ORT_MODE_SEQUENTIAL = 0, ORT_ARENA_ALLOCATOR = 1, ORT_MEMORY_DEFAULT = 0 };

typedef void ort_log(void *context, int severity, const char *category, const char *id, const char *place,
		     const char *message);

/* Place in the table, name, what it returns, what it takes. A status that is not NULL is a failure.
 */
#define ORT_FUNCTIONS(X)                                                                                           \
	X(1, GetErrorCode, int, (const struct ort_status *))                                                       \
	X(2, GetErrorMessage, const char *, (const struct ort_status *))                                           \
	X(4, CreateEnvWithCustomLogger, struct ort_status *,                                                       \
	  (ort_log *, void *context, int severity, const char *id, struct ort_env **))                             \
	X(6, DisableTelemetryEvents, struct ort_status *, (const struct ort_env *))                                \
	X(8, CreateSessionFromArray, struct ort_status *,                                                          \
	  (const struct ort_env *, const void *data, size_t size, const struct ort_session_options *,              \
	   struct ort_session **))                                                                                 \
	X(9, Run, struct ort_status *,                                                                             \
	  (struct ort_session *, const struct ort_run_options *, const char *const *input_names,                   \
	   const struct ort_value *const *inputs, size_t input_count, const char *const *output_names,             \
	   size_t output_count, struct ort_value **outputs))                                                       \
	X(10, CreateSessionOptions, struct ort_status *, (struct ort_session_options **))                          \
	X(13, SetSessionExecutionMode, struct ort_status *, (struct ort_session_options *, int))                   \
	X(17, DisableMemPattern, struct ort_status *, (struct ort_session_options *))                              \
	X(18, EnableCpuMemArena, struct ort_status *, (struct ort_session_options *))                              \
	X(19, DisableCpuMemArena, struct ort_status *, (struct ort_session_options *))                             \
	X(23, SetSessionGraphOptimizationLevel, struct ort_status *, (struct ort_session_options *, int))          \
	X(24, SetIntraOpNumThreads, struct ort_status *, (struct ort_session_options *, int))                      \
	X(25, SetInterOpNumThreads, struct ort_status *, (struct ort_session_options *, int))                      \
	X(30, SessionGetInputCount, struct ort_status *, (const struct ort_session *, size_t *))                   \
	X(31, SessionGetOutputCount, struct ort_status *, (const struct ort_session *, size_t *))                  \
	X(33, SessionGetInputTypeInfo, struct ort_status *,                                                        \
	  (const struct ort_session *, size_t, struct ort_type_info **))                                           \
	X(34, SessionGetOutputTypeInfo, struct ort_status *,                                                       \
	  (const struct ort_session *, size_t, struct ort_type_info **))                                           \
	X(36, SessionGetInputName, struct ort_status *,                                                            \
	  (const struct ort_session *, size_t, struct ort_allocator *, char **))                                   \
	X(37, SessionGetOutputName, struct ort_status *,                                                           \
	  (const struct ort_session *, size_t, struct ort_allocator *, char **))                                   \
	X(48, CreateTensorAsOrtValue, struct ort_status *,                                                         \
	  (struct ort_allocator *, const int64_t *shape, size_t rank, int type, struct ort_value **))              \
	X(49, CreateTensorWithDataAsOrtValue, struct ort_status *,                                                 \
	  (const struct ort_memory_info *, void *data, size_t size, const int64_t *shape, size_t rank, int type,   \
	   struct ort_value **))                                                                                   \
	X(51, GetTensorMutableData, struct ort_status *, (struct ort_value *, void **))                            \
	X(53, GetStringTensorDataLength, struct ort_status *, (const struct ort_value *, size_t *))                \
	X(54, GetStringTensorContent, struct ort_status *,                                                         \
	  (const struct ort_value *, void *text, size_t size, size_t *offsets, size_t count))                      \
	X(55, CastTypeInfoToTensorInfo, struct ort_status *,                                                       \
	  (const struct ort_type_info *, const struct ort_tensor_info **))                                         \
	X(56, GetOnnxTypeFromTypeInfo, struct ort_status *, (const struct ort_type_info *, int *))                 \
	X(60, GetTensorElementType, struct ort_status *, (const struct ort_tensor_info *, int *))                  \
	X(61, GetDimensionsCount, struct ort_status *, (const struct ort_tensor_info *, size_t *))                 \
	X(62, GetDimensions, struct ort_status *, (const struct ort_tensor_info *, int64_t *, size_t))             \
	X(65, GetTensorTypeAndShape, struct ort_status *, (const struct ort_value *, struct ort_tensor_info **))   \
	X(67, GetValueType, struct ort_status *, (const struct ort_value *, int *))                                \
	X(69, CreateCpuMemoryInfo, struct ort_status *, (int allocator, int memory, struct ort_memory_info **))    \
	X(76, AllocatorFree, struct ort_status *, (struct ort_allocator *, void *))                                \
	X(78, GetAllocatorWithDefaultOptions, struct ort_status *, (struct ort_allocator **))                      \
	X(80, GetValue, struct ort_status *,                                                                       \
	  (const struct ort_value *, int, struct ort_allocator *, struct ort_value **))                            \
	X(81, GetValueCount, struct ort_status *, (const struct ort_value *, size_t *))                            \
	X(92, ReleaseEnv, void, (struct ort_env *))                                                                \
	X(93, ReleaseStatus, void, (struct ort_status *))                                                          \
	X(94, ReleaseMemoryInfo, void, (struct ort_memory_info *))                                                 \
	X(95, ReleaseSession, void, (struct ort_session *))                                                        \
	X(96, ReleaseValue, void, (struct ort_value *))                                                            \
	X(98, ReleaseTypeInfo, void, (struct ort_type_info *))                                                     \
	X(99, ReleaseTensorTypeAndShapeInfo, void, (struct ort_tensor_info *))                                     \
	X(100, ReleaseSessionOptions, void, (struct ort_session_options *))                                        \
	X(103, CastTypeInfoToMapTypeInfo, struct ort_status *,                                                     \
	  (const struct ort_type_info *, const struct ort_map_info **))                                            \
	X(104, CastTypeInfoToSequenceTypeInfo, struct ort_status *,                                                \
	  (const struct ort_type_info *, const struct ort_sequence_info **))                                       \
	X(105, GetMapKeyType, struct ort_status *, (const struct ort_map_info *, int *))                           \
	X(106, GetMapValueType, struct ort_status *, (const struct ort_map_info *, struct ort_type_info **))       \
	X(107, GetSequenceElementType, struct ort_status *,                                                        \
	  (const struct ort_sequence_info *, struct ort_type_info **))                                             \
	X(111, SessionGetModelMetadata, struct ort_status *, (const struct ort_session *, struct ort_metadata **)) \
	X(112, ModelMetadataGetProducerName, struct ort_status *,                                                  \
	  (const struct ort_metadata *, struct ort_allocator *, char **))                                          \
	X(113, ModelMetadataGetGraphName, struct ort_status *,                                                     \
	  (const struct ort_metadata *, struct ort_allocator *, char **))                                          \
	X(114, ModelMetadataGetDomain, struct ort_status *,                                                        \
	  (const struct ort_metadata *, struct ort_allocator *, char **))                                          \
	X(115, ModelMetadataGetDescription, struct ort_status *,                                                   \
	  (const struct ort_metadata *, struct ort_allocator *, char **))                                          \
	X(116, ModelMetadataLookupCustomMetadataMap, struct ort_status *,                                          \
	  (const struct ort_metadata *, struct ort_allocator *, const char *key, char **))                         \
	X(117, ModelMetadataGetVersion, struct ort_status *, (const struct ort_metadata *, int64_t *))             \
	X(118, ReleaseModelMetadata, void, (struct ort_metadata *))                                                \
	X(123, ModelMetadataGetCustomMetadataMapKeys, struct ort_status *,                                         \
	  (const struct ort_metadata *, struct ort_allocator *, char ***, int64_t *count))                         \
	X(130, AddSessionConfigEntry, struct ort_status *,                                                         \
	  (struct ort_session_options *, const char *key, const char *value))                                      \
	X(252, GetResizedStringTensorElementBuffer, struct ort_status *,                                           \
	  (struct ort_value *, size_t index, size_t size, char **))

struct ort {
	char version[32];                /* "1.21.0" */
	char path[256];                  /* what was opened: a name or a path */
	struct ort_env *env;             /* the process's */
	struct ort_memory_info *memory;  /* plain memory of this machine */
	struct ort_allocator *allocator; /* the default one; not owned */
#define X(index, name, result, arguments) result(*name) arguments;
	ORT_FUNCTIONS(X)
#undef X
};

/* Tells the library to report nothing. Call it at the start of the process, while it has one
 * thread. */
void ort_silence(void);

/* The library, opened by the first call. library: its path, and no other is then tried; "" or NULL:
 * the system's, then what scripts/setup fetched. NULL with one sentence that says what to install
 * or to set. A failure is tried anew by the next call. */
const struct ort *ort_open(const char *library, struct err *e);

/* NULL is 0. Else -1 with "WHAT: " and the library's own words; the status is released. */
int ort_check(const struct ort *o, struct ort_status *status, enum err_code code, const char *what, struct err *e);
/* For a call whose failure changes nothing. */
void ort_ignore(const struct ort *o, struct ort_status *status);

#endif
