/*
 * shared/live.h - the uploads that run, in all workers, and those that have ended last.
 *
 *	worker 0   [ records ] [ ended ]  ->\
 *	worker 1   [ records ] [ ended ]  ->  who watches
 *	the dead               [ ended ]  ->/
 *
 * Each worker has a share of its own, and nobody else writes there.  A record is guarded by
 * a number that is odd while it is written: a reader that meets this reads it again.  So
 * neither ever waits for the other.
 *
 * There is room for LIVE_RECORDS uploads of one worker; how many more run is counted.  When
 * a worker has ended, the master clears its records, and keeps what has ended of it.
 *
 * Who wants an upload cut posts its id, for LIVE_CUT_MS; the worker that has it looks.
 */
#ifndef SHARED_LIVE_H
#define SHARED_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/check.h"
#include "shared/shm.h"

enum {
	LIVE_LAYOUT = 1, /* of the shared memory: one more with each change */
	LIVE_RECORDS = 1024, /* of a worker, at once */
	LIVE_ENDED = 128,    /* of a worker, the last ones */
	LIVE_CUTS = 64,	     /* that are asked for, at once */
	LIVE_CUT_MS = 3000,
	LIVE_USER_MAX = 40, /* bytes, with the NUL: longer ones are cut short */
	LIVE_NAME_MAX = 104,
};

#define LIVE_LENGTH_UNKNOWN UINT64_MAX

/* What is done for an upload. */
enum live_stage {
	LIVE_OPENING,	 /* its file is made, or found */
	LIVE_RECEIVING,	 /* bytes are read */
	LIVE_WAITING,	 /* all of it is written; for the rest of a form, ... */
	LIVE_KEEPING,	 /* what came is made durable, to be resumed */
	LIVE_HASHING,	 /* it is read back */
	LIVE_COMMITTING, /* it is synced and gets its name */
	LIVE_ENDED_STAGE,
	LIVE_STAGES
};

extern const char *const live_stage_name[LIVE_STAGES];

/* An address without what no list shows of it. */
struct live_client {
	uint16_t family; /* 0: not known */
	uint16_t port;
	unsigned char bytes[16];
};

/* A multiple of eight bytes, and less than 256. */
struct live_record {
	uint64_t id; /* exchange_id(); 0: there is none */
	uint64_t
	    began_ns; /* clock_mono_ns(); of an ended one: how long it took */
	uint64_t seen_ns;  /* when all this was so; of an ended one:
			      clock_wall_ns() */
	uint64_t from;	   /* of a part: where it begins in the upload */
	uint64_t bytes;	   /* so far, from there on */
	uint64_t length;   /* of the whole, or LIVE_LENGTH_UNKNOWN */
	uint64_t rate;	   /* bytes per second, in the last seconds */
	uint16_t location; /* its number (shared/metrics.h) */
	uint16_t outcome;  /* of an ended one: enum outcome, */
	uint16_t status;   /* and that of the answer; 0: it got none */
	uint16_t queued, queue_depth;		/* chunks */
	uint8_t stage, verdict, reader, writer; /* METRICS_UNMEASURED; states of
						   the meter */
	bool form;				/* it is in a form */
	bool clipped;				/* the name is longer */
	struct live_client client;
	char user[LIVE_USER_MAX]; /* "": nobody was asked */
	char name[LIVE_NAME_MAX];
};

struct live;	   /* all of it */
struct live_share; /* a worker's */

/* Bytes of shared memory; and make it there, before the first fork. */
size_t live_size(void);
struct live *live_new(struct shm *s);

struct live_share *live_share_of(struct live *l, unsigned slot);

/* ---- a record ---- */

void live_set_client(struct live_record *r, const struct addr *a);
/* NULL: nobody, or none. */
void live_set_user(struct live_record *r, const char *user);
void live_set_name(struct live_record *r, const char *name);

/* As addr_format(), and addr_format_host(): a UNIX socket is "unix:". */
void live_format_client(
    const struct live_client *c, bool with_port, char ret_text[ADDR_TEXT_MAX]);

/* ---- for whose share it is ---- */

/* Write the record at `at`, below LIVE_RECORDS; NULL: it is free. */
void live_put(struct live_share *s, unsigned at, const struct live_record *r);

/* So many more run. */
void live_set_unlisted(struct live_share *s, uint64_t count);

/* One has ended. */
void live_note_ended(struct live_share *s, const struct live_record *r);

/* ---- for the master ---- */

/* The worker of this slot has ended: says `master`, below SHM_MASTERS. */
void live_forget(struct live *l, unsigned slot, unsigned master);

/* ---- reading ---- */

struct live_found {
	struct live_record record;
	unsigned slot;
};

/* Those that run; *ret is the caller's to free().  How many; *ret NULL: out of memory. */
size_t live_list(const struct live *l, struct live_found **ret);

/* How many run in all workers that are in no record. */
uint64_t live_unlisted(const struct live *l);

/* The one with this id that runs; else (live_find_ended()) that has ended.  Of several,
 * which are files of one form, any. */
bool live_find(const struct live *l, uint64_t id, struct live_found *ret);
bool live_find_ended(const struct live *l, uint64_t id, struct live_found *ret);

/* ---- cutting ---- */

/* An upload is to be cut, at `now_ns` by clock_mono_ns(). */
void live_ask_cut(struct live *l, uint64_t id, uint64_t now_ns);

/* Is any to be cut?  This one? */
bool live_any_cut(const struct live *l, uint64_t now_ns);
bool live_is_cut(const struct live *l, uint64_t id, uint64_t now_ns);

#endif
