#include "web/gate.h"

#include <stdlib.h>
#include <string.h>

/* It is past the gate, or never will be. */
static void
end_pass(struct gate_pass *p)
{
	if (p->kept)
		free(p);
}

static void
undo_pass(struct gate_pass *p)
{
	p->gate->undo(p);
	end_pass(p);
}

static enum outcome
gate_on_gone(void *owner)
{
	struct gate_pass *p = owner;

	p->gate->steps[p->at].forget(p);
	undo_pass(p);
	return OUTCOME_STOPPED;
}

static const struct exchange_ops gate_ops = {
    .on_gone = gate_on_gone,
};

/* The pass at a place of its own; NULL: out of memory. */
static struct gate_pass *
keep_pass(struct gate_pass *p)
{
	struct gate_pass *kept;

	if (p->kept)
		return p;
	kept = malloc(p->gate->pass_size);
	if (kept == NULL)
		return NULL;
	memcpy(kept, p, p->gate->pass_size);
	kept->kept = true;
	return kept;
}

static void
wait_at_step(struct gate_pass *p)
{
	struct gate_pass *kept = keep_pass(p);

	if (kept == NULL) {
		exchange_fail(p->exchange, OUTCOME_NO_MEMORY);
		undo_pass(p);
		return;
	}
	exchange_take(kept->exchange, &gate_ops, kept);
	exchange_watch(kept->exchange);
	kept->gate->steps[kept->at].wait(kept);
}

/* From the step that is next. */
static void
run_steps(struct gate_pass *p)
{
	const struct gate *g = p->gate;

	for (; p->at < g->count; p->at++) {
		switch (g->steps[p->at].judge(p)) {
		case GATE_PASS:
			break;
		case GATE_ANSWERED:
			undo_pass(p);
			return;
		case GATE_WAIT:
			wait_at_step(p);
			return;
		}
	}
	g->passed(p);
	end_pass(p);
}

void
gate_begin(const struct gate *g, struct gate_pass *p)
{
	p->gate = g;
	p->at = 0;
	p->kept = false;
	run_steps(p);
}

void
gate_go_on(struct gate_pass *p, enum gate_verdict v)
{
	check(p->kept && v != GATE_WAIT);
	if (v == GATE_ANSWERED) {
		undo_pass(p);
		return;
	}
	exchange_unwatch(p->exchange);
	p->at++;
	run_steps(p);
}
