/*
 * upload/names.h - the names of uploads: checked, made, and written into URLs.
 *
 *	"a/b%20c.bin" -> names_decode -> "a/b c.bin" -> names_encode -> back
 *
 * A name is a relative path with `/` between its parts, in UTF-8, as the file system
 * gets it.  Names that different programs would read differently, or that a log would
 * show wrongly, are refused here.  That no name leads out of the output directory is
 * ensured when it is opened (local/path.h).
 */
#ifndef UPLOAD_NAMES_H
#define UPLOAD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/name_limits.h"
#include "base/outcome.h"
#include "base/str.h"

enum {
	NAMES_GENERATED = 36, /* bytes of a generated name */
};

/*
 * names_decode(raw, len, dotfiles, ret_name, ret_why):
 * Decode, once, the percent-escapes of the `len` bytes behind the location's slash, and
 * check the result.  OUTCOME_NONE and the name, with its NUL; or BAD_NAME or
 * NAME_TOO_LONG, and *ret_why is a sentence that says what to change, valid until the
 * next call.  `dotfiles` allows parts that begin with a dot, except `.`, `..` and
 * reserved ones (file_name_is_reserved()).
 */
NODISCARD enum outcome names_decode(const char *raw, size_t len, bool dotfiles,
    char ret_name[FILE_NAME_SIZE], const char **ret_why);

/* The same for a name as it is, without escapes, which holds no NUL. */
NODISCARD enum outcome names_take(const char *name, size_t len, bool dotfiles,
    char ret_name[FILE_NAME_SIZE], const char **ret_why);

/*
 * names_last_part(filename):
 * What a client calls a file: of an absolute path, and of one of Windows, the last part, since
 * the rest says where the file is over there; any other is a path below the folder that was
 * sent.  A part of `filename`.
 */
const char *names_last_part(const char *filename);

/*
 * Make a name that was never used before: YYYYMMDDTHHMMSSmmmZ-<16 hex digits>, the time
 * and 64 random bits, with its NUL.  Such names sort by time.
 */
void names_generate(char ret_name[NAMES_GENERATED + 1]);

/*
 * names_encode(path, out):
 * Add `path` to `out`, with percent-escapes for bytes that the path of a URL may not
 * contain (RFC 3986 3.3); names_decode() reads it back.
 */
void names_encode(const char *path, struct str *out);

/* Add the path of a URL that leads to the file `name` of a location with this prefix. */
void names_add_path(const char *prefix, const char *name, struct str *out);

#endif
