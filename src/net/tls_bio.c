/*
 * Between OpenSSL and the socket: as OpenSSL's own, but it notes when bytes came, that
 * there are no more for now, and what went wrong; and is never killed by SIGPIPE.
 */
#include <errno.h>

#include "base/check.h"
#include "tls_internal.h"

/* OpenSSL goes on receiving until it has content, and a client may send records without
 * any for ever (KeyUpdate): then it is told that nothing more is there for now. */
static ssize_t
recv_on_credit(struct transport *t, struct tls *s, const struct iovec *iov)
{
	ssize_t n = s->credit > 0 ? transport_recv_socket(t, iov, 1) : -EAGAIN;

	if (n > 0)
		s->credit -= (int)n;
	return n;
}

static int
tls_bio_read(BIO *b, char *buf, int len)
{
	struct transport *t = BIO_get_data(b);
	struct tls *s = t->inside;
	struct iovec iov = {.iov_base = buf, .iov_len = (size_t)len};
	ssize_t n = recv_on_credit(t, s, &iov);

	BIO_clear_retry_flags(b);
	s->drained = n < len;
	s->eof = n == 0;
	s->inside += n > 0 ? (size_t)n : 0;
	if (n >= 0)
		return (int)n;
	s->err = (int)n;
	if (n == -EAGAIN || n == -EWOULDBLOCK)
		BIO_set_retry_read(b);
	return -1;
}

static int
tls_bio_write(BIO *b, const char *buf, int len)
{
	struct transport *t = BIO_get_data(b);
	struct tls *s = t->inside;
	struct iovec iov = {
	    .iov_base = (void *)(uintptr_t)buf, .iov_len = (size_t)len};
	ssize_t n = transport_send_socket(t, &iov, 1);

	BIO_clear_retry_flags(b);
	if (n >= 0)
		return (int)n;
	s->err = (int)n;
	if (n == -EAGAIN || n == -EWOULDBLOCK)
		BIO_set_retry_write(b);
	return -1;
}

static long
tls_bio_ctrl(BIO *b, int what, long number, void *pointer)
{
	struct transport *t = BIO_get_data(b);
	const struct tls *s = t->inside;

	(void)number;
	(void)pointer;
	if (what == BIO_CTRL_EOF)
		return s->eof;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
tls_bio_method(void)
{
	static BIO_METHOD *m;

	if (m != NULL)
		return m;
	m = BIO_meth_new(
	    BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
	if (m == NULL || !BIO_meth_set_read(m, tls_bio_read) ||
	    !BIO_meth_set_write(m, tls_bio_write) ||
	    !BIO_meth_set_ctrl(m, tls_bio_ctrl)) {
		BIO_meth_free(m);
		m = NULL;
	}
	return m;
}

BIO *
tls_bio_new(struct transport *t)
{
	BIO_METHOD *m = tls_bio_method();
	BIO *b = m != NULL ? BIO_new(m) : NULL;

	if (b != NULL) {
		BIO_set_data(b, t);
		BIO_set_init(b, 1);
	}
	return b;
}
