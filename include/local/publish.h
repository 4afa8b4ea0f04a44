/*
 * local/publish.h - a file gets its name when it is complete, and not before.
 *
 * Two ways, found out by trying them on the directory itself:
 *
 *	nameless   O_TMPFILE, then linkat(2): nothing to clean up, ever
 *	temp name  OUTPUT_DIR/.penstock/RANDOM, locked by its writer, then
 *	           link(2) + unlink(2), or rename without replacing
 *
 * Trying takes an inode, and some file systems have none when they are full:
 * then it is tried again with each file, until there is room.
 *
 * Replacing an existing file takes a temp name in both: link it there, then
 * rename(2) it over the old one.  A temp name without a lock on it is left
 * over from a crash; publish_sweep() removes such and no other.
 *
 * A file is what touch(1) would have made in the directory that it is bound
 * for: group, access list, project id.  O_TMPFILE makes it there.  A temp file
 * made in `.penstock` is the same where that directory has nothing to hand
 * down (no setgid bit, no default access list, no project of its own);
 * elsewhere it is made *beside*, under a reserved name in the directory itself,
 * and moved to `.penstock` at once.  It stays beside only where the move is
 * EXDEV.  A note in `.penstock` tells the sweep of each such name.
 *
 * May wait for the disk, all of it.  Errors are negative errnos.
 */
#ifndef LOCAL_PUBLISH_H
#define LOCAL_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/name_limits.h"
#include "base/str.h"

#define PUBLISH_TEMP_DIR FILE_NAME_RESERVED

enum {
	PUBLISH_TEMP_MAX = 32,			 /* a temp name with its NUL */
	PUBLISH_LOCKS = 1 + FILE_NAME_PARTS_MAX, /* the root, and a name's */
	PUBLISH_FITTING = 64,

	/* From publish_replace(), far from any errno: `.penstock` was removed,
	 * and whatever was judged under its lock must be judged anew. */
	PUBLISH_RENEW = -20101,
};

/* One output directory. */
struct publish {
	int root;	       /* the caller's */
	_Atomic int temp_dir;  /* ours; -1 while no temp name was needed.  The
				  number stays when publish_renew() opens
				  another one */
	_Atomic bool is_known; /* which way works; not while it is full */
	_Atomic bool nameless; /* O_TMPFILE works here */
	_Atomic bool by_link;  /* temp names are published by link, else by a
				  rename that does not replace */
	_Atomic bool clobbers; /* ... or by one that does, for want of both */
	bool overwrite;	       /* that may be */
	/* Directories (by st_dev and st_ino) to which files can be moved from
	 * `.penstock`; for temp names. */
	_Atomic uint64_t fitting[PUBLISH_FITTING];
};

/* A file that has no name yet, or a temp name only. */
struct unpublished {
	int fd;
	const char *path; /* the name it is bound for, from the root on; NULL: a
			     name in the root.  Set before publish_create() */
	char temp[PUBLISH_TEMP_MAX]; /* "": nameless */
	bool is_beside;	  /* that name is not in `.penstock`, but ... */
	int beside, note; /* ... in this directory, and a note tells of it */
	bool uncertain; /* the error just returned may hide that it has got its
			   name: that could not be checked */
};

/*
 * publish_init(p, root, overwrite):
 * Try the ways out beneath `root`, which stays the caller's and open.  Also 0
 * when there is no room to try them.
 * -EOPNOTSUPP: this file system has none (see publish.c), or only one that
 * may replace what others put there, and `overwrite` is off.
 */
NODISCARD int publish_init(struct publish *p, int root, bool overwrite);
void publish_fini(struct publish *p);

/* False: `.penstock` was removed or moved by others. */
bool publish_is_intact(const struct publish *p);

/* Open `.penstock` (again), made anew where it is missing.  Making it waits for
 * stores above this one, which may wait for this store's lock: so the caller must not
 * have that. */
NODISCARD int publish_renew(struct publish *p);

/* Say in `out` what is behind `err`, if that is known, and what to do about it:
 * `.penstock` of `root`, whose path is `dir`, is not ours, say. */
void publish_explain(int root, const char *dir, int err, struct str *out);

/*
 * publish_try_out(p, overwrite, keep_latest, ret_step):
 * Do what such a store will do: give a name, replace it, remove it, with the
 * lock.  Leaves nothing, and what a crash in it leaves is swept.  0, also when
 * the disk is full; or -errno, and in *ret_step what could not be done.
 */
NODISCARD int publish_try_out(
    struct publish *p, bool overwrite, bool keep_latest, const char **ret_step);

/* "O_TMPFILE and link", ...: for the start-up lines. */
const char *publish_way(const struct publish *p);

/* A new file, bound for a name in `dir` (-1: root itself).  -EOPNOTSUPP: now
 * that there is room, there is no way. */
NODISCARD int publish_create(
    struct publish *p, int dir, struct unpublished *ret);

/*
 * publish_link(p, u, dir, name):
 * Give it `name` in `dir` (-1: root); -EEXIST when there is one, unless
 * p->clobbers: then it is replaced.  -EXDEV: nothing can be moved there.  After
 * an error it does not have it, unless u->uncertain.
 */
NODISCARD int publish_link(
    struct publish *p, struct unpublished *u, int dir, const char *name);

/* The same, in place of whatever has that name, at once. */
NODISCARD int publish_replace(
    struct publish *p, struct unpublished *u, int dir, const char *name);

/* Take a temp name back, if there is one; the descriptor stays open. */
void publish_discard(struct publish *p, struct unpublished *u);

/* Remove what a crash left in `.penstock` of `root`; how many.  *ret_living is
 * how many are in use. */
unsigned publish_sweep(int root, unsigned *ret_living);

/* What publish_serialize() took. */
struct publish_lock {
	int fd[PUBLISH_LOCKS];
	unsigned count;
	unsigned turn; /* PORTABLE */
};

/*
 * publish_serialize(p, path, ret):
 * Keep all others of us, in any worker or server of this user, from replacing
 * and removing what has the name `path`, until publish_release(): 0 or -errno.
 * A directory may be the output directory of one location and lie beneath that
 * of another, so the locks of all on the way to it are taken, from the root
 * down.  Below the root only those that no other user can open: of this
 * user or root, closed to all others.  So servers of different users do
 * not wait for each other there.
 */
NODISCARD int publish_serialize(
    struct publish *p, const char *path, struct publish_lock *ret);
void publish_release(struct publish_lock *lock);

/*
 * publish_check_close(fd):
 * Some file systems tell of a failed write only at close (FUSE, NFS): close a
 * copy and see.  0 or that errno, negative.
 */
NODISCARD int publish_check_close(int fd);

/*
 * publish_try_name(p, part):
 * Can this file system take a file named `part`?  One is made of that name, in
 * `.penstock`, and removed: where files have temp names looking one up does not
 * tell.  0, or -EINVAL, -EILSEQ or -ENAMETOOLONG; 0 too when it cannot be tried.
 */
NODISCARD int publish_try_name(struct publish *p, const char *part);
/* Does an error say that this file system takes no such name?  (EINVAL has other
 * reasons as well, where more than a name is given.) */
bool publish_is_bad_name(int err);
/* Every file system takes this name, so there is no need to try it. */
bool publish_is_plain_name(const char *part, size_t len);

/* A lock lasts until its descriptor is closed, and keeps out the same process
 * too: so a sweep may be done beside its own uploads.  Else the lock is given up
 * for a moment by publish_check_close(). */
bool publish_locks_last(void);

#endif
