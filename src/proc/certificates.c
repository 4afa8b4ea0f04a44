#include "proc/certificates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "net/tls_context.h"
#include "proc/refusal.h"

enum {
	DAY_S = 24 * 60 * 60,
};

_Static_assert((int)PROTOCOL_TLS_1_2 == (int)TLS_V1_2 &&
		   (int)PROTOCOL_TLS_1_3 == (int)TLS_V1_3,
    "the bits are the same");

static bool
speaks_tls(const struct conf_server *s)
{
	for (size_t i = 0; i < s->listen_count; i++)
		if (s->listens[i].ssl)
			return true;
	return false;
}

/* "9 days", or less. */
static void
add_time(int64_t seconds, struct str *out)
{
	seconds = seconds < 0 ? -seconds : seconds;
	if (seconds >= 2 * DAY_S)
		str_printf(out, "%" PRId64 " days", seconds / DAY_S);
	else
		str_printf(out, "%" PRId64 " hours", seconds / 3600);
}

/* What it is of, for which there are `left_s` seconds, or there were some before. */
static void
look_at_time_left(const struct certificates_term *t, int64_t left_s)
{
	struct str time = {0};
	const char *text;

	add_time(left_s, &time);
	text = time.s != NULL ? time.s : "?";
	if (t->of_list && left_s < 0)
		refusal_warn(t->place, "ssl_crl", t->path,
		    "the next list was due %s ago, and certificates of clients "
		    "are refused until it is here: get it, and reload",
		    text);
	else if (!t->of_list && left_s < 0)
		refusal_log(t->place, "ssl_certificate", t->path,
		    "it has expired, %s ago: renew it, and reload", text);
	else if (!t->of_list && left_s < CERTIFICATES_WARN_DAYS * DAY_S)
		refusal_warn(t->place, "ssl_certificate", t->path,
		    "it expires in %s: renew it, and reload", text);
	str_fini(&time);
}

/* Note until when it is good, in `left_s` seconds.  What several blocks inherit is told
 * once. */
static void
add_term(struct certificates *all, struct certificates_term t, int64_t left_s)
{
	for (size_t i = 0; i < all->term_count; i++)
		if (all->terms[i].of_list == t.of_list &&
		    strcmp(all->terms[i].path, t.path) == 0)
			return;
	t.ends_s = (int64_t)time(NULL) + left_s;
	all->terms[all->term_count++] = t;
	look_at_time_left(&t, left_s);
}

/* A certificate that can be used: is it for long?  -EINVAL: it has expired. */
static int
look_at_term(struct certificates *all, const struct conf_file *f,
    const struct tls_pair *pair)
{
	add_term(all,
	    (struct certificates_term){.path = f->path, .place = &f->place},
	    pair->left_s);
	if (pair->too_early)
		refusal_warn(&f->place, "ssl_certificate", f->path,
		    "it is not valid yet: is the clock of this machine right?");
	return pair->left_s < 0 ? -EINVAL : 0;
}

static void
look_at_chain(const struct conf_file *f, const struct tls_pair *pair)
{
	if (pair->disordered)
		refusal_warn(&f->place, "ssl_certificate", f->path,
		    "the certificates in it are out of order, and some clients "
		    "will not accept them: each must be followed by the one "
		    "that has signed it, the server's own first");
	if (pair->alone)
		refusal_warn(&f->place, "ssl_certificate", f->path,
		    "the certificate that has signed it is not in the file, "
		    "and most clients will not accept it: use the file with "
		    "all of them (fullchain.pem)");
}

static void
look_at_key(const struct conf_file *f, mode_t mode)
{
	if ((mode & (S_IROTH | S_IWOTH)) != 0)
		refusal_warn(&f->place, "ssl_certificate_key", f->path,
		    "every user of this machine can %s it: chmod o= it, and "
		    "get a new one, if it was so for long",
		    (mode & S_IROTH) != 0 ? "read" : "write to");
}

static int
add_pair(struct certificates *all, struct tls_context *c,
    const struct conf_file *cert, const struct conf_file *key)
{
	struct tls_fault fault;
	struct tls_pair pair;

	if (tls_context_add_pair(c, cert->path, key->path, &pair, &fault) < 0) {
		if (fault.of_key)
			refusal_log(&key->place, "ssl_certificate_key",
			    key->path, "%s", fault.why);
		else
			refusal_log(&cert->place, "ssl_certificate", cert->path,
			    "%s", fault.why);
		return -EINVAL;
	}
	look_at_key(key, pair.key_mode);
	look_at_chain(cert, &pair);
	return look_at_term(all, cert, &pair);
}

static int
add_revocations(struct certificates *all, struct tls_context *c,
    const struct conf_server *s)
{
	struct tls_fault fault;
	int64_t left_s;

	if (s->ssl_crl == NULL)
		return 0;
	if (tls_context_revoke(c, s->ssl_crl, &left_s, &fault) < 0) {
		refusal_log(
		    &s->ssl_crl_at, "ssl_crl", s->ssl_crl, "%s", fault.why);
		return -EINVAL;
	}
	if (left_s != INT64_MAX) /* else it is good for ever */
		add_term(all,
		    (struct certificates_term){.of_list = true,
			.path = s->ssl_crl,
			.place = &s->ssl_crl_at},
		    left_s);
	return 0;
}

static int
add_clients(struct certificates *all, struct tls_context *c,
    const struct conf_server *s)
{
	static const enum tls_verify how[] = {
	    [VERIFY_OFF] = TLS_VERIFY_OFF,
	    [VERIFY_ON] = TLS_VERIFY_ON,
	    [VERIFY_OPTIONAL] = TLS_VERIFY_OPTIONAL,
	};
	struct tls_fault fault;

	if (s->ssl_client_certificate == NULL)
		return 0;
	if (tls_context_verify(c, how[s->ssl_verify_client],
		s->ssl_client_certificate, &fault) == 0)
		return add_revocations(all, c, s);
	refusal_log(&s->ssl_client_certificate_at, "ssl_client_certificate",
	    s->ssl_client_certificate, "%s", fault.why);
	return -EINVAL;
}

/* What makes this block the same after a reload: its addresses and names. */
static void
identify(const struct conf_server *s, struct str *out)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < s->listen_count; i++) {
		addr_format(&s->listens[i].addr, text);
		str_printf(out, "%s\n", text);
	}
	for (size_t i = 0; i < s->server_name.count; i++)
		str_printf(out, "%s\n", s->server_name.values[i]);
}

static int
load_server(struct certificates *all, const struct conf_server *s,
    struct ticket_keys *keys, struct tls_context *c)
{
	struct str identity = {0};
	struct tls_fault fault;
	int err = 0;

	for (size_t i = 0; i < s->ssl_certificate.count; i++)
		if (add_pair(all, c, &s->ssl_certificate.values[i],
			&s->ssl_certificate_key.values[i]) < 0)
			err = -EINVAL;
	if (tls_context_set_ciphers(c, s->ssl_ciphers, &fault) < 0) {
		refusal_log(&s->ssl_ciphers_at, "ssl_ciphers", s->ssl_ciphers,
		    "%s", fault.why);
		err = -EINVAL;
	}
	if (tls_context_set_versions(c, (unsigned)s->ssl_protocols) < 0 ||
	    add_clients(all, c, s) < 0)
		err = -EINVAL;
	identify(s, &identity);
	tls_context_resume(c, s->ssl_session_tickets ? keys : NULL,
	    identity.s ? identity.s : "", identity.len);
	str_fini(&identity);
	return err;
}

static size_t
count_terms(const struct config *conf)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->server_count; i++)
		n += conf->servers[i].ssl_certificate.count +
		     (conf->servers[i].ssl_crl != NULL);
	return n;
}

int
certificates_load(const struct config *conf, struct ticket_keys *keys,
    struct certificates *ret)
{
	struct certificates all = {.count = conf->server_count};
	int err = 0;

	all.of = calloc(all.count, sizeof(*all.of));
	all.terms = calloc(count_terms(conf) + 1, sizeof(*all.terms));
	if (all.of == NULL || all.terms == NULL)
		err = -ENOMEM;
	for (size_t i = 0; err != -ENOMEM && i < all.count; i++) {
		if (!speaks_tls(&conf->servers[i]))
			continue;
		all.of[i] = tls_context_new();
		if (all.of[i] == NULL)
			err = -ENOMEM;
		else if (load_server(&all, &conf->servers[i], keys, all.of[i]) <
			 0)
			err = -EINVAL;
	}
	if (err == 0) {
		*ret = all;
		return 0;
	}
	if (err == -ENOMEM)
		log_error("certificates: out of memory");
	certificates_free(&all);
	return -EINVAL;
}

void
certificates_add_moment(int64_t at_s, struct str *out)
{
	char text[64];
	struct tm tm;
	time_t t = (time_t)at_s;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(text, sizeof(text), "%" PRId64, at_s);
	str_puts(out, text);
}

void
certificates_add_term(const struct certificates_term *t, struct str *out)
{
	/* By whether it is past. */
	static const char *const of_certificate[] = {
	    ": expires in ", ": has expired, "};
	static const char *const of_list[] = {
	    ": the next list is due in ", ": the next list was due "};
	int64_t left = t->ends_s - (int64_t)time(NULL);

	str_puts(out, t->of_list ? "ssl_crl " : "ssl_certificate ");
	str_escape(out, t->path, strlen(t->path));
	str_puts(out, (t->of_list ? of_list : of_certificate)[left < 0]);
	add_time(left, out);
	str_puts(out, left < 0 ? " ago, " : ", ");
	certificates_add_moment(t->ends_s, out);
	if (t->of_list && left < 0)
		str_puts(out, "; certificates of clients are refused");
	str_puts(out, "\n");
}

void
certificates_describe(const struct certificates *c, struct str *out)
{
	for (size_t i = 0; i < c->term_count; i++)
		certificates_add_term(&c->terms[i], out);
}

void
certificates_log(const struct certificates *c)
{
	struct str text = {0};

	certificates_describe(c, &text);
	if (text.len > 0 && !str_failed(&text))
		log_lines(LEVEL_INFO, "", text.s);
	str_fini(&text);
}

void
certificates_look(const struct certificates *c)
{
	int64_t now = (int64_t)time(NULL);

	for (size_t i = 0; i < c->term_count; i++)
		look_at_time_left(&c->terms[i], c->terms[i].ends_s - now);
}

void
certificates_free(struct certificates *c)
{
	for (size_t i = 0; c->of != NULL && i < c->count; i++)
		tls_context_free(&c->of[i]);
	free(c->of);
	free(c->terms);
	*c = (struct certificates){0};
}
