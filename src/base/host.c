#include "base/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/ascii.h"
#include "base/str.h"

/* A byte of a name.  Underscores are not allowed by the RFCs, but common in
 * names of machines. */
static bool
is_name_byte(char c)
{
	return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

static bool
is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_name_byte(s[i]))
			return false;
	return len > 0;
}

/* An IPv6 address in brackets, as bytes. */
static bool
read_ip6(const char *s, size_t len, struct in6_addr *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (len < 4 || s[0] != '[' || s[len - 1] != ']' ||
	    len - 2 >= sizeof(text) || memchr(s, '\0', len) != NULL)
		return false;
	memcpy(text, s + 1, len - 2);
	text[len - 2] = '\0';
	return inet_pton(AF_INET6, text, ret) == 1;
}

/* A port; none at all is HOST_NO_PORT. */
static bool
read_port(const char *s, size_t len, int *ret)
{
	int port = 0;

	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_digit(s[i]))
			return false;
		port = port * 10 + (s[i] - '0');
		if (port > 65535)
			return false;
	}
	*ret = len > 0 ? port : HOST_NO_PORT;
	return true;
}

bool
host_split(const char *s, size_t len, struct host_port *ret)
{
	struct host_port got = {.host = s};
	struct in6_addr addr;
	const char *end;

	if (len > 0 && s[0] == '[')
		end = memchr(s, ']', len);
	else
		end = len > 0 ? memchr(s, ':', len) : NULL;
	if (len > 0 && s[0] == '[' && end == NULL)
		return false;
	if (end == NULL)
		end = s + len;
	else if (*end == ']')
		end++;
	got.len = (size_t)(end - s);
	if (end < s + len && *end != ':')
		return false;
	if (end < s + len)
		end++;
	if (!read_port(end, len - (size_t)(end - s), &got.port))
		return false;
	if (!is_name(s, got.len) && !read_ip6(s, got.len, &addr))
		return false;
	*ret = got;
	return true;
}

bool
host_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct in6_addr x, y;

	if (read_ip6(a, a_len, &x) && read_ip6(b, b_len, &y))
		return memcmp(&x, &y, sizeof(x)) == 0;
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

/* Length without a trailing dot. */
static size_t
undotted(const char *host, size_t len)
{
	return len > 1 && host[len - 1] == '.' ? len - 1 : len;
}

/* Decimal digits, or 0x and any hexadecimal digits. */
static bool
is_number(const char *s, size_t len)
{
	bool hex = len >= 2 && s[0] == '0' && ascii_lower(s[1]) == 'x';

	for (size_t i = hex ? 2 : 0; i < len; i++)
		if (!ascii_is_digit(s[i]) &&
		    !(hex && ascii_lower(s[i]) >= 'a' &&
			ascii_lower(s[i]) <= 'f'))
			return false;
	return len > 0;
}

bool
host_is_address(const char *host, size_t len)
{
	struct in6_addr addr;
	size_t last;

	if (read_ip6(host, len, &addr))
		return true;
	len = undotted(host, len);
	for (last = len; last > 0 && host[last - 1] != '.'; last--)
		;
	return is_number(host + last, len - last) && is_name(host, len);
}

/* `host` ends with `tail` and is longer. */
static bool
is_beneath(const char *tail, const char *host, size_t len)
{
	size_t n = strlen(tail);

	return len > n && host_equal(host + len - n, n, tail, n);
}

bool
host_is_localhost(const char *host, size_t len)
{
	len = undotted(host, len);
	return str_ieq(host, len, "localhost") ||
	       is_beneath(".localhost", host, len);
}

bool
host_matches(const char *pattern, const char *host, size_t len)
{
	len = undotted(host, len);
	if (pattern[0] == '*')
		return is_beneath(pattern + 1, host, len);
	return host_equal(pattern, strlen(pattern), host, len);
}

/* What is wrong with a name (without a leading "*."); NULL: nothing. */
static const char *
host_trouble(const char *name, size_t len)
{
	struct host_port whole;
	struct in6_addr addr;

	if (read_ip6(name, len, &addr))
		return NULL;
	if (strstr(name, "://") != NULL || memchr(name, '/', len) != NULL)
		return "a name is not a URL: write what stands between the "
		       "slashes, without a port";
	if (host_split(name, len, &whole) && whole.len < len)
		return "the port does not count here: write the name alone";
	if (!is_name(name, len))
		return "a name has letters, digits, -, . and _ only (write "
		       "one of another script as xn--...); * stands at the "
		       "beginning only, as in *.example.org";
	if (name[0] == '.' || strstr(name, "..") != NULL)
		return "a part between the dots is empty; all names beneath "
		       "one are *.example.org";
	if (len == 1 && name[0] == '_')
		return "_ is no name that a client asks for: write those that "
		       "it does, such as files.example.org";
	if (len > HOST_NAME_MAX_BYTES)
		return "a name has at most 253 bytes";
	return NULL;
}

int
host_read_pattern(
    const char *text, char ret[HOST_NAME_MAX_BYTES + 3], const char **ret_why)
{
	const char *name = strncmp(text, "*.", 2) == 0 ? text + 2 : text;
	size_t len = undotted(name, strlen(name)), all;

	*ret_why = host_trouble(name, len);
	if (*ret_why != NULL)
		return -EINVAL;
	all = (size_t)(name - text) + len;
	for (size_t i = 0; i < all; i++)
		ret[i] = ascii_lower(text[i]);
	ret[all] = '\0';
	return 0;
}
