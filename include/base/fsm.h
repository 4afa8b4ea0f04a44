/*
 * base/fsm.h - state tables, and the one function that moves along them.
 *
 *	static const struct fsm_square squares[DOOR_STATES][DOOR_EVENTS] = {
 *		[DOOR_SHUT] = {
 *			[DOOR_KNOCK]  = { FSM_NOTHING, DOOR_SHUT },
 *			[DOOR_HANDLE] = { FSM_ACT, DOOR_OPEN, swing },
 *		},
 *		...
 *	};
 *
 * A table has one square for each pair of state and event.  A square that is left
 * out is FSM_IMPOSSIBLE: whatever clients and disks do, that event cannot come in that
 * state; if it does, this program has a bug, and the process ends.
 * tests/unit/test_states.c walks all tables.
 */
#ifndef BASE_FSM_H
#define BASE_FSM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

enum fsm_kind {
	FSM_IMPOSSIBLE, /* a bug: fsm_on() ends the process */
	FSM_NOTHING,	/* the state becomes `next`, and that is all */
	FSM_ACT, /* the state becomes `next`, then act(owner) is called */
};

/* What a move does.  It is called last and may free `owner`.  It may post one
 * further event, as its last statement. */
typedef void fsm_act_fn(void *owner);

struct fsm_square {
	enum fsm_kind kind;
	unsigned next;
	fsm_act_fn *act; /* of FSM_ACT */
	unsigned mark;	 /* not 0: marked(owner) is called before act */
};

enum {
	FSM_STATES_MAX = 64, /* bits of `final` */
};

#define FSM_STATE(s) (UINT64_C(1) << (s))

struct fsm_table {
	const char *name; /* of the owner, before its id: "upload" */
	unsigned states, events;
	const char *const *state_names, *const *event_names;
	unsigned first;			  /* the state of a new owner */
	uint64_t final;			  /* FSM_STATE() of those that end it */
	const struct fsm_square *squares; /* states * events */
	fsm_act_fn *marked;		  /* NULL: no square has a mark */
};

/* The square of `event` in `state`; both must be of the table. */
static inline const struct fsm_square *
fsm_square(const struct fsm_table *t, unsigned state, unsigned event)
{
	check(state < t->states && event < t->events);
	return &t->squares[state * t->events + event];
}

static inline bool
fsm_is_final(const struct fsm_table *t, unsigned state)
{
	return (t->final & FSM_STATE(state)) != 0;
}

/*
 * fsm_on(t, state, event, id, owner):
 * `event` has come for `owner`, whose state is *state.  Nothing else writes
 * *state.  Logs "NAME ID: EVENT: OLD -> NEW" at level debug.  An impossible
 * event is a bug in the caller and ends the process with
 * "NAME ID: EVENT while STATE".
 * The owner may be freed when this returns: make it the last statement.
 */
void fsm_on(const struct fsm_table *t, unsigned *state, unsigned event,
    uint64_t id, void *owner);

#endif
