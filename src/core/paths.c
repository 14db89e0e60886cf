#include "core/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sizeof (struct sockaddr_un).sun_path, less the NUL. */
#define SOCKET_PATH_MAX 107

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

static int fits(int length, size_t size, const char *what, struct err *e)
{
	if (length >= 0 && (size_t)length < size)
		return 0;
	return err_set(e, ERR_INPUT, "the path of the %s is too long: %d bytes, at most %zu", what, length, size - 1);
}

int paths_state(char *path, size_t size, struct err *e)
{
	static const char what[] = "state directory";
	const char *base = environment("MLDECK_STATE");
	if (base != NULL)
		return fits(snprintf(path, size, "%s", base), size, what, e);
	base = environment("XDG_STATE_HOME");
	/* The XDG base directory specification: a relative path there is to be ignored. */
	if (base != NULL && base[0] == '/')
		return fits(snprintf(path, size, "%s/mldeck", base), size, what, e);
	if (geteuid() == 0)
		return fits(snprintf(path, size, "/var/lib/mldeck"), size, what, e);
	base = environment("HOME");
	if (base == NULL)
		return err_set(e, ERR_INPUT,
			       "HOME is not set, so there is no place for state: set MLDECK_STATE or "
			       "give --state DIR");
	return fits(snprintf(path, size, "%s/.local/state/mldeck", base), size, what, e);
}

int paths_socket(const char *state, char *path, size_t size, struct err *e)
{
	const char *given = environment("MLDECK_SOCKET");
	int length =
	    given != NULL ? snprintf(path, size, "%s", given) : snprintf(path, size, "%s/control/mldeck.sock", state);
	if (length > SOCKET_PATH_MAX)
		return err_set(e, ERR_INPUT,
			       "the socket's path is %d bytes long and a Unix socket takes at most %d: "
			       "set MLDECK_SOCKET or give --socket with a shorter one",
			       length, SOCKET_PATH_MAX);
	return fits(length, size, "control socket", e);
}
