/*
 * shared/warnings.h - what was warned of, so that of all workers one says so, once.
 *
 * Each warning is about a location, by its number (shared/metrics.h).  One is either for a level,
 * which is told when it changes, or is told again when a time has passed.
 */
#ifndef SHARED_WARNINGS_H
#define SHARED_WARNINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

enum warnings_kind {
	WARNINGS_FREE,	      /* a level: how much room there is */
	WARNINGS_WRITE_BOUND, /* uploads wait for the disk, for long */
	WARNINGS_KINDS
};

enum {
	WARNINGS_LAYOUT = 1, /* of the shared memory */
};

struct warnings;

/* Bytes of shared memory; and make it there, before the first fork. */
size_t warnings_size(void);
struct warnings *warnings_new(struct shm *s);

/* The level is this one from here on.  True for who has changed it, who is to tell of it; it
 * was *ret_before. */
bool warnings_set_level(struct warnings *w, enum warnings_kind kind,
    unsigned number, unsigned level, unsigned *ret_before);

unsigned warnings_level(
    const struct warnings *w, enum warnings_kind kind, unsigned number);

/* True for one of those who ask within `every_ns`: it is to tell. */
bool warnings_claim(struct warnings *w, enum warnings_kind kind,
    unsigned number, uint64_t now_ns, uint64_t every_ns);

#endif
