#include "shared/shared.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/outcome.h"
#include "shared/arrivals.h"
#include "shared/attempts.h"
#include "shared/disk_health.h"
#include "shared/disk_share.h"
#include "shared/latest.h"
#include "shared/limits.h"
#include "shared/live.h"
#include "shared/metrics.h"
#include "shared/mount_history.h"
#include "shared/partials.h"
#include "shared/replacing.h"
#include "shared/request_ids.h"
#include "shared/reservations.h"
#include "shared/retries.h"
#include "shared/shm.h"
#include "shared/ticket_keys.h"
#include "shared/user_names.h"
#include "shared/wanted.h"
#include "shared/warnings.h"

static size_t
shared_size(const struct shared_room *room)
{
	return latest_table_size(room->directories) +
	       mount_history_size(room->directories) +
	       limits_size(room->connections) + reservations_size(room->disks) +
	       disk_health_size(room->disks) + disk_share_size(room->disks) +
	       arrivals_size() + replacing_size() + attempts_size() +
	       ticket_keys_size() + wanted_size() +
	       partials_size(room->directories) + request_ids_size() +
	       metrics_size() + live_size() + user_names_size() +
	       warnings_size() + retries_size();
}

/* The layout, as far as the program itself can tell: sizes, and the words whose order the
 * numbers in /metrics depend on.  The rest is SHARED_LAYOUT. */
static uint64_t
shared_sum(void)
{
	const struct shared_room one = {1, 1, 1}, two = {2, 2, 2};
	const uint64_t sizes[] = {sizeof(struct shm), METRICS_LAYOUT,
	    LIVE_LAYOUT, USER_NAMES_LAYOUT, WARNINGS_LAYOUT, RETRIES_LAYOUT,
	    shared_size(&one), shared_size(&two)};
	uint64_t sum = hash_bytes(0, sizes, sizeof(sizes));

	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		const char *word = outcome_word((enum outcome)i);

		sum = hash_bytes(sum, word, strlen(word));
	}
	return sum;
}

/* Where each is found in shm.tables. */
enum table {
	AT_LATEST,
	AT_MOUNT_HISTORY,
	AT_LIMITS,
	AT_RESERVATIONS,
	AT_DISK_HEALTH,
	AT_DISK_SHARE,
	AT_ARRIVALS,
	AT_REPLACING,
	AT_TICKET_KEYS,
	AT_ATTEMPTS,
	AT_WANTED,
	AT_REQUEST_IDS,
	AT_PARTIALS,
	AT_METRICS,
	AT_LIVE,
	AT_USER_NAMES,
	AT_WARNINGS,
	AT_RETRIES,
	TABLES
};

_Static_assert(
    (int)TABLES <= (int)SHM_TABLES, "more tables than shm.h has room for");

static void
put_table(struct shm *s, enum table which, const void *table)
{
	s->tables[which] = (uint64_t)((uintptr_t)table - (uintptr_t)s);
}

static void *
get_table(struct shm *s, enum table which)
{
	return (unsigned char *)s + s->tables[which];
}

static void
put_tables(struct shared *s)
{
	put_table(s->shm, AT_LATEST, s->latest);
	put_table(s->shm, AT_MOUNT_HISTORY, s->mount_history);
	put_table(s->shm, AT_LIMITS, s->limits);
	put_table(s->shm, AT_RESERVATIONS, s->reservations);
	put_table(s->shm, AT_DISK_HEALTH, s->disk_health);
	put_table(s->shm, AT_DISK_SHARE, s->disk_share);
	put_table(s->shm, AT_ARRIVALS, s->arrivals);
	put_table(s->shm, AT_REPLACING, s->replacing);
	put_table(s->shm, AT_TICKET_KEYS, s->ticket_keys);
	put_table(s->shm, AT_ATTEMPTS, s->attempts);
	put_table(s->shm, AT_WANTED, s->wanted);
	put_table(s->shm, AT_REQUEST_IDS, s->request_ids);
	put_table(s->shm, AT_PARTIALS, s->partials);
	put_table(s->shm, AT_METRICS, s->metrics);
	put_table(s->shm, AT_LIVE, s->live);
	put_table(s->shm, AT_USER_NAMES, s->user_names);
	put_table(s->shm, AT_WARNINGS, s->warnings);
	put_table(s->shm, AT_RETRIES, s->retries);
}

static void
get_tables(struct shared *s)
{
	s->latest = get_table(s->shm, AT_LATEST);
	s->mount_history = get_table(s->shm, AT_MOUNT_HISTORY);
	s->limits = get_table(s->shm, AT_LIMITS);
	s->reservations = get_table(s->shm, AT_RESERVATIONS);
	s->disk_health = get_table(s->shm, AT_DISK_HEALTH);
	s->disk_share = get_table(s->shm, AT_DISK_SHARE);
	s->arrivals = get_table(s->shm, AT_ARRIVALS);
	s->replacing = get_table(s->shm, AT_REPLACING);
	s->ticket_keys = get_table(s->shm, AT_TICKET_KEYS);
	s->attempts = get_table(s->shm, AT_ATTEMPTS);
	s->wanted = get_table(s->shm, AT_WANTED);
	s->request_ids = get_table(s->shm, AT_REQUEST_IDS);
	s->partials = get_table(s->shm, AT_PARTIALS);
	s->metrics = get_table(s->shm, AT_METRICS);
	s->live = get_table(s->shm, AT_LIVE);
	s->user_names = get_table(s->shm, AT_USER_NAMES);
	s->warnings = get_table(s->shm, AT_WARNINGS);
	s->retries = get_table(s->shm, AT_RETRIES);
}

static void
make_tables(struct shared *s, const struct shared_room *room)
{
	s->latest = latest_table_new(s->shm, room->directories);
	s->mount_history = mount_history_new(s->shm, room->directories);
	s->limits = limits_new(s->shm, room->connections);
	s->reservations = reservations_new(s->shm, room->disks);
	s->disk_health = disk_health_new(s->shm, room->disks);
	s->disk_share = disk_share_new(s->shm, room->disks);
	s->arrivals = arrivals_new(s->shm);
	s->replacing = replacing_new(s->shm);
	s->ticket_keys = ticket_keys_new(s->shm);
	s->attempts = attempts_new(s->shm);
	s->wanted = wanted_new(s->shm);
	s->request_ids = request_ids_new(s->shm);
	s->partials = partials_new(s->shm, room->directories);
	s->metrics = metrics_new(s->shm);
	s->live = live_new(s->shm);
	s->user_names = user_names_new(s->shm);
	s->warnings = warnings_new(s->shm);
	s->retries = retries_new(s->shm);
}

int
shared_init(struct shared *s, const struct shared_room *room)
{
	s->room = *room;
	s->master = 0;
	s->shm = shm_new_for_successor(shared_size(room), &s->fd);
	if (s->shm == NULL)
		return -errno;
	s->shm->room[0] = room->connections;
	s->shm->room[1] = room->directories;
	s->shm->room[2] = room->disks;
	make_tables(s, room);
	put_tables(s);
	bell_init(&s->bell);
	check(shm_master_begin(s->shm) == 0);
	/* Last: it is whole. */
	s->shm->stamp = shm_stamp_of(SHARED_LAYOUT, shared_sum());
	return 0;
}

int
shared_adopt(struct shared *s, int fd, int bell)
{
	struct shm_stamp stamp = shm_stamp_of(SHARED_LAYOUT, shared_sum());
	int which;

	s->shm = shm_adopt(fd, &stamp, false);
	if (s->shm == NULL)
		return -errno;
	which = shm_master_begin(s->shm);
	if (which < 0)
		return -EBUSY;
	s->fd = fd;
	s->bell.fd = bell;
	s->room = (struct shared_room){
	    .connections = s->shm->room[0],
	    .directories = s->shm->room[1],
	    .disks = s->shm->room[2],
	};
	get_tables(s);
	s->master = (unsigned)which;
	metrics_be_master(s->metrics, (unsigned)which);
	return 0;
}

/* The memory is not trusted more than it must be: workers write there. */
int
shared_look(struct shared *s, int fd)
{
	struct shm_stamp stamp = shm_stamp_of(SHARED_LAYOUT, shared_sum());
	uint64_t at, end;

	*s = (struct shared){.fd = -1, .bell = {.fd = -1}};
	s->shm = shm_adopt(fd, &stamp, true);
	if (s->shm == NULL)
		return -errno;
	at = s->shm->tables[AT_METRICS];
	end = sizeof(*s->shm) + s->shm->size;
	if (at % 64 != (uintptr_t)s->shm % 64 || at > end ||
	    end - at < metrics_size() - 64)
		return -EINVAL;
	s->metrics = get_table(s->shm, AT_METRICS);
	return 0;
}

void
shared_master_gone(struct shared *s, pid_t master)
{
	shm_master_end(s->shm, master);
}

void
shared_forget_orphans(struct shared *s)
{
	unsigned i = 0;

	while ((i = shm_next_orphan(s->shm, i)) < SHM_SLOTS) {
		struct slot *slot = &s->shm->slots[i];

		(void)shared_forget(s, slot, (pid_t)atomic_load(&slot->pid));
	}
}

bool
shared_forget(struct shared *s, struct slot *slot, pid_t pid)
{
	unsigned number = shm_slot_number(s->shm, slot);
	bool last_to_know;

	latest_forget(s->latest, number, pid);
	mount_history_forget(s->mount_history, number);
	limits_forget(s->limits, number);
	reservations_forget(s->reservations, number);
	disk_share_forget(s->disk_share, number);
	arrivals_forget(s->arrivals, number, clock_mono_ns());
	replacing_forget(s->replacing, number);
	ticket_keys_forget(s->ticket_keys, number);
	partials_forget(s->partials, number);
	metrics_forget(s->metrics, number);
	live_forget(s->live, number, s->master);
	last_to_know = disk_health_forget(s->disk_health, number);
	shm_slot_wipe(slot);
	return last_to_know;
}
