/*
 * The inside of requests for uploads that can be resumed.  Each of these files calls only
 * those listed before it, but through the table (resume_states.h):
 *
 *	resume_name.c    what clients call their files
 *	resume_answer.c  what clients are told
 *	resume_end.c     how a request ends
 *	resume_part.c    the bytes that it brings: moves of the table
 *	resume_events.c  what its upload tells: events of the table
 *	resume_moves.c   the other moves
 *	resume_table.c   when each of them is made
 *	resume.c         one request, from its gate and its exchange: the other events
 *	resume_concat.c  one that makes an upload of others
 *	resume_pass.c    what it passes before: of both gates (resume_pass.h)
 *	resume_create_gate.c, resume_url_gate.c
 *	resume_begin.c   which of them it is
 */
#ifndef WEB_RESUME_INTERNAL_H
#define WEB_RESUME_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "http/body.h"
#include "http/exchange.h"
#include "upload/upload.h"
#include "web/context.h"
#include "web/gate.h"
#include "web/resume_ask.h"
#include "web/resume_dialect.h"
#include "web/resume_record.h"

struct fsm_table;
struct spent_mark;

#define RESUME_MAGIC 0x72657375U

enum resume_kind {
	RESUME_CREATE,
	RESUME_APPEND, /* PATCH */
	RESUME_LOOK,   /* HEAD and GET */
	RESUME_REMOVE, /* DELETE */
};

struct web_resume;

/* Where the bytes come from, if not from the request's body. */
struct resume_feed {
	/* READY, at first and after each transfer (`why`: as on_transferred()
	 * says): begin the next one, or resume_part_ended(). */
	void (*next)(struct web_resume *r, struct failure why);
	void (*free)(void *feed);
};

/* A request, its upload, and what is known of that. */
struct web_resume {
	unsigned magic;
	enum resume_kind kind;
	unsigned state; /* enum resume_state */
	const struct fsm_table *table;
	uint64_t request; /* exchange_id(), for logs */
	bool begun;	  /* `upload` is, and has to be ended */
	bool wanted;	  /* a newer request wants it */
	bool interim;	  /* 104 may be sent */
	bool url_told;	  /* 104 was */
	struct context *context;
	struct exchange
	    *exchange; /* NULL: it is over, what came is being kept */
	const struct conf_location *location;
	const struct resume_dialect *dialect; /* of the request */
	struct upload upload;
	struct gate_pass *pass;	     /* NULL: it is behind the gate */
	struct resume_ask ask;	     /* CREATE, APPEND */
	struct resume_record record; /* in `kept` */
	struct str kept;
	struct str name;		     /* of the file */
	struct resume_times times;	     /* of the parts before */
	struct preconditions *preconditions; /* of CREATE; NULL: none */
	uint64_t client;		     /* of CREATE: partial.client */
	struct str url;			     /* of the upload: CREATE */
	/* The argument of the event that is being handled. */
	union {
		const char *id; /* FIND */
		const struct stored *stored;
		uint64_t to; /* SUSPEND */
		int err;     /* SPENT */
	} told;
	uint64_t length;	 /* of the whole, or RESUME_UNKNOWN */
	uint64_t size_max;	 /* 0: any */
	struct failure why;	 /* of the end of the transfer, or of FAILED */
	const char *reason;	 /* of FAILED; or NULL */
	struct spent_mark *mark; /* of a link that is good once; or NULL */
	limits_entry place;	 /* among max_uploads */
	struct body_trailer trailer;
	const struct resume_feed *feed; /* NULL: from the body */
	void *feed_owner;
	char id[PARTIAL_ID_LEN + 1];
};

static inline const char *
resume_name(const struct web_resume *r)
{
	return r->name.s != NULL ? r->name.s : "";
}

/* Does somebody know where its upload is?  What nobody does before the answer, and nobody
 * will be told, is not kept. */
static inline bool
resume_is_known(const struct web_resume *r)
{
	return r->kind != RESUME_CREATE || r->url_told || r->wanted;
}

/* ---- resume_name.c ---- */

/*
 * resume_name_said(h, dotfiles, ret_name, ret_named, ret_why):
 * As names_take(), of the name that a creation says beside its URL.  *ret_named: false, and
 * OUTCOME_NONE, when it says none.
 */
NODISCARD enum outcome resume_name_said(const struct head *h, bool dotfiles,
    char ret_name[FILE_NAME_SIZE], bool *ret_named, const char **ret_why);

/* ---- resume_answer.c ---- */

/* The URL of the upload `id`, for Location. */
void resume_answer_url(const struct web_resume *r, const struct exchange *x,
    const char *id, struct str *out);

/* The status for an outcome: "later" is 503 or 423, and never 409 where clients would take
 * it for a wrong offset. */
int resume_answer_status(const struct web_resume *r, enum outcome e);

/* Each of these makes a response, whose outcome is set, too. */

/* Of a creation or a part that is not the last: what is there now. */
void resume_answer_progress(
    const struct web_resume *r, uint64_t offset, struct response *ret);

/* Of a creation: where its upload is.  Of another request: nothing. */
void resume_answer_where(const struct web_resume *r, struct response *ret);

/* It has failed with `e`; `offset` bytes are kept, RESUME_UNKNOWN: none that the client
 * could go on from.  If there are, a creation is told where. */
void resume_answer_failure(const struct web_resume *r, enum outcome e,
    const char *reason, uint64_t offset, struct response *ret);

/* The request is refused by itself.  `p`: NULL when there is no upload. */
void resume_answer_refusal(const struct web_resume *r,
    const struct resume_refusal *refusal, const struct partial *p,
    struct response *ret);

/* To HEAD and GET. */
void resume_answer_state(
    const struct web_resume *r, const struct partial *p, struct response *ret);

/* It is stored, or refused for good: the answer that is kept with it, `whole`, with what the
 * request's dialect adds. */
void resume_answer_dress(
    const struct web_resume *r, uint64_t size, struct response *whole);

/* The fields of 104: of a creation, or of a part. */
void resume_answer_interim(
    const struct web_resume *r, uint64_t offset, struct str *out);

/* ---- resume_end.c ---- */

/* The end of what resume_new() made. */
void resume_release(struct web_resume *r, const char *last_step, bool is_spent);

/* Only its upload, which others may open soon. */
void resume_end_upload(struct web_resume *r, const char *last_step);

/* End with this response, if there is still somebody to answer.  `is_spent`: a link that is
 * good once is not good any more. */
void resume_end(struct web_resume *r, const char *last_step, bool is_spent,
    struct response *response);

/* With what an outcome says (resume_answer_failure()), or a refusal; or without an
 * answer. */
void resume_end_failed(
    struct web_resume *r, enum outcome e, const char *reason, uint64_t offset);
void resume_end_refused(
    struct web_resume *r, const struct resume_refusal *refusal);
void resume_end_left(struct web_resume *r, enum outcome e);

/* Without an answer, and what came is not kept: nobody would find it. */
void resume_end_dropped(struct web_resume *r, enum outcome e);

/* The last word about it is kept, so that it can be said again. */
void resume_conclude(struct web_resume *r, enum partial_phase phase,
    const struct response *answer);

/* ---- resume_part.c ---- */

/* READY: all that this request brings was given to the upload; or, `why`, no more of it. */
void resume_part_ended(struct web_resume *r, struct failure why);

/* ---- resume_events.c ---- */

extern const struct upload_events resume_upload_events;

/* ---- resume_moves.c ---- */

/*
 * resume_is_unfinished(r, p):
 * All bytes are there, but it is not stored: a crash came before, or its last request was
 * cut, or taken over, where only the end of its body was missing.  A client that is told so
 * takes it for stored, so who looks has it stored.
 */
bool resume_is_unfinished(const struct web_resume *r, const struct partial *p);

/* ---- resume.c ---- */

/* One that is not begun; NULL: out of memory.  Ended by resume_release(). */
struct web_resume *resume_new(struct context *c, struct exchange *x,
    const struct conf_location *l, enum resume_kind kind,
    const struct resume_dialect *d);

/* NEW: r->pass waits. */
void resume_find(struct web_resume *r, const char *id);

/* ELSEWHERE: whose it is wants it from who has it.  r->pass waits. */
void resume_await(struct web_resume *r);

/* The gate has let it pass: begin, or go on, or answer.  r->exchange is taken. */
void resume_start(struct web_resume *r);

/* True when who asks, `owner`, may see an upload that is `whose`. */
bool resume_is_his(struct span whose, struct span owner);

/* ---- resume_concat.c ---- */

/* Begin an upload that is made of those at these URLs, which are in the head: look at each
 * of them, then resume_start(). */
void resume_concat_start(struct web_resume *r, struct span urls);

#endif
