/*
 * http/observer.h - who is told of each exchange that has ended.
 *
 *	exchange_log_end() --> access log --> counters --> ...
 *
 * The observers of a server block, in one worker, are a list (struct connections).  What
 * they are told is the record of the exchange (http/access.h): whoever wants to
 * know what was done reads it there, so that all that is said of an exchange is the same.
 */
#ifndef HTTP_OBSERVER_H
#define HTTP_OBSERVER_H

#include <stdbool.h>

struct access;
struct addr;
struct conf_server;

/* An exchange that has ended: all of it is valid during the call only. */
struct exchange_ended {
	const struct access *record;
	const struct addr *peer; /* of the connection */
	const char *certificate; /* the subject of the client's; or NULL */
	const char *tls;	 /* "TLSv1.3"; NULL: there was none */
	const struct conf_server *server;
};

/* on_ended() may neither wait nor end anything. */
struct observer {
	void (*on_ended)(struct observer *o, const struct exchange_ended *e);
	/* It reads what was asked for (record->asked), and when the exchange began
	 * and ended; if nobody does, these are not noted. */
	bool reads_log;
	struct observer *next; /* or NULL */
};

#endif
