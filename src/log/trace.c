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

struct trace {
	struct trace_group *group;
	enum trace_side side;
	bool begun; /* the side's line has steps */
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
		str_printf(&t->line, "%s:%s", t->label,
		    t->side == TRACE_READER ? " " : "");
	if (t->side == TRACE_WRITER)
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
trace_step(struct trace *t, enum trace_side side, const char *step)
{
	if (t == NULL)
		return;
	if (side != t->side || t->line.len > LINE_MAX_BYTES)
		flush(t);
	t->side = side;
	if (t->line.len == 0)
		begin(t);
	str_printf(&t->line, "%s-> %s", t->begun ? " " : "", step);
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
