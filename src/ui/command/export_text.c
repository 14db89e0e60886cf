/* export_text: lines of a models file, so that the same state is the same bytes. */
#include "ui/command/export.h"

#include "core/models_file.h"
#include "core/shares.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 150 /* bytes; with its key it is well within a line */
#define SHARES_A_LINE 8
#define WORDS_MAX 100 /* bytes of a list in a line */

static int compare_entries(const void *a, const void *b)
{
	const struct route_entry *one = a, *other = b;

	return one->version < other->version ? -1 : one->version > other->version;
}

/* "route = 1=90 2=10" of the entries that are shadows, or are not. */
static void shares(struct buf *text, const char *key, const struct route_entry *entries, size_t count, bool shadows)
{
	char share[SHARE_TEXT_SIZE];
	size_t written = 0;

	for (size_t i = 0; i < count; i++) {
		if ((entries[i].role == ROUTE_SHADOW) != shadows)
			continue;
		if (written == 0)
			buf_format(text, "%s =", key);
		else if (written % SHARES_A_LINE == 0)
			buf_add_string(text, "\n ");
		share_text(share, entries[i].weight_bp);
		buf_format(text, " %u=%s", entries[i].version, share);
		written++;
	}
	if (written > 0)
		buf_add_char(text, '\n');
}

void export_route(struct buf *text, const struct snapshot_model *m)
{
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	size_t serving = 0;

	memcpy(entries, m->route, sizeof(entries));
	qsort(entries, m->route_count, sizeof(*entries), compare_entries);
	for (size_t i = 0; i < m->route_count; i++)
		serving += entries[i].role != ROUTE_SHADOW;
	if (m->route_count == 0)
		buf_add_string(text, "route = none\n");
	shares(text, "route", entries, m->route_count, false);
	if (serving > 1)
		buf_format(text, "live = %u\n", m->live);
	shares(text, "shadow", entries, m->route_count, true);
}

/* A list of names may be longer than a line. */
static void policy_line(struct buf *text, const char *name, const char *value)
{
	if (strcmp(name, "promoters") != 0 && strcmp(name, "tests") != 0) {
		buf_format(text, "policy.%s = %s\n", name, value);
		return;
	}
	buf_format(text, "policy.%s =", name);
	for (size_t width = 0; *value; value += strspn(value, " ")) {
		size_t size = strcspn(value, " ");

		if (width > 0 && width + size > WORDS_MAX) {
			buf_add_string(text, "\n ");
			width = 0;
		}
		buf_add_char(text, ' ');
		buf_add(text, value, size);
		width += size + 1;
		value += size;
	}
	buf_add_char(text, '\n');
}

void export_policy(struct buf *text, const struct policy *policy)
{
	char value[POLICY_NAMES_SIZE];
	const char *name, *help;

	for (size_t i = 0; policy_row(policy, i, &name, value, &help); i++)
		if (!policy_is_default(policy, i))
			policy_line(text, name, value);
}

/* inih begins a comment at a `;` behind a blank, and cuts blanks at both ends. */
bool export_plain(const char *value)
{
	size_t size = strlen(value);

	if (size == 0 || size > VALUE_MAX || value[0] == ';' || strchr(" \t", value[0]) ||
	    strchr(" \t", value[size - 1]))
		return false;
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127 || (*c == ' ' && c[1] == ';'))
			return false;
	return true;
}
