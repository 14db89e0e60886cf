/*
 * picture: a view drawn from a snapshot, off the console.
 *
 * Pure functions; any thread.
 */
#ifndef UI_PICTURE_H
#define UI_PICTURE_H

#include "core/snapshot.h"
#include "ui/view/canvas.h"

#include <stdbool.h>
#include <stdint.h>

struct picture {
	const char *view;
	const char *model;      /* the selected one, or NULL for the first */
	int64_t job;            /* the selected one, or 0 for the first */
	int64_t test;           /* the selected or open one, or 0 for the newest in the snapshot */
	int64_t with;           /* opened beside it; 0: none */
	const char *experiment; /* the A/B test of the model to select or open; NULL: the first */
	int columns, rows;
	enum charset charset;
	bool demo;
};

/* A canvas with the whole screen, as of the snapshot's own clock. NULL when memory is out. */
struct canvas *picture_draw(const struct picture *p, const struct snapshot *s);

#endif
