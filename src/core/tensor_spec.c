#include "core/tensor_spec.h"

#include <stdio.h>
#include <string.h>

enum datatype tensor_spec_type(const struct tensor_spec *spec)
{
	return datatype_find(spec->datatype, strlen(spec->datatype));
}

bool tensor_spec_fits(const struct tensor_spec *spec, const int64_t *shape, size_t rank)
{
	if (spec->dimension_count != rank)
		return false;
	for (size_t i = 0; i < rank; i++)
		if (spec->dimensions[i] >= 0 && spec->dimensions[i] != shape[i])
			return false;
	return true;
}

int tensor_spec_refuse(const struct tensor_spec *spec, const int64_t *shape, size_t rank, struct err *e)
{
	char given[TENSOR_SHAPE_SIZE], wanted[TENSOR_SHAPE_SIZE];

	tensor_shape_text(shape, rank, given);
	tensor_shape_text(spec->dimensions, spec->dimension_count, wanted);
	return err_set(e, ERR_INPUT, "input `%s` has the shape %s; the model takes %s", spec->name, given, wanted);
}

int tensor_rows_check(int64_t rows, struct err *e)
{
	if (rows <= TENSOR_ROWS_MAX)
		return 0;
	return err_set(e, ERR_INPUT, "%lld rows; a request has at most %d", (long long)rows, TENSOR_ROWS_MAX);
}

size_t tensor_specs_find(const struct tensor_spec *specs, size_t count, const char *name)
{
	size_t i = 0;
	while (i < count && strcmp(specs[i].name, name) != 0)
		i++;
	return i;
}

int tensor_specs_refuse_output(const struct tensor_spec *specs, size_t count, const char *name, struct err *e)
{
	char names[ERR_TEXT_SIZE / 2] = "";
	size_t used = 0;

	for (size_t i = 0; i < count && used < sizeof names; i++)
		used += (size_t)snprintf(names + used, sizeof names - used, "%s`%s`",
					 i == 0           ? ""
					 : i + 1 == count ? " and "
							  : ", ",
					 specs[i].name);
	return err_set(e, ERR_INPUT, "there is no output `%.64s`; the model has %s", name, names);
}
