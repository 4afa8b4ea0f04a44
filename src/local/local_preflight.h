/*
 * local/local_preflight.h - whether an output directory can be used, asked before
 * there is a store of it: see `preflight` and `look` in store/kind.h.
 */
#ifndef LOCAL_LOCAL_PREFLIGHT_H
#define LOCAL_LOCAL_PREFLIGHT_H

#include "store/kind.h"

void local_preflight(const struct store_policy *policy,
    const struct shared *shared, struct store_check *ret);
void local_look(const struct store_policy *policy, struct store_check *ret);

#endif
