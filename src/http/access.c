#include "http/access.h"

#include <inttypes.h>

#include "base/clock.h"
#include "disk/journal.h"

enum {
	TARGET_SHOWN_MAX = 1024,
};

void
access_describe(const struct head *h, struct str *out)
{
	size_t shown = h->target.len;

	if (shown > TARGET_SHOWN_MAX)
		shown = TARGET_SHOWN_MAX;
	str_escape(out, h->method_text.s, h->method_text.len);
	str_puts(out, " ");
	str_escape(out, h->target.s, shown);
}

void
access_add(struct journal *j, const struct access *a)
{
	char peer[ADDR_TEXT_MAX], stamp[CLOCK_STAMP_MAX];
	struct str line = {0};

	if (j == NULL)
		return;
	addr_format(a->peer, peer);
	clock_stamp_iso(clock_wall_ns(), stamp);
	str_printf(&line,
	    "%s %s %" PRIu64 " \"%s\" %d in=%" PRIu64 " out=%" PRIu64
	    " ms=%" PRIu64 ".%u %s\n",
	    stamp, peer, a->id, a->line ? a->line : "-", a->status, a->in,
	    a->out, a->ms_10 / 10, (unsigned)(a->ms_10 % 10),
	    a->note && a->note[0] ? a->note : "-");
	if (!str_failed(&line))
		journal_add(j, line.s, line.len);
	str_fini(&line);
}
