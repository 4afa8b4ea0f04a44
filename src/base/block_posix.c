#include "base/block.h"

#include <stdlib.h>

enum {
	ALIGN = 4096,
};

/* POSIX has no way to give pages back: this is the heap. */
void *
block_take(size_t len)
{
	return malloc(len);
}

void
block_give(void *block, size_t len)
{
	(void)len;
	free(block);
}

void *
block_map(size_t size)
{
	void *block;

	return posix_memalign(&block, ALIGN, size) == 0 ? block : NULL;
}

void
block_unmap(void *block, size_t size)
{
	(void)size;
	free(block);
}
