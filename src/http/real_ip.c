#include "http/real_ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "base/str.h"

enum {
	HOP_TEXT_MAX = 64, /* of an address and its port; longer: it is none */
	TOLD_EACH_S = 600, /* that a proxy says nothing */
};

/* An address that is not known. */
static const struct addr hidden = {
    .ss.ss_family = AF_UNSPEC, .len = sizeof(sa_family_t)};

/* The addresses on the way of a request, in their order, as far as was looked. */
struct hops {
	const struct conf_server *conf;
	bool any;		  /* there was one */
	bool all_trusted;	  /* and no other than trusted proxies */
	struct addr first, found; /* the first; the last that is not trusted */
};

bool
real_ip_is_proxy(const struct conf_server *s, const struct addr *peer)
{
	return networks_find(&s->trusted_proxies, peer) != NULL;
}

bool
real_ip_is_told(const struct conf_server *s, const struct addr *peer)
{
	return s->real_ip_header != REAL_IP_OFF && real_ip_is_proxy(s, peer);
}

void
real_ip_distrust(
    const struct conf_server *s, struct head *h, const struct addr *peer)
{
	if (s->trusted_proxies.count > 0 && !real_ip_is_proxy(s, peer)) {
		h->forwarded_host.count = 0;
		h->forwarded_proto = (struct span){0};
	}
}

/* ---- one address ---- */

static bool
set_hop(int family, const char *ip, uint16_t port, struct addr *ret)
{
	struct addr a = {.ss.ss_family = (sa_family_t)family};

	if (family == AF_INET) {
		a.len = sizeof(a.ss.in);
		a.ss.in.sin_port = htons(port);
		if (inet_pton(AF_INET, ip, &a.ss.in.sin_addr) != 1)
			return false;
	} else {
		a.len = sizeof(a.ss.in6);
		a.ss.in6.sin6_port = htons(port);
		if (inet_pton(AF_INET6, ip, &a.ss.in6.sin6_addr) != 1)
			return false;
	}
	addr_unmap(&a);
	*ret = a;
	return true;
}

/* The port behind an address; 0: none, or no number (RFC 7239 has names, too). */
static uint16_t
read_port(const char *text)
{
	uint64_t port;

	return num_parse_u64(text, strlen(text), &port) == 0 && port <= 65535
		   ? (uint16_t)port
		   : 0;
}

/* 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1] or [2001:db8::1]:80. */
static bool
read_hop(struct span t, struct addr *ret)
{
	char text[HOP_TEXT_MAX], *colon, *end;

	if (t.len == 0 || t.len >= sizeof(text))
		return false;
	memcpy(text, t.s, t.len);
	text[t.len] = '\0';
	if (strlen(text) != t.len)
		return false;
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		*end = '\0';
		return set_hop(AF_INET6, text + 1,
		    end[1] == ':' ? read_port(end + 2) : 0, ret);
	}
	colon = strchr(text, ':');
	if (colon == NULL)
		return set_hop(AF_INET, text, 0, ret);
	if (strchr(colon + 1, ':') != NULL)
		return set_hop(AF_INET6, text, 0, ret);
	*colon = '\0';
	return set_hop(AF_INET, text, read_port(colon + 1), ret);
}

/* ---- all of them ---- */

static void
add_hop(struct hops *p, struct span text)
{
	struct addr a;

	if (!read_hop(text, &a))
		a = hidden;
	if (!p->any)
		p->first = a;
	p->any = true;
	if (real_ip_is_proxy(p->conf, &a) && a.ss.ss_family != AF_UNSPEC)
		return;
	p->all_trusted = false;
	p->found = a;
}

static void
add_list(struct hops *p, struct span rest)
{
	struct span member;

	while (syntax_next_member(&rest, &member))
		if (member.len > 0)
			add_hop(p, member);
}

/* A token, or what is in quotes; false: neither. */
static bool
take_value(struct span *rest, struct span *ret)
{
	size_t n = 0;

	if (rest->len > 0 && rest->s[0] == '"') {
		/* An address has no backslash: the value then is none. */
		for (n = 1; n < rest->len && rest->s[n] != '"'; n++)
			n += rest->s[n] == '\\';
		if (n >= rest->len)
			return false;
		*ret = (struct span){rest->s + 1, n - 1};
		n++;
	} else {
		while (
		    n < rest->len && syntax_is_tchar((unsigned char)rest->s[n]))
			n++;
		*ret = (struct span){rest->s, n};
	}
	rest->s += n;
	rest->len -= n;
	return n > 0;
}

/* One element of Forwarded (RFC 7239 4), for=... and others, with what ends it.  False:
 * it is malformed, and so is all that follows. */
static bool
take_element(struct span *rest, struct span *ret_for)
{
	struct span name, value;

	*ret_for = (struct span){0};
	for (;;) {
		*rest = span_trim(*rest);
		if (rest->len == 0)
			return true;
		if (rest->s[0] != ',' && rest->s[0] != ';') {
			if (!take_value(rest, &name) || rest->len == 0 ||
			    rest->s[0] != '=')
				return false;
			rest->s++;
			rest->len--;
			if (!take_value(rest, &value))
				return false;
			if (str_ieq(name.s, name.len, "for"))
				*ret_for = value;
			*rest = span_trim(*rest);
			if (rest->len == 0)
				return true;
		}
		if (rest->s[0] != ',' && rest->s[0] != ';')
			return false;
		rest->s++;
		rest->len--;
		if (rest->s[-1] == ',')
			return true;
	}
}

static void
add_forwarded(struct hops *p, struct span rest)
{
	struct span one;

	for (rest = span_trim(rest); rest.len > 0; rest = span_trim(rest)) {
		bool whole;

		if (rest.s[0] == ',') { /* an empty element */
			rest.s++;
			rest.len--;
			continue;
		}
		whole = take_element(&rest, &one);
		add_hop(p, whole ? one : (struct span){0});
		if (!whole)
			return;
	}
}

/* The proxy then passes on requests of anybody as if they were its own, unless it asks for
 * itself whether this server is alive. */
static void
tell_missing(const struct conf_server *s, const struct addr *peer)
{
	static const struct {
		const char *field, *how;
	} known[] = {
	    [REAL_IP_X_FORWARDED_FOR] = {"X-Forwarded-For",
		"nginx: proxy_set_header X-Forwarded-For $remote_addr;"},
	    [REAL_IP_FORWARDED] = {"Forwarded", "HAProxy: option forwarded"},
	    [REAL_IP_X_REAL_IP] = {"X-Real-IP",
		"nginx: proxy_set_header X-Real-IP $remote_addr;"},
	};
	static struct log_limit limit;
	char from[ADDR_TEXT_MAX];

	if (!log_allowed_each(&limit, TOLD_EACH_S))
		return;
	addr_format(peer, from);
	log_warn("real_ip_header: the proxy %s has sent a request without %s: "
		 "its client is not known; have the proxy send it (%s), or "
		 "take real_ip_header out",
	    from, known[s->real_ip_header].field, known[s->real_ip_header].how);
}

bool
real_ip_find(const struct conf_server *s, const struct head *h,
    const struct addr *peer, struct addr *ret)
{
	struct hops hops = {.conf = s, .all_trusted = true};
	const struct head_lines *lines = s->real_ip_header == REAL_IP_FORWARDED
					     ? &h->forwarded_by
					     : &h->forwarded_for;

	if (!real_ip_is_told(s, peer))
		return false;
	if (s->real_ip_header == REAL_IP_X_REAL_IP) {
		if (h->real_ip.s != NULL)
			add_hop(&hops, h->real_ip);
	} else {
		for (unsigned i = 0; i < lines->count; i++) {
			if (s->real_ip_header == REAL_IP_FORWARDED)
				add_forwarded(&hops, lines->line[i]);
			else
				add_list(&hops, lines->line[i]);
		}
	}
	if (!hops.any) {
		tell_missing(s, peer);
		hops.first = hidden;
	}
	*ret = hops.all_trusted ? hops.first : hops.found;
	return true;
}
