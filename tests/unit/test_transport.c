/*
 * When bytes came, as the kernel says it, and not when they were received: a
 * worker may be late.  And when the client's system has what was sent.
 */
#include "net/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/pipe.h"
#include "lib/portable.h"

enum {
	NAP_MS = 60,
};

static int client;
static struct transport server;
static bool knows;   /* this kernel says it */
static bool by_pipe; /* bytes are moved, not received */

static void
nap(void)
{
	usleep(NAP_MS * 1000);
}

static int
set_up(void **state)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_storage peer;
	socklen_t len = sizeof(a);
	char byte;
	int l = socket(AF_INET, SOCK_STREAM, 0), fd = -1;

	(void)state;
	assert_int_equal(bind(l, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&a, &len), 0);
	knows = fd_stamp(l, true);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&a, len), 0);
	len = sizeof(peer);
	for (int i = 0; i < 1000 && fd < 0; i++) {
		fd = fd_accept(l, &peer, &len);
		if (fd < 0)
			usleep(1000);
	}
	assert_true(fd >= 0);
	transport_init_plain(&server, fd);
	server.stamped = true;
	fd_close(&l);
	/* The kernel begins with it a moment after it was told to. */
	for (int i = 0; knows && i < 1000 && server.stamp_ns == 0; i++) {
		assert_int_equal(send(client, "x", 1, 0), 1);
		usleep(1000);
		assert_true(transport_recv(&server, &byte, 1) == 1);
	}
	transport_forget_late(&server);
	return 0;
}

#if !IS_PORTABLE
static int
set_up_by_pipe(void **state)
{
	by_pipe = true;
	return set_up(state);
}
#endif

static int
tear_down(void **state)
{
	by_pipe = false;
	(void)state;
	fd_close(&client);
	transport_close(&server);
	return 0;
}

static void
send_byte(void)
{
	assert_int_equal(send(client, "x", 1, 0), 1);
}

static void
receive(ssize_t want)
{
	char buf[16];
	struct pipe p;

	if (!by_pipe) {
		assert_int_equal(
		    transport_recv(&server, buf, sizeof(buf)), want);
		return;
	}
	assert_int_equal(pipe_open(&p, 65536), 0);
	assert_int_equal(transport_splice(&server, &p, sizeof(buf)), want);
	if (want > 0)
		assert_int_equal(read(p.rd, buf, sizeof(buf)), want);
	pipe_close(&p);
}

/* The time at which something was sent lies between these two. */
static uint64_t before, after;

static void
send_late(void)
{
	before = clock_mono_ns();
	send_byte();
	after = clock_mono_ns();
	nap();
}

/* Most of what is left may be more than there is, and what is taken is gone. */
static void
a_pipe_takes_what_there_is(void **state)
{
	char buf[100];
	struct pipe p;

	(void)state;
	SKIP_PORTABLE("pipes");
	for (int stamped = 0; stamped < 2; stamped++) {
		server.stamped = stamped != 0;
		assert_int_equal(pipe_open(&p, 65536), 0);
		assert_int_equal(send(client, "abcdef", 6, 0), 6);
		nap();
		assert_int_equal(transport_splice(&server, &p, 4), 4);
		assert_int_equal(transport_splice(&server, &p, 65536), 2);
		assert_int_equal(transport_splice(&server, &p, 1), -EAGAIN);
		assert_int_equal(read(p.rd, buf, sizeof(buf)), 6);
		assert_memory_equal(buf, "abcdef", 6);
		pipe_close(&p);
	}
}

/* The bytes are still there. */
static void
a_system_that_refuses_is_not_asked_again(void **state)
{
	struct pipe file = {-1, open("/dev/null", O_WRONLY)};

	(void)state;
	SKIP_PORTABLE("pipes");
	assert_true(transport_splices(&server));
	send_late();
	assert_int_equal(transport_splice(&server, &file, 10), -EAGAIN);
	assert_false(transport_splices(&server));
	receive(1);
	close(file.wr);
}

static void
a_pipe_is_told_the_end(void **state)
{
	struct pipe p;

	(void)state;
	SKIP_PORTABLE("pipes");
	assert_int_equal(pipe_open(&p, 65536), 0);
	send_late();
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	nap();
	assert_int_equal(transport_splice(&server, &p, 10), 1);
	assert_int_equal(transport_splice(&server, &p, 10), 0);
	server.stamped = false;
	assert_int_equal(transport_splice(&server, &p, 10), 0);
	pipe_close(&p);
}

static void
it_is_known_when_bytes_came_that_were_read_late(void **state)
{
	const uint64_t slack = 50000; /* two clocks are compared */
	uint64_t came;

	(void)state;
	if (!knows)
		skip();
	for (int i = 0; i < 3; i++) {
		send_late();
		receive(1);
		came = transport_came_ns(&server);
		assert_true(came + slack >= before);
		assert_true(came <= after + slack);
	}
	/* What was not received does not change it. */
	receive(-EAGAIN);
	assert_true(transport_came_ns(&server) <= after + slack);
}

static void
read_together_they_came_with_the_last(void **state)
{
	(void)state;
	if (!knows)
		skip();
	send_late();
	send_late();
	receive(2);
	assert_true(transport_came_ns(&server) + 50000 >= before);
}

static void
time_for_which_bytes_lay_there_is_taken_off(void **state)
{
	uint64_t first;

	(void)state;
	if (!knows)
		skip();
	send_late();
	first = after;
	receive(1);
	assert_true(server.late_ns >= NAP_MS * NS_PER_MS / 2);
	send_late();
	receive(1);
	assert_true(server.late_ns >= NAP_MS * NS_PER_MS);
	/* Had the first been read at once, the second had come then. */
	assert_true(transport_would_come_ns(&server) <= first + 20000000);
	transport_forget_late(&server);
	assert_true(transport_would_come_ns(&server) + 50000 >= before);
	/* What comes while nothing lies there is not late. */
	receive(-EAGAIN);
	nap();
	send_byte();
	receive(1);
	assert_true(server.late_ns < NAP_MS * NS_PER_MS / 2);
}

static void
without_stamps_it_is_now(void **state)
{
	uint64_t now;

	(void)state;
	server.stamped = false;
	server.stamp_ns = server.late_ns = 0;
	send_late();
	now = clock_mono_ns();
	receive(1);
	assert_true(transport_came_ns(&server) >= now);
	assert_true(transport_would_come_ns(&server) >= now);
}

static void
without_stamps_it_is_when_they_were_received(void **state)
{
	uint64_t now;

	(void)state;
	server.stamped = false;
	server.timed = true;
	server.stamp_ns = server.late_ns = 0;
	for (int i = 0; i < 2; i++) {
		send_byte();
		now = clock_mono_ns();
		receive(1);
		assert_true(transport_came_ns(&server) >= now);
		now = clock_mono_ns();
		nap(); /* an upload's bytes are written, say */
		assert_true(transport_came_ns(&server) <= now);
		assert_true(transport_would_come_ns(&server) <= now);
	}
}

static void
a_moment_of_the_wall_clock_is_one_of_the_other(void **state)
{
	const uint64_t far = (CLOCK_AGO_MAX_S + 10) * NS_PER_S;
	uint64_t mono = clock_mono_ns(), wall = clock_wall_ns(), got;

	(void)state;
	got = clock_mono_of_wall(wall);
	assert_true(got + 50000 >= mono && got <= clock_mono_ns());
	assert_true(clock_mono_of_wall(wall - 1000000) + 900000 <= got + 50000);
	/* The clock was set: back, and forward. */
	got = clock_mono_of_wall(wall + far);
	assert_true(got >= mono && got <= clock_mono_ns());
	if (clock_mono_ns() > far) {
		got = clock_mono_of_wall(wall - far);
		assert_true(got + far >= mono);
	}
}

/* Until the other system says that it has all, and that it was all. */
static void
it_is_known_when_the_client_has_everything(void **state)
{
	int window = 32768, i;
	char much[65536] = "";
	struct iovec iov = {.iov_base = much, .iov_len = sizeof(much)};

	(void)state;
	if (!knows)
		skip();
	/* A small window takes long to empty what a large one holds. */
	assert_int_equal(
	    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window)),
	    0);
	assert_int_equal(setsockopt(server.fd, SOL_SOCKET, SO_SNDBUF, &window,
			     sizeof(window)),
	    0);
	while (transport_send(&server, &iov, 1) > 0)
		; /* more than the client's side takes unread */
	transport_shutdown(&server);
	nap();
	assert_false(transport_is_delivered(&server));
	while (recv(client, much, sizeof(much), 0) > 0)
		;
	for (i = 0; i < 1000 && !transport_is_delivered(&server); i++)
		usleep(1000);
	assert_true(transport_is_delivered(&server));
}

static void
of_a_unix_socket_nothing_is_known(void **state)
{
	struct transport t;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	transport_init_plain(&t, pair[0]);
	transport_shutdown(&t);
	assert_false(transport_is_delivered(&t));
	transport_close(&t);
	fd_close(&pair[1]);
}

static void
assert_client_gets(const char *want, size_t len)
{
	char got[4096];
	size_t at = 0;

	assert_true(len <= sizeof(got));
	while (at < len) {
		ssize_t n = recv(client, got + at, len - at, 0);

		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_memory_equal(got, want, len);
}

/* Of those in /proc the pages cannot be sent. */
static void
any_file_can_be_sent(void **state)
{
	static const char *const paths[] = {"/proc/version", "/etc/passwd"};
	char text[] = "head";
	struct iovec head = {.iov_base = text, .iov_len = 4};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		int fd = open(paths[i], O_RDONLY);
		char want[1024];
		ssize_t len = pread(fd, want, sizeof(want), 0);
		ssize_t n;

		assert_true(len > 30);
		n = transport_send_file(&server, &head, fd, 0, 20);
		assert_true(n == 4 || n == 24);
		assert_client_gets("head", 4);
		if (n == 4)
			n += transport_send_file(&server, NULL, fd, 0, 20);
		assert_int_equal(n, 24);
		assert_client_gets(want, 20);
		n = transport_send_file(&server, NULL, fd, 20, 10);
		assert_int_equal(n, 10);
		assert_client_gets(want + 20, 10);
		/* There is nothing behind its end. */
		assert_int_equal(
		    transport_send_file(&server, NULL, fd, 1 << 20, 10), 0);
		close(fd);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define BY_PIPE(name)                                                          \
	{                                                                      \
#name " (by a pipe)", name, set_up_by_pipe, tear_down, NULL    \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_known_when_bytes_came_that_were_read_late),
		TEST(read_together_they_came_with_the_last),
		TEST(time_for_which_bytes_lay_there_is_taken_off),
		TEST(without_stamps_it_is_now),
		TEST(without_stamps_it_is_when_they_were_received),
#if !IS_PORTABLE
		BY_PIPE(it_is_known_when_bytes_came_that_were_read_late),
		BY_PIPE(read_together_they_came_with_the_last),
		BY_PIPE(time_for_which_bytes_lay_there_is_taken_off),
		BY_PIPE(without_stamps_it_is_now),
		BY_PIPE(without_stamps_it_is_when_they_were_received),
#endif
		TEST(a_pipe_takes_what_there_is),
		TEST(a_system_that_refuses_is_not_asked_again),
		TEST(a_pipe_is_told_the_end),
		TEST(a_moment_of_the_wall_clock_is_one_of_the_other),
		TEST(it_is_known_when_the_client_has_everything),
		TEST(of_a_unix_socket_nothing_is_known),
		TEST(any_file_can_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
