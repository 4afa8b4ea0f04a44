#include "flow/meter.h"

#include <string.h>

#include "base/check.h"

enum {
	TOO_SHORT_NS = 10 * 1000 * 1000, /* to tell which side was slow */
};

const char *const meter_reader_name[READER_STATE_COUNT] = {
    [READER_NETWORK] = "network",
    [READER_QUEUE] = "queue",
    [READER_MEMORY] = "memory",
    [READER_PACED] = "paced",
    [READER_DONE] = "done",
};

const char *const meter_writer_name[WRITER_STATE_COUNT] = {
    [WRITER_DATA] = "data",
    [WRITER_WRITE] = "write",
    [WRITER_HASH] = "hash",
    [WRITER_SYNC] = "sync",
    [WRITER_DONE] = "done",
};

const char *const verdict_name[VERDICT_COUNT] = {
    [VERDICT_BALANCED] = "balanced",
    [VERDICT_READ_BOUND] = "read-bound",
    [VERDICT_WRITE_BOUND] = "write-bound",
    [VERDICT_HASH_BOUND] = "hash-bound",
};

void
meter_start(struct meter *m)
{
	*m = (struct meter){.reader = READER_NETWORK, .writer = WRITER_DATA};
	m->start = m->reader_since = m->writer_since = clock_mono_ns();
}

static void
move_reader(struct meter *m, enum meter_reader state, uint64_t now)
{
	m->reader_ns[m->reader] += now - m->reader_since;
	m->reader_since = now;
	m->reader = state;
}

static void
move_writer(struct meter *m, enum meter_writer state, uint64_t now)
{
	m->writer_ns[m->writer] += now - m->writer_since;
	m->writer_since = now;
	m->writer = state;
}

void
meter_read(struct meter *m, enum meter_reader state)
{
	if (m->reader != state && m->end == 0)
		move_reader(m, state, clock_mono_ns());
}

void
meter_write(struct meter *m, enum meter_writer state)
{
	if (m->writer != state && m->end == 0)
		move_writer(m, state, clock_mono_ns());
}

void
meter_stop(struct meter *m)
{
	if (m->end != 0)
		return;
	m->end = clock_mono_ns();
	move_reader(m, READER_DONE, m->end);
	move_writer(m, WRITER_DONE, m->end);
}

void
meter_split_sync(struct meter *m, uint64_t at)
{
	uint64_t sync = m->writer_ns[WRITER_SYNC];
	uint64_t begin = m->end - sync, before;

	check(m->end != 0);
	before = at > begin ? at - begin : 0;
	if (before > sync)
		before = sync;
	m->writer_ns[WRITER_SYNC] -= before;
	m->writer_ns[WRITER_WRITE] += before;
}

static uint64_t
meter_network_ns(const struct meter *m)
{
	return m->reader_ns[READER_NETWORK] + m->reader_ns[READER_PACED];
}

uint64_t
meter_total_ns(const struct meter *m)
{
	check(m->end != 0);
	return m->end - m->start;
}

uint64_t
meter_saved_ns(const struct meter *m)
{
	uint64_t apart = meter_network_ns(m) + m->writer_ns[WRITER_WRITE] +
			 m->writer_ns[WRITER_HASH] + m->writer_ns[WRITER_SYNC];
	uint64_t total = meter_total_ns(m);

	return apart > total ? apart - total : 0;
}

size_t
meter_times(
    const struct meter *m, bool hashed, struct meter_time ret[METER_TIMES_MAX])
{
	const struct meter_time all[METER_TIMES_MAX] = {
	    [METER_NETWORK] = {"network", meter_network_ns(m)},
	    [METER_QUEUE] = {"queue", m->reader_ns[READER_QUEUE]},
	    [METER_MEMORY] = {"memory", m->reader_ns[READER_MEMORY]},
	    [METER_DATA] = {"data", m->writer_ns[WRITER_DATA]},
	    [METER_WRITE] = {"write", m->writer_ns[WRITER_WRITE]},
	    [METER_SYNC] = {"sync", m->writer_ns[WRITER_SYNC]},
	    [METER_TOTAL] = {"total", meter_total_ns(m)},
	    [METER_HASH] = {"hash", m->hash_ns},
	};

	memcpy(ret, all, sizeof(all));
	return hashed ? METER_TIMES_MAX : METER_HASH;
}

enum verdict
meter_verdict(const struct meter *m)
{
	uint64_t held = m->reader_ns[READER_QUEUE] +
			m->reader_ns[READER_MEMORY] + m->reader_ns[READER_DONE];
	uint64_t starved = m->writer_ns[WRITER_DATA];
	uint64_t disk = m->writer_ns[WRITER_WRITE] + m->writer_ns[WRITER_SYNC];

	if (held + starved < TOO_SHORT_NS)
		return VERDICT_BALANCED;
	if (starved >= 2 * held)
		return VERDICT_READ_BOUND;
	if (held >= 2 * starved)
		return m->hash_ns > disk ? VERDICT_HASH_BOUND
					 : VERDICT_WRITE_BOUND;
	return VERDICT_BALANCED;
}
