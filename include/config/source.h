/*
 * config/source.h - the files that a config is read from.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/str.h"

enum {
	SOURCE_BYTES_MAX = 1 << 20, /* of one file */
};

/* Which file it is, under whatever name; zeroed: none. */
struct source_id {
	bool is_set;
	dev_t dev;
	ino_t ino;
};

/*
 * source_read(name, is_first, ret_id, ret_text):
 * Add the whole file to *ret_text, which stays the caller's.  NULL and *ret_id
 * set, or what is wrong (valid until the next call of strerror()).  Only the
 * first file may be something else than a regular file, such as a pipe: a glob
 * can match a FIFO that has no writer.  It waits some time for the writer of a
 * pipe, and for nothing else.
 */
const char *source_read(const char *name, bool is_first,
    struct source_id *ret_id, struct str *ret_text);

/* True for one and the same file; never when one of them is none. */
bool source_is_same(const struct source_id *a, const struct source_id *b);

/*
 * source_find(from, pattern, ret_names):
 * Add the names that `include pattern;` in the file `from` means, each with
 * its NUL, sorted: relative to the directory of `from`; the one name itself
 * when it has no wildcard.  str_failed(ret_names): out of memory.
 */
void source_find(const char *from, const char *pattern, struct str *ret_names);

#endif
