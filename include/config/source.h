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

/* Identifies a file, whatever name it was opened by; zeroed: none. */
struct source_id {
	bool is_set;
	dev_t dev;
	ino_t ino;
};

/*
 * source_read(name, is_first, ret_id, ret_text):
 * Add the whole file to *ret_text, which stays the caller's.  Returns NULL, with
 * *ret_id set; or what is wrong (valid until the next call of strerror()).  Only the
 * first file of a configuration (`is_first`) may be a pipe, or anything else than a
 * regular file: an `include` with a wildcard could match a FIFO that has no writer.
 * This waits some time for the writer of a pipe, and for nothing else.
 */
const char *source_read(const char *name, bool is_first,
    struct source_id *ret_id, struct str *ret_text);

/* True when both are the same file; false when either is none. */
bool source_is_same(const struct source_id *a, const struct source_id *b);

/*
 * source_find(from, pattern, ret_names):
 * Add to `ret_names` the files that `include pattern;` in the file `from` means, sorted,
 * each with its NUL.  `pattern` is relative to the directory of `from`; without a
 * wildcard it is the one name, whether there is such a file or not.
 * str_failed(ret_names): out of memory.
 */
void source_find(const char *from, const char *pattern, struct str *ret_names);

#endif
