#include "upload/names.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"

static enum outcome
names_refuse(enum outcome e, const char *why, const char **ret_why)
{
	*ret_why = why;
	return e;
}

/* The byte that `raw`, at a percent sign, stands for; -1: bad escape. */
static int
unescape(const char *raw, size_t len)
{
	uint64_t code;

	if (len < 3 || num_parse_hex(raw + 1, 2, &code) < 0)
		return -1;
	return (int)code;
}

_Static_assert(FILE_NAME_MAX == 1024 && FILE_NAME_PART_MAX == 255 &&
		   FILE_NAME_PARTS_MAX == 16,
    "the sentences below say so");

/* Decode all of it; nothing but the escapes and the length is checked. */
static enum outcome
names_decode_escapes(const char *raw, size_t len, char ret_name[FILE_NAME_SIZE],
    size_t *ret_len, const char **ret_why)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		int c = (unsigned char)raw[i];

		if (c == '%') {
			c = unescape(raw + i, len - i);
			if (c == -1)
				return names_refuse(OUTCOME_BAD_NAME,
				    "the name has a % without "
				    "two hexadecimal digits: write % as %25",
				    ret_why);
			if (c == '/')
				return names_refuse(OUTCOME_BAD_NAME,
				    "the name has an escaped "
				    "slash: no part can have one",
				    ret_why);
			i += 2;
		}
		if (c == '\0')
			return names_refuse(OUTCOME_BAD_NAME,
			    "the name has a NUL: leave out %00", ret_why);
		if (n == FILE_NAME_MAX)
			return names_refuse(OUTCOME_NAME_TOO_LONG,
			    "the name is longer than 1024 "
			    "bytes: shorten it",
			    ret_why);
		ret_name[n] = (char)c;
	}
	ret_name[n] = '\0';
	*ret_len = n;
	return OUTCOME_NONE;
}

/* What a code point of str_is_control() is, and why it may be in no name. */
static const char *
what_control(unsigned code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return "a control character, which garbles terminals and logs";
	if (code == 0x2028 || code == 0x2029)
		return "a separator of lines, which breaks them in listings "
		       "and logs";
	if (code == 0xfeff)
		return "a byte order mark, which cannot be seen";
	return "which changes the direction of text, so that the name can "
	       "look like another one";
}

static enum outcome
refuse_control(unsigned code, const char **ret_why)
{
	static char why[160];

	snprintf(why, sizeof(why), "the name has U+%04X, %s: leave it out",
	    code, what_control(code));
	return names_refuse(OUTCOME_BAD_NAME, why, ret_why);
}

/* Is the name text, and text that can be shown? */
static enum outcome
check_text(const char *name, size_t len, const char **ret_why)
{
	const unsigned char *p = (const unsigned char *)name;

	for (size_t i = 0, n; i < len; i += n) {
		unsigned code = 0;

		n = str_utf8(p + i, len - i, &code);
		if (n == 0)
			return names_refuse(OUTCOME_BAD_NAME,
			    "the name is not valid UTF-8", ret_why);
		if (str_is_control(code))
			return refuse_control(code, ret_why);
		if (code == '\\')
			return names_refuse(OUTCOME_BAD_NAME,
			    "the name has a backslash: "
			    "use / between directories",
			    ret_why);
	}
	return OUTCOME_NONE;
}

static bool
is_part(const char *s, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(s, want, len) == 0;
}

static enum outcome
check_part(const char *s, size_t len, bool dotfiles, const char **ret_why)
{
	if (len > FILE_NAME_PART_MAX)
		return names_refuse(OUTCOME_BAD_NAME,
		    "a part of the name is longer than 255 "
		    "bytes: shorten it",
		    ret_why);
	if (is_part(s, len, ".") || is_part(s, len, ".."))
		return names_refuse(OUTCOME_BAD_NAME,
		    "the name has a part . or ..: write the path without",
		    ret_why);
	if (file_name_is_reserved(s, len))
		return names_refuse(OUTCOME_BAD_NAME,
		    ".penstock and .penstock-... are the server's own: "
		    "choose another name",
		    ret_why);
	if (s[0] == '.' && !dotfiles)
		return names_refuse(OUTCOME_BAD_NAME,
		    "a part of the name begins with a dot: "
		    "choose another name, or set dotfiles on",
		    ret_why);
	return OUTCOME_NONE;
}

static enum outcome
check_parts(const char *name, bool dotfiles, const char **ret_why)
{
	const char *s = name;

	for (unsigned parts = 1;; parts++) {
		size_t len = strcspn(s, "/");
		enum outcome e;

		if (len == 0 && s[len] == '\0')
			return names_refuse(OUTCOME_BAD_NAME,
			    "the path ends in a slash, as a directory's does: "
			    "add a name after the slash (curl -T adds the "
			    "file's own), or leave out the slash",
			    ret_why);
		if (len == 0)
			return names_refuse(OUTCOME_BAD_NAME,
			    "the name has an empty part: "
			    "write one slash only",
			    ret_why);
		if (parts > FILE_NAME_PARTS_MAX)
			return names_refuse(OUTCOME_BAD_NAME,
			    "the name has more than 16 parts: "
			    "use fewer directories",
			    ret_why);
		e = check_part(s, len, dotfiles, ret_why);
		if (e != OUTCOME_NONE || s[len] == '\0')
			return e;
		s += len + 1;
	}
}

/* The name of `len` bytes, with its NUL. */
static enum outcome
names_check(const char *name, size_t len, bool dotfiles, const char **ret_why)
{
	enum outcome e = check_text(name, len, ret_why);

	return e != OUTCOME_NONE ? e : check_parts(name, dotfiles, ret_why);
}

enum outcome
names_decode(const char *raw, size_t len, bool dotfiles,
    char ret_name[FILE_NAME_SIZE], const char **ret_why)
{
	size_t n = 0;
	enum outcome e = names_decode_escapes(raw, len, ret_name, &n, ret_why);

	return e != OUTCOME_NONE ? e
				 : names_check(ret_name, n, dotfiles, ret_why);
}

enum outcome
names_take(const char *name, size_t len, bool dotfiles,
    char ret_name[FILE_NAME_SIZE], const char **ret_why)
{
	if (len > FILE_NAME_MAX)
		return names_refuse(OUTCOME_NAME_TOO_LONG,
		    "the name is longer than 1024 bytes: shorten it", ret_why);
	memcpy(ret_name, name, len);
	ret_name[len] = '\0';
	return names_check(ret_name, len, dotfiles, ret_why);
}

const char *
names_last_part(const char *filename)
{
	const char *back = strrchr(filename, '\\');
	const char *slash = strrchr(filename, '/');
	bool drive = ascii_is_letter(filename[0]) && filename[1] == ':' &&
		     filename[2] == '/';

	if (back != NULL)
		return back + 1;
	return slash != NULL && (drive || filename[0] == '/') ? slash + 1
							      : filename;
}

void
names_generate(char ret_name[NAMES_GENERATED + 1])
{
	char stamp[CLOCK_STAMP_MAX];
	uint64_t bits;
	int n;

	clock_stamp_name(clock_wall_ns(), stamp);
	fd_random(&bits, sizeof(bits));
	n = snprintf(
	    ret_name, NAMES_GENERATED + 1, "%s-%016" PRIx64, stamp, bits);
	check(n == NAMES_GENERATED);
}

/* What stands for itself in a path: pchar and the slash. */
static bool
is_plain(unsigned char c)
{
	return ascii_is_alnum(c) ||
	       (c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL);
}

void
names_encode(const char *path, struct str *out)
{
	const char *s = path;

	while (*s != '\0') {
		size_t plain = 0;

		while (is_plain((unsigned char)s[plain]))
			plain++;
		str_add(out, s, plain);
		s += plain;
		if (*s != '\0')
			str_printf(out, "%%%02X", (unsigned char)*s++);
	}
}

void
names_add_path(const char *prefix, const char *name, struct str *out)
{
	if (strcmp(prefix, "/") != 0)
		str_puts(out, prefix);
	str_puts(out, "/");
	names_encode(name, out);
}
