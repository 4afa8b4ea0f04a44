/*
 * What clients of uploads that can be resumed are told, in the words that each of them
 * speaks.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/num.h"
#include "http/answer.h"
#include "upload/names.h"
#include "web/limit_text.h"
#include "web/receipt.h"
#include "resume_internal.h"

/* ---- URLs ---- */

/* Its scheme and its host as the client has them, if resume_url says so. */
static void
add_base(const struct web_resume *r, const struct exchange *x, struct str *out)
{
	const struct head *h = exchange_head(x);
	bool told = exchange_is_proxied(x), tls = exchange_is_tls(x);
	struct span host = h->host, rest, member;

	if (strcmp(r->location->resume_url, "relative") == 0)
		return;
	if (strcmp(r->location->resume_url, "absolute") != 0) {
		str_puts(out, r->location->resume_url);
		return;
	}
	if (told && h->forwarded_proto.s != NULL)
		tls = str_ieq(
		    h->forwarded_proto.s, h->forwarded_proto.len, "https");
	if (told && h->forwarded_host.count > 0) {
		rest = h->forwarded_host.line[h->forwarded_host.count - 1];
		while (syntax_next_member(&rest, &member))
			if (syntax_is_authority(member))
				host = member;
	}
	if (host.s == NULL || host.len == 0)
		return; /* HTTP/1.0: a path will do */
	str_puts(out, tls ? "https://" : "http://");
	str_add(out, host.s, host.len);
}

void
resume_answer_url(const struct web_resume *r, const struct exchange *x,
    const char *id, struct str *out)
{
	char name[sizeof(FILE_NAME_RESERVED) + 1 + PARTIAL_ID_LEN];

	add_base(r, x, out);
	snprintf(name, sizeof(name), FILE_NAME_RESERVED "/%s", id);
	names_add_path(r->location->prefix, name, out);
}

/* ---- fields ---- */

static void
add_number(struct str *out, const char *name, uint64_t n)
{
	str_puts(out, name);
	str_puts(out, ": ");
	str_add_u64(out, n);
	str_puts(out, "\r\n");
}

static void
add_text(struct str *out, const char *name, struct span text)
{
	if (text.s == NULL)
		return;
	str_puts(out, name);
	str_puts(out, ": ");
	str_add(out, text.s, text.len);
	str_puts(out, "\r\n");
}

static void
add_complete(const struct web_resume *r, bool is, struct str *out)
{
	const struct resume_dialect *d = r->dialect;

	if (resume_dialect_is_tus(d))
		return;
	str_puts(
	    out, d->incomplete ? "Upload-Incomplete: ?" : "Upload-Complete: ?");
	str_puts(out, is != d->incomplete ? "1\r\n" : "0\r\n");
}

static void
add_location(struct str *out, const struct str *url)
{
	add_text(out, "Location", (struct span){url->s, url->len});
}

/* When it goes if nobody goes on with it: tus as a date, the drafts as seconds. */
static void
add_age(const struct web_resume *r, uint64_t changed_s, struct str *out)
{
	uint64_t now = (uint64_t)clock_wall_s();
	uint64_t life = (uint64_t)r->location->policy.resume_expire_s;
	uint64_t end = changed_s + life;
	char date[CLOCK_STAMP_MAX];

	if (resume_dialect_is_tus(r->dialect)) {
		clock_stamp_http((time_t)end, date);
		str_printf(out, "Upload-Expires: %s\r\n", date);
	} else if (r->dialect->limits) {
		str_puts(out, "Upload-Limit: ");
		if (r->size_max > 0)
			str_printf(out, "max-size=%" PRIu64 ", ", r->size_max);
		str_printf(
		    out, "max-age=%" PRIu64 "\r\n", end > now ? end - now : 0);
	}
}

/* Since when it waits: a part that brought nothing new has not made it younger. */
static uint64_t
last_change(const struct web_resume *r)
{
	const struct partial *p = r->begun ? upload_partial(&r->upload) : NULL;

	return p != NULL ? p->changed_s : (uint64_t)clock_wall_s();
}

void
resume_answer_interim(
    const struct web_resume *r, uint64_t offset, struct str *out)
{
	str_printf(
	    out, "Upload-Draft-Interop-Version: %s\r\n", r->dialect->version);
	if (r->kind == RESUME_CREATE) {
		add_location(out, &r->url);
		add_age(r, last_change(r), out);
	} else {
		add_number(out, "Upload-Offset", offset);
	}
}

/* ---- what goes well ---- */

static void
add_no_store(struct str *out)
{
	str_puts(out, "Cache-Control: no-store\r\n");
}

void
resume_answer_progress(
    const struct web_resume *r, uint64_t offset, struct response *ret)
{
	ret->status = r->kind == RESUME_CREATE ? 201 : 204;
	ret->outcome = OUTCOME_PART;
	if (r->kind == RESUME_CREATE)
		add_location(&ret->fields, &r->url);
	add_number(&ret->fields, "Upload-Offset", offset);
	add_complete(r, false, &ret->fields);
	add_age(r, last_change(r), &ret->fields);
	add_no_store(&ret->fields);
}

void
resume_answer_dress(
    const struct web_resume *r, uint64_t size, struct response *whole)
{
	bool good = whole->status < 300;
	struct str file = {0};

	names_add_path(r->location->prefix, resume_name(r), &file);
	if (good && resume_dialect_is_tus(r->dialect))
		whole->status = r->kind == RESUME_CREATE ? 201 : 204;
	if (whole->status == 204) {
		whole->content_type = NULL;
		str_clear(&whole->content);
	}
	if (r->kind == RESUME_CREATE &&
	    (resume_dialect_is_tus(r->dialect) || !r->ask.complete))
		add_location(&whole->fields, &r->url);
	else if (good && !resume_dialect_is_tus(r->dialect))
		add_location(&whole->fields, &file);
	if (good)
		add_number(&whole->fields, "Upload-Offset", size);
	if (good || r->kind != RESUME_CREATE) /* a failure has it already */
		add_complete(r, true, &whole->fields);
	str_fini(&file);
}

/* ---- what does not ---- */

void
resume_answer_where(const struct web_resume *r, struct response *ret)
{
	if (r->kind == RESUME_CREATE)
		add_location(&ret->fields, &r->url);
}

int
resume_answer_status(const struct web_resume *r, enum outcome e)
{
	int status = answer_status(e);

	if (e == OUTCOME_DIGEST_DIFFERS)
		return resume_dialect_is_tus(r->dialect) ? 460 : 400;
	switch (status) {
	case 409:
		return r->dialect->conflict;
	case 408:
	case 429:
		return 503; /* it may go on */
	case 501:
		return 400; /* some repeat the other one 50 times */
	default:
		return status;
	}
}

/* A part that has ended too early: what there is of the upload stays. */
static void
say_kept(int status, enum outcome e, const char *reason, uint64_t offset,
    struct response *ret)
{
	if (reason != NULL)
		response_problem(ret, status,
		    "%s; %" PRIu64 " bytes of the upload are kept: go on from "
		    "there",
		    reason, offset);
	else
		response_problem(ret, status,
		    "this part ended before its end (%s); %" PRIu64 " bytes of "
		    "the upload are kept: go on from there",
		    outcome_word(e), offset);
}

void
resume_answer_failure(const struct web_resume *r, enum outcome e,
    const char *reason, uint64_t offset, struct response *ret)
{
	const struct conf_location *l = r->location;
	int status = resume_answer_status(r, e);
	char limit[LIMIT_TEXT_MAX];

	if (reason == NULL && e == OUTCOME_BAD_FRAMING && r->exchange != NULL)
		reason = exchange_body_problem(r->exchange);
	if (reason == NULL && r->exchange != NULL)
		reason = limit_text_of_user(
		    e, l, r->size_max, exchange_user(r->exchange), limit);
	if (offset != RESUME_UNKNOWN)
		say_kept(status, e, reason, offset, ret);
	else if (reason != NULL)
		response_problem(ret, status, "%s", reason);
	else
		answer_problem_as(status, e,
		    &(struct answer_context){
			.prefix = l->prefix,
			.limit = limit_text(e, r->context->conf, l, limit),
			.name = resume_name(r),
		    },
		    ret);
	if (status == 503 && answer_status(e) != 503)
		response_retry_after(ret, 1);
	if (status == 413)
		add_age(r, last_change(r), &ret->fields);
	if (offset != RESUME_UNKNOWN) {
		resume_answer_where(r, ret);
		add_number(&ret->fields, "Upload-Offset", offset);
		add_complete(r, false, &ret->fields);
	} else if (r->kind == RESUME_CREATE) {
		/* There is nothing that could go on. */
		add_complete(r, true, &ret->fields);
	}
	ret->outcome = e;
}

static void
describe_refusal(const struct web_resume *r,
    const struct resume_refusal *refusal, const struct partial *p,
    struct response *ret)
{
	char members[96] = "";

	if (refusal->type == NULL && refusal->status == 409 && p != NULL) {
		response_problem(ret, refusal->status,
		    "%s (there are %" PRIu64 ")", refusal->why, p->offset);
		return;
	}
	if (refusal->type == NULL) {
		response_problem(ret, refusal->status, "%s", refusal->why);
		return;
	}
	if (refusal->status == 409 && p != NULL)
		snprintf(members, sizeof(members),
		    "\"expected-offset\":%" PRIu64
		    ",\"provided-offset\":%" PRIu64 ",",
		    p->offset, r->ask.offset);
	response_problem_of(
	    ret, refusal->status, refusal->type, members, refusal->why);
}

void
resume_answer_refusal(const struct web_resume *r,
    const struct resume_refusal *refusal, const struct partial *p,
    struct response *ret)
{
	if (refusal->why == NULL) {
		resume_answer_failure(
		    r, refusal->outcome, NULL, RESUME_UNKNOWN, ret);
	} else {
		describe_refusal(r, refusal, p, ret);
		ret->outcome = refusal->outcome;
	}
	if (p != NULL && refusal->status == 409)
		add_number(&ret->fields, "Upload-Offset", p->offset);
	/* ?1 would say that this is the last word about the file. */
	if (p != NULL && !refusal->is_last)
		add_complete(r, false, &ret->fields);
	else if (refusal->type != NULL)
		add_complete(r, refusal->is_last, &ret->fields);
}

/* ---- what there is ---- */

/* For GET, whose content is for people. */
static void
describe_state(const struct partial *p, struct response *ret)
{
	static const char *const phases[] = {
	    [PARTIAL_OPEN] = "open",
	    [PARTIAL_STORED] = "stored",
	    [PARTIAL_REFUSED] = "refused",
	    [PARTIAL_EXPIRED] = "expired",
	};
	struct response kept = {0};

	ret->status = 200;
	ret->content_type = "application/json";
	if (p->phase == PARTIAL_STORED &&
	    resume_answer_decode(p->answer, &kept) && kept.content.len > 0) {
		str_add(&ret->content, kept.content.s, kept.content.len);
	} else {
		str_printf(&ret->content,
		    "{\"upload\":\"%s\",\"phase\":\"%s\",\"offset\":%" PRIu64,
		    p->id, phases[p->phase], p->offset);
		if (p->length != RESUME_UNKNOWN)
			str_printf(
			    &ret->content, ",\"length\":%" PRIu64, p->length);
		str_puts(&ret->content, "}\n");
	}
	response_fini(&kept);
}

static void
add_state(const struct web_resume *r, const struct partial *p, struct str *out)
{
	bool stored = p->phase == PARTIAL_STORED;
	uint64_t length = stored ? p->offset : p->length;
	bool tus = resume_dialect_is_tus(r->dialect);

	/* One that is made of others has an offset when it is done. */
	if (stored || r->record.partial || r->record.concat.s == NULL)
		add_number(out, "Upload-Offset", p->offset);
	if (length != RESUME_UNKNOWN)
		add_number(out, "Upload-Length", length);
	else if (tus)
		str_puts(out, "Upload-Defer-Length: 1\r\n");
	if (tus) {
		add_text(out, "Upload-Metadata", r->record.metadata);
		add_text(out, "Upload-Concat", r->record.concat);
	}
	add_complete(
	    r, stored || (r->record.partial && p->offset == p->length), out);
	if (!stored)
		add_age(r, p->changed_s, out);
}

void
resume_answer_state(
    const struct web_resume *r, const struct partial *p, struct response *ret)
{
	bool get = exchange_head(r->exchange)->method == METHOD_GET;

	if (p->phase == PARTIAL_REFUSED || p->phase == PARTIAL_EXPIRED) {
		resume_answer_failure(r, OUTCOME_EXPIRED,
		    p->phase == PARTIAL_REFUSED
			? "this upload was refused, and "
			  "what there was of it is gone: "
			  "begin a new one"
			: NULL,
		    RESUME_UNKNOWN, ret);
		if (p->phase == PARTIAL_REFUSED)
			add_complete(r, true, &ret->fields);
		add_no_store(&ret->fields);
		return;
	}
	if (get)
		describe_state(p, ret);
	else
		ret->status = resume_dialect_is_tus(r->dialect) ? 200 : 204;
	ret->outcome = OUTCOME_SENT;
	add_state(r, p, &ret->fields);
	add_no_store(&ret->fields);
}
