#include "room.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/errno_class.h"
#include "local/space.h"
#include "local_error.h"

enum {
	CLAIM_SMALL = 1024 * 1024, /* bytes */
};

static int
measure(int fd, struct statvfs *ret)
{
	while (fstatvfs(fd, ret) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/*
 * What is reserved is refused to others at once.  So a claim that is larger than the
 * whole disk must not be reserved even for a moment; a small one does no harm, and saves
 * the look.
 */
static int
check_size(const struct local_dir *at, uint64_t more)
{
	struct statvfs fs;
	int err;

	if (more <= CLAIM_SMALL)
		return 0;
	err = measure(at->fd, &fs);
	if (err == 0 && fs.f_blocks > 0 &&
	    more > (uint64_t)fs.f_blocks * fs.f_frsize)
		err = -ENOSPC;
	return err;
}

/* Is there room for `more` bytes, when `reserved` bytes in all are? */
static int
check_room(const struct local_dir *at, uint64_t more, uint64_t reserved)
{
	struct statvfs fs;
	uint64_t room;
	int err = measure(at->fd, &fs);

	if (err < 0 || fs.f_blocks == 0) /* it does not say */
		return err;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < more)
		return -ENOSPC;
	if (room < at->to->policy->min_free ||
	    room - at->to->policy->min_free < reserved)
		return LOCAL_NO_ROOM;
	return 0;
}

/* Reserve room for the file up to `to`, if the disk has it beside all that is
 * reserved already and min_free. */
static int
grant(struct room *r, uint64_t to)
{
	const struct local_dir *at = r->dir;
	uint64_t more = to - r->granted, reserved = more;
	int err = check_size(at, more);

	if (err < 0)
		return err;
	if (at->reservations != NULL) {
		reservations_reserve(at->reservations, at->to->slot, more);
		reserved = reservations_held(at->reservations);
	}
	if (at->partials != NULL) /* they are to be finished, too */
		reserved +=
		    partials_awaited(at->to->shared->partials, at->st.st_dev);
	err = check_room(at, more, reserved);
	if (err < 0 && at->reservations != NULL)
		reservations_release(at->reservations, at->to->slot, more);
	if (err < 0)
		return err;
	if (at->reservations != NULL)
		r->reserved += more;
	r->granted = to;
	return 0;
}

int
room_look(const struct room *r, uint64_t length)
{
	const struct local_dir *at = r->dir;
	uint64_t reserved = length;
	int err = check_size(at, length);

	if (err < 0)
		return err;
	if (at->reservations != NULL)
		reserved += reservations_held(at->reservations) - r->reserved;
	if (at->partials != NULL)
		reserved +=
		    partials_awaited(at->to->shared->partials, at->st.st_dev);
	return check_room(at, length, reserved);
}

void
room_release(struct room *r, uint64_t bytes)
{
	if (bytes > r->reserved)
		bytes = r->reserved;
	if (bytes > 0)
		reservations_release(
		    r->dir->reservations, r->dir->to->slot, bytes);
	r->reserved -= bytes;
}

/* Allocate the space up to `to`: the file system counts it from here on. */
static int
allocate(struct room *r, int fd, uint64_t to)
{
	int err = space_allocate(fd, r->allocated, to - r->allocated);

	if (err == -EOPNOTSUPP || err == -ENOSYS) {
		r->allocates = false;
		return 0;
	}
	if (err < 0) { /* it may have come half way */
		r->is_longer = true;
		return err;
	}
	r->allocated = to;
	room_release(r, UINT64_MAX);
	return 0;
}

/* There may be room for less. */
static bool
is_beyond_room(int err)
{
	return err == LOCAL_NO_ROOM || errno_is_too_much(err);
}

void
room_begin_at(struct room *r, uint64_t offset)
{
	room_release(r, UINT64_MAX);
	r->granted = r->allocated = offset;
}

int
room_reserve(struct room *r, int fd, uint64_t length)
{
	int err;

	if (length == STORE_LENGTH_UNKNOWN) {
		err = grant(r, r->granted + r->dir->to->chunk_size);
		return is_beyond_room(err) ? grant(r, r->granted + SPACE_ALIGN)
					   : err;
	}
	err = grant(r, length);
	if (err == 0 && r->allocates)
		err = allocate(r, fd, length);
	return err;
}

int
room_extend(struct room *r, int fd, uint64_t to, uint64_t need)
{
	int err = 0;

	if (r->granted < to)
		err = grant(r, to);
	if (is_beyond_room(err) && r->granted < need)
		err = grant(r, need);
	if (err == 0 && r->allocates && r->allocated < r->granted)
		err = allocate(r, fd, r->granted);
	/* Perhaps that was too far ahead. */
	if (is_beyond_room(err) && r->allocates && r->allocated < need &&
	    need <= r->granted) {
		err = allocate(r, fd, need);
		r->granted = need;
	}
	return err;
}

void
room_move(struct room *r, struct local_dir *dir)
{
	room_release(r, UINT64_MAX);
	*r = (struct room){.dir = dir};
}
