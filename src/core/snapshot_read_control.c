/* snapshot_read_control: the parts of a snapshot that concern the control of routes. */
#include "core/snapshot_reader.h"

#include <stdlib.h>

void reader_revision(struct reader *r, struct snapshot_revision *v)
{
	v->revision = reader_count32(r, "revision");
	v->based_on = reader_count32(r, "based_on");
	v->at_ms = (int64_t)reader_count(r, "at_ms");
	reader_string(r, "action", v->action, sizeof(v->action));
	reader_string(r, "who", v->who, sizeof(v->who));
	reader_string(r, "reason", v->reason, sizeof(v->reason));
	v->forced = reader_bool(r, "forced");
	reader_string(r, "route", v->route, sizeof(v->route));
}

void reader_shadow(struct reader *outer, struct shadow_stats *s)
{
	struct reader r;
	if (!reader_enter(outer, &r, "shadow"))
		return;
	s->against = reader_count32(&r, "against");
	s->since_ms = (int64_t)reader_count(&r, "since_ms");
	s->copied = reader_count(&r, "copied");
	s->dropped = reader_count(&r, "dropped");
	s->failed = reader_count(&r, "failed");
	s->compared = reader_count(&r, "compared");
	s->rows = reader_count(&r, "rows");
	s->differing = reader_count(&r, "differing");
	s->flips = reader_count(&r, "flips");
	s->incomparable = reader_count(&r, "incomparable");
	s->difference_sum = reader_number(&r, "difference_sum", 0);
	s->absolute_sum = reader_number(&r, "absolute_sum", 0);
	s->absolute_max = reader_number(&r, "absolute_max", 0);
	reader_counts(&r, "bins", s->bins, SHADOW_BINS);
	s->live_ns_sum = reader_count(&r, "live_ns_sum");
	s->shadow_ns_sum = reader_count(&r, "shadow_ns_sum");
	s->live_p50_ns = reader_count(&r, "live_p50_ns");
	s->live_p99_ns = reader_count(&r, "live_p99_ns");
	s->shadow_p50_ns = reader_count(&r, "shadow_p50_ns");
	s->shadow_p99_ns = reader_count(&r, "shadow_p99_ns");
	outer->failed |= r.failed;
}

static void read_rollout(struct reader *r, struct snapshot_model *m)
{
	const cJSON *item = reader_get(r, "rollout");
	struct err e = {0};
	if (item == NULL)
		return;
	m->rollout = calloc(1, sizeof(*m->rollout));
	if (m->rollout == NULL)
		reader_no_memory(r);
	else if (rollout_from_json(item, m->rollout, &e) != 0)
		reader_wrong(r, "rollout", &e);
	else if (m->rollout->step_count == 0 || m->rollout->step >= m->rollout->step_count)
		reader_fail(r, "rollout", "at one of its steps"); /* every view counts on it */
}

static void read_policy(struct reader *r, struct snapshot_model *m)
{
	const cJSON *item = reader_get(r, "policy");
	struct err e = {0};
	policy_init(&m->policy);
	m->policy_set = reader_bool(r, "policy_set");
	if (item != NULL && policy_from_json(item, &m->policy, &e) != 0)
		reader_wrong(r, "policy", &e);
}

static void read_capture(struct reader *outer, struct snapshot_model *m)
{
	struct reader r;
	/* Most models have none. */
	if (reader_get(outer, "capture") == NULL || !reader_enter(outer, &r, "capture"))
		return;
	m->capture.limit = reader_count(&r, "limit");
	m->capture.rows = reader_count(&r, "rows");
	m->capture.bytes = reader_count(&r, "bytes");
	m->capture.seen = reader_count(&r, "seen");
	m->capture.dropped = reader_count(&r, "dropped");
	m->capture.too_large = reader_count(&r, "too_large");
	m->capture.since_ms = (int64_t)reader_count(&r, "since_ms");
	outer->failed |= r.failed;
}

static void read_revisions(struct reader *outer, struct snapshot_model *m)
{
	size_t length;
	const cJSON *list = reader_array(outer, "revisions", SNAPSHOT_REVISIONS_MAX, &length), *item;
	struct reader r;
	m->revisions = length > 0 ? calloc(length, sizeof(m->revisions[0])) : NULL;
	if (length > 0 && m->revisions == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "revisions", item, &r))
			return;
		reader_revision(&r, &m->revisions[m->revision_count++]);
		outer->failed |= r.failed;
	}
}

void reader_control(struct reader *r, struct snapshot_model *m)
{
	read_rollout(r, m);
	read_policy(r, m);
	read_capture(r, m);
	read_revisions(r, m);
}

void reader_alerts(struct reader *r, struct snapshot *s)
{
	size_t length;
	const cJSON *list = reader_array(r, "alerts", SNAPSHOT_ALERTS_MAX, &length), *item;
	struct err e = {0};
	s->alerts = length > 0 ? calloc(length, sizeof(s->alerts[0])) : NULL;
	if (length > 0 && s->alerts == NULL) {
		reader_no_memory(r);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (r->failed)
			return;
		if (alert_from_json(item, &s->alerts[s->alert_count++], &e) != 0)
			reader_wrong(r, "alerts", &e);
	}
}

static void read_audit(struct reader *r, struct audit_record *a)
{
	a->id = (int64_t)reader_count(r, "id");
	a->at_ms = (int64_t)reader_count(r, "at_ms");
	a->uid = reader_count32(r, "uid");
	reader_string(r, "who", a->who, sizeof(a->who));
	reader_string(r, "client", a->client, sizeof(a->client));
	reader_string(r, "action", a->action, sizeof(a->action));
	reader_string(r, "model", a->model, sizeof(a->model));
	a->version = reader_count32(r, "version");
	a->revision = reader_count32(r, "revision");
	a->based_on = reader_count32(r, "based_on");
	reader_string(r, "outcome", a->outcome, sizeof(a->outcome));
	reader_string(r, "reason", a->reason, sizeof(a->reason));
	reader_string(r, "detail", a->detail, sizeof(a->detail));
	reader_string(r, "hash", a->hash, sizeof(a->hash));
	a->forced = reader_bool(r, "forced");
	a->data = ""; /* a console has no use for it */
}

void reader_audits(struct reader *outer, struct snapshot *s)
{
	size_t length;
	const cJSON *list = reader_array(outer, "audits", SNAPSHOT_AUDITS_MAX, &length), *item;
	struct reader r;
	s->audits = length > 0 ? calloc(length, sizeof(s->audits[0])) : NULL;
	if (length > 0 && s->audits == NULL) {
		reader_no_memory(outer);
		return;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!reader_element(outer, "audits", item, &r))
			return;
		read_audit(&r, &s->audits[s->audit_count++]);
		outer->failed |= r.failed;
	}
}
