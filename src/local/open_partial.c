#include "open_partial.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_class.h"
#include "base/fd.h"
#include "local/space.h"
#include "store/store.h"
#include "local_error.h"

_Static_assert((int)PARTIAL_NAME_SIZE <= (int)PUBLISH_TEMP_MAX,
    "it is published by that name");

void
open_partial_init(struct open_partial *p, const char *id)
{
	*p = (struct open_partial){.info = -1};
	memcpy(p->file.shown.id, id, PARTIAL_ID_LEN);
	partial_file_name(id, partial_data_suffix, p->data);
}

void
open_partial_fini(struct open_partial *p)
{
	check(p->info == -1);
	open_partial_account(p);
	partial_file_fini(&p->file);
	free(p->next_rest);
	p->next_rest = NULL;
}

void
open_partial_set_state(struct open_partial *p, struct span state)
{
	check(state.len <= PARTIAL_STATE_MAX);
	if (state.len > 0)
		memmove(p->next_state, state.s, state.len);
	p->next.state = (struct span){p->next_state, state.len};
}

struct span
open_partial_keep_rest(struct open_partial *p, struct span rest)
{
	free(p->next_rest);
	p->next_rest = rest.len > 0 ? malloc(rest.len) : NULL;
	if (p->next_rest == NULL)
		return (struct span){0};
	memcpy(p->next_rest, rest.s, rest.len);
	return (struct span){p->next_rest, rest.len};
}

/* What could not be written is not durable; but to be out of something says nothing of the
 * disk. */
static int
err_of_writing(int err, int *ret_cause)
{
	if (err == 0 || errno_is_too_much(err) || errno_is_our_lack(err))
		return err;
	*ret_cause = -err;
	return LOCAL_SYNC_FAILED;
}

int
open_partial_write(struct open_partial *p, bool sync, int *ret_cause)
{
	return err_of_writing(
	    partial_file_begin(p->info, &p->next, sync, &p->file), ret_cause);
}

static int
note(struct open_partial *p, const struct partial *next, bool is_committing,
    bool sync, int *ret_cause)
{
	return err_of_writing(
	    partial_file_put(p->info, &p->file, next, is_committing, sync),
	    ret_cause);
}

int
open_partial_note_whole(struct open_partial *p, uint64_t size,
    bool is_committing, bool sync, int *ret_cause)
{
	struct partial next = p->file.shown;

	next.offset = next.length = size;
	next.changed_s = (uint64_t)clock_wall_s();
	next.answer = (struct span){0};
	return note(p, &next, is_committing, sync, ret_cause);
}

void
open_partial_end_commit(struct open_partial *p, bool sync)
{
	struct partial next = p->file.shown;
	int cause;

	if (!p->file.is_committing)
		return;
	next.answer = (struct span){0};
	/* If that is refused, too, its bytes are looked at, as after a crash. */
	(void)note(p, &next, false, sync, &cause);
}

int
open_partial_note(struct open_partial *p, bool sync, int *ret_cause)
{
	p->next.changed_s = (uint64_t)clock_wall_s();
	return note(p, &p->next, false, sync, ret_cause);
}

int
open_partial_enter(struct open_partial *p, struct local_dir *at)
{
	const struct store_policy *policy = at->to->policy;

	if (at->partials == NULL)
		return 0;
	if (!partials_enter(at->to->shared->partials, at->partials,
		p->next.client, policy->max_resumable,
		policy->max_resumable_per_client))
		return LOCAL_TOO_MANY;
	p->counted = at;
	return 0;
}

/* So many bytes are to come, as far as that is known. */
static uint64_t
to_come(const struct partial *p)
{
	return p->length == STORE_LENGTH_UNKNOWN ? 0 : p->length - p->offset;
}

void
open_partial_go_on(struct open_partial *p, struct local_dir *at)
{
	if (at->partials == NULL || p->file.shown.phase != PARTIAL_OPEN)
		return;
	p->counted = at;
	partials_go_on(at->partials, to_come(&p->file.shown));
}

void
open_partial_account(struct open_partial *p)
{
	const struct partial *shown = &p->file.shown;
	struct local_dir *at = p->counted;
	bool is_open = shown->phase == PARTIAL_OPEN && !p->is_new &&
		       !p->is_stored && !p->is_removed;

	p->counted = NULL;
	if (at == NULL)
		return;
	if (is_open)
		partials_wait(at->partials, to_come(shown));
	else
		partials_leave(at->to->shared->partials, at->partials,
		    p->is_new ? p->next.client : shown->client);
}

void
open_partial_end(struct open_partial *p, struct target *t)
{
	char info[PARTIAL_NAME_SIZE];
	int dir = t->at->publish.temp_dir;

	open_partial_account(p);
	if (p->is_new) {
		partial_file_name(p->file.shown.id, partial_info_suffix, info);
		if (t->u.fd != -1)
			(void)unlinkat(dir, p->data, 0);
		if (p->info != -1)
			(void)unlinkat(dir, info, 0);
	} else if (t->u.fd != -1 && !p->is_elsewhere) {
		/* No matter if not: that is not believed. */
		int err = space_trim(t->u.fd, p->file.shown.offset);

		(void)err;
	}
	fd_close(&p->info);
}
