#include "config/prefix.h"

#include <errno.h>
#include <string.h>

#include "base/ascii.h"

static bool
is_allowed(char c)
{
	return ascii_is_alnum(c) || c == '/' || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

/* The next part of a path, from *text on; false at its end. */
static bool
next_part(const char **text, const char **ret_part, size_t *ret_len)
{
	*ret_part = *text + strspn(*text, "/");
	*ret_len = strcspn(*ret_part, "/");
	*text = *ret_part + *ret_len;
	return *ret_len > 0;
}

static bool
has_dot_part(const char *text)
{
	const char *part;
	size_t len;

	while (next_part(&text, &part, &len))
		if (len <= 2 && memcmp(part, "..", len) == 0)
			return true;
	return false;
}

/* `text` as a prefix ought to be: one slash before each part. */
static void
add_tidy(const char *text, struct str *ret)
{
	const char *part;
	size_t len;
	bool empty = true;

	while (next_part(&text, &part, &len)) {
		str_puts(ret, "/");
		str_escape(ret, part, len);
		empty = false;
	}
	if (empty)
		str_puts(ret, "/");
}

int
prefix_check(const char *prefix, struct str *ret_why)
{
	size_t len = strlen(prefix), good = 0;
	const char *trouble = NULL;

	while (good < len && is_allowed(prefix[good]))
		good++;
	if (good < len)
		trouble = "has characters other than letters, digits, -, ., "
			  "_, ~ and /";
	else if (has_dot_part(prefix))
		trouble = "has a part . or .., which no request can match";
	else if (*prefix != '/')
		trouble = "does not begin with a slash; write ";
	else if (strstr(prefix, "//") != NULL)
		trouble = "has an empty part; write ";
	else if (len > 1 && prefix[len - 1] == '/')
		trouble = "ends with a slash; write ";
	if (trouble == NULL)
		return 0;
	str_puts(ret_why, "\"");
	str_escape(ret_why, prefix, len);
	str_printf(ret_why, "\" %s", trouble);
	if (trouble[strlen(trouble) - 1] == ' ')
		add_tidy(prefix, ret_why);
	return -EINVAL;
}

bool
prefix_matches(const char *prefix, const char *path, size_t len)
{
	size_t n = strlen(prefix);

	if (len < n || memcmp(path, prefix, n) != 0)
		return false;
	return len == n || path[n] == '/' || prefix[n - 1] == '/';
}
