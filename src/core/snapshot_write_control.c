/* snapshot_write_control: the parts of a snapshot that concern the control of routes. */
#include "core/snapshot_writer.h"

cJSON *writer_revision(const struct snapshot_revision *r)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(
	    o, o != NULL && writer_id(o, "revision", r->revision) && writer_id(o, "based_on", r->based_on) &&
		   writer_number(o, "at_ms", (double)r->at_ms) && writer_string(o, "action", r->action) &&
		   writer_string(o, "who", r->who) && writer_string(o, "reason", r->reason) &&
		   writer_bool(o, "forced", r->forced) && writer_string(o, "route", r->route));
}

cJSON *writer_audit(const struct audit_record *a)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(o, o != NULL && writer_number(o, "id", (double)a->id) &&
				   writer_number(o, "at_ms", (double)a->at_ms) && writer_number(o, "uid", a->uid) &&
				   writer_string(o, "who", a->who) && writer_string(o, "client", a->client) &&
				   writer_string(o, "action", a->action) && writer_string(o, "model", a->model) &&
				   writer_id(o, "version", a->version) && writer_id(o, "revision", a->revision) &&
				   writer_id(o, "based_on", a->based_on) && writer_string(o, "outcome", a->outcome) &&
				   writer_string(o, "reason", a->reason) && writer_string(o, "detail", a->detail) &&
				   writer_bool(o, "forced", a->forced) && writer_string(o, "hash", a->hash));
}

cJSON *writer_shadow(const struct shadow_stats *s)
{
	cJSON *o = cJSON_CreateObject();
	return writer_whole(
	    o, o != NULL && writer_id(o, "against", s->against) && writer_number(o, "since_ms", (double)s->since_ms) &&
		   writer_number(o, "copied", (double)s->copied) && writer_number(o, "dropped", (double)s->dropped) &&
		   writer_number(o, "failed", (double)s->failed) && writer_number(o, "compared", (double)s->compared) &&
		   writer_number(o, "rows", (double)s->rows) && writer_number(o, "differing", (double)s->differing) &&
		   writer_number(o, "flips", (double)s->flips) &&
		   writer_number(o, "incomparable", (double)s->incomparable) &&
		   writer_number(o, "difference_sum", s->difference_sum) &&
		   writer_number(o, "absolute_sum", s->absolute_sum) &&
		   writer_number(o, "absolute_max", s->absolute_max) &&
		   writer_counts(o, "bins", s->bins, SHADOW_BINS) &&
		   writer_number(o, "live_ns_sum", (double)s->live_ns_sum) &&
		   writer_number(o, "shadow_ns_sum", (double)s->shadow_ns_sum) &&
		   writer_number(o, "live_p50_ns", (double)s->live_p50_ns) &&
		   writer_number(o, "live_p99_ns", (double)s->live_p99_ns) &&
		   writer_number(o, "shadow_p50_ns", (double)s->shadow_p50_ns) &&
		   writer_number(o, "shadow_p99_ns", (double)s->shadow_p99_ns));
}

static bool add_revisions(cJSON *object, const struct snapshot_model *m)
{
	cJSON *list = cJSON_AddArrayToObject(object, "revisions");
	bool complete = list != NULL;
	for (size_t i = 0; complete && i < m->revision_count; i++)
		complete = writer_append(list, writer_revision(&m->revisions[i]));
	return complete;
}

bool writer_control(cJSON *object, const struct snapshot_model *m)
{
	return (m->rollout == NULL || writer_add(object, "rollout", rollout_to_json(m->rollout))) &&
	       writer_bool(object, "policy_set", m->policy_set) &&
	       (!m->policy_set || writer_add(object, "policy", policy_to_json(&m->policy))) &&
	       (m->revision_count == 0 || add_revisions(object, m));
}
