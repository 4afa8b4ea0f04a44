/* local/open_dir.h - opening an output directory, which may have to be made. */
#ifndef LOCAL_OPEN_DIR_H
#define LOCAL_OPEN_DIR_H

#include "base/check.h"
#include "shared/mount_history.h"

/*
 * open_dir_make(dir, place):
 * On an engine thread: open the directory, an absolute path.  It is made when it
 * is missing, unless `place` says that it was there before: then its disk
 * may have been unmounted, and neither a directory made in its place nor one
 * that the disk had hidden is to be used.  `place` is told where it is.  A
 * descriptor for the caller to close, -errno or LOCAL_UNMOUNTED.
 */
NODISCARD int open_dir_make(const char *dir, struct mount_record *place);

#endif
