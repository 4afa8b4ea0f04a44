#include "view.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/clock.h"

enum {
	MEASURE_EVERY_MS = 2000, /* of all workers together */
};

static enum store_state
state_of(const struct local_dir *dir)
{
	if (dir == NULL)
		return STORE_CLOSED;
	if (!device_accepts_reads(dir->device))
		return STORE_STALLED;
	return device_accepts_writes(dir->device) ? STORE_READY : STORE_FAILED;
}

static uint64_t
nanoseconds(double s)
{
	return (uint64_t)(s * (double)NS_PER_S);
}

static void
fill_room(const struct local_dir *dir, struct store_view *ret)
{
	uint64_t when;

	if (dir->reservations == NULL)
		return;
	ret->free = reservations_free_bytes(dir->reservations, &when);
	ret->has_free = when != 0;
	ret->reserved = reservations_held(dir->reservations);
	if (dir->partials != NULL)
		ret->reserved +=
		    partials_awaited(dir->to->shared->partials, dir->st.st_dev);
}

void
view_fill(const struct view *v, struct store_view *ret)
{
	const struct local_dir *dir = v->opener->current;
	const struct device *d;
	double oldest;

	ret->state = state_of(dir);
	if (dir == NULL)
		return;
	d = dir->device;
	oldest = device_oldest_s(d);
	ret->in_flight = d->in_flight;
	ret->buffered = d->account.held;
	if (d->in_flight > 0 && oldest > 0)
		ret->oldest_ns = clock_mono_ns() - nanoseconds(oldest);
	ret->latency_ns = nanoseconds(d->latency_s);
	fill_room(dir, ret);
}

/* On an engine thread. */
static int
measure_job(void *arg)
{
	struct local_dir *dir = arg;
	struct statvfs fs;

	while (fstatvfs(dir->fd, &fs) == -1)
		if (errno != EINTR)
			return -errno;
	if (fs.f_blocks > 0) /* else it does not say */
		reservations_note_free(dir->reservations,
		    (uint64_t)fs.f_bavail * fs.f_frsize, clock_mono_ns());
	return 0;
}

static void
on_measured(struct op *op, int res)
{
	(void)res;
	dir_release(op->owner);
}

void
view_measure(struct view *v)
{
	struct local_dir *dir = v->opener->current;
	uint64_t when;

	if (v->op.in_flight || state_of(dir) == STORE_CLOSED ||
	    state_of(dir) == STORE_STALLED || dir->reservations == NULL)
		return;
	(void)reservations_free_bytes(dir->reservations, &when);
	if (when != 0 && clock_mono_ns() - when < MEASURE_EVERY_MS * NS_PER_MS)
		return;
	dir_hold(dir);
	engine_call(dir->to->engine, dir->device, &v->op, measure_job, dir,
	    CALL_NO_STALL, on_measured);
}

void
view_init(struct view *v, struct opener *o)
{
	*v = (struct view){.opener = o};
}
