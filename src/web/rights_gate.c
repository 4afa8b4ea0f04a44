#include "web/rights_gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/rights.h"
#include "auth/spent.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/method_set.h"
#include "shared/attempts.h"

static struct rights_pass *
rights_pass_of(struct gate_pass *p)
{
	return container_of(p, struct rights_pass, gate);
}

void
rights_gate_init(struct rights_pass *p, struct context *c, struct exchange *x,
    const struct route *r)
{
	p->gate.exchange = x;
	p->context = c;
	p->location = r->location;
	p->named = r->kind == ROUTE_STORE_NAMED || r->kind == ROUTE_READ_NAMED;
	p->resumes = r->kind == ROUTE_RESUME || r->kind == ROUTE_RESUME_NEW;
	p->as_method = NULL;
	p->max_size = 0;
	p->mark = NULL;
	p->name[0] = '\0';
}

/* ---- the name ---- */

/* The path of what is asked for, without escapes: valid until the next call.  NULL: out
 * of memory. */
static const struct str *
decoded_path(const struct rights_pass *p)
{
	static struct str path; /* its memory is used again */
	const char *prefix = p->location->prefix;

	str_clear(&path);
	str_puts(&path, strcmp(prefix, "/") == 0 ? "" : prefix);
	if (p->name[0] != '\0' || path.len == 0)
		str_puts(&path, "/");
	str_puts(&path, p->name);
	return str_failed(&path) ? NULL : &path;
}

/*
 * Does the path without escapes belong to the location that the request was routed to
 * with them?  Else %66ile/a of location / would be a way around the rules of location
 * /file.
 */
static bool
is_where_it_seems(const struct rights_pass *p, const struct str *path)
{
	return config_location(p->context->conf, path->s, path->len) ==
	       p->location;
}

/* ---- refusals ---- */

static enum gate_verdict
refuse_for_memory(struct rights_pass *p)
{
	exchange_fail(p->gate.exchange, OUTCOME_NO_MEMORY);
	return GATE_ANSWERED;
}

/* The client's address, without its port. */
static void
format_client(const struct rights_pass *p, char ret_text[ADDR_TEXT_MAX])
{
	const struct addr *client = exchange_client(p->gate.exchange);
	struct addr a = {0};

	/* It is allocated only as far as it is in use. */
	memcpy(&a, client, addr_size(client));
	if (a.ss.ss_family == AF_INET)
		a.ss.in.sin_port = 0;
	else if (a.ss.ss_family == AF_INET6)
		a.ss.in6.sin6_port = 0;
	addr_format(&a, ret_text);
}

static void
describe_refusal(const struct rights_pass *p, const struct rights *r,
    const struct rights_verdict *v, struct str *out)
{
	sa_family_t family = exchange_client(p->gate.exchange)->ss.ss_family;
	char from[ADDR_TEXT_MAX];

	if (v->answer == RIGHTS_ASKED) {
		rights_add_ways(r, out);
	} else if (v->answer == RIGHTS_DENIED && family != AF_UNIX &&
		   family != AF_UNSPEC) {
		format_client(p, from);
		str_printf(out,
		    "this address, %s, may not do that here (deny): ask an "
		    "operator",
		    from);
	} else {
		str_puts(out, v->why);
	}
}

/* 401 if the client could say who sends it (again), else 403. */
static enum gate_verdict
refuse_person(struct rights_pass *p, const struct rights *r,
    const struct rights_verdict *v)
{
	bool may_say = v->answer == RIGHTS_ASKED || v->answer == RIGHTS_WRONG;
	struct response answer = {0};
	struct str why = {0};
	int status = 403;

	answer.outcome = OUTCOME_DENIED;
	if (may_say && rights_add_challenges(r, v->answer, &answer.fields)) {
		status = 401;
		answer.outcome = OUTCOME_UNAUTHORIZED;
	}
	describe_refusal(p, r, v, &why);
	response_problem(&answer, status, "%s", why.s ? why.s : "");
	str_fini(&why);
	exchange_respond(p->gate.exchange, &answer);
	return GATE_ANSWERED;
}

static enum gate_verdict
refuse_later(struct rights_pass *p, int status, enum outcome e, const char *why,
    unsigned seconds)
{
	struct response answer = {0};

	response_problem(&answer, status, "%s", why);
	response_retry_after(&answer, seconds);
	answer.outcome = e;
	exchange_respond(p->gate.exchange, &answer);
	return GATE_ANSWERED;
}

/* ---- who guesses ---- */

/* The key of the client among attempts; 0: it has none, as behind a UNIX socket. */
static size_t
attempts_key(const struct rights_pass *p, unsigned char ret[8])
{
	return p->context->attempts != NULL
		   ? addr_network(exchange_client(p->gate.exchange), ret)
		   : 0;
}

/* Something is wrong, or may be: note that.  Seconds, when there were too many of that
 * before. */
static unsigned
note_attempt(struct rights_pass *p)
{
	uint64_t now = clock_mono_ns();
	unsigned char key[8];
	size_t len = attempts_key(p, key);
	unsigned wait =
	    len > 0 ? attempts_wait_s(p->context->attempts, key, len, now) : 0;

	if (len > 0 && wait == 0)
		attempts_failed(p->context->attempts, key, len, now);
	return wait;
}

/* For who reads the log, or bans such addresses: once for each time that one has to wait. */
static void
tell_of_guessing(const struct rights_pass *p)
{
	static struct log_limit limit;
	struct attempts *t = p->context->attempts;
	char from[ADDR_TEXT_MAX];
	unsigned char key[8];
	size_t len = attempts_key(p, key);

	if (attempts_are_told(t, key, len) || !log_allowed(&limit))
		return;
	attempts_tell(t, key, len);
	format_client(p, from);
	log_warn("rights: too many wrong passwords, tokens or links came from "
		 "%s: it gets 429, but for one attempt in each %u seconds",
	    from, ATTEMPTS_EVERY_MS / 1000);
}

/* A right token or link would have passed; a password was not looked at. */
static enum gate_verdict
refuse_guess(struct rights_pass *p, enum rights_answer answer, unsigned wait)
{
	char why[200];

	tell_of_guessing(p);
	snprintf(why, sizeof(why),
	    "too many wrong attempts came from this address, %s: try again in "
	    "%u %s",
	    answer == RIGHTS_UNVERIFIED
		? "so this password was not looked at, and may be right"
		: "and this one is wrong, too",
	    wait, wait == 1 ? "second" : "seconds");
	/* To clients of uploads that can be resumed 429 is the end. */
	return refuse_later(
	    p, p->resumes ? 503 : 429, OUTCOME_GUESSING, why, wait);
}

static void
forgive_attempt(struct rights_pass *p)
{
	unsigned char key[8];
	size_t len = attempts_key(p, key);

	if (len > 0)
		attempts_forgive(p->context->attempts, key, len);
}

/* ---- the step ---- */

/* Many connections that begin at once with one password are one attempt. */
static bool
rights_gate_join(struct rights_pass *p, const struct rights *r,
    const struct rights_request *q)
{
	p->rights = r;
	p->counts = false;
	p->trial = rights_is_verifying(r, q);
	return p->trial != NULL;
}

static enum gate_verdict
rights_gate_verify(struct rights_pass *p, const struct rights *r,
    const struct rights_request *q)
{
	p->counts = true;
	p->trial = rights_verify(r, q);
	if (p->trial != NULL)
		return GATE_WAIT;
	forgive_attempt(p);
	return refuse_later(p, 503, OUTCOME_UNAUTHORIZED,
	    "too many passwords are being verified: try again later", 1);
}

static enum gate_verdict
rights_gate_act(struct rights_pass *p, const struct rights *r,
    const struct rights_request *q, const struct rights_verdict *v)
{
	unsigned wait;

	if (v->answer == RIGHTS_UNVERIFIED && rights_gate_join(p, r, q))
		return GATE_WAIT;
	wait = v->answer == RIGHTS_WRONG || v->answer == RIGHTS_BAD_LINK ||
		       v->answer == RIGHTS_UNVERIFIED
		   ? note_attempt(p)
		   : 0;

	if (wait > 0)
		return refuse_guess(p, v->answer, wait);
	if (v->answer == RIGHTS_UNVERIFIED)
		return rights_gate_verify(p, r, q);
	if (v->user != NULL && !exchange_note_user(p->gate.exchange, v->user))
		return refuse_for_memory(p);
	if (v->answer != RIGHTS_GRANTED)
		return refuse_person(p, r, v);
	p->max_size = v->max_size;
	if (v->link.once[0] == '\0')
		return GATE_PASS;
	p->mark = spent_mark_new(p->context->spent, r->conf->signed_link_spent,
	    v->link.once, v->link.expires_s);
	return p->mark != NULL ? GATE_PASS : refuse_for_memory(p);
}

static void
on_verified(struct basic_wait *w, const struct htpasswd_user *user)
{
	struct rights_pass *p = container_of(w, struct rights_pass, wait);
	struct rights_verdict wrong = {
	    .answer = RIGHTS_WRONG, .why = rights_wrong_login};
	enum gate_verdict v = GATE_PASS;

	if (user == NULL)
		v = refuse_person(p, p->rights, &wrong);
	else if (p->counts)
		forgive_attempt(p);
	if (user != NULL && !exchange_note_user(p->gate.exchange, user->name))
		v = refuse_for_memory(p);
	gate_go_on(&p->gate, v);
}

void
rights_gate_wait(struct gate_pass *gate)
{
	struct rights_pass *p = rights_pass_of(gate);

	p->wait = (struct basic_wait){.on_done = on_verified};
	basic_await(p->trial, &p->wait);
}

void
rights_gate_forget(struct gate_pass *gate)
{
	basic_forget(&rights_pass_of(gate)->wait);
}

static struct span
query_of(const struct head *h)
{
	const char *mark = memchr(h->target.s, '?', h->target.len);
	size_t before = mark != NULL ? (size_t)(mark - h->target.s) + 1 : 0;

	return mark != NULL ? (struct span){mark + 1, h->target.len - before}
			    : (struct span){0};
}

/* Of the location that the request belongs to, by its path without escapes. */
static enum gate_verdict
judge_path(struct rights_pass *p, const struct str *path)
{
	const struct conf_location *l = p->location;
	struct exchange *x = p->gate.exchange;
	const struct head *h = exchange_head(x);
	struct span method = p->as_method != NULL ? (struct span){p->as_method,
							strlen(p->as_method)}
						  : h->method_text;
	struct rights_request q = {
	    .method = method_set_of_request(method.s, method.len),
	    .method_text = method,
	    .query = query_of(h),
	    .path = {path->s, path->len},
	    .authorization = h->authorization,
	    .certificate = exchange_client_name(x),
	    .client = exchange_client(x),
	    .now_s = (uint64_t)clock_wall_s(),
	};
	size_t at = config_ruled_index(p->context->conf, l);
	const struct rights *r =
	    rights_for(&p->context->rights[at], l, q.method);
	struct rights_verdict v;

	rights_judge(r, &q, &v);
	return rights_gate_act(p, r, &q, &v);
}

enum gate_verdict
rights_gate_judge(struct gate_pass *gate)
{
	struct rights_pass *p = rights_pass_of(gate);
	const struct str *path;

	if (p->context->rights == NULL)
		return GATE_PASS;
	path = decoded_path(p);
	if (path == NULL)
		return refuse_for_memory(p);
	if (is_where_it_seems(p, path))
		return judge_path(p, path);
	exchange_refuse(gate->exchange, 400,
	    "this path leads to another location when its %-escapes are "
	    "decoded: write letters and digits as they are",
	    OUTCOME_REFUSED);
	return GATE_ANSWERED;
}

/* ---- links that are good once ---- */

void
rights_gate_refuse_once(struct exchange *x, int err)
{
	if (err == -EEXIST)
		exchange_refuse(x, 403,
		    "the link was good for one upload, which is stored, or "
		    "about to be: ask for another one",
		    OUTCOME_DENIED);
	else
		exchange_refuse(x, 500,
		    "it cannot be found out whether the link was used before "
		    "(signed_link_spent), nothing was stored: an operator must "
		    "look at the error log",
		    OUTCOME_NO_PERMISSION);
}

enum gate_verdict
rights_gate_judge_once(struct gate_pass *gate)
{
	return rights_pass_of(gate)->mark != NULL ? GATE_WAIT : GATE_PASS;
}

static void
on_looked(void *owner, int err)
{
	struct rights_pass *p = owner;

	if (err != 0)
		rights_gate_refuse_once(p->gate.exchange, err);
	gate_go_on(&p->gate, err != 0 ? GATE_ANSWERED : GATE_PASS);
}

void
rights_gate_look(struct gate_pass *gate)
{
	struct rights_pass *p = rights_pass_of(gate);

	spent_look(p->mark, p, on_looked);
}

void
rights_gate_forget_look(struct gate_pass *gate)
{
	spent_mark_end(&rights_pass_of(gate)->mark, false);
}

uint64_t
rights_gate_size_max(const struct rights_pass *p)
{
	uint64_t here = p->location->max_body_size;

	return here == 0 || (p->max_size != 0 && p->max_size < here)
		   ? p->max_size
		   : here;
}

/* A response that waits for the mark to be removed. */
struct given_back {
	struct exchange *exchange;
	struct spent_mark *mark;
	struct response response;
};

static void
on_given_back(void *owner, int err)
{
	struct given_back g = *(struct given_back *)owner;

	(void)err; /* it was logged: the link then is spent for nothing */
	free(owner);
	spent_mark_end(&g.mark, false);
	exchange_respond(g.exchange, &g.response);
}

static enum outcome
given_back_on_gone(void *owner)
{
	struct given_back *g = owner;
	enum outcome e = g->response.outcome;

	spent_mark_end(&g->mark, false);
	response_fini(&g->response);
	free(g);
	return e;
}

static const struct exchange_ops given_back_ops = {
    .on_gone = given_back_on_gone,
};

void
rights_gate_give_back(
    struct exchange *x, struct spent_mark *mark, struct response *r)
{
	struct given_back *g = NULL;

	if (mark != NULL && spent_is_claimed(mark))
		g = malloc(sizeof(*g));
	if (g == NULL) {
		spent_mark_end(&mark, false);
		exchange_respond(x, r);
		return;
	}
	*g = (struct given_back){x, mark, *r};
	exchange_take(x, &given_back_ops, g);
	spent_unclaim(mark, g, on_given_back);
}
