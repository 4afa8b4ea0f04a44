/*
 * What a request for an upload that can be resumed passes: one gate for those that begin
 * an upload, and one for those that have one, which is found first, since its name says
 * which rules hold.
 */
#include "web/resume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "auth/mac.h"
#include "auth/signed_link.h"
#include "auth/spent.h"
#include "base/hash.h"
#include "http/answer.h"
#include "http/conditions.h"
#include "upload/names.h"
#include "web/rights_gate.h"
#include "resume_states.h"

/* Methods by which an upload is begun: text that stays. */
static const char method_put[] = "PUT", method_post[] = "POST";

struct resume_pass {
	struct rights_pass base;
	const struct resume_dialect *dialect;
	enum resume_kind kind;
	size_t name_at; /* of a creation, in the path; 0: it has none there */
	struct web_resume *resume; /* the pass's until it has passed */
	char id[PARTIAL_ID_LEN + 1];
	char generated[NAMES_GENERATED + 1];
};

static struct resume_pass *
resume_pass_of(struct gate_pass *p)
{
	return container_of(p, struct resume_pass, base.gate);
}

/* ---- refusals ---- */

/* With what the dialect adds; `r` may be what is not begun yet. */
static enum gate_verdict
answer_failure(struct resume_pass *p, enum outcome e)
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

static enum gate_verdict
answer_refusal(struct resume_pass *p, const struct resume_refusal *refusal)
{
	struct response answer = {0};

	resume_answer_refusal(p->resume, refusal, NULL, &answer);
	exchange_respond(p->base.gate.exchange, &answer);
	return GATE_ANSWERED;
}

static enum gate_verdict
refuse_with(struct resume_pass *p, int status, const char *why)
{
	exchange_refuse(p->base.gate.exchange, status, why, OUTCOME_REFUSED);
	return GATE_ANSWERED;
}

/* ---- whose it is ---- */

/* Who was let in; of a link, also which one.  False: out of memory. */
static bool
add_owner(const struct exchange *x, struct str *out)
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

/* For the count of each client: who it is, or where. */
static uint64_t
client_hash(const struct exchange *x)
{
	const char *user = exchange_user(x);
	unsigned char network[8];
	size_t len;

	if (user != NULL)
		return hash_bytes(1, user, strlen(user));
	len = addr_network(exchange_client(x), network);
	return hash_bytes(2, network, len);
}

/* ---- steps of both ---- */

/* Count it among the uploads of its location, if bytes may come. */
static enum gate_verdict
judge_flow(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	struct web_resume *r = p->resume;

	if (!r->ask.has_body && r->ask.urls.s == NULL)
		return GATE_PASS;
	return context_count_upload(
		   p->base.context, p->base.location, &r->place)
		   ? GATE_PASS
		   : answer_failure(p, OUTCOME_TOO_MANY);
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

static void
resume_gate_undo(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	spent_mark_end(&p->base.mark, false);
	if (p->resume != NULL)
		resume_release(p->resume, "Refused", false);
}

static void
resume_gate_passed(struct gate_pass *gate)
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

/* ---- steps of a creation ---- */

/* By the URL; or as the client calls it; or one is made. */
static enum gate_verdict
judge_new_name(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct head *h = exchange_head(gate->exchange);
	bool dotfiles = p->base.location->policy.dotfiles;
	const char *why;
	enum outcome e;

	if (p->name_at != 0) {
		p->base.named = true;
		e = names_decode(h->path.s + p->name_at,
		    h->path.len - p->name_at, dotfiles, p->base.name, &why);
	} else {
		e = resume_name_said(
		    h, dotfiles, p->base.name, &p->base.named, &why);
	}
	if (e != OUTCOME_NONE)
		return refuse_with(p, answer_status(e), why);
	if (!p->base.named)
		names_generate(p->generated);
	return GATE_PASS;
}

/* Its conditions are kept as they are: each later request has them, too. */
static enum gate_verdict
judge_new_conditions(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	struct preconditions conditions;
	const char *why;
	int status =
	    conditions_write(exchange_head(gate->exchange), &conditions, &why);

	if (status != 0)
		return refuse_with(p, status, why);
	p->resume = resume_new(p->base.context, gate->exchange,
	    p->base.location, RESUME_CREATE, p->dialect);
	if (p->resume == NULL)
		return answer_failure(p, OUTCOME_NO_MEMORY);
	if (!preconditions_exist(&conditions))
		return GATE_PASS;
	p->resume->preconditions = preconditions_copy(&conditions);
	return p->resume->preconditions != NULL
		   ? GATE_PASS
		   : answer_failure(p, OUTCOME_NO_MEMORY);
}

static enum gate_verdict
judge_creation(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct head *h = exchange_head(gate->exchange);
	struct web_resume *r = p->resume;
	struct resume_refusal refusal;

	r->size_max = rights_gate_size_max(&p->base);
	if (!resume_ask_creation(h, p->dialect, &r->ask, &refusal) ||
	    !resume_ask_fits(&r->ask, 0, RESUME_UNKNOWN, r->size_max, &refusal))
		return answer_refusal(p, &refusal);
	r->length = r->ask.length;
	return GATE_PASS;
}

/* What is to be known at later requests. */
static enum gate_verdict
make_record(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	struct exchange *x = gate->exchange;
	const struct head *h = exchange_head(x);
	struct web_resume *r = p->resume;
	const char *name = p->base.named ? p->base.name : p->generated;
	struct str owner = {0};
	struct resume_record record = {
	    .dialect = p->dialect->bit,
	    .named = p->base.named,
	    .partial = r->ask.partial,
	    .method = {p->base.as_method, strlen(p->base.as_method)},
	    .name = {name, strlen(name)},
	    .metadata = h->upload_metadata,
	    .concat = resume_dialect_is_tus(p->dialect) ? h->upload_concat
							: (struct span){0},
	    .if_match = h->if_match,
	    .if_none_match = h->if_none_match,
	    .if_unmodified_since = h->if_unmodified_since,
	    .whole = r->ask.whole,
	};
	bool good = add_owner(x, &owner);

	record.owner = (struct span){owner.s != NULL ? owner.s : "", owner.len};
	resume_record_encode(&record, &r->kept);
	str_fini(&owner);
	if (!good || str_failed(&r->kept))
		return answer_failure(p, OUTCOME_NO_MEMORY);
	if (r->kept.len > PARTIAL_RECORD_MAX)
		return refuse_with(p, 431,
		    "the fields that have to be kept with the upload "
		    "(Upload-Metadata, Upload-Concat) are over 32 KiB");
	/* From here on it is in memory of its own. */
	if (!resume_record_decode(
		(struct span){r->kept.s, r->kept.len}, &r->record))
		return answer_failure(p, OUTCOME_NO_MEMORY);
	str_puts(&r->name, name);
	r->client = client_hash(x);
	return str_failed(&r->name) ? answer_failure(p, OUTCOME_NO_MEMORY)
				    : GATE_PASS;
}

static enum gate_verdict
make_url(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	struct exchange *x = gate->exchange;
	struct web_resume *r = p->resume;
	const char *user = exchange_user(x);
	struct span target = exchange_head(x)->target;
	const char *query = memchr(target.s, '?', target.len);
	unsigned char random[PARTIAL_ID_LEN / 2];
	struct str id = {0};

	mac_random(random, sizeof(random));
	mac_add_hex(&id, random, sizeof(random));
	if (str_failed(&id) || id.len != PARTIAL_ID_LEN)
		return answer_failure(p, OUTCOME_NO_MEMORY);
	memcpy(r->id, id.s, sizeof(r->id));
	str_fini(&id);
	resume_answer_url(r, x, r->id, &r->url);
	/* Who has come by a link comes by it again. */
	if (user != NULL && signed_link_is_user(user) && query != NULL)
		str_add(
		    &r->url, query, (size_t)(target.s + target.len - query));
	return str_failed(&r->url) ? answer_failure(p, OUTCOME_NO_MEMORY)
				   : GATE_PASS;
}

/* In this order: who may not send it is told so first; then what names the client's
 * mistake. */
static const struct gate_step creation_steps[] = {
    {.judge = judge_new_name},
    RIGHTS_GATE_STEP,
    RIGHTS_GATE_ONCE,
    {.judge = judge_new_conditions},
    {.judge = judge_creation},
    {.judge = make_record},
    {.judge = make_url},
    {.judge = judge_flow},
};

static const struct gate creation_gate = {
    .steps = creation_steps,
    .count = COUNT_OF(creation_steps),
    .pass_size = sizeof(struct resume_pass),
    .passed = resume_gate_passed,
    .undo = resume_gate_undo,
};

/* ---- steps of what goes on ---- */

static enum gate_verdict
judge_id(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	if (p->id[0] == '\0')
		return answer_failure(p, OUTCOME_NO_UPLOAD);
	p->resume = resume_new(p->base.context, gate->exchange,
	    p->base.location, p->kind, p->dialect);
	return p->resume != NULL ? GATE_WAIT
				 : answer_failure(p, OUTCOME_NO_MEMORY);
}

static void
find_upload(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	p->resume->pass = gate;
	resume_find(p->resume, p->id);
}

/* Its release is that of the pass. */
static void
forget_upload(struct gate_pass *gate)
{
	(void)gate;
}

/* The rules that hold are those of what it will become. */
static enum gate_verdict
take_name(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct web_resume *r = p->resume;

	if (r->state == RESUME_LOST)
		return answer_failure(p, r->why.outcome);
	if (r->name.len >= sizeof(p->base.name))
		return answer_failure(p, OUTCOME_NO_UPLOAD);
	p->base.named = r->record.named;
	if (r->record.named)
		memcpy(p->base.name, r->name.s, r->name.len + 1);
	p->base.as_method = method_put;
	if (r->record.method.len == sizeof(method_post) - 1)
		p->base.as_method = method_post;
	return GATE_PASS;
}

/* To others it is not there. */
static enum gate_verdict
judge_owner(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	struct str owner = {0};
	enum gate_verdict v = GATE_PASS;

	if (!add_owner(gate->exchange, &owner))
		v = answer_failure(p, OUTCOME_NO_MEMORY);
	else if (!resume_is_his(p->resume->record.owner,
		     (struct span){owner.s, owner.len}))
		v = answer_failure(p, OUTCOME_NO_UPLOAD);
	str_fini(&owner);
	return v;
}

/* Only for its owner is it taken from another request. */
static enum gate_verdict
judge_holder(struct gate_pass *gate)
{
	return resume_pass_of(gate)->resume->state == RESUME_ELSEWHERE
		   ? GATE_WAIT
		   : GATE_PASS;
}

static void
await_upload(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);

	p->resume->pass = gate;
	resume_await(p->resume);
}

static enum gate_verdict
judge_found(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct web_resume *r = p->resume;

	return r->state == RESUME_LOST ? answer_failure(p, r->why.outcome)
				       : GATE_PASS;
}

/* A link that is good once is asked for while the upload is not stored. */
static enum gate_verdict
judge_link(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct web_resume *r = p->resume;

	if (p->kind != RESUME_APPEND || r->state == RESUME_LOST ||
	    upload_partial(&r->upload)->phase != PARTIAL_OPEN)
		spent_mark_end(&p->base.mark, false);
	return rights_gate_judge_once(gate);
}

/* tus wants its version in every request, but for those of a draft's upload. */
static const struct resume_dialect *
dialect_of_old(const struct resume_pass *p, const struct head *h)
{
	const struct resume_dialect *d;

	if (h->tus_resumable.s != NULL || h->upload_version.s != NULL ||
	    h->upload_complete.s != NULL)
		return p->dialect;
	d = resume_dialect_by_bit(p->resume->record.dialect);
	return d != NULL && (resume_dialect_is_tus(d) == false) ? d : NULL;
}

static enum gate_verdict
judge_dialect(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct head *h = exchange_head(gate->exchange);
	const struct resume_dialect *d = dialect_of_old(p, h);
	struct response answer = {0};

	if (d == NULL && h->method == METHOD_GET)
		d = &resume_tus;
	if (d != NULL) {
		p->dialect = p->resume->dialect = d;
		return GATE_PASS;
	}
	response_problem(&answer, 412,
	    "this upload was begun with tus: say Tus-Resumable: "
	    "" RESUME_TUS_VERSION);
	str_puts(&answer.fields, "Tus-Version: " RESUME_TUS_VERSION "\r\n");
	answer.outcome = OUTCOME_RESUMABLE;
	exchange_respond(gate->exchange, &answer);
	return GATE_ANSWERED;
}

static enum gate_verdict
judge_append(struct gate_pass *gate)
{
	struct resume_pass *p = resume_pass_of(gate);
	const struct head *h = exchange_head(gate->exchange);
	struct web_resume *r = p->resume;
	const struct partial *now;
	struct resume_refusal refusal;

	r->size_max = rights_gate_size_max(&p->base);
	if (p->kind != RESUME_APPEND || r->state == RESUME_LOST)
		return GATE_PASS;
	now = upload_partial(&r->upload);
	if (now->phase != PARTIAL_OPEN &&
	    resume_ask_again(h, r->dialect, now->offset, &r->ask))
		return GATE_PASS;
	return resume_ask_append(h, r->dialect, &r->ask, &refusal)
		   ? GATE_PASS
		   : answer_refusal(p, &refusal);
}

static const struct gate_step old_steps[] = {
    {.judge = judge_id, .wait = find_upload, .forget = forget_upload},
    {.judge = take_name},
    RIGHTS_GATE_STEP,
    {.judge = judge_owner},
    {.judge = judge_holder, .wait = await_upload, .forget = forget_upload},
    {.judge = judge_found},
    {.judge = judge_link,
	.wait = rights_gate_look,
	.forget = rights_gate_forget_look},
    {.judge = judge_dialect},
    {.judge = judge_append},
    {.judge = judge_flow},
};

static const struct gate old_gate = {
    .steps = old_steps,
    .count = COUNT_OF(old_steps),
    .pass_size = sizeof(struct resume_pass),
    .passed = resume_gate_passed,
    .undo = resume_gate_undo,
};

/* ---- the beginning ---- */

static enum resume_kind
kind_of(enum head_method method)
{
	return method == METHOD_PATCH	 ? RESUME_APPEND
	       : method == METHOD_DELETE ? RESUME_REMOVE
					 : RESUME_LOOK;
}

void
resume_begin(struct context *c, struct exchange *x, const struct route *route)
{
	const struct head *h = exchange_head(x);
	struct resume_pass p;

	rights_gate_init(&p.base, c, x, route);
	p.dialect =
	    route->dialect != NULL ? route->dialect : resume_dialect_newest();
	p.resume = NULL;
	p.id[0] = '\0';
	p.name_at = 0;
	if (!store_can(context_store(c, route->location), STORE_CAN_RESUME)) {
		exchange_refuse(x, 400,
		    "the store of this location cannot keep uploads that are "
		    "to be resumed: send the whole file in one PUT",
		    OUTCOME_RESUMABLE);
		return;
	}
	if (route->kind == ROUTE_RESUME_NEW) {
		p.kind = RESUME_CREATE;
		p.base.as_method =
		    resume_dialect_is_tus(p.dialect) || h->method == METHOD_PUT
			? method_put
			: method_post;
		if (route->name.len > 0)
			p.name_at = (size_t)(route->name.s - h->path.s);
		gate_begin(&creation_gate, &p.base.gate);
		return;
	}
	p.kind = kind_of(route->method);
	if (partial_is_id(route->name.s, route->name.len)) {
		memcpy(p.id, route->name.s, route->name.len);
		p.id[route->name.len] = '\0';
	}
	gate_begin(&old_gate, &p.base.gate);
}
