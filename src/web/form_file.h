/*
 * web/form_file.h - one file of a form: an upload, and what it is called.
 */
#ifndef WEB_FORM_FILE_H
#define WEB_FORM_FILE_H

#include <stdbool.h>

#include "base/check.h"
#include "base/list.h"
#include "http/part_head.h"
#include "upload/upload.h"

struct form_file {
	struct upload upload;
	struct list_node node; /* while it is held, or may be taken back */
	void *owner;
	bool made;	/* its name was made here */
	bool is_stored; /* the upload has ended, and this is what it became: */
	bool replaced;
	bool is_back; /* ... was taken back */
	struct object_info info;
	char field[PART_NAME_MAX + 1];
	char name[];
};

/* Of `owner`, whose upload is not begun; NULL: out of memory.  Until form_file_free(), or,
 * if it never is begun, free(). */
NODISCARD struct form_file *form_file_new(
    void *owner, const char *name, const char *field);

/* From within on_stored(): the upload ends; what is stored is kept in mind. */
void form_file_stored(struct form_file *f, const struct stored *s);

/* End the upload, with the last line of its trace, and free all; clears the caller's pointer,
 * which may be NULL. */
void form_file_free(struct form_file **fp, const char *last_step);

#endif
