#include "resume_pass.h"

#include <string.h>

#include "auth/mac.h"
#include "auth/signed_link.h"
#include "auth/spent.h"

/* ---- refusals ---- */

enum gate_verdict
resume_pass_fail(struct resume_pass *p, enum outcome e)
{
	struct web_resume said = {
	    .kind = p->kind,
	    .context = p->base.context,
	    .exchange = p->base.gate.exchange,
	    .location = p->base.location,
	    .dialect = p->dialect,
	    .size_max = p->resume != NULL ? p->resume->size_max : 0,
	};
	struct response answer = {0};

	resume_answer_failure(&said, e, NULL, RESUME_UNKNOWN, &answer);
	exchange_respond(p->base.gate.exchange, &answer);
	return GATE_ANSWERED;
}

enum gate_verdict
resume_pass_answer(struct resume_pass *p, const struct resume_refusal *refusal)
{
	struct response answer = {0};

	resume_answer_refusal(p->resume, refusal, NULL, &answer);
	exchange_respond(p->base.gate.exchange, &answer);
	return GATE_ANSWERED;
}

enum gate_verdict
resume_pass_refuse(struct resume_pass *p, int status, const char *why)
{
	exchange_refuse(p->base.gate.exchange, status, why, OUTCOME_REFUSED);
	return GATE_ANSWERED;
}

/* ---- whose it is ---- */

bool
resume_pass_owner(const struct exchange *x, struct str *out)
{
	const char *user = exchange_user(x);
	struct span target = exchange_head(x)->target;
	const char *query;
	unsigned char hash[MAC_BYTES];

	str_puts(out, user != NULL ? user : "");
	if (user == NULL || !signed_link_is_user(user))
		return !str_failed(out);
	query = memchr(target.s, '?', target.len);
	if (query == NULL ||
	    !mac_sha256(query, (size_t)(target.s + target.len - query), hash))
		return false;
	str_puts(out, " ");
	mac_add_hex(out, hash, sizeof(hash));
	return !str_failed(out);
}

/* ---- of both gates ---- */

enum gate_verdict
resume_pass_judge_flow(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	struct web_resume *r = p->resume;

	if (!r->ask.has_body && r->ask.urls.s == NULL)
		return GATE_PASS;
	return context_count_upload(
		   p->base.context, p->base.location, &r->place)
		   ? GATE_PASS
		   : resume_pass_fail(p, OUTCOME_TOO_MANY);
}

/* May its client be told early, with 104? */
static bool
may_interim(const struct resume_pass *p)
{
	const struct exchange *x = p->base.gate.exchange;
	const struct head *h = exchange_head(x);
	enum conf_interim set = p->base.location->resume_interim;

	if (resume_dialect_is_tus(p->dialect) || h->upload_version.s == NULL)
		return false;
	return set == INTERIM_ON ||
	       (set == INTERIM_AUTO && !h->forwarded &&
		   !exchange_is_proxied(x) && !exchange_is_unix(x));
}

void
resume_pass_undo(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	spent_mark_end(&p->base.mark, false);
	if (p->resume != NULL)
		resume_release(p->resume, "Refused", false);
}

void
resume_pass_passed(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	struct web_resume *r = p->resume;

	r->mark = p->base.mark;
	r->interim = may_interim(p);
	if (r->ask.urls.s != NULL)
		resume_concat_start(r, r->ask.urls);
	else
		resume_start(r);
}
