/*
 * The logs of a worker: a journal for each, which waits for the disk in place of the loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "shared/metrics.h"
#include "disk/device.h"
#include "log/journal.h"
#include "log/syslog.h"
#include "worker_internal.h"

/* Of the log that has `fd`, or with `syslog`, which is then the journal's.  NULL: out of
 * memory. */
static struct journal *
open_journal(struct worker *w, int fd, struct syslog_to *syslog,
    const char *name, bool strict)
{
	const struct shared *shared = w->to->shared;
	unsigned slot = shm_slot_number(shared->shm, w->to->slot);
	struct journal_setup setup = {.loop = w->loop,
	    .engine = w->engine,
	    .device = device_new_unknown(w->devices),
	    .fd = fd,
	    .syslog = syslog,
	    .name = name,
	    .strict = strict,
	    .metrics = metrics_share_of(shared->metrics, slot)};

	return setup.device != NULL ? journal_new(&setup) : NULL;
}

static struct journal *
open_access_log(struct worker *w, const struct log_file *f)
{
	const struct conf_access_log *conf = f->conf;
	bool strict = conf->format != LOG_FORMAT_TEXT || conf->socket != NULL;
	struct syslog_to *to = NULL;
	struct journal *j;

	if (conf->socket != NULL) {
		to = syslog_to_new(conf->socket, conf->tag, conf->priority);
		if (to == NULL)
			return NULL;
	}
	j = open_journal(w, f->fd, to, conf->target, strict);
	if (j == NULL)
		syslog_to_free(&to);
	return j;
}

/* The error log must not stop the loop either. */
static void
deliver_line(void *arg, const char *line, size_t len)
{
	journal_add(arg, line, len);
}

int
worker_logs_begin(struct worker *w)
{
	const struct logs *logs = w->to->logs;

	w->access = calloc(logs->access_count + 1, sizeof(*w->access));
	w->trace = open_journal(w, STDOUT_FILENO, NULL, "stdout", false);
	w->errors =
	    open_journal(w, log_fd(), NULL, w->to->conf->error_log, false);
	if (w->access == NULL || w->trace == NULL || w->errors == NULL)
		return -ENOMEM;
	log_via(deliver_line, w->errors);
	for (size_t i = 0; i < logs->access_count; i++) {
		w->access[i] = open_access_log(w, &logs->access[i]);
		if (w->access[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

void
worker_logs_end(struct worker *w)
{
	for (size_t i = 0; i < w->to->logs->access_count; i++)
		journal_free(&w->access[i]);
	free(w->access);
	journal_free(&w->trace);
	journal_free(&w->errors);
}

static struct journal *
find_journal(void *arg, const struct conf_access_log *conf)
{
	struct worker *w = arg;
	size_t i = logs_find(w->to->logs, conf);

	return i != SIZE_MAX ? w->access[i] : NULL;
}

int
worker_logs_of(
    struct worker *w, const struct conf_server *s, struct access_log *ret)
{
	return access_log_init(ret, &(struct access_log_setup){.server = s,
					.worker = {.number = w->to->number,
					    .generation = w->to->generation},
					.find = find_journal,
					.arg = w});
}

bool
worker_logs_are_idle(struct worker *w)
{
	size_t count = w->to->logs->access_count;
	bool idle = true;

	for (size_t i = 0; i < count + 2; i++) {
		struct journal *j = i < count	 ? w->access[i]
				    : i == count ? w->trace
						 : w->errors;

		if (journal_is_idle(j))
			continue;
		journal_push(j);
		idle = false;
	}
	return idle;
}

void
worker_logs_report(const struct worker *w)
{
	const struct logs *logs = w->to->logs;
	bool can_say = journal_is_idle(w->errors);

	log_via(NULL, NULL);
	/* A log that hangs must not hold this process up. */
	for (size_t i = 0; can_say && i < logs->access_count; i++)
		if (!journal_is_idle(w->access[i]))
			log_error("access_log %s: did not take its last lines "
				  "in time: they may be lost",
			    logs->access[i].conf->target);
}
