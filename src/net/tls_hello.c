/*
 * What the client's first message decides: the server block, by the name that it asks
 * for; and the protocol above TLS.
 */
#include <string.h>

#include "base/host.h"
#include "tls_internal.h"

/* The name in the extension server_name (RFC 6066 3): false, if there is none. */
static bool
tls_hello_name(SSL *ssl, const char **ret, size_t *ret_len)
{
	const unsigned char *p;
	size_t len, name;

	if (!SSL_client_hello_get0_ext(
		ssl, TLSEXT_TYPE_server_name, &p, &len) ||
	    len < 5 || ((size_t)p[0] << 8 | p[1]) != len - 2 ||
	    p[2] != TLSEXT_NAMETYPE_host_name)
		return false;
	name = (size_t)p[3] << 8 | p[4];
	if (name == 0 || name > len - 5)
		return false;
	*ret = (const char *)p + 5;
	*ret_len = name;
	return true;
}

/* How well the name fits: by the bytes of the pattern, and a whole name best of all; 0:
 * not at all. */
static size_t
tls_hello_fit(const struct tls_site *site, const char *name, size_t len)
{
	size_t best = 0;

	for (size_t i = 0; i < site->name_count; i++) {
		const char *pattern = site->names[i];
		size_t fit = *pattern == '*' ? strlen(pattern) : SIZE_MAX;

		if (fit > best && host_matches(pattern, name, len))
			best = fit;
	}
	return best;
}

const struct tls_site *
tls_hello_find(const struct tls_port *port, const char *name, size_t len)
{
	const struct tls_site *site = NULL;
	size_t best = 0;

	for (size_t i = 0; i < port->count; i++) {
		size_t fit = tls_hello_fit(&port->sites[i], name, len);

		if (fit > best) {
			best = fit;
			site = &port->sites[i];
		}
	}
	return site;
}

/* SSL_set_SSL_CTX() takes over the certificates; all else is told. */
static bool
tls_hello_go_to(SSL *ssl, const struct tls_context *c)
{
	if (SSL_set_SSL_CTX(ssl, c->ssl) == NULL)
		return false;
	SSL_set_verify(ssl, SSL_CTX_get_verify_mode(c->ssl),
	    SSL_CTX_get_verify_callback(c->ssl));
	SSL_clear_options(ssl, SSL_OP_NO_TICKET);
	SSL_set_options(ssl, SSL_CTX_get_options(c->ssl));
	return SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(c->ssl)) == 1 &&
	       SSL_set_min_proto_version(ssl, c->oldest) == 1 &&
	       SSL_set_max_proto_version(ssl, c->newest) == 1 &&
	       SSL_set_session_id_context(
		   ssl, c->identity, sizeof(c->identity)) == 1;
}

/* Before a session is looked for, and before the version is chosen. */
static int
tls_hello_on_client(SSL *ssl, int *ret_alert, void *arg)
{
	struct tls *s = SSL_get_app_data(ssl);
	const struct tls_site *named = NULL;
	const char *name;
	size_t len;

	(void)arg;
	if (s->site != NULL) /* a second hello, after a retry */
		return SSL_CLIENT_HELLO_SUCCESS;
	if (s->port->count > 1 && tls_hello_name(ssl, &name, &len))
		named = tls_hello_find(s->port, name, len);
	s->site = named != NULL ? named : &s->port->sites[0];
	if (s->site == &s->port->sites[0] ||
	    tls_hello_go_to(ssl, s->site->context))
		return SSL_CLIENT_HELLO_SUCCESS;
	*ret_alert = SSL_AD_INTERNAL_ERROR;
	return SSL_CLIENT_HELLO_ERROR;
}

/* The client is told that its name was looked at. */
static int
tls_hello_on_name(SSL *ssl, int *ret_alert, void *arg)
{
	(void)ssl;
	(void)ret_alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

/* One that speaks none of ours is told so (RFC 7301 3.2). */
static int
tls_hello_on_protocols(SSL *ssl, const unsigned char **ret,
    unsigned char *ret_len, const unsigned char *theirs, unsigned len,
    void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1,
		theirs, len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

void
tls_hello_use(SSL_CTX *ssl)
{
	SSL_CTX_set_client_hello_cb(ssl, tls_hello_on_client, NULL);
	SSL_CTX_set_tlsext_servername_callback(ssl, tls_hello_on_name);
	SSL_CTX_set_alpn_select_cb(ssl, tls_hello_on_protocols, NULL);
}
