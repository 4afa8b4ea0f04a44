/*
 * The inside of TLS.  Each of these files calls only those listed before it:
 *
 *	tls_bio.c	between OpenSSL and the socket
 *	tls_tickets.c	keys of session tickets
 *	tls_hello.c	what the client's first message decides
 *	tls_files.c	what is read from files
 *	tls_context.c	what server blocks say
 *	tls.c		the transport
 */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/tls.h"

enum {
	TLS_IDENTITY = 32, /* bytes, SHA-256 */
};

struct tls_context {
	SSL_CTX *ssl;
	enum tls_verify verify;
	unsigned kinds;		  /* bits: of which there is a pair */
	int oldest, newest;	  /* versions, as OpenSSL counts them */
	struct ticket_keys *keys; /* NULL: no tickets */
	unsigned owner;
	unsigned char identity[TLS_IDENTITY];
};

/* Of a connection. */
struct tls {
	SSL *ssl; /* NULL: nothing has come yet */
	const struct tls_port *port;
	const struct tls_site *site; /* NULL: not chosen yet */
	char *client_name;
	const char *why; /* of a handshake that failed; static */
	size_t inside;	 /* bytes received and not returned, about */
	int credit;	 /* bytes that this call may still receive, about */
	size_t owed;	 /* bytes that SSL_write() has begun to send */
	int end;	 /* of receiving: 1, or a negative errno; 0: not yet */
	int broken;	 /* sending: a negative errno; 0: no */
	int err;	 /* of the socket's last call; 0: none */
	bool ready;	 /* the handshake is done */
	bool drained;	 /* the last receive has left nothing in the socket */
	bool eof;	 /* the client sends no more, says the socket */
	bool closing;	 /* close_notify is to be sent when there is room */
	bool closed;	 /* it was sent, or cannot be */
};

/* ---- tls_bio.c ---- */

/* The end of OpenSSL that is the socket of `t`; NULL: out of memory. */
NODISCARD BIO *tls_bio_new(struct transport *t);

/* ---- tls_tickets.c ---- */

/* Have tickets made and opened with the keys of the context. */
void tls_tickets_use(SSL_CTX *ssl);

/* ---- tls_hello.c ---- */

/* The site of that name; NULL: none has it. */
const struct tls_site *tls_hello_find(
    const struct tls_port *port, const char *name, size_t len);

/* Have it choose the site, and the protocol above TLS (ALPN). */
void tls_hello_use(SSL_CTX *ssl);

/* ---- tls_files.c ---- */

/* The first reason that OpenSSL has for its last failure, whose others are
 * forgotten. */
const char *tls_last_reason(void);

/* Read a file of certificates, the first of which is *ret_first: 0 and both, which the
 * caller frees; or -EINVAL and `why`. */
NODISCARD int tls_read_certificates(const char *path, X509 **ret_first,
    STACK_OF(X509) * *ret_rest, char why[TLS_WHY_MAX]);

/* Whose certificate it is, as RFC 4514 has it; the caller frees it.  NULL: out of
 * memory. */
char *tls_subject(const X509 *x);

/* Read a file of revocation lists, at least one: 0 and *ret, which the caller frees; or
 * -EINVAL and `why`. */
NODISCARD int tls_read_revocations(
    const char *path, STACK_OF(X509_CRL) * *ret, char why[TLS_WHY_MAX]);

/* Read a private key: 0 and *ret, which the caller frees; or -EINVAL and `why`. */
NODISCARD int tls_read_key(
    const char *path, EVP_PKEY **ret, mode_t *ret_mode, char why[TLS_WHY_MAX]);

#endif
