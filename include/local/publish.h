/*
 * local/publish.h - a file gets its name when it is complete, and not before.
 *
 * There are two ways; which one works is found out by trying it in the directory:
 *
 *	nameless   O_TMPFILE, then linkat(2): nothing to clean up, ever
 *	temp name  OUTPUT_DIR/.penstock/RANDOM, locked by its writer, then
 *	           link(2) + unlink(2), or rename without replacing
 *
 * Trying takes an inode, and a file system that is full may have none: then it is tried
 * again with each file, until there is room.
 *
 * To replace an existing file both ways need a temp name, which rename(2) then moves over
 * the old file.  A temp name on which no process has a lock is left over from a crash;
 * publish_sweep() removes these and no others.
 *
 * A file gets the group, access list and project id that touch(1) would give it in its
 * directory.  O_TMPFILE makes it in that directory.  A temp file in `.penstock` gets the
 * same, if the directory hands nothing down (no setgid bit, no default access list, no
 * project of its own).  Otherwise the temp file is made *beside*: under a reserved name in
 * the directory itself, and moved to `.penstock` at once; it stays only where that
 * fails with EXDEV.  For each file beside, a note in `.penstock` tells the sweep where it
 * is.
 *
 * All calls may block on the disk.  Errors are negative errnos.
 */
#ifndef LOCAL_PUBLISH_H
#define LOCAL_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/name_limits.h"
#include "base/str.h"

#define PUBLISH_TEMP_DIR FILE_NAME_RESERVED

enum {
	PUBLISH_TEMP_MAX = 38, /* a name in `.penstock` with its NUL */
	PUBLISH_FITTING = 64,
	PUBLISH_SPARE_LOCKS = 4, /* that are kept open, of a directory */
	PUBLISH_SPARE_MAX = 16,	 /* ... of all of them, in a process */
};

/* Far from any errno. */
enum publish_error {
	/* `.penstock` was removed, and whatever was judged under its lock must be
	 * judged anew. */
	PUBLISH_RENEW = -20101,
	/* It would have to wait, and was told not to. */
	PUBLISH_BUSY = -20102,
	/* The file has lost its temp name, and cannot get another one: it has to
	 * be made anew. */
	PUBLISH_LOST = -20103,
};

struct publish_lock;
struct replacing;

/* Who waits for locks, and where that is noted (shared/replacing.h). */
struct publish_waiter {
	struct replacing *notes; /* NULL: nowhere */
	unsigned slot;		 /* the worker's, or REPLACING_NO_WORKER */
};

/* Of a directory's own lock: an open one that nobody holds. */
struct publish_spare {
	_Atomic int state;
	int fd;
	dev_t dev;
	ino_t inode;
};

/* One output directory. */
struct publish {
	int root;		 /* the caller's */
	_Atomic int temp_dir;	 /* ours; -1 while no temp name was needed.  The
				  number stays when publish_renew() opens
				  another one */
	_Atomic bool is_another; /* temp_dir is, than the one before: for the
				    user to see, and to clear */
	_Atomic bool is_known; /* which way works; not while the disk is full */
	_Atomic bool nameless; /* O_TMPFILE works here */
	_Atomic bool by_link;  /* temp names are published by link, else by a
				  rename that does not replace */
	_Atomic bool clobbers; /* ... or by one that does: there is nothing
				  better */
	bool overwrite;	       /* existing files may be replaced */
	_Atomic bool not_quick; /* publish_replace_quickly() does not work */
	_Atomic uint64_t next_temp; /* what the next temp name is made of */
	struct publish_spare spare[PUBLISH_SPARE_LOCKS];
	struct publish_waiter waiter;
	/* Directories (by st_dev and st_ino) to which files can be moved from
	 * `.penstock`; for temp names. */
	_Atomic uint64_t fitting[PUBLISH_FITTING];
};

/* A file that has no name yet, or only a temp name. */
struct unpublished {
	int fd;
	/* The name that it will get, from the root on; NULL: a name in the root.
	 * Set before publish_create(). */
	const char *path;
	char temp[PUBLISH_TEMP_MAX]; /* "": nameless */
	bool is_beside;		     /* `temp` is not in `.penstock`, but ... */
	/* After an error: it may have got its name all the same, which could not be
	 * checked. */
	bool uncertain;
	int beside, note; /* ... in this directory, and this note says so */
};

/*
 * publish_init(p, root, overwrite, waiter):
 * Find out which way works in `root`, which stays the caller's and must stay open.  Locks
 * are waited for as `waiter`, also by this call.  0, also when there is no room to try;
 * -EOPNOTSUPP when none works (see publish.c), or only one that may replace files of other
 * programs, and `overwrite` is off; or another negative errno.
 */
NODISCARD int publish_init(
    struct publish *p, int root, bool overwrite, struct publish_waiter waiter);

/* Close `.penstock`.  Idempotent. */
void publish_fini(struct publish *p);

/* False when `.penstock` was removed or moved by another program. */
bool publish_is_intact(const struct publish *p);

/* Open `.penstock` (again), and make it if it is missing.  Making it waits for stores
 * above this one, and these may wait for this store's lock; so the caller must not
 * hold that (publish_take()). */
NODISCARD int publish_renew(struct publish *p);

/* Add to `out` the cause of `err`, if it is known, and what to do about it; for example
 * that `.penstock` in `root`, whose path is `dir`, belongs to another user. */
void publish_explain(int root, const char *dir, int err, struct str *out);

/*
 * publish_try_out(p, overwrite, locks, ret_step):
 * Try what a store with these settings will do: give a file its name, replace it, remove
 * it, and (`locks`, or with `overwrite`) take locks.  Nothing is left; what a crash leaves is swept later.  0, also
 * when the disk is full; or -errno, and *ret_step says which step failed.
 */
NODISCARD int publish_try_out(
    struct publish *p, bool overwrite, bool locks, const char **ret_step);

/* The way that works, "O_TMPFILE and link" or others, for the lines of the start. */
const char *publish_way(const struct publish *p);

/* Make a new file that is to get a name in `dir` (-1: the root).  0; -EOPNOTSUPP: there was
 * no room to try before, and now no way works; or another negative errno. */
NODISCARD int publish_create(
    struct publish *p, int dir, struct unpublished *ret);

/*
 * publish_create_kept(p, dir, kept, ret):
 * The same, of a file that has the name `kept` in `.penstock` from the beginning, which no
 * sweep takes, and which stays when the file is closed: ret->temp is "".  With that name as
 * its temp name it is published, and loses it, as any other.  -EXDEV: it cannot be moved
 * between the two directories.
 */
NODISCARD int publish_create_kept(
    struct publish *p, int dir, const char *kept, struct unpublished *ret);

/*
 * publish_link(p, u, dir, name):
 * Give the file the name `name` in `dir` (-1: the root).  0; -EEXIST when the name is
 * taken (unless p->clobbers: then that file is replaced); -EXDEV when no file can be
 * moved there; or another negative errno.  After an error it does not have the name,
 * unless u->uncertain.
 */
NODISCARD int publish_link(
    struct publish *p, struct unpublished *u, int dir, const char *name);

/* The same, but the file that has the name is replaced, atomically. */
NODISCARD int publish_replace(
    struct publish *p, struct unpublished *u, int dir, const char *name);

/* Remove its temp name, if it has one; the descriptor stays open. */
void publish_discard(struct publish *p, struct unpublished *u);

/* Remove what a crash has left in `.penstock` of `root`.  Returns how many files were
 * removed; *ret_living is how many are in use. */
unsigned publish_sweep(int root, unsigned *ret_living);

/*
 * publish_create_staged(p, lock, ret):
 * Make a new file that is to replace one in the root, with a temp name in the directory
 * that is locked, for publish_replace_quickly(): one link less.  False: it would not be what
 * a file is that is made in the root, or cannot be made; publish_create() can.  What the
 * root hands down is looked at once for each publish_take().
 */
bool publish_create_staged(
    struct publish *p, struct publish_lock *lock, struct unpublished *ret);

/*
 * publish_replace_quickly(p, u, lock, dir, name):
 * As publish_replace(), with half the system calls, of a nameless file.  Its temp name is
 * not locked: a sweep of another worker may take it, and then the file is PUBLISH_LOST.
 * PUBLISH_RENEW: nothing was done, and it is to be replaced in the other way.
 */
NODISCARD int publish_replace_quickly(struct publish *p, struct unpublished *u,
    struct publish_lock *lock, int dir, const char *name);

/*
 * publish_check_close(fd):
 * Some file systems (FUSE, NFS) report a failed write only at close(2): close a copy of
 * `fd`.  0, or the negative errno of that.
 */
NODISCARD int publish_check_close(int fd);

/*
 * publish_try_name(p, part):
 * Can this file system have a file named `part`?  Makes one in `.penstock` and removes it,
 * since looking the name up would not tell.  0, also when it cannot be tried; or
 * -EINVAL, -EILSEQ or -ENAMETOOLONG.
 */
NODISCARD int publish_try_name(struct publish *p, const char *part);

/* True when an error says that this file system takes no such name.  (EINVAL has other
 * reasons as well, where more than a name is given.) */
bool publish_is_bad_name(int err);

/* True when every file system takes this name, so that it need not be tried. */
bool publish_is_plain_name(const char *part, size_t len);

#endif
