/*
 * base/asan.h - tell AddressSanitizer which memory is not in use.
 *
 * The macros do nothing in a build without it.
 */
#ifndef BASE_ASAN_H
#define BASE_ASAN_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN_IS_ON /* clang says so like this, gcc by its own macro */
#endif
#endif

#if defined(ASAN_IS_ON) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#endif
