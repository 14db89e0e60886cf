/* fuzz_experiment_kept: any bytes as what is kept of a unit of an A/B test: a refusal is one sentence; what is taken is
 * written as bytes that read back to the same. The first byte says which arm it is in. */
#include "core/experiment/experiment_kept.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct experiment plan(void)
{
	struct experiment x;
	experiment_init(&x);
	x.arm_count = 2;
	x.metric_count = 3;
	return x;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct experiment x = plan();
	unsigned char bytes[EXPERIMENT_KEPT_BYTES_MAX], again[EXPERIMENT_KEPT_BYTES_MAX];
	struct experiment_kept kept, read;
	struct err e = {.code = ERR_NONE};
	if (size == 0)
		return 0;
	memset(&kept, 0, sizeof kept);
	kept.arm = data[0] % 3;
	kept.first_ms = 1000000;
	if (experiment_kept_read(&kept, &x, data + 1, size - 1, &e) != 0) {
		check(e.code == ERR_INPUT && e.text[0] != '\0');
		return 0;
	}
	check(kept.arm < x.arm_count);
	read = kept;
	size_t written = experiment_kept_write(&kept, &x, bytes);
	check(written <= sizeof bytes && experiment_kept_read(&read, &x, bytes, written, &e) == 0);
	check(experiment_kept_write(&read, &x, again) == written && memcmp(bytes, again, written) == 0);
	return 0;
}
