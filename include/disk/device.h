/*
 * disk/device.h - what is kept apart per disk (st_dev), one set per worker.
 *
 * Operations in flight, operations that wait for a place, and the chunks
 * bound for it: whatever a slow or dead disk holds, it holds here.
 *
 * A device is STALLED while its oldest operation has taken longer than
 * disk_stall_timeout (the engine looks), FAILED after something could not be
 * made durable, until a probe succeeds, and else OK.  Its users are told of
 * changes as listeners.  Workers share what they find: where one has found a
 * device not to be OK, no worker begins anything new on it; each goes on with
 * what it has in flight until it finds out itself.  A worker reports a failure
 * only while it has a listener, which can probe the device.
 */
#ifndef DISK_DEVICE_H
#define DISK_DEVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/list.h"
#include "shared/disk_health.h"
#include "disk/chunk.h"

enum {
	/* Operations in flight on one device: enough for any disk to sort,
	 * few enough that a dead one costs little. */
	DEVICE_CAP = 64,
};

/* How operations on a file system may be carried out. */
enum device_kind {
	DEVICE_UNKNOWN, /* may wait anywhere: FUSE, NFS, all not named below */
	DEVICE_LOCAL,	/* ext4, XFS, btrfs: a ring's first try does not wait */
	DEVICE_MEMORY,	/* tmpfs: nothing to wait for, nothing survives */
	DEVICE_KIND_COUNT
};

/* What has been synced there, as far as can be told. */
enum device_sync {
	DEVICE_SYNC_DURABLE,	 /* is on stable storage */
	DEVICE_SYNC_IN_MEMORY,	 /* is in memory, and nowhere else */
	DEVICE_SYNC_RAM_DISK,	 /* the same, through a disk that is memory */
	DEVICE_SYNC_VOLATILE,	 /* is given up at the next start: an overlay
				    that was mounted to have it so */
	DEVICE_SYNC_NO_BARRIERS, /* is in the cache of the disk, perhaps */
	DEVICE_SYNC_VOID,	 /* is in memory: fsync(2) does nothing in this
				    process (a sandbox, a preloaded library) */
	DEVICE_SYNC_COUNT
};

/* The same in words, which follow the name of a directory; "" where it is
 * durable. */
extern const char *const device_sync_text[DEVICE_SYNC_COUNT];

/* What is known of a file system. */
struct device_traits {
	enum device_kind kind;
	bool direct;	    /* O_DIRECT pays: ext4 and XFS, whose direct writes
			       run side by side, within a file too */
	bool allocates;	    /* space allocated ahead is what is written to, and
			       costs the file nothing else */
	bool writes_ranges; /* sync_file_range(2) writes back; elsewhere it may
			       do nothing, and still say that it has */
	enum device_sync sync;
};

struct device {
	struct list_node node;
	const struct device_set *set; /* NULL: in none */
	dev_t id;
	enum device_kind kind;
	bool direct;
	size_t users;		       /* that have got it, or hold it */
	struct chunk_account account;  /* what is bound for it */
	struct chunk_account fetching; /* what was read from it: apart, so that
					  a client that takes nothing holds up
					  no upload */
	size_t cap;		       /* operations in flight at most */
	size_t in_flight;	       /* operations the backend has */
	struct list waiting;	       /* operations beyond the cap */
	struct list ages;	       /* those in flight, oldest first */
	double moved_s;		       /* when, being full, it last began or
					  ended one (monotonic) */
	struct list_node busy;	       /* the engine's, while there are any */

	bool stalled, failed;		 /* as this worker has found */
	struct disk_health_disk *shared; /* as all have; NULL: there is none */
	double failed_s;		 /* when it failed last (monotonic) */
	bool probing;	 /* this worker tries whether it works again */
	double probed_s; /* when it began to (monotonic) */
	struct list listeners;
};

/* Told of each change of a device's health, as this worker finds.  `news`: it
 * is worth a line in the log, because this worker is the first of all to find
 * the device not OK, or the last that did. */
struct device_listener {
	struct list_node node;
	struct device *device; /* while it listens */
	void (*on_health)(
	    struct device_listener *l, struct device *d, bool news);
};

struct device_set;

/* An empty set, whose devices charge `pool`; NULL when out of memory. */
NODISCARD struct device_set *device_set_new(struct chunk_pool *pool);

/* Before the first device_get(): workers tell each other in `s`, this one as
 * `slot`. */
void device_set_share(
    struct device_set *set, struct disk_health *s, unsigned slot);

/* Free it and its devices; operations in flight are a bug. */
void device_set_free(struct device_set **sp);

/*
 * device_get(set, id, traits):
 * The device of that st_dev, made on first sight; the set's, until as many have
 * put it back as have got it.  NULL, and errno: ENOMEM, or EBUSY as in
 * registry_take() of shared/registry.h.
 */
NODISCARD struct device *device_get(
    struct device_set *set, dev_t id, struct device_traits traits);

/* One more user of a device that has one: the same, for device_put(). */
struct device *device_hold(struct device *d);

/*
 * device_put(set, dp):
 * One user has no operation on it any more, nor listens; clears the caller's
 * pointer, which may be NULL.  A mount has a number of its own, so one that was
 * taken away must leave nothing: after the last user the device is freed, or, if
 * chunks are charged to it still, when the set is next asked for one.  The last
 * few that are not OK stay: their directories may be opened again.
 */
void device_put(struct device_set *set, struct device **dp);

/*
 * device_new_unknown(set):
 * One for a directory that was not opened yet: its st_dev is not known, and
 * finding out may wait.  NULL when out of memory.
 */
NODISCARD struct device *device_new_unknown(struct device_set *set);

/*
 * device_new_compute(set):
 * No disk at all: for calls that take a processor, of which as many run at
 * once as there are processors.  NULL when out of memory.
 */
NODISCARD struct device *device_new_compute(struct device_set *set);

/* No other disk of this worker is in use, so that it has none to be kept apart
 * from.  Memory does not count. */
bool device_is_alone(const struct device *d);

/* Disks of this worker, 1 at least. */
size_t device_disks(const struct device *d);

enum device_health {
	DEVICE_OK,
	DEVICE_STALLED, /* it does not answer, failed or not */
	DEVICE_FAILED,	/* it answers, but cannot make anything durable */
};

/* As this worker has found. */
static inline enum device_health
device_health(const struct device *d)
{
	return d->stalled  ? DEVICE_STALLED
	       : d->failed ? DEVICE_FAILED
			   : DEVICE_OK;
}

static inline bool
device_is_ok(const struct device *d)
{
	return device_health(d) == DEVICE_OK;
}

/* May a write be begun, or anything else that is to be durable?  As all workers
 * have found: no, while it is STALLED or FAILED. */
bool device_accepts_writes(const struct device *d);

/* May something be begun that need not be durable, such as a read?  As all
 * workers have found: no, while it is STALLED. */
bool device_accepts_reads(const struct device *d);

/* Its health as this worker finds it; listeners are told of a change, and may
 * stop listening in there, but not begin to. */
void device_set_stalled(struct device *d, bool stalled);
void device_set_failed(struct device *d, bool failed);

/*
 * device_begin_probe(d):
 * Try whether a FAILED device works again.  True: no other worker does until
 * device_end_probe().  False: another one does, or has found since the failure
 * here that it works; then it is not FAILED any more.
 *
 * device_end_probe(d, works):
 * The probe is over.  If it works, the device is not FAILED any more, unless it
 * has failed again since the probe began.
 */
bool device_begin_probe(struct device *d);
void device_end_probe(struct device *d, bool works);

void device_listen(struct device *d, struct device_listener *l);
void device_unlisten(struct device_listener *l);

/* Seconds that the oldest operation in flight has taken, or that all places
 * have been taken without any becoming free; 0: there is none. */
double device_oldest_s(const struct device *d);

/* What file system `fd` lies on; may wait for the disk.  For Linux that looks
 * into /proc and /sys, too: never on a loop. */
struct device_traits device_traits_of(int fd);

/* Does fsync(2) do nothing in this process, and say that it has? */
bool device_sync_is_void(void);

#endif
