/*
 * fuzz_feedback: libFuzzer target; any bytes as outcomes, in JSON or CSV.
 *
 * The first byte chooses the form. What is taken has a unit or an id, a metric and a finite value; what is refused says
 * so in a sentence.
 */
#include "runtime/experiment/feedback.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feedback list;
	struct err e = {0};

	if (size == 0)
		return 0;
	const char *text = (const char *)data + 1;
	int result = data[0] % 2 == 0 ? feedback_read_json(text, size - 1, &list, &e)
				      : feedback_read_csv(text, size - 1, &list, &e);
	check(result == 0 ? list.count > 0 : e.text[0] != '\0');
	for (size_t i = 0; result == 0 && i < list.count; i++) {
		const struct feedback_item *item = &list.items[i];
		check((item->unit == NULL) != (item->id == NULL));
		check(item->metric != NULL && strlen(item->metric) <= FEEDBACK_TEXT_MAX && isfinite(item->value));
		check(item->at_ms >= -1);
	}
	feedback_release(&list);
	return 0;
}
