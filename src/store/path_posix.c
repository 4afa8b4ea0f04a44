#include "store/path.h"

int
path_open(int root, const char *path, int flags)
{
	return path_walk(root, path, flags);
}
