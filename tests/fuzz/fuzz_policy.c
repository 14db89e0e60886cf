/* fuzz_policy: any settings of a policy, as lines of name=value: a refusal is one sentence and changes nothing, and
 * what is taken reads back to the same. */
#include "core/policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set(struct policy *p, char *line)
{
	struct policy before;
	struct err e = {.code = ERR_NONE};
	char *equals = strchr(line, '=');
	if (equals == NULL)
		return;
	*equals = '\0';
	memcpy(&before, p, sizeof before);
	if (policy_set(p, line, equals + 1, &e) != 0 &&
	    (e.code != ERR_INPUT || e.text[0] == '\0' || memcmp(p, &before, sizeof before) != 0))
		abort();
}

static void read_back(const struct policy *p)
{
	struct policy again;
	const char *name, *help;
	char value[POLICY_NAMES_SIZE];
	memset(&again, 0, sizeof again);
	policy_init(&again);
	for (size_t i = 0; policy_row(p, i, &name, value, &help); i++)
		if (memchr(value, '\0', sizeof value) == NULL || policy_set(&again, name, value, NULL) != 0)
			abort();
	if (memcmp(&again, p, sizeof again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy p;
	char *text = malloc(size + 1), *rest = text, *line;

	if (text == NULL)
		abort();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	policy_init(&p);
	while ((line = strsep(&rest, "\n")) != NULL)
		set(&p, line);
	read_back(&p);
	free(text);
	return 0;
}
