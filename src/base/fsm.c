#include "base/fsm.h"

#include <inttypes.h>

#include "base/log.h"

/* fsm_on() makes some ten moves per upload: what is rare in one stands apart,
 * so that the common move is short. */
#define RARE __attribute__((noinline, cold))

RARE NORETURN static void
die_of(const struct fsm_table *t, unsigned state, unsigned event, uint64_t id)
{
	die("%s %" PRIu64 ": %s while %s", t->name, id, t->event_names[event],
	    t->state_names[state]);
}

static inline void
fsm_move(const struct fsm_square *sq, unsigned *state, void *owner)
{
	*state = sq->next;
	if (sq->kind == FSM_ACT)
		sq->act(owner);
}

/* A move that is logged, or has a mark. */
RARE static void
fsm_move_aloud(const struct fsm_table *t, unsigned *state, unsigned event,
    uint64_t id, void *owner)
{
	const struct fsm_square *sq = fsm_square(t, *state, event);

	log_debug("%s %" PRIu64 ": %s: %s -> %s", t->name, id,
	    t->event_names[event], t->state_names[*state],
	    t->state_names[sq->next]);
	if (sq->mark != 0) {
		*state = sq->next;
		t->marked(owner);
	}
	fsm_move(sq, state, owner);
}

void
fsm_on(const struct fsm_table *t, unsigned *state, unsigned event, uint64_t id,
    void *owner)
{
	const struct fsm_square *sq = fsm_square(t, *state, event);

	if (sq->kind == FSM_IMPOSSIBLE)
		die_of(t, *state, event, id);
	else if (sq->mark != 0 || log_enabled(LEVEL_DEBUG))
		fsm_move_aloud(t, state, event, id, owner);
	else
		fsm_move(sq, state, owner);
}
