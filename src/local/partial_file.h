/*
 * local/partial_file.h - what is kept beside the bytes of a partial (store/partial.h).
 *
 *	OUTPUT_DIR/.penstock/ID.data   its bytes
 *	OUTPUT_DIR/.penstock/ID.info   what this file is about:
 *
 *	0     head     what never changes: format, ID, client, length of the record
 *	512   slot     what does: phase, offset, length, state, length of the answer
 *	1024  slot     the same, written in turn: the one with the higher number counts
 *	1536  record
 *	      answer   written before the slot that tells of it
 *
 * Each slot is within a sector, and all have sums: what a crash has torn is not taken for
 * whole, and the other slot is still there.  A file that makes no sense is not believed.
 * Numbers are little-endian; sums are of this machine's byte order.
 *
 * An ID.info is locked by whoever has the partial open, as long as it has (publish_lock()
 * of local/publish_sys.h).
 */
#ifndef LOCAL_PARTIAL_FILE_H
#define LOCAL_PARTIAL_FILE_H

#include "base/check.h"
#include "store/partial.h"

enum {
	PARTIAL_FILE_FORMAT = 1,
	PARTIAL_FILE_SECTOR = 512,
	PARTIAL_FILE_HEAD = PARTIAL_FILE_SECTOR * 3, /* before the record */
	PARTIAL_FILE_MAX =
	    PARTIAL_FILE_HEAD + PARTIAL_RECORD_MAX + PARTIAL_ANSWER_MAX,
	PARTIAL_NAME_SIZE = PARTIAL_ID_LEN + 6, /* of either, with its NUL */
};

extern const char partial_data_suffix[], partial_info_suffix[];

/* What such a file says. */
struct partial_file {
	struct partial shown;
	/* Its commit has begun: phase is PARTIAL_OPEN, and it may have its name. */
	bool is_committing;
	unsigned format;
	uint64_t created_s; /* since 1970 */
	uint64_t seq;	    /* of the slot that counts */
	char state[PARTIAL_STATE_MAX];
	unsigned char *bytes; /* where record and answer are; or NULL */
};

/* ID and a suffix: a name in `.penstock`. */
void partial_file_name(
    const char *id, const char *suffix, char ret[PARTIAL_NAME_SIZE]);

/* Is that such a name?  Then *ret_id is its ID. */
bool partial_file_is_name(
    const char *name, const char *suffix, char ret_id[PARTIAL_ID_LEN + 1]);

/* ---- no disk is asked ---- */

/* The bytes of a new one, of the id, client, length, record and state of `p`; its offset is
 * 0.  How many they are. */
size_t partial_file_encode(const struct partial *p, uint64_t created_s,
    unsigned char ret[PARTIAL_FILE_MAX]);

/* The next slot, into ret, with phase, offset, length, changed_s, state and answer of
 * `next`. */
void partial_file_encode_slot(const struct partial_file *f,
    const struct partial *next, bool is_committing,
    unsigned char ret[PARTIAL_FILE_SECTOR]);

/*
 * partial_file_parse(bytes, len, id, whole, ret):
 * What the first `len` bytes of ID.info say: 0; -EBADMSG: nothing that is to be believed; or
 * -EPROTONOSUPPORT: it is of another version of this server (ret->format).  `whole`: record
 * and answer, too, which are in `bytes` then; an answer that is torn is left out.
 */
NODISCARD int partial_file_parse(const unsigned char *bytes, size_t len,
    const char *id, bool whole, struct partial_file *ret);

/* ---- on engine threads: 0 or a negative errno, also as above ---- */

/* All of it; the caller ends it by partial_file_fini(). */
NODISCARD int partial_file_read(
    int fd, const char *id, struct partial_file *ret);

/* Without record and answer. */
NODISCARD int partial_file_peek(
    int fd, const char *id, struct partial_file *ret);

/* Write a new one, and have it synced, and *ret say what it says.  -ENOMEM, too. */
NODISCARD int partial_file_begin(
    int fd, const struct partial *p, bool sync, struct partial_file *ret);

/*
 * partial_file_put(fd, f, next, is_committing, sync):
 * Write the next slot, as partial_file_encode_slot(), and before that the answer; `sync`:
 * make both durable.  `f` says what the file says then, but for the answer.  After an error
 * it says what it said, and so does `f`.
 */
NODISCARD int partial_file_put(int fd, struct partial_file *f,
    const struct partial *next, bool is_committing, bool sync);

/*
 * partial_file_settle(f, dir):
 * What do the bytes say to that?  `dir` is `.penstock`; the partial is locked.  One whose
 * commit a crash has cut off is PARTIAL_STORED if it has its name, and else open again.
 * -EBADMSG: its bytes are gone.
 */
NODISCARD int partial_file_settle(struct partial_file *f, int dir);

/* Free what it owns.  Idempotent. */
void partial_file_fini(struct partial_file *f);

#endif
