#include "runtime/gate/gates.h"

#include "core/clock.h"
#include "runtime/gate/beside.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct gate gate_##name;
GATES(X)
#undef X

const struct gate *const gate_table[] = {
#define X(name) &gate_##name,
    GATES(X)
#undef X
};
const size_t gate_count = sizeof gate_table / sizeof *gate_table;

const struct gate *gate_find(const char *name)
{
	for (size_t i = 0; i < gate_count; i++)
		if (strcmp(gate_table[i]->name, name) == 0)
			return gate_table[i];
	return NULL;
}

/* --- for the gates --- */

void gate_say(struct finding *f, enum finding_verdict verdict, const char *format, ...)
{
	char text[2 * FINDING_TEXT_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	text_clean(f->text, sizeof f->text, text);
	f->verdict = verdict;
}

bool gate_enters(const struct gate_case *c)
{
	return (c->first || c->all) && !c->under_way;
}

uint32_t gate_live(const struct gate_case *c)
{
	return c->live != NULL ? c->live->version : 0;
}

bool gate_measurable(const struct gate_case *c)
{
	/* A rollout judges its steps itself, by the thresholds that it was started with. */
	return c->all && c->version_arm != NULL && c->change->rollout == NULL;
}

void gate_analyse(const struct gate_case *c, const char *name, struct finding *f)
{
	const struct analysis_input input = {c->policy, c->version_arm, c->live_arm};
	analysis_find(name)->judge(&input, f);
}

/* --- what was measured --- */

struct evidence {
	struct shadow_stats compared;
	struct analysis_arm version, live;
};

static void gather(struct gate_case *c, struct evidence *evidence)
{
	const struct route_entry *now = route_find(&c->model->route, c->version->version);
	memset(evidence, 0, sizeof *evidence);
	telemetry_read_shadow(c->version->telemetry, &evidence->compared);
	c->compared = &evidence->compared;
	c->version_arm = c->live_arm = NULL;
	if (now == NULL || now->role != ROUTE_CANARY || c->live == NULL)
		return;
	beside_read(c->model, c->version, &evidence->version, &evidence->live);
	c->version_arm = &evidence->version;
	c->live_arm = &evidence->live;
}

/* --- one change --- */

struct verdicts {
	struct finding *findings;
	size_t count;
	size_t blocking; /* how many hold the change up */
	struct finding first;
	bool denied;
	uint32_t version; /* that the first is about */
};

/* A gate that says no is never the one that is left out. */
static void keep(struct verdicts *v, const struct finding *f, bool blocks)
{
	size_t i = v->count;
	if (i < FINDINGS_MAX) {
		v->count++;
	} else if (blocks) {
		while (i > 0 && v->findings[i - 1].verdict != FINDING_PASS)
			i--;
		if (i == 0)
			return;
		i--;
	} else {
		return;
	}
	v->findings[i] = *f;
}

static void judge_gate(const struct gate_case *c, const struct gate *gate, struct verdicts *v)
{
	struct finding f = {.value = NAN, .threshold = NAN};
	if (!gate->applies(c))
		return;
	snprintf(f.name, sizeof f.name, "%s", gate->name);
	gate->judge(c, &f);
	bool waits = f.verdict == FINDING_WAIT && gate->measures;
	f.forced = f.verdict != FINDING_PASS && !waits && c->change->forced && !gate->absolute;
	bool blocks = f.verdict != FINDING_PASS && !waits && !f.forced;
	keep(v, &f, blocks);
	if (!blocks)
		return;
	if (v->blocking++ > 0)
		return;
	v->first = f;
	v->version = c->version->version;
	v->denied = gate == &gate_permission;
}

static void judge_version(struct gate_case *c, struct evidence *evidence, struct verdicts *v)
{
	gather(c, evidence);
	for (size_t i = 0; i < gate_count; i++)
		judge_gate(c, gate_table[i], v);
}

/* Its share of the requests, or with shadow of their copies. */
static uint32_t weight_in(const struct route *route, uint32_t version, bool shadow)
{
	const struct route_entry *entry = route_find(route, version);
	return entry != NULL && (entry->role == ROUTE_SHADOW) == shadow ? entry->weight_bp : 0;
}

/* Whether the entry gives its version more than it has. What stays live goes back to where it was, at most. */
static bool gives_more(const struct route *now, const struct route_entry *entry, uint32_t live_then)
{
	bool shadow = entry->role == ROUTE_SHADOW;
	if (entry->version == route_live(now))
		return false;
	return entry->version == live_then || entry->weight_bp > weight_in(now, entry->version, shadow);
}

static bool blank(const char *text)
{
	return text == NULL || text[strspn(text, " \t\r\n")] == '\0';
}

static int refuse(const struct verdicts *v, const char *model, struct err *e)
{
	char more[40] = "";
	if (v->blocking > 1)
		snprintf(more, sizeof more, " (and %zu more)", v->blocking - 1);
	return err_set(e, v->denied ? ERR_DENIED : ERR_GATE, "v%u of %s does not pass the gate %s: %s%s", v->version,
		       model, v->first.name, v->first.text, more);
}

static int judge_all(struct gate_case *c, const struct route *planned, struct verdicts *v, struct err *e)
{
	const struct route *now = &c->model->route;
	uint32_t live_then = route_live(planned);
	struct evidence *evidence = malloc(sizeof *evidence);
	bool judged = false;
	if (evidence == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while judging the gates");
	for (uint32_t i = 0; i < planned->entry_count; i++) {
		const struct route_entry *entry = &planned->entries[i];
		c->version = served_model_find(c->model, entry->version);
		if (c->version == NULL || !gives_more(now, entry, live_then))
			continue;
		c->shadow = entry->role == ROUTE_SHADOW;
		c->first = !c->shadow && weight_in(now, entry->version, false) == 0;
		/* More than half is all but in name: a split of 99.99% must not pass what a promotion does not. */
		c->all = entry->version == live_then || (!c->shadow && entry->weight_bp > ROUTE_BUCKETS / 2) ||
			 (c->change->rollout != NULL && !c->under_way);
		judge_version(c, evidence, v);
		judged = true;
	}
	free(evidence);
	/* A change that gives nobody more may still take from the arms of a test. */
	c->version = c->live;
	if (!judged && c->live != NULL)
		judge_gate(c, &gate_experiment, v);
	return v->blocking == 0 ? 0 : refuse(v, c->model->name, e);
}

int gates_judge(struct registry *registry, const struct served_model *m, const struct route *planned,
		const struct route_change *change, const struct actor *actor, struct finding findings[FINDINGS_MAX],
		size_t *count, struct err *e)
{
	struct policy_record policy;
	struct actor starter = *actor;
	struct verdicts v = {.findings = findings};
	int result = 0;

	*count = 0;
	if (route_change_goes_back(change))
		return 0;
	if (change->forced && !change->dry_run && blank(change->reason))
		return err_set(e, ERR_INPUT, "force needs a reason: it is marked in the audit for ever");
	if (registry_policy(registry, m->name, &policy, e) != 0)
		return -1;
	struct gate_case c = {
	    .registry = registry,
	    .model = m,
	    .change = change,
	    .actor = &starter,
	    .policy = &policy.policy,
	    .live = served_model_find(m, route_live(&m->route)),
	    .under_way = change->rollout != NULL && change->rollout->id != 0,
	    .now_ms = clock_unix_ms(),
	};
	if (c.under_way) {
		starter.uid = change->rollout->uid;
		text_clean(starter.name, sizeof starter.name, change->rollout->who);
	}
	result = judge_all(&c, planned, &v, e);
	*count = v.count;
	return result;
}

bool gates_overridden(const struct finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (findings[i].forced)
			return true;
	return false;
}

char *gates_evidence(const struct finding *findings, size_t count)
{
	cJSON *json = findings_to_json(findings, count);
	char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	return text;
}
