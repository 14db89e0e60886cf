/* fuzz_head: any text as a head of the audit: a refusal is one sentence, and what is taken is what was written. */
#include "core/registry/registry_verify.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {.code = ERR_NONE};
	struct audit_head head = {0}, again = {0};
	char *text = malloc(size + 1), written[100];

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (audit_head_read(text, &head, &e) != 0) {
		if (e.code != ERR_INPUT || e.text[0] == '\0')
			abort();
	} else {
		snprintf(written, sizeof written, "%" PRId64 ":%s", head.id, head.hash);
		if (head.id < 0 || audit_head_read(written, &again, &e) != 0 || again.id != head.id ||
		    strcmp(again.hash, head.hash) != 0)
			abort();
	}
	free(text);
	return 0;
}
