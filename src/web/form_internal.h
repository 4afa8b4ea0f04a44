/*
 * web/form_internal.h - a form that is being read: for form.c, and for form_end.c, by which
 * it ends.
 */
#ifndef WEB_FORM_INTERNAL_H
#define WEB_FORM_INTERNAL_H

#include "flow/gather.h"
#include "http/exchange.h"
#include "http/multipart.h"
#include "web/context.h"
#include "form_answer.h"
#include "form_atomic.h"
#include "form_file.h"
#include "form_name.h"

struct preconditions;
struct spent_mark;

struct web_form {
	struct exchange *exchange;
	struct context *context;
	const struct conf_location *location;
	struct spent_mark *mark;   /* of a link that is good once; or NULL */
	struct preconditions *pre; /* for each of its files; NULL: none */
	limits_entry place;	   /* among max_uploads; 0: not counted */
	uint64_t head_ns;
	bool wants_page; /* HTML, rather than JSON */
	bool stops;	 /* the server does, and a file is being committed */
	struct form_naming naming;
	struct multipart multipart;
	struct reader_past past; /* the client's rate, over all parts */
	struct gather gather;	 /* reads what is no file */
	struct str text;	 /* of the field that is being read */
	struct str field;	 /* the value of the one that names files */
	size_t fields_left;	 /* bytes */
	struct form_answer answer;
	struct form_file *at; /* that is being uploaded or committed; or NULL */
	struct list held;     /* whole ones that are not committed yet */
	struct list named;    /* of these, those that are stored by now */
	struct form_atomic atomic;
	struct response failed; /* what is responded when they are taken back */
	bool takes_back;
	size_t files; /* found so far */
	char path[FILE_NAME_SIZE];
};

/* While it is in hand (exchange_take()), with the form as the owner. */
extern const struct exchange_ops form_end_ops;

/* Free all that it has; what is stored stays. */
void form_end_free(struct web_form *f, const char *last_step);

/* Respond, and free it; `why`: the problem of the form as a whole, or NULL.  It is not the
 * caller's any more, here and below. */
void form_end_respond(struct web_form *f, struct response *why);

/* The problem of outcome `e`, of a file or (`name` NULL) of the form; `reason`, if that is
 * known. */
struct response form_end_problem(const struct web_form *f, enum outcome e,
    const char *name, const char *reason);

/* Nothing more is read or stored: it ends with that, or (form_end_refuse()) since it is
 * malformed. */
void form_end_fail(struct web_form *f, struct failure why, const char *reason);
void form_end_refuse(struct web_form *f, const char *why);

/* The same; `why`: what is responded, or NULL, when a file was refused.  Of files that are
 * stored all or none those that have their names lose them first. */
void form_end_give_up(struct web_form *f, struct response *why);

/* Of f->atomic. */
void form_end_on_taken_back(void *owner, size_t left);

#endif
