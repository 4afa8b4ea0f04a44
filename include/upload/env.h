/*
 * upload/env.h - what the uploads of one worker have in common.
 */
#ifndef UPLOAD_ENV_H
#define UPLOAD_ENV_H

struct chunk_pool;
struct device;
struct engine;
struct ev_loop;
struct limits;
struct trace_group;

/* All that the fields point to outlives the uploads. */
struct upload_env {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct engine *engine;	/* for digests, ... */
	struct device *compute; /* ... which are computed here */
	struct trace_group *traces;
	struct limits *limits; /* where they are counted */
};

#endif
