#include "admin/admin.h"

#include <string.h>

#include "admin/exposition.h"
#include "pages.h"
#include "web/rights_gate.h"
#include "web/site_gate.h"

static const char methods[] = "GET, HEAD";

/* ---- the pages ---- */

/* Send `r`, whose content is all there, unless it has `failed`. */
static void
send_page(struct exchange *x, struct response *r, const char *type, bool whole)
{
	if (!whole) {
		response_fini(r);
		exchange_fail(x, OUTCOME_NO_MEMORY);
		return;
	}
	r->status = 200;
	r->content_type = type;
	str_puts(&r->fields, "Cache-Control: no-store\r\n");
	exchange_respond(x, r);
}

static void
answer_metrics(const struct admin *a, struct exchange *x)
{
	bool open = exposition_prefers_open_metrics(exchange_head(x)->accept);
	struct response r = {0};
	bool whole;

	a->subject->renew(a->subject->arg);
	whole = metrics_page(a->subject, open, &r.content);
	str_puts(&r.fields, "Vary: Accept\r\n");
	send_page(x, &r, exposition_media_type(open), whole);
}

static void
answer_alive(const struct admin *a, struct exchange *x)
{
	struct response r = {0};

	(void)a;
	exchange_keep_quiet(x);
	str_puts(&r.content, "alive\n");
	send_page(x, &r, "text/plain; charset=utf-8", true);
}

static void
answer_ready(const struct admin *a, struct exchange *x)
{
	readiness_answer(a->subject->readiness, x);
}

static void
answer_status(const struct admin *a, struct exchange *x)
{
	struct response r = {0};
	bool whole;

	a->subject->renew(a->subject->arg);
	whole = status_page(a->subject, &r.content);
	send_page(x, &r, "application/json", whole);
}

static void answer_index(const struct admin *a, struct exchange *x);

static const struct page {
	const char *path;
	void (*answer)(const struct admin *a, struct exchange *x);
	const char *what;
} pages[] = {
    {"/", answer_index, "this list"},
    {"/healthz", answer_alive, "200: the process is alive"},
    {"/metrics", answer_metrics, "for Prometheus, or in OpenMetrics"},
    {"/readyz", answer_ready, "200: uploads are taken; 503: why not"},
    {"/status", answer_status, "workers and disks, in JSON"},
};

static void
answer_index(const struct admin *a, struct exchange *x)
{
	struct response r = {0};

	(void)a;
	for (size_t i = 0; i < COUNT_OF(pages); i++)
		str_printf(
		    &r.content, "%-9s %s\n", pages[i].path, pages[i].what);
	send_page(x, &r, "text/plain; charset=utf-8", true);
}

static const struct page *
find_page(const struct head *h)
{
	for (size_t i = 0; i < COUNT_OF(pages); i++)
		if (h->path.len == strlen(pages[i].path) &&
		    memcmp(h->path.s, pages[i].path, h->path.len) == 0)
			return &pages[i];
	return NULL;
}

/* ---- who may see them ---- */

/* A request on its way to its page. */
struct admin_pass {
	struct rights_pass base;
	const struct admin *admin;
	const struct page *page;
};

static const struct gate_step admin_steps[] = {
    RIGHTS_GATE_STEP,
};

static void
admin_passed(struct gate_pass *gate)
{
	struct admin_pass *p = container_of(gate, struct admin_pass, base.gate);

	p->page->answer(p->admin, gate->exchange);
}

static void
admin_undo(struct gate_pass *gate)
{
	(void)gate; /* it holds nothing */
}

static const struct gate admin_gate = {
    .steps = admin_steps,
    .count = COUNT_OF(admin_steps),
    .pass_size = sizeof(struct admin_pass),
    .passed = admin_passed,
    .undo = admin_undo,
};

static void
begin_page(struct admin *a, struct exchange *x, const struct page *page)
{
	/* Rights may be for some of the paths: the name is behind the slash. */
	struct route route = {
	    .kind = ROUTE_READ_NAMED, .location = a->context->conf->admin};
	struct admin_pass p = {.admin = a, .page = page};

	rights_gate_init(&p.base, a->context, x, &route);
	memcpy(p.base.name, page->path + 1, strlen(page->path));
	gate_begin(&admin_gate, &p.base.gate);
}

/* ---- the handler ---- */

static void
refuse_path(struct exchange *x)
{
	exchange_refuse(x, 404,
	    "there is no such page: ask for / to see which there are",
	    OUTCOME_NOT_FOUND);
}

static void
refuse_method(struct exchange *x)
{
	struct response r = {.outcome = OUTCOME_REFUSED};

	response_problem(&r, 405, "this can be read only: use GET or HEAD");
	str_printf(&r.fields, "Allow: %s\r\n", methods);
	exchange_respond(x, &r);
}

static void
admin_on_request(struct handler *handler, struct exchange *x)
{
	struct admin *a = container_of(handler, struct admin, handler);
	const struct head *h = exchange_head(x);
	const struct page *page = find_page(h);

	if (site_gate_answers(a->context->conf, x, h))
		return;
	if (page == NULL)
		refuse_path(x);
	else if (h->method != METHOD_GET && h->method != METHOD_HEAD)
		refuse_method(x);
	else
		begin_page(a, x, page);
}

static void
admin_add_fields(
    struct handler *handler, const struct head *head, struct str *out)
{
	(void)handler;
	(void)head;
	(void)out;
}

void
admin_init(
    struct admin *a, struct context *c, const struct admin_subject *subject)
{
	*a = (struct admin){.handler = {.on_request = admin_on_request,
				.add_fields = admin_add_fields},
	    .context = c,
	    .subject = subject};
}
