/*
 * base/ascii.h - letters and digits, whatever the locale.
 *
 * The functions of <ctype.h> depend on the locale, and may not be given a char.
 * These take any int: what is no ASCII (EOF, a negative char) is neither.
 */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>

static inline bool
ascii_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_lower(int c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool
ascii_is_letter(int c)
{
	return ascii_is_lower(c) || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_is_alnum(int c)
{
	return ascii_is_letter(c) || ascii_is_digit(c);
}

/* The same in lower case. */
static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The value of a hexadecimal digit, 0 to 15; -1: it is none. */
static inline int
ascii_hex_digit(int c)
{
	if (ascii_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
