/* models_source: the models file itself, and what it names outside of itself. */
#include "core/models_file.h"

#include "core/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_SIZE 65536

char *models_file_path(const struct models_file *f, const char *path)
{
	char *whole = NULL;
	if (path[0] == '/')
		return strdup(path);
	return asprintf(&whole, "%s%s", f->folder, path) < 0 ? NULL : whole;
}

/* The whole of a stream, with a NUL at its end; malloc'd. */
static char *read_all(FILE *file, const char *name, struct err *e)
{
	struct buf text;
	char chunk[CHUNK_SIZE];
	size_t got;

	buf_init(&text);
	while (text.size <= MODELS_FILE_MAX && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_add(&text, chunk, got);
	buf_add(&text, "", 1);
	if (ferror(file))
		err_errno(e, errno, "%s cannot be read", name);
	else if (text.failed)
		err_set(e, ERR_MEMORY, "memory is out while reading %s", name);
	else if (text.size > MODELS_FILE_MAX)
		err_set(e, ERR_TOO_LARGE, "%s is larger than %zu MiB", name, MODELS_FILE_MAX >> 20);
	else if (strlen(text.data) != text.size - 1)
		err_set(e, ERR_INPUT, "%s is not a text file", name);
	else
		return buf_take(&text);
	buf_release(&text);
	return NULL;
}

int models_file_read(struct models_file *f, const char *path, struct err *e)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int result = -1;

	if (file == NULL)
		return err_errno(e, errno, "%s cannot be opened", path);
	char *text = read_all(file, path, e);
	if (text != NULL)
		result = models_file_parse(f, path, text, e);
	free(text);
	if (file != stdin)
		fclose(file);
	return result;
}

static int digest_stream(FILE *file, struct models_version *v, struct err *e)
{
	struct digest *digest = digest_new(e);
	char chunk[CHUNK_SIZE];
	int result = digest != NULL ? 0 : -1;
	size_t got;

	v->size_bytes = 0;
	while (result == 0 && (got = fread(chunk, 1, sizeof chunk, file)) > 0) {
		result = digest_add(digest, chunk, got, e);
		v->size_bytes += got;
	}
	if (result == 0 && ferror(file))
		result = err_errno(e, errno, "%s cannot be read", v->path);
	if (result == 0 && v->size_bytes == 0)
		result = err_set(e, ERR_INPUT, "%s is empty", v->path);
	if (result == 0)
		result = digest_end(digest, v->sha256, e);
	digest_free(digest);
	return result;
}

static int digest_file(struct models_version *v, struct err *e)
{
	struct stat status;
	/* A name may be a pipe's, whose opening would wait for ever. */
	if (stat(v->path, &status) != 0)
		return err_errno(e, errno, "%s cannot be opened", v->path);
	if (!S_ISREG(status.st_mode))
		return err_set(e, ERR_INPUT, "%s is not a regular file", v->path);
	FILE *file = fopen(v->path, "rbe");
	if (file == NULL)
		return err_errno(e, errno, "%s cannot be opened", v->path);
	int result = digest_stream(file, v, e);
	fclose(file);
	return result;
}

/* A deploy of a URL sends these bytes. */
static int digest_url(struct models_version *v, struct err *e)
{
	struct remote remote;
	struct buf text;
	int result = -1;

	remote_init(&remote);
	buf_init(&text);
	if (remote_url_read(v->source, remote.url, e) == 0 && remote_write(&remote, &text, e) == 0)
		result = digest_of(text.data, text.size, v->sha256, e);
	v->size_bytes = text.size;
	buf_release(&text);
	remote_release(&remote);
	return result;
}

static int digest_version(const struct models_file *f, struct models_version *v, struct err *e)
{
	int result = 0;
	if (v->kind == MODELS_FILE)
		result = digest_file(v, e);
	else if (v->kind == MODELS_URL)
		result = digest_url(v, e);
	return result == 0 ? 0 : models_file_refuse(f, v->line, e);
}

int models_file_resolve(struct models_file *f, struct err *e)
{
	for (size_t i = 0; i < f->model_count; i++) {
		struct models_model *m = &f->models[i];
		if (m->policy_line != 0 && policy_check(&m->policy, e) != 0)
			return models_file_refuse(f, m->policy_line, e);
		for (size_t k = 0; k < m->version_count; k++)
			if (digest_version(f, &m->versions[k], e) != 0)
				return -1;
	}
	return 0;
}
