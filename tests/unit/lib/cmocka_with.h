/*
 * lib/cmocka_with.h - cmocka, and the headers that it wants before its own.
 */
#ifndef LIB_CMOCKA_WITH_H
#define LIB_CMOCKA_WITH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#endif
