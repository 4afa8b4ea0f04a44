/*
 * store/publish.h - a file gets its name when it is complete, and not before.
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
 * rename(2) it over the old one.  A temp name that nobody holds a lock on is
 * left over from a crash; publish_sweep() removes such and no other.
 *
 * May wait for the disk, all of it.  Errors are negative errnos.
 */
#ifndef STORE_PUBLISH_H
#define STORE_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

#define PUBLISH_TEMP_DIR ".penstock"

enum {
	PUBLISH_TEMP_MAX = 32, /* a temp name with its NUL */
};

/* One output directory. */
struct publish {
	int root;		 /* the caller's */
	_Atomic int temp_dir;	 /* ours; -1 while no temp name was needed */
	_Atomic bool is_known;	 /* which way works; not while it is full */
	_Atomic bool nameless;	 /* O_TMPFILE works here */
	_Atomic bool by_link;	 /* temp names are published by link, else by a
				  rename that does not replace */
	_Atomic bool serialized; /* PORTABLE: by a thread of this process */
};

/* A file that has no name yet, or a temp name only. */
struct unpublished {
	int fd;
	char temp[PUBLISH_TEMP_MAX]; /* "": nameless */
	bool uncertain; /* the error just returned may hide that it has got its
			   name: nobody could look */
};

/*
 * publish_init(p, root, overwrite):
 * Try the ways out beneath `root`, which stays the caller's and open.  Also 0
 * when there is no room to try them.
 * -EOPNOTSUPP: this file system has none (see publish.c).
 */
NODISCARD int publish_init(struct publish *p, int root, bool overwrite);
void publish_fini(struct publish *p);

/* False: somebody has removed or moved `.penstock`, and what needs it fails
 * until publish_init(). */
bool publish_is_intact(const struct publish *p);

/* "O_TMPFILE and link", ...: for the start-up lines. */
const char *publish_way(const struct publish *p);

/* A new file, bound for a name in `dir` (-1: root itself).  -EOPNOTSUPP: now
 * that there is room, there is no way. */
NODISCARD int publish_create(
    struct publish *p, int dir, struct unpublished *ret);

/*
 * publish_link(p, u, dir, name):
 * Give it `name` in `dir` (-1: root); -EEXIST when there is one.  After an error
 * it does not have it, unless u->uncertain.
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

/*
 * publish_serialize(p):
 * Keep all others of us, in any worker, from replacing and removing files of
 * this directory until publish_release(), which is given what this returned;
 * or -errno.
 */
NODISCARD int publish_serialize(struct publish *p);
void publish_release(struct publish *p, int *lock);

/*
 * publish_check_close(fd):
 * Some file systems tell of a failed write only at close (FUSE, NFS): close a
 * copy and see.  0 or that errno, negative.
 */
NODISCARD int publish_check_close(int fd);

/* No room for a file: none at all, or a quota is used up. */
bool publish_is_full(int err);

/* p->temp_dir, made where it was not needed before, or -errno. */
NODISCARD int publish_temp_dir(struct publish *p);

/* `.penstock` of `root`, made where it is missing: a descriptor or -errno.  And
 * whether `fd` is that directory still. */
NODISCARD int publish_open_temp_dir(int root);
bool publish_is_temp_dir(int root, int fd);

/* What differs between systems (publish_linux.c, publish_posix.c). */
NODISCARD int publish_open_nameless(int dir);
NODISCARD int publish_link_nameless(int fd, int dir, const char *name);
NODISCARD int publish_rename_new(
    int from_dir, const char *from, int dir, const char *name);
NODISCARD int publish_lock(int fd);
/* A lock lasts until its descriptor is closed, and keeps out the same process
 * too: so a sweep may be done beside its own uploads.  Else the lock is given up
 * for a moment by publish_check_close(). */
bool publish_locks_last(void);

#endif
