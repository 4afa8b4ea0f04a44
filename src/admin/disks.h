/*
 * admin/disks.h - the directories of all locations, each once, and how their disks are.
 */
#ifndef ADMIN_DISKS_H
#define ADMIN_DISKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "store/store.h"
#include "web/readiness.h"

struct metrics;

struct disk {
	const char *output_dir; /* the store's */
	struct store_view view; /* the numbers are those of all workers */
};

/* Of all that have a number (shared/metrics.h): *ret is the caller's to free().  Also has
 * their room measured, for the next time.  How many; *ret NULL: out of memory. */
size_t disks_list(
    const struct readiness *r, const struct metrics *m, struct disk **ret);

#endif
