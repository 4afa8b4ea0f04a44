#include "form_atomic.h"

#include <errno.h>

#include "store/store.h"

static struct form_file *
file_of(struct list_node *n)
{
	return container_of(n, struct form_file, node);
}

/* A neighbour of a file; NULL: there is none. */
static struct list_node *
node_or_end(const struct form_atomic *a, struct list_node *n)
{
	return n != &a->files->head ? n : NULL;
}

/* ---- settle ---- */

static void settle_next(struct form_atomic *a);

static void
on_file_settled(void *owner, int err)
{
	struct form_atomic *a = owner;

	a->task = NULL;
	if (a->err == 0)
		a->err = err < 0 ? err : 0;
	a->at = node_or_end(a, a->at->next);
	settle_next(a);
}

static void
settle_next(struct form_atomic *a)
{
	if (a->at == NULL || a->err < 0) {
		a->on_settled(a->owner, a->err);
		return;
	}
	if (!upload_settle(
		&file_of(a->at)->upload, a, on_file_settled, &a->task))
		a->on_settled(a->owner, -ENOMEM);
}

void
form_atomic_settle(struct form_atomic *a, struct list *files)
{
	a->files = files;
	a->at = list_first(files);
	a->err = 0;
	if (!store_can(a->store, STORE_CAN_TAKE_BACK))
		a->at = NULL;
	settle_next(a);
}

/* ---- take back ---- */

static void take_back_next(struct form_atomic *a);

static void
on_file_taken_back(void *owner, int err)
{
	struct form_atomic *a = owner;
	struct form_file *f = file_of(a->at);

	a->task = NULL;
	/* Another one has its name by now, or none: it is not there any more. */
	f->is_back = err == 0 || err == -EEXIST || err == -ENOENT;
	a->left += !f->is_back;
	a->at = node_or_end(a, a->at->prev);
	take_back_next(a);
}

static void
take_back_next(struct form_atomic *a)
{
	for (; a->at != NULL; a->at = node_or_end(a, a->at->prev)) {
		struct form_file *f = file_of(a->at);

		if (!f->replaced && store_can(a->store, STORE_CAN_TAKE_BACK) &&
		    store_take_back(a->store, f->name, &f->info, a,
			on_file_taken_back, &a->task))
			return;
		a->left++;
	}
	a->on_taken_back(a->owner, a->left);
}

/* The last one first: so a crash leaves the first ones here, too. */
void
form_atomic_take_back(struct form_atomic *a, struct list *files)
{
	a->files = files;
	a->at = node_or_end(a, files->head.prev);
	a->left = 0;
	take_back_next(a);
}

void
form_atomic_forget(struct form_atomic *a)
{
	store_task_forget(&a->task);
}
