/*
 * What the parts of the head's parser share: the scan for its end (head_scan.c),
 * lines and http-parser (head.c), fields (head_fields.c), and what is no head
 * (head_foreign.c).
 */
#ifndef HEAD_INTERNAL_H
#define HEAD_INTERNAL_H

#include "http/head.h"

extern const char head_bare_cr[], head_bare_lf[], head_control[];
extern const char head_bad_length[];

/* One parse, for the callbacks of http-parser. */
struct parse {
	struct head *h;
	int status; /* the first refusal; 0: none yet */
	const char *why;
	struct span authority; /* of an absolute-form target */
	struct span name;      /* whose value comes next */
	struct span padding;   /* behind the length, if there is a TAB in it */
	unsigned lines;	       /* field lines the scan has seen */
	unsigned fields;       /* fields http-parser has delivered */
	uint64_t seen;	       /* a bit for each row of known[] */
	bool close, keep;      /* Connection: close, keep-alive */
	bool complete;
};

/* Remember the first refusal; returns its status. */
static inline int
refuse(struct parse *p, int status, const char *why)
{
	if (p->status == 0) {
		p->status = status;
		p->why = why;
	}
	return p->status;
}

/* Take a field that http-parser delivered, its value trimmed: 0, or the status
 * of a refusal. */
NODISCARD int head_take_field(struct parse *p, struct span name, struct span v);

/* Another protocol than HTTP/1, by its first bytes. */
struct head_foreign {
	const char *begins;
	size_t len;
	int status;
	const char *word; /* for the access log */
	const char *why;
};

/* The protocol that begins with `bytes`; NULL: none of those that are known. */
const struct head_foreign *head_foreign(const char *bytes, size_t len);

#endif
