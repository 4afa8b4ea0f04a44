/*
 * web/handshake.h - the empty upload that comes before the true one.
 *
 * curl --digest and --ntlm expect to be asked for a password, and so send an
 * upload without its content first; when it is not refused with 401 they send
 * it again, whole.  With --digest the first of the two is an empty file like any
 * other, so it is stored; and the second, to the same name, would find the
 * name taken, by its own forerunner.
 *
 * So with overwrite off the second one may replace the first, and nothing else:
 * what has the name must still be that very version of that file, which is
 * empty, when it is replaced.  It must be the next request of the same
 * connection, soon, to the same name, with content, and without conditions of
 * its own.  Not behind a proxy that says so, nor on a UNIX socket, where there
 * always is one: several clients share its connections, and one of them may rely
 * on the empty file that it was told it has made.  A proxy on an address that
 * shares connections and does not say so cannot be known: the README says what to
 * set.
 */
#ifndef WEB_HANDSHAKE_H
#define WEB_HANDSHAKE_H

#include <stdbool.h>

#include "base/object_info.h"
#include "config/config.h"
#include "http/exchange.h"

/* An upload to `name` was stored, as a new file: if it may have been the first of
 * two, note that for the connection's next request.  Before it is answered. */
void handshake_note(struct exchange *x, const struct conf_location *l,
    const char *name, const struct object_info *stored);

/* Is this upload to `name` the second of two?  Then `ret_etag` is the entity-tag of
 * what it may replace. */
bool handshake_follows(struct exchange *x, const struct conf_location *l,
    const char *name, const struct head *h, char ret_etag[OBJECT_ETAG_SIZE]);

#endif
