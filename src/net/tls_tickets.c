/*
 * Session tickets: sealed with AES-256-CBC and HMAC-SHA-256 (RFC 5077 4), by keys that all
 * workers have.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/clock.h"
#include "shared/ticket_keys.h"
#include "tls_internal.h"

/* As OpenSSL wants it: what the callback returns. */
enum {
	TICKET_FAILED = -1,
	TICKET_NONE = 0, /* none is made; or: the handshake is a full one */
	TICKET_GOOD = 1,
	TICKET_RENEW = 2, /* good, and the client gets a new one */
};

/* With TLS 1.3 a client uses each only once (RFC 8446 C.4), as browsers and Java do: without a
 * new one its next handshake would be a full one. */
static bool
tls_tickets_are_for_once(const SSL *ssl)
{
	return SSL_version(ssl) == TLS1_3_VERSION;
}

static bool
tls_tickets_set_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(
		OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int
tls_tickets_seal(const struct tls_context *c, struct ticket_key *key,
    unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher)
{
	if (!ticket_keys_current(c->keys, c->owner, clock_mono_ns(), key))
		return TICKET_NONE;
	memcpy(name, key->name, TICKET_KEY_NAME);
	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1 ||
	    EVP_EncryptInit_ex(
		cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) != 1)
		return TICKET_FAILED;
	return TICKET_GOOD;
}

static int
tls_tickets_open(const struct tls_context *c, struct ticket_key *key,
    const unsigned char *name, const unsigned char *iv, EVP_CIPHER_CTX *cipher)
{
	enum ticket_keys_found found =
	    ticket_keys_find(c->keys, name, clock_mono_ns(), key);

	if (found == TICKET_KEYS_NONE)
		return TICKET_NONE;
	if (EVP_DecryptInit_ex(
		cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) != 1)
		return TICKET_FAILED;
	return found == TICKET_KEYS_CURRENT ? TICKET_GOOD : TICKET_RENEW;
}

/* OpenSSL has a ticket to seal, or (`seals` 0) to open. */
static int
tls_tickets_on_use(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals)
{
	const struct tls_context *c =
	    SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct ticket_key key;
	int result;

	if (c->keys == NULL)
		return TICKET_NONE;
	result = seals ? tls_tickets_seal(c, &key, name, iv, cipher)
		       : tls_tickets_open(c, &key, name, iv, cipher);
	if (!seals && result == TICKET_GOOD && tls_tickets_are_for_once(ssl))
		result = TICKET_RENEW;
	if (result > 0 && !tls_tickets_set_mac(mac, &key))
		result = TICKET_FAILED;
	OPENSSL_cleanse(&key, sizeof(key));
	return result;
}

static bool
tls_tickets_is_over(const X509 *x)
{
	return x != NULL && X509_cmp_current_time(X509_get0_notAfter(x)) < 0;
}

/* `session` was in a ticket, or `status` says why there is none.  A client whose certificate
 * has expired since does a full handshake, for which it may have a new one. */
static SSL_TICKET_RETURN
tls_tickets_on_session(SSL *ssl, SSL_SESSION *session,
    const unsigned char *name, size_t len, SSL_TICKET_STATUS status, void *arg)
{
	(void)ssl;
	(void)name;
	(void)len;
	(void)arg;
	if (session == NULL ||
	    tls_tickets_is_over(SSL_SESSION_get0_peer(session)))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW
						  : SSL_TICKET_RETURN_USE;
}

void
tls_tickets_use(SSL_CTX *ssl)
{
	(void)SSL_CTX_set_session_ticket_cb(
	    ssl, NULL, tls_tickets_on_session, NULL);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, tls_tickets_on_use);
	SSL_CTX_set_timeout(ssl, TICKET_KEYS_PERIOD_S);
}
