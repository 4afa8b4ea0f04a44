#include "store/partial.h"

#include <string.h>

bool
partial_is_id(const char *s, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	if (len != PARTIAL_ID_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] == '\0' || strchr(digits, s[i]) == NULL)
			return false;
	return true;
}
