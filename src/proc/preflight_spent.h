/*
 * proc/preflight_spent.h - can marks of links be made (signed_link_spent)?
 *
 * Only proc/preflight_child.c includes this.
 */
#ifndef PROC_PREFLIGHT_SPENT_H
#define PROC_PREFLIGHT_SPENT_H

#include <stdbool.h>

#include "config/config.h"

/*
 * preflight_spent(l):
 * May this process's user make marks in the directories that `l` names for them?  Nothing is
 * made.  False: it may not, and it was logged why.  What else is wrong with one is only a
 * warning: links that are good once get 500 until it is mended.
 */
bool preflight_spent(const struct conf_location *l);

#endif
