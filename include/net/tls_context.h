/*
 * net/tls_context.h - what a server block says about TLS, loaded: certificates, keys,
 * protocols, whose certificates clients may show.
 *
 *	files --tls_context_new, _add_pair ...--> a context --fork--> all workers
 *
 * The master makes the contexts, since it may read keys that workers may not, and makes
 * new ones for a reload.  All calls that load something read their file once, and may
 * wait for a disk.
 */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/check.h"

struct ticket_keys;
struct tls_context;

enum {
	TLS_WHY_MAX = 256, /* bytes of a reason, with the NUL */
};

/* Bits: the versions of TLS that are spoken. */
enum {
	TLS_V1_2 = 1,
	TLS_V1_3 = 2,
};

enum tls_verify {
	TLS_VERIFY_OFF,
	TLS_VERIFY_OPTIONAL, /* who has a certificate may show it */
	TLS_VERIFY_ON,	     /* who has none gets 400 */
};

/* Why something cannot be used; a clause, without the name of the file. */
struct tls_fault {
	bool of_key; /* of a pair: its key is to blame, not its certificate */
	char why[TLS_WHY_MAX];
};

/* What is told of a pair that was loaded. */
struct tls_pair {
	int64_t left_s;	 /* until its certificate expires; below 0: it has */
	bool too_early;	 /* it is not valid yet */
	bool disordered; /* one behind it has not signed the one before it */
	bool alone;	 /* the one that has signed it seems to be missing */
	mode_t key_mode; /* of the key's file */
};

/* One that speaks all versions and has no certificate; NULL: out of memory.  The caller
 * owns it until tls_context_free(). */
NODISCARD struct tls_context *tls_context_new(void);

/*
 * tls_context_add_pair(c, certificate, key, ret, fault):
 * Load a certificate, with those that lead to its root behind it, and its key, both in PEM.
 * There may be one pair of each kind (RSA, ECDSA ...), and each client gets the one that it
 * can use.  0; or -EINVAL and *fault.
 */
NODISCARD int tls_context_add_pair(struct tls_context *c,
    const char *certificate, const char *key, struct tls_pair *ret,
    struct tls_fault *fault);

/* The ciphers of TLS 1.2, as openssl-ciphers(1) has them: 0; or -EINVAL and *fault. */
NODISCARD int tls_context_set_ciphers(
    struct tls_context *c, const char *ciphers, struct tls_fault *fault);

/* The versions that are spoken, at least one; 0 or -EINVAL. */
NODISCARD int tls_context_set_versions(
    struct tls_context *c, unsigned versions);

/*
 * tls_context_verify(c, how, file, fault):
 * Ask clients for a certificate, which one of those in `file` must have signed.  A bad one
 * does not end the handshake: what tls_refuses() says is answered to its requests.
 * 0; or -EINVAL and *fault, also when one has not signed itself, and who has signed it is
 * not there, since OpenSSL refuses all clients that lead to it.
 */
NODISCARD int tls_context_verify(struct tls_context *c, enum tls_verify how,
    const char *file, struct tls_fault *fault);

/*
 * tls_context_revoke(c, file, ret_left_s, fault):
 * After tls_context_verify(): refuse the certificates of clients that the lists in `file`
 * revoke (CRL, in PEM).  *ret_left_s: seconds until the next one of any list is due, after
 * which its authority's clients are refused; below 0: it was; INT64_MAX: no list says.
 * 0; or -EINVAL and *fault, also when an authority of tls_context_verify() has no list,
 * since OpenSSL refuses all of its clients.
 */
NODISCARD int tls_context_revoke(struct tls_context *c, const char *file,
    int64_t *ret_left_s, struct tls_fault *fault);

/*
 * tls_context_resume(c, keys, identity, len):
 * Last of all: let clients resume their sessions by tickets, whose keys are those of
 * `keys`; NULL: they cannot.  A session is resumed only where the identity (any
 * bytes), and what tls_context_verify() and _revoke() were given, is the same as where it
 * began, and only until the certificate of its client expires.
 */
void tls_context_resume(struct tls_context *c, struct ticket_keys *keys,
    const void *identity, size_t len);

/* In a worker: the slot in whose name keys of tickets are made. */
void tls_context_set_owner(struct tls_context *c, unsigned owner);

/* Does nothing if *cp is NULL. */
void tls_context_free(struct tls_context **cp);

#endif
