/* fuzz_forest: libFuzzer target; loads any bytes and predicts with what loads. */
#include "runtime/engine/forest.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const double values[] = {NAN, 0, -1, 3, INFINITY, -INFINITY, 4e9, 0.1, 1e-36, 16777216};
	static double row[FOREST_FEATURES_MAX], output[FOREST_OUTPUTS_MAX], raw[FOREST_OUTPUTS_MAX];
	static float narrow[FOREST_FEATURES_MAX];
	struct forest *f;
	struct err e;

	if (forest_load(data, size, &f, &e))
		return 0;
	for (size_t shift = 0; shift < 10; shift++) {
		for (size_t i = 0; i < forest_info(f)->feature_count; i++) {
			row[i] = values[(i + shift) % 10];
			narrow[i] = (float)row[i];
		}
		forest_predict_f64(f, row, 1, output, raw);
		forest_predict_f32(f, narrow, 1, output, raw);
	}
	forest_free(f);
	return 0;
}
