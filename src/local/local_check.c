/* Whether an output directory can be used, before there is a store. */
#include <errno.h>

#include "base/errno_class.h"
#include "base/fd.h"
#include "shared/shared.h"
#include "config/store_policy.h"
#include "local/local.h"
#include "local/path.h"
#include "local/publish.h"
#include "open_dir.h"
#include "report.h"

/* What local_check() does once the directory is open. */
static int
try_publishing(const struct store_policy *policy, int dir, struct str *report,
    enum device_sync *ret_sync)
{
	struct device_traits traits = device_traits_of(dir);
	const char *step = "cannot be written";
	struct unpublished u = {.fd = -1};
	struct publish p;
	bool full;
	int err;

	err = publish_init(&p, dir, policy->overwrite);
	if (err == -EOPNOTSUPP)
		step = "its file system can neither link nor rename without "
		       "replacing (with overwrite on, a plain rename would do)";
	if (err == 0)
		err = publish_try_out(
		    &p, policy->overwrite, policy->keep == KEEP_LATEST, &step);
	if (err == 0)
		err = publish_create(&p, -1, &u);
	full = errno_is_no_space(err);
	if (err < 0 && !full) {
		publish_explain(dir, policy->output_dir, err, report);
		if (report->len == 0)
			str_puts(report, step);
	} else if (policy->sync && traits.kind != DEVICE_MEMORY &&
		   path_sync_dir(dir) == -EINVAL) {
		/* fsync(2): this file has no such thing. */
		err = -EOPNOTSUPP;
		str_puts(report, "its file system cannot sync directories: no "
				 "upload could be acknowledged there (say sync "
				 "off)");
	} else {
		err = full;
		report_describe(policy, publish_way(&p), u.fd, &traits, report);
		*ret_sync = traits.sync;
	}
	publish_discard(&p, &u);
	fd_close(&u.fd);
	publish_fini(&p);
	return err;
}

int
local_check(const struct store_policy *policy, const struct shared *shared,
    struct str *report, enum device_sync *ret_sync)
{
	struct mount_record known = {0};
	int fd, err;

	/* A copy: this may be refused, and then nothing was open. */
	if (shared != NULL)
		mount_history_look(
		    shared->mount_history, policy->output_dir, &known);
	fd = open_dir_make(policy->output_dir, &known);
	if (fd < 0) {
		str_puts(report, "cannot be opened or made");
		return errno_is_missing(fd) && mount_history_is_known(&known)
			   ? STORE_VANISHED
			   : fd;
	}
	err = try_publishing(policy, fd, report, ret_sync);
	fd_close(&fd);
	return err;
}
