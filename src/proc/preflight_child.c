#include "preflight_child.h"

#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "config/lexer.h"
#include "disk/engine.h"
#include "proc/kinds.h"
#include "proc/identity.h"
#include "proc/refusal.h"

const char *
attempt_engine(const struct config *conf)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct engine *e = NULL;
	const char *name = NULL;
	int err = -ENOMEM;

	if (loop != NULL)
		err = engine_new(loop, conf->io_engine, &e);
	if (err < 0) {
		refusal_log(&conf->io_engine_at, "io_engine", NULL,
		    "cannot be had here: %s; auto takes what there is",
		    strerror(-err));
	} else {
		name = engine_name(e);
		engine_free(&e);
	}
	if (loop != NULL)
		ev_loop_destroy(loop);
	return name;
}

/* What failed, and what to do about it. */
static void
explain(const struct store_check *c, struct str *line)
{
	char why[REFUSAL_WHY_MAX], user[IDENTITY_NAME_MAX];

	if (c->is_missing) {
		identity_name(user);
		str_printf(line,
		    "it is not there, and user %s may not make it: make it "
		    "(install -d -o %s DIRECTORY), or choose another path",
		    user, user);
	} else {
		str_printf(line, "%s: %s", c->text.s, refusal_why(c->err, why));
	}
}

static void
log_unfit(const struct conf_location *l, const struct store_check *c)
{
	bool given = l->output_dir_at.line != 0;
	struct str line = {0};

	lexer_place(&line, given ? &l->output_dir_at : &l->place);
	str_puts(&line, ": output_dir: ");
	str_escape(&line, l->policy.output_dir, strlen(l->policy.output_dir));
	str_puts(&line, given ? ": " : " (by default): ");
	explain(c, &line);
	log_error("%s", str_failed(&line) ? "out of memory" : line.s);
	str_fini(&line);
}

static void
log_check(const struct config *conf, const struct conf_location *l,
    const struct store_check *c, const char *engine)
{
	const char *dir = l->policy.output_dir;
	char size[NUM_TEXT_MAX];

	switch (c->fitness) {
	case STORE_FIT:
		num_format_size(conf->chunk_size, size);
		log_line(c->is_full ? LEVEL_WARN : LEVEL_NOTICE,
		    "location %s -> %s: %s; queue %" PRIu64 " x %s, %s",
		    l->prefix, dir, c->text.s, l->queue_depth, size, engine);
		break;
	case STORE_UNWELL:
		log_warn("location %s -> %s: %s: it gets %s until it is well "
			 "again",
		    l->prefix, dir, c->text.s, c->is_full ? "507" : "503");
		break;
	case STORE_UNFIT:
		log_unfit(l, c);
		break;
	}
	if (c->doubt != NULL)
		log_warn("location %s: output_dir %s %s, which cannot keep "
			 "what sync promises: receipts say %s",
		    l->prefix, dir, c->doubt, durability_name[c->worth]);
}

bool
attempt_location(const struct config *conf, const struct shared *shared,
    const struct conf_location *l, const char *engine)
{
	struct store_check c = {0};

	kinds_of(&l->policy)->preflight(&l->policy, shared, &c);
	log_check(conf, l, &c, engine);
	str_fini(&c.text);
	return c.fitness != STORE_UNFIT;
}

bool
attempt_look(const struct conf_location *l)
{
	struct store_check c = {0};

	kinds_of(&l->policy)->look(&l->policy, &c);
	if (c.fitness == STORE_UNFIT)
		log_unfit(l, &c);
	str_fini(&c.text);
	return c.fitness != STORE_UNFIT;
}
