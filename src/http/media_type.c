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
