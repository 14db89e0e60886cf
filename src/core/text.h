/*
 * text: names and strings that reach a terminal, a log or a file.
 *
 * Pure functions on the caller's buffers; any thread.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_NAME_MAX 64
#define TEXT_CHARACTER_MAX 4 /* bytes of the longest UTF-8 character */

/* Whether a model's name has the form [a-z0-9][a-z0-9._-]{0,63}. */
bool text_name_valid(const char *name);

/* Copies raw into clean (size bytes with the final NUL), showing control characters (C0, DEL, C1) and
 * bytes that are not UTF-8 as \xNN, and cutting only between whole characters. */
void text_clean(char *clean, size_t size, const char *raw);

/* Bytes of the UTF-8 character that starts at text (1 to 4), or 0 where it is not valid UTF-8 (overlong
 * forms, surrogates and beyond U+10FFFF are not). */
size_t text_character_size(const char *text);
/* The same where no NUL ends the text: of the first `left` bytes, at least one. */
size_t text_character_within(const char *text, size_t left);

/* Whether it ends with this, or is it. */
bool text_ends_with(const char *text, const char *end);

/* Parses a whole decimal number in [low, high]; false for anything else. */
bool text_integer(const char *text, long long low, long long high, long long *number);

/* Adds a word to command so that a shell reads it back unchanged; false when it did not fit (then cut). */
bool text_quote(char *command, size_t size, const char *word);

/* "38µs", "1.2ms", "14s" with two or three digits (ascii: "38us"). */
void text_duration(char *text, size_t size, double ns, bool ascii);

/* "310", "5.2k", "1.3M": a count or a rate in at most five characters. */
void text_count(char *text, size_t size, double count);

/* "310 B", "96.7 kB", "1.2 GB": a size in at most eight characters. */
void text_bytes(char *text, size_t size, double bytes);

/* "12d 04:10" or "04:10:09": time since a start. */
void text_uptime(char *text, size_t size, long long seconds);

/* "40 s", "5 min", "3 h", "2 days": how long ago, roughly. */
#define TEXT_AGE_SIZE 32
void text_age(char text[TEXT_AGE_SIZE], long long seconds);

#endif
