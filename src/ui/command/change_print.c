/* change: what came, or would come, of one: what serves before and after, what the gates found, the equal command. */
#include "ui/command/change.h"
#include "ui/command/finding_table.h"
#include "ui/command/output.h"

#include "core/text.h"

#include <string.h>

/* Whether the route has several versions now; a rollback may well restore a split, or shadows. */
static bool has_several(const cJSON *answer)
{
	const cJSON *route = cJSON_GetObjectItemCaseSensitive(answer, "route");

	return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(route, "entries")) > 1;
}

static const char *route_or_nothing(const cJSON *answer, const char *field)
{
	const char *text = json_find_text(answer, field);

	return *text ? text : "nothing live";
}

/* Every value that an option was given. */
static void option_quote(char *command, size_t size, const struct arguments *a, const char *name)
{
	const char *value;
	char option[32];

	snprintf(option, sizeof(option), "--%s", name);
	for (size_t i = 0; (value = arguments_value_at(a, name, i)); i++) {
		text_quote(command, size, option);
		text_quote(command, size, value);
	}
}

void change_command_print(const struct arguments *a, const char *action, const cJSON *answer)
{
	static const char *const options[] = {"to", "steps", "hold", "threshold"};
	char command[1024] = "mldeck", revision[16];

	text_quote(command, sizeof(command), action);
	for (size_t i = 0; i < arguments_count(a); i++)
		text_quote(command, sizeof(command), arguments_at(a, i));
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		option_quote(command, sizeof(command), a, options[i]);
	snprintf(revision, sizeof(revision), "%.0f", json_find_number(answer, "based_on"));
	text_quote(command, sizeof(command), "--expect-revision");
	text_quote(command, sizeof(command), revision);
	if (arguments_flag(a, "force"))
		text_quote(command, sizeof(command), "--force");
	fputs("\nThe command: ", stdout);
	output_text(command);
	puts(" --reason TEXT");
}

static int gates_print(const cJSON *answer, struct err *e)
{
	struct finding findings[FINDINGS_MAX];
	size_t count;

	if (findings_from_json(cJSON_GetObjectItemCaseSensitive(answer, "gates"), findings, &count, e) != 0)
		return -1;
	if (count > 0)
		putchar('\n');
	return finding_table_print("GATE", findings, count, e);
}

static int evidence_print(const struct arguments *a, const char *action, const cJSON *answer, struct err *e)
{
	fputs("\n  now   ", stdout);
	output_text(route_or_nothing(answer, "before"));
	printf("  (revision %.0f)\n  after ", json_find_number(answer, "based_on"));
	output_text(route_or_nothing(answer, "after"));
	printf("  (revision %.0f)\n", json_find_number(answer, "revision"));
	if (gates_print(answer, e) != 0)
		return -1;
	change_command_print(a, action, answer);
	return output_end(e);
}

/* The gates that force overrode. */
static void forced_print(const cJSON *answer)
{
	const cJSON *gate;
	bool first = true;

	cJSON_ArrayForEach(gate, cJSON_GetObjectItemCaseSensitive(answer, "gates"))
	{
		if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(gate, "forced")))
			continue;
		fputs(first ? "Forced, which the audit keeps for ever: " : ", ", stdout);
		output_text(json_find_text(gate, "name"));
		first = false;
	}
	if (!first)
		puts(".");
}

int change_print(const struct arguments *a, const char *action, const cJSON *answer, struct err *e)
{
	const char *model = json_find_text(answer, "model");

	output_text(model);
	fputs(": ", stdout);
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "dry_run"))) {
		printf("what %s would do. Nothing was changed.\n", action);
		return evidence_print(a, action, answer, e);
	}
	if (strcmp(action, "shadow") == 0 || strcmp(action, "split") == 0 || has_several(answer)) {
		fputs(strcmp(action, "split") == 0 ? "the split is " : "the route is ", stdout);
		output_text(json_find_text(answer, "after"));
	} else {
		printf("v%.0f is live", json_find_number(answer, "live"));
	}
	printf(" (revision %.0f, was ", json_find_number(answer, "revision"));
	output_text(route_or_nothing(answer, "before"));
	puts(").");
	forced_print(answer);
	if (json_find_number(answer, "based_on") > 0) {
		fputs("Go back: mldeck rollback ", stdout);
		output_text(model);
		printf(" --to %.0f --reason TEXT\n", json_find_number(answer, "based_on"));
	}
	return output_end(e);
}

int change_print_refusal(const struct arguments *a, const char *action, const cJSON *refusal, struct err *e)
{
	output_text(json_find_text(refusal, "model"));
	printf(": %s is refused. Nothing was changed.\n", action);
	return evidence_print(a, action, refusal, e);
}
