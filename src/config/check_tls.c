#include "config/check_tls.h"

#include <string.h>

#include "config/lexer.h"

bool
check_tls_shares(const struct conf_listen *before, const struct conf_listen *l)
{
	return before->ssl && l->ssl;
}

/* The first address with TLS; NULL: there is none. */
static const struct conf_listen *
first_with_tls(const struct conf_server *s)
{
	for (size_t i = 0; i < s->listen_count; i++)
		if (s->listens[i].ssl)
			return &s->listens[i];
	return NULL;
}

/* Certificates and keys belong together by their order. */
static void
check_pairs(const struct conf_server *s, const struct conf_listen *l,
    struct str *errors)
{
	size_t certs = s->ssl_certificate.count;
	size_t keys = s->ssl_certificate_key.count;

	if (certs == 0)
		lexer_mistake(errors, &l->place, "listen",
		    "ssl needs an ssl_certificate FILE and its "
		    "ssl_certificate_key FILE, in this server block or at top "
		    "level");
	else if (certs > keys)
		lexer_mistake(errors, &s->ssl_certificate.values[keys].place,
		    "ssl_certificate",
		    "its ssl_certificate_key is missing: the first key belongs "
		    "to the first certificate, and so on");
	if (keys > certs && certs > 0)
		lexer_mistake(errors,
		    &s->ssl_certificate_key.values[certs].place,
		    "ssl_certificate_key",
		    "its ssl_certificate is missing: the first key belongs to "
		    "the first certificate, and so on");
}

static void
check_clients(const struct conf_server *s, struct str *errors)
{
	if (s->ssl_verify_client == VERIFY_OFF ||
	    s->ssl_client_certificate != NULL)
		return;
	lexer_mistake(errors,
	    s->ssl_verify_client_at.line != 0 ? &s->ssl_verify_client_at
					      : &s->place,
	    "ssl_verify_client",
	    "an ssl_client_certificate FILE must say who may have signed the "
	    "certificates of clients");
}

static bool
listens_there(const struct conf_server *s, const struct conf_listen *l)
{
	for (size_t i = 0; i < s->listen_count; i++)
		if (s->listens[i].ssl &&
		    addr_equal(&s->listens[i].addr, &l->addr))
			return true;
	return false;
}

/* A name that both have; NULL: none. */
static const char *
name_of_both(const struct conf_server *a, const struct conf_server *b)
{
	for (size_t i = 0; i < a->server_name.count; i++)
		for (size_t k = 0; k < b->server_name.count; k++)
			if (strcmp(a->server_name.values[i],
				b->server_name.values[k]) == 0)
				return a->server_name.values[i];
	return NULL;
}

/* A client chooses by name between those that listen there. */
static void
check_names(const struct conf_server *before, const struct conf_server *s,
    const struct conf_listen *l, struct str *errors)
{
	const char *name = name_of_both(before, s);
	struct str place = {0};

	lexer_place(&place, &before->place);
	if (s->server_name.count == 0)
		lexer_mistake(errors, &l->place, "listen",
		    "the server block at %s listens there, too, and is the one "
		    "for clients that name none of them: without a server_name "
		    "this one would never be used",
		    str_failed(&place) ? "another place" : place.s);
	else if (name != NULL)
		lexer_mistake(errors, &l->place, "listen",
		    "the server block at %s listens there, too, and both have "
		    "the server_name %s",
		    str_failed(&place) ? "another place" : place.s, name);
	str_fini(&place);
}

/* Compare an address with TLS with those of the blocks before. */
static void
check_neighbours(const struct config *c, size_t server,
    const struct conf_listen *l, struct str *errors)
{
	for (size_t i = 0; i < server; i++)
		if (listens_there(&c->servers[i], l)) {
			check_names(
			    &c->servers[i], &c->servers[server], l, errors);
			return;
		}
}

static bool
any_speaks_tls(const struct config *c)
{
	for (size_t i = 0; i < c->server_count; i++)
		if (first_with_tls(&c->servers[i]) != NULL)
			return true;
	return false;
}

static bool
any_verifies(const struct config *c)
{
	for (size_t i = 0; i < c->server_count; i++)
		if (c->servers[i].ssl_verify_client_at.line != 0)
			return true;
	return false;
}

static bool
any_asks_clients(const struct config *c)
{
	for (size_t i = 0; i < c->server_count; i++)
		if (c->servers[i].ssl_client_certificate != NULL)
			return true;
	return false;
}

/* Who writes these believes that they do something: that it is encrypted, and that
 * clients are looked at. */
static void
check_use(const struct config *c, struct str *errors)
{
	bool tls = any_speaks_tls(c), verifies = any_verifies(c);
	bool asks = any_asks_clients(c);

	for (size_t i = 0; i < c->server_count; i++) {
		const struct conf_server *s = &c->servers[i];

		if (!tls && s->ssl_certificate.count > 0) {
			lexer_mistake(errors,
			    &s->ssl_certificate.values[0].place,
			    "ssl_certificate",
			    "it would not be used, since no listen has ssl: "
			    "write ssl behind the address, as in listen 443 "
			    "ssl");
			return;
		}
		if (!verifies && s->ssl_client_certificate != NULL) {
			lexer_mistake(errors, &s->ssl_client_certificate_at,
			    "ssl_client_certificate",
			    "no client would be asked for a certificate: write "
			    "ssl_verify_client on, or optional (or off)");
			return;
		}
		if (!asks && s->ssl_crl != NULL) {
			lexer_mistake(errors, &s->ssl_crl_at, "ssl_crl",
			    "no client is asked for a certificate that could "
			    "be revoked: write ssl_client_certificate FILE and "
			    "ssl_verify_client on, too");
			return;
		}
	}
}

void
check_tls(const struct config *c, struct str *errors)
{
	check_use(c, errors);
	for (size_t i = 0; i < c->server_count; i++) {
		const struct conf_server *s = &c->servers[i];
		const struct conf_listen *l = first_with_tls(s);

		if (l == NULL)
			continue;
		check_pairs(s, l, errors);
		check_clients(s, errors);
		for (size_t k = 0; k < s->listen_count; k++)
			if (s->listens[k].ssl)
				check_neighbours(c, i, &s->listens[k], errors);
	}
}
