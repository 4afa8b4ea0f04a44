#include "shared/shared.h"

#include <errno.h>

#include "base/clock.h"
#include "shared/arrivals.h"
#include "shared/attempts.h"
#include "shared/disk_health.h"
#include "shared/disk_share.h"
#include "shared/latest.h"
#include "shared/limits.h"
#include "shared/metrics.h"
#include "shared/mount_history.h"
#include "shared/partials.h"
#include "shared/replacing.h"
#include "shared/request_ids.h"
#include "shared/reservations.h"
#include "shared/shm.h"
#include "shared/ticket_keys.h"
#include "shared/wanted.h"

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
	       metrics_size();
}

int
shared_init(struct shared *s, const struct shared_room *room)
{
	s->room = *room;
	s->shm = shm_new(shared_size(room));
	if (s->shm == NULL)
		return -errno;
	s->latest = latest_table_new(s->shm, room->directories);
	s->mount_history = mount_history_new(s->shm, room->directories);
	s->limits = limits_new(s->shm, room->connections);
	s->reservations = reservations_new(s->shm, room->disks);
	s->disk_health = disk_health_new(s->shm, room->disks);
	s->disk_share = disk_share_new(s->shm, room->disks);
	bell_init(&s->bell);
	s->arrivals = arrivals_new(s->shm);
	s->replacing = replacing_new(s->shm);
	s->ticket_keys = ticket_keys_new(s->shm);
	s->attempts = attempts_new(s->shm);
	s->wanted = wanted_new(s->shm);
	s->request_ids = request_ids_new(s->shm);
	s->partials = partials_new(s->shm, room->directories);
	s->metrics = metrics_new(s->shm);
	return 0;
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
	last_to_know = disk_health_forget(s->disk_health, number);
	shm_slot_wipe(slot);
	return last_to_know;
}
