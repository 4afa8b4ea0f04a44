#include "http/response_writer.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "disk/chunk.h"
#include "flow/writer.h"
#include "http/response.h"
#include "net/transport.h"

#define RESPONSE_WRITER_MAGIC 0x73656e64U

enum {
	/* Of a file, in one turn of the loop: some 0.3 ms. */
	FILE_TURN_MAX = 2 * 1024 * 1024,
};

static size_t
rest_len(const struct response_writer *s)
{
	return s->rest.len - s->rest_sent;
}

/* All of it was sent: an idle connection holds no memory for responses. */
static void
drop_rest(struct response_writer *s)
{
	str_fini(&s->rest);
	s->rest_sent = s->ahead = 0;
}

/* The kernel took `n` bytes. */
static void
count(struct response_writer *s, size_t n)
{
	size_t interim = n < s->ahead ? n : s->ahead;

	s->ahead -= (uint32_t)interim;
	s->taken += n - interim;
}

static void
wait_for_room(struct response_writer *s)
{
	transport_await_send(s->transport, s->loop, &s->writable);
}

/* Send the rest: 0, -EAGAIN and the watcher runs, or another errno. */
static int
send_rest(struct response_writer *s)
{
	if (str_failed(&s->rest))
		return -ENOMEM; /* a part of it is missing */
	while (rest_len(s) > 0) {
		struct iovec iov = {.iov_base = s->rest.s + s->rest_sent,
		    .iov_len = rest_len(s)};
		ssize_t n = transport_send(s->transport, &iov, 1);

		if (n == -EAGAIN)
			wait_for_room(s);
		if (n < 0)
			return (int)n;
		s->rest_sent += (size_t)n;
		s->progress = clock_recent_s();
		count(s, (size_t)n);
	}
	drop_rest(s);
	return 0;
}

/* The response was sent, or cannot be. */
static void
end_answer(struct response_writer *s, int err)
{
	ev_io_stop(s->loop, &s->writable);
	s->answering = false;
	s->on_sent(s->owner, err); /* may end `s` */
}

/* Behind the rest, as far as the socket takes it; what it does not take becomes
 * the rest. */
static int
send_bytes(struct response_writer *s, const char *bytes, size_t len)
{
	struct iovec iov = {.iov_len = len};
	ssize_t n = 0;

	/* sendmsg(2) reads them only; the vector's type does not say so. */
	memcpy(&iov.iov_base, &bytes, sizeof(bytes));
	if (len > 0 && rest_len(s) == 0)
		n = transport_send(s->transport, &iov, 1);
	if (n < 0 && n != -EAGAIN)
		return (int)n;
	if (n < 0)
		n = 0;
	if (n > 0)
		count(s, (size_t)n);
	if ((size_t)n < len)
		str_add(&s->rest, bytes + n, len - (size_t)n);
	return send_rest(s);
}

/* Count what the kernel takes from here on: of a new response, and not of an
 * interim one that is still to be sent. */
static void
begin_count(struct response_writer *s)
{
	s->taken = s->framing = 0;
	s->framed = false;
	s->ahead = (uint32_t)rest_len(s);
}

/* Send the end of a response: what is held, and these bytes behind it. */
static void
send_end(struct response_writer *s, const char *bytes, size_t len)
{
	int err;

	check_magic(s, RESPONSE_WRITER_MAGIC);
	check(!s->answering && !response_writer_has_content(s));
	s->answering = true;
	s->progress = clock_recent_s();
	err = s->muted != 0 ? s->muted : send_bytes(s, bytes, len);
	if (err != -EAGAIN)
		end_answer(s, err);
}

void
response_writer_send(struct response_writer *s, const char *bytes, size_t len)
{
	begin_count(s);
	send_end(s, bytes, len);
}

void
response_writer_hold(struct response_writer *s, const char *bytes, size_t len)
{
	check_magic(s, RESPONSE_WRITER_MAGIC);
	begin_count(s);
	str_add(&s->rest, bytes, len);
}

void
response_writer_frame(struct response_writer *s)
{
	s->framed = true;
}

/* What stands before a chunk of `len` bytes: the end of the one before, and its
 * size.  With 0 it is the end of all. */
static void
add_frame(struct response_writer *s, size_t len)
{
	size_t before = s->rest.len;

	str_printf(&s->rest, "%s%zx\r\n%s", s->framing > 0 ? "\r\n" : "", len,
	    len == 0 ? "\r\n" : "");
	s->framing += s->rest.len - before;
}

void
response_writer_finish(struct response_writer *s)
{
	if (s->framed && s->muted == 0)
		add_frame(s, 0);
	send_end(s, NULL, 0);
}

void
response_writer_mute(struct response_writer *s, int err)
{
	check_magic(s, RESPONSE_WRITER_MAGIC);
	check(err < 0 && err != -EAGAIN && !response_writer_has_content(s));
	ev_io_stop(s->loop, &s->writable);
	drop_rest(s);
	s->answering = false;
	s->muted = err;
}

bool
response_writer_take_back(struct response_writer *s)
{
	if (s->rest_sent > 0 || s->taken > 0 || s->rest.len == 0 ||
	    transport_is_committed(s->transport))
		return false;
	drop_rest(s);
	return true;
}

void
response_writer_interim(struct response_writer *s, const char *text)
{
	/* If the client is gone, reading its body will say so. */
	if (s->muted == 0)
		(void)send_bytes(s, text, strlen(text));
}

/* The client does not take it, or is not there any more; or memory is short here. */
static struct failure
failure_of_sending(int err)
{
	return failure_of(err == -ETIMEDOUT ? OUTCOME_NOT_TAKEN
			  : err == -ENOMEM  ? OUTCOME_NO_MEMORY
					    : OUTCOME_CLIENT_GONE,
	    err);
}

/* A chunk of content was sent, or cannot be: tell the flow. */
static void
sent_chunk(struct response_writer *s, int err)
{
	struct writer *w = s->writer;
	struct chunk *c = s->sending;

	ev_io_stop(s->loop, &s->writable);
	s->sending = NULL;
	s->writer = NULL;
	chunk_give(c);
	writer_done(w, 1);
	if (err < 0)
		writer_failed(w, failure_of_sending(err)); /* may end `s` */
}

/* The rest and the chunk, in one piece. */
static void
send_chunk(struct response_writer *s)
{
	if (s->muted != 0 || str_failed(&s->rest)) {
		sent_chunk(s, s->muted != 0 ? s->muted : -ENOMEM);
		return;
	}
	for (;;) {
		struct chunk *c = s->sending;
		size_t before = rest_len(s);
		struct iovec iov[] = {
		    {.iov_base = s->rest.s ? s->rest.s + s->rest_sent : NULL,
			.iov_len = before},
		    {.iov_base = c->data + c->taken,
			.iov_len = c->len - c->taken},
		};
		ssize_t n = transport_send(
		    s->transport, before ? iov : iov + 1, before ? 2 : 1);

		if (n == -EAGAIN) {
			wait_for_room(s);
			return;
		}
		if (n < 0) {
			sent_chunk(s, (int)n);
			return;
		}
		s->progress = clock_recent_s();
		count(s, (size_t)n);
		if ((size_t)n < before) {
			s->rest_sent += (size_t)n;
			continue;
		}
		if (before > 0)
			drop_rest(s);
		c->taken += (size_t)n - before;
		if (c->taken == c->len) {
			sent_chunk(s, 0);
			return;
		}
	}
}

/* ---- content from a file ---- */

/* All of it was taken. */
static void
end_file(struct response_writer *s)
{
	struct response_file *f = s->file;

	ev_io_stop(s->loop, &s->writable);
	s->file = NULL;
	f->on_sent(f->owner); /* may end `s` */
}

/* 0: the file is shorter than it was; -EIO: it cannot be read. */
static void
fail_file(struct response_writer *s, ssize_t err)
{
	struct response_file *f = s->file;

	ev_io_stop(s->loop, &s->writable);
	s->file = NULL;
	f->on_failed(f->owner, err == 0 || err == -EIO /* may end `s` */
				   ? failure_of(OUTCOME_DISK_ERROR, -EIO)
				   : failure_of_sending((int)err));
}

/* How far into the file a turn that begins now may come. */
static uint64_t
end_of_turn(const struct response_file *f)
{
	return f->offset + num_least(f->end - f->offset, FILE_TURN_MAX);
}

/* Send these bytes, and the file up to `to`: how many were taken of both, or as
 * send_file() of a transport. */
static ssize_t
send_piece(
    struct response_writer *s, const char *bytes, size_t len, uint64_t to)
{
	struct response_file *f = s->file;
	struct iovec iov = {.iov_len = len};
	ssize_t n;

	memcpy(&iov.iov_base, &bytes, sizeof(bytes)); /* it is only read */
	n = transport_send_file(s->transport, len > 0 ? &iov : NULL, f->fd,
	    f->offset, (size_t)(to - f->offset));
	if (n <= 0)
		return n;
	s->progress = clock_recent_s();
	count(s, (size_t)n);
	if ((size_t)n > len)
		f->offset += (size_t)n - len;
	return n;
}

/* The rest and the file, as far as the socket takes them, and this turn goes. */
static void
go_on_with_file(struct response_writer *s, uint64_t turn)
{
	while (s->file->offset < s->file->end) {
		size_t before = rest_len(s);
		const char *bytes = before ? s->rest.s + s->rest_sent : NULL;
		ssize_t n = -EAGAIN;

		if (s->file->offset < turn)
			n = send_piece(s, bytes, before, turn);
		if (n == -EAGAIN) {
			wait_for_room(s);
			return;
		}
		if (n <= 0) {
			fail_file(s, n);
			return;
		}
		if ((size_t)n < before)
			s->rest_sent += (size_t)n;
		else if (before > 0)
			drop_rest(s);
	}
	end_file(s);
}

void
response_writer_send_file(struct response_writer *s, const char *bytes,
    size_t len, struct response_file *f)
{
	uint64_t turn = end_of_turn(f);
	ssize_t n = 0;

	check_magic(s, RESPONSE_WRITER_MAGIC);
	check(!s->answering && !response_writer_has_content(s));
	check(f->offset < f->end);
	begin_count(s);
	s->file = f;
	s->progress = clock_recent_s();
	if (s->muted != 0) {
		fail_file(s, s->muted);
		return;
	}
	if (rest_len(s) == 0)
		n = send_piece(s, bytes, len, turn);
	if (n < 0 && n != -EAGAIN) {
		fail_file(s, n);
		return;
	}
	if (n < 0)
		n = 0;
	if ((size_t)n < len)
		str_add(&s->rest, bytes + n, len - (size_t)n);
	if (str_failed(&s->rest))
		fail_file(s, -ENOMEM);
	else
		go_on_with_file(s, turn);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct response_writer *s = w->data;
	int err;

	(void)revents;
	check_magic(s, RESPONSE_WRITER_MAGIC);
	if (s->sending != NULL) {
		send_chunk(s);
		return;
	}
	if (s->file != NULL) {
		go_on_with_file(s, end_of_turn(s->file));
		return;
	}
	err = send_rest(s);
	if (err == -EAGAIN)
		return;
	if (s->answering)
		end_answer(s, err);
	else
		ev_io_stop(loop, w);
}

static void
response_writer_write(struct sink *sink, struct chunk *c, struct writer *w)
{
	struct response_writer *s =
	    container_of(sink, struct response_writer, sink);

	check_magic(s, RESPONSE_WRITER_MAGIC);
	check(!s->answering && !response_writer_has_content(s));
	if (s->framed && c->len > c->taken)
		add_frame(s, c->len - c->taken);
	s->sending = c;
	s->writer = w;
	s->progress = clock_recent_s();
	/* From the loop, since a sink never answers from within. */
	ev_feed_event(s->loop, &s->writable, EV_WRITE);
}

static void
response_writer_abandon(struct sink *sink)
{
	struct response_writer *s =
	    container_of(sink, struct response_writer, sink);

	ev_io_stop(s->loop, &s->writable);
	if (s->sending != NULL)
		chunk_give(s->sending);
	s->sending = NULL;
	s->writer = NULL;
}

void
response_writer_look(struct response_writer *s)
{
	size_t unsent = transport_unsent(s->transport);

	if (unsent < s->unsent)
		s->progress = clock_recent_s();
	s->unsent = unsent;
}

void
response_writer_cut(struct response_writer *s, int err)
{
	if (s->sending != NULL)
		sent_chunk(s, err);
	else if (s->file != NULL)
		fail_file(s, err);
}

void
response_writer_init(struct response_writer *s, struct ev_loop *loop,
    struct transport *t, void *owner, void (*on_sent)(void *owner, int err))
{
	static const struct sink_ops ops = {
	    .write = response_writer_write,
	    .abandon = response_writer_abandon,
	};

	*s = (struct response_writer){.magic = RESPONSE_WRITER_MAGIC,
	    .sink = {.ops = &ops},
	    .loop = loop,
	    .transport = t,
	    .owner = owner,
	    .on_sent = on_sent};
	ev_io_init(&s->writable, on_writable, t->fd, EV_WRITE);
	s->writable.data = s;
}

void
response_writer_fini(struct response_writer *s)
{
	check_magic(s, RESPONSE_WRITER_MAGIC);
	check(s->sending == NULL);
	ev_io_stop(s->loop, &s->writable);
	drop_rest(s);
	s->magic = 0;
}
