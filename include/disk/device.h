/*
 * disk/device.h - what is kept apart per disk (st_dev), one set per worker.
 *
 * Operations in flight, operations that wait for a place, and the chunks
 * bound for it: whatever a slow or dead disk holds, it holds here.
 */
#ifndef DISK_DEVICE_H
#define DISK_DEVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/list.h"
#include "disk/chunk.h"

/* How operations on a file system may be carried out. */
enum device_kind {
	DEVICE_UNKNOWN, /* may wait anywhere: FUSE, NFS, all not named below */
	DEVICE_LOCAL,	/* ext4, XFS, btrfs: a ring's first try does not wait */
	DEVICE_MEMORY,	/* tmpfs: nothing to wait for, nothing survives */
};

struct device {
	struct list_node node;
	const struct device_set *set; /* NULL: in none */
	dev_t id;
	enum device_kind kind;
	struct chunk_account account;  /* what is bound for it */
	struct chunk_account fetching; /* what was read from it: a client that
					  takes nothing holds nobody else's */
	size_t in_flight;	       /* operations the backend has */
	struct list waiting;	       /* operations beyond the cap */
};

struct device_set;

/* An empty set, whose devices charge `pool`; NULL when out of memory. */
NODISCARD struct device_set *device_set_new(struct chunk_pool *pool);

/* Free it and its devices; operations in flight are a bug. */
void device_set_free(struct device_set **sp);

/*
 * device_get(set, id, kind):
 * The device of that st_dev, made on first sight; the set's, for as long as
 * the set lives.  NULL when out of memory.
 */
NODISCARD struct device *device_get(
    struct device_set *set, dev_t id, enum device_kind kind);

/*
 * device_new_unknown(set):
 * One for a directory that was not opened yet: its st_dev is not known, and
 * finding out may wait.  NULL when out of memory.
 */
NODISCARD struct device *device_new_unknown(struct device_set *set);

/* No other disk of this worker is in use: there is nobody to be kept apart
 * from.  Memory does not count. */
bool device_is_alone(const struct device *d);

/* What kind of file system `fd` lies on; may wait for the disk. */
enum device_kind device_kind_of(int fd);

#endif
