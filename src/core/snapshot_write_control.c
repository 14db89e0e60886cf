/* snapshot_write_control: the parts of a snapshot that concern the control of routes. */
#include "core/json.h"
#include "core/snapshot_writer.h"

cJSON *writer_revision(const struct snapshot_revision *r)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(
	    o, o != NULL && json_add_some(o, "revision", r->revision) && json_add_some(o, "based_on", r->based_on) &&
		   json_add_number(o, "at_ms", (double)r->at_ms) && json_add_text(o, "action", r->action) &&
		   json_add_text(o, "who", r->who) && json_add_text(o, "reason", r->reason) &&
		   json_add_boolean(o, "forced", r->forced) && json_add_text(o, "route", r->route));
}

cJSON *writer_audit(const struct audit_record *a)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, o != NULL && json_add_number(o, "id", (double)a->id) &&
				 json_add_number(o, "at_ms", (double)a->at_ms) && json_add_number(o, "uid", a->uid) &&
				 json_add_text(o, "who", a->who) && json_add_text(o, "client", a->client) &&
				 json_add_text(o, "action", a->action) && json_add_text(o, "model", a->model) &&
				 json_add_some(o, "version", a->version) && json_add_some(o, "revision", a->revision) &&
				 json_add_some(o, "based_on", a->based_on) && json_add_text(o, "outcome", a->outcome) &&
				 json_add_text(o, "reason", a->reason) && json_add_text(o, "detail", a->detail) &&
				 json_add_boolean(o, "forced", a->forced) && json_add_text(o, "hash", a->hash));
}

cJSON *writer_shadow(const struct shadow_stats *s)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(
	    o,
	    o != NULL && json_add_some(o, "against", s->against) &&
		json_add_number(o, "since_ms", (double)s->since_ms) &&
		json_add_number(o, "copied", (double)s->copied) && json_add_number(o, "dropped", (double)s->dropped) &&
		json_add_number(o, "failed", (double)s->failed) &&
		json_add_number(o, "compared", (double)s->compared) && json_add_number(o, "rows", (double)s->rows) &&
		json_add_number(o, "differing", (double)s->differing) &&
		json_add_number(o, "flips", (double)s->flips) &&
		json_add_number(o, "incomparable", (double)s->incomparable) &&
		json_add_number(o, "difference_sum", s->difference_sum) &&
		json_add_number(o, "absolute_sum", s->absolute_sum) &&
		json_add_number(o, "absolute_max", s->absolute_max) && writer_counts(o, "bins", s->bins, SHADOW_BINS) &&
		json_add_number(o, "live_ns_sum", (double)s->live_ns_sum) &&
		json_add_number(o, "shadow_ns_sum", (double)s->shadow_ns_sum) &&
		json_add_number(o, "live_p50_ns", (double)s->live_p50_ns) &&
		json_add_number(o, "live_p99_ns", (double)s->live_p99_ns) &&
		json_add_number(o, "shadow_p50_ns", (double)s->shadow_p50_ns) &&
		json_add_number(o, "shadow_p99_ns", (double)s->shadow_p99_ns));
}

static bool add_revisions(cJSON *object, const struct snapshot_model *m)
{
	cJSON *list = cJSON_AddArrayToObject(object, "revisions");
	bool complete = list != NULL;
	for (size_t i = 0; complete && i < m->revision_count; i++)
		complete = json_append(list, writer_revision(&m->revisions[i]));
	return complete;
}

static bool add_capture(cJSON *object, const struct snapshot_capture *c)
{
	cJSON *o = cJSON_AddObjectToObject(object, "capture");
	return o != NULL && json_add_number(o, "limit", (double)c->limit) &&
	       json_add_number(o, "rows", (double)c->rows) && json_add_number(o, "bytes", (double)c->bytes) &&
	       json_add_number(o, "seen", (double)c->seen) && json_add_number(o, "dropped", (double)c->dropped) &&
	       json_add_number(o, "too_large", (double)c->too_large) &&
	       json_add_number(o, "since_ms", (double)c->since_ms);
}

bool writer_control(cJSON *object, const struct snapshot_model *m)
{
	return (m->rollout == NULL || json_add(object, "rollout", rollout_to_json(m->rollout))) &&
	       json_add_boolean(object, "policy_set", m->policy_set) &&
	       (!m->policy_set || json_add(object, "policy", policy_to_json(&m->policy))) &&
	       (m->capture.limit == 0 || add_capture(object, &m->capture)) &&
	       (m->revision_count == 0 || add_revisions(object, m));
}
