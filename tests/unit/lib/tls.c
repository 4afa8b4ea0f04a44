#include "lib/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cmocka_with.h"

/* ---- certificates ---- */

static EVP_PKEY *
make_key(const char *kind)
{
	if (kind != NULL && strcmp(kind, "RSA") == 0)
		return EVP_RSA_gen(2048);
	return EVP_EC_gen("P-256");
}

static void
add_name(X509_NAME *n, const char *name)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8,
			     (const unsigned char *)name, -1, -1, 0),
	    1);
}

static X509 *
read_certificate(const char *path)
{
	FILE *f = fopen(path, "r");
	X509 *x;

	assert_non_null(f);
	x = PEM_read_X509(f, NULL, NULL, NULL);
	assert_non_null(x);
	fclose(f);
	return x;
}

static EVP_PKEY *
read_key(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *k;

	assert_non_null(f);
	k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	assert_non_null(k);
	fclose(f);
	return k;
}

static void
extend(X509 *x, int what, const char *text)
{
	X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, NULL, what, text);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* `issuer` NULL: itself. */
static void
sign(X509 *x, EVP_PKEY *own, const struct test_certificate *issuer)
{
	X509 *above = issuer ? read_certificate(issuer->cert) : NULL;
	EVP_PKEY *key = issuer ? read_key(issuer->key) : NULL;

	assert_int_equal(
	    X509_set_issuer_name(x, X509_get_subject_name(above ? above : x)),
	    1);
	assert_true(X509_sign(x, key ? key : own, EVP_sha256()) > 0);
	X509_free(above);
	EVP_PKEY_free(key);
}

void
test_certificate_make(const char *dir, const struct test_certificate_plan *plan,
    struct test_certificate *ret)
{
	static long serial;
	EVP_PKEY *key = make_key(plan->kind);
	X509 *x = X509_new();
	FILE *f;

	assert_non_null(key);
	assert_non_null(x);
	snprintf(ret->cert, sizeof(ret->cert), "%s/%s.pem", dir, plan->name);
	snprintf(ret->key, sizeof(ret->key), "%s/%s.key", dir, plan->name);
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x),
	    plan->from_s == 0 && plan->to_s == 0 ? -3600 : plan->from_s));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x),
	    plan->from_s == 0 && plan->to_s == 0 ? 3600 : plan->to_s));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	add_name(X509_get_subject_name(x), plan->name);
	if (plan->authority)
		extend(x, NID_basic_constraints, "critical,CA:TRUE");
	if (plan->of_authority)
		extend(x, NID_info_access, "caIssuers;URI:http://x/ca.crt");
	sign(x, key, plan->issuer);
	f = fopen(ret->cert, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, x), 1);
	fclose(f);
	f = fopen(ret->key, "w");
	assert_non_null(f);
	assert_int_equal(
	    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void
add_revoked(X509_CRL *list, const struct test_certificate *which)
{
	X509 *x = read_certificate(which->cert);
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, -10);

	assert_int_equal(
	    X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(x)), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(r, now), 1);
	assert_int_equal(X509_CRL_add0_revoked(list, r), 1);
	ASN1_TIME_free(now);
	X509_free(x);
}

void
test_revocations_make(const char *path, const struct test_certificate *issuer,
    const struct test_certificate *revoked, long next_s)
{
	X509 *above = read_certificate(issuer->cert);
	EVP_PKEY *key = read_key(issuer->key);
	ASN1_TIME *from = X509_gmtime_adj(NULL, -20);
	ASN1_TIME *next = X509_gmtime_adj(NULL, next_s);
	X509_CRL *list = X509_CRL_new();
	FILE *f = fopen(path, "w");

	assert_int_equal(
	    X509_CRL_set_issuer_name(list, X509_get_subject_name(above)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(list, from), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(list, next), 1);
	if (revoked != NULL)
		add_revoked(list, revoked);
	assert_true(X509_CRL_sign(list, key, EVP_sha256()) > 0);
	assert_non_null(f);
	assert_int_equal(PEM_write_X509_CRL(f, list), 1);
	fclose(f);
	X509_CRL_free(list);
	ASN1_TIME_free(from);
	ASN1_TIME_free(next);
	EVP_PKEY_free(key);
	X509_free(above);
}

/* ---- the client ---- */

/* Tickets are made for one use each. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct test_tls *c = SSL_get_app_data(ssl);

	SSL_SESSION_free(c->session);
	c->session = session;
	return 1;
}

static void
advance(struct test_tls *c)
{
	int n;

	if (!SSL_is_init_finished(c->ssl)) {
		ERR_clear_error();
		n = SSL_do_handshake(c->ssl);
		c->broke |= n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_SSL;
		if (n <= 0)
			return;
	}
	for (;;) {
		ERR_clear_error();
		n = SSL_read(c->ssl, c->got + c->len,
		    (int)(sizeof(c->got) - 1 - c->len));
		if (n <= 0)
			break;
		c->len += (size_t)n;
		c->got[c->len] = '\0';
	}
	c->ended |= SSL_get_error(c->ssl, n) == SSL_ERROR_ZERO_RETURN;
	c->broke |= SSL_get_error(c->ssl, n) == SSL_ERROR_SSL;
}

static void
say_early(struct test_tls *c)
{
	size_t n;

	assert_int_equal(
	    SSL_write_early_data(c->ssl, c->early, strlen(c->early), &n), 1);
	assert_int_equal(n, strlen(c->early));
}

void
test_tls_begin(struct test_tls *c, int fd, SSL_SESSION *session)
{
	c->fd = fd;
	c->len = 0;
	c->ended = c->broke = false;
	c->session = NULL;
	c->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(c->ctx);
	SSL_CTX_set_session_cache_mode(
	    c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ctx, on_session);
	if (c->newest != 0)
		assert_int_equal(
		    SSL_CTX_set_max_proto_version(c->ctx, c->newest), 1);
	if (c->own != NULL) {
		assert_int_equal(
		    SSL_CTX_use_certificate_chain_file(c->ctx, c->own->cert),
		    1);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(
				     c->ctx, c->own->key, SSL_FILETYPE_PEM),
		    1);
	}
	if (c->protocols != NULL)
		assert_int_equal(SSL_CTX_set_alpn_protos(
				     c->ctx, c->protocols, c->protocols_len),
		    0);
	assert_int_equal(
	    SSL_CTX_set_tlsext_max_fragment_length(c->ctx, c->fragment), 1);
	c->ssl = SSL_new(c->ctx);
	assert_non_null(c->ssl);
	SSL_set_app_data(c->ssl, c);
	if (c->name != NULL)
		assert_int_equal(SSL_set_tlsext_host_name(c->ssl, c->name), 1);
	if (session != NULL)
		assert_int_equal(SSL_set_session(c->ssl, session), 1);
	SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(c->ssl), -1);
	SSL_set_connect_state(c->ssl);
	if (c->early != NULL)
		say_early(c);
	advance(c);
}

void
test_tls_hear(struct test_tls *c, size_t most)
{
	char bytes[4096];
	ssize_t n;

	if (c->fd == -1)
		return;
	n = recv(c->fd, bytes, most < sizeof(bytes) ? most : sizeof(bytes),
	    MSG_DONTWAIT);
	if (n > 0)
		assert_int_equal(
		    BIO_write(SSL_get_rbio(c->ssl), bytes, (int)n), n);
	advance(c);
}

void
test_tls_say(struct test_tls *c, const void *bytes, size_t len)
{
	assert_int_equal(SSL_write(c->ssl, bytes, (int)len), (int)len);
}

void
test_tls_say_end(struct test_tls *c)
{
	assert_true(SSL_shutdown(c->ssl) >= 0);
}

size_t
test_tls_push(struct test_tls *c, size_t most)
{
	BIO *b = SSL_get_wbio(c->ssl);
	char *bytes;
	long have = BIO_get_mem_data(b, &bytes);
	char sent[4096];
	ssize_t n;

	if (have <= 0 || c->fd == -1)
		return 0;
	most = most < (size_t)have ? most : (size_t)have;
	most = most < sizeof(sent) ? most : sizeof(sent);
	n = send(c->fd, bytes, most, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n <= 0)
		return 0;
	assert_int_equal(BIO_read(b, sent, (int)n), n);
	return (size_t)n;
}

bool
test_tls_is_ready(const struct test_tls *c)
{
	return SSL_is_init_finished(c->ssl);
}

void
test_tls_end(struct test_tls *c)
{
	/* Else its session is taken for one that has gone wrong. */
	SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	c->ssl = NULL;
	c->ctx = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}
