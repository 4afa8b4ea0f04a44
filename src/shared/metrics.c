#include "shared/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum {
	READS = 20, /* tries to read while no worker is being folded */
	READ_WAIT_NS = 50 * 1000,
	PROBES = 64, /* places in which a series can be */
};

const double metrics_bound_s[METRICS_BUCKETS] = {0.001, 0.004, 0.016, 0.064,
    0.256, 1.024, 4.096, 16.384, 65.536, 262.144, 1048.576, 4194.304};
const char *const metrics_bound_text[METRICS_BUCKETS] = {"0.001", "0.004",
    "0.016", "0.064", "0.256", "1.024", "4.096", "16.384", "65.536", "262.144",
    "1048.576", "4194.304"};

struct location_share {
	_Atomic uint64_t received;
	_Atomic uint64_t buckets[METRICS_TIMES][METRICS_BUCKETS + 1];
	_Atomic uint64_t sum_ns[METRICS_TIMES];
};

/* What is not in use yet is not touched, so that it takes no memory: by `used`. */
struct metrics_share {
	_Atomic uint32_t touched;
	_Atomic uint64_t counters[METRICS_COUNTERS];
	_Atomic uint64_t gauges[METRICS_GAUGES];
	_Atomic uint32_t has_disk[METRICS_NAMES + 1];
	_Atomic uint64_t disks[METRICS_NAMES + 1][METRICS_DISK_GAUGES];
	_Atomic uint64_t series[METRICS_SERIES];
	_Atomic uint64_t user_uploads[METRICS_USERS];
	_Atomic uint64_t user_received[METRICS_USERS];
	_Atomic uint32_t used[METRICS_NAMES + 1];
	struct location_share locations[METRICS_NAMES + 1];
};

enum name_state {
	NAME_NONE,
	NAME_MADE,
	NAME_BEING_MADE,
};

struct name {
	_Atomic uint32_t state; /* enum name_state */
	char text[METRICS_NAME_MAX];
};

struct metrics {
	_Alignas(64) struct metrics_share shares[SHM_SLOTS + SHM_MASTERS];
	uint32_t layout; /* METRICS_LAYOUT: what a successor has to know */
	_Atomic uint32_t folds[SHM_MASTERS];   /* odd: that master is folding */
	_Atomic uint32_t keys[METRICS_SERIES]; /* 0: free */
	struct name names[METRICS_KINDS][METRICS_NAMES];
};

/* Which of the two masters there may be, for a while, is ours. */
static unsigned own_master;

size_t
metrics_size(void)
{
	return sizeof(struct metrics) + 64; /* rounding of shm_alloc() */
}

struct metrics_share *
metrics_share_of(struct metrics *m, unsigned slot)
{
	check(slot < SHM_SLOTS);
	return &m->shares[slot];
}

struct metrics_share *
metrics_share_of_master(struct metrics *m)
{
	return &m->shares[SHM_SLOTS + own_master];
}

void
metrics_be_master(struct metrics *m, unsigned which)
{
	check(which < SHM_MASTERS);
	own_master = which;
	/* One that was killed may have left it odd. */
	if (atomic_load(&m->folds[which]) % 2 != 0)
		atomic_fetch_add(&m->folds[which], 1);
}

/* ---- names ---- */

unsigned
metrics_find(const struct metrics *m, enum metrics_kind kind, const char *name)
{
	const struct name *n = m->names[kind];

	for (unsigned i = 0; i < METRICS_NAMES; i++) {
		uint32_t state = atomic_load(&n[i].state);

		if (state == NAME_NONE)
			break;
		if (state == NAME_MADE && strcmp(n[i].text, name) == 0)
			return i;
	}
	return METRICS_OTHER;
}

/* Two masters may do so at once: then one name may have two numbers, of which the first
 * counts. */
unsigned
metrics_enter(struct metrics *m, enum metrics_kind kind, const char *name)
{
	struct name *n = m->names[kind];
	size_t len = strlen(name);
	unsigned i = metrics_find(m, kind, name);

	if (i != METRICS_OTHER || len >= METRICS_NAME_MAX)
		return i;
	for (i = 0; i < METRICS_NAMES; i++) {
		uint32_t none = NAME_NONE;

		if (!atomic_compare_exchange_strong(
			&n[i].state, &none, NAME_BEING_MADE))
			continue;
		memcpy(n[i].text, name, len + 1);
		atomic_store(&n[i].state, NAME_MADE);
		break;
	}
	return i;
}

const char *
metrics_name(const struct metrics *m, enum metrics_kind kind, unsigned number)
{
	const struct name *n = m->names[kind];

	return number < METRICS_NAMES &&
		       atomic_load(&n[number].state) == NAME_MADE
		   ? n[number].text
		   : NULL;
}

/* ---- numbers, each with one writer ---- */

static uint64_t
get(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

static void
put(_Atomic uint64_t *n, uint64_t value)
{
	atomic_store_explicit(n, value, memory_order_relaxed);
}

/* Nobody else writes there: this needs no locked instruction. */
static void
grow(_Atomic uint64_t *n, uint64_t by)
{
	put(n, get(n) + by);
}

static void
touch(_Atomic uint32_t *mark)
{
	if (atomic_load_explicit(mark, memory_order_relaxed) == 0)
		atomic_store(mark, 1);
}

void
metrics_add(struct metrics_share *s, enum metrics_counter what, uint64_t n)
{
	touch(&s->touched);
	grow(&s->counters[what], n);
}

void
metrics_set(struct metrics_share *s, enum metrics_gauge what, uint64_t value)
{
	touch(&s->touched);
	put(&s->gauges[what], value);
}

void
metrics_move(struct metrics_share *s, enum metrics_gauge what, bool up)
{
	uint64_t n = get(&s->gauges[what]);

	check(up || n > 0);
	touch(&s->touched);
	put(&s->gauges[what], up ? n + 1 : n - 1);
}

uint64_t
metrics_gauge_of(const struct metrics_share *s, enum metrics_gauge what)
{
	return get(&s->gauges[what]);
}

void
metrics_set_disk(struct metrics_share *s, unsigned directory,
    enum metrics_disk_gauge what, uint64_t value)
{
	check(directory <= METRICS_OTHER);
	touch(&s->touched);
	touch(&s->has_disk[directory]);
	put(&s->disks[directory][what], value);
}

/* ---- uploads ---- */

static uint32_t
key_of(unsigned location, enum outcome outcome, unsigned verdict)
{
	return (uint32_t)1 << 31 | (uint32_t)location << 16 |
	       (uint32_t)outcome << 4 | (uint32_t)verdict;
}

_Static_assert(METRICS_OTHER < 1 << 15, "a location fits into a key");
_Static_assert(OUTCOME_COUNT < 1 << 12, "an outcome fits into a key");
_Static_assert(METRICS_VERDICTS <= 1 << 4, "a verdict fits into a key");
_Static_assert((METRICS_SERIES & (METRICS_SERIES - 1)) == 0, "a mask");

/* The place of a series, which is taken if it has none; METRICS_SERIES: none is free where
 * it could be.  Workers may look for one at once: a place that is taken stays so. */
static size_t
find_series(struct metrics *m, uint32_t key)
{
	size_t at = (key * UINT32_C(2654435761)) >> 16;

	for (size_t i = 0; i < PROBES; i++) {
		_Atomic uint32_t *k = &m->keys[(at + i) % METRICS_SERIES];
		uint32_t there = atomic_load(k);

		if (there == 0 &&
		    !atomic_compare_exchange_strong(k, &there, key) &&
		    there != key)
			continue;
		if (there == 0 || there == key)
			return (at + i) % METRICS_SERIES;
	}
	return METRICS_SERIES;
}

struct metrics *
metrics_new(struct shm *s)
{
	struct metrics *m = shm_alloc(s, sizeof(*m));

	m->layout = METRICS_LAYOUT;
	/* The last resort has its place before any other. */
	(void)find_series(
	    m, key_of(METRICS_OTHER, OUTCOME_NONE, METRICS_UNMEASURED));
	return m;
}

/* That of a location; or, when there are too many, what is left of it: its outcome, in
 * the end nothing but that it was one. */
static size_t
place_of(struct metrics *m, const struct metrics_upload *u)
{
	size_t at = find_series(m, key_of(u->location, u->outcome, u->verdict));

	if (at == METRICS_SERIES)
		at = find_series(
		    m, key_of(METRICS_OTHER, u->outcome, METRICS_UNMEASURED));
	if (at == METRICS_SERIES)
		at = find_series(
		    m, key_of(METRICS_OTHER, OUTCOME_NONE, METRICS_UNMEASURED));
	return at;
}

/* Bounds are milliseconds, each four times the one before. */
static size_t
bucket_of(uint64_t ns)
{
	uint64_t ms = ns > 0 ? (ns - 1) / NS_PER_MS : 0;
	size_t i = 0;

	for (; ms > 0 && i < METRICS_BUCKETS; i++)
		ms >>= 2;
	return i;
}

void
metrics_ended(
    struct metrics *m, struct metrics_share *s, const struct metrics_upload *u)
{
	struct location_share *l = &s->locations[u->location];
	size_t at;

	check(u->location <= METRICS_OTHER && u->verdict < METRICS_VERDICTS &&
	      u->times <= METRICS_TIMES);
	touch(&s->touched);
	touch(&s->used[u->location]);
	at = place_of(m, u);
	if (at < METRICS_SERIES)
		grow(&s->series[at], 1);
	grow(&l->received, u->received);
	for (size_t i = 0; i < u->times; i++) {
		grow(&l->buckets[i][bucket_of(u->ns[i])], 1);
		grow(&l->sum_ns[i], u->ns[i]);
	}
}

void
metrics_user_ended(struct metrics_share *s, unsigned user, uint64_t received)
{
	check(user < METRICS_USERS);
	touch(&s->touched);
	grow(&s->user_uploads[user], 1);
	grow(&s->user_received[user], received);
}

/* ---- the dead ---- */

static void
fold(_Atomic uint64_t *to, _Atomic uint64_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t n = get(&from[i]);

		if (n == 0)
			continue;
		grow(&to[i], n);
		put(&from[i], 0);
	}
}

static void
fold_location(struct location_share *to, struct location_share *from)
{
	fold(&to->received, &from->received, 1);
	fold(to->buckets[0], from->buckets[0],
	    METRICS_TIMES * (METRICS_BUCKETS + 1));
	fold(to->sum_ns, from->sum_ns, METRICS_TIMES);
}

void
metrics_forget(struct metrics *m, unsigned slot)
{
	struct metrics_share *from = metrics_share_of(m, slot);
	struct metrics_share *to = metrics_share_of_master(m);

	if (atomic_load(&from->touched) == 0)
		return;
	atomic_fetch_add(&m->folds[own_master], 1);
	touch(&to->touched);
	fold(to->counters, from->counters, METRICS_COUNTERS);
	fold(to->series, from->series, METRICS_SERIES);
	fold(to->user_uploads, from->user_uploads, METRICS_USERS);
	fold(to->user_received, from->user_received, METRICS_USERS);
	for (size_t i = 0; i <= METRICS_NAMES; i++) {
		if (atomic_load(&from->used[i]) != 0) {
			touch(&to->used[i]);
			fold_location(&to->locations[i], &from->locations[i]);
			atomic_store(&from->used[i], 0);
		}
		if (atomic_load(&from->has_disk[i]) == 0)
			continue;
		for (size_t k = 0; k < METRICS_DISK_GAUGES; k++)
			put(&from->disks[i][k], 0);
		atomic_store(&from->has_disk[i], 0);
	}
	for (size_t i = 0; i < METRICS_GAUGES; i++)
		put(&from->gauges[i], 0);
	atomic_store(&from->touched, 0);
	atomic_fetch_add(&m->folds[own_master], 1);
}

/* ---- reading ---- */

static void
sum_location(struct metrics_location_sum *to, const struct location_share *l)
{
	to->received += get(&l->received);
	for (size_t i = 0; i < METRICS_TIMES; i++) {
		to->times[i].sum_ns += get(&l->sum_ns[i]);
		for (size_t k = 0; k <= METRICS_BUCKETS; k++)
			to->times[i].buckets[k] += get(&l->buckets[i][k]);
	}
}

/* The places of the series that there are, in the order in which `ret` has them. */
static size_t
list_series(struct metrics *m, struct metrics_sum *ret,
    size_t ret_places[METRICS_SERIES])
{
	size_t count = 0;

	for (size_t i = 0; i < METRICS_SERIES; i++) {
		uint32_t key = atomic_load(&m->keys[i]);

		if (key == 0)
			continue;
		ret->series[count] = (struct metrics_series){
		    .location = key >> 16 & 0x7fff,
		    .outcome = (enum outcome)(key >> 4 & 0xfff),
		    .verdict = key & 0xf,
		};
		ret_places[count++] = i;
	}
	return count;
}

static void
sum_share(struct metrics_sum *to, const struct metrics_share *s,
    const size_t places[METRICS_SERIES])
{
	for (size_t i = 0; i < METRICS_COUNTERS; i++)
		to->counters[i] += get(&s->counters[i]);
	for (size_t i = 0; i < to->series_count; i++)
		to->series[i].count += get(&s->series[places[i]]);
	for (size_t i = 0; i < METRICS_USERS; i++) {
		to->user_uploads[i] += get(&s->user_uploads[i]);
		to->user_received[i] += get(&s->user_received[i]);
	}
	for (size_t i = 0; i <= METRICS_NAMES; i++) {
		if (atomic_load(&s->used[i]) == 0)
			continue;
		to->used[i] = true;
		sum_location(&to->locations[i], &s->locations[i]);
	}
}

static void
sum_all(struct metrics *m, struct metrics_sum *ret)
{
	size_t places[METRICS_SERIES];

	memset(ret, 0, sizeof(*ret));
	ret->series_count = list_series(m, ret, places);
	for (size_t i = 0; i < SHM_SLOTS + SHM_MASTERS; i++)
		if (atomic_load(&m->shares[i].touched) != 0)
			sum_share(ret, &m->shares[i], places);
}

/* How often shares were folded, and (odd) whether one is being folded now. */
static uint64_t
count_folds(const struct metrics *m)
{
	uint64_t sum = 0, odd = 0;

	for (size_t i = 0; i < SHM_MASTERS; i++) {
		uint32_t n = atomic_load(&m->folds[i]);

		sum += n;
		odd |= n % 2;
	}
	return sum * 2 + odd;
}

struct metrics_sum *
metrics_read(struct metrics *m)
{
	const struct timespec wait = {.tv_nsec = READ_WAIT_NS};
	struct metrics_sum *sum = malloc(sizeof(*sum));

	/* If the master dies while it folds, it stays so: then what there is. */
	for (int i = 0; sum != NULL && i < READS; i++) {
		uint64_t before = count_folds(m);

		if (before % 2 != 0 && i + 1 < READS) {
			(void)nanosleep(&wait, NULL);
			continue;
		}
		sum_all(m, sum);
		if (count_folds(m) == before)
			break;
	}
	return sum;
}

/* How two workers' values of a gauge are one. */
static uint64_t
join(enum metrics_disk_gauge what, uint64_t a, uint64_t b)
{
	switch (what) {
	case METRICS_DISK_OLDEST_NS:
		return a == 0 || (b != 0 && b < a) ? b : a;
	case METRICS_DISK_LATENCY_NS:
	case METRICS_DISK_STATE:
		return a > b ? a : b;
	case METRICS_DISK_IN_FLIGHT:
	case METRICS_DISK_BUFFERED:
	case METRICS_DISK_GAUGES:
	default:
		return a + b;
	}
}

uint64_t
metrics_disk(
    const struct metrics *m, unsigned directory, enum metrics_disk_gauge what)
{
	uint64_t all = 0;

	check(directory <= METRICS_OTHER);
	for (size_t i = 0; i < SHM_SLOTS; i++) {
		const struct metrics_share *s = &m->shares[i];

		if (atomic_load(&s->touched) != 0 &&
		    atomic_load(&s->has_disk[directory]) != 0)
			all = join(what, all, get(&s->disks[directory][what]));
	}
	return all;
}
