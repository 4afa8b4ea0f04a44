/*
 * auth/bearer.h - bearer tokens (RFC 6750): who has one may send what its line allows.
 *
 *	ci sha256:4f1d... methods=PUT,POST prefix=/file/ci expires=2027-01-01 max_size=1g
 *
 * The file has the hashes only: whoever reads it cannot make a token of them, since tokens
 * are 256 random bits.  `penstock token` makes both.
 *
 * What a line does not limit is allowed: all methods, all paths, any size, for ever.  A
 * prefix is of the path without escapes and ends where a part ends: /file/a allows
 * /file/a/b, not /file/ab.
 */
#ifndef AUTH_BEARER_H
#define AUTH_BEARER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/mac.h"
#include "base/check.h"
#include "base/span.h"
#include "base/str.h"

enum {
	BEARER_TOKEN_BYTES = 32, /* of chance in a token */
	BEARER_TOKEN_MAX = 512,	 /* characters; longer ones are none */
};

struct bearer_token {
	char *name;	    /* who has it, for logs */
	char *prefix;	    /* of the path, without escapes; NULL: any */
	uint64_t expires_s; /* since 1970; 0: never */
	uint64_t max_size;  /* of an upload; 0: any */
	unsigned methods;   /* base/method_set.h */
	unsigned line;	    /* of the file */
	unsigned char hash[MAC_BYTES];
};

/* Zeroed: there is none. */
struct bearer {
	/* By their hashes: there may be one for each of many thousand devices. */
	struct bearer_token *tokens;
	size_t count;
};

/* Read the lines of a file, and add those to `b`.  Mistakes are added to `errors`, as
 * secret_file_mistake() does.  0, also then; or -ENOMEM. */
NODISCARD int bearer_parse(
    struct bearer *b, const char *text, size_t len, struct str *errors);

void bearer_fini(struct bearer *b);

enum bearer_answer {
	BEARER_GRANTED,
	BEARER_UNKNOWN, /* there is no such token, or it has expired */
	BEARER_METHOD,	/* it is not for this method */
	BEARER_PATH,	/* nor for this path */
};

/*
 * bearer_judge(b, token, method, path, now_s, ret):
 * May who has `token` send this request, whose method is a set of one, and whose path has no
 * escapes?  *ret is the token's line, unless it is UNKNOWN.
 */
enum bearer_answer bearer_judge(const struct bearer *b, struct span token,
    unsigned method, struct span path, uint64_t now_s,
    const struct bearer_token **ret);

/* Make a token, and add it to `ret_token`; *ret_line gets its hash "sha256:...".  False:
 * out of memory. */
NODISCARD bool bearer_make(struct str *ret_token, struct str *ret_hash);

/* "2027-01-01" (when it begins, UTC) or "2027-01-01T12:00:00Z", to seconds since 1970; and
 * back. */
NODISCARD bool bearer_read_time(struct span text, uint64_t *ret_s);
void bearer_format_time(uint64_t s, struct str *out);

#endif
