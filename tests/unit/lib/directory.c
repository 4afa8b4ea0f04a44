#include "lib/directory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/cmocka_with.h"

void
test_directory_make(const char *name, char *ret_path, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	int len =
	    snprintf(ret_path, size, "%s/%s.XXXXXX", tmp ? tmp : "/tmp", name);

	assert_true(len > 0 && (size_t)len < size);
	assert_non_null(mkdtemp(ret_path));
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int
test_directory_remove(const char *path)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
