/*
 * upload/env.h - what all uploads of one server block share, in one worker.
 */
#ifndef UPLOAD_ENV_H
#define UPLOAD_ENV_H

struct chunk_pool;
struct device;
struct engine;
struct ev_loop;
struct limits;
struct metrics_share;
struct roll;
struct takeover;
struct trace_group;

/* All that the fields point to outlives the uploads. */
struct upload_env {
	struct ev_loop *loop;
	struct chunk_pool *pool;
	struct engine *engine;	/* for digests */
	struct device *compute; /* for digests: device_new_compute() */
	struct trace_group *traces;
	struct limits *limits;	       /* that uploads are counted in */
	struct takeover *takeover;     /* of partials, by newer requests */
	struct metrics_share *counted; /* METRICS_UPLOADS there; or NULL */
	struct roll *roll;	       /* that uploads are on; or NULL */
};

#endif
