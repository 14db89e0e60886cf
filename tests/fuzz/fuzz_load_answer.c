/*
 * fuzz_load_answer: libFuzzer target; any bytes as what a server answers, all at once and in pieces.
 *
 * The first byte chooses the size of the pieces. Both must say the same of the answer, and end it at the same byte.
 */
#include "core/test/load_answer.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static enum load_answer_step feed(struct load_answer *a, const char *text, size_t size, size_t piece, size_t *at)
{
	enum load_answer_step step = LOAD_ANSWER_MORE;

	load_answer_begin(a);
	for (*at = 0; *at < size && step == LOAD_ANSWER_MORE;) {
		size_t part = size - *at < piece ? size - *at : piece, used = 0;
		step = load_answer_feed(a, text + *at, part, &used);
		check(used <= part && (used == part || step != LOAD_ANSWER_MORE));
		*at += used;
	}
	return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct load_answer whole, parts;
	size_t whole_end, parts_end;

	if (size < 1)
		return 0;
	const char *text = (const char *)data + 1;
	size_t piece = (size_t)data[0] + 1;
	enum load_answer_step step = feed(&whole, text, size - 1, size, &whole_end);
	check(feed(&parts, text, size - 1, piece, &parts_end) == step);
	check(whole.begun == parts.begun && whole.begun == (size > 1));
	if (step == LOAD_ANSWER_DONE)
		check(whole_end == parts_end && whole.status == parts.status && whole.keep == parts.keep &&
		      whole.status >= 200 && whole.status < 600);
	if (step == LOAD_ANSWER_MORE)
		check(load_answer_end(&whole) == load_answer_end(&parts));
	return 0;
}
