#include "net/proxy_protocol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/num.h"

enum {
	V2_HEAD = 16, /* bytes before the addresses of version 2 */
	V2_KEPT = V2_HEAD + 36,
	V2_LOCAL = 0x20,
	V2_PROXY = 0x21,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
	V2_TCP4_BYTES = 12, /* two addresses and two ports */
	V2_TCP6_BYTES = 36,
	READ_BYTES = 1024,
};

static const unsigned char v2_begins[12] = "\r\n\r\n\0\r\nQUIT\n";
static const char v1_begins[] = "PROXY ";

static bool
is_v2(const struct proxy_protocol *p)
{
	return p->buf[0] == v2_begins[0];
}

/* ---- version 1 ---- */

/* The next word, up to a single space, or up to the end; ends it with a NUL. */
static char *
next_word(char **rest)
{
	char *word = *rest, *space;

	if (word == NULL)
		return NULL;
	space = strchr(word, ' ');
	*rest = space != NULL ? space + 1 : NULL;
	if (space != NULL)
		*space = '\0';
	return *word != '\0' ? word : NULL;
}

static bool
parse_port(const char *text, uint16_t *ret)
{
	uint64_t port;

	/* No sign and no zero before other digits. */
	if (text == NULL || num_parse_u64(text, strlen(text), &port) < 0 ||
	    port > 65535 || (text[0] == '0' && text[1] != '\0'))
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* Both addresses must be right, though only that of the client matters. */
static bool
parse_v1_addresses(char *rest, int family, struct addr *ret)
{
	const char *from = next_word(&rest), *to = next_word(&rest);
	const char *from_port = next_word(&rest), *to_port = next_word(&rest);
	struct addr a = {.ss.ss_family = (sa_family_t)family};
	unsigned char ignored[sizeof(struct in6_addr)];
	uint16_t port, other;

	if (from == NULL || to == NULL || rest != NULL ||
	    !parse_port(from_port, &port) || !parse_port(to_port, &other) ||
	    inet_pton(family, to, ignored) != 1)
		return false;
	if (family == AF_INET) {
		a.len = sizeof(a.ss.in);
		a.ss.in.sin_port = htons(port);
		if (inet_pton(family, from, &a.ss.in.sin_addr) != 1)
			return false;
	} else {
		a.len = sizeof(a.ss.in6);
		a.ss.in6.sin6_port = htons(port);
		if (inet_pton(family, from, &a.ss.in6.sin6_addr) != 1)
			return false;
	}
	addr_unmap(&a);
	*ret = a;
	return true;
}

static void
set_unknown(struct addr *ret)
{
	*ret = (struct addr){
	    .ss.ss_family = AF_UNSPEC, .len = sizeof(sa_family_t)};
}

/* The whole line, with its CRLF. */
static bool
parse_v1(const struct proxy_protocol *p, struct addr *ret)
{
	char line[PROXY_PROTOCOL_LINE_MAX + 1], *rest = line;
	const char *kind;
	size_t len = (size_t)p->len - 2;

	memcpy(line, p->buf, len);
	line[len] = '\0';
	if (strlen(line) != len || p->buf[len] != '\r')
		return false;
	(void)next_word(&rest); /* PROXY */
	kind = next_word(&rest);
	if (kind == NULL)
		return false;
	if (strcmp(kind, "UNKNOWN") == 0) {
		set_unknown(ret); /* whatever follows */
		return true;
	}
	if (strcmp(kind, "TCP4") == 0)
		return parse_v1_addresses(rest, AF_INET, ret);
	return strcmp(kind, "TCP6") == 0 &&
	       parse_v1_addresses(rest, AF_INET6, ret);
}

static size_t
take_v1(struct proxy_protocol *p, const unsigned char *bytes, size_t len)
{
	size_t n = 0;
	struct addr a;

	while (n < len && p->status == PROXY_PROTOCOL_PART) {
		unsigned char c = bytes[n++];
		size_t at = p->len++;

		p->buf[at] = c;
		if (at < sizeof(v1_begins) - 1
			? c != (unsigned char)v1_begins[at]
			: c == 0)
			p->status = PROXY_PROTOCOL_BAD;
		else if (c == '\n')
			p->status = parse_v1(p, &a) ? PROXY_PROTOCOL_DONE
						    : PROXY_PROTOCOL_BAD;
		else if (p->len == PROXY_PROTOCOL_LINE_MAX)
			p->status = PROXY_PROTOCOL_BAD;
	}
	return n;
}

/* ---- version 2 ---- */

static size_t
v2_bytes(const struct proxy_protocol *p)
{
	return (size_t)p->buf[14] << 8 | p->buf[15];
}

/* The head is here: is it good? */
static bool
is_good_v2(const struct proxy_protocol *p)
{
	unsigned command = p->buf[12], family = p->buf[13];

	if (command == V2_LOCAL)
		return true;
	if (command != V2_PROXY)
		return false;
	if (family == V2_TCP4)
		return v2_bytes(p) >= V2_TCP4_BYTES;
	return family != V2_TCP6 || v2_bytes(p) >= V2_TCP6_BYTES;
}

/* So many bytes of the addresses are kept; the rest, and what may follow them, is not. */
static size_t
v2_kept(const struct proxy_protocol *p)
{
	size_t all = V2_HEAD + v2_bytes(p);

	return all < V2_KEPT ? all : V2_KEPT;
}

static size_t
take_v2(struct proxy_protocol *p, const unsigned char *bytes, size_t len)
{
	size_t n = 0, rest;

	while (n < len &&
	       (p->len < V2_HEAD || (p->left == 0 && p->len < v2_kept(p)))) {
		size_t at = p->len++;

		p->buf[at] = bytes[n++];
		if (at < sizeof(v2_begins) && p->buf[at] != v2_begins[at])
			p->status = PROXY_PROTOCOL_BAD;
		else if (p->len == V2_HEAD && !is_good_v2(p))
			p->status = PROXY_PROTOCOL_BAD;
		if (p->status != PROXY_PROTOCOL_PART)
			return n;
		if (p->len >= V2_HEAD && p->len == v2_kept(p)) {
			p->left = (uint32_t)(V2_HEAD + v2_bytes(p) - p->len);
			break;
		}
	}
	rest = len - n < p->left ? len - n : p->left;
	p->left -= (uint32_t)rest;
	if (p->len >= V2_HEAD && p->len == v2_kept(p) && p->left == 0)
		p->status = PROXY_PROTOCOL_DONE;
	return n + rest;
}

static bool
v2_client(const struct proxy_protocol *p, struct addr *ret)
{
	const unsigned char *at = p->buf + V2_HEAD;

	if (p->buf[12] == V2_LOCAL)
		return false;
	set_unknown(ret);
	if (p->buf[13] == V2_TCP4) {
		ret->ss.in = (struct sockaddr_in){.sin_family = AF_INET};
		ret->len = sizeof(ret->ss.in);
		memcpy(&ret->ss.in.sin_addr, at, 4);
		memcpy(&ret->ss.in.sin_port, at + 8, 2);
	} else if (p->buf[13] == V2_TCP6) {
		ret->ss.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
		ret->len = sizeof(ret->ss.in6);
		memcpy(&ret->ss.in6.sin6_addr, at, 16);
		memcpy(&ret->ss.in6.sin6_port, at + 32, 2);
		addr_unmap(ret);
	}
	return true;
}

/* ---- both ---- */

size_t
proxy_protocol_take(
    struct proxy_protocol *p, const unsigned char *bytes, size_t len)
{
	if (len == 0 || p->status != PROXY_PROTOCOL_PART)
		return 0;
	if (p->len == 0)
		p->buf[0] = bytes[0]; /* tells which version it is */
	return is_v2(p) ? take_v2(p, bytes, len) : take_v1(p, bytes, len);
}

bool
proxy_protocol_client(const struct proxy_protocol *p, struct addr *ret)
{
	check(p->status == PROXY_PROTOCOL_DONE);
	return is_v2(p) ? v2_client(p, ret) : parse_v1(p, ret);
}

enum proxy_protocol_status
proxy_protocol_read(struct proxy_protocol *p, int fd)
{
	unsigned char bytes[READ_BYTES];
	ssize_t n;

	while (p->status == PROXY_PROTOCOL_PART) {
		size_t mine;

		n = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return PROXY_PROTOCOL_PART;
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return PROXY_PROTOCOL_BAD;
		mine = proxy_protocol_take(p, bytes, (size_t)n);
		/* They are there: this is all of them. */
		if (recv(fd, bytes, mine, 0) != (ssize_t)mine)
			return PROXY_PROTOCOL_BAD;
	}
	return p->status;
}
