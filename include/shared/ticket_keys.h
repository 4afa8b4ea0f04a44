/*
 * shared/ticket_keys.h - the keys of TLS session tickets, the same in all workers.
 *
 *	worker 0: ticket_keys_current() --> a ticket --> the client
 *	worker 1: ticket_keys_find()    <-- a ticket <-- the client, later
 *
 * A key is used for an hour of the clock, and opens tickets for one hour more; then the
 * next that is made overwrites it, so that what was recorded cannot be read with what is
 * found here later.  The first worker that needs the key of an hour makes it.  They live in
 * the memory that all workers share, so that a reload keeps them.
 */
#ifndef SHARED_TICKET_KEYS_H
#define SHARED_TICKET_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "shared/shm.h"

enum {
	TICKET_KEYS_PERIOD_S = 3600, /* and so long a ticket is good */
	TICKET_KEY_NAME = 16,
	TICKET_KEY_SECRET = 32,
};

/* Random bytes, all of them. */
struct ticket_key {
	unsigned char name[TICKET_KEY_NAME]; /* stands in the ticket */
	unsigned char cipher[TICKET_KEY_SECRET];
	unsigned char mac[TICKET_KEY_SECRET];
};

struct ticket_keys;

/* Bytes that the table takes, and the table, without keys. */
size_t ticket_keys_size(void);
struct ticket_keys *ticket_keys_new(struct shm *s);

/*
 * ticket_keys_current(t, owner, now_ns, ret):
 * The key for tickets that are made now (clock_mono_ns()), by the worker in slot `owner`.
 * False: another worker is making it just now; then a client gets no ticket.
 */
NODISCARD bool ticket_keys_current(struct ticket_keys *t, unsigned owner,
    uint64_t now_ns, struct ticket_key *ret);

enum ticket_keys_found {
	TICKET_KEYS_NONE, /* too old, or not of this server */
	TICKET_KEYS_CURRENT,
	TICKET_KEYS_PREVIOUS, /* the client should get a new ticket */
};

/* The key with that name, if it is still good. */
NODISCARD enum ticket_keys_found ticket_keys_find(const struct ticket_keys *t,
    const unsigned char name[TICKET_KEY_NAME], uint64_t now_ns,
    struct ticket_key *ret);

/* For the master: the worker has died, perhaps while it made a key. */
void ticket_keys_forget(struct ticket_keys *t, unsigned owner);

#endif
