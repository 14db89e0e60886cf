/*
 * line_edit: typing and editing one line of UTF-8. Pure functions on the caller's buffer.
 */
#ifndef UI_LINE_EDIT_H
#define UI_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>

/* Applies a key (a character or a draw_key) at *cursor, a byte offset between characters. Whether the key was
 * one for editing; a character that does not fit changes nothing. */
bool line_edit(char *text, size_t size, size_t *cursor, int key);

/*
 * Splits a line into words as a shell would without expansions: blanks part, '…', "…" and \ quote. Words
 * point into storage, which has strlen(line) + 1 bytes. Returns their number, or -1 with a quote left
 * open or more than max words.
 */
int line_split(const char *line, char *storage, char **words, int max);

#endif
