#include "config/config.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/num.h"
#include "base/origin.h"
#include "config/check_rights.h"
#include "config/check_tls.h"
#include "config/lexer.h"
#include "config/listen.h"
#include "config/prefix.h"

/* The port of an internet address, in network order, and whether it stands
 * for all addresses of its family; false for another kind. */
static bool
internet_port(const struct addr *a, in_port_t *ret_port, bool *ret_any)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	if (a->ss.ss_family == AF_INET) {
		memcpy(&sin, &a->ss, sizeof(sin));
		*ret_port = sin.sin_port;
		*ret_any = sin.sin_addr.s_addr == htonl(INADDR_ANY);
		return true;
	}
	if (a->ss.ss_family == AF_INET6) {
		memcpy(&sin6, &a->ss, sizeof(sin6));
		*ret_port = sin6.sin6_port;
		*ret_any = IN6_IS_ADDR_UNSPECIFIED(&sin6.sin6_addr);
		return true;
	}
	return false;
}

/* True when one of them is all addresses of a family, the other one of these:
 * bind() then fails for the second. */
static bool
overlap(const struct conf_listen *a, const struct conf_listen *b)
{
	in_port_t a_port, b_port;
	bool a_any, b_any;

	if (!internet_port(&a->addr, &a_port, &a_any) ||
	    !internet_port(&b->addr, &b_port, &b_any) || a_port != b_port)
		return false;
	if (a->addr.ss.ss_family == b->addr.ss.ss_family)
		return a_any || b_any;
	/* [::] may be all of IPv4, too. */
	return listen_is_both(a) || listen_is_both(b);
}

/* They share one socket, which has options only once. */
static void
check_options(const struct conf_listen *before, const struct conf_listen *l,
    struct str *errors)
{
	struct str first = {0}, second = {0}, place = {0};

	listen_format(before, &first);
	listen_format(l, &second);
	lexer_place(&place, &before->place);
	if (str_failed(&first) || str_failed(&second) || str_failed(&place))
		errors->failed = true;
	else if (strcmp(first.s, second.s) != 0)
		lexer_mistake(errors, &l->place, "listen",
		    "both server blocks share one socket, so write the same "
		    "options as at %s: %s",
		    place.s, first.s);
	str_fini(&first);
	str_fini(&second);
	str_fini(&place);
}

/* Tell when `l` takes what `before`, which stands before it, has taken.  `apart`: in
 * another block, and both may share it. */
static bool
check_pair(const struct conf_listen *before, const struct conf_listen *l,
    bool apart, struct str *errors)
{
	char text[ADDR_TEXT_MAX], other[ADDR_TEXT_MAX];
	bool same = addr_equal(&before->addr, &l->addr);
	struct str place = {0};

	if (!same && !overlap(before, l))
		return true;
	if (same && apart && check_tls_shares(before, l)) {
		check_options(before, l, errors);
		return false; /* with others it was compared already */
	}
	addr_format(&l->addr, text);
	addr_format(&before->addr, other);
	lexer_place(&place, &before->place);
	if (same)
		lexer_mistake(errors, &l->place, "listen",
		    "%s is taken at %s; each address may be given once%s", text,
		    str_failed(&place) ? "another place" : place.s,
		    before->ssl != l->ssl && apart ? ", unless both have ssl"
						   : "");
	else
		lexer_mistake(errors, &l->place, "listen",
		    "%s overlaps %s at %s; both cannot be bound%s", text, other,
		    str_failed(&place) ? "another place" : place.s,
		    before->addr.ss.ss_family != l->addr.ss.ss_family
			? ", since ipv6only=off takes the IPv4 addresses as "
			  "well"
			: "");
	str_fini(&place);
	return false;
}

/* Two blocks `server` may share an address. */
static bool
may_share(const struct conf_server *a, const struct conf_server *b)
{
	return a != b && a->admin == NULL && b->admin == NULL;
}

/* Compare the address with all that stand before it. */
static void
check_listen(
    const struct config *c, size_t server, size_t listen, struct str *errors)
{
	const struct conf_listen *l = &c->servers[server].listens[listen];

	for (size_t i = 0; i <= server; i++) {
		const struct conf_server *s = &c->servers[i];
		size_t end = i == server ? listen : s->listen_count;

		for (size_t j = 0; j < end; j++)
			if (!check_pair(&s->listens[j], l,
				may_share(s, &c->servers[server]), errors))
				return;
	}
}

static void
check_prefixes(const struct conf_server *s, struct str *errors)
{
	for (size_t i = 0; i < s->location_count; i++) {
		const struct conf_location *l = &s->locations[i];

		for (size_t j = 0; j < i; j++) {
			struct str place = {0};

			if (strcmp(s->locations[j].prefix, l->prefix) != 0)
				continue;
			lexer_place(&place, &s->locations[j].place);
			lexer_mistake(errors, &l->place, "location",
			    "%s was given in this server at %s", l->prefix,
			    str_failed(&place) ? "another place" : place.s);
			str_fini(&place);
			break;
		}
	}
}

/* `keep latest` removes the previous upload, whichever location it came through: a
 * location that keeps all must not share the directory.  False: it was told. */
static bool
check_sharing(const struct conf_location *before, const struct conf_location *l,
    struct str *errors)
{
	static const char *const keeps[] = {
	    [KEEP_ALL] = "all",
	    [KEEP_LATEST] = "latest",
	};
	struct str place = {0}, dir = {0};

	if (before->policy.output_dir == NULL ||
	    before->policy.keep == l->policy.keep ||
	    strcmp(before->policy.output_dir, l->policy.output_dir) != 0)
		return true;
	lexer_place(&place, &before->place);
	str_escape(&dir, l->policy.output_dir, strlen(l->policy.output_dir));
	lexer_mistake(errors, &l->place, "output_dir",
	    "%s has keep %s here and keep %s in location %s at %s; "
	    "latest would remove files of the other",
	    str_failed(&dir) ? "it" : dir.s, keeps[l->policy.keep],
	    keeps[before->policy.keep], before->prefix,
	    str_failed(&place) ? "another place" : place.s);
	str_fini(&place);
	str_fini(&dir);
	return false;
}

/* Compare the directory with those of all locations before it. */
static void
check_directory(
    const struct config *c, size_t server, size_t location, struct str *errors)
{
	const struct conf_location *l;

	l = &c->servers[server].locations[location];
	if (l->policy.output_dir == NULL)
		return;
	for (size_t i = 0; i <= server; i++) {
		const struct conf_server *s = &c->servers[i];
		size_t end = i == server ? location : s->location_count;

		for (size_t j = 0; j < end; j++)
			if (!check_sharing(&s->locations[j], l, errors))
				return;
	}
}

/* A path that no location has, and that is written as it is asked for. */
static void
check_health(const struct conf_server *s, struct str *errors)
{
	struct str why = {0}, place = {0};
	int err;

	if (!conf_is_on(s->health))
		return;
	err = prefix_check(s->health, &why);
	if (err == 0 && strcmp(s->health, "/") == 0)
		err = -EINVAL;
	if (err < 0)
		lexer_mistake(errors, &s->health_at, "health",
		    "it is a path of its own, such as /healthz%s%s",
		    why.len > 0 && !str_failed(&why) ? ": " : "",
		    why.len > 0 && !str_failed(&why) ? why.s : "");
	for (size_t i = 0; err == 0 && i < s->location_count; i++) {
		if (strcmp(s->locations[i].prefix, s->health) != 0)
			continue;
		lexer_place(&place, &s->locations[i].place);
		lexer_mistake(errors, &s->health_at, "health",
		    "%s is a location, at %s, whose uploads could not be "
		    "reached: name another path, such as /healthz",
		    s->health, str_failed(&place) ? "another place" : place.s);
		str_fini(&place);
	}
	str_fini(&why);
}

/* Who may change something is said by a rule; or by the mode of a UNIX socket. */
static void
check_admin(const struct conf_server *s, struct str *errors)
{
	const struct conf_rights *r;
	bool open = false;

	if (s->admin == NULL || !s->admin_write)
		return;
	r = &s->admin->rights;
	for (size_t i = 0; i < s->listen_count; i++)
		open |= addr_unix_path(&s->listens[i].addr) == NULL;
	if (open && r->access.count == 0 && !conf_is_on(r->auth_basic) &&
	    !conf_is_on(r->auth_bearer_file) &&
	    !conf_is_on(r->signed_link_keys) && !r->auth_client_certificate)
		lexer_mistake(errors, &s->admin_write_at, "admin_write",
		    "whoever reaches this address could cut uploads: say who "
		    "may, with allow and deny, auth_basic or another rule, or "
		    "listen on a UNIX socket alone");
}

/* Without a proxy that is trusted, no field is looked at. */
static void
check_proxies(const struct conf_server *s, struct str *errors)
{
	if (s->real_ip_header != REAL_IP_OFF && s->trusted_proxies.count == 0)
		lexer_mistake(errors,
		    s->real_ip_header_at.line != 0 ? &s->real_ip_header_at
						   : &s->place,
		    "real_ip_header",
		    "nobody is believed what it says: name the proxies with "
		    "trusted_proxies, such as trusted_proxies 127.0.0.1");
	for (size_t i = 0; i < s->listen_count; i++)
		if (s->listens[i].proxy_protocol &&
		    s->trusted_proxies.count == 0)
			lexer_mistake(errors, &s->listens[i].place, "listen",
			    "proxy_protocol: nobody may connect: name the "
			    "proxies with trusted_proxies, such as "
			    "trusted_proxies 127.0.0.1");
}

/* Is this scheme://host, and no more? */
static bool
is_base(const char *url)
{
	struct origin o;
	const char *why;

	return origin_parse(url, strlen(url), &o, &why) == 0 &&
	       (str_ieq(o.scheme, o.scheme_len, "http") ||
		   str_ieq(o.scheme, o.scheme_len, "https"));
}

/* What comes after uploads are refused warns nobody. */
static void
check_free(const struct conf_location *l, struct str *errors)
{
	uint64_t least = l->policy.min_free;

	if (l->alarm_free > 0 && l->alarm_free <= least)
		lexer_mistake(errors, &l->alarm_free_at, "alarm_free",
		    "it has to be more than min_free, below which uploads are "
		    "refused");
	if (l->warn_free > 0 && l->warn_free <= num_most(least, l->alarm_free))
		lexer_mistake(errors, &l->warn_free_at, "warn_free",
		    "it has to be more than %s",
		    l->alarm_free > least
			? "alarm_free, which is the more urgent of the two"
			: "min_free, below which uploads are refused");
}

static void
check_resume_url(const struct conf_location *l, struct str *errors)
{
	struct str shown = {0};

	if (l->resume_url == NULL || strcmp(l->resume_url, "relative") == 0 ||
	    strcmp(l->resume_url, "absolute") == 0 || is_base(l->resume_url))
		return;
	str_escape(&shown, l->resume_url, strlen(l->resume_url));
	lexer_mistake(errors, &l->resume_url_at, "resume_url",
	    "\"%s\" is neither relative nor absolute, nor what stands before "
	    "the path of a URL, such as https://files.example.org",
	    str_failed(&shown) ? "it" : shown.s);
	str_fini(&shown);
}

void
config_check(const struct config *c, struct str *errors)
{
	for (size_t i = 0; i < c->server_count; i++) {
		for (size_t j = 0; j < c->servers[i].listen_count; j++)
			check_listen(c, i, j, errors);
		check_prefixes(&c->servers[i], errors);
		check_proxies(&c->servers[i], errors);
		check_health(&c->servers[i], errors);
		check_admin(&c->servers[i], errors);
		for (size_t j = 0; j < c->servers[i].location_count; j++) {
			check_directory(c, i, j, errors);
			check_resume_url(&c->servers[i].locations[j], errors);
			check_free(&c->servers[i].locations[j], errors);
		}
	}
	check_rights(c, errors);
	check_tls(c, errors);
}
