#include "local_preflight.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "base/permit.h"
#include "shared/mount_history.h"
#include "shared/replacing.h"
#include "shared/shared.h"
#include "config/store_policy.h"
#include "disk/device.h"
#include "local/path.h"
#include "local/publish.h"
#include "local_error.h"
#include "open_dir.h"
#include "report.h"

/* ---- what went wrong ---- */

/* The step `what` (NULL: it is in ret->text) failed. */
static void
unfit(const struct store_policy *policy, const char *what, int err,
    struct store_check *ret)
{
	struct stat st;

	ret->fitness = STORE_UNFIT;
	ret->err = err;
	if (what != NULL)
		str_puts(&ret->text, what);
	ret->is_missing = errno_is_denied(err) &&
			  lstat(policy->output_dir, &st) == -1 &&
			  errno == ENOENT;
}

/* Is it the fault of a disk, and not of the configuration?  `was_open`: the
 * directory was, once. */
static bool
may_pass(bool was_open, int err)
{
	if (errno_is_no_space(err))
		return true; /* there is no room to make it */
	if (!was_open)
		return false;
	return errno_is_disk_fault(err) || err == LOCAL_VANISHED ||
	       err == LOCAL_UNMOUNTED;
}

static const char *
preflight_describe(int err)
{
	if (err == LOCAL_VANISHED)
		return "is gone since it was open";
	if (err == LOCAL_UNMOUNTED)
		return "the disk that it was on is not mounted there";
	return strerror(-err);
}

static void
unwell(int err, struct store_check *ret)
{
	str_clear(&ret->text);
	str_puts(&ret->text, preflight_describe(err));
	ret->fitness = STORE_UNWELL;
	ret->is_full = errno_is_no_space(err);
}

/* ---- trying it ---- */

/* Its workers replace files meanwhile, and make room for it if they know. */
static struct publish_waiter
preflight_waiter(const struct shared *shared)
{
	return (struct publish_waiter){
	    shared != NULL ? shared->replacing : NULL, REPLACING_NO_WORKER};
}

/* In the directory, which is open.  0; or a negative errno, and in ret->text the
 * step that failed. */
static int
try_publishing(const struct store_policy *policy, const struct shared *shared,
    int dir, struct store_check *ret)
{
	struct device_traits traits = device_traits_of(dir);
	const char *step = "cannot be written";
	struct unpublished u = {.fd = -1};
	struct publish p;
	int err;

	err =
	    publish_init(&p, dir, policy->overwrite, preflight_waiter(shared));
	if (err == -EOPNOTSUPP)
		step = "its file system can neither link nor rename without "
		       "replacing (with overwrite on, a plain rename would do)";
	if (err == 0)
		err = publish_try_out(&p, policy->overwrite,
		    policy->keep == KEEP_LATEST || policy->resume, &step);
	if (err == 0)
		err = publish_create(&p, -1, &u);
	ret->is_full = errno_is_no_space(err);
	if (err < 0 && !ret->is_full) {
		publish_explain(dir, policy->output_dir, err, &ret->text);
		if (ret->text.len == 0)
			str_puts(&ret->text, step);
	} else if (policy->sync && traits.kind != DEVICE_MEMORY &&
		   path_sync_dir(dir) == -EINVAL) {
		/* fsync(2): this file has no such thing. */
		err = -EOPNOTSUPP;
		str_puts(&ret->text, "its file system cannot sync directories: "
				     "no upload could be acknowledged there "
				     "(say sync off)");
	} else {
		err = 0;
		report_describe(
		    policy, publish_way(&p), u.fd, &traits, &ret->text);
		if (policy->sync && traits.sync != DEVICE_SYNC_DURABLE)
			ret->doubt = device_sync_text[traits.sync];
		ret->worth = report_durability(traits.sync, policy->sync);
	}
	publish_discard(&p, &u);
	fd_close(&u.fd);
	publish_fini(&p);
	return err;
}

void
local_preflight(const struct store_policy *policy, const struct shared *shared,
    struct store_check *ret)
{
	/* A copy: this may be refused, and then nothing was open. */
	struct mount_record known = {0};
	bool was_open;
	int fd, err;

	if (shared != NULL)
		mount_history_look(
		    shared->mount_history, policy->output_dir, &known);
	was_open = mount_history_is_known(&known);
	fd = open_dir_make(policy->output_dir, &known);
	if (fd < 0) {
		str_puts(&ret->text, "cannot be opened or made");
		err =
		    errno_is_missing(fd) && was_open ? (int)LOCAL_VANISHED : fd;
	} else {
		err = try_publishing(policy, shared, fd, ret);
		fd_close(&fd);
	}
	if (may_pass(was_open, err))
		unwell(err, ret);
	else if (err < 0)
		unfit(policy, NULL, err, ret);
}

void
local_look(const struct store_policy *policy, struct store_check *ret)
{
	struct str inner = {0};
	int err = permit_dir(policy->output_dir);

	if (err < 0) {
		unfit(policy, "cannot be written", err, ret);
		return;
	}
	/* Ours, from the time of another user perhaps. */
	str_printf(&inner, "%s/" PUBLISH_TEMP_DIR, policy->output_dir);
	err = str_failed(&inner) ? -ENOMEM : permit_dir(inner.s);
	str_fini(&inner);
	if (err < 0)
		unfit(policy, "its " PUBLISH_TEMP_DIR " cannot be written", err,
		    ret);
}
