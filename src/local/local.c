#include "local/local.h"

#include <fcntl.h>
#include <stdlib.h>

#include "incoming.h"
#include "incoming_resume.h"
#include "local_preflight.h"
#include "local_store.h"
#include "outgoing.h"
#include "task.h"

/* An open directory; and, where files need a name of their own before they are
 * published, its PUBLISH_TEMP_DIR. */
static size_t
descriptors(const struct store_policy *policy)
{
#ifdef O_TMPFILE
	return policy->overwrite || policy->resume ? 2 : 1;
#else
	(void)policy; /* there are no nameless files at all */
	return 2;
#endif
}

/* ---- the parts tell each other ---- */

static void
local_on_health(void *owner, struct local_dir *dir, bool news)
{
	struct local *local = owner;

	health_changed(&local->health, dir, news);
}

static void
local_on_vanished(void *owner, struct local_dir *dir)
{
	struct local *local = owner;

	reopen_begin(&local->reopen, dir);
}

static void
local_on_postponed(void *owner)
{
	struct local *local = owner;

	health_watch(&local->health);
}

static const struct dir_events dir_events = {
    .on_health = local_on_health,
    .on_vanished = local_on_vanished,
    .on_postponed = local_on_postponed,
};

static void
local_on_opened(void *owner, struct local_dir *before)
{
	struct local *local = owner;

	local->writers.direct_refused = false;
	sweep_opened(&local->sweep);
	partials_sweep_opened(&local->partials_sweep);
	health_opened(&local->health);
	view_measure(&local->view);
	scan_begin(&local->scan);
	reopen_done(&local->reopen, before);
}

static void
local_settle(void *owner)
{
	struct local *local = owner;

	if (local->is_settled)
		return;
	local->is_settled = true;
	local->to.on_settled(local->to.owner);
}

static void
local_on_failed(void *owner)
{
	struct local *local = owner;

	local_settle(local);
	reopen_done(&local->reopen, local->opener.current);
}

static const struct opener_events opener_events = {
    .on_opened = local_on_opened,
    .on_failed = local_on_failed,
};

/* ---- a store ---- */

static bool
has_files(struct store *s)
{
	const struct local *local = local_of(s);
	const struct local_dir *current = local->opener.current;

	LIST_FOREACH(const struct local_dir, dir, &local->opener.dirs, node) {
		if (dir != current || !list_is_empty(&dir->members))
			return true;
	}
	return false;
}

/* Each job is a user of the directory that it works in. */
static bool
is_idle(struct store *s)
{
	const struct local *local = local_of(s);
	const struct local_dir *current = local->opener.current;

	return opener_is_idle(&local->opener) &&
	       health_is_idle(&local->health) &&
	       (current == NULL || current->users == 1);
}

/* What is to be removed is tried a last time when the directory is closed. */
static void
rest(struct store *s)
{
	struct local *local = local_of(s);
	struct local_dir *current = local->opener.current;

	partials_sweep_stop(&local->partials_sweep);
	if (current == NULL || !removals_are_left(current) ||
	    !device_accepts_reads(current->device))
		return;
	scan_stop(&local->scan);
	reopen_done(&local->reopen, current);
}

static void
local_view(struct store *s, struct store_view *ret)
{
	view_fill(&local_of(s)->view, ret);
}

static void
local_measure(struct store *s)
{
	view_measure(&local_of(s)->view);
}

static void
free_store(struct store *s)
{
	struct local *local = local_of(s);

	check(is_idle(s));
	reopen_fini(&local->reopen);
	health_fini(&local->health);
	sweep_fini(&local->sweep);
	partials_sweep_fini(&local->partials_sweep);
	scan_fini(&local->scan);
	opener_fini(&local->opener);
	removals_fini(&local->removals);
	file_writers_fini(&local->writers);
	spare_fini(&local->jobs);
	spare_fini(&local->gets);
	free(local);
}

static const struct store_ops local_ops = {
    .create = incoming_create,
    .offset = incoming_offset,
    .commit = incoming_commit,
    .abort = incoming_abort,
    .settle = task_settle,
    .take_back = task_take_back,
    .resume = incoming_resume,
    .append = incoming_append,
    .suspend = incoming_suspend,
    .hash = incoming_hash,
    .conclude = incoming_conclude,
    .remove = incoming_remove,
    .open_partial = outgoing_open_partial,
    .open = outgoing_open,
    .close = outgoing_close,
    .rest = rest,
    .view = local_view,
    .measure = local_measure,
    .has_files = has_files,
    .is_idle = is_idle,
    .free = free_store,
};

static struct store *
open_store(const struct store_setup *setup)
{
	struct local *local = calloc(1, sizeof(*local));

	if (local == NULL)
		return NULL;
	local->base.ops = &local_ops;
	local->base.label = setup->policy->output_dir;
	local->base.can = STORE_CAN_RANGE | STORE_HAS_LATEST |
			  STORE_CAN_RESUME | STORE_CAN_TAKE_BACK;
	local->to = *setup;
	if (opener_init(&local->opener, &local->to, &opener_events, &dir_events,
		local) < 0) {
		free(local);
		return NULL;
	}
	reopen_init(&local->reopen, &local->opener);
	health_init(&local->health, &local->opener);
	view_init(&local->view, &local->opener);
	sweep_init(&local->sweep, &local->opener);
	partials_sweep_init(&local->partials_sweep, &local->opener);
	scan_init(&local->scan, &local->opener, local_settle, local);
	removals_init(&local->removals, local->to.loop);
	file_writers_init(&local->writers, &local->to);
	spare_init(
	    &local->jobs, sizeof(struct incoming_job), INCOMING_JOBS_SPARE);
	outgoing_init_spare(&local->gets);
	opener_begin(&local->opener);
	return &local->base;
}

const struct store_kind local_kind = {
    .name = "local",
    .descriptors = descriptors,
    .preflight = local_preflight,
    .look = local_look,
    .open = open_store,
};
