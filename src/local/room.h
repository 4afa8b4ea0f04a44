/*
 * local/room.h - room on the disk for a file on its way in.
 *
 *	0 ---- allocated ---- granted ----> the end of the file
 *	       `---- reserved ----'
 *
 * What is granted has been reserved among all workers (shared/reservations.h),
 * beside `min_free`; what is allocated or written the file system counts, and
 * needs no reservation any more.  Amounts are bytes.
 *
 * One side uses it at a time: the loop, or a job on an engine thread that the
 * loop waits for.
 */
#ifndef LOCAL_ROOM_H
#define LOCAL_ROOM_H

#include "dir.h"

struct room {
	struct local_dir
	    *dir;	    /* whose disk it is; the file is a member of it */
	uint64_t granted;   /* the file may be written up to here */
	uint64_t reserved;  /* of that */
	uint64_t allocated; /* there is space up to it */
	bool allocates;	    /* ahead of what is written */
	bool is_longer;	    /* than what was written, perhaps */
};

/* It is to get longer than these bytes, which it has: they need no room. */
void room_begin_at(struct room *r, uint64_t offset);

/*
 * room_reserve(r, fd, length):
 * On an engine thread: room for the open file, all of its `length`; or a first
 * step, when that is STORE_LENGTH_UNKNOWN.  0, LOCAL_NO_ROOM, or -errno (ENOSPC,
 * EDQUOT, EFBIG).
 */
NODISCARD int room_reserve(struct room *r, int fd, uint64_t length);

/*
 * room_extend(r, fd, to, need):
 * On an engine thread, of a file whose length is not known: more room, up to
 * `to` if there is as much, up to `need`, which is to be written now, if not.
 * Returns as room_reserve().
 */
NODISCARD int room_extend(struct room *r, int fd, uint64_t to, uint64_t need);

/* On an engine thread: is there room for a file of `length` bytes, beside all that others
 * were promised?  Nothing is reserved.  Returns as room_reserve(). */
NODISCARD int room_look(const struct room *r, uint64_t length);

/* So many bytes were written, or all are not wanted any more (UINT64_MAX):
 * they need no reservation. */
void room_release(struct room *r, uint64_t bytes);

/* The file is to be made in `dir` instead; there is nothing of it yet. */
void room_move(struct room *r, struct local_dir *dir);

#endif
