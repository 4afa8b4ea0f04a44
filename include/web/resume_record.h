/*
 * web/resume_record.h - what is kept with an upload that can be resumed, as bytes: the
 * store knows nothing of it (store/partial.h).
 *
 *	record   what its creation said, for all later requests
 *	state    how its time was spent so far, over all its parts
 *	answer   what the client was told at the end, to be told again
 *
 * Each begins with the number of its format.  A record is a list of values, each with a
 * tag and a length: tags that a program does not know are passed over, so that an older
 * one reads what a newer one has written.
 */
#ifndef WEB_RESUME_RECORD_H
#define WEB_RESUME_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/span.h"
#include "base/str.h"
#include "flow/meter.h"
#include "http/response.h"
#include "store/partial.h"

/* Texts may be absent; after decoding they are in the bytes that were read. */
struct resume_record {
	int dialect;  /* a bit of resume_versions: who began it */
	bool named;   /* by the client */
	bool partial; /* a part that is to be concatenated: it gets no name */
	struct span method; /* whose rights are asked for */
	struct span name;   /* of the file, as the store takes it */
	struct span owner;  /* whose it is; empty: anybody's who knows the ID */
	struct span metadata; /* Upload-Metadata, as it was sent */
	struct span concat;   /* Upload-Concat, the same */
	/* Conditions on the file that has the name, as fields. */
	struct span if_match, if_none_match, if_unmodified_since;
	struct digest_claims whole;
};

void resume_record_encode(const struct resume_record *r, struct str *out);

/* False: it is none. */
bool resume_record_decode(struct span bytes, struct resume_record *ret);

/* The times of all parts together. */
struct resume_times {
	uint32_t parts;
	uint64_t total_ns;
	uint64_t reader_ns[READER_STATE_COUNT];
	uint64_t writer_ns[WRITER_STATE_COUNT];
	uint64_t hash_ns;
};

_Static_assert(1 + sizeof(struct resume_times) <= PARTIAL_STATE_MAX,
    "the times fit into the state");

/* What is malformed counts as no times. */
void resume_times_encode(const struct resume_times *t, struct str *out);
void resume_times_decode(struct span bytes, struct resume_times *ret);

/* One more part, whose meter has stopped. */
void resume_times_add(struct resume_times *t, const struct meter *m);

/* A meter, stopped, with the times of all. */
void resume_times_meter(const struct resume_times *t, struct meter *ret);

/* An answer: its status, its fields and its content. */
void resume_answer_encode(const struct response *r, struct str *out);

/* Into a response that is zeroed.  False: there is none. */
bool resume_answer_decode(struct span bytes, struct response *ret);

#endif
