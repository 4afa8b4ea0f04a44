/*
 * The states of a request for an upload that can be resumed: resume_table.c has the moves
 * from each to the next; what is done on the way is in resume_moves.c, or, where it is about
 * the bytes that the request brings, in resume_part.c.
 *
 *	NEW --> FINDING --> HELD --> BEGINNING --> READY --> FLOWING --> READY
 *	 |         |                     ^          | |
 *	 |     ELSEWHERE                 |          | \---> SUSPENDING --> OVER
 *	 \-----------(a creation)--------/          \--> COMMITTING -----> OVER
 *
 * tests/unit/test_states.c walks the table.
 */
#ifndef WEB_RESUME_STATES_H
#define WEB_RESUME_STATES_H

#include "base/fsm.h"
#include "resume_internal.h"

/* What is waited for. */
enum resume_state {
	RESUME_NEW,	   /* the gate, or those that it is to be made of */
	RESUME_FINDING,	   /* in the gate: on_found() or on_held() */
	RESUME_ELSEWHERE,  /* in the gate: another one has it, undisturbed */
	RESUME_HELD,	   /* it is there: the gate */
	RESUME_LOST,	   /* the gate, and it has failed meanwhile */
	RESUME_BEGINNING,  /* on_ready() */
	RESUME_READY,	   /* nothing: all that came is written */
	RESUME_OPENING,	   /* the next of those that it is made of */
	RESUME_FLOWING,	   /* on_transferred() */
	RESUME_SUSPENDING, /* on_suspended() */
	RESUME_CLAIMING,   /* that a link is not spent */
	RESUME_COMMITTING, /* on_stored() */
	RESUME_REMOVING,   /* on_removed() */
	RESUME_OVER,
	RESUME_STATES
};

enum resume_event {
	RESUME_FIND,  /* the gate wants to know what there is */
	RESUME_SHOWN, /* another one has it, and this is what it is */
	RESUME_AWAIT, /* the gate wants it all the same */
	RESUME_FOUND,
	RESUME_PASSED, /* the gate */
	RESUME_REOPEN, /* bytes follow, or it is to be committed */
	RESUME_ERASE,
	RESUME_OPENED,
	RESUME_NEXT, /* another one of those that it is made of */
	RESUME_TRANSFER,
	RESUME_TRANSFERRED, /* `why` says how it ended */
	RESUME_SUSPEND,
	RESUME_SUSPENDED,
	RESUME_CLAIM,	/* it is whole, and has come by a link */
	RESUME_CLAIMED, /* that is good */
	RESUME_SPENT,	/* or not */
	RESUME_COMMIT,
	RESUME_STORED,
	RESUME_ERASED,
	RESUME_FAILED, /* the upload: `why` and `reason` */
	RESUME_WANTED, /* by a newer request */
	RESUME_CUT,    /* by an operator */
	RESUME_GONE,   /* the exchange: there is nobody to answer */
	RESUME_STOP,   /* the server stops, and the exchange would end */
	RESUME_ENDED,  /* it is answered, or never will be */
	RESUME_EVENTS
};

extern const struct fsm_table resume_table;

/*
 * The only way to change the state of a request; `r` may be freed by it.  resume_release()
 * posts ENDED in the middle of an action, of HELD or READY, say: the state was changed before
 * the action, and no action touches `r` after what may have ended it.
 */
static inline void
resume_on(struct web_resume *r, enum resume_event ev)
{
	check_magic(r, RESUME_MAGIC);
	fsm_on(r->table, &r->state, ev, r->request, r);
}

/* ---- moves: resume_moves.c ---- */

void resume_start_finding(void *resume);
void resume_start_awaiting(void *resume);
void resume_go_on(void *resume); /* the gate */
void resume_lose(void *resume);
void resume_lose_in_gate(void *resume);
void resume_tell_lost(void *resume);
void resume_start_creation(void *resume);
void resume_decide(void *resume);
void resume_start_append(void *resume);
void resume_start_removing(void *resume);
void resume_cut(void *resume);
void resume_cut_for_newer(void *resume);
void resume_cut_by_operator(void *resume);
void resume_give_up(void *resume);
void resume_give_up_copy(void *resume);
void resume_tell_stored(void *resume);
void resume_tell_not_stored(void *resume);
void resume_tell_failed(void *resume);
void resume_tell_removed(void *resume);

/* ---- moves: resume_part.c ---- */

void resume_take_opened(void *resume);
void resume_take_transferred(void *resume);
void resume_start_suspending(void *resume);
void resume_tell_suspended(void *resume);
void resume_start_claiming(void *resume);
void resume_tell_spent(void *resume);
void resume_start_commit(void *resume);

#endif
