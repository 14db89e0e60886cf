#include "ui/command/output.h"

#include "core/paths.h"
#include "core/registry/registry.h"
#include "core/text.h"

#include <errno.h>
#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 2048

int output_client(const struct arguments *a, const char *program, struct client **client, struct err *e)
{
	char path[PATHS_SIZE];

	*client = NULL;
	if (arguments_socket(a, path, sizeof(path), e) != 0)
		return -1;
	*client = client_new(path, program);
	return *client ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

cJSON *output_body(const char *name, const char *text)
{
	cJSON *body = cJSON_CreateObject();

	if (!text || cJSON_AddStringToObject(body, name, text))
		return body;
	cJSON_Delete(body);
	return NULL;
}

int output_post(const struct arguments *a, const char *program, const char *path, cJSON *body, int timeout_ms,
		int (*print)(const struct arguments *a, const cJSON *answer, struct err *e), struct err *e)
{
	struct client *client = NULL;
	cJSON *answer = NULL;
	int result = -1;

	if (!body)
		err_set(e, ERR_MEMORY, "memory is out");
	else if (output_client(a, program, &client, e) == 0 &&
		 client_post(client, path, body, timeout_ms, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : print(a, answer, e);
	cJSON_Delete(answer);
	client_free(client);
	cJSON_Delete(body);
	return result;
}

int output_snapshot(struct client *client, int window_s, struct snapshot **snapshot, struct err *e)
{
	char path[64];
	cJSON *json;

	*snapshot = NULL;
	snprintf(path, sizeof(path), "/control/v1/snapshot?window_s=%d", window_s);
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &json, e) != 0)
		return -1;
	int result = snapshot_from_json(json, snapshot, e);
	cJSON_Delete(json);
	return result;
}

int output_model(const char *name, struct err *e)
{
	if (text_name_valid(name))
		return 0;
	return err_set(e, ERR_INPUT,
		       "%s is no model name: a name is 1 to 64 characters of a-z, 0-9, '.', "
		       "'_' and '-', and starts with a letter or digit",
		       *name ? name : "\"\"");
}

int output_version(const char *text, uint32_t *version, struct err *e)
{
	long long number;

	if (!text_integer(*text == 'v' ? text + 1 : text, 1, VERSIONS_MAX, &number))
		return err_set(e, ERR_INPUT, "%s is no version: write 3 or v3", *text ? text : "\"\"");
	*version = (uint32_t)number;
	return 0;
}

int output_reason(const struct arguments *a, const char *needed, struct err *e)
{
	const char *reason = arguments_value(a, "reason");

	if (needed && (!reason || strspn(reason, " \t\r\n") == strlen(reason)))
		return err_set(e, ERR_USAGE, "%s", needed);
	if (reason && strlen(reason) >= REASON_SIZE)
		return err_set(e, ERR_INPUT, "--reason is %zu bytes long; at most %d are kept", strlen(reason),
			       REASON_SIZE - 1);
	return 0;
}

int output_number(const struct arguments *a, const char *option, long long low, long long high, long long otherwise,
		  long long *number, struct err *e)
{
	const char *text = arguments_value(a, option);

	*number = otherwise;
	if (!text || text_integer(text, low, high, number))
		return 0;
	return err_set(e, ERR_INPUT, "--%s takes a whole number from %lld to %lld, not %s", option, low, high,
		       *text ? text : "\"\"");
}

int output_end(struct err *e)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_errno(e, errno, "the output could not be written");
}

int output_json(const cJSON *json, struct err *e)
{
	char *text = cJSON_Print(json);

	if (!text)
		return err_set(e, ERR_MEMORY, "memory is out");
	puts(text);
	cJSON_free(text);
	return output_end(e);
}

bool output_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

int output_width(FILE *f)
{
	struct winsize size = {0};

	if (!isatty(fileno(f)))
		return 0;
	return ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void output_time(char *text, size_t size, double unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;

	text[0] = '\0';
	if (unix_ms > 0 && gmtime_r(&seconds, &tm))
		strftime(text, size, "%Y-%m-%d %H:%M:%SZ", &tm);
}

void output_text(const char *text)
{
	char clean[TEXT_MAX];
	bool ascii = output_ascii();

	text_clean(clean, sizeof(clean), text);
	for (const char *c = clean; *c; c++) {
		unsigned char byte = (unsigned char)*c;

		if (!ascii || byte < 0x80)
			putchar(byte);
		else if (byte >= 0xc0)
			putchar('?');
	}
}
