/* local/publish_lock.h - locks that are kept open for the next one. */
#ifndef LOCAL_PUBLISH_LOCK_H
#define LOCAL_PUBLISH_LOCK_H

#include "local/publish.h"

void publish_close_spares(struct publish *p);

#endif
