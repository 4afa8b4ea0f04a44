#include "proc/about.h"

#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

struct search {
	const char *name;
	char *ret;
	size_t size;
	bool found;
};

/* The name that is loaded is a link to the file whose name has the whole version. */
static int
on_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *s = arg;
	const char *base = strrchr(info->dlpi_name, '/');
	char path[PATH_MAX];

	(void)size;
	if (base == NULL || strncmp(base + 1, s->name, strlen(s->name)) != 0)
		return 0;
	if (realpath(info->dlpi_name, path) != NULL)
		base = strrchr(path, '/');
	snprintf(s->ret, s->size, "%s", base + 1);
	s->found = true;
	return 1;
}

bool
about_library(const char *name, char *ret, size_t size)
{
	struct search s = {.name = name, .ret = ret, .size = size};

	(void)dl_iterate_phdr(on_library, &s);
	return s.found;
}
