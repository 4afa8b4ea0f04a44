/*
 * web/site_gate.h - refuses requests because of their Host, or of the web page that
 * sends them, and answers preflights.
 *
 *	Host is not ours, on a loopback address    421
 *	a preflight                                204, or 403
 *	a page of another site that stores         403
 *
 * This is checked in this order, by the head alone, before the body is read.
 */
#ifndef WEB_SITE_GATE_H
#define WEB_SITE_GATE_H

#include <stdbool.h>

#include "config/config.h"
#include "http/exchange.h"
#include "http/head.h"

/* True when the request was answered here; then `x` may be gone. */
bool site_gate_answers(
    const struct conf_server *s, struct exchange *x, const struct head *h);

#endif
