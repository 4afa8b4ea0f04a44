#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/num.h"

static int
parse_unix(const char *path, struct addr *ret, const char **ret_why)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if (len == 0) {
		*ret_why = "a path is missing after \"unix:\"";
		return -EINVAL;
	}
	if (len >= sizeof(sun.sun_path)) {
		*ret_why = "the path of a UNIX socket has at most 107 bytes";
		return -EINVAL;
	}
	memcpy(sun.sun_path, path, len + 1);
	memcpy(&ret->ss, &sun, sizeof(sun));
	ret->len = sizeof(sun);
	return 0;
}

static int
parse_port(const char *text, uint16_t *ret_port, const char **ret_why)
{
	uint64_t port;

	if (num_parse_u64(text, strlen(text), &port) < 0 || port < 1 ||
	    port > 65535) {
		*ret_why = "the port is a number from 1 to 65535";
		return -EINVAL;
	}
	*ret_port = (uint16_t)port;
	return 0;
}

static int
set_v4(struct in_addr ip, uint16_t port, struct addr *ret)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	sin.sin_addr = ip;
	sin.sin_port = htons(port);
	memcpy(&ret->ss, &sin, sizeof(sin));
	ret->len = sizeof(sin);
	return 0;
}

void
addr_unmap(struct addr *a)
{
	struct in6_addr in6 = a->ss.in6.sin6_addr;
	struct in_addr ip;

	if (a->ss.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6))
		return;
	memcpy(&ip, in6.s6_addr + 12, sizeof(ip));
	(void)set_v4(ip, ntohs(a->ss.in6.sin6_port), a);
}

static int
parse_v6(
    const char *host, uint16_t port, struct addr *ret, const char **ret_why)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};

	sin6.sin6_port = htons(port);
	if (inet_pton(AF_INET6, host, &sin6.sin6_addr) != 1) {
		*ret_why = "not an IPv6 address; write [ADDRESS]:PORT";
		return -EINVAL;
	}
	memcpy(&ret->ss, &sin6, sizeof(sin6));
	ret->len = sizeof(sin6);
	return 0;
}

int
addr_parse(const char *text, struct addr *ret, const char **ret_why)
{
	struct in_addr any = {.s_addr = htonl(INADDR_ANY)}, ip;
	const char *colon = strrchr(text, ':');
	char host[64];
	uint16_t port;
	size_t len;

	memset(ret, 0, sizeof(*ret));
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, ret, ret_why);
	if (colon == NULL) {
		*ret_why = "write PORT, ADDRESS:PORT, [IPV6]:PORT or "
			   "unix:PATH";
		if (strspn(text, "0123456789") != strlen(text) || !*text)
			return -EINVAL;
		if (parse_port(text, &port, ret_why) < 0)
			return -EINVAL;
		return set_v4(any, port, ret);
	}
	len = (size_t)(colon - text);
	if (len >= sizeof(host)) {
		*ret_why = "the address is too long";
		return -EINVAL;
	}
	if (parse_port(colon + 1, &port, ret_why) < 0)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return parse_v6(host + 1, port, ret, ret_why);
	}
	if (strcmp(host, "*") == 0)
		return set_v4(any, port, ret);
	if (strcmp(host, "localhost") == 0)
		return set_v4(
		    (struct in_addr){htonl(INADDR_LOOPBACK)}, port, ret);
	if (inet_pton(AF_INET, host, &ip) != 1) {
		*ret_why = "not a numeric address; write PORT, ADDRESS:PORT, "
			   "[IPV6]:PORT or unix:PATH";
		return -EINVAL;
	}
	return set_v4(ip, port, ret);
}

void
addr_format(const struct addr *a, char ret_text[ADDR_TEXT_MAX])
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;
	char ip[INET6_ADDRSTRLEN] = "?";
	const char *path;

	switch (a->ss.ss_family) {
	case AF_INET:
		memcpy(&sin, &a->ss, sizeof(sin));
		inet_ntop(AF_INET, &sin.sin_addr, ip, sizeof(ip));
		if (sin.sin_port == 0)
			snprintf(ret_text, ADDR_TEXT_MAX, "%s", ip);
		else
			snprintf(ret_text, ADDR_TEXT_MAX, "%s:%u", ip,
			    ntohs(sin.sin_port));
		break;
	case AF_INET6:
		memcpy(&sin6, &a->ss, sizeof(sin6));
		inet_ntop(AF_INET6, &sin6.sin6_addr, ip, sizeof(ip));
		if (sin6.sin6_port == 0)
			snprintf(ret_text, ADDR_TEXT_MAX, "[%s]", ip);
		else
			snprintf(ret_text, ADDR_TEXT_MAX, "[%s]:%u", ip,
			    ntohs(sin6.sin6_port));
		break;
	case AF_UNIX:
		path = addr_unix_path(a);
		snprintf(ret_text, ADDR_TEXT_MAX, "unix:%s", path);
		break;
	default:
		snprintf(ret_text, ADDR_TEXT_MAX, "?");
		break;
	}
}

void
addr_format_host(const struct addr *a, char ret_text[ADDR_TEXT_MAX])
{
	const void *bytes = a->ss.ss_family == AF_INET6
				? (const void *)&a->ss.in6.sin6_addr
				: (const void *)&a->ss.in.sin_addr;

	if (a->ss.ss_family == AF_UNIX)
		snprintf(ret_text, ADDR_TEXT_MAX, "unix:");
	else if ((a->ss.ss_family != AF_INET && a->ss.ss_family != AF_INET6) ||
		 inet_ntop(a->ss.ss_family, bytes, ret_text, ADDR_TEXT_MAX) ==
		     NULL)
		snprintf(ret_text, ADDR_TEXT_MAX, "?");
}

unsigned
addr_port(const struct addr *a)
{
	if (a->ss.ss_family == AF_INET)
		return ntohs(a->ss.in.sin_port);
	return a->ss.ss_family == AF_INET6 ? ntohs(a->ss.in6.sin6_port) : 0;
}

size_t
addr_network(const struct addr *a, unsigned char ret_bytes[8])
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	switch (a->ss.ss_family) {
	case AF_UNSPEC:
		memset(ret_bytes, 0, 4);
		return 4;
	case AF_INET:
		memcpy(&sin, &a->ss, sizeof(sin));
		memcpy(ret_bytes, &sin.sin_addr, 4);
		return 4;
	case AF_INET6:
		memcpy(&sin6, &a->ss, sizeof(sin6));
		if (IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr)) {
			memcpy(ret_bytes, sin6.sin6_addr.s6_addr + 12, 4);
			return 4;
		}
		memcpy(ret_bytes, sin6.sin6_addr.s6_addr, 8);
		return 8;
	default:
		return 0;
	}
}

bool
addr_is_loopback(const struct addr *a)
{
	const struct in6_addr *ip6 = &a->ss.in6.sin6_addr;

	if (a->ss.ss_family == AF_INET)
		return ntohl(a->ss.in.sin_addr.s_addr) >> 24 == 127;
	return a->ss.ss_family == AF_INET6 &&
	       (IN6_IS_ADDR_LOOPBACK(ip6) ||
		   (IN6_IS_ADDR_V4MAPPED(ip6) && ip6->s6_addr[12] == 127));
}

const char *
addr_unix_path(const struct addr *a)
{
	const struct sockaddr_un *sun = (const void *)&a->ss;

	if (a->ss.ss_family != AF_UNIX)
		return NULL;
	/* A UNIX peer that never called bind(2) has a family and nothing
	 * else. */
	if (a->len <= offsetof(struct sockaddr_un, sun_path))
		return "";
	return sun->sun_path;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return a->ss.ss_family == b->ss.ss_family && a->len == b->len &&
	       memcmp(&a->ss, &b->ss, a->len) == 0;
}
