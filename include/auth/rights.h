/*
 * auth/rights.h - may this request be sent?  The rules of a location, with the secrets that
 * they need; and what they say of a request.
 *
 *	address   allow, deny
 *	person    a bearer token; a name and a password; a certificate; or a signed link,
 *	          which stands for a person
 *
 * With `satisfy all` both must be good, with `satisfy any` one of them.  A rule for the
 * address that says nothing about it is no reason against it, and none for it either.
 * Several kinds of persons are alternatives: a request has one.
 *
 * A further kind is a field of struct rights, what a request says of it a field of struct
 * rights_request, and a step of judge_person().
 */
#ifndef AUTH_RIGHTS_H
#define AUTH_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/basic.h"
#include "auth/secrets.h"
#include "base/addr.h"
#include "base/span.h"
#include "config/config.h"

/* The rules for some methods of a location. */
struct rights {
	const struct conf_rights *conf;
	const struct bearer *bearer;	 /* NULL: there are none */
	const struct htpasswd *htpasswd; /* the same */
	const struct link_keys *links;	 /* the same */
	struct basic *basic; /* verifies passwords; NULL: there are none */
};

/* Those of a location: for the methods that its limit_except names, if it has one, and for
 * the others. */
struct location_rights {
	struct rights named, others;
};

/*
 * rights_new(s, secrets, basic, ret):
 * The rights of all locations of `s` that have any (config_ruled()), in their order: 0 and *ret, to be ended with free(), or
 * NULL when no location has a rule; or -ENOMEM.  Configuration, secrets
 * and `basic` must outlive them.
 */
NODISCARD int rights_new(const struct conf_server *s,
    const struct secrets *secrets, struct basic *basic,
    struct location_rights **ret);

/* True when some location asks for passwords, so that rights_new() needs a `basic`. */
bool rights_need_passwords(const struct config *c);

/* What is asked, and who says that he asks.  Spans may be absent. */
struct rights_request {
	unsigned method;	   /* a set of one (base/method_set.h) */
	struct span method_text;   /* the same, as it was sent */
	struct span query;	   /* without the ? */
	struct span path;	   /* without query and without escapes */
	struct span authorization; /* the field */
	const char *certificate;   /* the subject of a good one; or NULL */
	const struct addr *client;
	uint64_t now_s; /* since 1970 */
};

enum rights_answer {
	RIGHTS_GRANTED,
	RIGHTS_DENIED,	   /* not from this address */
	RIGHTS_ASKED,	   /* it has to say who sends it */
	RIGHTS_WRONG,	   /* what it says is wrong */
	RIGHTS_UNVERIFIED, /* the password has to be computed: rights_verify() */
	RIGHTS_BAD_LINK,   /* the link is wrong */
	RIGHTS_LIMITED,	   /* who sends it may do other things, but not this */
};

struct rights_verdict {
	enum rights_answer answer;
	const char *why;   /* for the client, static; unless GRANTED or ASKED */
	const char *user;  /* who it is, as far as that is known; or NULL */
	uint64_t max_size; /* of an upload; 0: any */
	struct signed_link link; /* if it is GRANTED by one */
};

/* The rules for this method. */
const struct rights *rights_for(const struct location_rights *l,
    const struct conf_location *conf, unsigned method);

/* What a client is told of a wrong name or password. */
extern const char rights_wrong_login[];

void rights_judge(const struct rights *r, const struct rights_request *q,
    struct rights_verdict *ret);

/* After UNVERIFIED: the same name and password of another request is being computed; NULL: it
 * is not. */
struct basic_trial *rights_is_verifying(
    const struct rights *r, const struct rights_request *q);

/* Then: begin to compute it (basic_begin()).  NULL: too many others wait, or
 * memory is short. */
NODISCARD struct basic_trial *rights_verify(
    const struct rights *r, const struct rights_request *q);

/* Add what a client is told that was ASKED: each way in which it could say who sends it. */
void rights_add_ways(const struct rights *r, struct str *out);

/* Add the WWW-Authenticate fields, each with its CRLF, that tell how to say who sends it
 * (RFC 9110 11.6.1).  False: there is no way in which a client could say it. */
bool rights_add_challenges(
    const struct rights *r, enum rights_answer answer, struct str *out);

#endif
