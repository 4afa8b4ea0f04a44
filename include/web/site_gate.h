/*
 * web/site_gate.h - requests that are answered by Host and by whose web page asks.
 *
 *	Host is not ours, on a loopback address    421
 *	a preflight                                204, or 403
 *	a page of another site that stores         403
 *
 * They are answered by the head alone, before its body, and in this order.
 */
#ifndef WEB_SITE_GATE_H
#define WEB_SITE_GATE_H

#include <stdbool.h>

#include "config/config.h"
#include "http/exchange.h"
#include "http/head.h"

/* Answer the request here, if it is to be: then true, and `x` may be gone. */
bool site_gate_answers(
    const struct conf_server *s, struct exchange *x, const struct head *h);

#endif
