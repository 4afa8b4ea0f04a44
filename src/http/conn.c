#include "http/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "disk/chunk.h"
#include "http/access.h"
#include "conn_internal.h"
#include "stat/shm.h"

#define CONN_MAGIC 0x636f6e6eU
#define STALLED_S 5.0 /* send_timeout while others wait for memory */
#define ROOM_S 0.030  /* before that, for somebody to leave */
#define SLACK_S 0.001

static const char *const state_name[STATE_COUNT] = {
    [HEADING] = "heading",
    [WORKING] = "working",
    [STREAMING] = "streaming",
    [ANSWERING] = "answering",
    [LINGERING] = "lingering",
    [OVER] = "over",
};

static const char *const event_name[EVENT_COUNT] = {
    [ASKED] = "asked",
    [REFUSED] = "refused",
    [ANSWERED] = "answered",
    [STREAMS] = "streams",
    [KEEP] = "keep",
    [LINGER] = "linger",
    [LEFT] = "left",
    [EXPIRED] = "expired",
};

enum {
	LOOKS = 5, /* at the progress of an answer, within its limit */
};

static void
set_patience_ms(struct conn *c, uint64_t ms)
{
	deadline_set(&c->patience, (double)ms / 1e3);
}

void
conn_log(struct conn *c, const char *note)
{
	access_add(c->group->access,
	    &(struct access){
		.peer = &c->peer,
		.id = c->id,
		.line = c->line.s,
		.status = c->status,
		.in = c->body.payload,
		.out = c->sent + c->sender.streamed,
		.ms_10 = (clock_mono_ns() - c->began_ns) / (NS_PER_MS / 10),
		.note = note,
	    });
}

/* ---- answers ---- */

/* Which way an answered request leaves its connection.  Never by closing at
 * once: with bytes unread that is a reset, which can take the answer along. */
static enum event
after_answer(const struct conn *c)
{
	return c->keep && c->body.source.ended ? KEEP : LINGER;
}

/* The sender is done with an answer. */
static void
on_sent(void *owner, int err)
{
	struct conn *c = owner;

	check_magic(c, CONN_MAGIC);
	conn_on(c, err == 0 ? after_answer(c) : LEFT);
}

/* Compose `r`. */
static void
format(struct conn *c, const struct response *r)
{
	struct str *out = sender_compose();

	c->status = r->status;
	c->sender.streamed = 0;
	c->sent = c->head_only || r->streamed ? 0 : r->content.len;
	c->keep = c->keep && !r->close && !c->group->stopping &&
		  c->body.source.ended &&
		  c->group->conf->keepalive_timeout_ms > 0 &&
		  c->requests < c->group->conf->keepalive_requests;
	response_format(r,
	    &(struct response_form){
		.keep_alive = c->keep,
		.head_only = c->head_only,
		.tokens = c->group->conf->server_tokens,
	    },
	    out);
	if (str_failed(out))
		c->keep = false; /* what there is of it goes out */
}

/* ---- reading heads ---- */

/* Nobody knows where the next head would begin. */
void
conn_refuse(struct conn *c, int status, const char *why)
{
	struct response r = {.close = true};

	if (c->began_ns == 0)
		c->began_ns = clock_mono_ns();
	response_problem(&r, status, "%s", why);
	format(c, &r);
	response_fini(&r);
	c->body.source.ended = false; /* whatever follows: linger */
	conn_log(c, "refused");
	conn_on(c, REFUSED);
}

/* Set up the body, of which `pre` came along.  What is not its own of that
 * is the next request's and is kept. */
static int
begin_body(struct conn *c, const struct head *h, const char *pre, size_t len)
{
	size_t taken = 0;
	int err = 0;

	if (h->chunked)
		err = body_init_chunked(&c->body, &c->transport, pre, len);
	else
		err = body_init_length(&c->body, &c->transport,
		    h->has_length ? h->content_length : 0, pre, len);
	if (err < 0)
		return err;
	taken = c->body.pre_taken;
	if (!h->chunked && (!h->has_length || h->content_length == 0))
		c->body.source.ended = true;
	c->waits_for_100 =
	    h->expect_continue && taken == 0 && !c->body.source.ended;
	return intake_hold(&c->intake, pre + taken, len - taken);
}

static void
turn_away(struct conn *c)
{
	char why[128];

	snprintf(why, sizeof(why),
	    "there are max_connections_per_ip %" PRIu64
	    " connections from this address already: close some, or try "
	    "again later",
	    c->group->conf->max_connections_per_ip);
	conn_refuse(c, 503, why);
}

static void
refuse_late(struct conn *c)
{
	char limit[NUM_TEXT_MAX], why[128];

	num_format_time(c->group->conf->header_timeout_ms, limit);
	snprintf(why, sizeof(why),
	    "the head of the request did not arrive within header_timeout %s: "
	    "send it in one piece",
	    limit);
	c->head_only = intake_is_head(&c->intake);
	conn_refuse(c, 408, why);
}

/* A whole head is there: hand the request to the handler. */
static void
ask(struct conn *c, const struct intake_head *got)
{
	struct conn_group *g = c->group;
	struct head h = {0};
	const char *why;
	int status;

	c->requests++;
	c->id = ++*g->ids;
	if (c->began_ns == 0)
		c->began_ns = clock_mono_ns();
	status = head_parse(got->buf, got->head_len, &h, &why);
	if (g->access != NULL)
		access_describe(&h, &c->line);
	if (c->turned_away && !conn_group_readmit(c)) {
		turn_away(c);
		return;
	}
	if (status != 0) {
		conn_refuse(c, status, why);
		return;
	}
	c->keep = h.keep_alive;
	if (begin_body(c, &h, got->buf + got->head_len,
		got->len - got->head_len) < 0) {
		conn_on(c, LEFT);
		return;
	}
	conn_on(c, ASKED);
	g->handler->on_request(g->handler, c, &h, &c->request);
}

/* HEADING: bytes may have come to `from`, or (NULL) those that are held are to
 * be looked at. */
static void
read_head(struct conn *c, struct transport *from)
{
	const struct conf_server *conf = c->group->conf;
	const struct head_limits limits = {
	    .line = (uint32_t)conf->max_request_line,
	    .size = (uint32_t)conf->max_header_size,
	    .fields = (uint32_t)conf->max_header_fields,
	};
	struct intake_head got;

	switch (intake_read(&c->intake, &limits, from, &got)) {
	case INTAKE_NOTHING:
		return;
	case INTAKE_PART:
		ev_io_start(c->group->loop, &c->readable);
		if (c->began_ns != 0 || !intake_has_begun(&c->intake))
			return;
		c->began_ns = clock_mono_ns();
		if (!c->turned_away)
			set_patience_ms(c, conf->header_timeout_ms);
		return;
	case INTAKE_HEAD:
		c->head_only = got.is_head;
		ask(c, &got); /* may end `c`, but not what was got */
		intake_release(&got);
		return;
	case INTAKE_REFUSED:
		c->head_only = got.is_head;
		conn_refuse(c, got.status, got.why);
		return;
	case INTAKE_FAILED:
		conn_on(c, LEFT);
		return;
	}
}

/* LINGERING: wait for more to throw away, but not for ever. */
static void
await_end(struct conn *c)
{
	double silence = (double)c->group->conf->lingering_timeout_ms / 1e3;
	double left = c->linger_end - clock_mono_s();

	if (left <= 0)
		conn_on(c, EXPIRED);
	else
		deadline_set(&c->patience, left < silence ? left : silence);
}

static void
discard(struct conn *c)
{
	static char sink[64 * 1024];
	ssize_t n = transport_recv(&c->transport, sink, sizeof(sink));

	if (n == -EAGAIN)
		return;
	if (n <= 0)
		conn_on(c, LEFT);
	else
		await_end(c);
}

void
conn_take_turn(struct conn *c)
{
	check_magic(c, CONN_MAGIC);
	check(c->state == HEADING);
	read_head(c, NULL);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	(void)revents;
	check_magic(c, CONN_MAGIC);
	if (c->state == HEADING)
		read_head(c, &c->transport);
	else if (c->state == LINGERING)
		discard(c);
}

/* How long the client may take nothing of what it is sent.  While content is
 * streamed it holds chunks, which others may need. */
static double
send_limit(const struct conn *c)
{
	double limit = (double)c->group->conf->send_timeout_ms / 1e3;

	if (c->state == STREAMING && limit > STALLED_S &&
	    chunk_pool_is_short(c->group->pool))
		return STALLED_S;
	return limit;
}

/* Look again when it would be late, and some times before: what the client
 * takes from the kernel shows only from look to look. */
static void
await_progress(struct conn *c, double stalled)
{
	double limit = send_limit(c), left = limit - stalled;

	deadline_set(&c->patience, left < limit / LOOKS ? left : limit / LOOKS);
}

/* ANSWERING and STREAMING: does the client take what it is sent? */
static void
look_at_progress(struct conn *c)
{
	double stalled;

	sender_look(&c->sender);
	stalled = clock_mono_s() - c->sender.progress;
	if (c->state == STREAMING && c->sender.sending == NULL)
		await_progress(c, 0); /* it waits for the disk */
	else if (stalled + SLACK_S < send_limit(c))
		await_progress(c, stalled);
	else if (c->state == STREAMING)
		sender_cut(&c->sender, -ETIMEDOUT);
	else
		conn_on(c, EXPIRED);
}

/* HEADING: too late, it seems; but bytes may be there that nobody has seen,
 * for this process was stopped or busy.  They are read first, once. */
static bool
has_more(struct conn *c)
{
	if (c->looked || !transport_has_bytes(&c->transport))
		return false;
	c->looked = true;
	deadline_set(&c->patience, 0);
	return true;
}

/* The client had its time. */
static void
on_due(struct deadline *d)
{
	struct conn *c = container_of(d, struct conn, patience);

	check_magic(c, CONN_MAGIC);
	if (c->state == STREAMING || c->state == ANSWERING)
		look_at_progress(c);
	else if (c->state != HEADING)
		conn_on(c, EXPIRED);
	else if (c->turned_away && !ev_is_active(&c->readable))
		conn_group_look_for_room(c);
	else if (c->turned_away)
		turn_away(c);
	else if (has_more(c))
		return;
	else if (intake_has_begun(&c->intake))
		refuse_late(c);
	else
		conn_on(c, EXPIRED);
}

/* ---- the states ---- */

/* Nothing of the request before is left. */
static void
forget_request(struct conn *c)
{
	body_fini(&c->body);
	c->body = (struct body){0};
	str_fini(&c->line);
	c->id = c->began_ns = c->sent = c->sender.streamed = 0;
	c->status = 0;
	c->keep = c->head_only = c->waits_for_100 = c->looked = false;
}

/* HEADING: for the next head. */
static void
await_head(struct conn *c)
{
	const struct conf_server *conf = c->group->conf;
	const unsigned char *more;
	size_t len;

	body_leftover(&c->body, &more, &len);
	if (intake_hold(&c->intake, more, len) < 0) {
		conn_on(c, LEFT);
		return;
	}
	forget_request(c);
	intake_next(&c->intake);
	if (intake_has_bytes(&c->intake))
		set_patience_ms(c, conf->header_timeout_ms);
	else if (c->group->stopping)
		deadline_set(&c->patience, CONN_STOP_GRACE_S);
	else
		set_patience_ms(c, conf->keepalive_timeout_ms);
	if (!intake_has_bytes(&c->intake)) {
		ev_io_start(c->group->loop, &c->readable);
		return;
	}
	conn_group_await_turn(c); /* what is held comes first */
}

/* WORKING: the socket is the handler's reader's. */
static void
hand_over(struct conn *c)
{
	ev_io_stop(c->group->loop, &c->readable);
	deadline_clear(&c->patience);
}

static void
answer(struct conn *c)
{
	c->request = NULL;
	ev_io_stop(c->group->loop, &c->readable);
	await_progress(c, 0);
	sender_send(&c->sender);
}

static void
begin_stream(struct conn *c)
{
	await_progress(c, 0);
	sender_hold(&c->sender);
}

static void
linger(struct conn *c)
{
	transport_shutdown(&c->transport);
	c->linger_end =
	    clock_mono_s() +
	    (c->turned_away ? CONN_TURNED_AWAY_S
			    : (double)c->group->conf->lingering_time_ms / 1e3);
	ev_io_start(c->group->loop, &c->readable);
	await_end(c);
}

static void
finish(struct conn *c)
{
	struct conn_group *g = c->group;

	ev_io_stop(g->loop, &c->readable);
	sender_fini(&c->sender);
	deadline_fini(&c->patience);
	transport_close(&c->transport);
	body_fini(&c->body);
	intake_fini(&c->intake);
	str_fini(&c->line);
	list_remove(&c->node);
	list_remove(&c->turn);
	atomic_fetch_sub(&g->slot->connections, 1);
	tally_leave(g->served.tally, &c->place);
	c->magic = 0;
	free(c);
	g->on_closed(g->arg);
}

typedef void act_fn(struct conn *c);

/* clang-format off */
static const struct move {
	act_fn *act;
	enum state next;
} moves[STATE_COUNT][EVENT_COUNT] = {
	[HEADING] = {
		[ASKED]    = { hand_over,    WORKING   },
		[REFUSED]  = { answer,       ANSWERING },
		[LEFT]     = { finish,       OVER      },
		[EXPIRED]  = { finish,       OVER      },
	},
	[WORKING] = {
		[ANSWERED] = { answer,       ANSWERING },
		[STREAMS]  = { begin_stream, STREAMING },
		[LEFT]     = { finish,       OVER      },
	},
	[STREAMING] = {
		/* The content may have been empty: the head is held still. */
		[ANSWERED] = { answer,       ANSWERING },
		[LEFT]     = { finish,       OVER      },
	},
	[ANSWERING] = {
		[KEEP]     = { await_head,   HEADING   },
		[LINGER]   = { linger,       LINGERING },
		[LEFT]     = { finish,       OVER      },
		[EXPIRED]  = { finish,       OVER      },
	},
	[LINGERING] = {
		[LEFT]     = { finish,       OVER      },
		[EXPIRED]  = { finish,       OVER      },
	},
};
/* clang-format on */

void
conn_on(struct conn *c, enum event ev)
{
	const struct move *m;

	check_magic(c, CONN_MAGIC);
	check(c->state < STATE_COUNT && ev < EVENT_COUNT);
	m = &moves[c->state][ev];
	if (m->act == NULL)
		die("connection of request %" PRIu64 ": %s while %s", c->id,
		    event_name[ev], state_name[c->state]);
	log_debug("connection of request %" PRIu64 ": %s: %s -> %s", c->id,
	    event_name[ev], state_name[c->state], state_name[m->next]);
	c->state = m->next;
	m->act(c);
}

/* ---- for the group ---- */

int
conn_begin(struct conn_group *g, int fd, const struct addr *peer,
    tally_place place, bool turned_away)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->magic = CONN_MAGIC;
	c->state = HEADING;
	c->group = g;
	c->peer = *peer;
	c->place = place;
	c->turned_away = turned_away;
	transport_init_plain(&c->transport, fd);
	list_append(&g->conns, &c->node);
	atomic_fetch_add(&g->slot->connections, 1);
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	c->readable.data = c;
	sender_init(&c->sender, g->loop, &c->transport, c, on_sent);
	deadline_init(&c->patience, g->loop, on_due);
	if (turned_away) {
		deadline_set(&c->patience, ROOM_S);
		return 0;
	}
	set_patience_ms(c, g->conf->header_timeout_ms);
	ev_io_start(g->loop, &c->readable);
	return 0;
}

/* ---- for the handler ---- */

void
conn_answer(struct conn *c, const struct response *r)
{
	check_magic(c, CONN_MAGIC);
	format(c, r);
	conn_log(c, r->note.s);
	conn_on(c, ANSWERED);
}

struct sink *
conn_stream(struct conn *c, const struct response *r)
{
	check_magic(c, CONN_MAGIC);
	format(c, r);
	conn_on(c, STREAMS);
	return &c->sender.sink;
}

void
conn_streamed(struct conn *c, bool whole, const char *note)
{
	check_magic(c, CONN_MAGIC);
	conn_log(c, note);
	(void)sender_compose(); /* nothing but what is held */
	conn_on(c, whole ? ANSWERED : LEFT);
}

void
conn_leave(struct conn *c, const char *note)
{
	check_magic(c, CONN_MAGIC);
	c->status = 0;
	conn_log(c, note);
	conn_on(c, LEFT);
}
