#include "http/access_log.h"

#include "base/check.h"
#include "http/access.h"

static void
access_log_on_ended(struct observer *o, const struct exchange_ended *e)
{
	struct access_log *l = container_of(o, struct access_log, observer);

	if (e->record->quiet)
		return;
	access_add(l->journal, e->peer, e->certificate, e->record);
}

void
access_log_init(struct access_log *l, struct journal *journal)
{
	*l = (struct access_log){
	    .observer = {.on_ended = access_log_on_ended, .reads_log = true},
	    .journal = journal};
}
