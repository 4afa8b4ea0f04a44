#include "config/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
files_add(struct conf_files *to, const char *path, const struct conf_place *at)
{
	struct conf_file *grown =
	    realloc(to->values, (to->count + 1) * sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	to->values = grown;
	grown += to->count;
	*grown = (struct conf_file){.path = strdup(path), .place = *at};
	if (grown->path == NULL)
		return -ENOMEM;
	to->count++;
	return 0;
}

int
files_copy(struct conf_files *to, const struct conf_files *from)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < from->count; i++)
		err =
		    files_add(to, from->values[i].path, &from->values[i].place);
	return err;
}

void
files_clear(struct conf_files *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->values[i].path);
	free(f->values);
	*f = (struct conf_files){0};
}
