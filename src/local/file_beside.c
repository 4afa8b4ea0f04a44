#include "file_beside.h"

static struct device *
device_of(const struct file_writer *w)
{
	return w->room.dir->device;
}

bool
file_beside_bypasses(const struct file_writer *w)
{
	return w->direct &&
	       (device_of(w)->direct || w->says_direct == SPACE_DIRECT_YES);
}

/* What is written waits in the page cache for being written back. */
static bool
waits_in_cache(const struct file_writer *w)
{
	return !file_beside_bypasses(w) &&
	       device_of(w)->kind != DEVICE_MEMORY &&
	       w->all->to->policy->write_behind > 0;
}

static uint64_t
most_behind(const struct file_writer *w)
{
	return fair_behind(
	    &device_of(w)->fair, w->all->to->policy->write_behind);
}

/*
 * Asking for room and writing back are jobs beside the writes, too, and there is one at a
 * time.  So the disk is not flushed while there is still room to be asked for, which the
 * writes would wait for.  An upload of unknown length asks up to its end: what it has
 * written is flushed by its last sync only.  And one that goes through the page cache has
 * its write-back wait for a flush only where small uploads come (fair_claims_flush()).
 */
static bool
claims_flush(const struct file_writer *w)
{
	bool durable = file_beside_bypasses(w) && dir_syncs(w->room.dir);

	return w->mode == FILE_WRITER_WRITES && w->room.granted >= w->length &&
	       fair_claims_flush(&device_of(w)->fair, durable);
}

bool
file_beside_choose(struct file_writer *w, struct file_background *ret)
{
	if (w->background != NULL)
		return false;
	if (waits_in_cache(w) &&
	    w->written >= w->behind_from + most_behind(w) / 2) {
		*ret = (struct file_background){
		    .from = w->behind_from, .to = w->written};
		return true;
	}
	if (!claims_flush(w))
		return false;
	*ret = (struct file_background){.flushes = true};
	return true;
}

bool
file_beside_allows(const struct file_writer *w, uint64_t end)
{
	return w->background == NULL || w->background->extends_room ||
	       !waits_in_cache(w) || end - w->behind_from <= most_behind(w);
}

uint64_t
file_beside_unwritten(const struct file_writer *w)
{
	if (file_beside_bypasses(w) || device_of(w)->kind == DEVICE_MEMORY ||
	    w->written < w->behind_from)
		return 0;
	return w->written - w->behind_from;
}
