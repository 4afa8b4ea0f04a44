#include "http/access_log.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "http/access.h"
#include "log/journal.h"

static const struct access_target *
target_of(const struct access_log *l, const struct access *a)
{
	/* A block `admin` is a location of its own, with the log of its server. */
	return a->location == NULL || a->location == l->server->admin
		   ? &l->outside
		   : &l->locations[a->location - l->server->locations];
}

static void
access_log_on_ended(struct observer *o, const struct exchange_ended *e)
{
	static struct log_limit limit;
	static struct str line; /* its memory is used again */
	struct access_log *l = container_of(o, struct access_log, observer);
	const struct access_target *to = target_of(l, e->record);

	if (to->journal == NULL || e->record->quiet)
		return;
	str_clear(&line);
	if (to->format == LOG_FORMAT_JSON)
		access_add_json(e, &l->worker, &line);
	else if (to->format == LOG_FORMAT_COMBINED)
		access_add_combined(e, &line);
	else
		access_format(e->record, e->peer, e->certificate, &line);
	if (!str_failed(&line))
		journal_add(to->journal, line.s, line.len);
	else if (log_allowed(&limit))
		log_error("access log: no memory for a line: it is lost");
}

static struct access_target
find_target(
    const struct access_log_setup *setup, const struct conf_access_log *conf)
{
	return (struct access_target){
	    .journal = setup->find(setup->arg, conf), .format = conf->format};
}

int
access_log_init(struct access_log *l, const struct access_log_setup *setup)
{
	const struct conf_server *s = setup->server;

	*l = (struct access_log){
	    .observer = {.on_ended = access_log_on_ended, .reads_log = true},
	    .worker = setup->worker,
	    .server = s,
	    .outside = find_target(setup, &s->access_log),
	    .locations = calloc(s->location_count + 1, sizeof(*l->locations))};
	if (l->locations == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->location_count; i++)
		l->locations[i] =
		    find_target(setup, &s->locations[i].access_log);
	return 0;
}

bool
access_log_is_on(const struct access_log *l)
{
	bool on = l->outside.journal != NULL;

	for (size_t i = 0; i < l->server->location_count; i++)
		on |= l->locations[i].journal != NULL;
	return on;
}

static bool
is_detailed(const struct access_target *t)
{
	return t->journal != NULL && t->format != LOG_FORMAT_TEXT;
}

bool
access_log_is_detailed(const struct access_log *l)
{
	bool detailed = is_detailed(&l->outside);

	for (size_t i = 0; i < l->server->location_count; i++)
		detailed |= is_detailed(&l->locations[i]);
	return detailed;
}

void
access_log_fini(struct access_log *l)
{
	free(l->locations);
	*l = (struct access_log){0};
}
