/*
 * What the scan for a head's end and its parser both say.
 */
#ifndef HEAD_INTERNAL_H
#define HEAD_INTERNAL_H

#include "http/head.h"

extern const char head_bare_cr[], head_bare_lf[], head_control[];

#endif
