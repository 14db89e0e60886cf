#include "ui/command/export.h"
#include "ui/command/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_export;

static int models_write(const struct arguments *a, struct export_state *x, struct err *e)
{
	for (size_t i = 0; i < arguments_count(a); i++)
		if (output_model(arguments_at(a, i), e) != 0)
			return -1;
		else if (!snapshot_find(x->snapshot, arguments_at(a, i)))
			return err_set(e, ERR_NOT_FOUND, "there is no model %s; `mldeck status` lists them",
				       arguments_at(a, i));
	for (size_t i = 0; i < x->snapshot->model_count; i++) {
		struct snapshot_model *m = &x->snapshot->models[i];
		bool wanted = arguments_count(a) == 0;

		for (size_t k = 0; k < arguments_count(a); k++)
			wanted |= strcmp(arguments_at(a, k), m->name) == 0;
		if (wanted && export_model(x, m, e) != 0)
			return -1;
	}
	return 0;
}

/* Under another name until it is whole: a repository's own copy is never half. */
static int file_write(const char *path, const struct buf *text, struct err *e)
{
	char *temporary = NULL;
	FILE *file;
	int result = 0;

	if (asprintf(&temporary, "%s.%ld", path, (long)getpid()) < 0)
		return err_set(e, ERR_MEMORY, "memory is out");
	file = fopen(temporary, "wbe");
	if (!file) {
		result = err_errno(e, errno, "%s cannot be written", path);
		free(temporary);
		return result;
	}
	if (text->size > 0 && fwrite(text->data, 1, text->size, file) != text->size)
		result = err_errno(e, errno, "%s cannot be written", path);
	if (fclose(file) != 0 && result == 0)
		result = err_errno(e, errno, "%s cannot be written", path);
	if (result == 0 && rename(temporary, path) != 0)
		result = err_errno(e, errno, "%s cannot be written", path);
	if (result != 0)
		unlink(temporary);
	free(temporary);
	return result;
}

static int text_print(const struct export_state *x, const char *output, struct err *e)
{
	if (!output) {
		fwrite(x->text.size > 0 ? x->text.data : "", 1, x->text.size, stdout);
		return output_end(e);
	}
	if (file_write(output, &x->text, e) != 0)
		return -1;
	output_text(output);
	printf(": %zu model%s, %zu version%s", x->model_count, x->model_count == 1 ? "" : "s", x->version_count,
	       x->version_count == 1 ? "" : "s");
	if (x->folder) {
		printf("; %zu file%s written to ", x->artifact_count, x->artifact_count == 1 ? "" : "s");
		output_text(x->folder);
	}
	puts(".");
	return output_end(e);
}

static int export_run(const struct arguments *a, struct export_state *x, struct err *e)
{
	const char *folder = arguments_value(a, "artifacts"), *output = arguments_value(a, "output");

	if (output_client(a, "export", &x->client, e) != 0 || export_begin(x, e) != 0 ||
	    (folder && export_folder(x, folder, output, e) != 0) || models_write(a, x, e) != 0)
		return -1;
	return text_print(x, output, e);
}

static int run(const struct arguments *a)
{
	struct export_state x = {0};
	struct err e = {0};
	int code = export_run(a, &x, &e) == 0 ? 0 : command_fail(&command_export, &e);

	export_release(&x);
	client_free(x.client);
	return code;
}

static const struct option_spec options[] = {
    {"output", "FILE", "the models file to write, in place of standard output"},
    {"artifacts", "DIR", "write the model files, too, for a runtime that does not have them"},
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_export = {
    .name = "export",
    .arguments = "[MODEL...]",
    .summary = "write models, versions, policies and routes as a file for `mldeck apply`",
    .details = "Applied to the same runtime it changes nothing. With --artifacts, an empty runtime gets the same "
	       "versions, policies and routes from it; docs/APPLY.md says what is not carried.",
    .options = options,
    .run = run,
    .letters = "o=output",
};
