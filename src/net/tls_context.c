#include "net/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_internal.h"

enum {
	DAY_S = 24 * 60 * 60,
	TICKETS = 1, /* for a client that did a full handshake */
};

static int
tls_context_refuse(struct tls_fault *f, bool of_key, const char *what)
{
	f->of_key = of_key;
	snprintf(f->why, sizeof(f->why), "%s: %s", what, tls_last_reason());
	return -EINVAL;
}

/* Buffers are given back when a connection is idle; no session is kept here. */
static bool
tls_context_set_up(struct tls_context *c)
{
	SSL_CTX_set_app_data(c->ssl, c);
	SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS |
				     SSL_MODE_NO_AUTO_CHAIN |
				     SSL_MODE_ENABLE_PARTIAL_WRITE |
				     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION |
					SSL_OP_NO_COMPRESSION |
					SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_read_ahead(c->ssl, 1);
	SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_dh_auto(c->ssl, 1);
	tls_tickets_use(c->ssl);
	tls_hello_use(c->ssl);
	return tls_context_set_versions(c, TLS_V1_2 | TLS_V1_3) == 0;
}

struct tls_context *
tls_context_new(void)
{
	struct tls_context *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->ssl = SSL_CTX_new(TLS_server_method());
	if (c->ssl == NULL || !tls_context_set_up(c)) {
		ERR_clear_error();
		tls_context_free(&c);
	}
	return c;
}

/* Is each certificate followed by the one that has signed it, and by no other? */
static bool
is_in_order(X509 *first, STACK_OF(X509) * rest)
{
	X509 *below = first;

	for (int i = 0; i < sk_X509_num(rest); i++) {
		X509 *x = sk_X509_value(rest, i);

		if (X509_check_issued(x, below) != X509_V_OK)
			return false;
		below = x;
	}
	return true;
}

/* One that says where its issuer's certificate is to be had comes from an authority that
 * clients know; but hardly ever do they know the one that has signed this. */
static bool
is_alone(X509 *first, STACK_OF(X509) * rest)
{
	return sk_X509_num(rest) == 0 &&
	       X509_get_ext_by_NID(first, NID_info_access, -1) >= 0 &&
	       X509_check_issued(first, first) != X509_V_OK;
}

static void
tls_context_look(X509 *x, STACK_OF(X509) * rest, struct tls_pair *ret)
{
	int days = 0, seconds = 0;

	ret->disordered = !is_in_order(x, rest);
	ret->alone = is_alone(x, rest);

	/* Dates that cannot be read are no date that is to come. */
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)) != 1)
		days = -1;
	ret->left_s = (int64_t)days * DAY_S + seconds;
	ret->too_early = X509_cmp_current_time(X509_get0_notBefore(x)) > 0;
}

/* Of the kind of key there must not be two: the second would be the only one. */
static int
tls_context_count(struct tls_context *c, EVP_PKEY *key, struct tls_fault *fault)
{
	static const int ids[] = {
	    EVP_PKEY_RSA, EVP_PKEY_RSA_PSS, EVP_PKEY_EC, EVP_PKEY_ED25519};
	int id = EVP_PKEY_get_base_id(key);

	for (unsigned i = 0; i < COUNT_OF(ids); i++) {
		if (ids[i] != id)
			continue;
		if ((c->kinds & 1U << i) != 0) {
			snprintf(fault->why, sizeof(fault->why),
			    "there is one with a key of this kind (%s) "
			    "already: clients get one of each kind",
			    OBJ_nid2sn(id));
			return -EINVAL;
		}
		c->kinds |= 1U << i;
	}
	return 0;
}

/* All three become the context's, or are freed by the caller. */
static int
tls_context_install(struct tls_context *c, X509 *first, EVP_PKEY *key,
    STACK_OF(X509) * rest, struct tls_fault *fault)
{
	if (X509_check_private_key(first, key) != 1) {
		fault->of_key = true;
		ERR_clear_error();
		snprintf(fault->why, sizeof(fault->why),
		    "it is not the key of the certificate that stands with it "
		    "(the first key belongs to the first certificate; in a "
		    "file of certificates the server's own comes first)");
		return -EINVAL;
	}
	if (tls_context_count(c, key, fault) < 0)
		return -EINVAL;
	/* It copies the list, and counts its members. */
	if (SSL_CTX_use_cert_and_key(c->ssl, first, key, rest, 1) != 1)
		return tls_context_refuse(fault, false, "it cannot be used");
	return 0;
}

int
tls_context_add_pair(struct tls_context *c, const char *certificate,
    const char *key_file, struct tls_pair *ret, struct tls_fault *fault)
{
	STACK_OF(X509) * rest;
	EVP_PKEY *key = NULL;
	X509 *first;
	int err;

	*fault = (struct tls_fault){0};
	err = tls_read_certificates(certificate, &first, &rest, fault->why);
	if (err < 0)
		return err;
	tls_context_look(first, rest, ret);
	err = tls_read_key(key_file, &key, &ret->key_mode, fault->why);
	fault->of_key = err < 0;
	if (err == 0)
		err = tls_context_install(c, first, key, rest, fault);
	X509_free(first);
	sk_X509_pop_free(rest, X509_free);
	EVP_PKEY_free(key);
	return err;
}

int
tls_context_set_ciphers(
    struct tls_context *c, const char *ciphers, struct tls_fault *fault)
{
	if (SSL_CTX_set_cipher_list(c->ssl, ciphers) == 1)
		return 0;
	return tls_context_refuse(fault, false, "OpenSSL cannot use it");
}

int
tls_context_set_versions(struct tls_context *c, unsigned versions)
{
	bool old = (versions & TLS_V1_2) != 0, new = (versions & TLS_V1_3) != 0;

	check(old || new);
	c->oldest = old ? TLS1_2_VERSION : TLS1_3_VERSION;
	c->newest = new ? TLS1_3_VERSION : TLS1_2_VERSION;
	return SSL_CTX_set_min_proto_version(c->ssl, c->oldest) == 1 &&
		       SSL_CTX_set_max_proto_version(c->ssl, c->newest) == 1
		   ? 0
		   : -EINVAL;
}

/* A bad certificate is told in words that people read, after the handshake.  It is looked
 * at up to the first fault, so that a stranger's costs next to nothing: OpenSSL's other
 * callback would have all signatures of its chain verified. */
static int
on_chain(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	if (X509_verify_cert(store) != 1 &&
	    X509_STORE_CTX_get_error(store) == X509_V_OK)
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
	ERR_clear_error();
	return 1;
}

/* Sessions of clients that another authority has vouched for, or before one was revoked,
 * do not go on here. */
static bool
tls_context_mix_in(struct tls_context *c, const unsigned char *digest)
{
	unsigned char both[2 * TLS_IDENTITY];

	memcpy(both, c->identity, TLS_IDENTITY);
	memcpy(both + TLS_IDENTITY, digest, TLS_IDENTITY);
	return EVP_Digest(both, sizeof(both), c->identity, NULL, EVP_sha256(),
		   NULL) == 1;
}

static bool
tls_context_trust(struct tls_context *c, X509 *x)
{
	unsigned char digest[TLS_IDENTITY];

	return X509_digest(x, EVP_sha256(), digest, NULL) == 1 &&
	       tls_context_mix_in(c, digest) &&
	       X509_STORE_add_cert(SSL_CTX_get_cert_store(c->ssl), x) == 1 &&
	       SSL_CTX_add_client_CA(c->ssl, x) == 1;
}

static STACK_OF(X509_OBJECT) * tls_context_trusted(const struct tls_context *c)
{
	return X509_STORE_get0_objects(SSL_CTX_get_cert_store(c->ssl));
}

/* Is there one in whose name `x` was signed? */
static bool
has_issuer(const X509 *x, STACK_OF(X509_OBJECT) * all)
{
	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *above =
		    X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (above != NULL && X509_NAME_cmp(X509_get_issuer_name(x),
					 X509_get_subject_name(above)) == 0)
			return true;
	}
	return false;
}

/* About an authority of clients, whose name stands between the two. */
static int
tls_context_refuse_authority(const X509 *x, struct tls_fault *fault,
    const char *before, const char *behind)
{
	char *name = tls_subject(x);

	snprintf(fault->why, sizeof(fault->why), "%s%.80s%s", before,
	    name != NULL ? name : "?", behind);
	free(name);
	return -EINVAL;
}

/* OpenSSL trusts no chain that does not lead to one that has signed itself. */
static int
tls_context_look_for_roots(const struct tls_context *c, struct tls_fault *fault)
{
	STACK_OF(X509_OBJECT) *all = tls_context_trusted(c);

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (x != NULL && !has_issuer(x, all))
			return tls_context_refuse_authority(x, fault,
			    "who has signed the authority ",
			    " is not in it, and so all clients would be "
			    "refused that show a certificate of it: add that "
			    "one, too, up to the root");
	}
	return 0;
}

int
tls_context_verify(struct tls_context *c, enum tls_verify how, const char *file,
    struct tls_fault *fault)
{
	STACK_OF(X509) * rest;
	bool good;
	X509 *first;

	*fault = (struct tls_fault){0};
	c->verify = how;
	if (tls_read_certificates(file, &first, &rest, fault->why) < 0)
		return -EINVAL;
	good = tls_context_trust(c, first);
	for (int i = 0; good && i < sk_X509_num(rest); i++)
		good = tls_context_trust(c, sk_X509_value(rest, i));
	X509_free(first);
	sk_X509_pop_free(rest, X509_free);
	if (!good)
		return tls_context_refuse(fault, false, "it cannot be used");
	if (tls_context_look_for_roots(c, fault) < 0)
		return -EINVAL;
	SSL_CTX_set_cert_verify_callback(c->ssl, on_chain, NULL);
	if (how != TLS_VERIFY_OFF)
		SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	return 0;
}

static bool
tls_context_distrust(struct tls_context *c, X509_CRL *list)
{
	unsigned char digest[TLS_IDENTITY];

	return X509_CRL_digest(list, EVP_sha256(), digest, NULL) == 1 &&
	       tls_context_mix_in(c, digest) &&
	       X509_STORE_add_crl(SSL_CTX_get_cert_store(c->ssl), list) == 1;
}

/* Its name is not enough: an authority that was renewed may have the name of the old one,
 * and another key. */
static bool
has_list(X509 *authority, STACK_OF(X509_CRL) * lists)
{
	X509_NAME *name = X509_get_subject_name(authority);
	bool has = false;

	for (int i = 0; !has && i < sk_X509_CRL_num(lists); i++) {
		X509_CRL *list = sk_X509_CRL_value(lists, i);

		has = X509_NAME_cmp(X509_CRL_get_issuer(list), name) == 0 &&
		      X509_CRL_verify(list, X509_get0_pubkey(authority)) == 1;
	}
	ERR_clear_error();
	return has;
}

/* OpenSSL refuses every client of an authority without a list; those of one that has
 * expired are refused anyway. */
static int
tls_context_look_for_lists(const struct tls_context *c,
    STACK_OF(X509_CRL) * lists, struct tls_fault *fault)
{
	STACK_OF(X509_OBJECT) *all = tls_context_trusted(c);

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (x != NULL &&
		    X509_cmp_current_time(X509_get0_notAfter(x)) > 0 &&
		    !has_list(x, lists))
			return tls_context_refuse_authority(x, fault,
			    "it has no list that ",
			    " has signed, an authority in "
			    "ssl_client_certificate, whose clients would all "
			    "be refused: add that list to the file");
	}
	return 0;
}

/* Seconds until the next list must be here; a date that cannot be read is past. */
static int64_t
left_of_list(const X509_CRL *list)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
	int days = 0, seconds = 0;

	if (next == NULL)
		return INT64_MAX;
	if (ASN1_TIME_diff(&days, &seconds, NULL, next) != 1)
		days = -1;
	return (int64_t)days * DAY_S + seconds;
}

int
tls_context_revoke(struct tls_context *c, const char *file, int64_t *ret_left_s,
    struct tls_fault *fault)
{
	STACK_OF(X509_CRL) * lists;
	bool good = true;
	int err;

	*fault = (struct tls_fault){0};
	*ret_left_s = INT64_MAX;
	if (tls_read_revocations(file, &lists, fault->why) < 0)
		return -EINVAL;
	err = tls_context_look_for_lists(c, lists, fault);
	for (int i = 0; err == 0 && good && i < sk_X509_CRL_num(lists); i++) {
		X509_CRL *list = sk_X509_CRL_value(lists, i);
		int64_t left_s = left_of_list(list);

		if (left_s < *ret_left_s)
			*ret_left_s = left_s;
		good = tls_context_distrust(c, list);
	}
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
	if (err < 0)
		return err;
	if (!good)
		return tls_context_refuse(fault, false, "it cannot be used");
	X509_STORE_set_flags(SSL_CTX_get_cert_store(c->ssl),
	    X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return 0;
}

void
tls_context_resume(struct tls_context *c, struct ticket_keys *keys,
    const void *identity, size_t len)
{
	unsigned char both[2 * TLS_IDENTITY + 1];

	memcpy(both, c->identity, TLS_IDENTITY);
	both[2 * TLS_IDENTITY] = (unsigned char)c->verify;
	if (EVP_Digest(identity, len, both + TLS_IDENTITY, NULL, EVP_sha256(),
		NULL) != 1 ||
	    EVP_Digest(both, sizeof(both), c->identity, NULL, EVP_sha256(),
		NULL) != 1 ||
	    SSL_CTX_set_session_id_context(
		c->ssl, c->identity, sizeof(c->identity)) != 1 ||
	    SSL_CTX_set_num_tickets(c->ssl, keys != NULL ? TICKETS : 0) != 1)
		die("a TLS context cannot be completed: %s", tls_last_reason());
	c->keys = keys;
	if (keys == NULL)
		SSL_CTX_set_options(c->ssl, SSL_OP_NO_TICKET);
}

void
tls_context_set_owner(struct tls_context *c, unsigned owner)
{
	c->owner = owner;
}

void
tls_context_free(struct tls_context **cp)
{
	struct tls_context *c = *cp;

	if (c == NULL)
		return;
	SSL_CTX_free(c->ssl);
	free(c);
	*cp = NULL;
}
