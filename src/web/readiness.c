#include "web/readiness.h"

#include <stdatomic.h>
#include <string.h>

#include "shared/shm.h"
#include "web/context.h"

static const char *const trouble[STORE_STATES] = {
    [STORE_READY] = "",
    [STORE_CLOSED] = "its output_dir is not open",
    [STORE_STALLED] = "its disk does not answer",
    [STORE_FAILED] = "its disk could not make an upload durable",
};

/* Of the locations of a block: how many stores are open?  And which is sick? */
static size_t
look_at_stores(const struct context *c, struct str *why)
{
	size_t open = 0;

	for (size_t i = 0; i < c->conf->location_count; i++) {
		struct store_view v;

		store_view(c->stores[i], &v);
		open += v.state != STORE_CLOSED;
		if (v.state == STORE_READY || v.state == STORE_CLOSED ||
		    why->len > 0)
			continue;
		str_printf(why, "location %s: %s\n",
		    c->conf->locations[i].prefix, trouble[v.state]);
	}
	return open;
}

bool
readiness_judge(const struct readiness *r, struct str *why)
{
	size_t open = 0;

	if (r->stopping || atomic_load(&r->slot->stopping) != 0) {
		str_puts(why, "the server is stopping\n");
		return false;
	}
	for (size_t i = 0; i < r->count; i++)
		open += look_at_stores(r->contexts[i], why);
	if (open == 0) {
		str_clear(why);
		str_printf(why, "no location: %s\n", trouble[STORE_CLOSED]);
	}
	return why->len == 0;
}

void
readiness_answer(const struct readiness *r, struct exchange *x)
{
	enum head_method method = exchange_head(x)->method;
	struct response answer = {.status = 200};
	struct str why = {0};

	exchange_keep_quiet(x);
	str_puts(&answer.fields, "Cache-Control: no-store\r\n");
	if (method != METHOD_GET && method != METHOD_HEAD) {
		response_problem(&answer, 405,
		    "this tells whether uploads are taken: ask by GET or HEAD");
		str_puts(&answer.fields, "Allow: GET, HEAD\r\n");
		answer.outcome = OUTCOME_REFUSED;
	} else {
		if (!readiness_judge(r, &why))
			answer.status = 503;
		answer.content_type = "text/plain; charset=utf-8";
		str_puts(&answer.content, answer.status == 200 ? "ready\n"
					  : why.s != NULL      ? why.s
							       : "");
		str_fini(&why);
	}
	exchange_respond(x, &answer);
}

bool
readiness_answers(const struct context *c, struct exchange *x)
{
	const struct head *h = exchange_head(x);

	if (!conf_is_on(c->conf->health) || h->method == METHOD_CONNECT ||
	    h->path.len != strlen(c->conf->health) ||
	    memcmp(h->path.s, c->conf->health, h->path.len) != 0)
		return false;
	readiness_answer(c->readiness, x);
	return true;
}
