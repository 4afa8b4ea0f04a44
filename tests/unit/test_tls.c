/*
 * The transport that speaks TLS, with OpenSSL's own client at the other end of a socket
 * pair: records cut anywhere, bytes inside while the descriptor is silent, writes that
 * are begun, ends of all kinds; names, client certificates, and sessions that are resumed
 * where they may be.
 */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "http/body.h"
#include "http/conn_internal.h"
#include "lib/cmocka_with.h"
#include "lib/directory.h"
#include "lib/flow.h"
#include "lib/tls.h"
#include "shared/ticket_keys.h"

enum {
	CHUNK = 1024,
	BODY = 50000,
	TURNS = 20000,
	FLOOD = 6000,	      /* records that have next to no content */
	IDLE_MAX = 16 * 1024, /* bytes of memory of an idle connection */
};

static char dir[128];
static struct test_certificate ours, other, rsa, ca, ann, bob, stranger;

static struct fixture {
	struct test_loop l;
	struct ticket_keys *keys;
	struct tls_context *contexts[2];
	struct tls_site sites[2];
	struct tls_port port;
	struct transport t;
	struct test_tls c;
	struct body body;
	struct test_flow flow;
	struct fake_sink sink;
	size_t piece; /* bytes that go to the server at a time */
	long taken;   /* memory, by calls of the transport */
} f;

/* ---- the time that OpenSSL sees ---- */

static time_t ahead_s;

time_t
time(time_t *ret)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	now.tv_sec += ahead_s;
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}

/* ---- memory that OpenSSL has ---- */

static long openssl_bytes;

static long
cost_of(void *p)
{
	return p != NULL ? (long)malloc_usable_size(p) + (long)sizeof(size_t)
			 : 0;
}

static void *
counted_malloc(size_t n, const char *file, int line)
{
	void *p = malloc(n);

	(void)file;
	(void)line;
	openssl_bytes += cost_of(p);
	return p;
}

static void *
counted_realloc(void *old, size_t n, const char *file, int line)
{
	long before = cost_of(old);
	void *p = realloc(old, n);

	(void)file;
	(void)line;
	if (p != NULL)
		openssl_bytes += cost_of(p) - before;
	return p;
}

static void
counted_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	openssl_bytes -= cost_of(p);
	free(p);
}

/* ---- both sides ---- */

static struct tls_context *
make_context(const struct test_certificate *cert, const char *identity)
{
	struct tls_context *c = tls_context_new();
	struct tls_fault fault;
	struct tls_pair pair;

	assert_non_null(c);
	if (tls_context_add_pair(c, cert->cert, cert->key, &pair, &fault) < 0)
		fail_msg("%s", fault.why);
	tls_context_resume(c, f.keys, identity, strlen(identity));
	return c;
}

static void
take_client_ca(struct tls_context *c, enum tls_verify how, const char *file)
{
	struct tls_fault fault;

	if (tls_context_verify(c, how, file, &fault) < 0)
		fail_msg("%s", fault.why);
	tls_context_resume(c, f.keys, "x", 1);
}

static void
connect_it(SSL_SESSION *session)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(transport_init_tls(&f.t, ends[0], &f.port), 0);
	test_tls_begin(&f.c, ends[1], session);
}

/* The server's side goes on: as transport_handshake(). */
static int
handshake(void)
{
	long before = openssl_bytes;
	int err = transport_handshake(&f.t);

	f.taken += openssl_bytes - before;
	return err;
}

/* Both sides go on until the handshake is done, or has failed: how. */
static int
greet(void)
{
	int err = -EAGAIN;

	for (int i = 0; i < TURNS && err == -EAGAIN; i++) {
		while (test_tls_push(&f.c, f.piece) > 0 && f.piece > 1000)
			;
		err = handshake();
		test_tls_hear(&f.c, 4096);
	}
	for (int i = 0; i < 3; i++)
		test_tls_hear(&f.c, 4096);
	return err;
}

static void
connect_well(void)
{
	connect_it(NULL);
	assert_int_equal(greet(), 0);
	assert_true(test_tls_is_ready(&f.c));
}

static void
hang_up(void)
{
	if (f.t.fd != -1)
		transport_close(&f.t);
	if (f.c.ssl != NULL)
		test_tls_end(&f.c);
	SSL_SESSION_free(f.c.session);
	f.c.session = NULL;
}

static int
set_up(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	ahead_s = 0;
	f.keys = ticket_keys_new(shm_new(ticket_keys_size()));
	f.contexts[0] = make_context(&ours, "first");
	f.contexts[1] = make_context(&other, "second");
	for (int i = 0; i < 2; i++) {
		f.sites[i].context = f.contexts[i];
		f.sites[i].owner = &f.contexts[i];
	}
	f.port = (struct tls_port){.sites = f.sites, .count = 2};
	f.piece = 4096;
	f.t.fd = f.c.fd = -1;
	test_loop_begin(&f.l, CHUNK, 64);
	fake_sink_begin(&f.sink, BODY, 1);
	flow_init(&f.flow.flow);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	flow_stop(&f.flow.flow);
	body_fini(&f.body);
	hang_up();
	tls_context_free(&f.contexts[0]);
	tls_context_free(&f.contexts[1]);
	test_loop_end(&f.l);
	return 0;
}

static void
make_certificates(void)
{
	test_certificate_make(
	    dir, &(struct test_certificate_plan){.name = "ours"}, &ours);
	test_certificate_make(
	    dir, &(struct test_certificate_plan){.name = "other"}, &other);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "rsa", .kind = "RSA"},
	    &rsa);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "ca", .authority = true},
	    &ca);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "ann", .issuer = &ca},
	    &ann);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "bob", .issuer = &ca},
	    &bob);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "stranger"}, &stranger);
}

/* ---- receiving ---- */

static void
on_turn(void)
{
	fake_sink_turn(&f.sink);
}

static bool
is_silent(void)
{
	struct pollfd p = {.fd = f.t.fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

static void
say_body(size_t from, size_t len)
{
	static unsigned char bytes[BODY];

	for (size_t i = 0; i < len; i++)
		bytes[i] = fake_byte(from + i);
	test_tls_say(&f.c, bytes, len);
}

static void
begin_flow(void)
{
	assert_int_equal(body_init_length(&f.body, &f.t, BODY, NULL, 0), 0);
	f.l.on_turn = on_turn;
	test_flow_start(&f.flow, &f.l,
	    &(struct flow_setup){
		.source = &f.body.source,
		.sink = &f.sink.sink,
		.queue_depth = 4,
		.write_depth = 1,
	    });
}

/* Let it flow while records come in pieces of f.piece. */
static void
flow_to_its_end(void)
{
	begin_flow();
	for (int i = 0; i < 4 * TURNS && !test_flow_has_ended(&f.flow); i++) {
		(void)test_tls_push(&f.c, f.piece);
		test_loop_turn(&f.l, 1);
	}
	assert_true(f.flow.drained);
	assert_int_equal(f.sink.len, BODY);
	assert_fake_bytes(f.sink.got, BODY);
}

static void
flow_of(int newest, size_t record, size_t piece)
{
	f.c.newest = newest;
	connect_well();
	for (size_t at = 0; at < BODY; at += record)
		say_body(at, record < BODY - at ? record : BODY - at);
	f.piece = piece;
	flow_to_its_end();
}

static void
a_body_comes_whole_in_1_3(void **state)
{
	(void)state;
	flow_of(0, 16384, 4096);
	assert_int_equal(SSL_version(f.c.ssl), TLS1_3_VERSION);
}

static void
a_body_comes_whole_in_1_2(void **state)
{
	(void)state;
	flow_of(TLS1_2_VERSION, 16384, 4096);
	assert_int_equal(SSL_version(f.c.ssl), TLS1_2_VERSION);
}

static void
records_are_cut_anywhere(void **state)
{
	(void)state;
	flow_of(0, 16384, 331);
}

static void
records_of_few_bytes(void **state)
{
	(void)state;
	flow_of(0, 7, 4096);
}

/* The answer to it waits for what the server sends next. */
static void
keys_are_changed_within_a_body(void **state)
{
	struct iovec hello = {(char *)(uintptr_t) "hello", 5};

	(void)state;
	connect_well();
	say_body(0, 20000);
	assert_int_equal(SSL_key_update(f.c.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	say_body(20000, BODY - 20000);
	flow_to_its_end();
	assert_int_equal(transport_send(&f.t, &hello, 1), 5);
	test_tls_hear(&f.c, 4096);
	assert_string_equal(f.c.got, "hello");
}

/* Also the handshake. */
static void
everything_comes_byte_by_byte(void **state)
{
	(void)state;
	f.piece = 1;
	connect_well();
	test_tls_say(&f.c, "hello", 5);
	for (int i = 0; i < 1000 && test_tls_push(&f.c, 1) > 0; i++) {
		char bytes[10];
		ssize_t n = transport_recv(&f.t, bytes, sizeof(bytes));

		if (n > 0)
			assert_true(n == 5 && memcmp(bytes, "hello", 5) == 0);
		else
			assert_int_equal(n, -EAGAIN);
		assert_false(f.t.holds);
	}
}

/* A body of one record, from a client with these limits. */
static void
begin_slow(const struct client_limits *limits)
{
	connect_well();
	assert_int_equal(body_init_length(&f.body, &f.t, 10000, NULL, 0), 0);
	f.l.on_turn = on_turn;
	test_flow_start(&f.flow, &f.l,
	    &(struct flow_setup){
		.source = &f.body.source,
		.sink = &f.sink.sink,
		.queue_depth = 4,
		.write_depth = 1,
		.limits = {.client = *limits},
	    });
}

/* Pieces of 100 bytes, one every `ms`. */
static void
trickle(unsigned count, unsigned ms)
{
	while (count-- > 0 && !test_flow_has_ended(&f.flow)) {
		assert_int_equal(test_tls_push(&f.c, 100), 100);
		usleep(ms * 1000);
		test_loop_turn(&f.l, 3);
	}
	assert_int_equal(f.body.payload, 0);
}

static void
push_the_rest(void)
{
	while (test_tls_push(&f.c, 4096) > 0)
		test_loop_turn(&f.l, 1);
	for (int i = 0; i < TURNS && !test_flow_has_ended(&f.flow); i++)
		test_loop_turn(&f.l, 1);
	assert_true(f.flow.drained);
	assert_fake_bytes(f.sink.got, 10000);
}

/* Its record takes longer than the silence that it may keep. */
static void
a_client_that_sends_a_record_slowly_is_not_silent(void **state)
{
	(void)state;
	begin_slow(&(struct client_limits){.silence_s = 0.5});
	say_body(0, 10000);
	trickle(35, 20);
	assert_false(test_flow_has_ended(&f.flow));
	push_the_rest();
}

/* Its rate is what it sends, and not when records become whole. */
static void
the_rate_of_a_client_counts_within_a_record(void **state)
{
	(void)state;
	begin_slow(
	    &(struct client_limits){.rate_min = 500, .rate_min_for_s = 0.2});
	say_body(0, 10000);
	trickle(35, 20);
	assert_false(test_flow_has_ended(&f.flow));
	push_the_rest();
}

static void
a_client_below_its_rate_is_told_from_within_a_record(void **state)
{
	(void)state;
	begin_slow(
	    &(struct client_limits){.rate_min = 100000, .rate_min_for_s = 0.2});
	say_body(0, 10000);
	trickle(35, 20);
	assert_true(test_flow_has_ended(&f.flow));
	assert_int_equal(f.flow.failed.outcome, OUTCOME_BELOW_RATE);
}

/* Two records in one receive, of which little is taken. */
static void
what_is_inside_is_told_though_the_descriptor_is_silent(void **state)
{
	char bytes[100];
	size_t got = 0;

	(void)state;
	connect_well();
	say_body(0, 300);
	say_body(300, 300);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	assert_true(transport_has_bytes(&f.t));
	while (got < 600) {
		ssize_t n = transport_recv(&f.t, bytes, sizeof(bytes));

		assert_int_equal(n, 100);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal((unsigned char)bytes[i],
			    fake_byte(got + (size_t)i));
		got += (size_t)n;
		assert_true(is_silent());
		assert_int_equal(f.t.holds, got < 600);
		assert_int_equal(transport_has_bytes(&f.t), got < 600);
	}
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), -EAGAIN);
}

static void
several_vectors_are_filled_one_after_the_other(void **state)
{
	unsigned char a[1000], b[20000], c[9000];
	struct iovec iov[] = {{a, sizeof(a)}, {b, sizeof(b)}, {c, sizeof(c)}};

	(void)state;
	connect_well();
	say_body(0, sizeof(a) + sizeof(b) + 500);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	assert_int_equal(
	    transport_recv_pieces(&f.t, iov, 3), sizeof(a) + sizeof(b) + 500);
	assert_fake_bytes(a, sizeof(a));
	assert_int_equal(b[0], fake_byte(sizeof(a)));
	assert_int_equal(c[499], fake_byte(sizeof(a) + sizeof(b) + 499));
	assert_false(f.t.holds);
}

/* A part of a record is nothing yet. */
static void
half_a_record_is_waited_for(void **state)
{
	char bytes[100];

	(void)state;
	connect_well();
	say_body(0, 100);
	assert_int_equal(test_tls_push(&f.c, 50), 50);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), -EAGAIN);
	assert_true(transport_inside(&f.t) == 50 && !f.t.holds);
	assert_int_equal(f.t.recv_wants, EV_READ);
	assert_true(is_silent());
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), -EAGAIN);
	assert_int_equal(transport_inside(&f.t), 50);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 100);
	assert_int_equal(transport_inside(&f.t), 0);
}

/* ---- clients that send what is no content ---- */

static size_t
unread(void)
{
	int n = 0;

	assert_int_equal(ioctl(f.t.fd, FIONREAD, &n), 0);
	return (size_t)n;
}

static void
flood(int count, int kind)
{
	for (int i = 0; i < count; i++) {
		assert_int_equal(SSL_key_update(f.c.ssl, kind), 1);
		assert_int_equal(SSL_do_handshake(f.c.ssl), 1);
	}
	while (test_tls_push(&f.c, 4096) > 0)
		;
}

/* Each costs a new key, and OpenSSL would go on for as long as they come. */
static void
key_updates_without_end_do_not_keep_a_call(void **state)
{
	char bytes[100];
	size_t left;
	int calls = 0;

	(void)state;
	connect_well();
	flood(FLOOD, SSL_KEY_UPDATE_NOT_REQUESTED);
	assert_true(unread() > 100000);
	for (; (left = unread()) > 0; calls++) {
		assert_int_equal(
		    transport_recv(&f.t, bytes, sizeof(bytes)), -EAGAIN);
		assert_true(unread() < left && left - unread() < 40000);
		assert_false(f.t.holds);
		assert_true(transport_inside(&f.t) < 17000);
	}
	assert_true(calls > 2);
	say_body(0, 10);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 10);
}

/* OpenSSL answers them before it reads on, and this client does not read: bytes that lie
 * in the socket then are nobody's fault but its own. */
static void
a_client_that_asks_for_keys_and_takes_none_is_silent(void **state)
{
	(void)state;
	begin_slow(&(struct client_limits){.silence_s = 0.2});
	flood(FLOOD, SSL_KEY_UPDATE_REQUESTED);
	for (int i = 0; i < 40 && !test_flow_has_ended(&f.flow); i++) {
		usleep(20000);
		test_loop_turn(&f.l, 3);
	}
	assert_true(test_flow_has_ended(&f.flow));
	assert_int_equal(f.flow.failed.outcome, OUTCOME_TOO_SLOW);
	assert_true(unread() > 0);
	assert_int_equal(f.t.recv_wants, EV_WRITE);
}

/* And goes on when they are taken. */
static void
a_client_that_asks_for_keys_gets_them(void **state)
{
	char bytes[100];
	ssize_t n = -EAGAIN;

	(void)state;
	connect_well();
	flood(FLOOD, SSL_KEY_UPDATE_REQUESTED);
	say_body(0, 10);
	for (int i = 0; i < TURNS && n == -EAGAIN; i++) {
		(void)test_tls_push(&f.c, 4096);
		n = transport_recv(&f.t, bytes, sizeof(bytes));
		test_tls_hear(&f.c, 4096);
	}
	assert_int_equal(n, 10);
}

/* It gets little for what the records cost. */
static void
records_of_one_byte_do_not_keep_a_call(void **state)
{
	static char bytes[BODY];
	size_t got = 0;

	(void)state;
	connect_well();
	for (size_t i = 0; i < FLOOD; i++)
		say_body(i, 1);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	while (got < FLOOD) {
		ssize_t n = transport_recv(&f.t, bytes + got, FLOOD - got);

		assert_true(n > 0 && n < 3000);
		got += (size_t)n;
		while (test_tls_push(&f.c, 4096) > 0)
			;
	}
	assert_fake_bytes((unsigned char *)bytes, FLOOD);
}

/* ---- ends ---- */

/* Its bytes come first, and nothing of the socket says that the end is there, too. */
static void
close_notify_is_the_end_and_the_client_can_be_answered(void **state)
{
	char bytes[100];

	(void)state;
	connect_well();
	say_body(0, 10);
	test_tls_say_end(&f.c);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 10);
	assert_true(is_silent() && f.t.holds);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 0);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 0);
	assert_int_equal(transport_send(&f.t,
			     &(struct iovec){(void *)(uintptr_t) "bye", 3}, 1),
	    3);
	transport_shutdown(&f.t);
	test_tls_hear(&f.c, 4096);
	assert_string_equal(f.c.got, "bye");
	assert_true(f.c.ended);
}

/* The FIN alone, behind a whole record or within one: what is whole came in any case. */
static void
an_end_without_close_notify_is_one_and_the_client_can_be_answered(void **state)
{
	char bytes[100];

	(void)state;
	connect_well();
	say_body(0, 10);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	say_body(10, 60);
	assert_int_equal(test_tls_push(&f.c, 20), 20);
	shutdown(f.c.fd, SHUT_WR);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 10);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 0);
	assert_int_equal(transport_send(&f.t,
			     &(struct iovec){(void *)(uintptr_t) "bye", 3}, 1),
	    3);
	transport_shutdown(&f.t);
	test_tls_hear(&f.c, 4096);
	assert_string_equal(f.c.got, "bye");
	assert_true(f.c.ended);
}

static void
a_record_that_was_tampered_with_is_an_error(void **state)
{
	char bytes[100];
	/* A record of application data, whose seal is not ours. */
	unsigned char forged[5 + 40] = {23, 3, 3, 0, 40};
	struct iovec bye = {(void *)(uintptr_t) "bye", 3};

	(void)state;
	connect_well();
	assert_int_equal(
	    send(f.c.fd, forged, sizeof(forged), 0), (ssize_t)sizeof(forged));
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), -EPROTO);
	assert_true(f.t.holds);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), -EPROTO);
	assert_true(transport_send(&f.t, &bye, 1) < 0);
	test_tls_hear(&f.c, 4096);
	assert_true(f.c.broke);
	transport_shutdown(&f.t);
}

/* The end is sent, and what the client still sends is received. */
static void
receiving_goes_on_after_our_end(void **state)
{
	char bytes[100];

	(void)state;
	connect_well();
	transport_shutdown(&f.t);
	test_tls_hear(&f.c, 4096);
	assert_true(f.c.ended);
	say_body(0, 10);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 10);
}

/* A client that idles is told; one that has left is not written to. */
static void
closing_says_close_notify_to_a_client_that_is_there(void **state)
{
	(void)state;
	connect_well();
	transport_close(&f.t);
	test_tls_hear(&f.c, 4096);
	assert_true(f.c.ended);
}

/* A body whose end is that of the stream would look whole. */
static void
closing_says_nothing_where_something_is_missing(void **state)
{
	(void)state;
	connect_well();
	f.t.cut = true;
	transport_close(&f.t);
	test_tls_hear(&f.c, 4096);
	assert_false(f.c.ended);
}

/* ---- sending ---- */

static const unsigned char *
answer(void)
{
	static unsigned char bytes[BODY];

	for (size_t i = 0; i < BODY; i++)
		bytes[i] = fake_byte(i);
	return bytes;
}

static void
make_socket_small(void)
{
	int small = 1;

	assert_int_equal(
	    setsockopt(f.t.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    0);
}

/* So much of `bytes` as vectors that begin at `from`, cut at odd places: how many. */
static int
cut(const unsigned char *bytes, size_t from, size_t turn, struct iovec iov[4])
{
	size_t parts[] = {1 + turn % 3000, 0, 5000};
	int count = 0;

	for (size_t i = 0; i < 3 && from < BODY; i++) {
		size_t len = parts[i] < BODY - from ? parts[i] : BODY - from;

		iov[count++] =
		    (struct iovec){(void *)(uintptr_t)(bytes + from), len};
		from += len;
	}
	if (from < BODY)
		iov[count++] = (struct iovec){
		    (void *)(uintptr_t)(bytes + from), BODY - from};
	return count;
}

/* The client takes little at a time, and the same bytes lie elsewhere each time. */
static void
send_bit_by_bit(void)
{
	const unsigned char *bytes = answer();
	struct iovec iov[4];
	size_t sent = 0;
	unsigned waits = 0;

	connect_well();
	make_socket_small();
	for (size_t i = 0; i < TURNS && sent < BODY; i++) {
		int count = cut(bytes, sent, i * 7, iov);
		ssize_t n = transport_send(&f.t, iov, count);

		if (n > 0)
			sent += (size_t)n;
		else
			assert_int_equal(n, -EAGAIN);
		waits += f.t.committed;
		test_tls_hear(&f.c, 500);
	}
	assert_int_equal(sent, BODY);
	assert_true(waits > 5);
	assert_false(f.t.committed);
	for (int i = 0; i < TURNS && f.c.len < BODY; i++)
		test_tls_hear(&f.c, 4096);
	assert_int_equal(f.c.len, BODY);
	assert_fake_bytes((unsigned char *)f.c.got, BODY);
}

static void
what_it_has_begun_to_send_comes_again_and_goes_out_once(void **state)
{
	(void)state;
	send_bit_by_bit();
}

/* It may ask for records of 512 bytes at most, and for one of 16 KiB it gets many. */
static void
a_client_that_takes_short_records_gets_all_the_same(void **state)
{
	(void)state;
	f.c.fragment = TLSEXT_max_fragment_length_512;
	for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
		f.c.newest = v;
		send_bit_by_bit();
		hang_up();
	}
}

/* A cut answer must not look whole: its end is a bare FIN. */
static void
an_answer_that_is_cut_has_no_close_notify(void **state)
{
	struct iovec iov = {(void *)(uintptr_t)answer(), BODY};
	ssize_t n;

	(void)state;
	connect_well();
	make_socket_small();
	do
		n = transport_send(&f.t, &iov, 1);
	while (n > 0);
	assert_true(transport_is_committed(&f.t));
	transport_shutdown(&f.t);
	for (int i = 0; i < TURNS; i++)
		test_tls_hear(&f.c, 4096);
	assert_false(f.c.ended);
}

/* No room for the end: receiving sends it, and waits for room until then. */
static void
an_end_for_which_there_is_no_room_goes_out_later(void **state)
{
	size_t filled = 0;
	char byte, bytes[100];

	(void)state;
	connect_well();
	make_socket_small();
	while (send(f.t.fd, "x", 1, MSG_DONTWAIT) == 1)
		filled++;
	transport_shutdown(&f.t);
	assert_int_equal(f.t.recv_wants, EV_READ | EV_WRITE);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), -EAGAIN);
	assert_int_equal(f.t.recv_wants, EV_READ | EV_WRITE);
	while (filled-- > 0)
		assert_int_equal(recv(f.c.fd, &byte, 1, 0), 1);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), -EAGAIN);
	assert_int_equal(f.t.recv_wants, EV_READ);
	test_tls_hear(&f.c, 4096);
	assert_true(f.c.ended);
}

/* ---- handshakes ---- */

static void
what_is_no_tls_is_left_unread(void **state)
{
	static const char text[] = "PATCH /file/a HTTP/1.1\r\n";
	char bytes[100];

	(void)state;
	connect_it(NULL);
	assert_int_equal(transport_handshake(&f.t), -EAGAIN);
	assert_false(tls_has_begun(&f.t));
	assert_int_equal(
	    send(f.c.fd, text, strlen(text), 0), (ssize_t)strlen(text));
	assert_int_equal(transport_handshake(&f.t), -EPROTONOSUPPORT);
	transport_become_plain(&f.t);
	assert_false(tls_is(&f.t));
	assert_int_equal(
	    transport_recv(&f.t, bytes, sizeof(bytes)), (ssize_t)strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

static void
a_client_that_is_too_old_is_told_by_an_alert(void **state)
{
	(void)state;
	f.c.newest = TLS1_2_VERSION;
	assert_int_equal(tls_context_set_versions(f.contexts[0], TLS_V1_3), 0);
	connect_it(NULL);
	assert_int_equal(greet(), -EPROTO);
	assert_string_equal(tls_why(&f.t), "unsupported protocol");
	assert_true(f.c.broke);
}

static void
a_client_that_leaves_within_the_handshake_is_gone(void **state)
{
	(void)state;
	connect_it(NULL);
	assert_int_equal(test_tls_push(&f.c, 50), 50);
	assert_int_equal(transport_handshake(&f.t), -EAGAIN);
	assert_true(tls_has_begun(&f.t));
	shutdown(f.c.fd, SHUT_WR);
	assert_int_equal(transport_handshake(&f.t), -ECONNRESET);
}

static void
http_1_1_is_chosen_and_h2_alone_is_refused(void **state)
{
	static const unsigned char both[] = "\x02h2\x08http/1.1";
	const unsigned char *chosen;
	unsigned len;

	(void)state;
	f.c.protocols = both;
	f.c.protocols_len = sizeof(both) - 1;
	connect_well();
	SSL_get0_alpn_selected(f.c.ssl, &chosen, &len);
	assert_true(len == 8 && memcmp(chosen, "http/1.1", 8) == 0);
	hang_up();
	f.c.protocols_len = 3;
	connect_it(NULL);
	assert_int_equal(greet(), -EPROTO);
	assert_true(f.c.broke);
}

static void
assert_chosen(int site, const char *subject)
{
	X509 *x = SSL_get0_peer_certificate(f.c.ssl);
	char cn[64];

	assert_ptr_equal(tls_owner(&f.t), &f.contexts[site]);
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(x),
			NID_commonName, cn, sizeof(cn)) > 0);
	assert_string_equal(cn, subject);
}

/* The first is for clients that name none, or one that is unknown. */
static void
the_name_chooses_the_site(void **state)
{
	static char *const names[] = {(char *)(uintptr_t) "*.example.org",
	    (char *)(uintptr_t) "b.example"};
	static char *const whole[] = {(char *)(uintptr_t) "whole.example.org"};
	static const struct {
		const char *name;
		int site;
	} rows[] = {
	    {NULL, 0},
	    {"nobody.example", 0},
	    {"b.example", 1},
	    {"B.Example", 1},
	    {"x.example.org", 1},
	    {"whole.example.org", 0},
	};

	(void)state;
	f.sites[0].names = whole;
	f.sites[0].name_count = 1;
	f.sites[1].names = names;
	f.sites[1].name_count = 2;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
			f.c.name = rows[i].name;
			f.c.newest = v;
			connect_well();
			assert_chosen(
			    rows[i].site, rows[i].site ? "other" : "ours");
			hang_up();
		}
	}
}

/* Not those of the block that happens to be the first. */
static void
versions_are_those_of_the_chosen_site(void **state)
{
	static char *const names[] = {(char *)(uintptr_t) "b.example"};

	(void)state;
	f.sites[1].names = names;
	f.sites[1].name_count = 1;
	assert_int_equal(tls_context_set_versions(f.contexts[0], TLS_V1_3), 0);
	assert_int_equal(tls_context_set_versions(f.contexts[1], TLS_V1_2), 0);
	connect_well();
	assert_int_equal(SSL_version(f.c.ssl), TLS1_3_VERSION);
	hang_up();
	f.c.name = "b.example";
	connect_well();
	assert_int_equal(SSL_version(f.c.ssl), TLS1_2_VERSION);
}

static void
a_client_gets_the_kind_of_certificate_that_it_can_use(void **state)
{
	struct tls_fault fault;
	struct tls_pair pair;

	(void)state;
	assert_int_equal(tls_context_add_pair(
			     f.contexts[0], rsa.cert, rsa.key, &pair, &fault),
	    0);
	f.c.newest = TLS1_2_VERSION;
	connect_it(NULL);
	/* From the start: with ciphers of RSA only. */
	SSL_free(f.c.ssl);
	f.c.ssl = SSL_new(f.c.ctx);
	SSL_set_app_data(f.c.ssl, &f.c);
	assert_int_equal(SSL_set_cipher_list(f.c.ssl, "aRSA"), 1);
	SSL_set_bio(f.c.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(f.c.ssl), -1);
	SSL_set_connect_state(f.c.ssl);
	test_tls_hear(&f.c, 1);
	assert_int_equal(greet(), 0);
	assert_chosen(0, "rsa");
}

/* ---- who the client is ---- */

static void
a_good_client_certificate_has_a_name(void **state)
{
	char why[TLS_WHY_MAX];

	(void)state;
	take_client_ca(f.contexts[0], TLS_VERIFY_ON, ca.cert);
	f.c.own = &ann;
	for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
		f.c.newest = v;
		connect_well();
		assert_string_equal(tls_client_name(&f.t), "CN=ann");
		assert_false(tls_refuses(&f.t, why));
		hang_up();
	}
}

/* The handshake is done, so that the client can be told. */
static void
a_bad_client_certificate_or_none_is_to_be_refused(void **state)
{
	char why[TLS_WHY_MAX];

	(void)state;
	take_client_ca(f.contexts[0], TLS_VERIFY_ON, ca.cert);
	connect_well();
	assert_null(tls_client_name(&f.t));
	assert_true(tls_refuses(&f.t, why));
	assert_non_null(strstr(why, "none came"));
	hang_up();
	f.c.own = &stranger;
	connect_well();
	assert_null(tls_client_name(&f.t));
	assert_true(tls_refuses(&f.t, why));
	assert_non_null(strstr(why, "self-signed"));
}

static void
an_optional_one_may_be_missing_but_not_bad(void **state)
{
	char why[TLS_WHY_MAX];

	(void)state;
	take_client_ca(f.contexts[0], TLS_VERIFY_OPTIONAL, ca.cert);
	connect_well();
	assert_false(tls_refuses(&f.t, why));
	hang_up();
	f.c.own = &stranger;
	connect_well();
	assert_true(tls_refuses(&f.t, why));
}

static void
revoke_with(const struct test_certificate *revoked, bool too_old)
{
	struct tls_fault fault;
	char path[200];
	int64_t left_s;

	snprintf(path, sizeof(path), "%s/crl", dir);
	test_revocations_make(path, &ca, revoked, too_old ? -5 : 3600);
	take_client_ca(f.contexts[0], TLS_VERIFY_ON, ca.cert);
	assert_int_equal(
	    tls_context_revoke(f.contexts[0], path, &left_s, &fault), 0);
	assert_in_range(left_s + 10, too_old ? 0 : 3600, too_old ? 10 : 3610);
	tls_context_resume(f.contexts[0], f.keys, "x", 1);
}

static void
assert_refused(const char *text)
{
	char why[TLS_WHY_MAX];

	connect_well();
	assert_null(tls_client_name(&f.t));
	assert_true(tls_refuses(&f.t, why));
	if (strstr(why, text) == NULL)
		fail_msg("%s, and not %s", why, text);
	hang_up();
}

static void
a_revoked_certificate_is_refused_and_others_are_good(void **state)
{
	(void)state;
	revoke_with(&ann, false);
	f.c.own = &ann;
	assert_refused("revoked");
	f.c.own = &bob;
	connect_well();
	assert_string_equal(tls_client_name(&f.t), "CN=bob");
}

static void
a_list_of_revocations_that_is_too_old_vouches_for_nobody(void **state)
{
	(void)state;
	revoke_with(NULL, true);
	f.c.own = &ann;
	assert_refused("CRL has expired");
}

static void
what_is_no_list_of_revocations_is_told(void **state)
{
	struct tls_fault fault;
	int64_t left_s;

	(void)state;
	assert_int_equal(
	    tls_context_revoke(f.contexts[0], ca.cert, &left_s, &fault),
	    -EINVAL);
	assert_non_null(strstr(fault.why, "no revocation list in it"));
	assert_int_equal(
	    tls_context_revoke(f.contexts[0], "/nowhere/x", &left_s, &fault),
	    -EINVAL);
	assert_non_null(strstr(fault.why, "No such file"));
}

/* Another authority's list, and one of the same name that another key has signed. */
static void
a_list_of_another_authority_is_no_list(void **state)
{
	struct test_certificate foreign;
	struct tls_fault fault;
	char sub[200], path[200];
	int64_t left_s;

	(void)state;
	snprintf(path, sizeof(path), "%s/crl", dir);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	(void)mkdir(sub, 0700);
	for (int row = 0; row < 2; row++) {
		test_certificate_make(row == 0 ? dir : sub,
		    &(struct test_certificate_plan){
			.name = row == 0 ? "another" : "ca", .authority = true},
		    &foreign);
		test_revocations_make(path, &foreign, NULL, 3600);
		take_client_ca(f.contexts[0], TLS_VERIFY_ON, ca.cert);
		assert_int_equal(
		    tls_context_revoke(f.contexts[0], path, &left_s, &fault),
		    -EINVAL);
		assert_non_null(
		    strstr(fault.why, "it has no list that CN=ca has signed"));
	}
}

/* Authorities for clients are none of its business. */
static void
a_client_gets_the_certificates_of_the_file_and_no_others(void **state)
{
	(void)state;
	tls_context_free(&f.contexts[0]);
	f.contexts[0] = make_context(&bob, "first");
	f.sites[0].context = f.contexts[0];
	take_client_ca(f.contexts[0], TLS_VERIFY_OPTIONAL, ca.cert);
	connect_well();
	assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(f.c.ssl)), 1);
}

/* ---- sessions ---- */

/* The ticket of a connection, which ends. */
static SSL_SESSION *
ticket_of_one(void)
{
	SSL_SESSION *s;

	connect_well();
	test_tls_say(&f.c, "x", 1);
	test_tls_hear(&f.c, 4096);
	s = f.c.session;
	assert_non_null(s);
	f.c.session = NULL;
	hang_up();
	return s;
}

/* OpenSSL's client does not use one again after it got another for it: it has a copy. */
static bool
resumes(SSL_SESSION *session)
{
	SSL_SESSION *copy = SSL_SESSION_dup(session);
	bool reused;

	assert_non_null(copy);
	connect_it(copy);
	assert_int_equal(greet(), 0);
	reused = SSL_session_reused(f.c.ssl);
	hang_up();
	SSL_SESSION_free(copy);
	return reused;
}

/* As browsers and Java do it with TLS 1.3. */
static void
a_client_that_uses_each_ticket_once_gets_another(void **state)
{
	SSL_SESSION *session;

	(void)state;
	f.c.newest = TLS1_3_VERSION;
	session = ticket_of_one();
	for (int i = 0; i < 3; i++) {
		connect_it(session);
		assert_int_equal(greet(), 0);
		assert_true(SSL_session_reused(f.c.ssl));
		test_tls_say(&f.c, "x", 1);
		test_tls_hear(&f.c, 4096);
		SSL_SESSION_free(session);
		session = f.c.session;
		assert_non_null(session);
		f.c.session = NULL;
		hang_up();
	}
	SSL_SESSION_free(session);
}

/* It could be sent again by anybody who has seen it (RFC 8446 8). */
static void
what_comes_before_the_handshake_is_not_taken(void **state)
{
	SSL_SESSION *session;
	char bytes[16];

	(void)state;
	session = ticket_of_one();
	assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
	assert_int_equal(SSL_SESSION_set_max_early_data(session, 1000), 1);
	f.c.early = "early";
	connect_it(session);
	assert_int_equal(greet(), 0);
	assert_true(SSL_session_reused(f.c.ssl));
	assert_int_equal(
	    SSL_get_early_data_status(f.c.ssl), SSL_EARLY_DATA_REJECTED);
	test_tls_say(&f.c, "later", 5);
	(void)test_tls_push(&f.c, 4096);
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 5);
	assert_memory_equal(bytes, "later", 5);
	SSL_SESSION_free(session);
}

/* New contexts, with the same keys. */
static void
a_session_outlives_a_reload(void **state)
{
	(void)state;
	for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
		SSL_SESSION *session;

		f.c.newest = v;
		session = ticket_of_one();
		tls_context_free(&f.contexts[0]);
		f.contexts[0] = make_context(&ours, "first");
		f.sites[0].context = f.contexts[0];
		assert_true(resumes(session));
		SSL_SESSION_free(session);
	}
}

static void
a_session_of_one_site_is_none_of_another(void **state)
{
	static char *const names[] = {(char *)(uintptr_t) "b.example"};

	(void)state;
	f.sites[1].names = names;
	f.sites[1].name_count = 1;
	for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
		SSL_SESSION *first, *second;

		f.c.newest = v;
		f.c.name = "b.example";
		second = ticket_of_one();
		assert_true(resumes(second));
		f.c.name = NULL;
		first = ticket_of_one();
		assert_true(resumes(first));
		assert_false(resumes(second));
		f.c.name = "b.example";
		assert_false(resumes(first));
		SSL_SESSION_free(first);
		SSL_SESSION_free(second);
	}
}

/* And has a name as before. */
static void
a_session_with_a_client_certificate_is_resumed_with_it(void **state)
{
	(void)state;
	take_client_ca(f.contexts[0], TLS_VERIFY_ON, ca.cert);
	f.c.own = &ann;
	for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
		SSL_SESSION *session;

		f.c.newest = v;
		session = ticket_of_one();
		connect_it(session);
		assert_int_equal(greet(), 0);
		assert_true(SSL_session_reused(f.c.ssl));
		assert_string_equal(tls_client_name(&f.t), "CN=ann");
		hang_up();
		SSL_SESSION_free(session);
	}
}

/* Nor is it the end of the client, which may have got another one. */
static void
a_session_ends_with_the_certificate_of_its_client(void **state)
{
	struct test_certificate brief;
	SSL_SESSION *session[2];

	(void)state;
	test_certificate_make(dir,
	    &(struct test_certificate_plan){
		.name = "brief", .issuer = &ca, .from_s = -60, .to_s = 1000},
	    &brief);
	take_client_ca(f.contexts[0], TLS_VERIFY_ON, ca.cert);
	f.c.own = &brief;
	for (int i = 0; i < 2; i++) {
		f.c.newest = i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
		session[i] = ticket_of_one();
		assert_true(resumes(session[i]));
	}
	ahead_s = 1001;
	f.c.own = &ann;
	for (int i = 0; i < 2; i++) {
		f.c.newest = i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
		connect_it(session[i]);
		assert_int_equal(greet(), 0);
		assert_false(SSL_session_reused(f.c.ssl));
		assert_string_equal(tls_client_name(&f.t), "CN=ann");
		hang_up();
		SSL_SESSION_free(session[i]);
	}
}

static void
a_session_ends_when_another_authority_vouches_for_clients(void **state)
{
	SSL_SESSION *session;

	(void)state;
	take_client_ca(f.contexts[0], TLS_VERIFY_ON, ca.cert);
	f.c.own = &ann;
	session = ticket_of_one();
	tls_context_free(&f.contexts[0]);
	f.contexts[0] = make_context(&ours, "first");
	take_client_ca(f.contexts[0], TLS_VERIFY_ON, stranger.cert);
	f.sites[0].context = f.contexts[0];
	assert_false(resumes(session));
	SSL_SESSION_free(session);
}

/* One that was revoked meanwhile would come back for an hour, and then again. */
static void
a_session_ends_when_certificates_are_revoked(void **state)
{
	SSL_SESSION *session;

	(void)state;
	revoke_with(NULL, false);
	f.c.own = &ann;
	session = ticket_of_one();
	assert_true(resumes(session));
	tls_context_free(&f.contexts[0]);
	f.contexts[0] = make_context(&ours, "first");
	f.sites[0].context = f.contexts[0];
	revoke_with(&bob, false);
	assert_false(resumes(session));
	SSL_SESSION_free(session);
}

static void
without_tickets_no_session_is_resumed(void **state)
{
	(void)state;
	tls_context_resume(f.contexts[0], NULL, "x", 1);
	for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
		SSL_SESSION *session;

		f.c.newest = v;
		connect_well();
		test_tls_say(&f.c, "x", 1);
		session = SSL_get1_session(f.c.ssl);
		hang_up();
		assert_false(resumes(session));
		SSL_SESSION_free(session);
	}
}

/* ---- files ---- */

static void
assert_fault(const char *cert, const char *key, bool of_key, const char *text)
{
	struct tls_context *c = tls_context_new();
	struct tls_fault fault;
	struct tls_pair pair;

	assert_int_equal(
	    tls_context_add_pair(c, cert, key, &pair, &fault), -EINVAL);
	assert_int_equal(fault.of_key, of_key);
	if (strstr(fault.why, text) == NULL)
		fail_msg("%s, and not %s", fault.why, text);
	tls_context_free(&c);
}

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
encrypt_key(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	EVP_PKEY *k = PEM_read_PrivateKey(in, NULL, NULL, NULL);

	assert_int_equal(PEM_write_PKCS8PrivateKey(out, k, EVP_aes_256_cbc(),
			     "secret", 6, NULL, NULL),
	    1);
	EVP_PKEY_free(k);
	fclose(in);
	fclose(out);
}

static void
what_is_wrong_with_files_is_told(void **state)
{
	char junk[200], cut[200], locked[200], binary[200], cut_key[200];

	(void)state;
	snprintf(junk, sizeof(junk), "%s/junk", dir);
	snprintf(cut, sizeof(cut), "%s/cut", dir);
	snprintf(locked, sizeof(locked), "%s/locked", dir);
	write_text(junk, "nothing\n");
	write_text(cut,
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	encrypt_key(ours.key, locked);
	snprintf(binary, sizeof(binary), "%s/binary", dir);
	snprintf(cut_key, sizeof(cut_key), "%s/cut_key", dir);
	write_text(binary, "\x30\x77\x01\x02");
	write_text(cut_key,
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	assert_fault("/nowhere/x", ours.key, false, "No such file");
	assert_fault(dir, ours.key, false, "Is a directory");
	assert_fault(junk, ours.key, false, "no certificate in it");
	assert_fault(cut, ours.key, false, "cannot be read");
	assert_fault(ours.key, ours.key, false, "no certificate in it");
	assert_fault(ours.cert, "/nowhere/x", true, "No such file");
	assert_fault(ours.cert, junk, true, "no private key in it");
	assert_fault(ours.cert, ours.cert, true, "no private key in it");
	assert_fault(ours.cert, locked, true, "encrypted");
	assert_fault(binary, ours.key, false, "binary");
	assert_fault(ours.cert, binary, true, "binary");
	assert_fault(ours.cert, cut_key, true, "cannot be read as a key");
	assert_fault(ours.cert, other.key, true, "not the key");
	assert_fault(ours.cert, rsa.key, true, "not the key");
}

static void
a_second_pair_of_a_kind_is_refused(void **state)
{
	struct tls_fault fault;
	struct tls_pair pair;

	(void)state;
	assert_int_equal(tls_context_add_pair(f.contexts[0], other.cert,
			     other.key, &pair, &fault),
	    -EINVAL);
	assert_non_null(strstr(fault.why, "id-ecPublicKey"));
}

static void
when_it_expires_and_who_may_read_the_key_is_told(void **state)
{
	struct tls_context *c = tls_context_new();
	struct test_certificate old;
	struct tls_fault fault;
	struct tls_pair pair;

	(void)state;
	assert_int_equal(chmod(ours.key, 0644), 0);
	assert_int_equal(
	    tls_context_add_pair(c, ours.cert, ours.key, &pair, &fault), 0);
	assert_int_equal(chmod(ours.key, 0600), 0);
	assert_true(pair.left_s > 3000 && pair.left_s <= 3600);
	assert_false(pair.too_early);
	assert_int_equal(pair.key_mode & 0777, 0644);
	tls_context_free(&c);
	c = tls_context_new();
	test_certificate_make(dir,
	    &(struct test_certificate_plan){
		.name = "old", .from_s = -7200, .to_s = -3600},
	    &old);
	assert_int_equal(
	    tls_context_add_pair(c, old.cert, old.key, &pair, &fault), 0);
	assert_true(pair.left_s < -3000 && pair.left_s >= -3610);
	tls_context_free(&c);
}

static void
join_files(const char *to, const char *a, const char *b)
{
	const char *from[] = {a, b};
	FILE *out = fopen(to, "w");
	char line[200];

	for (int i = 0; i < 2; i++) {
		FILE *in = fopen(from[i], "r");

		while (fgets(line, sizeof(line), in) != NULL)
			fputs(line, out);
		fclose(in);
	}
	fclose(out);
}

/* In a file without its root it would let in nobody. */
static void
an_authority_without_its_root_is_a_mistake(void **state)
{
	struct test_certificate below, cid;
	struct tls_fault fault;
	char both[200];

	(void)state;
	test_certificate_make(dir,
	    &(struct test_certificate_plan){
		.name = "below", .issuer = &ca, .authority = true},
	    &below);
	assert_int_equal(tls_context_verify(
			     f.contexts[0], TLS_VERIFY_ON, below.cert, &fault),
	    -EINVAL);
	assert_non_null(strstr(
	    fault.why, "who has signed the authority CN=below is not in it"));
	snprintf(both, sizeof(both), "%s/both", dir);
	join_files(both, below.cert, ca.cert);
	take_client_ca(f.contexts[0], TLS_VERIFY_ON, both);
	test_certificate_make(dir,
	    &(struct test_certificate_plan){.name = "cid", .issuer = &below},
	    &cid);
	f.c.own = &cid;
	connect_well();
	assert_string_equal(tls_client_name(&f.t), "CN=cid");
}

/* As a client that knows only roots would see it. */
static void
what_is_wrong_with_a_chain_is_told(void **state)
{
	struct test_certificate public;
	struct tls_context *c;
	struct tls_fault fault;
	struct tls_pair pair;
	char path[200];

	(void)state;
	test_certificate_make(dir,
	    &(struct test_certificate_plan){
		.name = "public", .issuer = &ca, .of_authority = true},
	    &public);
	snprintf(path, sizeof(path), "%s/chain", dir);
	for (int row = 0; row < 4; row++) {
		c = tls_context_new();
		join_files(path, public.cert,
		    row == 0   ? ca.cert
		    : row == 1 ? ours.cert
			       : "/dev/null");
		assert_int_equal(
		    tls_context_add_pair(c, row < 3 ? path : ann.cert,
			row < 3 ? public.key : ann.key, &pair, &fault),
		    0);
		assert_int_equal(pair.disordered, row == 1);
		assert_int_equal(pair.alone, row == 2);
		tls_context_free(&c);
	}
}

static void
ciphers_are_tried(void **state)
{
	struct tls_fault fault;

	(void)state;
	assert_int_equal(
	    tls_context_set_ciphers(f.contexts[0], "ECDHE+AESGCM", &fault), 0);
	assert_int_equal(
	    tls_context_set_ciphers(f.contexts[0], "nonsense", &fault),
	    -EINVAL);
}

/* ---- memory ---- */

/* What the client's side takes is not counted. */
static void
an_idle_connection_takes_little_memory(void **state)
{
	char bytes[100];
	long before;

	(void)state;
	connect_well(); /* what is made once */
	hang_up();
	f.taken = 0;
	connect_well();
	test_tls_say(&f.c, "hello", 5);
	while (test_tls_push(&f.c, 4096) > 0)
		;
	before = openssl_bytes;
	assert_int_equal(transport_recv(&f.t, bytes, sizeof(bytes)), 5);
	f.taken += openssl_bytes - before;
	print_message("%ld bytes\n", f.taken);
	assert_true(
	    f.taken > 7000 && f.taken + (long)sizeof(struct conn) <= IDLE_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_body_comes_whole_in_1_3),
	    TEST(a_body_comes_whole_in_1_2),
	    TEST(records_are_cut_anywhere),
	    TEST(records_of_few_bytes),
	    TEST(keys_are_changed_within_a_body),
	    TEST(everything_comes_byte_by_byte),
	    TEST(a_client_that_sends_a_record_slowly_is_not_silent),
	    TEST(the_rate_of_a_client_counts_within_a_record),
	    TEST(a_client_below_its_rate_is_told_from_within_a_record),
	    TEST(what_is_inside_is_told_though_the_descriptor_is_silent),
	    TEST(several_vectors_are_filled_one_after_the_other),
	    TEST(half_a_record_is_waited_for),
	    TEST(key_updates_without_end_do_not_keep_a_call),
	    TEST(a_client_that_asks_for_keys_and_takes_none_is_silent),
	    TEST(a_client_that_asks_for_keys_gets_them),
	    TEST(records_of_one_byte_do_not_keep_a_call),
	    TEST(close_notify_is_the_end_and_the_client_can_be_answered),
	    TEST(
		an_end_without_close_notify_is_one_and_the_client_can_be_answered),
	    TEST(a_record_that_was_tampered_with_is_an_error),
	    TEST(receiving_goes_on_after_our_end),
	    TEST(closing_says_close_notify_to_a_client_that_is_there),
	    TEST(closing_says_nothing_where_something_is_missing),
	    TEST(what_it_has_begun_to_send_comes_again_and_goes_out_once),
	    TEST(a_client_that_takes_short_records_gets_all_the_same),
	    TEST(an_answer_that_is_cut_has_no_close_notify),
	    TEST(an_end_for_which_there_is_no_room_goes_out_later),
	    TEST(what_is_no_tls_is_left_unread),
	    TEST(a_client_that_is_too_old_is_told_by_an_alert),
	    TEST(a_client_that_leaves_within_the_handshake_is_gone),
	    TEST(http_1_1_is_chosen_and_h2_alone_is_refused),
	    TEST(the_name_chooses_the_site),
	    TEST(versions_are_those_of_the_chosen_site),
	    TEST(a_client_gets_the_kind_of_certificate_that_it_can_use),
	    TEST(a_good_client_certificate_has_a_name),
	    TEST(a_bad_client_certificate_or_none_is_to_be_refused),
	    TEST(an_optional_one_may_be_missing_but_not_bad),
	    TEST(a_client_that_uses_each_ticket_once_gets_another),
	    TEST(what_comes_before_the_handshake_is_not_taken),
	    TEST(an_authority_without_its_root_is_a_mistake),
	    TEST(a_revoked_certificate_is_refused_and_others_are_good),
	    TEST(a_list_of_another_authority_is_no_list),
	    TEST(a_list_of_revocations_that_is_too_old_vouches_for_nobody),
	    TEST(what_is_no_list_of_revocations_is_told),
	    TEST(a_client_gets_the_certificates_of_the_file_and_no_others),
	    TEST(a_session_outlives_a_reload),
	    TEST(a_session_of_one_site_is_none_of_another),
	    TEST(a_session_with_a_client_certificate_is_resumed_with_it),
	    TEST(a_session_ends_with_the_certificate_of_its_client),
	    TEST(a_session_ends_when_another_authority_vouches_for_clients),
	    TEST(a_session_ends_when_certificates_are_revoked),
	    TEST(without_tickets_no_session_is_resumed),
	    TEST(what_is_wrong_with_files_is_told),
	    TEST(a_second_pair_of_a_kind_is_refused),
	    TEST(when_it_expires_and_who_may_read_the_key_is_told),
	    TEST(what_is_wrong_with_a_chain_is_told),
	    TEST(ciphers_are_tried),
	    TEST(an_idle_connection_takes_little_memory),
	};
	int failed;

	/* Before it allocates anything. */
	assert_int_equal(CRYPTO_set_mem_functions(
			     counted_malloc, counted_realloc, counted_free),
	    1);
	test_directory_make("test_tls", dir, sizeof(dir));
	make_certificates();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)test_directory_remove(dir);
	return failed;
}
