/*
 * What the parts of the head's parser share.
 *
 *	head_scan.c  where does it end?
 *	head.c       one parse: the strict scan, then http-parser
 *	  head_lines.c, head_request_line.c  the strict scan
 *	    head_foreign.c                   what is no HTTP/1 at all
 *	  head_parser.c                      http-parser
 *	    head_fields.c                    what becomes of each field
 */
#ifndef HEAD_INTERNAL_H
#define HEAD_INTERNAL_H

#include "http/head.h"

extern const char head_bare_cr[], head_bare_lf[], head_control[];
extern const char head_bad_length[], head_two_lengths[];

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
head_refuse(struct parse *p, int status, const char *why)
{
	if (p->status == 0) {
		p->status = status;
		p->why = why;
	}
	return p->status;
}

/*
 * head_scan_lines(p, s, end):
 * Scan the head from `s` to `end`, empty line included, before http-parser sees it;
 * takes method, target, path and version.  0, or the status of a refusal.
 */
NODISCARD int head_scan_lines(struct parse *p, const char *s, const char *end);

/* The same for the request line, without its CRLF. */
NODISCARD int head_scan_request_line(struct parse *p, struct span line);

/* Is `name` a method that HTTP knows?  Then *ret is what it is here.  Case matters. */
bool head_find_method(struct span name, enum head_method *ret);

/* Have http-parser parse the head, and take its fields: 0, or the status of a
 * refusal, also for what the scan has seen otherwise. */
NODISCARD int head_run_parser(struct parse *p, const char *s, size_t len);

/* Take a field that http-parser delivered, its value trimmed: 0, or the status
 * of a refusal. */
NODISCARD int head_take_field(struct parse *p, struct span name, struct span v);

/* Another protocol than HTTP/1, by its first bytes. */
struct head_foreign {
	const char *begins;
	size_t len;
	int status;
	enum outcome outcome; /* for the access log */
	const char *why;
};

/* The protocol that begins with `bytes`; NULL: none of those that are known. */
const struct head_foreign *head_foreign(const char *bytes, size_t len);

#endif
