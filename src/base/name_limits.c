#include "base/name_limits.h"

#include <strings.h>

/* The reserved name itself, with a number behind it, or with what FAT drops. */
bool
file_name_is_reserved(const char *part, size_t len)
{
	const size_t own = sizeof(FILE_NAME_RESERVED) - 1;

	if (len < own || strncasecmp(part, FILE_NAME_RESERVED, own) != 0)
		return false;
	if (len > own && part[own] == '-')
		return true;
	while (len > own && (part[len - 1] == '.' || part[len - 1] == ' '))
		len--;
	return len == own;
}
