/*
 * web/handshake.h - the empty upload that some clients send before the real one.
 *
 * curl --digest and --ntlm expect to be asked for a password, and so first send an
 * upload without its content.  When that is not refused with 401 they send it again,
 * whole.  With --digest the first of the two looks like an upload of an empty file, and
 * is stored; the second, to the same name, would find that the name is taken.
 *
 * So with `overwrite off` the second may replace the first, and nothing else: the file
 * that has the name must still be that version of that empty file.  The second must be
 * the next request of the same connection, soon after, to the same name, with content
 * and without conditions of its own.
 *
 * This is not done behind a proxy that says so, nor on a UNIX socket, where there
 * always is a proxy: its connections carry requests of several clients, and one of them
 * may rely on the empty file that it has stored.  A proxy that does not say so cannot
 * be recognised; the README says what to set then.
 */
#ifndef WEB_HANDSHAKE_H
#define WEB_HANDSHAKE_H

#include <stdbool.h>

#include "base/object_info.h"
#include "config/config.h"
#include "http/exchange.h"

/* To be called before the response to an upload that was stored as a new file `name`: if
 * it may be the first of two, leave a note for the connection's next request. */
void handshake_note(struct exchange *x, const struct conf_location *l,
    const char *name, const struct object_info *stored);

/* True when this upload to `name` is the second of two; then `ret_etag` is the entity-tag
 * of the file that it may replace. */
bool handshake_follows(struct exchange *x, const struct conf_location *l,
    const char *name, const struct head *h, char ret_etag[OBJECT_ETAG_SIZE]);

#endif
