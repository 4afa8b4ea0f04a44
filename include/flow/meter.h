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
	READER_NETWORK, /* waiting for bytes, or moving them */
	READER_QUEUE,	/* the queue is full */
	READER_MEMORY,	/* the pool is dry */
	READER_PACED,	/* limit_rate is reached; counts as network */
	READER_DONE,
	READER_STATE_COUNT
};

enum meter_writer {
	WRITER_DATA,  /* the queue is empty */
	WRITER_WRITE, /* at least one write in flight */
	WRITER_HASH,  /* none, but a digest is being computed */
	WRITER_SYNC,  /* syncing and publishing */
	WRITER_DONE,
	WRITER_STATE_COUNT
};

enum verdict {
	VERDICT_BALANCED,
	VERDICT_READ_BOUND,  /* the writer waited for the reader */
	VERDICT_WRITE_BOUND, /* the reader waited for the writer */
	VERDICT_HASH_BOUND,  /* and that for the digest more than the disk */
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
	uint64_t hash_ns; /* computing digests, beside all else */
};

/* Begin: reading, and waiting for data. */
void meter_start(struct meter *m);

/* A side changes its state; staying in it costs nothing. */
void meter_read(struct meter *m, enum meter_reader state);
void meter_write(struct meter *m, enum meter_writer state);

/* Of a stopped meter: what was counted as syncing at last was writing before
 * `at` (by clock_mono_ns()). */
void meter_split_sync(struct meter *m, uint64_t at);

/* Stop both clocks; idempotent. */
void meter_stop(struct meter *m);

/* From here on, all of a stopped meter. */
uint64_t meter_total_ns(const struct meter *m);

/*
 * (time the reader was not held back) + (time the writer was busy) - total,
 * at least 0: what taking turns would have cost more.
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

/* Of a stopped meter: its times, by their kind; how many there are, the
 * digest's only if it was `hashed`. */
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
