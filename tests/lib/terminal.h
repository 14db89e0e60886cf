/*
 * terminal: a program in a pseudo-terminal whose screen a test reads, through libvterm.
 */
#ifndef TESTS_TERMINAL_H
#define TESTS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct terminal;

/* Runs start(context) in a child whose terminal this is; its result is the exit code. */
struct terminal *terminal_new(int columns, int rows, int (*start)(void *), void *context);
/* Kills the child if it still runs. */
void terminal_free(struct terminal *t);
pid_t terminal_pid(const struct terminal *t);
void terminal_type(struct terminal *t, const char *keys);
/* Waits, without reading the screen, until the child has output waiting and has taken all that was typed. */
void terminal_held(struct terminal *t);
void terminal_resize(struct terminal *t, int columns, int rows);
/* Takes what the child has written so far, waiting up to wait_ms for the first of it. */
void terminal_read(struct terminal *t, int wait_ms);
/* Reads until text is on the screen (or, with gone, is not); false after ten seconds. */
bool terminal_shows(struct terminal *t, const char *text);
bool terminal_lacks(struct terminal *t, const char *text);
/* The row on which text stands, or -1. */
int terminal_row(struct terminal *t, const char *text);
/* One row as UTF-8 without trailing blanks. */
void terminal_line(struct terminal *t, int row, char *line, size_t size);
void terminal_print(struct terminal *t);
size_t terminal_bytes(const struct terminal *t);
bool terminal_alternate(const struct terminal *t);
bool terminal_cooked(const struct terminal *t);
/* Waits for the end: the wait status, or -1 after ten seconds. */
int terminal_wait(struct terminal *t);
/* Hangs up. */
void terminal_hang_up(struct terminal *t);

#endif
