#include "http/syntax.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/ascii.h"
#include "base/num.h"
#include "base/str.h"

enum {
	HOST_MAX = 255, /* RFC 1035 2.3.4 */
};

/* `c` is one of the characters in `set`. */
static bool
is_in(unsigned char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

bool
syntax_is_tchar(unsigned char c)
{
	return ascii_is_alnum(c) || c == '-' || is_in(c, "!#$%&'*+.^_`|~");
}

bool
syntax_is_token(struct span t)
{
	for (size_t i = 0; i < t.len; i++)
		if (!syntax_is_tchar((unsigned char)t.s[i]))
			return false;
	return t.len > 0;
}

bool
syntax_next_member(struct span *rest, struct span *ret_member)
{
	struct span member = *rest;
	const char *comma;

	if (rest->s == NULL)
		return false;
	comma = memchr(rest->s, ',', rest->len);
	if (comma == NULL) {
		*rest = (struct span){NULL, 0};
	} else {
		member.len = (size_t)(comma - rest->s);
		rest->s = comma + 1;
		rest->len -= member.len + 1;
	}
	*ret_member = span_trim(member);
	return true;
}

/* An IPv6 address in brackets. */
static bool
is_ip_literal(struct span t)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (t.len < 4 || t.len - 2 >= sizeof(text) || t.s[t.len - 1] != ']')
		return false;
	memcpy(text, t.s + 1, t.len - 2);
	text[t.len - 2] = '\0';
	return strlen(text) == t.len - 2 &&
	       inet_pton(AF_INET6, text, &addr) == 1;
}

/* A name, or an IPv4 address, which looks like one. */
static bool
is_reg_name(struct span t)
{
	uint64_t code;

	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.s[i];

		if (ascii_is_alnum(c) || is_in(c, "-._~!$&'()*+,;="))
			continue;
		if (c != '%' || t.len - i < 3 ||
		    num_parse_hex(t.s + i + 1, 2, &code) < 0)
			return false;
		i += 2;
	}
	return t.len > 0;
}

bool
syntax_is_authority(struct span t)
{
	const char *colon = NULL;
	uint64_t port = 0;

	/* The first colon that is not inside of brackets. */
	for (size_t i = t.len; i > 0 && t.s[i - 1] != ']'; i--)
		if (t.s[i - 1] == ':')
			colon = t.s + i - 1;
	if (colon != NULL) {
		size_t digits = t.len - (size_t)(colon - t.s) - 1;

		/* No digit at all is allowed (RFC 3986 3.2.3). */
		if (digits > 0 && num_parse_u64(colon + 1, digits, &port) < 0)
			return false;
		if (port > 65535)
			return false;
		t.len -= digits + 1;
	}
	if (t.len > HOST_MAX)
		return false;
	return t.len > 0 && t.s[0] == '[' ? is_ip_literal(t) : is_reg_name(t);
}

bool
syntax_split_absolute(
    struct span target, struct span *ret_authority, struct span *ret_path)
{
	struct span t = target;
	size_t len = 0;

	if (t.len >= 7 && str_ieq(t.s, 7, "http://"))
		len = 7;
	else if (t.len >= 8 && str_ieq(t.s, 8, "https://"))
		len = 8;
	else
		return false;
	t.s += len;
	t.len -= len;
	for (len = 0; len < t.len && t.s[len] != '/' && t.s[len] != '?';)
		len++;
	*ret_authority = (struct span){t.s, len};
	*ret_path = (struct span){t.s + len, t.len - len};
	return true;
}
