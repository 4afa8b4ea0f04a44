#include "proc/attempt.h"

#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/errno_class.h"
#include "base/log.h"
#include "base/num.h"
#include "base/permit.h"
#include "base/str.h"
#include "shared/mount_history.h"
#include "shared/shared.h"
#include "config/lexer.h"
#include "disk/engine.h"
#include "local/local.h"
#include "local/publish.h"
#include "proc/privileges.h"
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

/* Of the disk, and not of the configuration, since the directory was open once
 * or since it is full: it may pass, and is no reason to refuse a reload. */
static bool
is_disks_fault(const struct shared *shared, const char *dir, int err)
{
	struct mount_record known = {0};

	if (errno_is_no_space(err))
		return true; /* there is no room to make it */
	if (shared != NULL)
		mount_history_look(shared->mount_history, dir, &known);
	if (!mount_history_is_known(&known))
		return false;
	return errno_is_disk_fault(err) || err == STORE_VANISHED ||
	       err == STORE_UNMOUNTED;
}

static const char *
describe_fault(int err)
{
	if (err == STORE_VANISHED)
		return "is gone since it was open";
	if (err == STORE_UNMOUNTED)
		return "the disk that it was on is not mounted there";
	return strerror(-err);
}

static bool
is_missing(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == -1 && errno == ENOENT;
}

/* The step `what` failed with `err`: what to do about it. */
static void
explain(const char *dir, const char *what, int err, struct str *line)
{
	char why[REFUSAL_WHY_MAX], user[PRIVILEGES_NAME_MAX];

	if (errno_is_denied(err) && is_missing(dir)) {
		privileges_name(user);
		str_printf(line,
		    "it is not there, and user %s may not make it: make it "
		    "(install -d -o %s DIRECTORY), or choose another path",
		    user, user);
	} else {
		str_printf(line, "%s: %s", what, refusal_why(err, why));
	}
}

/* `what` is the step that failed. */
static void
log_refusal(const struct conf_location *l, const char *what, int err)
{
	bool given = l->output_dir_at.line != 0;
	struct str line = {0};

	lexer_place(&line, given ? &l->output_dir_at : &l->place);
	str_puts(&line, ": output_dir: ");
	str_escape(&line, l->policy.output_dir, strlen(l->policy.output_dir));
	str_puts(&line, given ? ": " : " (by default): ");
	explain(l->policy.output_dir, what, err, &line);
	log_error("%s", str_failed(&line) ? "out of memory" : line.s);
	str_fini(&line);
}

int
attempt_location(const struct config *conf, const struct shared *shared,
    const struct conf_location *l, const char *engine)
{
	char size[NUM_TEXT_MAX];
	struct str report = {0};
	enum device_sync sync = DEVICE_SYNC_DURABLE;
	int err;

	err = local_check(&l->policy, shared, &report, &sync);
	num_format_size(conf->chunk_size, size);
	if (is_disks_fault(shared, l->policy.output_dir, err)) {
		log_warn("location %s -> %s: %s: it gets %s until it is well "
			 "again",
		    l->prefix, l->policy.output_dir, describe_fault(err),
		    errno_is_no_space(err) ? "507" : "503");
		err = 0;
	} else if (err < 0) {
		log_refusal(l, report.s, err);
	} else {
		log_line(err > 0 ? LEVEL_WARN : LEVEL_NOTICE,
		    "location %s -> %s: %s; queue %" PRIu64 " x %s, %s",
		    l->prefix, l->policy.output_dir, report.s, l->queue_depth,
		    size, engine);
	}
	if (sync != DEVICE_SYNC_DURABLE && l->policy.sync)
		log_warn("location %s: output_dir %s %s, which cannot keep "
			 "what sync promises: receipts say %s",
		    l->prefix, l->policy.output_dir, device_sync_text[sync],
		    durability_name[local_durability(sync, true)]);
	str_fini(&report);
	return err;
}

int
attempt_look(const struct conf_location *l)
{
	struct str inner = {0};
	int err = permit_dir(l->policy.output_dir);

	if (err < 0) {
		log_refusal(l, "cannot be written", err);
		return err;
	}
	/* Ours, from the time of another user perhaps. */
	str_printf(&inner, "%s/" PUBLISH_TEMP_DIR, l->policy.output_dir);
	err = str_failed(&inner) ? -ENOMEM : permit_dir(inner.s);
	str_fini(&inner);
	if (err < 0)
		log_refusal(
		    l, "its " PUBLISH_TEMP_DIR " cannot be written", err);
	return err;
}
