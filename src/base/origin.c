#include "base/origin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/ascii.h"

/* The default port of a scheme. */
static int
port_of(const char *scheme, size_t len)
{
	if (str_ieq(scheme, len, "http"))
		return 80;
	if (str_ieq(scheme, len, "https"))
		return 443;
	return HOST_NO_PORT;
}

static bool
is_scheme(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_letter(s[i]) &&
		    (i == 0 || s[i] == '\0' ||
			strchr("0123456789+-.", s[i]) == NULL))
			return false;
	}
	return len > 0;
}

/* Why the text after scheme:// is not host[:port]. */
static const char *
origin_trouble(const char *s, size_t len)
{
	if (len > 0 && s[len - 1] == '/')
		return "an origin ends behind the host or the port: leave out "
		       "the slash";
	if (memchr(s, '/', len) != NULL || memchr(s, '?', len) != NULL ||
	    memchr(s, '#', len) != NULL)
		return "an origin has no path: leave out what stands behind "
		       "the host or the port";
	if (memchr(s, '@', len) != NULL)
		return "an origin has no user: leave out what stands before "
		       "the @";
	if (memchr(s, '*', len) != NULL)
		return "a part of an origin cannot be *: name each origin, or "
		       "* alone for all there are";
	return "the host or the port is wrong: write a name (one of another "
	       "script as xn--...), an IPv4 address or [IPV6], then perhaps "
	       ":PORT, up to 65535";
}

int
origin_parse(
    const char *s, size_t len, struct origin *ret, const char **ret_why)
{
	struct origin o = {.scheme = s};
	const char *rest;

	if (str_ieq(s, len, "null")) {
		*ret_why = "null stands for any page that has no origin, of "
			   "whoever it is (a file, a sandboxed frame): serve "
			   "the page from a web server and name that, or "
			   "write * for all pages";
		return -EINVAL;
	}
	while (o.scheme_len < len && s[o.scheme_len] != ':')
		o.scheme_len++;
	rest = s + o.scheme_len;
	if (!is_scheme(s, o.scheme_len) || len - o.scheme_len < 3 ||
	    memcmp(rest, "://", 3) != 0) {
		*ret_why = "an origin begins with its scheme: write "
			   "https://HOST or http://HOST:PORT";
		return -EINVAL;
	}
	rest += 3;
	len -= o.scheme_len + 3;
	/* "http://a:" has a needless colon, which no browser sends. */
	if (!host_split(rest, len, &o.at) ||
	    (o.at.port == HOST_NO_PORT && o.at.len < len)) {
		*ret_why = origin_trouble(rest, len);
		return -EINVAL;
	}
	if (o.at.port == HOST_NO_PORT)
		o.at.port = port_of(s, o.scheme_len);
	*ret = o;
	return 0;
}

bool
origin_equal(const struct origin *a, const struct origin *b)
{
	/* A scheme is compared like a host: ASCII letters, ignoring case. */
	return host_equal(a->scheme, a->scheme_len, b->scheme, b->scheme_len) &&
	       host_equal(a->at.host, a->at.len, b->at.host, b->at.len) &&
	       a->at.port == b->at.port;
}

bool
origin_is_at(const struct origin *o, const char *authority, size_t len)
{
	struct host_port at;
	int own = port_of(o->scheme, o->scheme_len);

	if (own == HOST_NO_PORT || !host_split(authority, len, &at))
		return false;
	return host_equal(o->at.host, o->at.len, at.host, at.len) &&
	       o->at.port == (at.port == HOST_NO_PORT ? own : at.port);
}

static void
add_lower(struct str *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = ascii_lower(s[i]);

		str_add(out, &c, 1);
	}
}

/* An IPv6 address has many forms, browsers send the shortest. */
static void
add_host(struct str *out, const struct host_port *at)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (at->host[0] != '[') {
		add_lower(out, at->host, at->len);
		return;
	}
	check(at->len - 2 < sizeof(text));
	memcpy(text, at->host + 1, at->len - 2);
	text[at->len - 2] = '\0';
	check(inet_pton(AF_INET6, text, &addr) == 1);
	inet_ntop(AF_INET6, &addr, text, sizeof(text));
	str_printf(out, "[%s]", text);
}

void
origin_format(const struct origin *o, struct str *out)
{
	add_lower(out, o->scheme, o->scheme_len);
	str_puts(out, "://");
	add_host(out, &o->at);
	if (o->at.port != HOST_NO_PORT &&
	    o->at.port != port_of(o->scheme, o->scheme_len))
		str_printf(out, ":%d", o->at.port);
}
