/* fuzz_config: any text as a configuration file; a refusal is one sentence and changes nothing. */
#include "core/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config before, c;
	struct err e = {.code = ERR_NONE};
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	memset(&before, 0, sizeof before);
	config_init(&before);
	memcpy(&c, &before, sizeof c);
	if (config_parse(&c, "f", text, &e) != 0) {
		if (e.code != ERR_INPUT || e.text[0] == '\0' || memcmp(&c, &before, sizeof c) != 0)
			abort();
	} else if (c.server.threads > 256 || c.server.body_max > (size_t)1 << 30 || c.server.header_timeout_ms < 100 ||
		   c.onnx.optimization > 3 || memchr(c.cors.origins, '\0', sizeof c.cors.origins) == NULL) {
		abort();
	}
	free(text);
	return 0;
}
