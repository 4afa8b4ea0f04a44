#include "proc/about.h"

bool
about_library(const char *name, char *ret, size_t size)
{
	(void)name;
	(void)ret;
	(void)size;
	return false;
}
