/*
 * lib/contract.h - what tests of the contract of stores are written with: a store of
 * either kind, what it needs, and owners of its files that keep what they are told.
 */
#ifndef LIB_CONTRACT_H
#define LIB_CONTRACT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "config/store_policy.h"
#include "disk/chunk.h"
#include "flow/flow.h"
#include "lib/cmocka_with.h"
#include "shared/shared.h"
#include "store/kind.h"
#include "store/store.h"

enum {
	CONTRACT_CHUNK = 4096,
	CONTRACT_BUDGET = CONTRACT_CHUNK * 16,
	/* In several chunks, and not collected. */
	CONTRACT_LARGE = CONTRACT_CHUNK * 5 + 123,
	CONTRACT_PATIENCE_S = 20,
};

/* ---- a body, and what was read ---- */

unsigned char contract_byte(size_t i);

struct bytes {
	struct source source;
	size_t at, len; /* from contract_byte(at) on, up to that of len */
};

struct kept {
	struct sink sink;
	unsigned char got[CONTRACT_LARGE];
	size_t len;
};

/* An upload's or a download's owner, with all that it was told. */
struct told {
	unsigned ready, stored, failed, after_end;
	unsigned found, suspended, hashed, removed; /* of a partial */
	struct failure failure;
	const char *reason;
	struct object_info info;
	bool replaced;
	enum durability durability;
	/* the owner lets go from within the callback */
	bool leaves_when_ready, leaves_when_stored, leaves_when_failed;
	struct incoming *in;
	struct outgoing *out;
	struct flow flow;
	struct bytes body;
	struct kept kept;
	bool drained;
	struct failure write_failure, read_failure, hash_failure;
};

extern struct contract {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct chunk_account account; /* while there is no other */
	struct device_set *devices;
	struct engine *engine;
	struct shared shared;
	struct slot *slot;
	struct store_policy policy;
	struct store *store;
	bool is_memory;
	unsigned settled;
	int wake[2];
	char dir[4096];
	struct told put, get, other;
} contract;

/* ---- a store ---- */

/* In a directory below `tmp`; NULL: wherever.  Its policy is all zero, but for
 * `overwrite` and `resume`. */
void contract_begin(const struct store_kind *kind, const char *tmp);

/* For cmocka: local files; the same, in a memory file system, where the loop stores them;
 * the store in memory; and the end of any, which comes to rest whatever a test did. */
int contract_begin_local(void **state);
int contract_begin_tmpfs(void **state);
int contract_begin_memory(void **state);
int contract_end(void **state);

#define CONTRACT_TEST(name, kind)                                              \
	{                                                                      \
#name ": " #kind, name, contract_begin_##kind, contract_end,   \
		    NULL                                                       \
	}
#define CONTRACT_BOTH(name)                                                    \
	CONTRACT_TEST(name, local), CONTRACT_TEST(name, memory)

void contract_turn(void);

#define CONTRACT_WAIT(what)                                                    \
	do {                                                                   \
		uint64_t since = clock_mono_ns();                              \
		while (                                                        \
		    !(what) && clock_mono_ns() - since <                       \
				   (uint64_t)CONTRACT_PATIENCE_S * NS_PER_S)   \
			contract_turn();                                       \
		assert_true(what);                                             \
	} while (0)

/* ---- owners ---- */

extern const struct put_events contract_put_events;
extern const struct get_events contract_get_events;

/* All that it has: its flow, its file. */
void contract_let_go(struct told *t);

bool contract_has_ended(const struct told *t);
struct put_request contract_request(const char *name, uint64_t length);

/* Begin to store r->length bytes under r->name.  Is it ready at once? */
bool contract_create(struct told *t, const struct put_request *r);

/* Write the rest of t->body: to its end, or begin it. */
void contract_write(struct told *t);
void contract_start_writing(struct told *t);

/* Store it, as far as that goes; or to the end. */
void contract_put(struct told *t, const struct put_request *r);
void contract_put_ok(struct told *t, const char *name, uint64_t length);

/* Open it, and read `len` bytes from `first` on; UINT64_MAX: all. */
void contract_get(
    struct told *t, const char *name, uint64_t first, uint64_t len);

/* The same, of what store_open() has given: t->out. */
void contract_read(struct told *t, uint64_t first, uint64_t len);
void contract_start_reading(struct told *t);

/* Descriptors of outgoing files that had the right bytes. */
extern unsigned contract_looked_into;

/* It has read those. */
void contract_assert_is(const struct told *t, uint64_t first, uint64_t len);
void contract_assert_there(const char *name, uint64_t len);
void contract_assert_not_there(const char *name);

#endif
