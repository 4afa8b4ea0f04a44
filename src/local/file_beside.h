/*
 * local/file_beside.h - what is to be done beside the writes of a file, so that
 * neither the page cache nor the cache of its disk has too much of it.
 *
 * Buffered bytes are written back when half of what may wait (write_behind, or
 * less while small uploads come: disk/fair.h) is there.
 *
 * The last sync of a large upload would find all of it in the cache of its disk,
 * and small uploads that come meanwhile would have to flush that, too: so the disk
 * is flushed now and then, unless the length of the upload is unknown.
 */
#ifndef LOCAL_FILE_BESIDE_H
#define LOCAL_FILE_BESIDE_H

#include "file_writer.h"

/* What is written is on its way to the disk at once.  (Some file systems take O_DIRECT
 * and write through the page cache all the same.) */
bool file_beside_bypasses(const struct file_writer *w);

/*
 * file_beside_choose(w, ret):
 * After something was written.  True: the job in *ret is to be begun.  If it flushes the
 * disk, the caller has the claim on that (fair_claims_flush()), and gives it up when the
 * job has ended, or could not be begun.
 */
NODISCARD bool file_beside_choose(
    struct file_writer *w, struct file_background *ret);

/* May all up to `end` be written now?  False: too much would wait in the page cache;
 * again when the job beside the writes has ended. */
bool file_beside_allows(const struct file_writer *w, uint64_t end);

/* How much of what is written a sync may have to write back. */
uint64_t file_beside_unwritten(const struct file_writer *w);

#endif
