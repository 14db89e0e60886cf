#include "core/config.h"
#include "ui/command/deploy.h"
#include "ui/command/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec remote_options[] = {OPTIONS_REMOTE, OPTION_END};

static int refuse_options(const struct arguments *a, struct err *e)
{
	for (const struct option_spec *o = remote_options; o->name; o++)
		if (o->value ? arguments_value(a, o->name) != NULL : arguments_flag(a, o->name))
			return err_set(e, ERR_INPUT,
				       "--%s is for a model on another server: give its URL instead of a file",
				       o->name);
	return 0;
}

/* The runtime opens it, whose working directory is another. A link stays one: what it leads to may
 * change. */
static int read_path(const struct arguments *a, const char *option, char path[CONFIG_PATH_SIZE], struct err *e)
{
	const char *given = arguments_value(a, option);
	char *folder = NULL;
	int size;

	if (!given)
		return 0;
	if (given[0] != '/' && !(folder = getcwd(NULL, 0)))
		return err_errno(e, errno, "the working directory cannot be read");
	size = snprintf(path, CONFIG_PATH_SIZE, "%s%s%s", folder ? folder : "", folder ? "/" : "", given);
	free(folder);
	if (size < 0 || size >= CONFIG_PATH_SIZE)
		return err_set(e, ERR_INPUT, "the path of --%s is longer than %d bytes", option, CONFIG_PATH_SIZE - 1);
	if (access(path, R_OK) != 0)
		return err_errno(e, errno, "%s cannot be opened", path);
	return 0;
}

/* A time as the configuration file has it. */
static int read_time(const struct arguments *a, const char *option, const char *key, struct config *c, struct err *e)
{
	const char *value = arguments_value(a, option);

	return value ? config_set(c, "remote", key, value, e) : 0;
}

static int read_limits(const struct arguments *a, struct remote *r, struct err *e)
{
	struct config c;
	long long retries;

	config_init(&c);
	if (read_time(a, "timeout", "timeout", &c, e) != 0 ||
	    read_time(a, "connect-timeout", "connect_timeout", &c, e) != 0 ||
	    output_number(a, "retries", 0, REMOTE_RETRIES_MAX, -1, &retries, e) != 0)
		return -1;
	if (arguments_value(a, "timeout"))
		r->timeout_ms = c.remote.timeout_ms;
	if (arguments_value(a, "connect-timeout"))
		r->connect_timeout_ms = c.remote.connect_timeout_ms;
	r->retries = (int)retries;
	r->free_rows = arguments_flag(a, "free-rows");
	return 0;
}

static int read_signature(const struct arguments *a, struct remote *r, struct err *e)
{
	const char *path = arguments_value(a, "signature");
	struct buf text;
	int result;

	if (!path)
		return 0;
	buf_init(&text);
	result = deploy_read_file(path, REMOTE_DESCRIPTOR_MAX / 2, &text, e);
	if (result == 0) {
		r->signature = cJSON_ParseWithLength(text.data, text.size);
		if (!cJSON_IsObject(r->signature))
			result = err_set(e, ERR_INPUT, "%s is no JSON object with `inputs` and `outputs`", path);
	}
	buf_release(&text);
	return result;
}

int deploy_read_remote(const struct arguments *a, struct remote *r, bool *url, struct err *e)
{
	remote_init(r);
	*url = remote_is_url(arguments_at(a, 1));
	if (!*url)
		return refuse_options(a, e);
	if (remote_url_read(arguments_at(a, 1), r->url, e) == 0 && read_path(a, "token-file", r->token_file, e) == 0 &&
	    read_path(a, "ca-file", r->ca_file, e) == 0 && read_limits(a, r, e) == 0 && read_signature(a, r, e) == 0)
		return 0;
	remote_release(r);
	return -1;
}
