#include "log_handover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fd_pass.h"
#include "base/log.h"

enum {
	PATIENCE_MS = 10000, /* for workers, whose disk may hang */
};

/* The logs of a generation. */
struct generation {
	struct list_node node;
	unsigned number;
	char **names; /* paths */
	size_t count;
};

void
log_handover_init(struct log_handover *r)
{
	*r = (struct log_handover){0};
	list_init(&r->generations);
}

static void
generation_free(struct generation *g)
{
	for (size_t i = 0; i < g->count; i++)
		free(g->names[i]);
	free(g->names);
	free(g);
}

static void
close_files(struct log_handover *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->files[i].name);
		fd_close(&r->files[i].fd);
	}
	free(r->files);
	r->files = NULL;
	r->count = 0;
}

void
log_handover_fini(struct log_handover *r)
{
	struct list_node *n;

	close_files(r);
	while ((n = list_shift(&r->generations)) != NULL)
		generation_free(container_of(n, struct generation, node));
}

/* ---- what there is ---- */

static int
add_name(struct generation *g, const char *name)
{
	char **grown;

	if (*name != '/') /* one of the words, or syslog */
		return 0;
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->names[i], name) == 0)
			return 0;
	grown = realloc(g->names, (g->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	g->names = grown;
	grown[g->count] = strdup(name);
	if (grown[g->count] == NULL)
		return -ENOMEM;
	g->count++;
	return 0;
}

int
log_handover_note(
    struct log_handover *r, unsigned generation, const struct config *conf)
{
	struct generation *g = calloc(1, sizeof(*g));
	struct conf_log_walk walk = {0};
	const struct conf_access_log *l;
	const struct conf_place *at;
	int err;

	if (g == NULL)
		return -ENOMEM;
	g->number = generation;
	err = add_name(g, conf->error_log);
	while (
	    err == 0 && (l = config_next_access_log(conf, &walk, &at)) != NULL)
		err = add_name(g, l->target);
	if (err < 0) {
		generation_free(g);
		return err;
	}
	list_append(&r->generations, &g->node);
	return 0;
}

void
log_handover_forget_last(struct log_handover *r)
{
	struct list_node *last = r->generations.head.prev;

	check(last != &r->generations.head);
	list_remove(last);
	generation_free(container_of(last, struct generation, node));
}

/* The newest is the master's, too. */
static void
forget_generations(struct log_handover *r, const struct children *c)
{
	LIST_FOREACH(struct generation, g, &r->generations, node) {
		bool newest = g->node.next == &r->generations.head;

		if (newest || children_has_generation(c, g->number))
			continue;
		list_remove(&g->node);
		generation_free(g);
	}
}

/* ---- opening ---- */

static bool
is_open(const struct log_handover *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->files[i].name, name) == 0)
			return true;
	return false;
}

static int
open_one(struct log_handover *r, const char *name)
{
	struct log_handover_file *grown, f = {.name = NULL, .fd = -1};
	int err;

	grown = realloc(r->files, (r->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	r->files = grown;
	err = logs_open_again(name, &f.fd);
	if (err < 0)
		return err;
	f.name = strdup(name);
	if (f.name == NULL) {
		fd_close(&f.fd);
		return -ENOMEM;
	}
	grown[r->count++] = f;
	return 0;
}

/* All of them, from the newest generation on.  False: one of that cannot be opened. */
static bool
open_all(struct log_handover *r)
{
	struct list_node *n = r->generations.head.prev;
	bool newest = true;

	for (; n != &r->generations.head; n = n->prev, newest = false) {
		const struct generation *g =
		    container_of(n, struct generation, node);
		bool good = true;

		for (size_t i = 0; i < g->count; i++)
			good &= is_open(r, g->names[i]) ||
				open_one(r, g->names[i]) == 0;
		if (!good && newest)
			return false;
	}
	return true;
}

/* This process itself. */
static void
use(const struct log_handover *r, const char *name, int onto)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->files[i].name, name) == 0 &&
		    fd_move_onto(r->files[i].fd, onto) < 0)
			log_error("log %s: cannot be put in place of the one "
				  "before",
			    name);
}

void
log_handover_begin(struct log_handover *r, struct children *c,
    struct logs *logs, const struct config *conf)
{
	check(!r->running);
	forget_generations(r, c);
	verdict_begin(&r->verdict);
	if (!open_all(r)) {
		close_files(r);
		log_error("reopen: nothing was changed");
		verdict_give(&r->verdict, VERDICT_REFUSED);
		return;
	}
	verdict_hear(&r->verdict, false);
	use(r, conf->error_log, logs->error);
	for (size_t i = 0; i < logs->access_count; i++)
		use(r, logs->access[i].conf->target, logs->access[i].fd);
	r->running = true;
	r->round++;
	r->began_ns = clock_mono_ns();
	LIST_FOREACH(struct child, ch, &c->list, node)
		ch->reopen = (struct child_reopen){0};
	log_handover_tend(r, c);
}

/* ---- handing over ---- */

static void
hand_over(const struct log_handover *r, struct child *ch)
{
	struct log_handover_message m = {.round = r->round};

	while (ch->reopen.sent < r->count) {
		const struct log_handover_file *f = &r->files[ch->reopen.sent];
		size_t len = strlen(f->name) + 1;

		check(len <= sizeof(m.name));
		memcpy(m.name, f->name, len);
		if (fd_pass_send(ch->control, &m,
			offsetof(struct log_handover_message, name) + len,
			f->fd) < 0)
			return; /* there is no room, or it has ended */
		ch->reopen.sent++;
	}
}

static void
hear(const struct log_handover *r, struct child *ch)
{
	struct log_handover_message m;
	int fd;

	while (fd_pass_receive(ch->control, &m, sizeof(m), &fd) > 0) {
		fd_close(&fd);
		if (m.round != r->round) /* of one that was given up */
			continue;
		ch->reopen.done++;
		if (m.err < 0)
			ch->reopen.err = m.err;
	}
}

static void
log_handover_end(struct log_handover *r, const struct children *c, bool late)
{
	bool bad = late;

	verdict_hear(&r->verdict, true);
	LIST_FOREACH(const struct child, ch, &c->list, node) {
		bool missing = ch->pid != 0 && ch->born_ns < r->began_ns &&
			       ch->reopen.done < r->count;

		bad |= ch->reopen.err < 0;
		if (missing)
			log_error("reopen: worker %ld (%u.%u) has not "
				  "opened its logs again in %d seconds: it "
				  "still writes to those before, or they hang",
			    (long)ch->pid, ch->index, ch->generation,
			    PATIENCE_MS / 1000);
		else if (ch->reopen.err < 0)
			log_error("reopen: worker %ld (%u.%u): %s",
			    (long)ch->pid, ch->index, ch->generation,
			    strerror(-ch->reopen.err));
	}
	if (!bad)
		log_notice("logs reopened");
	verdict_give(&r->verdict, bad ? VERDICT_LATE : VERDICT_APPLIED);
	close_files(r);
	r->running = false;
}

void
log_handover_tend(struct log_handover *r, struct children *c)
{
	bool all = true;

	if (!r->running)
		return;
	LIST_FOREACH(struct child, ch, &c->list, node) {
		/* One that is forked now has the new ones. */
		if (ch->pid == 0 || ch->born_ns >= r->began_ns)
			continue;
		hand_over(r, ch);
		hear(r, ch);
		all &= ch->reopen.done == r->count;
	}
	if (all)
		log_handover_end(r, c, false);
	else if (clock_mono_ns() - r->began_ns >= PATIENCE_MS * NS_PER_MS)
		log_handover_end(r, c, true);
}
