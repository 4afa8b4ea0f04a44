/*
 * auth/signed_link.h - links that need no other right: who has the URL may send that one
 * request, until it expires.
 *
 *	/file/a.bin?exp=1798761600&max=1048576&key=k1&sig=3f0c...
 *
 * The signature is an HMAC-SHA256 over method, path and limits, with a key of the file
 * signed_link_keys.  So a link cannot be changed, and is for one method (GET: HEAD as well)
 * and one path, as that is without %-escapes.  `penstock sign` makes them.
 *
 * The file has a line for each key, `NAME 64-HEX-DIGITS`: the first one signs, all verify, so
 * that keys can be replaced while links that were signed with an older one are still good.
 */
#ifndef AUTH_SIGNED_LINK_H
#define AUTH_SIGNED_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/mac.h"
#include "base/check.h"
#include "base/span.h"
#include "base/str.h"

enum {
	/* How long a link is still good after it has expired, for clocks that
	 * differ. */
	SIGNED_LINK_SKEW_S = 30,
	SIGNED_LINK_ONCE_BYTES = 16, /* of chance in a link that is good once */
	SIGNED_LINK_ONCE_HEX = 2 * SIGNED_LINK_ONCE_BYTES,
};

struct link_key {
	char *name;
	char *user; /* "link:NAME": what logs and receipts call who uses it */
	unsigned char key[MAC_BYTES];
};

/* Zeroed: there is none. */
struct link_keys {
	struct link_key *keys;
	size_t count;
};

/* True for a user of this kind: no other has a colon in its name, but for the subjects of
 * certificates. */
bool signed_link_is_user(const char *user);

/* Read the lines of a file, and add those to `k`.  Mistakes are added to `errors`, as
 * secret_file_mistake() does.  0, also then; or -ENOMEM. */
NODISCARD int link_keys_parse(
    struct link_keys *k, const char *text, size_t len, struct str *errors);

/* Overwrite and free them. */
void link_keys_fini(struct link_keys *k);

/* What a link allows. */
struct signed_link {
	struct span method;
	struct span path;   /* without escapes */
	uint64_t expires_s; /* since 1970 */
	uint64_t max_size;  /* of an upload; 0: any */
	char once[SIGNED_LINK_ONCE_HEX +
		  1]; /* lower case; "": any number of times */
};

/* Add the query of the link, without the ?.  False: out of memory. */
NODISCARD bool signed_link_sign(
    const struct link_key *key, const struct signed_link *l, struct str *out);

/* Make it one that is good once. */
void signed_link_make_once(struct signed_link *l);

/* True when the query is, or was meant to be, that of a link. */
bool signed_link_is(struct span query);

/* True when it is the beginning of one, as a shell leaves it that takes the first & for the
 * end of a command. */
bool signed_link_is_cut(struct span query);

/* True when it names a key that is not among these: to say why a link is BAD. */
bool signed_link_key_is_gone(const struct link_keys *k, struct span query);

enum signed_link_answer {
	SIGNED_LINK_GOOD,
	SIGNED_LINK_BAD, /* malformed, changed, or for another method or path */
	SIGNED_LINK_EXPIRED,
};

/*
 * signed_link_verify(k, query, l, now_s, ret_key):
 * Is it a link for l->method and l->path?  When it is GOOD or EXPIRED *ret_key is whose key has
 * signed it, and the rest of `l` is set.
 */
enum signed_link_answer signed_link_verify(const struct link_keys *k,
    struct span query, struct signed_link *l, uint64_t now_s,
    const struct link_key **ret_key);

#endif
