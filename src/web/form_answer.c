#include "form_answer.h"

#include <string.h>

#include "http/answer.h"

enum {
	NAMES_BYTES_MAX = 1500, /* in the log */
};

static void
add_member(
    struct str *out, const char *name, const char *value, size_t value_len)
{
	str_puts(out, "\"");
	str_puts(out, name);
	str_puts(out, "\":\"");
	str_escape(out, value, value_len);
	str_puts(out, "\"");
}

/* Begin another object of a list. */
static void
add_object(struct str *list)
{
	str_puts(list, list->len > 0 ? ",{" : "{");
}

void
form_answer_add_field(struct form_answer *a, const char *name,
    const char *value, size_t value_len)
{
	add_object(&a->fields);
	add_member(&a->fields, "name", name, strlen(name));
	str_puts(&a->fields, ",");
	add_member(&a->fields, "value", value, value_len);
	str_puts(&a->fields, "}");
}

static void
note_name(struct form_answer *a, const char *name)
{
	if (a->names_clipped)
		return;
	a->names_clipped = a->names.len + strlen(name) > NAMES_BYTES_MAX;
	str_puts(&a->names, a->names.len > 0 ? ", " : "");
	str_puts(&a->names, a->names_clipped ? "..." : name);
}

void
form_answer_add_stored(struct form_answer *a, const char *field,
    const struct receipt *receipt, enum outcome e)
{
	add_object(&a->files);
	add_member(&a->files, "field", field, strlen(field));
	str_printf(&a->files, ",\"status\":%d,", answer_status(e));
	receipt_add(receipt, &a->files);
	str_puts(&a->files, "}");
	str_clear(&a->head);
	if (a->stored++ == 0)
		receipt_add_fields(receipt, &a->head);
	a->replaced += e != OUTCOME_STORED;
	note_name(a, receipt->name);
}

void
form_answer_add_refused(struct form_answer *a, const char *field,
    const char *name, struct response *problem)
{
	const struct str *p = &problem->content;

	add_object(&a->files);
	add_member(&a->files, "field", field, strlen(field));
	str_puts(&a->files, ",");
	add_member(&a->files, "name", name, strlen(name));
	str_puts(&a->files, ",");
	/* Its members: between the brace at its beginning and the line's end. */
	check(p->len > 3 || str_failed(p));
	if (!str_failed(p))
		str_add(&a->files, p->s + 1, p->len - 2);
	if (a->refused++ == 0)
		a->first = *problem;
	else
		response_fini(problem);
}

void
form_answer_forget_stored(struct form_answer *a)
{
	a->stored = a->replaced = 0;
	a->names_clipped = false;
	str_clear(&a->names);
	str_clear(&a->files);
	str_clear(&a->head);
}

void
form_answer_note_left(struct form_answer *a, const char *name)
{
	note_name(a, name);
}

static void
add_lists(const struct form_answer *a, struct str *out)
{
	str_puts(out, "\"files\":[");
	str_add(out, a->files.s, a->files.len);
	str_puts(out, "]");
	if (a->fields.len > 0) {
		str_puts(out, ",\"fields\":[");
		str_add(out, a->fields.s, a->fields.len);
		str_puts(out, "]");
	}
	str_puts(out, "}\n");
}

/* All was stored. */
static void
respond_stored(struct form_answer *a, const char *redirect, struct response *r)
{
	r->outcome =
	    a->stored > a->replaced ? OUTCOME_STORED : OUTCOME_REPLACED;
	r->status = answer_status(r->outcome);
	r->content_type = "application/json";
	str_puts(&r->content, "{");
	add_lists(a, &r->content);
	if (redirect != NULL) {
		r->status = 303;
		str_printf(&r->fields, "Location: %s\r\n", redirect);
	} else if (a->stored == 1) {
		str_add(&r->fields, a->head.s, a->head.len);
	}
}

void
form_answer_respond(struct form_answer *a, struct response *why,
    const char *redirect, struct response *r)
{
	if (why == NULL && a->refused == 0) {
		respond_stored(a, redirect, r);
		return;
	}
	if (why == NULL) {
		*r = a->first;
		a->first = (struct response){0};
	} else {
		*r = *why;
	}
	if (a->files.len == 0 || str_failed(&r->content))
		return;
	/* Go on behind the last member of the problem. */
	check(r->content.len > 3);
	r->content.len -= 2;
	str_puts(&r->content, ",");
	add_lists(a, &r->content);
}

void
form_answer_fini(struct form_answer *a)
{
	str_fini(&a->files);
	str_fini(&a->fields);
	str_fini(&a->names);
	str_fini(&a->head);
	response_fini(&a->first);
}
