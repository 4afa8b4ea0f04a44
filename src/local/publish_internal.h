/* What the files of publishing share; nobody else includes it. */
#ifndef LOCAL_PUBLISH_INTERNAL_H
#define LOCAL_PUBLISH_INTERNAL_H

#include <sys/stat.h>

#include "local/publish.h"

enum {
	PUBLISH_TRIES = 100, /* against who removes what we make, on and on */
	PUBLISH_FILE_MODE = 0666, /* less the umask, as any file that is made */
	PUBLISH_DIGITS = 16,	  /* hexadecimal, of a temp name */
};

/* publish.c */
/* p->temp_dir, or -errno; opened as by publish_renew() where it was not needed
 * before. */
NODISCARD int publish_temp_dir(struct publish *p);

/* publish_stage.c: `.penstock` and the temp names in it. */
NODISCARD int publish_open_temp_dir(int root, bool nameless);
void publish_make_temp_name(char ret_name[PUBLISH_TEMP_MAX]);
/* Is that a temp name's digits, and then this suffix? */
bool publish_is_numbered(const char *name, const char *suffix);
/* Make a temp file in `.penstock`, or what has another suffix (NULL: not), and
 * lock it.  After an error *ret_name is "".  PUBLISH_RENEW: `.penstock` was
 * removed.  The caller may hold its lock, so it is not made anew here. */
NODISCARD int publish_make_temp(struct publish *p, const char *suffix,
    char ret_name[PUBLISH_TEMP_MAX], int *ret_fd);

/* publish_beside.c: temp names in the directory they are bound for.  All that make
 * one may say PUBLISH_RENEW. */
/* A temp file for a name in `dir`, wherever it has to be made. */
NODISCARD int publish_make_bound(
    struct publish *p, int dir, struct unpublished *u);
/* Nothing can be moved from `.penstock` to `dir`, after all. */
void publish_forget_fitting(struct publish *p, int dir);
/* The file, which is locked and has no name, gets one there. */
NODISCARD int publish_link_beside(
    struct publish *p, int dir, struct unpublished *u);
/* Such a name, not made yet, and a note of it; until publish_end_beside(). */
NODISCARD int publish_begin_beside(
    struct publish *p, int dir, struct unpublished *u);
void publish_end_beside(struct publish *p, struct unpublished *u);
/* The name cannot be removed: leave it, and its note, to a sweep. */
void publish_leave_beside(struct unpublished *u);
bool publish_is_note_name(const char *name);
/* Remove what a note tells of that nobody holds; then the note can go (0), or
 * must stay (-errno).  *ret_swept is raised by what was removed. */
NODISCARD int publish_heed_note(
    int root, int note, const char *name, unsigned *ret_swept);

/* publish_name.c */
/* `name` in `.penstock` may be one that was tried, by a worker that died over it:
 * then it is removed. */
void publish_sweep_tried(int dir, const char *name);

/* publish_linux.c, publish_posix.c */
NODISCARD int publish_open_nameless(int dir);
NODISCARD int publish_link_nameless(int fd, int dir, const char *name);
NODISCARD int publish_rename_new(
    int from_dir, const char *from, int dir, const char *name);
/* Lock a file, or say at once that others have it. */
NODISCARD int publish_lock(int fd);

/*
 * `.penstock` is a directory like any other to the kernel: it has inherited
 * group, access list and project id of the root, and would hand them down.
 */
void publish_tidy(int temp_dir, int root, bool nameless, bool is_new);
bool publish_hands_down_acl(int dir);
/* The file gets the project id that files made in `dir` have: 0, or -errno if
 * it has that, or cannot. */
NODISCARD int publish_adopt_project(int file, int dir);

/* What is locked in a `.penstock`: opened, its name behind that directory's,
 * and the lock waited for. */
NODISCARD int publish_open_lock(int root, const char *temp_dir);
extern const char publish_lock_name[];
int publish_wait_lock(int fd);
/* Where the kernel's locks do not keep out the same process: wait for those of
 * its threads that are at it on the same disk. */
unsigned publish_begin_turn(int root);
void publish_end_turn(unsigned turn);

#endif
