#include <stdlib.h>

#include "config/parser.h"
#include "config/value.h"

struct parser_block *
parser_block_new(struct parser_block *parent, enum directives_block block,
    const struct conf_place *at)
{
	struct parser_block *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->block = block;
	b->parent = parent;
	b->at = *at;
	list_init(&b->blocks);
	return b;
}

void *
parser_base(struct parser_block *b, const struct directive *d)
{
	switch (d->owner) {
	case BLOCK_TOP:
		return &b->top;
	case BLOCK_SERVER:
	case BLOCK_ADMIN:
		return &b->server;
	case BLOCK_LOCATION:
		return &b->location;
	case BLOCK_EXCEPT:
		return &b->rights;
	case BLOCK_COUNT:
	default:
		die("%s has no owner", d->name);
	}
}

struct parser_block *
parser_where(struct parser_block *b, const struct directive *d)
{
	while (b != NULL && b->given[directives_index(d)].at.line == 0)
		b = b->parent;
	return b;
}

void
parser_free(struct parser_block **bp)
{
	struct parser_block *b = *bp;

	if (b == NULL)
		return;
	LIST_FOREACH(struct parser_block, inner, &b->blocks, node) {
		list_remove(&inner->node);
		parser_free(&inner);
	}
	for (size_t i = 0; i < directives_count; i++)
		if (directives_has_value(&directives[i]))
			value_clear(
			    &directives[i], parser_base(b, &directives[i]));
	for (size_t i = 0; i < b->top.file_count; i++)
		free(b->top.files[i]);
	free(b->top.files);
	free(b->location.prefix);
	free(b);
	*bp = NULL;
}
