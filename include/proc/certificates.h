/*
 * proc/certificates.h - the certificates of a configuration, loaded: a TLS context for each
 * server block that speaks TLS.
 *
 *	master, or -t --certificates_load--> contexts --fork--> workers
 *
 * The master loads them while it may read all keys; a reload loads them again, and goes on
 * with the old ones when one of the new is bad.
 */
#ifndef PROC_CERTIFICATES_H
#define PROC_CERTIFICATES_H

#include <stddef.h>

#include "base/check.h"
#include "base/str.h"
#include "config/config.h"

struct ticket_keys;
struct tls_context;

/* Zeroed: none. */
struct certificates {
	struct tls_context **of; /* by server block; NULL: it has no TLS */
	size_t count;
	struct certificates_term {
		bool of_list; /* ssl_crl: until the next list is due */
		const char *path;
		const struct conf_place *place; /* both of the configuration */
		int64_t ends_s;			/* by the wall clock */
	} * terms;
	size_t term_count;
};

/*
 * certificates_load(conf, keys, ret):
 * Load all that `conf` names; `keys` are those of session tickets.  Warns of a certificate
 * that expires within CERTIFICATES_WARN_DAYS, or is not valid yet, of a key that
 * anybody may read, and of a revocation list whose next one is due.  0; or -EINVAL after
 * logging everything that is wrong: a file that is missing, or no certificate, a key of
 * another one, a certificate that has expired, an authority without a revocation list.
 * `conf` must outlive *ret, which the caller ends with certificates_free().
 */
NODISCARD int certificates_load(const struct config *conf,
    struct ticket_keys *keys, struct certificates *ret);

enum {
	CERTIFICATES_WARN_DAYS = 14,
};

/* Add a line for each certificate and file of revocation lists: "ssl_certificate /x.pem:
 * expires in 90 days, 2027-02-28 12:00:00". */
void certificates_describe(const struct certificates *c, struct str *out);

/* ... the line for one, whose `place` need not be known. */
void certificates_add_term(const struct certificates_term *t, struct str *out);

/* Add a moment in local time: "2027-02-28 12:00:00". */
void certificates_add_moment(int64_t at_s, struct str *out);

/* Log which of them have expired by now, or will within CERTIFICATES_WARN_DAYS, and which
 * revocation lists are due. */
void certificates_look(const struct certificates *c);

/* Log the lines of certificates_describe(). */
void certificates_log(const struct certificates *c);

void certificates_free(struct certificates *c);

#endif
