/*
 * What is kept of a partial in ID.info, as a crash or an enemy leaves it: nothing is read
 * beyond it, what is believed is possible, and says the same when it is written again.
 *
 * A file as it should be is changed: each three bytes of the input are a position and what
 * is turned over there.
 */
#include "fuzz.h"
#include "base/hash.h"
#include "local/partial_file.h"

enum knob {
	KIND,	/* of the file: 0 new, 1 suspended, 2 stored, with an answer */
	FIX,	/* 1: with all sums made right after that, 2: of slots only */
	CUT,	/* 512 bytes less, each */
	CUT_BY, /* a byte less, each */
	KNOBS
};

/* As in partial_file.c. */
enum {
	SECTOR = 512,
	RECORD_LEN_AT = 12,
	RECORD_SUM_AT = 64,
	HEAD_SUM_AT = 72,
	ANSWER_SUM_AT = 40,
	ANSWER_LEN_AT = 48,
	SLOT_SUM_AT = 312,
};

static const char id[] = "0123456789abcdef0123456789abcdef";

static uint64_t
sum(const void *bytes, size_t len)
{
	return hash_bytes(hash_bytes(1, id, 32), bytes, len);
}

static void
put(uint8_t *at, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(n >> (8 * i));
}

static uint32_t
get(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* A file as it should be: its length. */
static size_t
make(unsigned kind, uint8_t file[PARTIAL_FILE_MAX])
{
	struct partial p = {.length = 1000,
	    .record = {"the record", 10},
	    .state = {"state", 5}};
	struct partial_file is;
	size_t len;

	memcpy(p.id, id, sizeof(p.id));
	len = partial_file_encode(&p, 1, file);
	if (kind == 0)
		return len;
	check(partial_file_parse(file, len, id, true, &is) == 0);
	p.offset = 500;
	if (kind == 2) {
		p.phase = PARTIAL_STORED;
		p.answer = (struct span){"201", 3};
		memcpy(file + len, "201", 3);
		len += 3;
	}
	partial_file_encode_slot(&is, &p, kind > 2, file + SECTOR * 2);
	return len;
}

static void
fix_slot(uint8_t *file, size_t len, uint8_t *slot)
{
	size_t from = PARTIAL_FILE_HEAD + get(file + RECORD_LEN_AT);
	size_t answer = get(slot + ANSWER_LEN_AT);

	if (from <= len && answer > 0 && answer <= len - from)
		put(slot + ANSWER_SUM_AT, sum(file + from, answer));
	put(slot + SLOT_SUM_AT, sum(slot, SLOT_SUM_AT));
}

/* As one who may write there can. */
static void
fix(uint8_t *file, size_t len, unsigned how)
{
	size_t record = get(file + RECORD_LEN_AT);

	if (how == 1) {
		if (record <= len - PARTIAL_FILE_HEAD)
			put(file + RECORD_SUM_AT,
			    record > 0 ? sum(file + PARTIAL_FILE_HEAD, record)
				       : 0);
		put(file + HEAD_SUM_AT, sum(file, HEAD_SUM_AT));
	}
	if (how == 1 || how == 2) {
		fix_slot(file, len, file + SECTOR);
		fix_slot(file, len, file + SECTOR * 2);
	}
}

static void
check_span(const uint8_t *file, size_t len, struct span s, size_t most)
{
	const uint8_t *from = (const uint8_t *)s.s;

	check(s.len <= most);
	check(s.len == 0 || (from >= file && from + s.len <= file + len));
}

static bool
is_same(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

/* What is believed is possible, and is the same when it is written into the next slot. */
static void
check_believed(const uint8_t *file, size_t len, const struct partial_file *f)
{
	uint8_t *again = fuzz_copy(file, len);
	const struct partial *p = &f->shown;
	struct partial_file got;

	check(p->phase <= PARTIAL_EXPIRED);
	check(!f->is_committing || p->phase == PARTIAL_OPEN);
	check(p->offset <= p->length && p->offset <= INT64_MAX);
	check(p->state.len <= PARTIAL_STATE_MAX);
	check_span(file, len, p->record, PARTIAL_RECORD_MAX);
	check_span(file, len, p->answer, PARTIAL_ANSWER_MAX);
	if (f->seq < UINT64_MAX) {
		partial_file_encode_slot(f, p, f->is_committing,
		    again + SECTOR * (1 + (f->seq + 1) % 2));
		check(partial_file_parse(again, len, id, true, &got) == 0);
		check(got.seq == f->seq + 1 &&
		      got.is_committing == f->is_committing);
		check(got.shown.phase == p->phase &&
		      got.shown.offset == p->offset &&
		      got.shown.length == p->length &&
		      got.shown.changed_s == p->changed_s &&
		      got.shown.client == p->client);
		check(is_same(got.shown.record, p->record) &&
		      is_same(got.shown.state, p->state) &&
		      is_same(got.shown.answer, p->answer));
	}
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[PARTIAL_FILE_MAX];
	struct partial_file f, peeked;
	uint8_t *bytes;
	size_t len, cut;
	int err;

	if (size < KNOBS)
		return 0;
	len = make(fuzz_knob(data, KIND) % 4, file);
	for (size_t i = KNOBS; i + 3 <= size; i += 3)
		file[(data[i] * 256U + data[i + 1]) % len] ^= data[i + 2];
	fix(file, len, fuzz_knob(data, FIX));
	cut = fuzz_knob(data, CUT) * 512U + fuzz_knob(data, CUT_BY);
	len -= cut < len ? cut : len;
	bytes = fuzz_copy(file, len);
	err = partial_file_parse(bytes, len, id, true, &f);
	if (err == 0)
		check_believed(bytes, len, &f);
	/* Who only peeks sees the same, or more: he does not look at the rest. */
	check(
	    partial_file_parse(bytes, len, id, false, &peeked) == 0 || err < 0);
	check(err < 0 ||
	      (peeked.seq == f.seq && peeked.shown.offset == f.shown.offset &&
		  peeked.shown.record.len == 0));
	free(bytes);
	return 0;
}
