/*
 * proc/choice.h - the configuration's words in those of the layers below.
 */
#ifndef PROC_CHOICE_H
#define PROC_CHOICE_H

#include "config/config.h"
#include "disk/engine.h"

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

#endif
