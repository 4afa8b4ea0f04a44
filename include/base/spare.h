/*
 * base/spare.h - structs of one kind that are used again, so that none is allocated
 * while a server is busy.
 *
 *	take -> in use -> give -> spare -> take
 *
 * What a struct holds is lost when it is given.
 */
#ifndef BASE_SPARE_H
#define BASE_SPARE_H

#include <stddef.h>

#include "base/check.h"
#include "base/list.h"

/* The fields are the module's. */
struct spare {
	struct list list;
	size_t size; /* of each, in bytes */
	unsigned count, most;
};

/* For structs of `size` bytes, of which at most `most` are kept. */
void spare_init(struct spare *s, size_t size, unsigned most);

/* Free those that are kept. */
void spare_fini(struct spare *s);

/* A struct with nothing set, which the caller owns; NULL when out of memory. */
NODISCARD void *spare_take(struct spare *s);

/* The caller has done with it. */
void spare_give(struct spare *s, void *what);

#endif
