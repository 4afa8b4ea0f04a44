/*
 * web/rights_gate.h - may this client send this request?  A step of the gates of put and
 * get.
 *
 *	name -> rights -> ... body
 *
 * It comes before anything is stored, and before the body is asked for.  What decides
 * (auth/rights.h) are the rules of the location, the client's address, what the request
 * says of who sends it, and the name as it is after decoding: one file has one name,
 * however the request spells it.
 */
#ifndef WEB_RIGHTS_GATE_H
#define WEB_RIGHTS_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/basic.h"
#include "base/name_limits.h"
#include "web/context.h"
#include "web/gate.h"
#include "web/router.h"

/* What the passes of both gates begin with. */
struct rights_pass {
	struct gate_pass gate;
	struct context *context;
	const struct conf_location *location;
	bool named;   /* by the client */
	bool resumes; /* it is for an upload that can be resumed */
	/* Judge it as if it had this method, a static text; NULL: its own. */
	const char *as_method;
	uint64_t max_size; /* of an upload, by who sends it; 0: any.  Set by the
			      step */
	/* Of a link that is good once: not made yet, and the pass's; NULL: it is
	 * none. */
	struct spent_mark *mark;
	/* While a password is being verified: */
	const struct rights *rights;
	struct basic_trial *trial;
	bool counts; /* as an attempt: it is the first with this password */
	struct basic_wait wait;
	/* What the request's path names below the location, decoded; "": the
	 * location itself.  Set by a step before this one. */
	char name[FILE_NAME_SIZE];
};

/* Set all but the name. */
void rights_gate_init(struct rights_pass *p, struct context *c,
    struct exchange *x, const struct route *r);

/* After the step: how large an upload may be: of what the location allows, and who sends it
 * may, the less; 0: any. */
uint64_t rights_gate_size_max(const struct rights_pass *p);

/* The step: the functions of a struct gate_step. */
enum gate_verdict rights_gate_judge(struct gate_pass *p);
void rights_gate_wait(struct gate_pass *p);
void rights_gate_forget(struct gate_pass *p);

/* A further step, for uploads: is a link that is good once spent already? */
enum gate_verdict rights_gate_judge_once(struct gate_pass *p);
void rights_gate_look(struct gate_pass *p);
void rights_gate_forget_look(struct gate_pass *p);

/* What a client is told whose link is spent, or whose mark cannot be made: sent as the
 * response. */
void rights_gate_refuse_once(struct exchange *x, int err);

/*
 * rights_gate_give_back(x, mark, r):
 * An upload was not stored: make its link good again, and respond then, or the client could
 * try again before that is done.  `mark`, which may be NULL, is no more the caller's; nor is
 * `r`.
 */
void rights_gate_give_back(
    struct exchange *x, struct spent_mark *mark, struct response *r);

#define RIGHTS_GATE_STEP                                                       \
	{                                                                      \
		.judge = rights_gate_judge, .wait = rights_gate_wait,          \
		.forget = rights_gate_forget                                   \
	}
#define RIGHTS_GATE_ONCE                                                       \
	{                                                                      \
		.judge = rights_gate_judge_once, .wait = rights_gate_look,     \
		.forget = rights_gate_forget_look                              \
	}

#endif
