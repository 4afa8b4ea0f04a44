/*
 * Whose connection, and whose request, it is: PROXY lines of both versions, and the fields of
 * proxies.  How a line is cut does not matter, nothing behind it is taken, and what is read
 * of version 1 is what a plain look at the line finds.  Of a field the client is the last
 * address that is no proxy, as a second reader, from the right, finds.
 *
 * The first byte says what follows: `p` a PROXY line, behind a knob for the size of pieces;
 * `x` the value of an X-Forwarded-For; `f` of a Forwarded; else nothing is done.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "fuzz.h"
#include "http/real_ip.h"
#include "net/proxy_protocol.h"

static struct conf_server conf;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *why;

	(void)argc;
	(void)argv;
	check(
	    networks_add(&conf.trusted_proxies, "10.0.0.0/8", true, &why) == 0);
	return 0;
}

/* ---- PROXY lines ---- */

static void
describe(const struct proxy_protocol *p, char text[ADDR_TEXT_MAX])
{
	struct addr a;

	text[0] = '\0';
	if (p->status == PROXY_PROTOCOL_DONE && proxy_protocol_client(p, &a)) {
		check(a.ss.ss_family == AF_UNSPEC ||
		      a.ss.ss_family == AF_INET || a.ss.ss_family == AF_INET6);
		addr_format(&a, text);
	}
}

/* A line of version 1, read as its grammar has it. */
static void
check_line(const uint8_t *line, size_t len, const char *client)
{
	char kind[8], from[40], to[40], end[3], text[108], shown[64];
	unsigned from_port, to_port;

	check(len <= 107 && line[len - 1] == '\n' && line[len - 2] == '\r');
	memcpy(text, line, len);
	text[len] = '\0';
	if (strncmp(text, "PROXY UNKNOWN", 13) == 0) {
		check(strcmp(client, "?") == 0);
		return;
	}
	check(sscanf(text, "PROXY %7s %39s %39s %5u %5u%2[\r\n]", kind, from,
		  to, &from_port, &to_port, end) == 6);
	check(strcmp(kind, "TCP4") == 0 || strcmp(kind, "TCP6") == 0);
	check(from_port <= 65535 && to_port <= 65535);
	if (strcmp(kind, "TCP4") == 0 && from_port != 0) {
		snprintf(shown, sizeof(shown), "%s:%u", from, from_port);
		check(strcmp(shown, client) == 0);
	}
}

static void
fuzz_line(const uint8_t *data, size_t size)
{
	struct proxy_protocol whole = {0}, cut = {0};
	char client[ADDR_TEXT_MAX], again[ADDR_TEXT_MAX];
	size_t piece = 1 + fuzz_knob(data, 0) % 40, taken, at = 0, n;
	uint8_t *bytes = fuzz_copy(data + 1, size - 1);

	size--;
	taken = proxy_protocol_take(&whole, bytes, size);
	check(taken <= size);
	check(whole.status != PROXY_PROTOCOL_PART || taken == size);
	while (at < size && cut.status == PROXY_PROTOCOL_PART) {
		n = size - at < piece ? size - at : piece;
		n = proxy_protocol_take(&cut, bytes + at, n);
		check(n > 0);
		at += n;
	}
	check(cut.status == whole.status && at == taken);
	describe(&whole, client);
	describe(&cut, again);
	check(strcmp(client, again) == 0);
	if (whole.status == PROXY_PROTOCOL_DONE && bytes[0] == 'P')
		check_line(bytes, taken, client);
	free(bytes);
}

/* ---- fields ---- */

static bool
is_proxy(const char *text)
{
	return strncmp(text, "10.", 3) == 0;
}

/* The last member that is no proxy, or the first; as it stands, without a port. */
static void
check_list(const char *list, size_t len, const struct addr *client)
{
	char member[64], shown[INET6_ADDRSTRLEN];
	struct in_addr ip;

	while (len > 0) {
		size_t end, from;

		while (len > 0 && list[len - 1] != '\0' &&
		       strchr(", \t", list[len - 1]) != NULL)
			len--;
		end = len;
		while (len > 0 && list[len - 1] != ',')
			len--;
		for (from = len; from < end && list[from] != '\0' &&
				 strchr(" \t", list[from]) != NULL;)
			from++;
		if (from == end)
			return; /* there is none, or none but proxies */
		if (end - from >= sizeof(member))
			break;
		memcpy(member, list + from, end - from);
		member[end - from] = '\0';
		if (strlen(member) != end - from ||
		    inet_pton(AF_INET, member, &ip) != 1)
			return; /* other forms: the unit test has them */
		if (is_proxy(member))
			continue;
		check(client->ss.ss_family == AF_INET);
		inet_ntop(
		    AF_INET, &client->ss.in.sin_addr, shown, sizeof(shown));
		check(strcmp(shown, member) == 0);
		return;
	}
}

static void
fuzz_field(uint8_t kind, const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	struct addr peer = {
	    .ss.in.sin_family = AF_INET, .len = sizeof(struct sockaddr_in)};
	struct addr client, same;
	struct head h = {0};
	bool found;

	peer.ss.in.sin_addr.s_addr = htonl(0x0a000001);
	conf.real_ip_header =
	    kind == 'x' ? REAL_IP_X_FORWARDED_FOR : REAL_IP_FORWARDED;
	h.forwarded_for.count = h.forwarded_by.count = 1;
	h.forwarded_for.line[0] = h.forwarded_by.line[0] =
	    (struct span){text, size};
	found = real_ip_find(&conf, &h, &peer, &client);
	check(real_ip_find(&conf, &h, &peer, &same) == found);
	if (found) {
		check(client.ss.ss_family == AF_UNSPEC ||
		      client.ss.ss_family == AF_INET ||
		      client.ss.ss_family == AF_INET6);
		if (kind == 'x')
			check_list(text, size, &client);
	}
	/* A stranger is never believed. */
	peer.ss.in.sin_addr.s_addr = htonl(0xc0000201);
	check(!real_ip_find(&conf, &h, &peer, &client));
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] == 'p' && size > 2)
		fuzz_line(data + 1, size - 1);
	else if (data[0] == 'x' || data[0] == 'f')
		fuzz_field(data[0], data + 1, size - 1);
	return 0;
}
