/*
 * load_tls.h - TLS for load: 1.3 with TLS_AES_128_GCM_SHA256 and nothing else, so that
 * all servers do the same work.  The server's certificate is not looked at, sessions are
 * not resumed, and what is sent goes out as one record of 16 KiB after the other.
 *
 * The calls return what send() and recv() do; the handshake is made by the first of them.
 */
#ifndef LOAD_TLS_H
#define LOAD_TLS_H

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { TLS_RECORD = 16 * 1024 };

/* What all connections share; NULL: out of memory, or the file is not usable.  `pair`: a
 * client's certificate and its key, in one PEM file; NULL: none. */
static SSL_CTX *
tls_new(const char *pair)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL)
		return NULL;
	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE |
				SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(c, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(c, 1);
	if (SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256") == 1 &&
	    (pair == NULL ||
		(SSL_CTX_use_certificate_file(c, pair, SSL_FILETYPE_PEM) == 1 &&
		    SSL_CTX_use_PrivateKey_file(c, pair, SSL_FILETYPE_PEM) ==
			1)))
		return c;
	ERR_print_errors_fp(stderr);
	SSL_CTX_free(c);
	return NULL;
}

/* A session over a socket that is open, or being opened; NULL: out of memory. */
static SSL *
tls_open(SSL_CTX *c, int fd)
{
	SSL *ssl = SSL_new(c);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

/* What a call that returned `n` has come to. */
static ssize_t
tls_result(SSL *ssl, int n)
{
	int saved = errno, why;

	if (n > 0)
		return n;
	why = SSL_get_error(ssl, n);
	ERR_clear_error();
	if (why == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		errno = EAGAIN;
	else
		errno = why == SSL_ERROR_SYSCALL && saved != 0 ? saved : EPROTO;
	return -1;
}

static ssize_t
tls_recv(SSL *ssl, void *to, size_t len)
{
	return tls_result(ssl, SSL_read(ssl, to, (int)len));
}

/* After -1 and EAGAIN it must be called with the same bytes. */
static ssize_t
tls_send(SSL *ssl, const void *from, size_t len)
{
	if (len > TLS_RECORD)
		len = TLS_RECORD;
	return tls_result(ssl, SSL_write(ssl, from, (int)len));
}

#endif
