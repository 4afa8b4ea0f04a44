/*
 * local/incoming_resume.h - what a store of local files is asked to do with a partial, beside
 * what it is with any file on its way in (incoming.h).
 */
#ifndef LOCAL_INCOMING_RESUME_H
#define LOCAL_INCOMING_RESUME_H

#include "store/store.h"

/* As in store/store.h. */
struct failure incoming_resume(struct store *s, const char *id,
    const struct put_events *events, void *owner, struct incoming **ret);
void incoming_append(struct incoming *in, const struct put_request *request);
void incoming_suspend(struct incoming *in, const struct partial *what);
void incoming_conclude(
    struct incoming *in, enum partial_phase phase, struct span answer);
void incoming_hash(struct incoming *in, struct digest *d);
void incoming_remove(struct incoming *in);

#endif
