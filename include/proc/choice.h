/*
 * proc/choice.h - the configuration's words in those of the layers below.
 */
#ifndef PROC_CHOICE_H
#define PROC_CHOICE_H

#include "config/config.h"
#include "disk/engine.h"
#include "local/local.h"

/* What `io_engine` asks the engine for. */
static inline enum engine_wish
choice_of(enum conf_engine e)
{
	switch (e) {
	case ENGINE_IO_URING:
		return ENGINE_WISH_URING;
	case ENGINE_THREADS:
		return ENGINE_WISH_THREADS;
	case ENGINE_AUTO:
		break;
	}
	return ENGINE_WISH_AUTO;
}

/* What `direct_io` asks the local store for. */
static inline enum local_direct
choice_of_direct(enum conf_direct d)
{
	switch (d) {
	case DIRECT_ON:
		return LOCAL_DIRECT_ON;
	case DIRECT_OFF:
		return LOCAL_DIRECT_OFF;
	case DIRECT_AUTO:
		break;
	}
	return LOCAL_DIRECT_AUTO;
}

#endif
