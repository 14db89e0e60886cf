/*
 * route_editor: shares of a route as rows that keys change; they always add up to 100%.
 *
 * A plain value and pure functions. Rows are the versions of a model, newest first, then the shadows. What one version
 * gets or gives up is balanced on the live version, and where that is the one that changes, on the version with the
 * next greatest share. Nothing is sent from here (console_change).
 */
#ifndef UI_ROUTE_EDITOR_H
#define UI_ROUTE_EDITOR_H

#include "core/snapshot.h"
#include "ui/view/chart.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTE_EDITOR_ROWS_MAX 24
#define ROUTE_EDITOR_STEP_BP 100
#define ROUTE_EDITOR_PAGE_BP 1000

struct route_editor_row {
	uint32_t version;
	bool shadow; /* share is that of the requests which are copied */
	bool ready;  /* it could serve */
	uint32_t weight_bp, before_bp;
};

struct route_editor {
	size_t row_count, at; /* at: the row that keys change */
	struct route_editor_row rows[ROUTE_EDITOR_ROWS_MAX];
	uint32_t live;   /* of the route as it was */
	char typed[8];   /* digits of a share being typed; "" none */
	double rate_rps; /* of the model, for the live effect */
};

/* Rows of the model's versions that serve or could: those in the route, the selected one, then the newest. */
void route_editor_init(struct route_editor *editor, const struct snapshot_model *m, uint32_t selected);
/* The same rows take what is new of the model: rates and, while nothing was changed here, its shares. */
void route_editor_refresh(struct route_editor *editor, const struct snapshot_model *m);
/* left, right: 1%; page up, page down and shift+left, shift+right: 10%; home, end: none, all; digits type a share.
 * Whether the key was one for the rows. Up and down move between the rows; beyond an end they are not taken. */
bool route_editor_key(struct route_editor *editor, int key);
/* Weights of live and canaries, and of shadows that differ from before (0: it ends). */
size_t route_editor_shares(const struct route_editor *editor, struct route_entry *entries);
size_t route_editor_shadows(const struct route_editor *editor, struct route_entry *entries);
bool route_editor_shares_changed(const struct route_editor *editor);
/* The whole route, with roles: what an `apply` takes. */
size_t route_editor_entries(const struct route_editor *editor, struct route_entry *entries);
/* The version that would be live. */
uint32_t route_editor_live(const struct route_editor *editor);
/* Of 10,000 units how many would see another version. */
uint32_t route_editor_moved_bp(const struct route_editor *editor);

/* Rows that it takes with everything shown. */
int route_editor_rows(const struct route_editor *editor);
void route_editor_draw(struct canvas *c, struct area area, const struct route_editor *editor, bool focused);

#endif
