/* local/outgoing.h - a file on its way out: open job -> reads, one at a time ->
 * close job. */
#ifndef LOCAL_OUTGOING_H
#define LOCAL_OUTGOING_H

#include "base/spare.h"
#include "store/store.h"

/* For those of one store, in local->gets. */
void outgoing_init_spare(struct spare *s);

/* store_open(), store_open_partial() and store_close() of local files. */
NODISCARD struct failure outgoing_open(struct store *s, const char *name,
    const struct get_events *events, void *owner, struct outgoing **ret);
NODISCARD struct failure outgoing_open_partial(struct store *s, const char *id,
    const struct get_events *events, void *owner, struct outgoing **ret);
void outgoing_close(struct outgoing *out);

#endif
