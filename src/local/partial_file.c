#include "partial_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_class.h"
#include "base/hash.h"

/* Where it is in the head; each of 8 bytes, but for `format` and `record_len` of 4. */
enum {
	HEAD_MAGIC = 0,
	HEAD_FORMAT = 8,
	HEAD_RECORD_LEN = 12,
	HEAD_ID = 16,
	HEAD_CLIENT = HEAD_ID + PARTIAL_ID_LEN,
	HEAD_CREATED = HEAD_CLIENT + 8,
	HEAD_RECORD_SUM = HEAD_CREATED + 8,
	HEAD_SUM = HEAD_RECORD_SUM + 8, /* of all before it */
};

/* The same in a slot. */
enum {
	SLOT_SEQ = 0,
	SLOT_PHASE = 8,	     /* 4 bytes */
	SLOT_STATE_LEN = 12, /* 4 bytes */
	SLOT_OFFSET = 16,
	SLOT_LENGTH = 24,
	SLOT_CHANGED = 32,
	SLOT_ANSWER_SUM = 40,
	SLOT_ANSWER_LEN = 48, /* 4 bytes */
	SLOT_STATE = 56,
	SLOT_SUM = SLOT_STATE + PARTIAL_STATE_MAX,
};

/* In a slot only: open, and its commit has begun. */
enum { PHASE_COMMITTING = PARTIAL_EXPIRED + 1 };

enum { FIRST_SEQ = 0 };

static const char magic[8] = {'p', 'e', 'n', 's', 't', 'o', 'c', 'k'};

const char partial_data_suffix[] = ".data";
const char partial_info_suffix[] = ".info";

_Static_assert(
    sizeof(partial_data_suffix) + PARTIAL_ID_LEN == PARTIAL_NAME_SIZE,
    "PARTIAL_NAME_SIZE");
_Static_assert(SLOT_SUM + 8 <= PARTIAL_FILE_SECTOR, "a slot is in a sector");

/* ---- names ---- */

void
partial_file_name(
    const char *id, const char *suffix, char ret[PARTIAL_NAME_SIZE])
{
	memcpy(ret, id, PARTIAL_ID_LEN);
	memcpy(ret + PARTIAL_ID_LEN, suffix, strlen(suffix) + 1);
}

bool
partial_file_is_name(
    const char *name, const char *suffix, char ret_id[PARTIAL_ID_LEN + 1])
{
	size_t len = strlen(name);

	if (len != PARTIAL_NAME_SIZE - 1 ||
	    !partial_is_id(name, PARTIAL_ID_LEN) ||
	    strcmp(name + PARTIAL_ID_LEN, suffix) != 0)
		return false;
	memcpy(ret_id, name, PARTIAL_ID_LEN);
	ret_id[PARTIAL_ID_LEN] = '\0';
	return true;
}

/* ---- bytes ---- */

static void
put_number(unsigned char *at, uint64_t n, int bytes)
{
	for (int i = 0; i < bytes; i++, n >>= 8)
		at[i] = (unsigned char)(n & 0xff);
}

static uint64_t
get_number(const unsigned char *at, int bytes)
{
	uint64_t n = 0;

	for (int i = bytes; i-- > 0;)
		n = n << 8 | at[i];
	return n;
}

/* What belongs to another partial has another sum. */
static uint64_t
sum_of(const char *id, const void *bytes, size_t len)
{
	return hash_bytes(
	    hash_bytes(PARTIAL_FILE_FORMAT, id, PARTIAL_ID_LEN), bytes, len);
}

static uint64_t
sum_of_span(const char *id, struct span s)
{
	return s.len == 0 ? 0 : sum_of(id, s.s, s.len);
}

void
partial_file_encode_slot(const struct partial_file *f,
    const struct partial *next, bool is_committing,
    unsigned char ret[PARTIAL_FILE_SECTOR])
{
	const char *id = f->shown.id;
	unsigned phase =
	    is_committing ? (unsigned)PHASE_COMMITTING : (unsigned)next->phase;

	check(next->state.len <= PARTIAL_STATE_MAX);
	check(next->answer.len <= PARTIAL_ANSWER_MAX);
	memset(ret, 0, PARTIAL_FILE_SECTOR);
	put_number(ret + SLOT_SEQ, f->seq + 1, 8);
	put_number(ret + SLOT_PHASE, phase, 4);
	put_number(ret + SLOT_STATE_LEN, next->state.len, 4);
	put_number(ret + SLOT_OFFSET, next->offset, 8);
	put_number(ret + SLOT_LENGTH, next->length, 8);
	put_number(ret + SLOT_CHANGED, next->changed_s, 8);
	put_number(ret + SLOT_ANSWER_SUM, sum_of_span(id, next->answer), 8);
	put_number(ret + SLOT_ANSWER_LEN, next->answer.len, 4);
	if (next->state.len > 0)
		memcpy(ret + SLOT_STATE, next->state.s, next->state.len);
	put_number(ret + SLOT_SUM, sum_of(id, ret, SLOT_SUM), 8);
}

static unsigned char *
slot_at(unsigned char *bytes, uint64_t seq)
{
	return bytes + PARTIAL_FILE_SECTOR * (1 + seq % 2);
}

static size_t
record_len(const struct partial_file *f)
{
	return f->shown.record.len;
}

size_t
partial_file_encode(const struct partial *p, uint64_t created_s,
    unsigned char ret[PARTIAL_FILE_MAX])
{
	struct partial_file before = {.seq = FIRST_SEQ - UINT64_C(1)};
	struct partial first = {
	    .length = p->length,
	    .changed_s = created_s,
	    .state = p->state,
	};

	check(partial_is_id(p->id, strlen(p->id)));
	check(p->record.len <= PARTIAL_RECORD_MAX);
	memset(ret, 0, PARTIAL_FILE_HEAD);
	memcpy(ret + HEAD_MAGIC, magic, sizeof(magic));
	put_number(ret + HEAD_FORMAT, PARTIAL_FILE_FORMAT, 4);
	put_number(ret + HEAD_RECORD_LEN, p->record.len, 4);
	memcpy(ret + HEAD_ID, p->id, PARTIAL_ID_LEN);
	put_number(ret + HEAD_CLIENT, p->client, 8);
	put_number(ret + HEAD_CREATED, created_s, 8);
	put_number(ret + HEAD_RECORD_SUM, sum_of_span(p->id, p->record), 8);
	put_number(ret + HEAD_SUM, sum_of(p->id, ret, HEAD_SUM), 8);
	memcpy(before.shown.id, p->id, sizeof(before.shown.id));
	partial_file_encode_slot(
	    &before, &first, false, slot_at(ret, FIRST_SEQ));
	if (p->record.len > 0)
		memcpy(ret + PARTIAL_FILE_HEAD, p->record.s, p->record.len);
	return PARTIAL_FILE_HEAD + p->record.len;
}

/* ---- what it says ---- */

/* Is what this slot says possible?  (Its sum is right; but sums can be made.) */
static bool
makes_sense(const unsigned char *slot, unsigned number)
{
	uint64_t offset = get_number(slot + SLOT_OFFSET, 8);

	return get_number(slot + SLOT_SEQ, 8) % 2 == number &&
	       get_number(slot + SLOT_PHASE, 4) <= PHASE_COMMITTING &&
	       get_number(slot + SLOT_STATE_LEN, 4) <= PARTIAL_STATE_MAX &&
	       get_number(slot + SLOT_ANSWER_LEN, 4) <= PARTIAL_ANSWER_MAX &&
	       offset <= INT64_MAX &&
	       offset <= get_number(slot + SLOT_LENGTH, 8);
}

/* The one that counts; NULL: none makes sense. */
static const unsigned char *
newest_slot(const unsigned char *bytes, const char *id)
{
	const unsigned char *best = NULL;

	for (unsigned i = 0; i < 2; i++) {
		const unsigned char *slot =
		    bytes + (size_t)PARTIAL_FILE_SECTOR * (1 + i);

		if (get_number(slot + SLOT_SUM, 8) !=
			sum_of(id, slot, SLOT_SUM) ||
		    !makes_sense(slot, i))
			continue;
		if (best == NULL || get_number(slot + SLOT_SEQ, 8) >
					get_number(best + SLOT_SEQ, 8))
			best = slot;
	}
	return best;
}

static void
take_slot(struct partial_file *f, const unsigned char *slot)
{
	uint64_t phase = get_number(slot + SLOT_PHASE, 4);
	struct partial *p = &f->shown;

	f->seq = get_number(slot + SLOT_SEQ, 8);
	f->is_committing = phase == PHASE_COMMITTING;
	p->phase = f->is_committing ? PARTIAL_OPEN : (enum partial_phase)phase;
	p->offset = get_number(slot + SLOT_OFFSET, 8);
	p->length = get_number(slot + SLOT_LENGTH, 8);
	p->changed_s = get_number(slot + SLOT_CHANGED, 8);
	p->state.len = (size_t)get_number(slot + SLOT_STATE_LEN, 4);
	memcpy(f->state, slot + SLOT_STATE, p->state.len);
	p->state.s = f->state;
}

static int
check_head(const unsigned char *bytes, size_t len, const char *id,
    struct partial_file *f)
{
	if (len < PARTIAL_FILE_HEAD ||
	    memcmp(bytes + HEAD_MAGIC, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	f->format = (unsigned)get_number(bytes + HEAD_FORMAT, 4);
	if (f->format != PARTIAL_FILE_FORMAT)
		return -EPROTONOSUPPORT;
	if (memcmp(bytes + HEAD_ID, id, PARTIAL_ID_LEN) != 0 ||
	    get_number(bytes + HEAD_SUM, 8) != sum_of(id, bytes, HEAD_SUM) ||
	    get_number(bytes + HEAD_RECORD_LEN, 4) > PARTIAL_RECORD_MAX)
		return -EBADMSG;
	return 0;
}

/* Record and answer, which stand behind the head. */
static int
take_rest(struct partial_file *f, const unsigned char *bytes, size_t len,
    const unsigned char *slot)
{
	const char *rest = (const char *)bytes + PARTIAL_FILE_HEAD;
	struct span record = {
	    rest, (size_t)get_number(bytes + HEAD_RECORD_LEN, 4)};
	struct span answer = {
	    rest + record.len, (size_t)get_number(slot + SLOT_ANSWER_LEN, 4)};
	const char *id = f->shown.id;

	len -= PARTIAL_FILE_HEAD;
	if (record.len > len ||
	    sum_of_span(id, record) != get_number(bytes + HEAD_RECORD_SUM, 8))
		return -EBADMSG;
	f->shown.record = record;
	if (answer.len > 0 && answer.len <= len - record.len &&
	    sum_of_span(id, answer) == get_number(slot + SLOT_ANSWER_SUM, 8))
		f->shown.answer = answer;
	return 0;
}

int
partial_file_parse(const unsigned char *bytes, size_t len, const char *id,
    bool whole, struct partial_file *ret)
{
	const unsigned char *slot;
	int err;

	*ret = (struct partial_file){0};
	memcpy(ret->shown.id, id, PARTIAL_ID_LEN);
	err = check_head(bytes, len, id, ret);
	if (err < 0)
		return err;
	slot = newest_slot(bytes, id);
	if (slot == NULL)
		return -EBADMSG;
	ret->shown.client = get_number(bytes + HEAD_CLIENT, 8);
	ret->created_s = get_number(bytes + HEAD_CREATED, 8);
	take_slot(ret, slot);
	return whole ? take_rest(ret, bytes, len, slot) : 0;
}

/* ---- reading and writing ---- */

/* Up to `len` bytes from the start: how many, or -errno. */
static ssize_t
read_start(int fd, unsigned char *to, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, to + got, len - got, (off_t)got);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static int
write_at(int fd, const void *from, size_t len, size_t at)
{
	const unsigned char *bytes = from;

	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -EIO : -errno;
		bytes += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int
sync_info(int fd)
{
	if (fdatasync(fd) == 0 || errno_is_unsupported(-errno))
		return 0;
	return -errno;
}

int
partial_file_read(int fd, const char *id, struct partial_file *ret)
{
	unsigned char *bytes;
	struct stat st;
	size_t size;
	ssize_t len;
	int err;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > PARTIAL_FILE_MAX)
		return -EBADMSG;
	size = (size_t)st.st_size;
	bytes = malloc(size + 1);
	if (bytes == NULL)
		return -ENOMEM;
	len = read_start(fd, bytes, size);
	err = len < 0 ? (int)len
		      : partial_file_parse(bytes, (size_t)len, id, true, ret);
	if (err < 0) {
		free(bytes);
		return err;
	}
	ret->bytes = bytes;
	return 0;
}

int
partial_file_peek(int fd, const char *id, struct partial_file *ret)
{
	unsigned char bytes[PARTIAL_FILE_HEAD];
	ssize_t len = read_start(fd, bytes, sizeof(bytes));

	return len < 0 ? (int)len
		       : partial_file_parse(bytes, (size_t)len, id, false, ret);
}

int
partial_file_begin(
    int fd, const struct partial *p, bool sync, struct partial_file *ret)
{
	unsigned char *bytes = malloc(PARTIAL_FILE_MAX);
	size_t len;
	int err;

	if (bytes == NULL)
		return -ENOMEM;
	len = partial_file_encode(p, (uint64_t)clock_wall_s(), bytes);
	err = write_at(fd, bytes, len, 0);
	if (err == 0 && sync)
		err = sync_info(fd);
	if (err == 0)
		err = partial_file_parse(bytes, len, p->id, true, ret);
	if (err < 0)
		free(bytes);
	else
		ret->bytes = bytes;
	return err;
}

/* The slot, when all before it is there. */
static int
put_slot(int fd, const unsigned char *slot, size_t at, bool sync)
{
	static const unsigned char blank[PARTIAL_FILE_SECTOR];
	int err = write_at(fd, slot, PARTIAL_FILE_SECTOR, at);

	if (err == 0 && sync)
		err = sync_info(fd);
	/* What is only in the page cache is not to be believed: a power cut would
	 * take it back after others have told it. */
	if (err < 0)
		(void)write_at(fd, blank, sizeof(blank), at);
	return err;
}

int
partial_file_put(int fd, struct partial_file *f, const struct partial *next,
    bool is_committing, bool sync)
{
	unsigned char bytes[PARTIAL_FILE_HEAD];
	unsigned char *slot = slot_at(bytes, f->seq + 1);
	int err = 0;

	partial_file_encode_slot(f, next, is_committing, slot);
	if (next->answer.len > 0)
		err = write_at(fd, next->answer.s, next->answer.len,
		    PARTIAL_FILE_HEAD + record_len(f));
	if (err == 0)
		err = put_slot(fd, slot, (size_t)(slot - bytes), sync);
	if (err == 0)
		take_slot(f, slot);
	return err;
}

int
partial_file_settle(struct partial_file *f, int dir)
{
	char data[PARTIAL_NAME_SIZE];
	struct stat st;
	bool is_there;

	if (f->shown.phase != PARTIAL_OPEN)
		return 0;
	partial_file_name(f->shown.id, partial_data_suffix, data);
	is_there = fstatat(dir, data, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!is_there && errno != ENOENT)
		return -errno;
	/* A crash between the link and the unlink of a commit leaves both. */
	if (f->is_committing && (!is_there || st.st_nlink > 1)) {
		if (is_there && unlinkat(dir, data, 0) == -1)
			return -errno;
		f->shown.phase = PARTIAL_STORED;
		return 0;
	}
	return is_there && S_ISREG(st.st_mode) &&
		       (uint64_t)st.st_size >= f->shown.offset
		   ? 0
		   : -EBADMSG;
}

void
partial_file_fini(struct partial_file *f)
{
	free(f->bytes);
	f->bytes = NULL;
}
