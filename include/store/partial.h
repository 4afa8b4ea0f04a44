/*
 * store/partial.h - an upload that outlives its connection: a *partial*.
 *
 *	store_create, with put_request.partial --------------------> on_ready
 *	store_resume -> on_found -> store_append -> on_ready            |
 *	                        \-> store_remove -> on_removed          v
 *	                         \-> store_abort           bytes, by a writer
 *	                                                      |         |
 *	                              on_suspended <- store_suspend     |
 *	                                on_stored <---------------- store_commit
 *
 * A partial is kept by the store, not by a process: any worker, of any generation, finds
 * it by its ID, also after a crash.  Whoever has it open (from on_ready() or on_found() to
 * store_abort()) has it alone: an OUTCOME_HELD says that another one has.  The record can be
 * read all the same.
 *
 * What is kept beside its bytes:
 *
 *	offset   so many bytes are there for good: told only after they are durable (as
 *	         far as the store makes anything durable), and never less than was told
 *	record   the owner's, given when it is begun; never changes
 *	state    the owner's, small; given anew with each suspend and commit
 *	answer   the owner's, of a partial that is stored or refused: what its client is
 *	         told if it asks again
 *
 * The store knows nothing of what the owner's three mean.
 */
#ifndef STORE_PARTIAL_H
#define STORE_PARTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum {
	PARTIAL_ID_LEN =
	    32, /* lower-case hexadecimal digits: 128 random bits */
	PARTIAL_RECORD_MAX = 32 * 1024,
	PARTIAL_STATE_MAX = 256,
	PARTIAL_ANSWER_MAX = 16 * 1024,
};

enum partial_phase {
	PARTIAL_OPEN,	 /* bytes can be added, or it can be committed */
	PARTIAL_STORED,	 /* it has its name: there are no bytes here any more */
	PARTIAL_REFUSED, /* it never will be: the answer says why */
	PARTIAL_EXPIRED, /* nobody came back in time: its bytes are gone */
};

struct partial {
	char id[PARTIAL_ID_LEN + 1];
	enum partial_phase phase;
	uint64_t offset;    /* STORED: its size */
	uint64_t length;    /* or STORE_LENGTH_UNKNOWN: not declared yet */
	uint64_t changed_s; /* since 1970: when it was last written to */
	uint64_t client; /* whose it is, hashed: for the count of each client */
	/* Not NUL-terminated; valid until store_abort(), or the next suspend or
	 * commit.  `answer` is empty unless it is STORED or REFUSED. */
	struct span record, state, answer;
};

/* True for PARTIAL_ID_LEN lower-case hexadecimal digits, and nothing else. */
bool partial_is_id(const char *s, size_t len);

#endif
