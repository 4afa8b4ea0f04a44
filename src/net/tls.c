#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "tls_internal.h"

enum {
	RECORD = 16 * 1024,    /* bytes of content in one, at most */
	TURN_MAX = 256 * 1024, /* bytes of one recv: some 0.1 ms of work */
	CREDIT = RECORD,       /* bytes received for none that are returned */
	INSIDE_MAX = RECORD + 512, /* OpenSSL's buffer */
	HANDSHAKE_RECORD = 0x16,   /* the first byte of any client */
};

static const struct transport_ops tls_ops;

static struct tls *
tls_of(const struct transport *t)
{
	check(t->ops == &tls_ops);
	return t->inside;
}

/* ---- the handshake ---- */

/* The first byte has come: 0 if it is TLS's; it is left where it is. */
static int
tls_look(struct transport *t)
{
	unsigned char byte;
	ssize_t n;

	do
		n = recv(t->fd, &byte, 1, MSG_PEEK);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	return byte == HANDSHAKE_RECORD ? 0 : -EPROTONOSUPPORT;
}

static int
tls_begin(struct transport *t)
{
	struct tls *s = tls_of(t);
	BIO *b;
	int err = tls_look(t);

	if (err < 0)
		return err;
	s->ssl = SSL_new(s->port->sites[0].context->ssl);
	b = s->ssl != NULL ? tls_bio_new(t) : NULL;
	if (b == NULL) {
		ERR_clear_error();
		SSL_free(s->ssl);
		s->ssl = NULL;
		return -ENOMEM;
	}
	SSL_set_app_data(s->ssl, s);
	SSL_set_bio(s->ssl, b, b);
	SSL_set_accept_state(s->ssl);
	return 0;
}

/* The handshake is done: who is it? */
static int
tls_meet(struct transport *t)
{
	struct tls *s = tls_of(t);
	const X509 *x = SSL_get0_peer_certificate(s->ssl);

	s->ready = true;
	s->inside = 0; /* that was the handshake's */
	t->holds = SSL_has_pending(s->ssl);
	if (s->site->context->verify == TLS_VERIFY_OFF || x == NULL ||
	    SSL_get_verify_result(s->ssl) != X509_V_OK)
		return 0;
	s->client_name = tls_subject(x);
	return s->client_name != NULL ? 0 : -ENOMEM;
}

static int
tls_handshake(struct transport *t)
{
	struct tls *s = tls_of(t);
	int err = s->ssl == NULL ? tls_begin(t) : 0;
	int n;

	t->recv_wants = EV_READ;
	if (err < 0)
		return err;
	s->err = 0;
	s->credit = CREDIT;
	ERR_clear_error();
	n = SSL_do_handshake(s->ssl);
	if (n == 1)
		return tls_meet(t);
	switch (SSL_get_error(s->ssl, n)) {
	case SSL_ERROR_WANT_WRITE:
		t->recv_wants = EV_WRITE;
		return -EAGAIN;
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_SSL:
		s->why = tls_last_reason();
		return s->eof ? -ECONNRESET : -EPROTO;
	default:
		ERR_clear_error();
		return s->err < 0 && s->err != -EAGAIN ? s->err : -ECONNRESET;
	}
}

/* ---- sending the end ---- */

/* Send close_notify, unless a record has to go out whole before it or all is broken;
 * then the client sees that it was cut.  False: there is no room for it now. */
static bool
tls_say_end(const struct transport *t)
{
	struct tls *s = tls_of(t);
	int n;

	if (t->cut || s->ssl == NULL || !s->ready || s->owed > 0 ||
	    s->broken != 0 || s->closed)
		return true;
	ERR_clear_error();
	n = SSL_shutdown(s->ssl);
	if (n < 0 && SSL_get_error(s->ssl, n) == SSL_ERROR_WANT_WRITE)
		return false;
	ERR_clear_error();
	return true;
}

static void
tls_go_on_closing(struct transport *t)
{
	struct tls *s = tls_of(t);

	if (!tls_say_end(t)) {
		t->recv_wants = EV_READ | EV_WRITE;
		return;
	}
	s->closing = false;
	s->closed = true;
	(void)shutdown(t->fd, SHUT_WR);
}

static void
tls_shutdown(struct transport *t)
{
	struct tls *s = tls_of(t);

	if (s->closed)
		return;
	s->closing = true;
	t->recv_wants = EV_READ;
	tls_go_on_closing(t);
}

/* ---- receiving ---- */

/* SSL_read() has returned `n`, not above 0: note why. */
static void
tls_note_end(struct transport *t, int n, bool *ret_waits)
{
	struct tls *s = tls_of(t);

	switch (SSL_get_error(s->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		*ret_waits = true;
		break;
	case SSL_ERROR_WANT_WRITE:
		*ret_waits = true;
		t->recv_wants = EV_WRITE;
		break;
	case SSL_ERROR_ZERO_RETURN:
		s->end = 1;
		break;
	case SSL_ERROR_SSL:
		s->end = s->broken = -EPROTO;
		break;
	default:
		s->end = s->broken = s->err < 0 ? s->err : -ECONNRESET;
		break;
	}
	ERR_clear_error();
}

/* Is there nothing more without another look at a socket that was empty just now? */
static bool
tls_is_empty(const struct tls *s)
{
	return s->drained && !SSL_has_pending(s->ssl);
}

/* `n` bytes are returned.  What records have beside their content is counted until
 * nothing is inside. */
static void
note_inside(struct tls *s, size_t n)
{
	if (n < s->inside && SSL_has_pending(s->ssl))
		s->inside -= n;
	else
		s->inside = 0;
	if (s->inside > INSIDE_MAX) /* much of it had no content */
		s->inside = INSIDE_MAX;
}

static size_t
tls_inside(const struct transport *t)
{
	return tls_of(t)->inside;
}

static ssize_t
tls_recv(struct transport *t, const struct iovec *iov, int count)
{
	struct tls *s = tls_of(t);
	size_t total = 0, at = 0;
	bool waits = false;

	t->recv_wants = EV_READ;
	s->credit = CREDIT;
	if (s->closing)
		tls_go_on_closing(t);
	while (count > 0 && s->end == 0 && !waits && total < TURN_MAX &&
	       (total == 0 || !tls_is_empty(s))) {
		size_t room = iov->iov_len - at;
		int n;

		s->err = 0;
		ERR_clear_error();
		n = SSL_read(s->ssl, (char *)iov->iov_base + at,
		    room < TURN_MAX ? (int)room : TURN_MAX);
		if (n <= 0) {
			tls_note_end(t, n, &waits);
			break;
		}
		total += (size_t)n;
		s->credit += n;
		at += (size_t)n;
		if (at == iov->iov_len) {
			at = 0;
			iov++;
			count--;
		}
	}
	t->holds = s->end != 0 || (!waits && SSL_has_pending(s->ssl));
	note_inside(s, total);
	if (total > 0)
		return (ssize_t)total;
	if (waits)
		return -EAGAIN;
	return s->end < 0 ? s->end : 0;
}

/* ---- sending ---- */

/* The next bytes behind the first `done` of the vectors, for one record: up to `most`,
 * gathered if they lie apart.  Returns how many; 0: there are no more. */
static size_t
tls_piece(const struct iovec *iov, int count, size_t done, size_t most,
    const void **ret)
{
	static unsigned char gathered[RECORD]; /* there is one thread */
	size_t n = 0;

	for (; count > 0 && done >= iov->iov_len; iov++, count--)
		done -= iov->iov_len;
	if (count == 0)
		return 0;
	*ret = (const unsigned char *)iov->iov_base + done;
	if (count == 1 || iov->iov_len - done >= most)
		return iov->iov_len - done < most ? iov->iov_len - done : most;
	for (; count > 0 && n < most; iov++, count--, done = 0) {
		size_t part = iov->iov_len - done;

		part = part < most - n ? part : most - n;
		if (part > 0)
			memcpy(gathered + n,
			    (const unsigned char *)iov->iov_base + done, part);
		n += part;
	}
	*ret = gathered;
	return n;
}

/* SSL_write() of `len` bytes has returned `n`, not above 0: -EAGAIN, or why not. */
static int
tls_note_unsent(struct transport *t, int n, size_t len)
{
	struct tls *s = tls_of(t);
	int err = SSL_get_error(s->ssl, n);

	ERR_clear_error();
	if (err == SSL_ERROR_WANT_WRITE || err == SSL_ERROR_WANT_READ) {
		if (err == SSL_ERROR_WANT_READ)
			t->send_wants = EV_READ;
		s->owed = len;
		t->committed = true;
		return -EAGAIN;
	}
	s->broken = s->err < 0 && s->err != -EAGAIN ? s->err : -EPIPE;
	return s->broken;
}

static ssize_t
tls_send(struct transport *t, const struct iovec *iov, int count)
{
	struct tls *s = tls_of(t);
	const void *bytes;
	size_t done = 0, len;

	t->send_wants = EV_WRITE;
	if (s->broken != 0)
		return s->broken;
	for (;;) {
		int n;

		len = tls_piece(
		    iov, count, done, s->owed > 0 ? s->owed : RECORD, &bytes);
		check(s->owed == 0 || len == s->owed);
		if (len == 0)
			return (ssize_t)done;
		s->err = 0;
		ERR_clear_error();
		n = SSL_write(s->ssl, bytes, (int)len);
		if (n <= 0) {
			n = tls_note_unsent(t, n, len);
			return done > 0 ? (ssize_t)done : n;
		}
		/* Fewer than `len`, if the client takes short records only
		 * (RFC 6066 4). */
		s->owed = 0;
		t->committed = false;
		done += (size_t)n;
	}
}

/* ---- the rest ---- */

static size_t
tls_unsent(const struct transport *t)
{
	return fd_unsent(t->fd);
}

static bool
tls_is_delivered(const struct transport *t)
{
	return tls_of(t)->closed && fd_is_acknowledged(t->fd);
}

/* What is inside of OpenSSL is not counted by it: it may be anything. */
static enum fd_peer
tls_peer(const struct transport *t, size_t *ret_unread)
{
	const struct tls *s = tls_of(t);
	enum fd_peer peer = fd_peer(t->fd, ret_unread);

	if (s->ssl != NULL && SSL_has_pending(s->ssl))
		*ret_unread = SIZE_MAX;
	return peer;
}

static void
tls_drop(struct transport *t)
{
	struct tls *s = tls_of(t);

	SSL_free(s->ssl);
	free(s->client_name);
	free(s);
	t->inside = NULL;
}

/* A client that is there still is told that this was all, if it was. */
static void
tls_close(struct transport *t)
{
	struct tls *s = tls_of(t);

	if (s->end == 0 && !s->eof)
		(void)tls_say_end(t);
	tls_drop(t);
	fd_close(&t->fd);
}

/* The kernel could neither fill pipes nor send files: it has no keys. */
static const struct transport_ops tls_ops = {
    .handshake = tls_handshake,
    .recv = tls_recv,
    .inside = tls_inside,
    .send = tls_send,
    .shutdown = tls_shutdown,
    .unsent = tls_unsent,
    .is_delivered = tls_is_delivered,
    .give_up = transport_give_up_socket,
    .peer = tls_peer,
    .drop = tls_drop,
    .close = tls_close,
};

int
transport_init_tls(struct transport *t, int fd, const struct tls_port *port)
{
	struct tls *s = calloc(1, sizeof(*s));

	check(port->count > 0);
	if (s == NULL)
		return -ENOMEM;
	s->port = port;
	transport_init_plain(t, fd);
	t->ops = &tls_ops;
	t->inside = s;
	return 0;
}

bool
tls_is(const struct transport *t)
{
	return t->ops == &tls_ops;
}

bool
tls_has_begun(const struct transport *t)
{
	return tls_of(t)->ssl != NULL;
}

const char *
tls_why(const struct transport *t)
{
	const char *why = tls_of(t)->why;

	return why != NULL ? why : "the connection broke";
}

void *
tls_owner(const struct transport *t)
{
	check(tls_of(t)->ready);
	return tls_of(t)->site->owner;
}

bool
tls_is_of_another(const struct transport *t, const char *host, size_t len)
{
	const struct tls *s = tls_is(t) ? tls_of(t) : NULL;
	const struct tls_site *site;

	if (s == NULL || s->port->count == 1)
		return false;
	check(s->ready);
	site = tls_hello_find(s->port, host, len);
	return site != NULL && site != s->site;
}

const char *
tls_client_name(const struct transport *t)
{
	return tls_is(t) ? tls_of(t)->client_name : NULL;
}

const char *
tls_version(const struct transport *t)
{
	return tls_is(t) && tls_of(t)->ready ? SSL_get_version(tls_of(t)->ssl)
					     : NULL;
}

bool
tls_refuses(const struct transport *t, char ret_why[TLS_WHY_MAX])
{
	const struct tls *s = tls_is(t) ? tls_of(t) : NULL;
	enum tls_verify verify;

	if (s == NULL || s->client_name != NULL)
		return false;
	check(s->ready);
	verify = s->site->context->verify;
	if (verify == TLS_VERIFY_OFF)
		return false;
	if (SSL_get0_peer_certificate(s->ssl) != NULL) {
		snprintf(ret_why, TLS_WHY_MAX,
		    "the client's certificate is not accepted here: %s",
		    X509_verify_cert_error_string(
			SSL_get_verify_result(s->ssl)));
		return true;
	}
	snprintf(ret_why, TLS_WHY_MAX,
	    "this server asks for a client's certificate, and none came: use "
	    "one (curl: --cert FILE --key FILE)");
	return verify == TLS_VERIFY_ON;
}
