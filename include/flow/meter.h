/*
 * flow/meter.h - the time of an upload, split by what each side waited for.
 *
 *	reader   network | paced | queue | memory | done
 *	writer   data | write | hash | sync | done
 *
 * Each side is in exactly one of its states at any time; a change costs one
 * clock read.  Times are nanoseconds.
 */
#ifndef FLOW_METER_H
#define FLOW_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum meter_reader {
	READER_NETWORK, /* waiting for bytes, or receiving them */
	READER_QUEUE,	/* the queue is full */
	READER_MEMORY,	/* the pool has no chunk to give */
	READER_PACED,	/* limit_rate is reached; counts as network */
	READER_DONE,
	READER_STATE_COUNT
};

extern const char *const meter_reader_name[READER_STATE_COUNT];

enum meter_writer {
	WRITER_DATA,  /* the queue is empty */
	WRITER_WRITE, /* at least one write is in flight */
	WRITER_HASH,  /* no write is, but a digest is being computed */
	WRITER_SYNC,  /* syncing and publishing */
	WRITER_DONE,
	WRITER_STATE_COUNT
};

extern const char *const meter_writer_name[WRITER_STATE_COUNT];

enum verdict {
	VERDICT_BALANCED,
	VERDICT_READ_BOUND,  /* the writer waited for the reader */
	VERDICT_WRITE_BOUND, /* the reader waited for the writer */
	VERDICT_HASH_BOUND,  /* the same, and the writer for the digest more
				than for the disk */
	VERDICT_COUNT
};

extern const char *const verdict_name[VERDICT_COUNT];

struct meter {
	uint64_t start, end;
	uint64_t reader_since, writer_since;
	enum meter_reader reader;
	enum meter_writer writer;
	uint64_t reader_ns[READER_STATE_COUNT];
	uint64_t writer_ns[WRITER_STATE_COUNT];
	uint64_t hash_ns; /* spent on digests, in parallel to the rest */
};

/* Start it: the reader waits for the network, the writer for data. */
void meter_start(struct meter *m);

/* A side is in this state from now on.  Costs no clock read when it was already. */
void meter_read(struct meter *m, enum meter_reader state);
void meter_write(struct meter *m, enum meter_writer state);

/* For a stopped meter: the part of the last WRITER_SYNC that lies before `at` (by
 * clock_mono_ns()) was writing; count it as WRITER_WRITE. */
void meter_split_sync(struct meter *m, uint64_t at);

/* Stop both clocks; idempotent. */
void meter_stop(struct meter *m);

/* The functions below are for a stopped meter. */
uint64_t meter_total_ns(const struct meter *m);

/*
 * The time that was saved because both sides worked at once: (time the reader was not
 * held back) + (time the writer was busy) - total, at least 0.
 */
uint64_t meter_saved_ns(const struct meter *m);

/* The times that a receipt and a log line give, in their order; the digest's is
 * the last, because it may be missing. */
enum meter_time_kind {
	METER_NETWORK,
	METER_QUEUE,
	METER_MEMORY,
	METER_DATA,
	METER_WRITE,
	METER_SYNC,
	METER_TOTAL,
	METER_HASH,
	METER_TIMES_MAX
};

struct meter_time {
	const char *name;
	uint64_t ns;
};

/* For a stopped meter: its times, indexed by enum meter_time_kind.  Returns how many
 * there are; METER_HASH is among them only if `hashed`. */
size_t meter_times(
    const struct meter *m, bool hashed, struct meter_time ret[METER_TIMES_MAX]);

/*
 * Read-bound: the writer waited for data at least twice as long as the reader
 * for queue and memory, and the client, after its last byte, for the rest;
 * write-bound: the reverse, or hash-bound when digests took longer than writes
 * and syncs; else, or when all of these are under 10 ms together, balanced.
 */
enum verdict meter_verdict(const struct meter *m);

#endif
