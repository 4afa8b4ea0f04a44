/*
 * Every move that an upload can make.  What a move does is in upload_moves.c, or, of one
 * that outlives its connection, in upload_partial.c.
 */
#include "upload_internal.h"

static const char *const state_names[UPLOAD_STATES] = {
    [UPLOAD_OPENING] = "opening",
    [UPLOAD_RESUMING] = "resuming",
    [UPLOAD_ELSEWHERE] = "elsewhere",
    [UPLOAD_FOUND] = "found",
    [UPLOAD_READY] = "ready",
    [UPLOAD_FLOWING] = "flowing",
    [UPLOAD_DRAINING] = "draining",
    [UPLOAD_SUSPENDING] = "suspending",
    [UPLOAD_SUSPENDED] = "suspended",
    [UPLOAD_HASHING] = "hashing",
    [UPLOAD_REMOVING] = "removing",
    [UPLOAD_COMMITTING] = "committing",
    [UPLOAD_OVER] = "over",
};

static const char *const event_names[UPLOAD_EVENTS] = {
    [UPLOAD_OPENED] = "opened",
    [UPLOAD_TRANSFER] = "transfer",
    [UPLOAD_LAST_BYTE] = "last byte",
    [UPLOAD_CUT] = "cut",
    [UPLOAD_EMPTIED] = "emptied",
    [UPLOAD_HASH] = "hash",
    [UPLOAD_HASHED] = "hashed",
    [UPLOAD_COMMIT] = "commit",
    [UPLOAD_COMMITTED] = "committed",
    [UPLOAD_RESUME] = "resume",
    [UPLOAD_RESUMED] = "resumed",
    [UPLOAD_SHOWN] = "shown",
    [UPLOAD_AWAIT] = "await",
    [UPLOAD_HELD] = "held",
    [UPLOAD_APPEND] = "append",
    [UPLOAD_SUSPEND] = "suspend",
    [UPLOAD_SUSPENSION] = "suspension",
    [UPLOAD_REMOVE] = "remove",
    [UPLOAD_REMOVED] = "removed",
    [UPLOAD_CONCLUDE] = "conclude",
    [UPLOAD_FAILED] = "failed",
    [UPLOAD_GONE] = "gone",
};

/*
 * Every move that an upload can make, and what is done on the way.  GONE is its
 * owner's giving up: before the commit nothing stays then, or of a partial what was
 * suspended; after it the file is still stored.
 */
/* clang-format off */
static const struct fsm_square squares[UPLOAD_STATES][UPLOAD_EVENTS] = {
	[UPLOAD_OPENING] = {
		[UPLOAD_OPENED]     = { FSM_ACT, UPLOAD_READY,      upload_tell_ready     },
		[UPLOAD_RESUME]     = { FSM_ACT, UPLOAD_RESUMING,   upload_start_resume   },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_RESUMING] = {
		[UPLOAD_RESUMED]    = { FSM_ACT, UPLOAD_FOUND,      upload_tell_found     },
		[UPLOAD_SHOWN]      = { FSM_ACT, UPLOAD_ELSEWHERE,  upload_tell_held      },
		[UPLOAD_HELD]       = { FSM_ACT, UPLOAD_RESUMING,   upload_wait_turn      },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_ELSEWHERE] = {
		[UPLOAD_AWAIT]      = { FSM_ACT, UPLOAD_RESUMING,   upload_await_turn     },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_FOUND] = {
		[UPLOAD_APPEND]     = { FSM_ACT, UPLOAD_OPENING,    upload_start_append   },
		[UPLOAD_REMOVE]     = { FSM_ACT, UPLOAD_REMOVING,   upload_start_remove   },
		[UPLOAD_CONCLUDE]   = { FSM_NOTHING, UPLOAD_OVER                          },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_READY] = {
		[UPLOAD_TRANSFER]   = { FSM_NOTHING, UPLOAD_FLOWING                       },
		[UPLOAD_HASH]       = { FSM_ACT, UPLOAD_HASHING,    upload_start_hash     },
		[UPLOAD_COMMIT]     = { FSM_ACT, UPLOAD_COMMITTING, upload_start_commit },
		[UPLOAD_SUSPEND]    = { FSM_ACT, UPLOAD_SUSPENDING, upload_start_suspend  },
		[UPLOAD_CONCLUDE]   = { FSM_NOTHING, UPLOAD_OVER                          },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_FLOWING] = {
		[UPLOAD_LAST_BYTE]  = { FSM_NOTHING, UPLOAD_DRAINING                      },
		[UPLOAD_CUT]        = { FSM_ACT, UPLOAD_FLOWING,    upload_cut_source },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_DRAINING] = {
		[UPLOAD_EMPTIED]    = { FSM_ACT, UPLOAD_READY,      upload_tell_transferred },
		[UPLOAD_CUT]        = { FSM_NOTHING, UPLOAD_DRAINING                      },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_SUSPENDING] = {
		[UPLOAD_SUSPENSION] = { FSM_ACT, UPLOAD_SUSPENDED,  upload_tell_suspended },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_SUSPENDED] = {
		[UPLOAD_APPEND]     = { FSM_ACT, UPLOAD_OPENING,    upload_start_append   },
		[UPLOAD_HASH]       = { FSM_ACT, UPLOAD_HASHING,    upload_start_hash     },
		[UPLOAD_COMMIT]     = { FSM_ACT, UPLOAD_COMMITTING, upload_start_commit },
		[UPLOAD_REMOVE]     = { FSM_ACT, UPLOAD_REMOVING,   upload_start_remove   },
		[UPLOAD_CONCLUDE]   = { FSM_NOTHING, UPLOAD_OVER                          },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_HASHING] = {
		[UPLOAD_HASHED]     = { FSM_ACT, UPLOAD_COMMITTING, upload_start_commit },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_REMOVING] = {
		[UPLOAD_REMOVED]    = { FSM_ACT, UPLOAD_OVER,       upload_tell_removed   },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
	[UPLOAD_COMMITTING] = {
		[UPLOAD_COMMITTED]  = { FSM_ACT, UPLOAD_OVER,       upload_tell_stored    },
		[UPLOAD_FAILED]     = { FSM_ACT, UPLOAD_OVER,       upload_tell_failed },
		[UPLOAD_GONE]       = { FSM_ACT, UPLOAD_OVER,       upload_release        },
	},
};
/* clang-format on */

const struct fsm_table upload_table = {
    .name = "upload",
    .states = UPLOAD_STATES,
    .events = UPLOAD_EVENTS,
    .state_names = state_names,
    .event_names = event_names,
    .first = UPLOAD_OPENING,
    .final = FSM_STATE(UPLOAD_OVER),
    .squares = squares[0],
    .marked = NULL,
};
