#include "core/remote.h"

#include "core/json.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "mldeck_remote"
#define MODELS "/v2/models/"

/* --- the URL --- */

bool remote_is_url(const char *text)
{
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
	return scheme > 0 && strncmp(text + scheme, "://", 3) == 0;
}

/* Printable ASCII but what RFC 3986 keeps out of a URL, and `%` only before two hexadecimal digits.
 */
static bool url_characters(const char *url)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	for (const char *c = url; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}", *c) != NULL)
			return false;
		if (*c == '%' &&
		    (c[1] == '\0' || strchr(hex, c[1]) == NULL || c[2] == '\0' || strchr(hex, c[2]) == NULL))
			return false;
	}
	return true;
}

/* "host", "host:port" or "[v6]:port" between the scheme and the path. */
static bool authority_valid(const char *authority, size_t size)
{
	char text[REMOTE_URL_SIZE];
	long long port;

	if (size == 0 || size >= sizeof text)
		return false;
	memcpy(text, authority, size);
	text[size] = '\0';
	char *bracket = strchr(text, ']');
	if ((text[0] == '[') != (bracket != NULL))
		return false;
	char *colon = strchr(bracket != NULL ? bracket : text, ':');
	if (bracket != NULL && bracket[1] != '\0' && colon != bracket + 1)
		return false;
	if (colon == text)
		return false;
	return colon == NULL || text_integer(colon + 1, 1, 65535, &port);
}

/* One part of a path, down to the next slash; NULL unless it is a name. */
static const char *pass_name(const char *at)
{
	size_t size = strcspn(at, "/");
	if (size == 0 || (size == 1 && at[0] == '.') || (size == 2 && memcmp(at, "..", 2) == 0))
		return NULL;
	return at + size;
}

size_t remote_url_base(const char *url)
{
	const char *last = NULL;
	for (const char *at = url; (at = strstr(at, MODELS)) != NULL; at++)
		last = at;
	return last == NULL ? 0 : (size_t)(last - url) + 3;
}

static bool path_valid(const char *url)
{
	static const char versions[] = "/versions/";
	size_t base = remote_url_base(url);
	const char *at = base == 0 ? NULL : pass_name(url + base + sizeof MODELS - 1 - 3);

	if (at != NULL && strncmp(at, versions, sizeof versions - 1) == 0)
		at = pass_name(at + sizeof versions - 1);
	return at != NULL && *at == '\0';
}

int remote_url_read(const char *text, char url[REMOTE_URL_SIZE], struct err *e)
{
	size_t size = strlen(text), scheme = strncmp(text, "http://", 7) == 0 ? 7 : 8;

	if (scheme == 8 && strncmp(text, "https://", 8) != 0)
		return err_set(e, ERR_INPUT, "the URL of a model begins with http:// or https://");
	const char *authority = text + scheme, *path = authority + strcspn(authority, "/?#");
	/* First of all, so that no other sentence shows a password. */
	if (memchr(authority, '@', (size_t)(path - authority)) != NULL)
		return err_set(e, ERR_INPUT,
			       "a user or password in the URL would be kept for all to see: put a "
			       "token into a "
			       "file and name it with --token-file");
	if (strpbrk(text, "?#") != NULL)
		return err_set(e, ERR_INPUT, "the URL of a model has no `?` and no `#`");
	if (size >= REMOTE_URL_SIZE)
		return err_set(e, ERR_INPUT, "a URL of %zu bytes; at most %d are taken", size, REMOTE_URL_SIZE - 1);
	if (!url_characters(text))
		return err_set(e, ERR_INPUT, "%s has a character that belongs in no URL: write it as %%XX", text);
	if (!authority_valid(authority, (size_t)(path - authority)))
		return err_set(e, ERR_INPUT, "%s names no host, or no port from 1 to 65535", text);
	while (size > 0 && text[size - 1] == '/')
		size--;
	memcpy(url, text, size);
	url[size] = '\0';
	if (!path_valid(url))
		return err_set(e, ERR_INPUT,
			       "%s is no model's URL: it ends with /v2/models/NAME or "
			       "/v2/models/NAME/versions/VERSION",
			       text);
	return 0;
}

/* --- the descriptor --- */

void remote_init(struct remote *r)
{
	*r = (struct remote){.retries = -1};
}

void remote_release(struct remote *r)
{
	cJSON_Delete(r->signature);
	remote_init(r);
}

bool remote_detect(const void *data, size_t size)
{
	const char *text = data;
	size_t at = 0;

	if (size > REMOTE_DESCRIPTOR_MAX)
		return false;
	while (at < size && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0')
		at++;
	return at < size && text[at] == '{' && memmem(text, size, "\"" KEY "\"", sizeof KEY + 1) != NULL;
}

static int read_path(const cJSON *json, const char *name, char path[CONFIG_PATH_SIZE], struct err *e)
{
	if (!json_has(json, name))
		return 0;
	if (json_string(json, name, path, CONFIG_PATH_SIZE, e) != 0)
		return -1;
	if (path[0] != '/')
		return err_set(e, ERR_INPUT, "field `%s` must be an absolute path, got \"%s\"", name, path);
	return 0;
}

static int read_number(const cJSON *json, const char *name, int low, int high, int *number, struct err *e)
{
	int64_t value = *number;
	int result = json_optional_integer(json, name, low, high, &value, e);
	*number = (int)value;
	return result;
}

static int check_names(const cJSON *json, struct err *e)
{
	static const char *const names[] = {KEY,       "url",        "token_file",
					    "ca_file", "timeout_ms", "connect_timeout_ms",
					    "retries", "free_rows",  "signature"};
	const cJSON *item;
	cJSON_ArrayForEach(item, json)
	{
		size_t i = 0;
		while (i < sizeof names / sizeof *names && strcmp(item->string, names[i]) != 0)
			i++;
		if (i == sizeof names / sizeof *names)
			return err_set(e, ERR_INPUT, "field `%s` is not known", item->string);
	}
	return 0;
}

static int read_signature(const cJSON *json, struct remote *r, struct err *e)
{
	if (!json_has(json, "signature"))
		return 0;
	const cJSON *signature = json_object(json, "signature", e);
	if (signature == NULL)
		return -1;
	r->signature = cJSON_Duplicate(signature, true);
	return r->signature != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}

static int read_fields(const cJSON *json, struct remote *r, struct err *e)
{
	int64_t form;
	const char *url;

	if (json_integer(json, KEY, 1, 1, &form, e) != 0 || check_names(json, e) != 0 ||
	    (url = json_text(json, "url", e)) == NULL || remote_url_read(url, r->url, e) != 0 ||
	    read_path(json, "token_file", r->token_file, e) != 0 || read_path(json, "ca_file", r->ca_file, e) != 0 ||
	    read_number(json, "timeout_ms", 1, REMOTE_TIMEOUT_MAX_MS, &r->timeout_ms, e) != 0 ||
	    read_number(json, "connect_timeout_ms", 1, REMOTE_TIMEOUT_MAX_MS, &r->connect_timeout_ms, e) != 0 ||
	    read_number(json, "retries", 0, REMOTE_RETRIES_MAX, &r->retries, e) != 0)
		return -1;
	if (json_optional_boolean(json, "free_rows", &r->free_rows, e) != 0)
		return -1;
	return read_signature(json, r, e);
}

int remote_read(const void *data, size_t size, struct remote *r, struct err *e)
{
	cJSON *json = NULL;
	int result = -1;

	remote_init(r);
	if (size <= REMOTE_DESCRIPTOR_MAX)
		json = cJSON_ParseWithLength(data, size);
	if (!cJSON_IsObject(json))
		err_set(e, ERR_INPUT, "the descriptor of a remote model is not a JSON object");
	else
		result = read_fields(json, r, e);
	cJSON_Delete(json);
	if (result != 0)
		remote_release(r);
	return result;
}

static bool add_fields(cJSON *json, const struct remote *r)
{
	bool done =
	    cJSON_AddNumberToObject(json, KEY, 1) != NULL && cJSON_AddStringToObject(json, "url", r->url) != NULL;
	if (r->token_file[0] != '\0')
		done = done && cJSON_AddStringToObject(json, "token_file", r->token_file) != NULL;
	if (r->ca_file[0] != '\0')
		done = done && cJSON_AddStringToObject(json, "ca_file", r->ca_file) != NULL;
	if (r->timeout_ms > 0)
		done = done && cJSON_AddNumberToObject(json, "timeout_ms", r->timeout_ms) != NULL;
	if (r->connect_timeout_ms > 0)
		done = done && cJSON_AddNumberToObject(json, "connect_timeout_ms", r->connect_timeout_ms) != NULL;
	if (r->retries >= 0)
		done = done && cJSON_AddNumberToObject(json, "retries", r->retries) != NULL;
	if (r->free_rows)
		done = done && cJSON_AddTrueToObject(json, "free_rows") != NULL;
	if (r->signature != NULL)
		done = done && cJSON_AddItemReferenceToObject(json, "signature", r->signature);
	return done;
}

int remote_write(const struct remote *r, struct buf *out, struct err *e)
{
	cJSON *json = cJSON_CreateObject();
	char *text = json != NULL && add_fields(json, r) ? cJSON_PrintUnformatted(json) : NULL;

	if (text != NULL)
		buf_add_string(out, text);
	cJSON_free(text);
	cJSON_Delete(json);
	return text != NULL && !out->failed ? 0 : err_set(e, ERR_MEMORY, "memory is out");
}
