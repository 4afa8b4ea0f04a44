#include "base/block.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/asan.h"

enum {
	SIZE = 16 * 1024, /* longer blocks come from the heap */
	SLAB = 64,	  /* blocks mapped at a time */
	WARM_MAX = 64,	  /* free ones that keep their memory */
};

/*
 * Addresses of free blocks, the last used at the end; the first `cold` have
 * given their memory back to the system.  The list is kept outside of the
 * blocks: a link inside each would keep a page of it in memory.
 */
static void **spares;
static size_t spare_count, cold;
static size_t mapped; /* blocks; the list is long enough for all */

void *
block_map(size_t size)
{
	void *block = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return block == MAP_FAILED ? NULL : block;
}

void
block_unmap(void *block, size_t size)
{
	/* munmap(2) may fail when a hole would be one mapping too many; then at
	 * least the pages are given back. */
	if (munmap(block, size) == -1)
		(void)madvise(block, size, MADV_DONTNEED);
}

static bool
map_slab(void)
{
	size_t size = (size_t)SLAB * SIZE;
	unsigned char *slab;
	void **more;

	more = realloc(spares, (mapped + SLAB) * sizeof(*spares));
	if (more == NULL)
		return false;
	spares = more;
	slab = block_map(size);
	if (slab == NULL)
		return false;
	mapped += SLAB;
	for (size_t i = 0; i < SLAB; i++)
		spares[spare_count++] = slab + i * SIZE;
	ASAN_POISON_MEMORY_REGION(slab, size);
	return true;
}

void *
block_take(size_t len)
{
	void *block;

	if (len > SIZE)
		return malloc(len);
	if (spare_count == 0 && !map_slab())
		return NULL;
	block = spares[--spare_count];
	if (cold > spare_count)
		cold = spare_count;
	ASAN_UNPOISON_MEMORY_REGION(block, len);
	return block;
}

void
block_give(void *block, size_t len)
{
	if (block == NULL || len > SIZE) {
		free(block);
		return;
	}
	check(spare_count < mapped);
	spares[spare_count++] = block;
	ASAN_POISON_MEMORY_REGION(block, SIZE);
	if (spare_count - cold > WARM_MAX)
		(void)madvise(spares[cold++], SIZE, MADV_DONTNEED);
}
