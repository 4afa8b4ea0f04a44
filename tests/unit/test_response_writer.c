/*
 * Sending to a client that takes little at a time: all of it arrives, once
 * and in order, whatever was sent before.
 */
#include "http/response_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/response.h"
#include "net/transport.h"

enum {
	ANSWER = 300000,
	TURNS = 20000,
};

static struct fixture {
	struct ev_loop *loop;
	struct transport t;
	struct response_writer s;
	int client;
	int sent; /* times on_sent was called */
	int err;
	char got[4 * ANSWER];
	size_t len;
} f;

static void
on_sent(void *owner, int err)
{
	struct fixture *x = owner;

	x->sent++;
	x->err = err;
}

static int
set_up(void **state)
{
	int ends[2], small = 1;

	(void)state;
	memset(&f, 0, sizeof(f));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(
	    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(ends[i], F_SETFL, O_NONBLOCK), 0);
	f.client = ends[1];
	f.loop = ev_loop_new(EVFLAG_AUTO);
	transport_init_plain(&f.t, ends[0]);
	response_writer_init(&f.s, f.loop, &f.t, &f, on_sent);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	response_writer_fini(&f.s);
	transport_close(&f.t);
	if (f.client != -1)
		close(f.client);
	ev_loop_destroy(f.loop);
	return 0;
}

/* Let the client take `most` bytes, if they are there; a turn of the loop. */
static void
take(size_t most)
{
	ssize_t n = recv(f.client, f.got + f.len, most, 0);

	if (n > 0)
		f.len += (size_t)n;
	ev_run(f.loop, EVRUN_NOWAIT);
}

/* Letters that tell where they stand. */
static char
letter(size_t at)
{
	return (char)('a' + (at * 7 + at / 26) % 26);
}

/* A response of `len` bytes, handed to `how`; they are gone when it returns. */
static void
respond(size_t len,
    void (*how)(struct response_writer *s, const char *bytes, size_t len))
{
	char *text = malloc(len);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = letter(i);
	how(&f.s, text, len);
	memset(text, '?', len);
	free(text);
}

static void
assert_answer(const char *got, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (got[i] != letter(i))
			fail_msg("byte %zu is wrong", i);
}

static void
a_long_answer_arrives_bit_by_bit(void **state)
{
	(void)state;
	respond(ANSWER, response_writer_send);
	assert_int_equal(f.sent, 0);
	for (int i = 0; i < TURNS && f.len < ANSWER; i++)
		take(777);
	assert_int_equal(f.len, ANSWER);
	assert_answer(f.got, ANSWER);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.err, 0);
	/* And the next one on the same connection. */
	respond(10, response_writer_send);
	take(100);
	assert_int_equal(f.sent, 2);
	assert_int_equal(f.len, ANSWER + 10);
}

/* What went before fills the socket: the 100 is cut, and completed before
 * the answer. */
static void
an_interim_answer_that_does_not_fit_comes_first(void **state)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t filled = 0;

	(void)state;
	while (send(f.t.fd, "f", 1, 0) == 1)
		filled++;
	response_writer_interim(&f.s, text);
	take(0);
	respond(ANSWER, response_writer_send);
	assert_int_equal(f.sent, 0);
	for (int i = 0; i < TURNS && f.sent == 0; i++)
		take(5000);
	for (int i = 0; i < TURNS; i++)
		take(5000);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.len, filled + strlen(text) + ANSWER);
	assert_memory_equal(f.got + filled, text, strlen(text));
	assert_answer(f.got + filled + strlen(text), ANSWER);
}

/* With nothing behind it, it goes out by itself. */
static void
an_interim_answer_needs_no_other(void **state)
{
	size_t filled = 0;

	(void)state;
	while (send(f.t.fd, "f", 1, 0) == 1)
		filled++;
	response_writer_interim(&f.s, "interim");
	for (int i = 0; i < TURNS && f.len < filled + 7; i++)
		take(5000);
	assert_memory_equal(f.got + filled, "interim", 7);
	assert_int_equal(f.sent, 0);
}

static void
what_is_held_may_be_taken_back(void **state)
{
	(void)state;
	respond(100, response_writer_hold);
	take(100);
	assert_int_equal(f.len, 0);
	assert_true(response_writer_take_back(&f.s));
	respond(20, response_writer_send);
	take(1000);
	assert_int_equal(f.len, 20);
	assert_false(response_writer_take_back(&f.s));
}

static void
what_is_held_goes_out_at_the_end(void **state)
{
	(void)state;
	respond(100, response_writer_hold);
	take(100);
	assert_int_equal(f.len, 0);
	response_writer_finish(&f.s);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.s.taken, 100);
	take(1000);
	assert_int_equal(f.len, 100);
	assert_answer(f.got, 100);
}

static void
framing_is_counted_apart(void **state)
{
	(void)state;
	respond(100, response_writer_hold);
	response_writer_frame(&f.s);
	response_writer_finish(&f.s);
	take(1000);
	assert_int_equal(f.len, 105);
	assert_memory_equal(f.got + 100, "0\r\n\r\n", 5);
	assert_int_equal(f.s.taken, 105);
	assert_int_equal(f.s.framing, 5);
	/* The next response has none. */
	respond(10, response_writer_send);
	take(1000);
	assert_int_equal(f.len, 115);
	assert_int_equal(f.s.framing, 0);
}

static void
a_client_that_is_gone_is_an_error(void **state)
{
	(void)state;
	respond(ANSWER, response_writer_send);
	close(f.client);
	f.client = -1;
	for (int i = 0; i < 10 && f.sent == 0; i++)
		ev_run(f.loop, EVRUN_NOWAIT);
	assert_int_equal(f.sent, 1);
	assert_true(f.err == -EPIPE || f.err == -ECONNRESET);
}

/*
 * What the access log says was sent is what the kernel took: of this answer, and
 * not of the interim one before it.
 */
static void
what_the_kernel_took_is_counted(void **state)
{
	size_t filled = 0;

	(void)state;
	while (send(f.t.fd, "f", 1, 0) == 1)
		filled++;
	response_writer_interim(&f.s, "interim");
	respond(ANSWER, response_writer_send);
	assert_int_equal(f.s.taken, 0);
	for (int i = 0; i < TURNS && f.s.taken < 1000; i++)
		take(500);
	assert_in_range(f.s.taken, 1000, ANSWER - 1);
	for (int i = 0; i < TURNS && f.sent == 0; i++)
		take(5000);
	assert_int_equal(f.s.taken, ANSWER);
	/* The next answer begins anew. */
	for (int i = 0; i < TURNS && f.len < filled + 7 + ANSWER; i++)
		take(5000);
	respond(10, response_writer_send);
	assert_int_equal(f.s.taken, 10);
}

static void
of_a_client_that_is_gone_nothing_is_counted(void **state)
{
	(void)state;
	close(f.client);
	f.client = -1;
	respond(100, response_writer_send);
	assert_int_equal(f.sent, 1);
	assert_true(f.err == -EPIPE || f.err == -ECONNRESET);
	assert_int_equal(f.s.taken, 0);
}

/* Behind a part of an answer anything else would be taken for its rest. */
static void
nothing_follows_an_answer_that_was_cut(void **state)
{
	size_t got;

	(void)state;
	respond(ANSWER, response_writer_send);
	assert_int_equal(f.sent, 0);
	got = f.s.taken;
	response_writer_mute(&f.s, -EPIPE);
	for (int i = 0; i < TURNS; i++)
		take(5000);
	assert_int_equal(f.sent, 0); /* its owner waits no more */
	assert_int_equal(f.len, got);
	response_writer_interim(&f.s, "interim");
	respond(10, response_writer_send);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.err, -EPIPE);
	assert_int_equal(f.s.taken, 0);
	take(5000);
	assert_int_equal(f.len, got);
}

/* ---- content from a file ---- */

static struct told {
	struct response_file file;
	unsigned sent, failed;
	struct failure why;
} told;

static void
on_file_sent(void *owner)
{
	assert_ptr_equal(owner, &told);
	told.sent++;
}

static void
on_file_failed(void *owner, struct failure why)
{
	assert_ptr_equal(owner, &told);
	told.failed++;
	told.why = why;
}

/* Send 100 letters, and behind them those from `offset` to `end` of such a text,
 * which are a file. */
static void
respond_with_file(size_t offset, size_t end)
{
	char path[] = "/tmp/response_writer.XXXXXX", *text = malloc(ANSWER);
	int fd = mkstemp(path);

	assert_true(fd != -1 && unlink(path) == 0 && text != NULL);
	for (size_t i = 0; i < ANSWER; i++)
		text[i] = letter(i);
	assert_int_equal(write(fd, text, ANSWER), ANSWER);
	told = (struct told){.file = {.fd = fd,
				 .offset = offset,
				 .end = end,
				 .owner = &told,
				 .on_sent = on_file_sent,
				 .on_failed = on_file_failed}};
	response_writer_send_file(&f.s, text, 100, &told.file);
	memset(text, '?', ANSWER);
	free(text);
}

static void
await_file(size_t each)
{
	for (int i = 0; i < TURNS && told.sent + told.failed == 0; i++)
		take(each);
	assert_int_equal(told.sent + told.failed, 1);
	assert_false(response_writer_has_content(&f.s));
	assert_int_equal(f.sent, 0);
	close(told.file.fd);
	for (int i = 0; i < 200; i++)
		take(5000);
}

static void
assert_file(size_t at, size_t offset, size_t end)
{
	assert_int_equal(f.len, at + 100 + end - offset);
	assert_answer(f.got + at, 100);
	for (size_t i = offset; i < end; i++)
		if (f.got[at + 100 + i - offset] != letter(i))
			fail_msg("byte %zu of the file is wrong", i);
}

static void
a_file_arrives_bit_by_bit(void **state)
{
	(void)state;
	respond_with_file(0, ANSWER);
	assert_int_equal(told.sent, 0);
	await_file(777);
	assert_int_equal(told.sent, 1);
	assert_file(0, 0, ANSWER);
	assert_int_equal(f.s.taken, 100 + ANSWER);
	/* Now the end of that response, and the next one. */
	response_writer_finish(&f.s);
	assert_int_equal(f.sent, 1);
	assert_int_equal(f.err, 0);
	respond(10, response_writer_send);
	take(100);
	assert_int_equal(f.len, 100 + ANSWER + 10);
}

static void
so_does_a_part_of_one(void **state)
{
	(void)state;
	respond_with_file(12345, 12345 + 100000);
	await_file(5000);
	assert_int_equal(told.sent, 1);
	assert_file(0, 12345, 12345 + 100000);
}

static void
what_is_small_is_sent_at_once(void **state)
{
	(void)state;
	respond_with_file(7, 17);
	assert_int_equal(told.sent, 1);
	await_file(5000);
	assert_file(0, 7, 17);
	assert_int_equal(f.s.taken, 110);
}

static void
a_file_comes_behind_what_is_still_to_be_sent(void **state)
{
	size_t filled = 0;

	(void)state;
	while (send(f.t.fd, "f", 1, 0) == 1)
		filled++;
	response_writer_interim(&f.s, "interim");
	respond_with_file(0, ANSWER);
	await_file(5000);
	assert_memory_equal(f.got + filled, "interim", 7);
	assert_file(filled + 7, 0, ANSWER);
	assert_int_equal(f.s.taken, 100 + ANSWER);
}

/* A part of it must not look like the whole. */
static void
a_file_that_was_cut_is_an_error(void **state)
{
	(void)state;
	respond_with_file(0, ANSWER);
	assert_int_equal(told.sent, 0);
	assert_int_equal(ftruncate(told.file.fd, 100), 0);
	await_file(5000);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.why.outcome, OUTCOME_DISK_ERROR);
	assert_int_equal(told.why.err, -EIO);
	assert_true(f.len < ANSWER);
}

static void
a_client_that_leaves_a_file_is_an_error(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as in a worker */
	respond_with_file(0, ANSWER);
	close(f.client);
	f.client = -1;
	await_file(0);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.why.outcome, OUTCOME_CLIENT_GONE);
	respond_with_file(0, 10); /* at once */
	assert_int_equal(told.failed, 1);
	close(told.file.fd);
}

static void
a_file_that_is_not_taken_is_given_up(void **state)
{
	size_t len;

	(void)state;
	respond_with_file(0, ANSWER);
	response_writer_cut(&f.s, -ETIMEDOUT);
	await_file(0);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.why.outcome, OUTCOME_NOT_TAKEN);
	response_writer_mute(&f.s, -EPIPE);
	len = f.len;
	respond_with_file(0, 10);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.why.outcome, OUTCOME_CLIENT_GONE);
	close(told.file.fd);
	take(5000);
	assert_int_equal(f.len, len);
}

/* A transport that takes all that it is given, or says `answer`. */
static ssize_t answer;

static ssize_t
take_all(struct transport *t, const struct iovec *before, int fd,
    uint64_t offset, size_t len)
{
	(void)t;
	(void)fd;
	(void)offset;
	return answer != 0 ? answer
			   : (ssize_t)(len + (before ? before->iov_len : 0));
}

static void
have_all_taken(ssize_t says)
{
	static struct transport_ops ops;

	ops = *f.t.ops;
	ops.send_file = take_all;
	f.t.ops = &ops;
	answer = says;
}

/* Others have their turn between its pieces, of which the first is no larger. */
static void
a_client_that_takes_all_is_served_in_equal_turns(void **state)
{
	uint64_t first, before;

	(void)state;
	have_all_taken(0);
	told = (struct told){.file = {.fd = -1,
				 .end = UINT64_C(1) << 30,
				 .owner = &told,
				 .on_sent = on_file_sent,
				 .on_failed = on_file_failed}};
	response_writer_send_file(&f.s, "head", 4, &told.file);
	first = told.file.offset;
	assert_true(first > 0);
	while (told.sent == 0) {
		before = told.file.offset;
		ev_run(f.loop, EVRUN_NOWAIT);
		assert_int_equal(told.file.offset, before + first);
	}
	assert_int_equal(told.file.offset, told.file.end);
	assert_int_equal(told.failed, 0);
}

static void
that_memory_is_short_is_not_the_clients_fault(void **state)
{
	(void)state;
	have_all_taken(-ENOMEM);
	respond_with_file(0, ANSWER);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.why.outcome, OUTCOME_NO_MEMORY);
	assert_int_equal(told.why.err, -ENOMEM);
	close(told.file.fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_long_answer_arrives_bit_by_bit),
	    TEST(an_interim_answer_that_does_not_fit_comes_first),
	    TEST(an_interim_answer_needs_no_other),
	    TEST(what_is_held_may_be_taken_back),
	    TEST(what_is_held_goes_out_at_the_end),
	    TEST(framing_is_counted_apart),
	    TEST(a_client_that_is_gone_is_an_error),
	    TEST(what_the_kernel_took_is_counted),
	    TEST(of_a_client_that_is_gone_nothing_is_counted),
	    TEST(nothing_follows_an_answer_that_was_cut),
	    TEST(a_file_arrives_bit_by_bit),
	    TEST(so_does_a_part_of_one),
	    TEST(what_is_small_is_sent_at_once),
	    TEST(a_file_comes_behind_what_is_still_to_be_sent),
	    TEST(a_file_that_was_cut_is_an_error),
	    TEST(a_client_that_leaves_a_file_is_an_error),
	    TEST(a_file_that_is_not_taken_is_given_up),
	    TEST(a_client_that_takes_all_is_served_in_equal_turns),
	    TEST(that_memory_is_short_is_not_the_clients_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
