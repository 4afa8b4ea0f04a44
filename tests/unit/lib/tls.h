/*
 * lib/tls.h - certificates that are made up, and a TLS client in the same process,
 * whose records go to the server as the test says: whole, or cut anywhere.
 */
#ifndef LIB_TLS_H
#define LIB_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TEST_PATH_MAX = 256,
};

/* A certificate and its key, in files. */
struct test_certificate {
	char cert[TEST_PATH_MAX], key[TEST_PATH_MAX];
};

/* What kind of certificate. */
struct test_certificate_plan {
	const char *name;		       /* its CN, and of its files */
	const char *kind;		       /* "EC" (NULL: this) or "RSA" */
	const struct test_certificate *issuer; /* NULL: it has signed itself */
	bool authority;			       /* it may sign others */
	bool of_authority; /* it says where its issuer's is */
	long from_s, to_s; /* from now on; both 0: an hour */
};

/* Make one in the directory `dir`. */
void test_certificate_make(const char *dir,
    const struct test_certificate_plan *plan, struct test_certificate *ret);

/* Make a list of what `issuer` has revoked, `revoked` (NULL: none), at `path`; the next
 * one is due in `next_s`. */
void test_revocations_make(const char *path,
    const struct test_certificate *issuer,
    const struct test_certificate *revoked, long next_s);

struct test_tls {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;		 /* of the socket; -1: it has hung up */
	char got[65536]; /* what it has heard, in the clear */
	size_t len;
	bool ended;	      /* close_notify has come */
	bool broke;	      /* an alert has come, or nonsense */
	SSL_SESSION *session; /* the last ticket that has come; NULL: none */
	const struct test_certificate *own; /* to be shown; NULL: none */
	int newest;			    /* TLS1_2_VERSION ...; 0: any */
	const char *name;		    /* asked for (SNI); NULL: none */
	const unsigned char *protocols;	    /* ALPN; NULL: none */
	unsigned protocols_len;
	const char *early; /* sent before its handshake (RFC 8446 2.3), with a
			    * session that it believes to allow that */
	uint8_t fragment;  /* TLSEXT_max_fragment_length_512 ...; 0: any */
};

/* Begin on the socket `fd`, as the fields from `own` on say; `session` is resumed, if it
 * is not NULL (and stays the caller's). */
void test_tls_begin(struct test_tls *c, int fd, SSL_SESSION *session);

/* Take what is in the socket, at most `most` bytes, and go on with the handshake or with
 * reading. */
void test_tls_hear(struct test_tls *c, size_t most);

/* Put bytes into records, which test_tls_push() sends. */
void test_tls_say(struct test_tls *c, const void *bytes, size_t len);
void test_tls_say_end(struct test_tls *c); /* close_notify */

/* Send at most `most` bytes of records to the server; how many.  0: nothing is left. */
size_t test_tls_push(struct test_tls *c, size_t most);

/* Is the client's side of the handshake done? */
bool test_tls_is_ready(const struct test_tls *c);

/* Free all but `session`. */
void test_tls_end(struct test_tls *c);

#endif
