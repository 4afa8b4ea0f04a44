#include "form_file.h"

#include <stdlib.h>
#include <string.h>

struct form_file *
form_file_new(void *owner, const char *name, const char *field)
{
	size_t len = strlen(name) + 1;
	struct form_file *f = calloc(1, sizeof(*f) + len);

	if (f == NULL)
		return NULL;
	f->owner = owner;
	memcpy(f->field, field, strlen(field) + 1);
	memcpy(f->name, name, len);
	return f;
}

void
form_file_stored(struct form_file *f, const struct stored *s)
{
	f->info = s->info;
	f->replaced = s->replaced || s->superseded;
	f->is_stored = true;
	upload_end(&f->upload, "Done");
}

void
form_file_free(struct form_file **fp, const char *last_step)
{
	struct form_file *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	if (!f->is_stored)
		upload_end(&f->upload, last_step);
	free(f);
}
