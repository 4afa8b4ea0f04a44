/*
 * Room for a file on its way in: what the reservations owes it, and the space that is
 * allocated ahead of its writes.  On engine threads, as all that asks the disk.
 */
#include <errno.h>
#include <sys/statvfs.h>

#include "base/errno_class.h"
#include "internal.h"
#include "local/space.h"

static int
measure(int fd, struct statvfs *ret)
{
	while (fstatvfs(fd, ret) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/*
 * Reserve room for the file up to `to`, if the disk has it beside all that is reserved
 * already and min_free.
 */
static int
grant(struct incoming_file *f, uint64_t to)
{
	struct local_dir *at = f->at;
	uint64_t more = to - f->granted, reserved, room;
	struct statvfs fs;
	int err;

	err = measure(at->fd, &fs);
	if (err < 0)
		return err;
	if (fs.f_blocks == 0) { /* it does not say */
		f->granted = to;
		return 0;
	}
	if (more > (uint64_t)fs.f_blocks * fs.f_frsize)
		return -ENOSPC;
	reserved = more;
	if (at->reservations != NULL) {
		reservations_reserve(at->reservations, at->to->slot, more);
		reserved = reservations_held(at->reservations);
	}
	err = measure(at->fd, &fs);
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (err == 0 && room < more)
		err = -ENOSPC;
	if (err == 0 && (room < at->to->policy->min_free ||
			    room - at->to->policy->min_free < reserved))
		err = STORE_NO_ROOM;
	if (at->reservations != NULL && err < 0)
		reservations_release(at->reservations, at->to->slot, more);
	if (err < 0)
		return err;
	if (at->reservations != NULL)
		f->reserved += more;
	f->granted = to;
	return 0;
}

/* Allocate the space up to `to`: the file system counts it from here on. */
static int
allocate(struct incoming_file *f, uint64_t to)
{
	int err = space_allocate(f->u.fd, f->allocated, to - f->allocated);

	if (err == -EOPNOTSUPP || err == -ENOSYS) {
		f->allocates = false;
		return 0;
	}
	if (err < 0) { /* it may have come half way */
		f->is_longer = true;
		return err;
	}
	f->allocated = to;
	room_release(f, f->reserved);
	return 0;
}

/* There may be room for less. */
static bool
is_beyond_room(int err)
{
	return err == STORE_NO_ROOM || errno_is_too_much(err);
}

/* Room for the file: all it needs, or a first step, or some at least. */
int
room_reserve(struct incoming_file *f)
{
	int err;

	if (f->length == STORE_LENGTH_UNKNOWN) {
		err = grant(f, f->at->to->chunk_size);
		return is_beyond_room(err) ? grant(f, SPACE_ALIGN) : err;
	}
	err = grant(f, f->length);
	if (err == 0 && f->allocates)
		err = allocate(f, f->length);
	return err;
}

/*
 * Of a file whose length is not known: more room, up to background_to if there is as
 * much, up to what is to be written now if not.
 */
int
room_extend(void *file)
{
	struct incoming_file *f = file;
	int err = 0;

	if (f->granted < f->background_to)
		err = grant(f, f->background_to);
	if (is_beyond_room(err) && f->granted < f->background_need)
		err = grant(f, f->background_need);
	if (err == 0 && f->allocates && f->allocated < f->granted)
		err = allocate(f, f->granted);
	/* Perhaps that was too far ahead. */
	if (is_beyond_room(err) && f->allocates &&
	    f->allocated < f->background_need &&
	    f->background_need <= f->granted) {
		err = allocate(f, f->background_need);
		f->granted = f->background_need;
	}
	return err;
}
