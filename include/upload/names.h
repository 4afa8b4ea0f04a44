/*
 * upload/names.h - the names of uploads: checked, made, and written into URLs.
 *
 *	"a/b%20c.bin" -> names_decode -> "a/b c.bin" -> names_encode -> back
 *
 * A name is a relative path with `/` between its parts, in UTF-8, as the
 * file system gets it.  What is refused here is what would not be one name
 * to everybody, or would show up wrong in a log; that nothing leaves the
 * output directory is the kernel's to see to, when the name is opened.
 */
#ifndef UPLOAD_NAMES_H
#define UPLOAD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/name_limits.h"
#include "base/str.h"

enum {
	NAMES_GENERATED = 36, /* bytes of a generated name */
};

/*
 * names_decode(raw, len, dotfiles, ret_name, ret_why):
 * Decode the percent-escapes of what stands behind the location and its
 * slash, once, and check it.  0 and the name, terminated; or 400 or 414 and
 * in *ret_why a sentence, good until the next call, that says what to change.  `dotfiles` allows
 * parts that begin with a dot, but never `.`, `..` and what
 * file_name_is_reserved().
 */
NODISCARD int names_decode(const char *raw, size_t len, bool dotfiles,
    char ret_name[FILE_NAME_SIZE], const char **ret_why);

/*
 * A name that was never used: YYYYMMDDTHHMMSSmmmZ-<16 hex>, the time and 64 random
 * bits; sorts by time.  Terminated.
 */
void names_generate(char ret_name[NAMES_GENERATED + 1]);

/*
 * names_encode(path, out):
 * Append `path` with all bytes escaped that a URL's path may not have
 * (RFC 3986 3.3); names_decode() gives it back.
 */
void names_encode(const char *path, struct str *out);

#endif
