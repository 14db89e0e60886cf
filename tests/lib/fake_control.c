/* fake_control: what the fake runtime does when it is told to. */
#include "lib/fake_runtime_internal.h"

#include <stdio.h>
#include <string.h>

double fake_number(const cJSON *json, const char *name, double otherwise)
{
	const cJSON *item = cJSON_GetObjectItem(json, name);

	return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

cJSON *fake_refusal(int *status, int code, const char *name, const char *text)
{
	cJSON *answer = cJSON_CreateObject();

	*status = code;
	cJSON_AddStringToObject(answer, "error", text);
	cJSON_AddStringToObject(answer, "code", name);
	return answer;
}

const char *fake_string(const cJSON *json, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));

	return text ? text : "";
}

/* The shares that a body asks for; the live version by the rule of a split. */
static void shares_take(const struct fake_runtime *f, const cJSON *body, int *shares, int *shadows, int *live)
{
	bool shadow = strcmp(fake_string(body, "action"), "shadow") == 0;
	bool whole = strcmp(fake_string(body, "action"), "apply") == 0;
	const cJSON *item;

	memcpy(shadows, f->shadows, sizeof(f->shadows));
	memcpy(shares, f->shares, sizeof(f->shares));
	if (!shadow)
		memset(shares, 0, sizeof(f->shares));
	if (whole)
		memset(shadows, 0, sizeof(f->shadows));
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(body, whole ? "entries" : "weights"))
	{
		int *to = shadow || strcmp(fake_string(item, "role"), "shadow") == 0 ? shadows : shares;

		to[(int)fake_number(item, "version", 0) % (FAKE_VERSIONS + 1)] = (int)fake_number(item, "weight_bp", 0);
	}
	*live = f->live;
	for (int i = 1; i <= FAKE_VERSIONS && shares[f->live] == 0; i++)
		*live = shares[i] > shares[*live] ? i : *live;
}

static void route_write(const int *shares, const int *shadows, char *text, size_t size)
{
	size_t used = 0;

	for (int i = 1; i <= FAKE_VERSIONS; i++) {
		if (shares[i])
			used += (size_t)snprintf(text + used, size - used, "%sv%d %g%%", used ? " " : "", i,
						 shares[i] / 100.0);
		if (shadows[i])
			used += (size_t)snprintf(text + used, size - used, " v%d shadow %g%%", i, shadows[i] / 100.0);
	}
}

/* A gate that fails: a dry run tells of it, anything else is refused. */
static cJSON *gated(const struct fake_runtime *f, const cJSON *body, int *status)
{
	bool force = cJSON_IsTrue(cJSON_GetObjectItem(body, "force"));
	cJSON *answer;

	if (!f->gate || force || strcmp(fake_string(body, "action"), "rollback") == 0)
		return NULL;
	answer = fake_refusal(status, 412, "gate", "v3 answers 2.1% with an error");
	fake_finding_add(cJSON_AddArrayToObject(answer, "gates"), "error_rate", "fail", false,
			 "v3 answers 2.1% with an error");
	return answer;
}

static void gates_add(const struct fake_runtime *f, const cJSON *body, cJSON *answer)
{
	bool force = cJSON_IsTrue(cJSON_GetObjectItem(body, "force"));
	cJSON *gates = cJSON_AddArrayToObject(answer, "gates");

	fake_finding_add(gates, "ready", "pass", false, "v3 is ready");
	if (f->gate && force)
		fake_finding_add(gates, "error_rate", "fail", true, "v3 answers 2.1% with an error");
}

cJSON *fake_change(struct fake_runtime *f, const cJSON *body, int *status)
{
	const char *action = fake_string(body, "action");
	bool dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	bool weights = cJSON_GetObjectItem(body, "weights") || cJSON_GetObjectItem(body, "entries");
	int live = (int)fake_number(body, "version", f->previous), shares[FAKE_VERSIONS + 1] = {0};
	int shadows[FAKE_VERSIONS + 1] = {0};
	char text[128];
	cJSON *answer;

	if (weights)
		shares_take(f, body, shares, shadows, &live);
	if (!*action || live < 1 || live > FAKE_VERSIONS)
		return fake_refusal(status, 404, "not_found", "there is no such version");
	if (!weights)
		shares[live] = 10000;
	if ((int)fake_number(body, "expect_revision", -1) != f->revision)
		return fake_refusal(status, 409, "conflict", "the route is at another revision, that of grace");
	answer = gated(f, body, status);
	if (answer)
		return answer;
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "model", "flight-delay");
	cJSON_AddNumberToObject(answer, "based_on", f->revision);
	gates_add(f, body, answer);
	if (!dry_run) {
		f->previous = f->live;
		f->live = live;
		f->revision++;
		f->forced = cJSON_IsTrue(cJSON_GetObjectItem(body, "force"));
		memcpy(f->shares, shares, sizeof(shares));
		memcpy(f->shadows, shadows, sizeof(shadows));
		snprintf(f->reason, sizeof(f->reason), "%s", fake_string(body, "reason"));
	}
	cJSON_AddNumberToObject(answer, "revision", f->revision);
	cJSON_AddNumberToObject(answer, "live", live);
	route_write(shares, shadows, text, sizeof(text));
	cJSON_AddStringToObject(answer, "after", text);
	return answer;
}

/* "rollout", "rollout/pause" ... */
cJSON *fake_rollout_post(struct fake_runtime *f, const char *verb, const cJSON *body, int *status)
{
	bool start = strncmp(verb, "rollout ", 8) == 0, dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	cJSON *answer;

	if (start ? f->rollout[0] != '\0' : f->rollout[0] == '\0')
		return fake_refusal(status, 409, "conflict", start ? "a rollout is open" : "no rollout is open");
	if (!dry_run)
		snprintf(f->reason, sizeof(f->reason), "%s", fake_string(body, "reason"));
	if (strncmp(verb, "rollout/pause ", 14) == 0)
		snprintf(f->rollout, sizeof(f->rollout), "paused");
	else if (strncmp(verb, "rollout/abort ", 14) == 0)
		snprintf(f->rollout, sizeof(f->rollout), "aborted");
	else if (strncmp(verb, "rollout/skip ", 13) == 0)
		f->rollout_step = 1;
	else if (!dry_run)
		snprintf(f->rollout, sizeof(f->rollout), "running");
	if (start && !dry_run) {
		f->revision++;
		f->shares[3] = 100;
		f->shares[f->live] = 9900;
	}
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "model", "flight-delay");
	cJSON_AddNumberToObject(answer, "revision", f->revision);
	if (f->rollout[0])
		cJSON_AddItemToObject(answer, "rollout", fake_rollout(f));
	gates_add(f, body, answer);
	return answer;
}

cJSON *fake_policy_post(struct fake_runtime *f, const cJSON *body, int *status)
{
	const cJSON *set = cJSON_GetObjectItem(cJSON_GetObjectItem(body, "set"), "promoters");
	bool dry_run = cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run"));
	cJSON *answer;

	if (fake_number(body, "expect_number", f->policy_number) != f->policy_number)
		return fake_refusal(status, 409, "conflict", "grace set the policy meanwhile");
	if (!dry_run) {
		f->policy_number++;
		snprintf(f->setting, sizeof(f->setting), "promoters");
		snprintf(f->value, sizeof(f->value), "%s", cJSON_GetStringValue(set) ? cJSON_GetStringValue(set) : "");
		snprintf(f->reason, sizeof(f->reason), "%s", fake_string(body, "reason"));
	}
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "model", "flight-delay");
	cJSON_AddNumberToObject(answer, "number", f->policy_number);
	return answer;
}

cJSON *fake_acknowledge(struct fake_runtime *f, const cJSON *body)
{
	snprintf(f->note, sizeof(f->note), "%s", fake_string(body, "note"));
	return cJSON_CreateObject();
}
