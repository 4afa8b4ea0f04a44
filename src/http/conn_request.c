/*
 * The request in hand, for who handles it.
 */
#include "conn_internal.h"

uint64_t
conn_id(const struct conn *c)
{
	return c->id;
}

bool
conn_is_logged(const struct conn *c)
{
	return c->group->access != NULL;
}

struct source *
conn_body(struct conn *c)
{
	return &c->body.source;
}

void
conn_limit_body(struct conn *c, uint64_t max)
{
	body_limit(&c->body, max);
}

uint64_t
conn_body_bytes(const struct conn *c)
{
	return c->body.payload;
}

const char *
conn_body_problem(const struct conn *c)
{
	return c->body.why;
}

void
conn_continue(struct conn *c)
{
	if (!c->waits_for_100)
		return;
	c->waits_for_100 = false;
	sender_interim(&c->sender, "HTTP/1.1 100 Continue\r\n\r\n");
}

bool
conn_unstream(struct conn *c)
{
	return sender_take_back(&c->sender);
}
