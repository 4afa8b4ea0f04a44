#include "http/media_type.h"

#include <string.h>

#include "base/str.h"

bool
media_type_is(struct span field, const char *type)
{
	struct span said = field;
	const char *semicolon;

	if (field.s == NULL)
		return false;
	semicolon = memchr(field.s, ';', field.len);
	if (semicolon != NULL)
		said.len = (size_t)(semicolon - field.s);
	said = span_trim(said);
	return str_ieq(said.s, said.len, type);
}

/* A media range is text/html, and is not said to be unwanted. */
static bool
is_html(struct span range)
{
	const char *semicolon = memchr(range.s, ';', range.len);
	struct span rest = {range.s + range.len, 0};

	if (semicolon != NULL) {
		rest.s = semicolon + 1;
		rest.len = range.len - (size_t)(rest.s - range.s);
		range.len = (size_t)(semicolon - range.s);
	}
	range = span_trim(range);
	rest = span_trim(rest);
	return str_ieq(range.s, range.len, "text/html") &&
	       !str_ieq(rest.s, rest.len, "q=0");
}

bool
media_type_prefers_html(struct span accept)
{
	struct span member;

	if (accept.s == NULL)
		return false;
	while (syntax_next_member(&accept, &member)) {
		if (is_html(member))
			return true;
		if (member.len >= 16 &&
		    str_ieq(member.s, 16, "application/json"))
			return false;
	}
	return false;
}
