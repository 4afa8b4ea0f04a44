#include "file_write.h"

#include "disk/chunk.h"
#include "disk/engine.h"

struct file_write *
file_write_take(struct spare *writes)
{
	struct file_write *w = spare_take(writes);

	if (w == NULL)
		return NULL;
	w->node = (struct list_node){0};
	w->op = (struct op){.kind = OP_WRITE};
	w->count = 0;
	list_init(&w->chunks);
	return w;
}

void
file_write_add(struct file_write *w, struct chunk *c)
{
	check(w->count < FILE_WRITE_CHUNKS_MAX);
	if (w->count == 0) {
		w->op.kind = chunk_is_pipe(c) ? OP_SPLICE : OP_WRITE;
		w->op.offset = c->offset;
		if (chunk_is_pipe(c))
			w->op.from = &c->pipe;
		else
			w->op.buf = c->data;
	}
	check(w->count == 0 || (w->op.kind == OP_WRITE && !chunk_is_pipe(c)));
	check(c->offset == w->op.offset + w->op.len);
	w->iov[w->count++] = (struct iovec){c->data, c->len};
	w->op.len += c->len;
	list_append(&w->chunks, &c->node);
}

void
file_write_submit(struct file_write *w, struct engine *e, struct device *d,
    int fd, unsigned align)
{
	check(w->count > 0);
	w->op.fd = fd;
	w->op.align = align;
	/* What goes to the page cache does not disturb the disk yet. */
	w->op.turn = align > 0 ? OP_TURN_BULK : OP_TURN_ANY;
	if (w->count > 1) {
		w->op.iov = w->iov;
		w->op.iovs = w->count;
	}
	engine_submit(e, d, &w->op);
}

void
file_write_give_back(struct file_write *w, bool written)
{
	struct list_node *n;

	while ((n = list_shift(&w->chunks)) != NULL) {
		struct chunk *c = container_of(n, struct chunk, node);

		if (written)
			c->taken = c->len;
		chunk_give(c);
	}
}

void
file_write_give(struct spare *writes, struct file_write *w)
{
	check(!w->op.in_flight && list_is_empty(&w->chunks));
	spare_give(writes, w);
}
