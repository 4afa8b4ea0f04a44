/*
 * The pass of a request for an upload that can be resumed (web/gate.h), and what both of its
 * gates do: resume_create_gate for those that begin an upload, resume_url_gate for those to
 * the URL of one.
 */
#ifndef WEB_RESUME_PASS_H
#define WEB_RESUME_PASS_H

#include "web/rights_gate.h"
#include "upload/names.h"
#include "resume_internal.h"

struct resume_pass {
	struct rights_pass base;
	const struct resume_dialect *dialect;
	enum resume_kind kind;
	size_t name_at; /* of a creation, in the path; 0: it has none there */
	struct web_resume *resume; /* the pass's until it has passed */
	char id[PARTIAL_ID_LEN + 1];
	char generated[NAMES_GENERATED + 1];
};

static inline struct resume_pass *
resume_pass_of(struct gate_pass *p)
{
	return container_of(p, struct resume_pass, base.gate);
}

/* ---- refusals: each of them answers ---- */

/* With what the dialect adds; the request may be one that is not begun yet. */
enum gate_verdict resume_pass_fail(struct resume_pass *p, enum outcome e);
enum gate_verdict resume_pass_answer(
    struct resume_pass *p, const struct resume_refusal *refusal);
enum gate_verdict resume_pass_refuse(
    struct resume_pass *p, int status, const char *why);

/* Who was let in; of a link, also which one.  False: out of memory. */
bool resume_pass_owner(const struct exchange *x, struct str *out);

/* ---- of both gates ---- */

/* A step: count it among the uploads of its location, if bytes may come. */
enum gate_verdict resume_pass_judge_flow(struct gate_pass *gate);

void resume_pass_undo(struct gate_pass *gate);
void resume_pass_passed(struct gate_pass *gate);

/* ---- the gates: resume_create_gate.c, resume_url_gate.c ---- */

extern const struct gate resume_create_gate, resume_url_gate;

#endif
