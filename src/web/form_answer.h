/*
 * web/form_answer.h - what is answered to a form: a receipt for each file that was stored,
 * and a problem for each that was not.
 *
 *	{"files":[{"field":"up","status":201,"name":"a", ...},
 *	          {"field":"up","name":"b","status":409,"detail":"...", ...}],
 *	 "fields":[{"name":"comment","value":"..."}]}
 *
 * If a file was refused the whole is a problem as well (RFC 9457), with the status of the
 * first one that was, and the same list.
 */
#ifndef WEB_FORM_ANSWER_H
#define WEB_FORM_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "http/response.h"
#include "web/receipt.h"

/* Zeroed: nothing was stored, nothing refused. */
struct form_answer {
	struct str files, fields; /* what stands in the two lists */
	struct str names;	  /* of files that are stored, for the log */
	bool names_clipped;
	size_t stored, replaced, refused;
	struct str head; /* field lines, of the one file that was stored */
	/* Of the first file that was refused: its problem, as the response. */
	struct response first;
};

void form_answer_add_field(struct form_answer *a, const char *name,
    const char *value, size_t value_len);

/* `e`: OUTCOME_STORED, or how else it came there. */
void form_answer_add_stored(struct form_answer *a, const char *field,
    const struct receipt *receipt, enum outcome e);

/* `problem` is not the caller's any more. */
void form_answer_add_refused(struct form_answer *a, const char *field,
    const char *name, struct response *problem);

/* What was stored was taken back: only what was refused counts. */
void form_answer_forget_stored(struct form_answer *a);

/* But this file stays. */
void form_answer_note_left(struct form_answer *a, const char *name);

/*
 * form_answer_respond(a, why, location, r):
 * Make `r`, which is zeroed, the response; `why`: NULL, or the problem of the form as a whole,
 * which is not the caller's any more.  `redirect`: where a browser is sent if all is well; or
 * NULL.
 */
void form_answer_respond(struct form_answer *a, struct response *why,
    const char *redirect, struct response *r);

void form_answer_fini(struct form_answer *a);

#endif
