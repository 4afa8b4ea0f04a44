#include "lib/client.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cmocka_with.h"

/* ---- the server ---- */

static void
on_request(struct handler *h, struct exchange *x)
{
	struct test_server *s = container_of(h, struct test_server, handler);

	s->requests++;
	s->on_request(x);
}

static void
add_fields(struct handler *h, const struct head *head, struct str *out)
{
	struct test_server *s = container_of(h, struct test_server, handler);

	(void)head;
	if (s->add_fields != NULL)
		s->add_fields(out);
}

static void
on_closed(void *arg)
{
	struct test_server *s = arg;

	s->closed++;
}

void
test_server_begin(struct test_server *s, struct test_loop *l,
    void (*on_request_fn)(struct exchange *x))
{
	*s = (struct test_server){
	    .l = l,
	    .on_request = on_request_fn,
	    .handler = {.on_request = on_request, .add_fields = add_fields},
	    .conf =
		{
		    .handshake_timeout_s = 60,
		    .header_timeout_s = 60,
		    .keepalive_timeout_s = 60,
		    .keepalive_requests = 100,
		    .send_timeout_s = 60,
		    .lingering_time_s = 60,
		    .lingering_timeout_s = 60,
		    .max_request_line = 1000,
		    .max_header_size = 10000,
		    .max_header_fields = 100,
		},
	    .g =
		{
		    .loop = l->loop,
		    .pool = l->pool,
		    .conf = &s->conf,
		    .handler = &s->handler,
		    .slot = &s->slot,
		    .on_closed = on_closed,
		    .arg = s,
		    .ids = &s->ids,
		},
	};
	connections_init(&s->g);
}

void
test_server_end(struct test_server *s)
{
	connections_drop(&s->g);
	assert_true(list_is_empty(&s->g.conns));
	assert_int_equal(s->closed, s->opened);
}

void
test_server_open(struct test_server *s, int fd, const struct addr *peer)
{
	size_t before = list_length(&s->g.conns);

	connections_open(&s->g, fd, peer, &s->door);
	s->opened += (unsigned)(list_length(&s->g.conns) - before);
}

/* ---- a client ---- */

void
test_client_connect_from(
    struct test_client *c, struct test_server *s, const struct addr *peer)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(ends[i], F_SETFL, O_NONBLOCK), 0);
	memset(c, 0, sizeof(*c));
	c->fd = ends[1];
	test_server_open(s, ends[0], peer);
}

void
test_client_connect(struct test_client *c, struct test_server *s)
{
	static const struct addr peer = {
	    .ss.ss_family = AF_UNIX, .len = sizeof(sa_family_t)};

	test_client_connect_from(c, s, &peer);
}

void
test_client_say(struct test_client *c, const char *text)
{
	assert_int_equal(
	    send(c->fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

void
test_client_hear(struct test_client *c)
{
	ssize_t n;

	if (c->fd == -1)
		return;
	n = recv(c->fd, c->got + c->len, sizeof(c->got) - 1 - c->len, 0);
	if (n > 0)
		c->len += (size_t)n;
	c->got[c->len] = '\0';
	c->ended = n == 0;
}

bool
test_client_has_heard(const struct test_client *c, const char *text)
{
	return strstr(c->got, text) != NULL;
}

char *
test_client_content(struct test_client *c)
{
	char *end = strstr(c->got, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

void
test_client_hang_up(struct test_client *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}
