/* local/publish_name.h - names of our own. */
#ifndef LOCAL_PUBLISH_NAME_H
#define LOCAL_PUBLISH_NAME_H

#include "local/publish.h"

enum {
	PUBLISH_DIGITS = 16, /* hexadecimal, of a temp name */
};

extern const char publish_temp_suffix[], publish_note_suffix[];

/* A temp name that is new, in all likelihood. */
void publish_make_temp_name(struct publish *p, char ret_name[PUBLISH_TEMP_MAX]);

/* Is that a temp name's digits, and then this suffix? */
bool publish_is_numbered(const char *name, const char *suffix);

#endif
