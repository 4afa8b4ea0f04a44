#include "disk/mount.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIELDS_BEFORE = 6, /* those that are always there */
};

struct word {
	const char *s;
	size_t len;
};

/* The text up to one of `ends`, which is passed over. */
static struct word
next_word(const char **at, const char *ends)
{
	struct word w = {*at, strcspn(*at, ends)};

	*at += w.len;
	if (**at != '\0')
		++*at;
	return w;
}

static bool
is_word(struct word w, const char *text)
{
	return w.len == strlen(text) && memcmp(w.s, text, w.len) == 0;
}

static bool
is_octal(const char *s, size_t len)
{
	if (len < 3)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (s[i] < '0' || s[i] > '7')
			return false;
	}
	return true;
}

/* The kernel writes spaces and the like as \040. */
static void
copy_path(struct word w, char ret[MOUNT_PATH_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < w.len && n < MOUNT_PATH_MAX; i++) {
		char c = w.s[i];

		if (c == '\\' && is_octal(w.s + i + 1, w.len - i - 1)) {
			c = (char)((w.s[i + 1] - '0') * 64 +
				   (w.s[i + 2] - '0') * 8 + w.s[i + 3] - '0');
			i += 3;
		}
		ret[n++] = c;
	}
	ret[n < MOUNT_PATH_MAX ? n : 0] = '\0';
}

static bool
begins_with(struct word w, const char *text)
{
	size_t len = strlen(text);

	return w.len >= len && memcmp(w.s, text, len) == 0;
}

static void
read_option(struct word w, struct mount *m)
{
	static const char upper[] = "upperdir=";
	size_t skip = sizeof(upper) - 1;

	if (w.len > skip && begins_with(w, upper))
		copy_path((struct word){w.s + skip, w.len - skip}, m->upper);
	else if (is_word(w, "volatile") || is_word(w, "fsync=volatile"))
		m->is_volatile = true;
	else if (begins_with(w, "rtdev=") || begins_with(w, "logdev="))
		m->other_disks = true;
	else if (is_word(w, "nobarrier") || is_word(w, "barrier=0") ||
		 is_word(w, "barrier=none") ||
		 is_word(w, "fsync_mode=nobarrier"))
		m->no_barriers = true;
}

bool
mount_parse(const char *line, unsigned long id, struct mount *ret)
{
	const char *at = line;
	struct word w;

	if (strtoul(line, NULL, 10) != id)
		return false;
	memset(ret, 0, sizeof(*ret));
	for (int i = 0; i < FIELDS_BEFORE; i++) {
		w = next_word(&at, " ");
		if (i == 2) {
			char *colon;

			ret->major = (unsigned)strtoul(w.s, &colon, 10);
			if (*colon == ':')
				ret->minor =
				    (unsigned)strtoul(colon + 1, NULL, 10);
		}
	}
	do /* optional fields end with a dash */
		w = next_word(&at, " ");
	while (w.len > 0 && !is_word(w, "-"));
	(void)next_word(&at, " "); /* the type */
	copy_path(next_word(&at, " "), ret->source);
	while (*at != '\0')
		read_option(next_word(&at, ",\n"), ret);
	return true;
}
