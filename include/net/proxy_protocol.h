/*
 * net/proxy_protocol.h - the PROXY protocol, with which a proxy tells whose connection it
 * passes on, before the first byte of that.
 *
 *	PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n      version 1, a line
 *	\r\n\r\n\0\r\nQUIT\n ! ...                           version 2, binary
 *
 * Source: "The PROXY protocol", versions 1 & 2, of HAProxy.  Anybody can send this: the
 * caller asks first whether the peer may.
 */
#ifndef NET_PROXY_PROTOCOL_H
#define NET_PROXY_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/check.h"

enum {
	PROXY_PROTOCOL_LINE_MAX = 107, /* of version 1, with its CRLF */
};

enum proxy_protocol_status {
	PROXY_PROTOCOL_PART, /* more of it is to come */
	PROXY_PROTOCOL_DONE,
	PROXY_PROTOCOL_BAD, /* it is none, or malformed */
};

/* Zeroed at the start of a connection; the fields are the module's. */
struct proxy_protocol {
	enum proxy_protocol_status status;
	unsigned char buf[PROXY_PROTOCOL_LINE_MAX];
	unsigned char len; /* bytes of `buf` */
	uint32_t left;	   /* version 2: bytes that follow and are not kept */
};

/*
 * proxy_protocol_take(p, bytes, len):
 * Take from `len` bytes, the next ones that came, those that belong to it: returns how many
 * these are.  While it is PART that is all of them.
 */
size_t proxy_protocol_take(
    struct proxy_protocol *p, const unsigned char *bytes, size_t len);

/*
 * proxy_protocol_client(p, ret):
 * After DONE.  True: *ret is the client's address; its family is AF_UNSPEC when the proxy
 * does not know it, or it is of a kind that is not known here.  False: the connection is
 * the proxy's own, such as a health check (LOCAL).
 */
bool proxy_protocol_client(const struct proxy_protocol *p, struct addr *ret);

/*
 * proxy_protocol_read(p, fd):
 * Read from the socket what belongs to it, and not a byte more.  The new status; BAD also
 * when the client has left.
 */
enum proxy_protocol_status proxy_protocol_read(
    struct proxy_protocol *p, int fd);

#endif
