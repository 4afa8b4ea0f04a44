#include "log/trace.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "shared/shm.h"
#include "log/journal.h"

enum {
	LINE_MAX_BYTES = 400, /* a longer one is continued on the next */
};

enum side { READER, WRITER, SIDES };

enum chunk_step {
	NO_CHUNK, /* it is not about one */
	WANTS,	  /* a side waits for one */
	HAS,	  /* and has had it */
};

static const struct {
	const char *word;
	enum side side;
	enum chunk_step chunk;
} steps[TRACE_STEPS] = {
    [TRACE_OPEN] = {"open()", READER, NO_CHUNK},
    [TRACE_RESUME] = {"resume()", READER, NO_CHUNK},
    [TRACE_NEXT] = {"stream().next()", READER, WANTS},
    [TRACE_PUT] = {"put()", READER, HAS},
    [TRACE_JOIN] = {"join()", READER, NO_CHUNK},
    [TRACE_GET] = {"get()", WRITER, WANTS},
    [TRACE_WRITE] = {"write()", WRITER, HAS},
    [TRACE_TASK_DONE] = {"task_done()", WRITER, NO_CHUNK},
    [TRACE_CANCEL] = {"cancel()", WRITER, NO_CHUNK},
    [TRACE_SYNC] = {"sync()", WRITER, NO_CHUNK},
    [TRACE_PUBLISH] = {"publish()", WRITER, NO_CHUNK},
    [TRACE_SUSPEND] = {"suspend()", WRITER, NO_CHUNK},
    [TRACE_HASH] = {"hash()", WRITER, NO_CHUNK},
};

struct trace {
	struct trace_group *group;
	enum side side;	   /* that made the last step */
	bool wants[SIDES]; /* a chunk, and has said so */
	bool begun;	   /* the side's line has steps */
	struct str line;
	char label[32];
};

static void
flush(struct trace *t)
{
	if (t->line.len == 0)
		return;
	str_puts(&t->line, "\n");
	if (!str_failed(&t->line))
		journal_add(t->group->out, t->line.s, t->line.len);
	str_clear(&t->line);
	t->begun = false;
}

/* Where a side's line begins. */
static void
begin(struct trace *t)
{
	if (shm_traces(t->group->shm) > 1)
		str_printf(
		    &t->line, "%s:%s", t->label, t->side == READER ? " " : "");
	if (t->side == WRITER)
		str_puts(&t->line, "\t\t\t\t\t\t");
}

struct trace *
trace_new(const char *label, struct trace_group *group)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->group = group;
	snprintf(t->label, sizeof(t->label), "%s", label);
	atomic_fetch_add(group->active, 1);
	str_printf(&t->line, "%s: Starting", label);
	t->begun = true;
	return t;
}

void
trace_draw(struct trace *t, enum trace_step step)
{
	enum side side = steps[step].side;

	if (steps[step].chunk == WANTS && t->wants[side])
		return;
	if (steps[step].chunk != NO_CHUNK)
		t->wants[side] = steps[step].chunk == WANTS;
	if (side != t->side || t->line.len > LINE_MAX_BYTES)
		flush(t);
	t->side = side;
	if (t->line.len == 0)
		begin(t);
	str_printf(&t->line, "%s-> %s", t->begun ? " " : "", steps[step].word);
	t->begun = true;
}

void
trace_end(struct trace **tp, const char *how)
{
	struct trace *t = *tp;

	if (t == NULL)
		return;
	flush(t);
	str_printf(&t->line, "%s: %s", t->label, how);
	flush(t);
	atomic_fetch_sub(t->group->active, 1);
	str_fini(&t->line);
	free(t);
	*tp = NULL;
}
