#include "store/path.h"

uint64_t
path_identity(int dir)
{
	(void)dir;
	return 0; /* inodes are used again, and POSIX knows no more */
}

int
path_open(int root, const char *path, int flags)
{
	return path_walk(root, path, flags);
}
