/*
 * http/access.h - what is known of an exchange, a request and what became of it, for its
 * line in the access log and for whoever else is told of it (http/observer.h).
 *
 *	exchange --> struct access --> text, JSON (http/access_json.h), combined
 *
 * While an exchange runs the connection keeps the record, which
 * holds values, not text.  The line is written when the exchange has ended: when the
 * kernel has taken the last byte of the response, or when it certainly never will.  So
 * a line says what was done, and not what was about to be done.
 *
 * Text that came from the client is escaped and clipped; what gives a right is hidden
 * before it comes here.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/outcome.h"
#include "base/str.h"
#include "flow/meter.h"
#include "http/head.h"
#include "shared/limits.h"

struct conf_location;
struct digest;

/* Why a response was not sent whole. */
enum access_cut {
	ACCESS_WHOLE, /* it was, or `outcome` says why not */
	ACCESS_CLIENT_GONE,
	ACCESS_NOT_TAKEN, /* send_timeout */
	ACCESS_STOPPED,	  /* the server */
	ACCESS_NO_MEMORY,
	ACCESS_CONNECTION_CUT, /* the response before it was not sent whole */
	ACCESS_CUT_COUNT
};

/* What was measured of an upload. */
struct access_upload {
	bool hashed;  /* a digest was computed: the meter has its time */
	bool is_part; /* from `from` to before `to`, of `length` */
	uint64_t from, to, length;
	struct meter meter; /* stopped */
	char name[];
};

/* What the text of a line does not have, for the logs that want it: then it is not NULL. */
struct access_more {
	const char *durability; /* static; NULL: nothing was stored */
	struct str digests;	/* of what was stored: digest_add_members() */
	/* Clipped.  Behind each other in `text`: User-Agent and Referer. */
	uint16_t agent_len, referer_len;
	char text[];
};

/* Who sent the request, as far as it is more than the peer of the connection. */
struct access_who {
	char *user; /* who is allowed to send it; NULL: nobody was asked */
	limits_entry place; /* of the client's address, among those at once */
	struct addr
	    addr; /* of the client; len 0: that of the peer.  Allocated as
			     far as it is in use: the last one */
};

/* Zeroed: there is no request yet.  Each connection has one, and most connections are
 * idle: it is to stay small. */
struct access {
	uint64_t id;	   /* exchange_id(); 0: its head was not whole */
	uint64_t began_ns; /* clock_mono_ns() when its first byte was seen; 0:
			      there is no request yet */
	uint64_t ended_ns;
	/* The request as it came, clipped: the method and, right behind it, the
	 * target; or, if `method_len` is 0, the first bytes of something that is
	 * no request line.  Empty: not known. */
	struct str asked;
	uint16_t method_len;
	bool asked_more; /* there were more of such bytes */
	uint8_t minor;	 /* of HTTP/1.x, and 1; 0: not known */
	bool answered;	 /* the kernel took at least a byte of the response */
	bool quiet;	 /* no log is to have a line of it */
	bool stores;	 /* it is in `location`, and was to store something */
	int status;	 /* of the response; 0: there was none */
	uint64_t in;	 /* bytes of the body that were read */
	uint64_t out;	 /* bytes of content that the kernel took to send */
	enum access_cut cut;
	enum outcome outcome; /* how it ended */
	/* That the path is in; NULL: in none, or it was refused before that was
	 * looked at. */
	const struct conf_location *location;

	struct access_who *who;	      /* NULL: the peer */
	struct access_upload *upload; /* what was measured of one; or NULL */
	struct access_more *more;     /* NULL: nobody wants it */
};

extern const char *const access_cut_word[ACCESS_CUT_COUNT];

/* Note method and target of `h`, which has at least a method. */
void access_note_head(struct access *a, const struct head *h);

/* Note the fields of it that `more` has; when memory is short the line goes without. */
void access_note_more(struct access *a, const struct head *h);

/* After access_note_more(), else nothing: how safe what was stored is, and its digests, if
 * they were computed. */
void access_note_stored(
    struct access *a, const char *durability, const struct digest *digest);

/* Note the beginning of `bytes`, which are no request: the first line, clipped. */
void access_note_start(struct access *a, const char *bytes, size_t len);

/* Copy what was measured of an upload; when memory is short the line goes without. */
void access_measured(
    struct access *a, const struct meter *m, bool hashed, const char *name);

/* After that, what was stored was taken back, but for the files `left`; "": all of it, and the
 * line says nothing of an upload. */
void access_taken_back(struct access *a, const char *left);

/* After access_measured(): it was a part; `length` may be UINT64_MAX. */
void access_note_part(
    struct access *a, uint64_t from, uint64_t to, uint64_t length);

/* The client is at `addr`, and not the peer.  False: out of memory. */
NODISCARD bool access_note_client(struct access *a, const struct addr *addr);

/* It is `name` who sends it: copied.  False: out of memory. */
NODISCARD bool access_note_user(struct access *a, const char *name);

/* The name; or NULL. */
const char *access_user(const struct access *a);

/* The address of the client of a connection with `peer`. */
const struct addr *access_client(
    const struct access *a, const struct addr *peer);

/* Add "PUT /file/x" to `out`, escaped and clipped. */
void access_format_asked(const struct access *a, struct str *out);

/* Add the line of text of an exchange with `peer` that has ended.  `client`: the subject of
 * the client's certificate, or NULL. */
void access_format(const struct access *a, const struct addr *peer,
    const char *client, struct str *out);

/* Free what it holds, and zero it. */
void access_fini(struct access *a);

#endif
