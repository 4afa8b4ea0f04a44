#include "shared/live.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	WORDS = sizeof(struct live_record) / sizeof(uint64_t),
	TRIES = 100, /* a writer that died may have left an odd number */
};

_Static_assert(sizeof(struct live_record) % sizeof(uint64_t) == 0, "words");
_Static_assert(sizeof(struct live_record) + 8 <= 256, "256 bytes a record");

const char *const live_stage_name[LIVE_STAGES] = {
    [LIVE_OPENING] = "opening",
    [LIVE_RECEIVING] = "receiving",
    [LIVE_WAITING] = "waiting",
    [LIVE_KEEPING] = "keeping",
    [LIVE_HASHING] = "hashing",
    [LIVE_COMMITTING] = "committing",
    [LIVE_ENDED_STAGE] = "ended",
};

/* A record, and what guards it. */
struct cell {
	_Atomic uint64_t turns;	       /* odd: it is being written */
	_Atomic uint64_t words[WORDS]; /* the first is the id */
};

_Static_assert(offsetof(struct live_record, id) == 0, "the first word");

struct live_share {
	_Atomic uint32_t high; /* records from here on were never used */
	_Atomic uint64_t unlisted;
	_Atomic uint64_t ended_count; /* ever */
	struct cell records[LIVE_RECORDS];
	struct cell ended[LIVE_ENDED];
};

struct cut {
	_Atomic uint64_t id, until_ns;
};

struct live {
	/* The last ones have what ended of the dead, for each master. */
	_Alignas(64) struct live_share shares[SHM_SLOTS + SHM_MASTERS];
	uint32_t layout; /* LIVE_LAYOUT: what a successor has to know */
	_Atomic uint32_t next_cut;     /* place for the next one */
	_Atomic uint64_t cut_until_ns; /* of the last one */
	struct cut cuts[LIVE_CUTS];
};

size_t
live_size(void)
{
	return sizeof(struct live) + 64; /* rounding of shm_alloc() */
}

struct live *
live_new(struct shm *s)
{
	struct live *l = shm_alloc(s, sizeof(*l));

	l->layout = LIVE_LAYOUT;
	return l;
}

struct live_share *
live_share_of(struct live *l, unsigned slot)
{
	check(slot < SHM_SLOTS);
	return &l->shares[slot];
}

/* ---- a record ---- */

void
live_set_client(struct live_record *r, const struct addr *a)
{
	struct live_client *c = &r->client;

	*c = (struct live_client){.family = a->ss.ss_family};
	if (a->ss.ss_family == AF_INET) {
		c->port = a->ss.in.sin_port;
		memcpy(c->bytes, &a->ss.in.sin_addr, sizeof(a->ss.in.sin_addr));
	} else if (a->ss.ss_family == AF_INET6) {
		c->port = a->ss.in6.sin6_port;
		memcpy(c->bytes, &a->ss.in6.sin6_addr,
		    sizeof(a->ss.in6.sin6_addr));
	}
}

void
live_format_client(
    const struct live_client *c, bool with_port, char ret_text[ADDR_TEXT_MAX])
{
	struct addr a = {.len = sizeof(sa_family_t)};

	a.ss.ss_family = (sa_family_t)c->family;
	if (c->family == AF_INET) {
		a.len = sizeof(a.ss.in);
		a.ss.in.sin_port = c->port;
		memcpy(&a.ss.in.sin_addr, c->bytes, sizeof(a.ss.in.sin_addr));
	} else if (c->family == AF_INET6) {
		a.len = sizeof(a.ss.in6);
		a.ss.in6.sin6_port = c->port;
		memcpy(
		    &a.ss.in6.sin6_addr, c->bytes, sizeof(a.ss.in6.sin6_addr));
	}
	(with_port ? addr_format : addr_format_host)(&a, ret_text);
}

/* As much of the text as there is room for, and no part of a UTF-8 sequence; true: that is
 * not all. */
static bool
copy_clipped(char *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size);
	bool clipped = len == size;

	if (clipped) {
		len = size - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(to, text, len);
	to[len] = '\0';
	return clipped;
}

void
live_set_user(struct live_record *r, const char *user)
{
	(void)copy_clipped(r->user, sizeof(r->user), user != NULL ? user : "");
}

void
live_set_name(struct live_record *r, const char *name)
{
	r->clipped =
	    copy_clipped(r->name, sizeof(r->name), name != NULL ? name : "");
}

/* ---- cells: one writer, any number of readers ---- */

/* Those that are in use: what was behind a shorter name before stays there. */
static size_t
words_of(const struct live_record *r)
{
	size_t len = offsetof(struct live_record, name) +
		     strnlen(r->name, sizeof(r->name) - 1) + 1;

	return (len + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

static void
write_cell(struct cell *c, const struct live_record *r)
{
	uint64_t turns = atomic_load_explicit(&c->turns, memory_order_relaxed);
	uint64_t words[WORDS];
	size_t used = words_of(r);

	memcpy(words, r, sizeof(words));
	atomic_store_explicit(&c->turns, turns | 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < used; i++)
		atomic_store_explicit(
		    &c->words[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&c->turns, (turns | 1) + 1, memory_order_release);
}

/* False: it is free, or is written all the time. */
static bool
read_cell(const struct cell *c, struct live_record *ret)
{
	uint64_t words[WORDS];

	for (unsigned t = 0; t < TRIES; t++) {
		uint64_t turns =
		    atomic_load_explicit(&c->turns, memory_order_acquire);

		for (size_t i = 0; i < WORDS; i++)
			words[i] = atomic_load_explicit(
			    &c->words[i], memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		if ((turns & 1) != 0 || atomic_load_explicit(&c->turns,
					    memory_order_relaxed) != turns)
			continue;
		memcpy(ret, words, sizeof(*ret));
		return ret->id != 0;
	}
	return false;
}

/* The id of a cell, which may be about to change. */
static uint64_t
glance(const struct cell *c)
{
	return atomic_load_explicit(&c->words[0], memory_order_relaxed);
}

/* ---- for whose share it is ---- */

void
live_put(struct live_share *s, unsigned at, const struct live_record *r)
{
	static const struct live_record none = {.id = 0};

	check(at < LIVE_RECORDS);
	write_cell(&s->records[at], r != NULL ? r : &none);
	if (at >= atomic_load_explicit(&s->high, memory_order_relaxed))
		atomic_store_explicit(&s->high, at + 1, memory_order_release);
}

void
live_set_unlisted(struct live_share *s, uint64_t count)
{
	atomic_store_explicit(&s->unlisted, count, memory_order_relaxed);
}

void
live_note_ended(struct live_share *s, const struct live_record *r)
{
	uint64_t n =
	    atomic_load_explicit(&s->ended_count, memory_order_relaxed);

	write_cell(&s->ended[n % LIVE_ENDED], r);
	atomic_store_explicit(&s->ended_count, n + 1, memory_order_release);
}

/* ---- for the master ---- */

/* How many of the ended are there still. */
static uint64_t
ended_of(const struct live_share *s)
{
	uint64_t n =
	    atomic_load_explicit(&s->ended_count, memory_order_acquire);

	return n < LIVE_ENDED ? n : LIVE_ENDED;
}

void
live_forget(struct live *l, unsigned slot, unsigned master)
{
	struct live_share *s = live_share_of(l, slot);
	struct live_share *dead = &l->shares[SHM_SLOTS + master];
	uint32_t high = atomic_load(&s->high);
	uint64_t count = atomic_load(&s->ended_count);
	struct live_record r;

	check(master < SHM_MASTERS);
	for (uint32_t i = 0; i < high && i < LIVE_RECORDS; i++)
		live_put(s, i, NULL);
	live_set_unlisted(s, 0);
	for (uint64_t i = count - ended_of(s); i < count; i++)
		if (read_cell(&s->ended[i % LIVE_ENDED], &r))
			live_note_ended(dead, &r);
	atomic_store(&s->ended_count, 0);
	atomic_store(&s->high, 0);
}

/* ---- reading ---- */

static uint32_t
high_of(const struct live_share *s)
{
	uint32_t high = atomic_load_explicit(&s->high, memory_order_acquire);

	return high < LIVE_RECORDS ? high : LIVE_RECORDS;
}

size_t
live_list(const struct live *l, struct live_found **ret)
{
	size_t room = 0, count = 0;

	for (unsigned i = 0; i < SHM_SLOTS; i++)
		room += high_of(&l->shares[i]);
	*ret = malloc((room + 1) * sizeof(**ret));
	for (unsigned i = 0; *ret != NULL && i < SHM_SLOTS; i++) {
		const struct live_share *s = &l->shares[i];
		uint32_t high = high_of(s);

		for (uint32_t k = 0; k < high && count < room; k++) {
			if (glance(&s->records[k]) == 0 ||
			    !read_cell(&s->records[k], &(*ret)[count].record))
				continue;
			(*ret)[count++].slot = i;
		}
	}
	return count;
}

uint64_t
live_unlisted(const struct live *l)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SHM_SLOTS; i++)
		sum += atomic_load_explicit(
		    &l->shares[i].unlisted, memory_order_relaxed);
	return sum;
}

static bool
find_in(const struct cell *cells, size_t count, uint64_t id,
    struct live_record *ret)
{
	for (size_t i = 0; i < count; i++)
		if (glance(&cells[i]) == id && read_cell(&cells[i], ret) &&
		    ret->id == id)
			return true;
	return false;
}

bool
live_find(const struct live *l, uint64_t id, struct live_found *ret)
{
	unsigned i = 0;

	while (i < SHM_SLOTS && !find_in(l->shares[i].records,
				    high_of(&l->shares[i]), id, &ret->record))
		i++;
	ret->slot = i;
	return i < SHM_SLOTS;
}

bool
live_find_ended(const struct live *l, uint64_t id, struct live_found *ret)
{
	unsigned i = 0;

	while (i < SHM_SLOTS + SHM_MASTERS &&
	       !find_in(l->shares[i].ended, (size_t)ended_of(&l->shares[i]), id,
		   &ret->record))
		i++;
	ret->slot = i;
	return i < SHM_SLOTS + SHM_MASTERS;
}

/* ---- cutting ---- */

void
live_ask_cut(struct live *l, uint64_t id, uint64_t now_ns)
{
	uint64_t until = now_ns + LIVE_CUT_MS * NS_PER_MS;
	uint64_t was = atomic_load(&l->cut_until_ns);
	struct cut *c = &l->cuts[atomic_fetch_add(&l->next_cut, 1) % LIVE_CUTS];

	/* Never another one's id with this time. */
	atomic_store(&c->until_ns, 0);
	atomic_store(&c->id, id);
	atomic_store(&c->until_ns, until);
	while (was < until &&
	       !atomic_compare_exchange_weak(&l->cut_until_ns, &was, until))
		;
}

bool
live_any_cut(const struct live *l, uint64_t now_ns)
{
	return atomic_load_explicit(&l->cut_until_ns, memory_order_relaxed) >
	       now_ns;
}

bool
live_is_cut(const struct live *l, uint64_t id, uint64_t now_ns)
{
	for (size_t i = 0; i < LIVE_CUTS; i++)
		if (atomic_load(&l->cuts[i].until_ns) > now_ns &&
		    atomic_load(&l->cuts[i].id) == id)
			return true;
	return false;
}
