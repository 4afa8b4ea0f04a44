#include "report.h"

#include "base/log.h"
#include "config/store_policy.h"
#include "local/space.h"

enum durability
report_durability(enum device_sync worth, bool sync)
{
	switch (worth) {
	case DEVICE_SYNC_IN_MEMORY:
	case DEVICE_SYNC_RAM_DISK:
	case DEVICE_SYNC_VOLATILE:
		return DURABLE_MEMORY;
	case DEVICE_SYNC_NO_BARRIERS:
	case DEVICE_SYNC_VOID:
		return DURABLE_BUFFERED;
	case DEVICE_SYNC_DURABLE:
	case DEVICE_SYNC_COUNT:
	default:
		return sync ? DURABLE_SYNCED : DURABLE_BUFFERED;
	}
}

/* Does O_DIRECT pay on this file system, or at least work where it is wanted? */
static const char *
way_of_large(int fd, const struct device_traits *t, enum conf_direct wanted)
{
	static const char cached[] = "written through the page cache";

	if (wanted == DIRECT_OFF || t->kind == DEVICE_MEMORY ||
	    (wanted == DIRECT_AUTO && !t->direct))
		return cached;
	if (space_direct_of(fd, SPACE_ALIGN) == SPACE_DIRECT_NO ||
	    space_set_direct(fd, true) < 0)
		return cached;
	if (t->kind == DEVICE_LOCAL && !t->direct) /* btrfs */
		return "large ones written with O_DIRECT, past the page cache "
		       "only where it neither compresses nor checksums";
	return "large ones written directly";
}

void
report_describe(const struct store_policy *policy, const char *way, int file,
    const struct device_traits *t, struct str *report)
{
	str_printf(report, "published by %s, %s, %s", way,
	    file == -1 ? "full (uploads get 507 until there is room)"
		       : way_of_large(file, t, policy->direct_io),
	    durability_name[report_durability(t->sync, policy->sync)]);
}

void
report_doubt(const char *dir, enum device_sync now)
{
	if (now == DEVICE_SYNC_DURABLE)
		log_notice("%s: receipts say %s again", dir,
		    durability_name[DURABLE_SYNCED]);
	else
		log_warn("%s: %s, which cannot keep what sync promises: "
			 "receipts say %s",
		    dir, device_sync_text[now],
		    durability_name[report_durability(now, true)]);
}
