#include "base/fsm.h"

#include <inttypes.h>

#include "base/log.h"

void
fsm_on(const struct fsm_table *t, unsigned *state, unsigned event, uint64_t id,
    void *owner)
{
	const struct fsm_square *sq = fsm_square(t, *state, event);

	if (sq->kind == FSM_IMPOSSIBLE)
		die("%s %" PRIu64 ": %s while %s", t->name, id,
		    t->event_names[event], t->state_names[*state]);
	log_debug("%s %" PRIu64 ": %s: %s -> %s", t->name, id,
	    t->event_names[event], t->state_names[*state],
	    t->state_names[sq->next]);
	*state = sq->next;
	if (sq->mark != 0)
		t->marked(owner);
	if (sq->kind == FSM_ACT)
		sq->act(owner);
}
