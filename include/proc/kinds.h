/*
 * proc/kinds.h - the kinds of stores that this program has.
 *
 * No other file outside the folder of a store knows its name.
 */
#ifndef PROC_KINDS_H
#define PROC_KINDS_H

#include "config/store_policy.h"
#include "store/kind.h"

/* The kind of store that a location asks for. */
const struct store_kind *kinds_of(const struct store_policy *policy);

#endif
