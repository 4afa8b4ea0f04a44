/*
 * local/dir.h - an output directory that is open.
 *
 * The store uses it, and so does each file in it: the path may lead to
 * another directory meanwhile.  It is closed when its last user is gone.
 *
 * It knows no file.  A file in it is a *member*, which is told when the disk
 * becomes unhealthy and when it answers again.
 */
#ifndef LOCAL_DIR_H
#define LOCAL_DIR_H

#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "shared/latest.h"
#include "shared/mount_history.h"
#include "shared/partials.h"
#include "shared/reservations.h"
#include "shared/shared.h"
#include "config/store_policy.h"
#include "disk/device.h"
#include "disk/engine.h"
#include "local/dirsync.h"
#include "local/local.h"
#include "local/publish.h"
#include "alone.h"
#include "kept_lock.h"

enum {
	DIR_SYNCED_MAX = 256,
};

struct local_dir;
struct dir_member;

/* What a file is told of the disk of its directory.  A callback may take its
 * own member out of the directory and free it. */
struct dir_member_ops {
	/* The disk is unhealthy: it does not answer (`stalled`), or has failed to
	 * make something durable. */
	void (*on_unhealthy)(struct dir_member *m, bool stalled);
	/* The disk answers again, and the member was postponed.  It may
	 * postpone itself once more. */
	void (*on_healthy)(struct dir_member *m);
};

/* A file in a directory; embedded in it. */
struct dir_member {
	const struct dir_member_ops *ops;
	struct list_node node;		 /* of the directory's `members` */
	struct list_node postponed_node; /* of its `postponed` */
};

/* What the owner of a directory is told, on the loop. */
struct dir_events {
	/* Its disk became unhealthy, has changed how, or is healthy again; `news` as
	 * in struct device_listener. */
	void (*on_health)(void *owner, struct local_dir *dir, bool news);
	/* The path does not lead to it any more. */
	void (*on_vanished)(void *owner, struct local_dir *dir);
	/* A member waits until the disk answers: its owner calls
	 * dir_end_postponed() then. */
	void (*on_postponed)(void *owner);
};

/* What is to be tried once more in a directory before it is closed. */
struct dir_last {
	void (*try)(struct dir_last *l);     /* on an engine thread */
	void (*give_up)(struct dir_last *l); /* what is left; may come twice */
	void (*free)(struct dir_last *l);
};

struct local_dir {
	struct list_node node; /* for its owner */
	const struct store_setup *to;
	const struct dir_events *events;
	void *owner;
	size_t users; /* members, jobs, and the store */
	int fd;
	struct stat st;
	uint64_t identity; /* path_identity() */
	bool stamps;	   /* files have no birth time: give them a stamp */
	struct device_traits traits;
	struct publish publish;
	struct alone alone;
	struct kept_lock kept_lock;   /* the loop's */
	_Atomic bool names_are_taken; /* the last one that was given was: the
					 next one probably is, too */
	struct device *device;
	struct device_listener health;
	struct dirsync *dirsync;
	struct latest *latest;
	struct reservations_disk *reservations; /* NULL: too many disks */
	struct partials_dir *partials;		/* NULL: too many directories */
	unsigned found; /* dir_is_found()'s: the turn of the loop */
	struct op close_op;
	struct dir_last *last; /* NULL: there is nothing to try */
	struct list members;
	struct list postponed;	/* members that end when the disk answers */
	unsigned swept, living; /* temp files: removed when it was opened, and
				   left since they are in use */

	/* Directories (path_identity) whose way down from the root is on
	 * stable storage; engine threads look and store. */
	_Atomic uint64_t synced_dirs[DIR_SYNCED_MAX];
};

/* ---- its life: new, open, start; then until the last dir_release() ---- */

/* NULL when out of memory.  `to`, `events` and `owner` outlive it. */
NODISCARD struct local_dir *dir_new(
    const struct store_setup *to, const struct dir_events *events, void *owner);

/*
 * dir_open(dir, place, sweep, trouble):
 * On an engine thread: open the directory of the setup, find out how to use it,
 * and, if asked to, sweep it.  0, -errno or LOCAL_UNMOUNTED; `trouble` may say
 * more about an error.
 */
NODISCARD int dir_open(struct local_dir *dir, struct mount_record *place,
    bool sweep, struct str *trouble);

/*
 * dir_start(dir):
 * On the loop, after dir_open(): have it share with other directories and workers
 * what belongs to its disk.  It has one user then, the store.  0; or -ENOMEM,
 * LOCAL_HELD_UP or LOCAL_CROWDED, and it is as dir_open() left it.
 */
NODISCARD int dir_start(struct local_dir *dir);

/* Free what was never started. */
void dir_discard(struct local_dir *dir);

/* One more user; one less: the last one begins to close it. */
void dir_hold(struct local_dir *dir);
void dir_release(struct local_dir *dir);

/* The store was the last user and goes, too: close it and free it at once. */
void dir_close_now(struct local_dir *dir);

/* ---- members ---- */

/* A file is in the directory, as a user of it; or has left it. */
void dir_join(struct local_dir *dir, struct dir_member *m);
void dir_part(struct local_dir *dir, struct dir_member *m);

/* The disk does not answer: its on_healthy() is called when it does again. */
void dir_postpone(struct local_dir *dir, struct dir_member *m);

/* Tell all members that the disk is unhealthy. */
void dir_fail_members(struct local_dir *dir);

/* Tell those that were postponed that it answers, each once. */
void dir_end_postponed(struct local_dir *dir);

/* ---- what operations in it say ---- */

/* One ended in `err`; `cause` is the errno behind that, or 0.  Does it
 * say something of the directory, or of its disk? */
void dir_learn(struct local_dir *dir, int err, int cause);

/* After a job: if one found `.penstock` gone, or another one in its place, what waits in the
 * one before is lost, and an operator has to know. */
void dir_look_for_loss(struct local_dir *dir);

/* On an engine thread: does the path still lead to it?  0, LOCAL_VANISHED, or
 * -errno when that cannot be told. */
NODISCARD int dir_check_path(const struct local_dir *dir);

/* On the loop, for one in memory: does the path still lead to it?  It is looked up once
 * in each turn of the loop: so it may have changed since this turn began. */
bool dir_is_found(struct local_dir *dir);

/* Syncs are asked for, and worth something there. */
static inline bool
dir_syncs(const struct local_dir *dir)
{
	return dir->to->policy->sync && dir->device->kind != DEVICE_MEMORY;
}

#endif
