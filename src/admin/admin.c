#include "admin/admin.h"

#include <string.h>

#include "admin/exposition.h"
#include "base/clock.h"
#include "base/num.h"
#include "pages.h"
#include "shared/live.h"
#include "shared/shared.h"
#include "uploads_query.h"
#include "web/rights_gate.h"
#include "web/site_gate.h"

/* ---- the pages ---- */

/* Send `r`, whose content is all there, unless it has `failed`; its status is 200 if none is
 * set. */
static void
send_page(struct exchange *x, struct response *r, const char *type, bool whole)
{
	if (!whole) {
		response_fini(r);
		exchange_fail(x, OUTCOME_NO_MEMORY);
		return;
	}
	if (r->status == 0)
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

/* ---- uploads ---- */

static const char json[] = "application/json";
static const char below_uploads[] = "/uploads/";

static void
answer_uploads(const struct admin *a, struct exchange *x)
{
	struct span target = exchange_head(x)->target, query = {0};
	const char *mark = memchr(target.s, '?', target.len);
	struct uploads_query q;
	struct response r = {0};
	const char *why;
	bool whole;

	if (mark != NULL)
		query = (struct span){
		    mark + 1, target.len - (size_t)(mark + 1 - target.s)};
	why = uploads_query_read(query, &q);
	if (why != NULL) {
		exchange_refuse(x, 400, why, OUTCOME_REFUSED);
		return;
	}
	a->subject->renew(a->subject->arg);
	whole = uploads_page(a->subject, &q, &r.content);
	send_page(x, &r, json, whole);
}

/* The page of the upload that the path names, in `r`. */
static enum upload_page
find_upload(const struct admin *a, const struct exchange *x, uint64_t *ret_id,
    struct response *r)
{
	struct span path = exchange_head(x)->path;
	size_t before = sizeof(below_uploads) - 1;

	check(path.len >= before);
	a->subject->renew(a->subject->arg);
	if (num_parse_u64(path.s + before, path.len - before, ret_id) < 0 ||
	    *ret_id == 0)
		return UPLOAD_PAGE_NONE;
	return upload_page(a->subject, *ret_id, &r->content);
}

static void
refuse_upload(
    struct exchange *x, struct response *page, int status, const char *why)
{
	response_fini(page);
	exchange_refuse(x, status, why,
	    status == 404 ? OUTCOME_NOT_FOUND : OUTCOME_REFUSED);
}

static const char no_upload[] =
    "no upload with this id runs or has ended lately: ask for /uploads to see "
    "which run";

static void
answer_upload(const struct admin *a, struct exchange *x)
{
	struct response r = {0};
	uint64_t id;

	if (find_upload(a, x, &id, &r) == UPLOAD_PAGE_NONE)
		refuse_upload(x, &r, 404, no_upload);
	else
		send_page(x, &r, json, !str_failed(&r.content));
}

/* The worker that has it cuts it a moment later. */
static void
answer_cut(const struct admin *a, struct exchange *x)
{
	struct response r = {.status = 202};
	uint64_t id;

	if (!a->context->conf->admin_write) {
		refuse_upload(x, &r, 403,
		    "nothing can be changed here: an operator has to set "
		    "admin_write on in the block admin");
		return;
	}
	switch (find_upload(a, x, &id, &r)) {
	case UPLOAD_PAGE_NONE:
		refuse_upload(x, &r, 404, no_upload);
		return;
	case UPLOAD_PAGE_COMMITS:
		refuse_upload(x, &r, 409,
		    "all of this upload is here, and it is being stored: it "
		    "cannot be cut any more");
		return;
	case UPLOAD_PAGE_ENDED:
		refuse_upload(x, &r, 409, "this upload has ended already");
		return;
	case UPLOAD_PAGE_RUNS:
		break;
	}
	live_ask_cut(a->subject->shared->live, id, clock_mono_ns());
	send_page(x, &r, json, !str_failed(&r.content));
}

static void answer_index(const struct admin *a, struct exchange *x);

static const struct page {
	const char *path; /* one that ends in a slash has an id behind it */
	void (*answer)(const struct admin *a, struct exchange *x);
	const char *what;
	void (*remove)(const struct admin *a, struct exchange *x); /* or NULL */
} pages[] = {
    {"/", answer_index, "this list"},
    {"/healthz", answer_alive, "200: the process is alive"},
    {"/metrics", answer_metrics, "for Prometheus, or in OpenMetrics"},
    {"/readyz", answer_ready, "200: uploads are taken; 503: why not"},
    {"/status", answer_status, "workers and disks, in JSON"},
    {"/uploads", answer_uploads, "those that run, in JSON"},
    {below_uploads, answer_upload, "and an id: one of them; DELETE cuts it",
	answer_cut},
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
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		size_t len = strlen(pages[i].path);
		bool below = len > 1 && pages[i].path[len - 1] == '/';

		if ((below ? h->path.len > len : h->path.len == len) &&
		    memcmp(h->path.s, pages[i].path, len) == 0)
			return &pages[i];
	}
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

	if (exchange_head(gate->exchange)->method == METHOD_DELETE)
		p->page->remove(p->admin, gate->exchange);
	else
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
refuse_method(struct exchange *x, const struct page *page)
{
	struct response r = {.outcome = OUTCOME_REFUSED};

	response_problem(&r, 405, "%s",
	    page->remove != NULL
		? "this can be read, or cut: use GET, HEAD or DELETE"
		: "this can be read only: use GET or HEAD");
	str_printf(&r.fields, "Allow: GET, HEAD%s\r\n",
	    page->remove != NULL ? ", DELETE" : "");
	exchange_respond(x, &r);
}

static bool
allows(const struct page *page, enum head_method method)
{
	return method == METHOD_GET || method == METHOD_HEAD ||
	       (method == METHOD_DELETE && page->remove != NULL);
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
	else if (!allows(page, h->method))
		refuse_method(x, page);
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
