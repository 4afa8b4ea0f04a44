/*
 * disk/device.h - one disk (st_dev) as a worker sees it: its operations in flight,
 * those that wait for a place, the chunks that are bound for it, and its health.
 * Whatever a slow or dead disk holds up is counted here, apart from other disks.
 *
 * A device is
 *
 *	STALLED  while its oldest operation has taken longer than disk_stall_timeout
 *	         (disk/engine.h looks)
 *	FAILED   after something could not be made durable, until a probe succeeds
 *	OK       otherwise
 *
 * Listeners are told of changes.  Workers share what they find: when one has found a
 * device not to be OK, no worker begins anything new on it; but each goes on with
 * its own operations in flight until it finds out itself.  A worker reports a failure
 * to the others only while it has a listener, since that is what can probe the device.
 */
#ifndef DISK_DEVICE_H
#define DISK_DEVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/list.h"
#include "shared/disk_health.h"
#include "disk/chunk.h"
#include "disk/fair.h"

enum {
	/* Operations in flight on one device: enough for any disk to sort,
	 * few enough that a dead one costs little. */
	DEVICE_CAP = 64,
	DEVICE_NUMBER_MAX = 24, /* bytes of device_number() */
};

/* How operations on a file system may be carried out. */
enum device_kind {
	DEVICE_UNKNOWN, /* FUSE, NFS and others: any call may block */
	DEVICE_LOCAL, /* ext4, XFS, btrfs: io_uring's first try does not block */
	DEVICE_MEMORY, /* tmpfs: nothing blocks, and nothing survives a reboot */
	DEVICE_KIND_COUNT
};

/* Where data is after fsync(2), as far as can be found out. */
enum device_sync {
	DEVICE_SYNC_DURABLE,	 /* on stable storage */
	DEVICE_SYNC_IN_MEMORY,	 /* in memory only: a tmpfs */
	DEVICE_SYNC_RAM_DISK,	 /* in memory only: a RAM disk */
	DEVICE_SYNC_VOLATILE,	 /* lost at the next start: an overlay that is
				    mounted with `volatile` */
	DEVICE_SYNC_NO_BARRIERS, /* perhaps in the disk's cache only */
	DEVICE_SYNC_VOID,	 /* in memory only: fsync(2) does nothing here
				    (a sandbox, a preloaded library) */
	DEVICE_SYNC_COUNT
};

/* The same in words that follow the name of a directory; "" for DURABLE. */
extern const char *const device_sync_text[DEVICE_SYNC_COUNT];

/* What is known of a file system. */
struct device_traits {
	enum device_kind kind;
	bool direct;	    /* O_DIRECT pays: ext4 and XFS, whose direct writes
			       run side by side, within a file too */
	bool allocates;	    /* fallocate(2) pays: later writes go to the space
			       that was allocated, at no other cost */
	bool writes_ranges; /* sync_file_range(2) writes back; elsewhere it may
			       return 0 and do nothing */
	bool journaled;	    /* a sync of a directory also makes durable what was
			   written back before a name in it was given: one
			   journal has all of it, in that order, and flushes
			   the disk's cache first (ext4 with a journal, XFS,
			   with journal and data on one disk) */
	bool logs_names; /* a sync of a file that was linked also makes its new
			       name durable, and costs less than one of the
			       directory (btrfs) */
	enum device_sync sync;
};

struct bell;
struct disk_share;

struct device {
	struct list_node node;
	const struct device_set *set; /* NULL: in none */
	dev_t id;
	enum device_kind kind;
	bool direct;
	size_t users;		       /* device_get() and device_hold() calls
					  that were not put back yet */
	struct chunk_account account;  /* chunks to be written to it */
	struct chunk_account fetching; /* chunks that were read from it; apart,
					  so that downloads that clients do not
					  take hold up no upload */
	size_t cap;		       /* operations in flight at most */
	size_t in_flight;	       /* operations the backend has */
	struct list waiting;	       /* operations beyond the cap */
	struct list ages;	       /* those in flight, oldest first */
	struct fair fair;	       /* those that are not in flight yet since
					  it is not their turn */
	double moved_s;		       /* clock_mono_s(): while it is full, when
					  it last began or ended an operation */
	struct list_node busy;	       /* the engine's, while there are any */
	struct list_node holding;      /* its, too, while `fair` holds any */

	bool stalled, failed;		 /* as this worker has found */
	struct disk_health_disk *shared; /* as all have; NULL: not shared */
	double failed_s;  /* clock_mono_s() of the last failure */
	double latency_s; /* of operations, lately; 0: none was timed */
	bool probing;	  /* this worker tries whether it works again */
	double probed_s;  /* clock_mono_s() when that began */
	struct list listeners;
};

/* Is told of each change of a device's health that this worker finds.  `news`: the
 * change is worth a line in the log, because this worker is the first to find the
 * device not OK, or the last of those that did. */
struct device_listener {
	struct list_node node;
	struct device *device; /* NULL: it does not listen */
	void (*on_health)(
	    struct device_listener *l, struct device *d, bool news);
};

struct device_set;

/* An empty set, whose devices have accounts in `pool`; NULL when out of memory.  The
 * caller owns it until device_set_free(). */
NODISCARD struct device_set *device_set_new(struct chunk_pool *pool);

/* To be called before the first device_get(): share the health of devices with other
 * workers in `s`, where this worker has the number `slot`. */
void device_set_share(
    struct device_set *set, struct disk_health *s, unsigned slot);

/* To be called before the first device_get(): small uploads and bulk take turns with
 * those of other workers in `s`, where this worker has the number `slot`.  `bell` wakes
 * these (engine_hear()); NULL: they look from time to time. */
void device_set_take_turns(struct device_set *set, struct disk_share *s,
    const struct bell *bell, unsigned slot);

/* Free it and its devices; operations in flight are a bug. */
void device_set_free(struct device_set **sp);

/*
 * device_get(set, id, traits):
 * The device with that st_dev, which is made if it is not in the set yet.  It is the
 * set's; each device_get() is to be followed by one device_put().  NULL, and errno is
 * ENOMEM, or EBUSY as of registry_take() (shared/registry.h).
 */
NODISCARD struct device *device_get(
    struct device_set *set, dev_t id, struct device_traits traits);

/* One more user of a device that has a user: returns `d`, to be given to
 * device_put(). */
struct device *device_hold(struct device *d);

/*
 * device_put(set, dp):
 * A user is done: it has no operation on the device any more and does not listen to
 * it.  Clears the caller's pointer, which may be NULL.  When the last user is done the
 * device is freed, or, if chunks are still charged to it, at a later device_get():
 * each mount has a new st_dev, and those that were unmounted must not pile up.  The
 * last few devices that are not OK are kept, since their directories may be opened
 * again.
 */
void device_put(struct device_set *set, struct device **dp);

/*
 * device_new_unknown(set):
 * A device for a directory that is not open yet, so that its st_dev is not known:
 * stat(2) may block.  The set's, as above.  NULL when out of memory.
 */
NODISCARD struct device *device_new_unknown(struct device_set *set);

/*
 * device_new_compute(set):
 * No disk, but the processors: for calls that compute.  At most as many run at once as
 * there are processors.  NULL when out of memory.
 */
NODISCARD struct device *device_new_compute(struct device_set *set);

/* True when this worker uses no other disk (tmpfs does not count). */
bool device_is_alone(const struct device *d);

/* How many disks this worker uses, at least 1. */
size_t device_disks(const struct device *d);

enum device_health {
	DEVICE_OK,
	DEVICE_STALLED, /* it does not answer; it may have failed as well */
	DEVICE_FAILED,	/* it answers, but cannot make data durable */
};

/* Its health, as this worker has found. */
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

/* May something be begun that is to be durable, such as a write?  False while any
 * worker has found it STALLED or FAILED. */
bool device_accepts_writes(const struct device *d);

/* May something be begun that need not be durable, such as a read?  False while any
 * worker has found it STALLED. */
bool device_accepts_reads(const struct device *d);

/* Note what this worker has found.  Listeners are told when the health changes; from
 * within that call they may stop listening, but none may begin to. */
void device_set_stalled(struct device *d, bool stalled);
void device_set_failed(struct device *d, bool failed);

/*
 * device_begin_probe(d):
 * This worker wants to try whether a FAILED device works again.  True: it may, and no
 * other worker does until device_end_probe().  False: another worker is trying; or
 * another one has found, since the failure here, that it works, and it is not FAILED
 * any more.
 *
 * device_end_probe(d, works):
 * The probe is over.  If the device `works`, it is not FAILED any more, unless it has
 * failed again since the probe began.
 */
bool device_begin_probe(struct device *d);
void device_end_probe(struct device *d, bool works);

/* How long an operation took: the mean of the last ones, in which each new one is a
 * sixteenth. */
void device_note_latency(struct device *d, double s);

void device_listen(struct device *d, struct device_listener *l);
void device_unlisten(struct device_listener *l);

/* For how many seconds the device has made no progress: the age of its oldest
 * operation in flight, or the time for which all places have been taken without one
 * becoming free, whichever is more.  0: it has no operation in flight. */
double device_oldest_s(const struct device *d);

/* Find out which file system `fd` is on.  May block on the disk, and on Linux reads
 * files in /proc and /sys: never to be called on a loop. */
struct device_traits device_traits_of(int fd);

/* A st_dev as Linux writes it, "8:17"; on other systems it is a plain number. */
void device_number(dev_t id, char ret[DEVICE_NUMBER_MAX]);

/* True when fsync(2) returns 0 in this process without doing anything. */
bool device_sync_is_void(void);

#endif
