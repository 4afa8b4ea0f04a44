#include "incoming_partial.h"

#include <stdlib.h>
#include <string.h>

#include "publish_sys.h"

/* Of all stores of this process, and so of its loop. */
static struct list open_ones = {{&open_ones.head, &open_ones.head}};

static const struct incoming_partial *
open_one(const char *id)
{
	LIST_FOREACH(const struct incoming_partial, other, &open_ones, node) {
		if (strcmp(other->open.file.shown.id, id) == 0)
			return other;
	}
	return NULL;
}

bool
incoming_partial_is_open(const char *id, uint64_t *ret_offset)
{
	const struct incoming_partial *p = open_one(id);

	if (p != NULL)
		*ret_offset = p->offset;
	return p != NULL;
}

static void
leave(struct incoming_partial *p)
{
	list_remove(&p->node);
	open_id_leave(&p->own);
}

struct incoming_partial *
incoming_partial_find(const char *id)
{
	struct incoming_partial *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	open_partial_init(&p->open, id);
	p->open.is_elsewhere = !open_id_enter(&p->own, id);
	if (!p->open.is_elsewhere)
		list_append(&open_ones, &p->node);
	return p;
}

struct incoming_partial *
incoming_partial_begin(const struct partial *what)
{
	struct incoming_partial *p;
	struct open_partial *o;

	check(partial_is_id(what->id, strlen(what->id)));
	check(what->record.len <= PARTIAL_RECORD_MAX);
	p = incoming_partial_find(what->id);
	if (p == NULL)
		return NULL;
	o = &p->open;
	o->is_new = true;
	o->next = *what;
	open_partial_set_state(o, what->state);
	o->next.record = open_partial_keep_rest(o, what->record);
	if (o->next.record.len != what->record.len)
		incoming_partial_free(&p);
	return p;
}

/* Of another one of this process.  The rest may be a job's just now. */
static void
copy_record(struct partial_file *to, const struct incoming_partial *from)
{
	struct span record = {0};

	if (from != NULL && from->is_known)
		record = from->open.file.shown.record;
	if (record.len == 0)
		return;
	to->bytes = malloc(record.len);
	if (to->bytes == NULL)
		return;
	memcpy(to->bytes, record.s, record.len);
	to->shown.record = (struct span){(const char *)to->bytes, record.len};
	to->shown.client = from->open.file.shown.client;
}

const struct partial *
incoming_partial_show_held(struct incoming_partial *p)
{
	struct partial_file *f = &p->open.file;

	if (p->open.is_elsewhere)
		copy_record(f, open_one(f->shown.id));
	else
		leave(p); /* it is closed: others may look */
	return f->bytes != NULL ? &f->shown : NULL;
}

void
incoming_partial_let_go(struct incoming_partial *p)
{
	if (p->open.info == -1 || p->open.is_new || p->open.is_elsewhere)
		return;
	open_partial_account(&p->open);
	if (!publish_unlock(p->open.info))
		return;
	p->open.is_elsewhere = true;
	leave(p);
}

void
incoming_partial_free(struct incoming_partial **pp)
{
	struct incoming_partial *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	leave(p);
	open_partial_fini(&p->open);
	partial_hash_free(&p->hash);
	free(p->name);
	free(p);
}
