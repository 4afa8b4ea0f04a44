/*
 * local/file_writer.h - chunks on their way into one file: a `sink`.
 *
 *	write() -> pending -> [joined: about 1 MiB] -> engine -> given back
 *
 * Neighbours are joined while a write is in flight, as far as write_depth lets
 * them come: so a disk that is slower than the network gets large writes, and
 * one that is faster gets each chunk at once.  While large uploads have turns
 * (disk/fair.h) less is joined: a turn is of four writes at least.
 *
 *	buffered     one write in flight; at most write_behind bytes are not yet
 *	             written back
 *	direct       O_DIRECT: whole chunks only, several writes in flight, space
 *	             allocated ahead
 *
 * A file goes direct when it is large enough, and buffered for good with the
 * first chunk that is not whole: its tail, or a client that was silent.
 *
 * It knows no file on its way in, only a descriptor, a directory and its owner's
 * callbacks.  When all chunks of a writer are done, another one may go on where
 * it ended.
 */
#ifndef LOCAL_FILE_WRITER_H
#define LOCAL_FILE_WRITER_H

#include "base/failure.h"
#include "loop/deferred.h"
#include "flow/sink.h"
#include "local/space.h"
#include "file_background.h"
#include "file_write.h"
#include "room.h"

struct file_writer;

/* What those of one store share. */
struct file_writers {
	const struct store_setup *to;
	struct spare writes; /* struct file_write */
	bool direct_refused; /* O_DIRECT does not work here after all */
};

enum file_writer_mode {
	FILE_WRITER_COLLECTS, /* small: its chunks stay, there is no file */
	FILE_WRITER_HOLDS,    /* chunks stay: there is no file yet, or an end */
	FILE_WRITER_WRITES,
};

/* What its owner is told, from the loop.  Each may end the file writer, except
 * from within write() and flush(). */
struct file_writer_events {
	/* A job beside the writes has ended.  `err`: what was written is lost
	 * (LOCAL_SYNC_FAILED), or no more can be; `cause` is the errno behind
	 * it, above 0, or 0. */
	void (*on_background)(struct file_writer *w, int err, int cause);
	/* A write has ended, after its writer has gone. */
	void (*on_written)(struct file_writer *w);
	/* From within write(): it was collecting, and holds from now on, since
	 * its client takes long.  The owner is to make the file. */
	void (*on_late)(struct file_writer *w);
};

struct file_writer {
	struct sink sink;
	struct file_writers *all;
	const struct file_writer_events *events;
	struct writer *writer; /* whose chunks these are; NULL: none, or gone */
	struct list pending;   /* chunks that wait to be written */
	struct list writing;   /* writes in flight */
	unsigned magic;
	unsigned in_flight; /* how many */
	int fd;		    /* the owner's; once there is a file */
	enum file_writer_mode mode;
	bool direct_wanted;	       /* from direct_from on */
	bool direct;		       /* O_DIRECT is set */
	bool has_failed;	       /* a write has */
	enum space_direct says_direct; /* the kernel of it */
	uint64_t direct_from;	       /* offset */
	uint64_t offset;	       /* where the next chunk goes */
	/* All before it is, when no write is in flight; also after one has failed. */
	uint64_t written;
	uint64_t length;		    /* or STORE_LENGTH_UNKNOWN */
	uint64_t behind_from;		    /* all before it was written back */
	struct file_background *background; /* the job beside writes */
	struct deferred later; /* what the writer is told from the loop */
	struct room room;
};

void file_writers_init(struct file_writers *all, const struct store_setup *to);
void file_writers_fini(struct file_writers *all);

/* For a file of `length` bytes in `dir`, whose owner, `events`, may have it
 * collected first.  The struct was zeroed. */
void file_writer_init(struct file_writer *w, struct file_writers *all,
    struct local_dir *dir, uint64_t length, bool collects,
    const struct file_writer_events *events);

/* Nothing is written yet: the file goes to another directory. */
void file_writer_move(struct file_writer *w, struct local_dir *dir);

/* The file has `offset` bytes, and no write is in flight: it is to get more, for `length` in
 * all (or STORE_LENGTH_UNKNOWN).  file_writer_begin() is next. */
void file_writer_resume(
    struct file_writer *w, uint64_t offset, uint64_t length);

/* The file is made: chunks are written from now on to `fd`.  `says_direct` is what
 * the kernel says of it, if O_DIRECT was wanted. */
void file_writer_begin(
    struct file_writer *w, int fd, enum space_direct says_direct);

/* No write is begun any more. */
void file_writer_hold(struct file_writer *w);

/* The owner has done with the writer: it hears nothing any more. */
void file_writer_forget(struct file_writer *w);

/* Tell the writer from the loop that there is no memory. */
void file_writer_fail_later(struct file_writer *w);

/* Tell the writer that it is over.  False: there is none.  May end `w`. */
bool file_writer_fail(struct file_writer *w, struct failure why);

/* A job beside the writes is in flight. */
static inline bool
file_writer_is_busy(const struct file_writer *w)
{
	return w->background != NULL;
}

/* No operation is in flight. */
static inline bool
file_writer_is_idle(const struct file_writer *w)
{
	return w->in_flight == 0 && w->background == NULL;
}

/* Call off what has not begun yet. */
void file_writer_cancel(struct file_writer *w);

/* Chunks that are not being written go back. */
void file_writer_drop(struct file_writer *w);

/* It is idle: drop its chunks, and give back the room that was reserved. */
void file_writer_fini(struct file_writer *w);

#endif
