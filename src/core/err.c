#include "core/err.h"

#include "core/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int exit;
	int http;
	const char *name;
} codes[ERR_COUNT] = {
#define X(name, exit, http, text) [ERR_##name] = {exit, http, text},
    ERRS(X)
#undef X
};

static int set(struct err *e, enum err_code code, const char *format, va_list arguments, const char *suffix)
{
	if (e == NULL)
		return -1;
	char raw[ERR_TEXT_SIZE];
	vsnprintf(raw, sizeof raw, format, arguments);
	size_t used = strlen(raw);
	if (suffix != NULL)
		snprintf(raw + used, sizeof raw - used, ": %s", suffix);
	e->code = code;
	text_clean(e->text, sizeof e->text, raw);
	return -1;
}

int err_set(struct err *e, enum err_code code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	set(e, code, format, arguments, NULL);
	va_end(arguments);
	return -1;
}

static enum err_code code_of_errno(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return ERR_DISK_FULL;
	case ENOMEM:
		return ERR_MEMORY;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case ENOENT:
		return ERR_NOT_FOUND;
	default:
		return ERR_SYSTEM;
	}
}

int err_errno(struct err *e, int error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	set(e, code_of_errno(error), format, arguments, strerror(error));
	va_end(arguments);
	return -1;
}

int err_exit(enum err_code code)
{
	return codes[code].exit;
}

int err_http(enum err_code code)
{
	return codes[code].http;
}

const char *err_name(enum err_code code)
{
	return codes[code].name;
}

enum err_code err_by_name(const char *name)
{
	for (int code = 0; name != NULL && code < ERR_COUNT; code++)
		if (strcmp(codes[code].name, name) == 0)
			return (enum err_code)code;
	return ERR_SYSTEM;
}
