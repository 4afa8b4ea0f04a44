#include "http/conn.h"

#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "disk/chunk.h"
#include "disk/journal.h"
#include "flow/writer.h"
#include "http/body.h"
#include "net/transport.h"
#include "stat/shm.h"

#define CONN_MAGIC 0x636f6e6eU
#define STALLED_S 5.0	     /* the same, while others wait for its memory */
#define SEND_TIMEOUT_S 60.0  /* no progress with an answer */
#define STOP_GRACE_S 1.0     /* for one more request when the worker stops */
#define LINGER_SILENCE_S 5.0 /* a client that was refused sends no more */
#define LINGER_TOTAL_S 30.0  /* or sends on and on */

enum {
	/* One receive takes a head and a small body with it. */
	SCRATCH_SIZE = 16 * 1024,
	TARGET_SHOWN_MAX = 1024,
};

enum state {
	HEADING,   /* waiting for a head, or for the rest of one */
	WORKING,   /* the handler has the request */
	STREAMING, /* and sends content from a flow */
	ANSWERING, /* sending what is in `out` */
	LINGERING, /* answered and refused: the client may still send */
	OVER,
	STATE_COUNT
};

enum event {
	ASKED,	  /* a good head */
	REFUSED,  /* a bad one, or one that took too long: answer is in `out` */
	ANSWERED, /* the handler's answer is in `out` */
	STREAMS,  /* its head is in `out`, content follows */
	KEEP,	  /* all sent, and another request may come */
	LINGER,	  /* all sent, but the client may not have seen it yet */
	LEFT,	  /* the client is gone, or is to be */
	EXPIRED,  /* it was given time enough */
	EVENT_COUNT
};

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

struct conn {
	unsigned magic;
	enum state state;
	struct conn_group *group;
	struct list_node node;
	struct transport transport;
	struct addr peer;
	uint64_t id;
	uint64_t requests; /* heads that were read */
	ev_io readable, writable;
	ev_timer timer;	    /* lazily: runs out at or before `deadline` */
	ev_tstamp deadline; /* when EXPIRED is due; 0: never */
	ev_tstamp linger_end;

	/* the head being read */
	struct head_scan scan;
	struct str held; /* bytes of it, or of the next request */

	/* the request being answered */
	void *request; /* the handler's; NULL: none */
	struct body body;
	uint64_t began_ns;
	bool keep; /* the client may send another */
	bool head_only;
	bool waits_for_100; /* and has sent nothing of its body */
	struct str line;    /* "PUT /file/x", made safe, for the access log */

	/* the answer */
	struct str out;
	size_t out_sent;
	int status;
	uint64_t streamed; /* bytes of content that were sent */
	struct sink sink;
	struct writer *writer; /* of the flow that feeds `sink` */
	struct chunk *sending;
	ev_tstamp progress; /* when the client last took something of it */
};

static void conn_on(struct conn *c, enum event ev);

/* The deadline moves with nearly every packet; the timer does not. */
static void
set_deadline(struct conn *c, double seconds)
{
	struct ev_loop *loop = c->group->loop;

	if (seconds <= 0) {
		c->deadline = 0;
		return;
	}
	c->deadline = ev_now(loop) + seconds;
	if (ev_is_active(&c->timer)) {
		if (ev_timer_remaining(loop, &c->timer) <= seconds)
			return;
		ev_timer_stop(loop, &c->timer);
	}
	ev_timer_set(&c->timer, seconds, 0.);
	ev_timer_start(loop, &c->timer);
}

/* One line for each answer: when, who, what, how it went. */
static void
log_access(struct conn *c, const char *note)
{
	char peer[ADDR_TEXT_MAX], stamp[CLOCK_STAMP_MAX];
	struct str line = {0};
	uint64_t ms_10;

	if (c->group->access == NULL)
		return;
	addr_format(&c->peer, peer);
	clock_stamp_iso(clock_wall_ns(), stamp);
	ms_10 = (clock_mono_ns() - c->began_ns) / (NS_PER_MS / 10);
	str_printf(&line,
	    "%s %s %" PRIu64 " \"%s\" %d in=%" PRIu64 " out=%" PRIu64
	    " ms=%" PRIu64 ".%u %s\n",
	    stamp, peer, c->id, c->line.s ? c->line.s : "-", c->status,
	    c->body.payload, c->streamed, ms_10 / 10, (unsigned)(ms_10 % 10),
	    note && note[0] ? note : "-");
	if (!str_failed(&line))
		journal_add(c->group->access, line.s, line.len);
	str_fini(&line);
}

/* ---- sending ---- */

/* What came of sending all there is. */
enum sent {
	SENT_ALL,
	SENT_SOME, /* go on when writable */
	SENT_FAILED,
};

static enum sent
send_out(struct conn *c)
{
	while (c->out_sent < c->out.len) {
		struct iovec iov = {.iov_base = c->out.s + c->out_sent,
		    .iov_len = c->out.len - c->out_sent};
		ssize_t n = transport_send(&c->transport, &iov, 1);

		if (n == -EAGAIN)
			return SENT_SOME;
		if (n < 0)
			return SENT_FAILED;
		c->out_sent += (size_t)n;
	}
	return SENT_ALL;
}

/* Which way an answered request leaves its connection.  Never by closing at
 * once: with bytes unread that is a reset, which can take the answer along. */
static enum event
after_answer(const struct conn *c)
{
	return c->keep && c->body.source.ended ? KEEP : LINGER;
}

/* ANSWERING: send; whatever comes of it is the next event. */
static void
go_on_answering(struct conn *c)
{
	switch (send_out(c)) {
	case SENT_ALL:
		conn_on(c, after_answer(c));
		return;
	case SENT_SOME:
		set_deadline(c, SEND_TIMEOUT_S);
		ev_io_start(c->group->loop, &c->writable);
		return;
	case SENT_FAILED:
		conn_on(c, LEFT);
		return;
	}
}

/* A chunk of content is out, or cannot be: tell the flow. */
static void
sent_chunk(struct conn *c, int err)
{
	struct writer *w = c->writer;
	struct chunk *chunk = c->sending;

	ev_io_stop(c->group->loop, &c->writable);
	c->sending = NULL;
	c->writer = NULL;
	chunk_give(chunk);
	if (w != NULL)
		writer_wrote(w, err); /* may end the request */
}

/* STREAMING: the head of the answer and a chunk, in one piece. */
static void
go_on_streaming(struct conn *c)
{
	while (c->sending != NULL) {
		struct chunk *chunk = c->sending;
		struct iovec iov[2];
		size_t out_left = c->out.len - c->out_sent;
		ssize_t n;

		iov[0].iov_base = c->out.s + c->out_sent;
		iov[0].iov_len = out_left;
		iov[1].iov_base = chunk->data + chunk->taken;
		iov[1].iov_len = chunk->len - chunk->taken;
		n = transport_send(
		    &c->transport, out_left ? iov : iov + 1, out_left ? 2 : 1);
		if (n == -EAGAIN) {
			ev_io_start(c->group->loop, &c->writable);
			return;
		}
		if (n < 0) {
			sent_chunk(c, (int)n);
			return;
		}
		c->progress = ev_now(c->group->loop);
		if ((size_t)n < out_left) {
			c->out_sent += (size_t)n;
			continue;
		}
		c->out_sent = c->out.len;
		chunk->taken += (size_t)n - out_left;
		c->streamed += (size_t)n - out_left;
		if (chunk->taken == chunk->len)
			sent_chunk(c, 0);
	}
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	(void)revents;
	check_magic(c, CONN_MAGIC);
	if (c->state == STREAMING)
		go_on_streaming(c);
	else if (c->state == ANSWERING)
		go_on_answering(c);
}

static void
sink_write(struct sink *s, struct chunk *chunk, struct writer *w)
{
	struct conn *c = container_of(s, struct conn, sink);

	check_magic(c, CONN_MAGIC);
	check(c->state == STREAMING && c->sending == NULL);
	c->sending = chunk;
	c->writer = w;
	c->progress = ev_now(c->group->loop);
	set_deadline(c, STALLED_S);
	/* From the loop, since a sink never answers from within. */
	ev_feed_event(c->group->loop, &c->writable, EV_WRITE);
}

static void
sink_abandon(struct sink *s)
{
	struct conn *c = container_of(s, struct conn, sink);

	ev_io_stop(c->group->loop, &c->writable);
	if (c->sending != NULL)
		chunk_give(c->sending);
	c->sending = NULL;
	c->writer = NULL;
}

static const struct sink_ops sink_ops = {
    .write = sink_write,
    .abandon = sink_abandon,
};

/* ---- reading heads ---- */

/* Make `r` what `out` holds. */
static void
format(struct conn *c, const struct response *r)
{
	c->status = r->status;
	c->streamed = c->head_only || r->streamed ? 0 : r->content.len;
	c->keep = c->keep && !r->close && !c->group->stopping &&
		  c->body.source.ended &&
		  c->group->conf->keepalive_timeout_ms > 0 &&
		  c->requests < c->group->conf->keepalive_requests;
	str_clear(&c->out);
	c->out_sent = 0;
	response_format(r, c->keep, c->head_only, &c->out);
	if (str_failed(&c->out))
		c->keep = false; /* what there is of it goes out */
}

/* Refuse a head: nobody knows where the next one would begin. */
static void
refuse(struct conn *c, int status, const char *why)
{
	struct response r = {.close = true};

	response_problem(&r, status, "%s", why);
	format(c, &r);
	response_fini(&r);
	c->body.source.ended = false; /* whatever follows: linger */
	log_access(c, "refused");
	conn_on(c, REFUSED);
}

/* Say what was asked, for the log, as far as it was understood. */
static void
note_line(struct conn *c, const struct head *h)
{
	size_t shown = h->target.len;

	if (c->group->access == NULL)
		return;
	if (shown > TARGET_SHOWN_MAX)
		shown = TARGET_SHOWN_MAX;
	str_clear(&c->line);
	str_escape(&c->line, h->method_text.s, h->method_text.len);
	str_puts(&c->line, " ");
	str_escape(&c->line, h->target.s, shown);
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
	if (taken < len)
		str_add(&c->held, pre + taken, len - taken);
	c->waits_for_100 =
	    h->expect_continue && taken == 0 && !c->body.source.ended;
	return str_failed(&c->held) ? -ENOMEM : 0;
}

/* A whole head is there: hand the request to the handler. */
static void
ask(struct conn *c, const char *buf, size_t head_len, size_t len)
{
	struct conn_group *g = c->group;
	const char *why;
	struct head h = {0};
	int status;

	c->requests++;
	c->head_only = false;
	c->id = ++*g->ids;
	c->began_ns = clock_mono_ns();
	status = head_parse(buf, head_len, &h, &why);
	note_line(c, &h);
	if (status != 0) {
		refuse(c, status, why);
		return;
	}
	c->keep = h.keep_alive;
	c->head_only = h.method == METHOD_HEAD;
	if (begin_body(c, &h, buf + head_len, len - head_len) < 0) {
		conn_on(c, LEFT);
		return;
	}
	conn_on(c, ASKED);
	g->handler->on_request(g->handler, c, &h, &c->request);
}

/* More than the empty lines that may stand before a head. */
static bool
has_begun(const struct head_scan *scan)
{
	return scan->lines > 0 || scan->at > scan->line;
}

/* Look at the bytes of a head; `buf` is not part of `c`. */
static void
take_head(struct conn *c, const char *buf, size_t len)
{
	const char *why = NULL;

	switch (head_scan(&c->scan, buf, len, &why)) {
	case HEAD_INCOMPLETE:
		if (c->held.len == 0 && has_begun(&c->scan))
			set_deadline(
			    c, (double)c->group->conf->header_timeout_ms / 1e3);
		str_clear(&c->held);
		str_add(&c->held, buf, len);
		if (str_failed(&c->held))
			conn_on(c, LEFT);
		return;
	case HEAD_COMPLETE:
		str_clear(&c->held);
		ask(c, buf, c->scan.at, len);
		return;
	case HEAD_LINE_LONG:
		refuse(c, 414, why);
		return;
	case HEAD_LARGE:
		refuse(c, 431, why);
		return;
	case HEAD_MALFORMED:
		refuse(c, 400, why);
		return;
	}
}

/* Bytes came, or those that are held are to be looked at (len 0). */
static void
got_bytes(struct conn *c, const char *buf, size_t len)
{
	struct str all = {0};

	if (c->held.len == 0) {
		take_head(c, buf, len);
		return;
	}
	/* `c` may be gone afterwards, its bytes must not be. */
	str_add(&all, c->held.s, c->held.len);
	str_add(&all, buf, len);
	if (str_failed(&all))
		conn_on(c, LEFT);
	else
		take_head(c, all.s, all.len);
	str_fini(&all);
}

static void
read_head(struct conn *c, int revents)
{
	static char scratch[SCRATCH_SIZE];
	ssize_t n;

	if (revents & EV_CUSTOM) {
		got_bytes(c, scratch, 0);
		return;
	}
	n = transport_recv(&c->transport, scratch, sizeof(scratch));
	if (n == -EAGAIN)
		return;
	if (n <= 0)
		conn_on(c, LEFT);
	else
		got_bytes(c, scratch, (size_t)n);
}

/* LINGERING: throw away what still comes. */
static void
discard(struct conn *c)
{
	static char sink[64 * 1024];
	ssize_t n = transport_recv(&c->transport, sink, sizeof(sink));
	double left = c->linger_end - ev_now(c->group->loop);

	if (n == -EAGAIN)
		return;
	if (n <= 0)
		conn_on(c, LEFT);
	else if (left <= 0)
		conn_on(c, EXPIRED);
	else
		set_deadline(
		    c, left < LINGER_SILENCE_S ? left : LINGER_SILENCE_S);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	check_magic(c, CONN_MAGIC);
	if (c->state == HEADING)
		read_head(c, revents);
	else if (c->state == LINGERING)
		discard(c);
}

/* STREAMING: a client that takes nothing holds chunks that others may need. */
static void
look_at_progress(struct conn *c)
{
	double stalled = ev_now(c->group->loop) - c->progress;
	bool needed = chunk_pool_is_short(c->group->pool);

	if (c->sending == NULL)
		return;
	if (stalled >= (needed ? STALLED_S : SEND_TIMEOUT_S))
		sent_chunk(c, -ETIMEDOUT);
	else
		set_deadline(
		    c, needed ? STALLED_S - stalled + 0.01 : STALLED_S);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct conn *c = w->data;
	double left;

	(void)revents;
	check_magic(c, CONN_MAGIC);
	if (c->deadline == 0)
		return;
	left = c->deadline - ev_now(loop);
	if (left > 0.001) {
		ev_timer_set(w, left, 0.);
		ev_timer_start(loop, w);
	} else if (c->state == HEADING && has_begun(&c->scan)) {
		c->began_ns = clock_mono_ns();
		refuse(c, 408,
		    "the request's head did not arrive within "
		    "header_timeout");
	} else if (c->state == STREAMING) {
		look_at_progress(c);
	} else {
		conn_on(c, EXPIRED);
	}
}

/* ---- the states ---- */

/* HEADING: for the first head, or the next. */
static void
await_head(struct conn *c)
{
	const struct conf_server *conf = c->group->conf;
	const unsigned char *more;
	size_t len;

	body_leftover(&c->body, &more, &len);
	if (len > 0)
		str_add(&c->held, more, len);
	body_fini(&c->body);
	c->body = (struct body){0};
	c->scan = (struct head_scan){0};
	str_clear(&c->line);
	if (str_failed(&c->held)) {
		conn_on(c, LEFT);
		return;
	}
	if (c->held.len > 0)
		set_deadline(c, (double)conf->header_timeout_ms / 1e3);
	else if (c->group->stopping)
		set_deadline(c, STOP_GRACE_S);
	else
		set_deadline(c, (double)conf->keepalive_timeout_ms / 1e3);
	ev_io_stop(c->group->loop, &c->writable);
	ev_io_start(c->group->loop, &c->readable);
	if (c->held.len > 0)
		ev_feed_event(c->group->loop, &c->readable, EV_CUSTOM);
}

/* WORKING: the socket is the handler's reader's. */
static void
hand_over(struct conn *c)
{
	ev_io_stop(c->group->loop, &c->readable);
	c->deadline = 0;
}

static void
answer(struct conn *c)
{
	c->request = NULL;
	ev_io_stop(c->group->loop, &c->readable);
	go_on_answering(c);
}

static void
begin_stream(struct conn *c)
{
	c->streamed = 0;
	c->sink.ops = &sink_ops;
}

static void
linger(struct conn *c)
{
	transport_shutdown(&c->transport);
	c->linger_end = ev_now(c->group->loop) + LINGER_TOTAL_S;
	set_deadline(c, LINGER_SILENCE_S);
	ev_io_stop(c->group->loop, &c->writable);
	ev_io_start(c->group->loop, &c->readable);
}

static void
finish(struct conn *c)
{
	struct conn_group *g = c->group;

	check(c->sending == NULL);
	ev_io_stop(g->loop, &c->readable);
	ev_io_stop(g->loop, &c->writable);
	ev_timer_stop(g->loop, &c->timer);
	transport_close(&c->transport);
	body_fini(&c->body);
	str_fini(&c->held);
	str_fini(&c->line);
	str_fini(&c->out);
	list_remove(&c->node);
	atomic_fetch_sub(&g->slot->connections, 1);
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
		/* The content may have been empty: `out` has the head still. */
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

/*
 * The only place where a connection changes state.  The action comes last
 * because it may free `c`; callers must not touch `c` afterwards either.
 */
static void
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

/* ---- for the handler ---- */

void
conn_open(struct conn_group *g, int fd, const struct addr *peer)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		struct transport t;

		transport_init_plain(&t, fd);
		transport_close(&t);
		return;
	}
	c->magic = CONN_MAGIC;
	c->state = HEADING;
	c->group = g;
	c->peer = *peer;
	transport_init_plain(&c->transport, fd);
	list_append(&g->conns, &c->node);
	atomic_fetch_add(&g->slot->connections, 1);
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	c->readable.data = c;
	ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
	c->writable.data = c;
	ev_timer_init(&c->timer, on_timer, 0., 0.);
	c->timer.data = c;
	set_deadline(c, (double)g->conf->header_timeout_ms / 1e3);
	ev_io_start(g->loop, &c->readable);
}

uint64_t
conn_id(const struct conn *c)
{
	return c->id;
}

bool
conn_is_logged(const struct conn *c)
{
	return c->group->access != NULL;
}

struct source *
conn_body(struct conn *c)
{
	return &c->body.source;
}

void
conn_limit_body(struct conn *c, uint64_t max)
{
	body_limit(&c->body, max);
}

uint64_t
conn_body_bytes(const struct conn *c)
{
	return c->body.payload;
}

const char *
conn_body_problem(const struct conn *c)
{
	return c->body.why;
}

void
conn_continue(struct conn *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t len = sizeof(text) - 1;
	char bytes[sizeof(text)];
	struct iovec iov = {.iov_base = bytes, .iov_len = len};

	if (!c->waits_for_100)
		return;
	c->waits_for_100 = false;
	memcpy(bytes, text, sizeof(text));
	/* The first bytes after an answer that was sent whole: they fit.  If
	 * the client is gone, reading its body will say so. */
	(void)transport_send(&c->transport, &iov, 1);
}

void
conn_answer(struct conn *c, const struct response *r)
{
	check_magic(c, CONN_MAGIC);
	format(c, r);
	log_access(c, r->note.s);
	conn_on(c, ANSWERED);
}

struct sink *
conn_stream(struct conn *c, const struct response *r)
{
	check_magic(c, CONN_MAGIC);
	format(c, r);
	conn_on(c, STREAMS);
	return &c->sink;
}

void
conn_streamed(struct conn *c, bool whole, const char *note)
{
	check_magic(c, CONN_MAGIC);
	log_access(c, note);
	conn_on(c, whole ? ANSWERED : LEFT);
}

void
conn_leave(struct conn *c, const char *note)
{
	check_magic(c, CONN_MAGIC);
	c->status = 0;
	log_access(c, note);
	conn_on(c, LEFT);
}

void
conn_group_stop(struct conn_group *g)
{
	struct list_node *n, *tmp;

	g->stopping = true;
	LIST_EACH(&g->conns, n, tmp)
	{
		struct conn *c = container_of(n, struct conn, node);

		/* It was told that it may ask again, and may be doing so just
		 * now: it is answered, and told to close. */
		if (c->state == HEADING && c->held.len == 0)
			set_deadline(c, STOP_GRACE_S);
	}
}

void
conn_group_drop(struct conn_group *g)
{
	struct list_node *n, *tmp;

	g->stopping = true;
	LIST_EACH(&g->conns, n, tmp)
	{
		struct conn *c = container_of(n, struct conn, node);

		if (c->state == WORKING || c->state == STREAMING) {
			void *request = c->request;

			c->request = NULL;
			c->status = 0;
			log_access(c, "stopped");
			g->handler->on_gone(g->handler, request);
		}
		conn_on(c, LEFT);
	}
}
