#include "proc/program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* "DIR/NAME"; NULL: out of memory. */
static char *
join(const char *dir, size_t dir_len, const char *name)
{
	struct str path = {0};

	str_add(&path, dir, dir_len);
	str_printf(&path, "/%s", name);
	if (!str_failed(&path))
		return path.s;
	str_fini(&path);
	return NULL;
}

static char *
from_here(const char *name)
{
	char here[PATH_MAX];

	if (name[0] == '/')
		return strdup(name);
	return getcwd(here, sizeof(here)) != NULL
		   ? join(here, strlen(here), name)
		   : NULL;
}

/* As the shell has found it. */
static char *
from_path(const char *name)
{
	const char *dir = getenv("PATH");

	while (dir != NULL && *dir != '\0') {
		size_t len = strcspn(dir, ":");
		char *path = len > 0 ? join(dir, len, name) : NULL, *absolute;

		if (path != NULL && access(path, X_OK) == 0) {
			absolute = from_here(path);
			free(path);
			return absolute;
		}
		free(path);
		dir += len;
		dir += *dir == ':';
	}
	return NULL;
}

char *
program_path(const char *name)
{
	char self[PATH_MAX];
	char *path;
	ssize_t n;

	path = strchr(name, '/') != NULL ? from_here(name) : from_path(name);
	if (path != NULL && access(path, X_OK) == 0)
		return path;
	free(path);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return NULL;
	self[n] = '\0';
	return strdup(self);
}
