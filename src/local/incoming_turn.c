#include "incoming_turn.h"

#include "disk/engine.h"
#include "disk/fair.h"
#include "file_beside.h"
#include "incoming_file.h"

/* It goes before large uploads to the same disk. */
static bool
is_small(const struct incoming_file *f)
{
	const struct store_setup *to = &f->local->to;

	return dir_syncs(f->target.at) && to->policy->small_latency_s > 0 &&
	       f->writer.offset <= to->chunk_size;
}

/* The sync of a large one writes what is in the page cache only: all of it, where it is
 * too short for anything else.  (One that has hardly any need not wait.) */
static unsigned
turn_of_large(struct incoming_file *f, unsigned flags)
{
	uint64_t left = file_beside_unwritten(&f->writer);

	if ((flags & CALL_FLUSHES) == 0 || left <= f->local->to.chunk_size)
		return flags;
	f->job->op.weight = left;
	return flags | CALL_BULK;
}

static unsigned
turn_of(struct incoming_file *f)
{
	struct incoming_job *j = f->job;
	unsigned flags = commit_flushes(&j->commit) ? CALL_FLUSHES : 0;

	if (!is_small(f))
		return turn_of_large(f, flags);
	if (j->small_since == 0)
		j->small_since = fair_begin_small(&f->target.at->device->fair);
	return flags == 0 ? CALL_JOINS : flags | CALL_SMALL;
}

/* A small one that is not made durable only changes the directory, as all others
 * that are stored there do. */
static bool
is_brief(const struct incoming_file *f)
{
	return f->target.at->device->kind == DEVICE_LOCAL &&
	       !dir_syncs(f->target.at) &&
	       f->writer.offset <= f->local->to.chunk_size;
}

unsigned
incoming_turn_begin(struct incoming_file *f, bool slow)
{
	return turn_of(f) | (slow ? CALL_SLOW : is_brief(f) ? CALL_BRIEF : 0);
}

void
incoming_turn_end(struct incoming_file *f, bool stored)
{
	if (f->job != NULL)
		fair_end_small(
		    &f->target.at->device->fair, &f->job->small_since, stored);
}
