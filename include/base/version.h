/*
 * base/version.h - which penstock this is.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define PENSTOCK_VERSION "0.1.0"

#endif
