#!/bin/sh
# The places, names and numbers of src/runtime/engine/ort.h against ONNX Runtime's own header, by a compiler.
# The header comes with a distribution's development package; ONNXRUNTIME_HEADER names another one.
set -u
cd "$(dirname "$0")/../.." || exit 1

header=
for candidate in "${ONNXRUNTIME_HEADER:-}" $(find /usr/include /usr/local/include /opt/homebrew/include \
	-name onnxruntime_c_api.h 2> /dev/null); do
	[ -f "$candidate" ] && header=$candidate && break
done
if [ -z "$header" ]; then
	echo "skip onnx_header: no onnxruntime_c_api.h on this system"
	exit 0
fi

probe=$TMPDIR/probe.c
{
	echo "#include \"$header\""
	echo '#include "runtime/engine/ort.h"'
	echo '#include <assert.h>'
	# X(9, Run, ...) of the list
	sed -n 's/.*X(\([0-9][0-9]*\), \([A-Za-z]*\),.*/\1 \2/p' src/runtime/engine/ort.h | while read -r place name; do
		echo "static_assert(offsetof(OrtApi, $name) == $place * sizeof(void *), \"$name\");"
		echo "static_assert(sizeof(((OrtApi *)0)->$name) == sizeof(void *), \"$name\");"
	done
	echo "static_assert(ORT_API <= ORT_API_VERSION, \"version\");"
	for type in FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64 BFLOAT16; do
		echo "static_assert((int)ORT_$type == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_$type, \"$type\");"
	done
	echo 'static_assert((int)ORT_TENSOR == (int)ONNX_TYPE_TENSOR, "tensor");'
	echo 'static_assert((int)ORT_SEQUENCE == (int)ONNX_TYPE_SEQUENCE, "sequence");'
	echo 'static_assert((int)ORT_MAP == (int)ONNX_TYPE_MAP, "map");'
	echo 'static_assert((int)ORT_SPARSE == (int)ONNX_TYPE_SPARSETENSOR, "sparse");'
	echo 'static_assert((int)ORT_OPTIONAL == (int)ONNX_TYPE_OPTIONAL, "optional");'
	echo 'static_assert((int)ORT_CODE_INVALID_ARGUMENT == (int)ORT_INVALID_ARGUMENT, "code");'
	echo 'static_assert((int)ORT_SEVERITY_ERROR == (int)ORT_LOGGING_LEVEL_ERROR, "severity");'
	echo 'static_assert((int)ORT_ARENA_ALLOCATOR == (int)OrtArenaAllocator, "allocator");'
	echo 'static_assert((int)ORT_MEMORY_DEFAULT == (int)OrtMemTypeDefault, "memory");'
	echo 'static_assert((int)ORT_MODE_SEQUENTIAL == (int)ORT_SEQUENTIAL, "mode");'
} > "$probe"
places=$(grep -c offsetof "$probe")

if [ "$places" -lt 50 ]; then
	echo "not ok onnx_header: only $places places were read from src/runtime/engine/ort.h"
	exit 1
fi
if ${CC:-cc} -std=c11 -w -Isrc -fsyntax-only "$probe"; then
	echo "ok onnx_header: $places places as in $header"
else
	echo "not ok onnx_header: src/runtime/engine/ort.h differs from $header"
	exit 1
fi
