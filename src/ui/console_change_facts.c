/* What the dialog of a change says before anything is done: what serves now, and what would. */
#include "ui/console_state.h"

#include <stdio.h>
#include <string.h>

static void route_now(const struct snapshot_model *m, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "nothing is live");
	for (uint32_t i = 0; i < m->route_count && used < size; i++) {
		const struct route_entry *r = &m->route[i];

		used += (size_t)snprintf(text + used, size - used, "%sv%u %g%%%s", used ? " " : "", r->version,
					 r->weight_bp / 100.0, r->role == ROUTE_SHADOW ? " shadow" : "");
	}
}

static void version_line(struct change *change, const struct snapshot_model *m, uint32_t version)
{
	const struct snapshot_version *v = snapshot_version_of(m, version);
	const struct snapshot_version_stats *s = snapshot_stats_of(m, version);
	char rate[16], p99[16];

	if (!v) {
		dialog_line(&change->dialog, ROLE_BAD, "v%u\tthere is no such version", version);
		return;
	}
	if (strcmp(v->state, "ready") != 0) {
		dialog_line(&change->dialog, ROLE_BAD, "v%u\t%s: %s", version, v->state, v->note);
		return;
	}
	if (!s || s->stats.requests == 0) {
		dialog_line(&change->dialog, ROLE_DIM, "v%u%s\tready, no traffic now (none in the last %u s)", version,
			    version == m->live ? " live" : "", m->window_s);
		return;
	}
	text_count(rate, sizeof(rate), s->stats.rate_rps);
	text_duration(p99, sizeof(p99), (double)s->stats.latency.p99_ns, false);
	dialog_line(&change->dialog, s->stats.errors ? ROLE_WARNING : ROLE_TEXT,
		    "v%u%s\t%s req/s, p99 %s, errors %.2f%%", version, version == m->live ? " live" : "", rate, p99,
		    snapshot_error_percent(&s->stats));
}

/* The versions that the change is about: what serves now, and what would. */
static void version_lines(struct change *change, const struct snapshot_model *m)
{
	const char *target = change->dialog.fields[CHANGE_TARGET].value;
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	uint32_t shown[ROUTE_ENTRIES_MAX * 2 + 1];
	size_t shown_count = 0, count = 0;
	long long number = 0;

	for (uint32_t i = 0; i < m->route_count; i++)
		shown[shown_count++] = m->route[i].version;
	if (change->kind == CHANGE_PROMOTE &&
	    text_integer(*target == 'v' ? target + 1 : target, 1, UINT32_MAX, &number)) {
		entries[0].version = (uint32_t)number;
		count = 1;
	} else if (change->kind == CHANGE_SPLIT && change_weights(target, entries, &count, NULL) != 0) {
		count = 0;
	} else if (change->kind == CHANGE_ROLLBACK && change->after[0] && change->after_live) {
		entries[0].version = change->after_live;
		count = 1;
	}
	for (size_t i = 0; i < count; i++) {
		bool known = false;

		for (size_t j = 0; j < shown_count; j++)
			known = known || shown[j] == entries[i].version;
		if (!known)
			shown[shown_count++] = entries[i].version;
	}
	for (size_t i = 0; i < shown_count && i < 6; i++)
		version_line(change, m, shown[i]);
}

/* The revision that a rollback gives back: the one typed, else the newest that holds the route of the dry run,
 * one that no rollback made before one that a rollback made. 0: not in the history at hand. */
uint32_t change_revision_returned(const struct change *change, const struct snapshot_model *m)
{
	const char *target = change->dialog.fields[CHANGE_TARGET].value;
	uint32_t copy = 0;
	long long typed = 0;

	if (change->kind != CHANGE_ROLLBACK || !change->after[0])
		return 0;
	if (*target)
		return text_integer(*target == 'r' ? target + 1 : target, 1, UINT32_MAX, &typed) ? (uint32_t)typed : 0;
	for (size_t i = 1; i < m->history_count; i++) {
		if (strcmp(m->history[i].route, change->after) != 0)
			continue;
		if (strcmp(m->history[i].action, "rollback") != 0)
			return m->history[i].revision;
		if (!copy)
			copy = m->history[i].revision;
	}
	return copy;
}

void change_facts(struct change *change, const struct snapshot_model *m)
{
	struct dialog *d = &change->dialog;
	char now[128];

	route_now(m, now, sizeof(now));
	d->line_count = 0;
	dialog_line(d, change->moved[0] ? ROLE_WARNING : ROLE_TEXT, "now\t%s (revision %u)", now, m->revision);
	if (change->moved[0])
		dialog_line(d, ROLE_WARNING, "meanwhile\t%s", change->moved);
	if (change->moved_to)
		dialog_line(d, ROLE_DIM, "after\tshown when enter was pressed");
	else if (change->dry_error[0])
		dialog_line(d, ROLE_BAD, "after\t%s", change->dry_error);
	else if (change->after_revision)
		dialog_line(d, ROLE_TITLE, "after\t%s (as in revision %u)", change->after, change->after_revision);
	else
		dialog_line(d, ROLE_TITLE, "after\t%s", change->after[0] ? change->after : "asking the runtime");
	dialog_line(d, ROLE_TEXT, "%s", "");
	version_lines(change, m);
	dialog_line(d, ROLE_TEXT, "%s", "");
	if (change->kind == CHANGE_ROLLBACK)
		dialog_line(d, ROLE_DIM, "New requests follow at once, none is dropped; to undo: rollback --to %u.",
			    m->revision);
	else
		dialog_line(d, ROLE_DIM, "New requests follow at once, none is dropped; r goes back.");
}
