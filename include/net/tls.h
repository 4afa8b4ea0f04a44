/*
 * net/tls.h - a transport that speaks TLS 1.2 and 1.3 (RFC 5246, RFC 8446).
 *
 *	recv, send <-- bytes --> OpenSSL <-- records --> transport_recv_socket, _send_socket
 *
 * It looks at the first byte before it receives anything: what is no TLS is left for
 * the bare socket (transport_become_plain()).
 *
 * Several server blocks may share an address: the name that the client asks for (SNI)
 * chooses one of them, and the first is for all other clients.  The choice is made before
 * a session is resumed, so that one that began with a block goes on there or not at all.
 *
 * The end of the stream without close_notify is an end as any other: HTTP has its own.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "net/tls_context.h"
#include "net/transport.h"

/* One server block behind an address. */
struct tls_site {
	struct tls_context *context;
	char *const *names; /* patterns, as host_read_pattern() returns them */
	size_t name_count;
	void *owner; /* what tls_owner() returns */
};

/* All server blocks behind an address, the default first; it outlives its
 * connections. */
struct tls_port {
	const struct tls_site *sites;
	size_t count; /* 1 or more */
};

/*
 * transport_init_tls(t, fd, port):
 * As transport_init_plain(); `t` must not move.  Until the client has sent something it
 * costs next to nothing.  0; or -ENOMEM, and `fd` stays the caller's.
 */
NODISCARD int transport_init_tls(
    struct transport *t, int fd, const struct tls_port *port);

/* It speaks TLS, or will when the handshake is done. */
bool tls_is(const struct transport *t);

/* The client has sent something. */
bool tls_has_begun(const struct transport *t);

/* After a handshake that failed: why; a static clause. */
const char *tls_why(const struct transport *t);

/* After the handshake: the owner of the site that the client has chosen. */
void *tls_owner(const struct transport *t);

/* After the handshake: is `host` the name of another site of the port than the client has
 * chosen?  Always false without TLS. */
bool tls_is_of_another(const struct transport *t, const char *host, size_t len);

/* Its version, "TLSv1.3"; NULL: the transport is none of TLS, or has not begun to be. */
const char *tls_version(const struct transport *t);

/* The subject of the client's certificate (RFC 4514), if that is good; else NULL, also
 * without TLS.  Valid until the transport is closed. */
const char *tls_client_name(const struct transport *t);

/* True when requests must be refused: the client's certificate is bad, or it has none and
 * must have one; `ret_why` is the sentence for it. */
bool tls_refuses(const struct transport *t, char ret_why[TLS_WHY_MAX]);

#endif
