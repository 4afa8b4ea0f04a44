/*
 * What reads and writes over a transport relies on nothing that only a plain
 * socket gives.  The transport here is invented.  As one that encrypts, it
 * wraps bytes in frames; holds bytes inside while its descriptor is silent; has to
 * write before it reads on, and to read before it writes on; has begun to send
 * what it did not count yet; and is cut off within a frame.
 */
#include "net/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/body.h"
#include "http/conn_internal.h"
#include "http/response_writer.h"
#include "lib/client.h"
#include "lib/cmocka_with.h"
#include "lib/flow.h"

enum {
	CHUNK = 1024,
	BODY = 30000,
	MOST = 100,	  /* bytes of one recv, and in a frame of ours */
	HEADER = 3,	  /* of a frame: its kind and its length */
	TURNS = 20000,	  /* of the loop, at most */
	QUIET_TURNS = 50, /* in which nothing may happen */
};

/* The kinds of frames.  Each side has one for bytes; the client asks with
 * UPDATE, before it sends bytes on, for an UPDATED, and allows us with GO to
 * send bytes. */
enum {
	BYTES = 'b',
	UPDATE = 'u',
	UPDATED = 'U',
	GO = 'g',
	HELLO = 'h',
	END = 'e',
};

/* The inside of the transport, of which there is one. */
static struct wrapping {
	unsigned char in[64 * 1024]; /* frames that were received */
	size_t in_len;
	unsigned char clear[64 * 1024]; /* bytes out of them */
	size_t clear_at, clear_len;
	unsigned char out[HEADER + MOST]; /* the frame being sent */
	size_t out_at, out_len;
	size_t counts; /* bytes of the caller in it, to be counted; 0: none */
	bool greeted, ended, closes, has_closed;
	bool needs_go;
	unsigned recvs, sends;
} w;

static struct fixture {
	struct test_loop l;
	struct transport *t;
	struct transport own;
	int client;
	/* the client's side */
	unsigned char raw[HEADER + MOST];
	size_t raw_len;
	unsigned char got[2 * BODY];
	size_t got_len;
	unsigned updated, hellos, ends;
	/* reading: a body, into a sink that keeps it */
	struct body body;
	struct test_flow flow;
	struct fake_sink sink;
	/* writing */
	struct response_writer s;
	unsigned sent;
	int sent_err;
} f;

/* ---- the transport ---- */

/* Send what is left of the frame that is out; false: not all of it yet. */
static bool
flush(struct transport *t)
{
	while (w.out_at < w.out_len) {
		ssize_t n = send(t->fd, w.out + w.out_at, w.out_len - w.out_at,
		    MSG_NOSIGNAL);

		if (n == -1)
			return false;
		w.out_at += (size_t)n;
	}
	return true;
}

/* The frame before is out. */
static void
make_frame(int kind, size_t len)
{
	assert_int_equal(w.out_at, w.out_len);
	w.out[0] = (unsigned char)kind;
	w.out[1] = (unsigned char)(len >> 8);
	w.out[2] = (unsigned char)len;
	w.out_at = 0;
	w.out_len = HEADER + len;
}

/* The length of the first frame in `in`, if it is whole; else 0. */
static size_t
whole_frame(void)
{
	size_t len = w.in_len < HEADER ? 0 : (size_t)w.in[1] << 8 | w.in[2];

	return w.in_len < HEADER || w.in_len < HEADER + len ? 0 : HEADER + len;
}

/* Have a whole frame in `in`: 1, or as recv. */
static ssize_t
fetch_frame(struct transport *t)
{
	while (whole_frame() == 0) {
		ssize_t n =
		    recv(t->fd, w.in + w.in_len, sizeof(w.in) - w.in_len, 0);

		if (n == -1)
			return -errno;
		if (n == 0)
			return -ECONNRESET; /* without an END */
		w.in_len += (size_t)n;
	}
	return 1;
}

static void
drop_frame(void)
{
	size_t len = whole_frame();

	w.in_len -= len;
	memmove(w.in, w.in + len, w.in_len);
}

/* Act on the first frame. */
static void
use_frame(void)
{
	size_t len = whole_frame() - HEADER;

	switch (w.in[0]) {
	case BYTES:
		memcpy(w.clear, w.in + HEADER, len);
		w.clear_at = 0;
		w.clear_len = len;
		break;
	case UPDATE:
		make_frame(UPDATED, 0);
		break;
	case HELLO:
		make_frame(HELLO, 0);
		w.greeted = true;
		break;
	case GO:
		w.needs_go = false;
		break;
	case END:
		w.ended = true;
		break;
	default:
		fail_msg("a frame of kind %d", w.in[0]);
	}
	drop_frame();
}

/* What has to be said before bytes are read on; false: it cannot be yet. */
static bool
say_what_is_owed(struct transport *t)
{
	if (!flush(t))
		return false;
	if (w.closes && !w.has_closed) {
		w.has_closed = true;
		make_frame(END, 0);
	}
	return flush(t);
}

/* It fills the first of several only. */
static ssize_t
wrap_recv(struct transport *t, const struct iovec *iov, int count)
{
	size_t n;

	w.recvs++;
	assert_true(w.greeted && count > 0);
	t->holds = false;
	t->recv_wants = EV_READ;
	for (;;) {
		ssize_t err;

		if (!say_what_is_owed(t)) {
			t->recv_wants = EV_WRITE;
			return -EAGAIN;
		}
		if (w.clear_at < w.clear_len)
			break;
		if (w.ended)
			return 0;
		err = fetch_frame(t);
		if (err < 0)
			return err;
		use_frame();
	}
	n = w.clear_len - w.clear_at;
	n = n < MOST ? n : MOST;
	n = n < iov->iov_len ? n : iov->iov_len;
	memcpy(iov->iov_base, w.clear + w.clear_at, n);
	w.clear_at += n;
	t->holds = w.clear_at < w.clear_len || whole_frame() > 0;
	return (ssize_t)n;
}

/* The first bytes of the vectors; how many of at most MOST. */
static size_t
gather(unsigned char *to, const struct iovec *iov, int count)
{
	size_t n = 0;

	for (int i = 0; i < count; i++) {
		size_t len = iov[i].iov_len;

		if (len > MOST - n)
			len = MOST - n;
		if (len > 0)
			memcpy(to + n, iov[i].iov_base, len);
		n += len;
	}
	return n;
}

/* Send the frame that has bytes of the caller, and count them when it is out. */
static ssize_t
send_counted(struct transport *t)
{
	size_t n = w.counts;

	t->committed = !flush(t);
	if (t->committed)
		return errno == EAGAIN ? -EAGAIN : -errno;
	w.counts = 0;
	return (ssize_t)n;
}

static ssize_t
wrap_send(struct transport *t, const struct iovec *iov, int count)
{
	unsigned char bytes[MOST];
	size_t n = gather(bytes, iov, count);

	w.sends++;
	assert_true(w.greeted && n > 0 && !w.has_closed);
	t->send_wants = EV_WRITE;
	if (w.counts > 0) { /* they are out, in part: the same must come */
		assert_true(t->committed && n >= w.counts);
		assert_memory_equal(bytes, w.out + HEADER, w.counts);
		return send_counted(t);
	}
	if (!flush(t))
		return errno == EAGAIN ? -EAGAIN : -errno;
	if (w.needs_go && fetch_frame(t) == 1 && w.in[0] == GO)
		use_frame();
	if (w.needs_go) {
		t->send_wants = EV_READ;
		return -EAGAIN;
	}
	make_frame(BYTES, n);
	memcpy(w.out + HEADER, bytes, n);
	w.counts = n;
	return send_counted(t);
}

static int
wrap_handshake(struct transport *t)
{
	t->recv_wants = EV_READ;
	while (!w.greeted) {
		ssize_t err = fetch_frame(t);

		if (err < 0)
			return (int)err;
		use_frame();
	}
	if (flush(t))
		return 0;
	t->recv_wants = EV_WRITE;
	return -EAGAIN;
}

static void
wrap_shutdown(struct transport *t)
{
	w.closes = true;
	if (w.counts == 0 && !say_what_is_owed(t))
		t->recv_wants = EV_READ | EV_WRITE;
}

static size_t
wrap_unsent(const struct transport *t)
{
	(void)t;
	return w.out_len - w.out_at;
}

static bool
wrap_is_delivered(const struct transport *t)
{
	(void)t;
	return false;
}

static enum fd_peer
wrap_peer(const struct transport *t, size_t *ret_unread)
{
	return fd_peer(t->fd, ret_unread);
}

static void
wrap_give_up(struct transport *t)
{
	(void)t;
}

static void
wrap_close(struct transport *t)
{
	close(t->fd);
	t->fd = -1;
}

static const struct transport_ops wrap_ops = {
    .handshake = wrap_handshake,
    .recv = wrap_recv,
    .send = wrap_send,
    .shutdown = wrap_shutdown,
    .unsent = wrap_unsent,
    .is_delivered = wrap_is_delivered,
    .give_up = wrap_give_up,
    .peer = wrap_peer,
    .close = wrap_close,
};

/* ---- the client ---- */

static void
say(int kind, const void *bytes, size_t len)
{
	unsigned char header[HEADER] = {
	    (unsigned char)kind, (unsigned char)(len >> 8), (unsigned char)len};

	assert_int_equal(send(f.client, header, HEADER, 0), HEADER);
	assert_int_equal(send(f.client, bytes, len, 0), len);
}

/* So many bytes of a body, beginning with that at `from`. */
static void
say_body(size_t from, size_t len)
{
	static unsigned char bytes[BODY];

	for (size_t i = 0; i < len; i++)
		bytes[i] = fake_byte(from + i);
	say(BYTES, bytes, len);
}

/* One byte of ours has come. */
static void
take_byte(unsigned char byte)
{
	size_t len;

	f.raw[f.raw_len++] = byte;
	if (f.raw_len < HEADER)
		return;
	len = (size_t)f.raw[1] << 8 | f.raw[2];
	if (f.raw_len < HEADER + len)
		return;
	f.raw_len = 0;
	f.updated += f.raw[0] == UPDATED;
	f.hellos += f.raw[0] == HELLO;
	f.ends += f.raw[0] == END;
	if (f.raw[0] != BYTES)
		return;
	assert_true(f.got_len + len <= sizeof(f.got));
	memcpy(f.got + f.got_len, f.raw + HEADER, len);
	f.got_len += len;
}

/* Let the client have at most so many bytes of what is there. */
static void
hear(size_t most)
{
	unsigned char bytes[4096];
	ssize_t n = recv(f.client, bytes, most, MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++)
		take_byte(bytes[i]);
}

/* Let what we send find no room any more, behind so many bytes. */
static size_t
fill_socket(void)
{
	size_t n = 0;

	while (send(f.t->fd, "x", 1, MSG_DONTWAIT) == 1)
		n++;
	return n;
}

static void
drain(size_t filled)
{
	char byte;

	while (filled-- > 0)
		assert_int_equal(recv(f.client, &byte, 1, 0), 1);
}

/* ---- both ---- */

static void
on_turn(void)
{
	fake_sink_turn(&f.sink);
}

static void
on_sent(void *owner, int err)
{
	(void)owner;
	f.sent++;
	f.sent_err = err;
}

static int
set_up(void **state)
{
	int ends[2], small = 1;

	(void)state;
	memset(&f, 0, sizeof(f));
	memset(&w, 0, sizeof(w));
	w.greeted = true;
	test_loop_begin(&f.l, CHUNK, 64);
	f.l.on_turn = on_turn;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(
	    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	f.client = ends[1];
	f.t = &f.own;
	transport_init_plain(&f.own, ends[0]);
	f.own.ops = &wrap_ops;
	fake_sink_begin(&f.sink, BODY, 1);
	response_writer_init(&f.s, f.l.loop, f.t, &f, on_sent);
	flow_init(&f.flow.flow);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	flow_stop(&f.flow.flow);
	response_writer_fini(&f.s);
	body_fini(&f.body);
	if (f.own.fd != -1)
		transport_close(&f.own);
	if (f.client != -1)
		close(f.client);
	test_loop_end(&f.l);
	return 0;
}

static void
turn(unsigned n)
{
	test_loop_turn(&f.l, n);
}

/* Let the body of BODY bytes flow into `sink`. */
static void
begin_flow(struct sink *sink)
{
	assert_int_equal(body_init_length(&f.body, f.t, BODY, NULL, 0), 0);
	test_flow_start(&f.flow, &f.l,
	    &(struct flow_setup){
		.source = &f.body.source,
		.sink = sink,
		.queue_depth = 4,
		.write_depth = 1,
	    });
}

static void
assert_bytes(const unsigned char *got, size_t len, size_t want)
{
	assert_int_equal(len, want);
	for (size_t i = 0; i < len; i++)
		if (got[i] != fake_byte(i))
			fail_msg("byte %zu is wrong", i);
}

/* ---- reading ---- */

static bool
is_silent(void)
{
	struct pollfd p = {.fd = f.t->fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

/* Also when the queue was full in between. */
static void
what_is_inside_is_read_though_the_descriptor_is_silent(void **state)
{
	(void)state;
	say_body(0, BODY);
	begin_flow(&f.sink.sink);
	for (int i = 0; i < TURNS && !f.flow.drained; i++) {
		turn(1);
		if (i == 2)
			assert_true(is_silent() && transport_has_bytes(f.t));
	}
	assert_true(f.flow.drained);
	assert_bytes(f.sink.got, f.sink.len, BODY);
	assert_false(transport_has_bytes(f.t));
}

static void
frames_in_pieces_are_read_as_they_come(void **state)
{
	static unsigned char frames[2 * BODY];
	size_t len = 0;

	(void)state;
	for (size_t at = 0, n = 0; at < BODY; at += n) {
		n = 1 + at * 7 % 999;
		n = n < BODY - at ? n : BODY - at;
		frames[len++] = BYTES;
		frames[len++] = (unsigned char)(n >> 8);
		frames[len++] = (unsigned char)n;
		for (size_t i = 0; i < n; i++)
			frames[len++] = fake_byte(at + i);
	}
	begin_flow(&f.sink.sink);
	for (size_t at = 0; at < len; at += 331) {
		size_t n = len - at < 331 ? len - at : 331;

		assert_int_equal(send(f.client, frames + at, n, 0), n);
		turn(1);
	}
	for (int i = 0; i < TURNS && !f.flow.drained; i++)
		turn(1);
	assert_true(f.flow.drained);
	assert_bytes(f.sink.got, f.sink.len, BODY);
}

/*
 * The client's bytes may be read only behind an answer of the transport's own,
 * for which there is no room.  Nothing is tried before there is.
 */
static void
one_that_has_to_write_before_it_reads_waits_for_room(void **state)
{
	size_t filled = fill_socket();
	unsigned recvs;

	(void)state;
	say_body(0, 1000);
	say(UPDATE, NULL, 0);
	say_body(1000, BODY - 1000);
	begin_flow(&f.sink.sink);
	turn(QUIET_TURNS);
	assert_int_equal(f.body.payload, 1000);
	assert_int_equal(f.body.source.wants, EV_WRITE);
	recvs = w.recvs;
	turn(QUIET_TURNS);
	assert_int_equal(w.recvs, recvs);
	drain(filled);
	for (int i = 0; i < TURNS && !f.flow.drained; i++)
		turn(1);
	assert_true(f.flow.drained);
	assert_bytes(f.sink.got, f.sink.len, BODY);
	assert_int_equal(f.body.source.wants, EV_READ);
	hear(HEADER);
	assert_int_equal(f.updated, 1);
}

/* Not the end of the stream, nor of the body. */
static void
one_that_is_cut_off_within_a_frame_fails(void **state)
{
	(void)state;
	say_body(0, BODY - 1);
	assert_int_equal(send(f.client, "b\0", 2, 0), 2);
	begin_flow(&f.sink.sink);
	turn(QUIET_TURNS);
	assert_false(failure_is(f.flow.failed));
	close(f.client);
	f.client = -1;
	for (int i = 0; i < TURNS && !failure_is(f.flow.failed); i++)
		turn(1);
	assert_int_equal(f.flow.failed.outcome, OUTCOME_CLIENT_GONE);
	assert_int_equal(f.flow.failed.err, -ECONNRESET);
	assert_int_equal(f.body.payload, BODY - 1);
}

/* ---- writing ---- */

/* The first BODY bytes of what fake_byte() has. */
static const char *
answer(void)
{
	static char bytes[BODY];

	for (size_t i = 0; i < BODY; i++)
		bytes[i] = (char)fake_byte(i);
	return bytes;
}

static void
one_that_has_to_read_before_it_writes_waits_for_the_client(void **state)
{
	unsigned sends;

	(void)state;
	w.needs_go = true;
	response_writer_send(&f.s, answer(), BODY);
	turn(QUIET_TURNS);
	sends = w.sends;
	turn(QUIET_TURNS);
	assert_int_equal(w.sends, sends);
	assert_int_equal(f.s.taken, 0);
	say(GO, NULL, 0);
	for (int i = 0; i < TURNS && f.got_len < BODY; i++) {
		turn(1);
		hear(777);
	}
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.sent_err, 0);
	assert_bytes(f.got, f.got_len, BODY);
}

/* Whatever comes behind it: the transport would notice. */
static void
what_it_has_begun_to_send_comes_again_first(void **state)
{
	size_t filled = fill_socket();
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const size_t before = strlen(text);

	(void)state;
	response_writer_interim(&f.s, text);
	assert_true(transport_is_committed(f.t));
	response_writer_send(&f.s, answer(), BODY);
	turn(QUIET_TURNS);
	assert_int_equal(f.sent, 0);
	drain(filled);
	for (int i = 0; i < TURNS && f.got_len < before + BODY; i++) {
		turn(1);
		hear(50);
	}
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.s.taken, BODY);
	assert_memory_equal(f.got, text, before);
	assert_bytes(f.got + before, f.got_len - before, BODY);
}

static void
an_answer_that_is_cut_off_is_an_error(void **state)
{
	(void)state;
	response_writer_send(&f.s, answer(), BODY);
	turn(QUIET_TURNS);
	assert_int_equal(f.sent, 0);
	assert_true(transport_is_committed(f.t));
	close(f.client);
	f.client = -1;
	for (int i = 0; i < TURNS && f.sent == 0; i++)
		turn(1);
	assert_int_equal(f.sent, 1);
	assert_true(f.sent_err == -EPIPE || f.sent_err == -ECONNRESET);
}

/* Begin a stream: a head, and the body that comes back. */
static void
begin_echo(void)
{
	response_writer_hold(&f.s, answer(), 10);
	begin_flow(&f.s.sink);
}

/* The head of a stream may be replaced while none of it is out; here some is,
 * and it looks the same from outside. */
static void
what_it_has_begun_to_send_is_not_taken_back(void **state)
{
	(void)state;
	fill_socket();
	say_body(0, BODY);
	begin_echo();
	turn(QUIET_TURNS);
	assert_int_equal(f.s.taken, 0);
	assert_true(transport_is_committed(f.t));
	response_writer_cut(&f.s, -ETIMEDOUT);
	assert_int_equal(f.flow.failed.outcome, OUTCOME_NOT_TAKEN);
	assert_int_equal(f.flow.failed.err, -ETIMEDOUT);
	assert_false(response_writer_take_back(&f.s));
}

static void
of_a_client_that_is_gone_that_is_said(void **state)
{
	(void)state;
	fill_socket();
	say_body(0, BODY);
	begin_echo();
	turn(QUIET_TURNS);
	response_writer_cut(&f.s, -EPIPE);
	assert_int_equal(f.flow.failed.outcome, OUTCOME_CLIENT_GONE);
	assert_int_equal(f.flow.failed.err, -EPIPE);
}

static void
what_it_has_not_begun_to_send_is_taken_back(void **state)
{
	(void)state;
	w.needs_go = true;
	say_body(0, BODY);
	begin_echo();
	turn(QUIET_TURNS);
	assert_int_equal(f.s.taken, 0);
	assert_false(transport_is_committed(f.t));
	response_writer_cut(&f.s, -ETIMEDOUT);
	assert_true(response_writer_take_back(&f.s));
	say(GO, NULL, 0);
	w.in_len = 0; /* the body that came before it */
	response_writer_send(&f.s, answer(), 20);
	for (int i = 0; i < TURNS && f.got_len < 20; i++) {
		turn(1);
		hear(50);
	}
	assert_bytes(f.got, f.got_len, 20);
}

/* ---- both at once ---- */

/* The body goes back as it comes, with updates between, and little room. */
static void
both_directions_go_on_beside_each_other(void **state)
{
	size_t said = 0, len;

	(void)state;
	begin_echo();
	for (int i = 0; i < TURNS && f.got_len < 10 + BODY; i++) {
		if (i % 10 == 0 && said < BODY) {
			len = BODY - said < 700 ? BODY - said : 700;
			say_body(said, len);
			say(UPDATE, NULL, 0);
			said += len;
		}
		turn(1);
		hear(150);
	}
	assert_true(f.flow.drained);
	assert_bytes(f.got, 10, 10);
	assert_bytes(f.got + 10, f.got_len - 10, BODY);
	assert_true(f.updated >= BODY / 700);
}

/* ---- the beginning and the end ---- */

static unsigned fired;
static int agreed; /* 1: yes; 0: not yet; else an error */

static void
on_handshake(struct ev_loop *loop, ev_io *io, int revents)
{
	int err = transport_handshake(f.t);

	(void)revents;
	fired++;
	if (err == -EAGAIN)
		transport_await_recv(f.t, loop, io);
	else
		ev_io_stop(loop, io);
	if (err != -EAGAIN)
		agreed = err == 0 ? 1 : err;
}

/* As a connection will do it: first the client is waited for, then room. */
static void
a_handshake_waits_for_what_it_wants(void **state)
{
	size_t filled = fill_socket();
	ev_io io;

	(void)state;
	w.greeted = false;
	fired = 0;
	agreed = 0;
	ev_io_init(&io, on_handshake, f.t->fd, EV_READ);
	transport_await_recv(f.t, f.l.loop, &io);
	turn(QUIET_TURNS);
	assert_int_equal(fired, 0);
	say(HELLO, NULL, 0);
	turn(QUIET_TURNS);
	assert_int_equal(fired, 1);
	assert_int_equal(agreed, 0);
	drain(filled);
	turn(QUIET_TURNS);
	assert_int_equal(agreed, 1);
	hear(HEADER);
	assert_int_equal(f.hellos, 1);
}

static void
a_plain_one_has_nothing_to_agree_on(void **state)
{
	struct transport t;

	(void)state;
	transport_init_plain(&t, -1);
	assert_int_equal(transport_handshake(&t), 0);
	assert_false(t.holds || transport_is_committed(&t));
	assert_int_equal(t.recv_wants, EV_READ);
	assert_int_equal(t.send_wants, EV_WRITE);
}

/* ---- a connection ---- */

static unsigned asked;

static void
answer_request(struct exchange *x)
{
	const struct head *head = exchange_head(x);
	struct response r = {.status = 200, .content_type = "text/plain"};

	asked++;
	str_add(&r.content, head->target.s, head->target.len);
	r.close = head->target.len > 5 && asked == 4;
	exchange_respond(x, &r);
}

static bool
has_heard(const char *text)
{
	f.got[f.got_len] = '\0';
	return strstr((const char *)f.got, text) != NULL;
}

/*
 * Requests that came in one frame, and the rest of one that is held by the
 * transport, are read without the descriptor; the end is said when there is room
 * for it, while the connection lingers.
 */
static void
a_connection_goes_on_with_what_is_inside(void **state)
{
	static const char
	    first[] = "GET /first HTTP/1.1\r\nHost: x\r\n\r\n"
		      "GET /second HTTP/1.1\r\nHost: x\r\n",
	    rest[] = "A-Field-That-Makes-It-Longer-Than-One-Recv: "
		     "0123456789012345678901234567890123456789012345\r\n"
		     "\r\nGET /third HTTP/1.1\r\nHost: x\r\n\r\n",
	    last[] = "PUT /fourth HTTP/1.1\r\nHost: x\r\n"
		     "Content-Length: 5\r\n\r\n";
	struct test_server server;
	struct addr peer = {.ss.ss_family = AF_UNIX};
	size_t filled;

	(void)state;
	asked = 0;
	test_server_begin(&server, &f.l, answer_request);
	test_server_open(&server, f.own.fd, &peer);
	f.own.fd = -1;
	assert_false(list_is_empty(&server.g.conns));
	f.t = &container_of(server.g.conns.head.next, struct conn, node)
		   ->transport;
	f.t->ops = &wrap_ops;
	say(BYTES, first, strlen(first));
	say(BYTES, rest, strlen(rest));
	for (int i = 0; i < TURNS && !has_heard("/third"); i++) {
		turn(1);
		hear(4000);
	}
	assert_int_equal(asked, 3);
	assert_true(has_heard("/first") && has_heard("/second"));
	/* An update between two requests, for which there is no room. */
	filled = fill_socket();
	say(UPDATE, NULL, 0);
	say(BYTES, last, strlen(last));
	turn(QUIET_TURNS);
	assert_int_equal(asked, 3);
	drain(filled);
	for (int i = 0; i < TURNS && !has_heard("/fourth"); i++) {
		turn(1);
		hear(10);
	}
	assert_int_equal(asked, 4);
	assert_int_equal(f.updated, 1);
	/* It lingers now, and throws away what comes in between. */
	say_body(0, BODY);
	say(END, NULL, 0);
	for (int i = 0; i < TURNS && server.closed == 0; i++) {
		turn(1);
		hear(10);
	}
	hear(4000);
	assert_int_equal(server.closed, 1);
	assert_int_equal(f.ends, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_inside_is_read_though_the_descriptor_is_silent),
	    TEST(frames_in_pieces_are_read_as_they_come),
	    TEST(one_that_has_to_write_before_it_reads_waits_for_room),
	    TEST(one_that_is_cut_off_within_a_frame_fails),
	    TEST(one_that_has_to_read_before_it_writes_waits_for_the_client),
	    TEST(what_it_has_begun_to_send_comes_again_first),
	    TEST(an_answer_that_is_cut_off_is_an_error),
	    TEST(what_it_has_begun_to_send_is_not_taken_back),
	    TEST(of_a_client_that_is_gone_that_is_said),
	    TEST(what_it_has_not_begun_to_send_is_taken_back),
	    TEST(both_directions_go_on_beside_each_other),
	    TEST(a_handshake_waits_for_what_it_wants),
	    TEST(a_plain_one_has_nothing_to_agree_on),
	    TEST(a_connection_goes_on_with_what_is_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
