#include "disk/device.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "shared/disk_share.h"
#include "disk/op.h"

enum {
	/* Stalled or failed devices without users: so many are remembered, in
	 * case that a directory on one is opened again. */
	UNHEALTHY_MAX = 8,
};

static const char no_barriers[] =
    "is mounted without barriers, on a disk that has a cache";

const char *const device_sync_text[DEVICE_SYNC_COUNT] = {
    [DEVICE_SYNC_DURABLE] = "",
    [DEVICE_SYNC_IN_MEMORY] = "is a memory file system",
    [DEVICE_SYNC_RAM_DISK] = "is on a RAM disk",
    [DEVICE_SYNC_VOLATILE] = "is on an overlay mounted volatile",
    [DEVICE_SYNC_NO_BARRIERS] = no_barriers,
    [DEVICE_SYNC_VOID] = "is written by a process in which fsync does nothing",
};

struct device_set {
	struct chunk_pool *pool;
	struct list devices;
	size_t disks; /* of them, those that are known and not memory */
	struct disk_health *disk_health; /* NULL: of this worker only */
	struct disk_share *disk_share;	 /* NULL: nobody takes turns */
	const struct bell *bell;
	unsigned slot;
};

struct device_set *
device_set_new(struct chunk_pool *pool)
{
	struct device_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->pool = pool;
	list_init(&set->devices);
	return set;
}

void
device_set_share(struct device_set *set, struct disk_health *s, unsigned slot)
{
	check(list_is_empty(&set->devices));
	set->disk_health = s;
	set->slot = slot;
}

void
device_set_take_turns(struct device_set *set, struct disk_share *s,
    const struct bell *bell, unsigned slot)
{
	check(list_is_empty(&set->devices));
	set->disk_share = s;
	set->bell = bell;
	set->slot = slot;
}

static struct device *
device_add(struct device_set *set)
{
	struct device *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->set = set;
	d->cap = DEVICE_CAP;
	list_init(&d->waiting);
	list_init(&d->ages);
	list_init(&d->listeners);
	fair_init(&d->fair);
	list_append(&set->devices, &d->node);
	return d;
}

/* A number may be given to another disk. */
static bool
is_same(const struct device *d, dev_t id, struct device_traits traits)
{
	return d->id == id && d->kind == traits.kind &&
	       d->direct == traits.direct;
}

/* Those that is_same() tells apart are not each other's disk in other workers
 * either. */
static unsigned
variant_of(struct device_traits traits)
{
	_Static_assert(DEVICE_KIND_COUNT * 2 <= DISK_HEALTH_VARIANTS,
	    "a kind has no variant");
	return (unsigned)traits.kind * 2 + traits.direct;
}

/* Free a device; the set does not have it any more. */
static void
device_free(struct device_set *set, struct device *d)
{
	check(d->in_flight == 0 && list_is_empty(&d->waiting));
	check(!fair_holds(&d->fair));
	check(list_is_empty(&d->listeners));
	if (list_is_linked(&d->account.node)) {
		chunk_account_remove(set->pool, &d->account);
		chunk_account_remove(set->pool, &d->fetching);
		set->disks -= d->kind != DEVICE_MEMORY;
	}
	if (set->disk_health != NULL)
		disk_health_leave(set->disk_health, set->slot, &d->shared);
	if (set->disk_share != NULL)
		disk_share_leave(set->disk_share, set->slot, &d->fair.shared);
	free(d);
}

/* Nothing refers to it any more. */
static bool
is_left(const struct device *d)
{
	return d->users == 0 && list_is_linked(&d->account.node) &&
	       d->in_flight == 0 && list_is_empty(&d->waiting) &&
	       !fair_holds(&d->fair) && list_is_empty(&d->listeners) &&
	       !list_is_linked(&d->busy) && !list_is_linked(&d->holding) &&
	       !d->probing && d->account.held + d->fetching.held == 0 &&
	       d->account.waiting + d->fetching.waiting == 0;
}

/* Free the devices that are not used any more, except the last ones that are
 * stalled or failed. */
static void
sweep(struct device_set *set)
{
	size_t unhealthy = 0;

	LIST_FOREACH(const struct device, d, &set->devices, node) {
		unhealthy += is_left(d) && !device_is_ok(d);
	}
	LIST_FOREACH(struct device, d, &set->devices, node) {
		if (!is_left(d))
			continue;
		if (!device_is_ok(d) && unhealthy-- <= UNHEALTHY_MAX)
			continue;
		list_remove(&d->node);
		device_free(set, d);
	}
}

struct device *
device_hold(struct device *d)
{
	check(d->users > 0);
	d->users++;
	return d;
}

void
device_put(struct device_set *set, struct device **dp)
{
	struct device *d = *dp;

	if (d == NULL)
		return;
	*dp = NULL;
	check(d->set == set && d->users > 0);
	if (--d->users == 0)
		sweep(set);
}

/* Share what is known of the disk with other workers, as far as there is room for that.
 * False: a table is held up. */
static bool
device_share(
    struct device_set *set, struct device *d, struct device_traits traits)
{
	if (set->disk_health != NULL) {
		d->shared = disk_health_of(
		    set->disk_health, set->slot, d->id, variant_of(traits));
		if (d->shared == NULL && errno == EBUSY)
			return false;
	}
	if (set->disk_share != NULL && traits.kind == DEVICE_LOCAL) {
		fair_share(&d->fair,
		    disk_share_of(set->disk_share, set->slot, d->id), set->bell,
		    set->slot);
		if (d->fair.shared == NULL && errno == EBUSY)
			return false;
	}
	return true;
}

struct device *
device_get(struct device_set *set, dev_t id, struct device_traits traits)
{
	struct device *d;

	LIST_FOREACH(struct device, known, &set->devices, node) {
		if (list_is_linked(&known->account.node) &&
		    is_same(known, id, traits)) {
			known->users++;
			return known;
		}
	}
	sweep(set);
	d = device_add(set);
	if (d == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	d->id = id;
	if (!device_share(set, d, traits)) {
		list_remove(&d->node);
		device_free(set, d);
		errno = EBUSY;
		return NULL;
	}
	d->users = 1;
	d->kind = traits.kind;
	d->direct = traits.direct;
	set->disks += traits.kind != DEVICE_MEMORY;
	chunk_account_add(set->pool, &d->account);
	chunk_account_add(set->pool, &d->fetching);
	return d;
}

/* It takes no chunks, so the pool need not know it. */
struct device *
device_new_unknown(struct device_set *set)
{
	return device_add(set);
}

struct device *
device_new_compute(struct device_set *set)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct device *d = device_add(set);

	if (d != NULL)
		d->cap = processors > 1 ? (size_t)processors : 1;
	return d;
}

/* fsync(2) of a descriptor that cannot be open has to fail: if it does not, the
 * call does not reach the kernel. */
bool
device_sync_is_void(void)
{
	return fsync(-1) == 0;
}

bool
device_is_alone(const struct device *d)
{
	return d->set == NULL || d->set->disks < 2;
}

size_t
device_disks(const struct device *d)
{
	return d->set == NULL || d->set->disks == 0 ? 1 : d->set->disks;
}

bool
device_accepts_writes(const struct device *d)
{
	return device_is_ok(d) &&
	       (d->shared == NULL || disk_health_is_ok(d->shared));
}

bool
device_accepts_reads(const struct device *d)
{
	return !d->stalled &&
	       (d->shared == NULL || !disk_health_is_stalled(d->shared));
}

/* A worker with no listener on the device cannot probe it, so it does not report
 * the failure. */
static bool
share(struct device *d)
{
	return disk_health_report(d->shared, d->set->slot, d->stalled,
	    d->failed && !list_is_empty(&d->listeners));
}

static void
change(struct device *d, bool stalled, bool failed)
{
	bool was_ok = device_is_ok(d), news;

	d->stalled = stalled;
	d->failed = failed;
	news = was_ok != device_is_ok(d);
	if (d->shared != NULL)
		news = share(d);
	LIST_FOREACH(struct device_listener, l, &d->listeners, node) {
		l->on_health(l, d, news);
	}
}

void
device_set_stalled(struct device *d, bool stalled)
{
	if (d->stalled != stalled)
		change(d, stalled, d->failed);
}

void
device_set_failed(struct device *d, bool failed)
{
	if (failed)
		d->failed_s = clock_mono_s();
	if (d->failed != failed)
		change(d, d->stalled, failed);
}

bool
device_begin_probe(struct device *d)
{
	if (d->probing)
		return false;
	if (d->shared != NULL &&
	    disk_health_recovered_s(d->shared) > d->failed_s) {
		device_set_failed(d, false);
		return false;
	}
	if (d->shared != NULL &&
	    !disk_health_begin_probe(d->shared, d->set->slot))
		return false;
	d->probing = true;
	d->probed_s = clock_mono_s();
	return true;
}

void
device_end_probe(struct device *d, bool works)
{
	d->probing = false;
	if (d->shared != NULL && works)
		disk_health_set_recovered(d->shared, d->probed_s);
	if (d->shared != NULL)
		disk_health_end_probe(d->shared, d->set->slot);
	if (works && d->failed_s < d->probed_s)
		device_set_failed(d, false);
}

void
device_listen(struct device *d, struct device_listener *l)
{
	l->device = d;
	list_append(&d->listeners, &l->node);
	if (d->shared != NULL)
		(void)share(d);
}

void
device_unlisten(struct device_listener *l)
{
	struct device *d = l->device;

	list_remove(&l->node);
	if (d != NULL && d->shared != NULL)
		(void)share(d);
	l->device = NULL;
}

void
device_note_latency(struct device *d, double s)
{
	d->latency_s =
	    d->latency_s == 0 ? s : d->latency_s + (s - d->latency_s) / 16;
}

double
device_oldest_s(const struct device *d)
{
	struct list_node *n = list_first(&d->ages);
	double now = clock_mono_s(), since = now;

	if (n != NULL)
		since = container_of(n, struct op, age)->since;
	if (d->in_flight >= d->cap && d->kind != DEVICE_MEMORY &&
	    d->moved_s < since)
		since = d->moved_s;
	return now - since;
}

void
device_set_free(struct device_set **sp)
{
	struct device_set *set = *sp;
	struct list_node *n;

	if (set == NULL)
		return;
	while ((n = list_shift(&set->devices)) != NULL)
		device_free(set, container_of(n, struct device, node));
	free(set);
	*sp = NULL;
}
