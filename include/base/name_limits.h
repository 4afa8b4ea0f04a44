/*
 * base/name_limits.h - how long the name of a stored file may be, and which names
 * are the server's own.
 *
 * A name is a relative path, with `/` between its parts.  Only what upload/names.h
 * takes gets into a store, so buffers of these sizes hold any name; the
 * functions that fill them check all the same.
 */
#ifndef BASE_NAME_LIMITS_H
#define BASE_NAME_LIMITS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	FILE_NAME_MAX = 1024,		    /* bytes of a whole name */
	FILE_NAME_SIZE = FILE_NAME_MAX + 1, /* and its NUL */
	FILE_NAME_PART_MAX = 255,	    /* bytes of a part */
	FILE_NAME_PART_SIZE = FILE_NAME_PART_MAX + 1,
	FILE_NAME_PARTS_MAX = 16, /* the last is the file, the others are
				     directories */
};

_Static_assert(FILE_NAME_PART_MAX <= NAME_MAX, "as long as a file system has");
_Static_assert(FILE_NAME_MAX < PATH_MAX, "as long as a system call takes");

/* `.penstock` and `.penstock-...` are reserved, whatever the store, and so is what
 * some file system takes for the same (in capitals, say). */
#define FILE_NAME_RESERVED ".penstock"
bool file_name_is_reserved(const char *part, size_t len);

#endif
