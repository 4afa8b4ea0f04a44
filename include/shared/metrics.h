/*
 * shared/metrics.h - what is counted of all workers, for those who watch.
 *
 *	worker 0   [ share ]  ->\
 *	worker 1   [ share ]  ->  metrics_read: the sum
 *	the dead   [ share ]  ->/
 *
 * Each worker has a share of its own, of numbers that only grow, and adds to it without a
 * lock: nobody else writes there.  A reader adds up all shares.  When a worker has ended
 * the master folds its share into that of the dead, so that no sum ever goes down; a
 * reader that meets this begins again.
 *
 * Uploads are counted by location, that is by its prefix, by outcome and by verdict, and
 * their times in histograms by location.  The master enters the prefixes, and the
 * directories, of each configuration before it forks workers for it: the same text is the
 * same number for as long as the server runs, over all reloads.  There is room for so many;
 * the rest have the number METRICS_OTHER.
 *
 * A share also has gauges, which say how things are with that worker now; they end with it.
 */
#ifndef SHARED_METRICS_H
#define SHARED_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/outcome.h"
#include "shared/shm.h"

enum {
	METRICS_LAYOUT =
	    4, /* of the shared memory: one more with each change */
	METRICS_NAMES = 128,
	METRICS_OTHER = METRICS_NAMES, /* all that there is no room for */
	METRICS_NAME_MAX = 256,	       /* bytes; a longer one is OTHER, too */
	METRICS_TIMES = 8,	       /* of an upload: enum meter_time_kind */
	METRICS_BUCKETS = 12,	/* of a histogram, and one for the rest */
	METRICS_VERDICTS = 5,	/* those of a meter, and: */
	METRICS_UNMEASURED = 4, /* there was nothing to measure */
	METRICS_SERIES = 2048,	/* of location, outcome and verdict */
	METRICS_USERS = 129,	/* those of user_names.h, and all others */
};

/* What there are names of. */
enum metrics_kind {
	METRICS_LOCATION,  /* prefixes */
	METRICS_DIRECTORY, /* output_dir */
	METRICS_KINDS
};

/* Things that are counted; they only grow. */
enum metrics_counter {
	METRICS_REQUESTS,
	METRICS_CONNECTIONS, /* accepted */
	METRICS_HANDSHAKES,  /* of TLS, done */
	METRICS_HANDSHAKES_FAILED,
	METRICS_LOG_LINES_DROPPED,
	/* The master's: */
	METRICS_RELOADS,
	METRICS_RELOADS_REFUSED,
	METRICS_RESTARTS, /* of workers that ended by themselves */
	METRICS_COUNTERS
};

/* How things are with a worker. */
enum metrics_gauge {
	METRICS_GENERATION,
	METRICS_STARTED_S, /* since 1970 */
	METRICS_UPLOADS,   /* that run now */
	METRICS_MEMORY,	   /* bytes of chunks that are in use */
	METRICS_MEMORY_MAX,
	METRICS_GAUGES
};

/* How things are between a worker and the disk of a directory. */
enum metrics_disk_gauge {
	METRICS_DISK_IN_FLIGHT,	 /* operations */
	METRICS_DISK_BUFFERED,	 /* bytes of chunks that are bound for it */
	METRICS_DISK_OLDEST_NS,	 /* when its oldest operation began, by
				    clock_mono_ns(); 0: none is in flight */
	METRICS_DISK_LATENCY_NS, /* what operations took lately */
	METRICS_DISK_STATE, /* enum store_state + 1, the worst; 0: no worker
			       has it */
	METRICS_DISK_GAUGES
};

struct metrics;	      /* all of it */
struct metrics_share; /* a worker's */

/* Upper bounds of the buckets in seconds, and as text, which is the same everywhere. */
extern const double metrics_bound_s[METRICS_BUCKETS];
extern const char *const metrics_bound_text[METRICS_BUCKETS];

/* Bytes of shared memory; and make it there, before the first fork. */
size_t metrics_size(void);
struct metrics *metrics_new(struct shm *s);

/* Of the masters that may share this, this process's, and those that it forks, have this one:
 * below SHM_MASTERS, 0 if it was never said. */
void metrics_be_master(struct metrics *m, unsigned which);

/* The share of the worker of `slot`; that of the dead of our master, which is its own. */
struct metrics_share *metrics_share_of(struct metrics *m, unsigned slot);
struct metrics_share *metrics_share_of_master(struct metrics *m);

/* ---- names ---- */

/* For the master: enter this name.  Returns its number, which it may have already. */
unsigned metrics_enter(
    struct metrics *m, enum metrics_kind kind, const char *name);

/* Its number; METRICS_OTHER: it was not entered. */
unsigned metrics_find(
    const struct metrics *m, enum metrics_kind kind, const char *name);

/* The name of a number; NULL: it has none.  Stays as it is. */
const char *metrics_name(
    const struct metrics *m, enum metrics_kind kind, unsigned number);

/* ---- counting: for whose share it is ---- */

void metrics_add(
    struct metrics_share *s, enum metrics_counter what, uint64_t n);

void metrics_set(
    struct metrics_share *s, enum metrics_gauge what, uint64_t value);
/* One more of what is counted up and down, or (false) one less. */
void metrics_move(struct metrics_share *s, enum metrics_gauge what, bool up);

uint64_t metrics_gauge_of(
    const struct metrics_share *s, enum metrics_gauge what);
void metrics_set_disk(struct metrics_share *s, unsigned directory,
    enum metrics_disk_gauge what, uint64_t value);

/* An upload that has ended, as it is counted. */
struct metrics_upload {
	unsigned location; /* its number */
	enum outcome outcome;
	unsigned verdict;   /* below METRICS_VERDICTS */
	uint64_t received;  /* bytes of the body */
	const uint64_t *ns; /* `times` times, in the order of meter_times() */
	size_t times;	    /* 0: METRICS_UNMEASURED */
};

/* Count it. */
void metrics_ended(
    struct metrics *m, struct metrics_share *s, const struct metrics_upload *u);

/* One of this user (user_names_take()) has ended. */
void metrics_user_ended(
    struct metrics_share *s, unsigned user, uint64_t received);

/* ---- for the master ---- */

/* The worker of this slot has ended: what it has counted is the dead's from here on. */
void metrics_forget(struct metrics *m, unsigned slot);

/* ---- reading ---- */

struct metrics_histogram {
	uint64_t buckets[METRICS_BUCKETS + 1]; /* each alone; the last: more */
	uint64_t sum_ns;
};

struct metrics_location_sum {
	uint64_t received;
	struct metrics_histogram times[METRICS_TIMES];
};

struct metrics_series {
	unsigned location, verdict;
	enum outcome outcome;
	uint64_t count;
};

/* All that was counted, at one moment. */
struct metrics_sum {
	uint64_t counters[METRICS_COUNTERS];
	struct metrics_series series[METRICS_SERIES]; /* in no order */
	size_t series_count;
	bool used[METRICS_NAMES + 1]; /* has the location any of these? */
	struct metrics_location_sum locations[METRICS_NAMES + 1];
	uint64_t user_uploads[METRICS_USERS], user_received[METRICS_USERS];
};

/* The sum of all workers that there are and were; the caller's to free().  NULL: out of
 * memory. */
NODISCARD struct metrics_sum *metrics_read(struct metrics *m);

/* The gauge of a directory: the sum of what all workers have; and, for OLDEST_NS, the
 * earliest, for LATENCY_NS and STATE, the highest. */
uint64_t metrics_disk(
    const struct metrics *m, unsigned directory, enum metrics_disk_gauge what);

#endif
