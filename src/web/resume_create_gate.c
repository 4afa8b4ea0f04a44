/* What a request passes that begins an upload. */
#include <string.h>

#include "auth/mac.h"
#include "auth/signed_link.h"
#include "base/hash.h"
#include "http/answer.h"
#include "http/conditions.h"
#include "resume_pass.h"

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
		return resume_pass_refuse(p, answer_status(e), why);
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
		return resume_pass_refuse(p, status, why);
	p->resume = resume_new(p->base.context, gate->exchange,
	    p->base.location, RESUME_CREATE, p->dialect);
	if (p->resume == NULL)
		return resume_pass_fail(p, OUTCOME_NO_MEMORY);
	if (!preconditions_exist(&conditions))
		return GATE_PASS;
	p->resume->preconditions = preconditions_copy(&conditions);
	return p->resume->preconditions != NULL
		   ? GATE_PASS
		   : resume_pass_fail(p, OUTCOME_NO_MEMORY);
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
		return resume_pass_answer(p, &refusal);
	r->length = r->ask.length;
	return GATE_PASS;
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
	bool good = resume_pass_owner(x, &owner);

	record.owner = (struct span){owner.s != NULL ? owner.s : "", owner.len};
	resume_record_encode(&record, &r->kept);
	str_fini(&owner);
	if (!good || str_failed(&r->kept))
		return resume_pass_fail(p, OUTCOME_NO_MEMORY);
	if (r->kept.len > PARTIAL_RECORD_MAX)
		return resume_pass_refuse(p, 431,
		    "the fields that have to be kept with the upload "
		    "(Upload-Metadata, Upload-Concat) are over 32 KiB");
	/* From here on it is in memory of its own. */
	if (!resume_record_decode(
		(struct span){r->kept.s, r->kept.len}, &r->record))
		return resume_pass_fail(p, OUTCOME_NO_MEMORY);
	str_puts(&r->name, name);
	r->client = client_hash(x);
	return str_failed(&r->name) ? resume_pass_fail(p, OUTCOME_NO_MEMORY)
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
		return resume_pass_fail(p, OUTCOME_NO_MEMORY);
	memcpy(r->id, id.s, sizeof(r->id));
	str_fini(&id);
	resume_answer_url(r, x, r->id, &r->url);
	/* Who has come by a link comes by it again. */
	if (user != NULL && signed_link_is_user(user) && query != NULL)
		str_add(
		    &r->url, query, (size_t)(target.s + target.len - query));
	return str_failed(&r->url) ? resume_pass_fail(p, OUTCOME_NO_MEMORY)
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
    {.judge = resume_pass_judge_flow},
};

const struct gate resume_create_gate = {
    .steps = creation_steps,
    .count = COUNT_OF(creation_steps),
    .pass_size = sizeof(struct resume_pass),
    .passed = resume_pass_passed,
    .undo = resume_pass_undo,
};
