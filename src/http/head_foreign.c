/*
 * What comes to this port in another protocol, told by how it begins.
 */
#include <string.h>

#include "head_internal.h"

#define TEXT(s) s, sizeof(s) - 1

static const char tls[] =
    "this port speaks plain HTTP and no TLS: write http:// for https://";
static const char proxy[] =
    "this is the PROXY protocol, which this port does not expect: turn it off "
    "in what sends it (HAProxy: send-proxy), or write listen ... "
    "proxy_protocol";
static const char http2[] =
    "this is HTTP/2 without TLS, and only HTTP/1.1 is spoken here: have the "
    "client or the proxy use that (curl: without --http2-prior-knowledge)";

_Static_assert(sizeof(proxy) <= HEAD_WHY_MAX, "the head reader copies it");
_Static_assert(sizeof(http2) <= HEAD_WHY_MAX, "the head reader copies it");

/* clang-format off */
static const struct head_foreign protocols[] = {
	/* A handshake record (RFC 8446 5.1): the ClientHello. */
	{ TEXT("\x16"),            400, OUTCOME_TLS,            tls },
	/* The signature of its version 2, as far as a head can go with it. */
	{ TEXT("\r\n\r\n\0"),      400, OUTCOME_PROXY_PROTOCOL, proxy },
	{ TEXT("PROXY TCP4 "),     400, OUTCOME_PROXY_PROTOCOL, proxy },
	{ TEXT("PROXY TCP6 "),     400, OUTCOME_PROXY_PROTOCOL, proxy },
	{ TEXT("PROXY UNKNOWN"),   400, OUTCOME_PROXY_PROTOCOL, proxy },
	/* The preface (RFC 9113 3.4). */
	{ TEXT("PRI * HTTP/2.0"),  505, OUTCOME_HTTP2,          http2 },
};
/* clang-format on */

const struct head_foreign *
head_foreign(const char *bytes, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		if (len >= protocols[i].len &&
		    memcmp(bytes, protocols[i].begins, protocols[i].len) == 0)
			return &protocols[i];
	return NULL;
}

enum outcome
head_refusal_outcome(const char *why)
{
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		if (why == protocols[i].why)
			return protocols[i].outcome;
	return OUTCOME_REFUSED;
}
