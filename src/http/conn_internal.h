/*
 * A connection from the inside: for conn.c, whose states these are, and
 * conn_group.c.
 */
#ifndef CONN_INTERNAL_H
#define CONN_INTERNAL_H

#include <ev.h>

/* For one more request when the worker stops. */
#define CONN_STOP_GRACE_S 1.0

/* To ask, and to hear that there are too many. */
#define CONN_TURNED_AWAY_S 1.0

#include "flow/deadline.h"
#include "http/body.h"
#include "http/conn.h"
#include "http/intake.h"
#include "http/sender.h"
#include "net/transport.h"

enum state {
	HEADING,   /* waiting for a head, or for the rest of one */
	WORKING,   /* the handler has the request */
	STREAMING, /* and sends content from a flow */
	ANSWERING, /* sending an answer, or the last of it */
	LINGERING, /* answered and refused: the client may still send */
	OVER,
	STATE_COUNT
};

enum event {
	ASKED,	  /* a good head */
	REFUSED,  /* a bad one, or one that took too long: answer is composed */
	ANSWERED, /* the handler's answer is composed */
	STREAMS,  /* its head is composed, content follows */
	KEEP,	  /* all sent, and another request may come */
	LINGER,	  /* all sent, but the client may not have seen it yet */
	LEFT,	  /* the client is gone, or is to be */
	EXPIRED,  /* it was given time enough */
	EVENT_COUNT
};

struct conn {
	unsigned magic;
	enum state state;
	struct conn_group *group;
	struct list_node node;
	struct list_node turn; /* linked: waits for its turn */
	struct transport transport;
	struct addr peer;
	uint64_t id;
	uint64_t requests; /* heads that were read */
	bool turned_away;  /* not served: too many of this address */
	tally_place place; /* among those, or among the served */
	ev_io readable;
	struct intake intake;
	struct sender sender;
	struct deadline patience; /* with the client */
	double linger_end;	  /* by clock_mono_s() */

	/* the request being answered */
	void *request; /* the handler's; NULL: none */
	struct body body;
	uint64_t began_ns; /* 0: not yet */
	struct str line;   /* what was asked, for the access log */
	uint64_t sent;	   /* bytes of content in the answer itself */
	int status;
	bool keep; /* the client may send another */
	bool head_only;
	bool looked;	    /* for its head when it was due */
	bool waits_for_100; /* and has sent nothing of its body */
};

/* A connection over `fd`, which it owns then, and `place` too; whatever one
 * that is turned away asks, it is told that there are too many.  0, or -ENOMEM and nothing was taken. */
NODISCARD int conn_begin(struct conn_group *g, int fd, const struct addr *peer,
    tally_place place, bool turned_away);

/*
 * The only place where a connection changes state.  The action comes last
 * because it may free `c`; callers must not touch `c` afterwards either.
 */
void conn_on(struct conn *c, enum event ev);

/*
 * conn_group_look_for_room(c):
 * It was turned away; but whose place it needs may just have left, here or in
 * another worker.  Else it may ask, and will hear no.
 */
void conn_group_look_for_room(struct conn *c);

/* Another request is at hand: conn_take_turn() in the next turn of the loop,
 * so that a pipeline does not hold up others. */
void conn_group_await_turn(struct conn *c);

/* One that was turned away: is there room for it now?  Then it is served. */
bool conn_group_readmit(struct conn *c);

/* HEADING: refuse whatever is asked, and close. */
void conn_refuse(struct conn *c, int status, const char *why);

/* HEADING: its turn has come. */
void conn_take_turn(struct conn *c);

/* Its line in the access log. */
void conn_log(struct conn *c, const char *note);

#endif
