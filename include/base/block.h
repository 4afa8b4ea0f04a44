/*
 * base/block.h - memory that goes back to the system.
 *
 * For large buffers, and for bytes that are held for a moment: short-lived
 * buffers among long-lived small objects leave holes that neither fits again.
 * With 8,000 silent uploads half of the heap was such holes.  So these are
 * mapped apart from the heap.
 *
 * For one thread only: the loop's.
 */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include <stddef.h>

#include "base/check.h"

/* `len` bytes, which the caller owns until block_give(); NULL: no memory. */
NODISCARD void *block_take(size_t len);

/* Give back what block_take(len) returned; NULL is ignored. */
void block_give(void *block, size_t len);

/* `size` bytes, aligned to 4 KiB, or NULL; until block_unmap(). */
NODISCARD void *block_map(size_t size);
void block_unmap(void *block, size_t size);

#endif
