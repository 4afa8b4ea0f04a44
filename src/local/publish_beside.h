/*
 * local/publish_beside.h - temp names outside of `.penstock`: in the directory
 * that the file is bound for, so that the file is what that directory makes of it.
 *
 *	OUTPUT_DIR/.penstock/RANDOM.note       says: a/b/name
 *	OUTPUT_DIR/a/b/.penstock-RANDOM.part   the file
 *
 * The note comes first and goes last, and its maker holds a lock on it: so a
 * sweep finds what a crash has left without looking through the directories.
 * Of a name in OUTPUT_DIR itself it says nothing: there is no need to write.
 */
#ifndef LOCAL_PUBLISH_BESIDE_H
#define LOCAL_PUBLISH_BESIDE_H

#include "local/publish.h"

/* Such a name, not made yet, and a note of it; until publish_end_beside().  It
 * may say PUBLISH_RENEW. */
NODISCARD int publish_begin_beside(
    struct publish *p, int dir, struct unpublished *u);
void publish_end_beside(struct publish *p, struct unpublished *u);

/* The name cannot be removed: leave it, and its note, to a sweep. */
void publish_leave_beside(struct unpublished *u);

/* The file, which is locked and has no name, gets one there.  It may say
 * PUBLISH_RENEW. */
NODISCARD int publish_link_beside(
    struct publish *p, int dir, struct unpublished *u);

/*
 * publish_heed_note(root, note, name, ret_swept):
 * Remove what the note, which is locked, tells of; then the note can go (0), or
 * must stay (-errno).  *ret_swept is raised by what was removed.
 */
NODISCARD int publish_heed_note(
    int root, int note, const char *name, unsigned *ret_swept);

#endif
