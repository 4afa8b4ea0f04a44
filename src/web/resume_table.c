/* Every move that a request for an upload that can be resumed can make. */
#include "resume_states.h"

static const char *const state_names[RESUME_STATES] = {
    [RESUME_NEW] = "new",
    [RESUME_FINDING] = "finding",
    [RESUME_ELSEWHERE] = "elsewhere",
    [RESUME_HELD] = "held",
    [RESUME_LOST] = "lost",
    [RESUME_BEGINNING] = "beginning",
    [RESUME_READY] = "ready",
    [RESUME_OPENING] = "opening",
    [RESUME_FLOWING] = "flowing",
    [RESUME_SUSPENDING] = "suspending",
    [RESUME_CLAIMING] = "claiming",
    [RESUME_COMMITTING] = "committing",
    [RESUME_REMOVING] = "removing",
    [RESUME_OVER] = "over",
};

static const char *const event_names[RESUME_EVENTS] = {
    [RESUME_FIND] = "find",
    [RESUME_SHOWN] = "shown",
    [RESUME_AWAIT] = "await",
    [RESUME_FOUND] = "found",
    [RESUME_PASSED] = "passed",
    [RESUME_REOPEN] = "reopen",
    [RESUME_ERASE] = "erase",
    [RESUME_OPENED] = "opened",
    [RESUME_NEXT] = "next",
    [RESUME_TRANSFER] = "transfer",
    [RESUME_TRANSFERRED] = "transferred",
    [RESUME_SUSPEND] = "suspend",
    [RESUME_SUSPENDED] = "suspended",
    [RESUME_CLAIM] = "claim",
    [RESUME_CLAIMED] = "claimed",
    [RESUME_SPENT] = "spent",
    [RESUME_COMMIT] = "commit",
    [RESUME_STORED] = "stored",
    [RESUME_ERASED] = "erased",
    [RESUME_FAILED] = "failed",
    [RESUME_WANTED] = "wanted",
    [RESUME_CUT] = "cut",
    [RESUME_GONE] = "gone",
    [RESUME_STOP] = "stop",
    [RESUME_ENDED] = "ended",
};

/*
 * In the gate it is the gate's exchange that ends (ENDED).  Behind it, a client that leaves
 * ends what was not begun; what came of its bytes is kept first, and what is being made
 * durable, or getting its name, or is whole and waits for its link, goes on.  HELD and READY
 * wait for nothing behind the gate: what is decided there is the next event.
 */
/* clang-format off */
static const struct fsm_square squares[RESUME_STATES][RESUME_EVENTS] = {
	[RESUME_NEW] = {
		[RESUME_FIND]        = { FSM_ACT, RESUME_FINDING,    resume_start_finding    },
		[RESUME_PASSED]      = { FSM_ACT, RESUME_BEGINNING,  resume_start_creation   },
		[RESUME_ENDED]       = { FSM_NOTHING, RESUME_OVER                            },
	},
	[RESUME_FINDING] = {
		[RESUME_SHOWN]       = { FSM_ACT, RESUME_ELSEWHERE,  resume_go_on            },
		[RESUME_FOUND]       = { FSM_ACT, RESUME_HELD,       resume_go_on            },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_LOST,       resume_lose_in_gate     },
		[RESUME_ENDED]       = { FSM_NOTHING, RESUME_OVER                            },
	},
	[RESUME_ELSEWHERE] = {
		[RESUME_AWAIT]       = { FSM_ACT, RESUME_FINDING,    resume_start_awaiting   },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_LOST,       resume_lose             },
		[RESUME_ENDED]       = { FSM_NOTHING, RESUME_OVER                            },
	},
	[RESUME_HELD] = {
		[RESUME_PASSED]      = { FSM_ACT, RESUME_HELD,       resume_decide           },
		[RESUME_REOPEN]      = { FSM_ACT, RESUME_BEGINNING,  resume_start_append     },
		[RESUME_ERASE]       = { FSM_ACT, RESUME_REMOVING,   resume_start_removing   },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_LOST,       resume_lose             },
		[RESUME_WANTED]      = { FSM_NOTHING, RESUME_HELD                            },
		[RESUME_ENDED]       = { FSM_NOTHING, RESUME_OVER                            },
	},
	[RESUME_LOST] = {
		[RESUME_PASSED]      = { FSM_ACT, RESUME_OVER,       resume_tell_lost        },
		[RESUME_ENDED]       = { FSM_NOTHING, RESUME_OVER                            },
	},
	[RESUME_BEGINNING] = {
		[RESUME_OPENED]      = { FSM_ACT, RESUME_READY,      resume_take_opened      },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_OVER,       resume_tell_failed      },
		[RESUME_WANTED]      = { FSM_NOTHING, RESUME_BEGINNING                       },
		[RESUME_GONE]        = { FSM_ACT, RESUME_OVER,       resume_give_up          },
		[RESUME_STOP]        = { FSM_ACT, RESUME_OVER,       resume_give_up          },
		[RESUME_ENDED]       = { FSM_NOTHING, RESUME_OVER                            },
	},
	[RESUME_READY] = {
		[RESUME_NEXT]        = { FSM_NOTHING, RESUME_OPENING                         },
		[RESUME_TRANSFER]    = { FSM_NOTHING, RESUME_FLOWING                         },
		[RESUME_SUSPEND]     = { FSM_ACT, RESUME_SUSPENDING, resume_start_suspending },
		[RESUME_CLAIM]       = { FSM_ACT, RESUME_CLAIMING,   resume_start_claiming   },
		[RESUME_COMMIT]      = { FSM_ACT, RESUME_COMMITTING, resume_start_commit     },
		[RESUME_ENDED]       = { FSM_NOTHING, RESUME_OVER                            },
	},
	[RESUME_OPENING] = {
		[RESUME_TRANSFER]    = { FSM_NOTHING, RESUME_FLOWING                         },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_OVER,       resume_tell_failed      },
		[RESUME_WANTED]      = { FSM_NOTHING, RESUME_OPENING                         },
		[RESUME_GONE]        = { FSM_ACT, RESUME_OVER,       resume_give_up_copy     },
		[RESUME_STOP]        = { FSM_ACT, RESUME_OVER,       resume_give_up_copy     },
		[RESUME_ENDED]       = { FSM_NOTHING, RESUME_OVER                            },
	},
	[RESUME_FLOWING] = {
		[RESUME_TRANSFERRED] = { FSM_ACT, RESUME_READY,      resume_take_transferred },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_OVER,       resume_tell_failed      },
		[RESUME_WANTED]      = { FSM_ACT, RESUME_FLOWING,    resume_cut_for_newer    },
		[RESUME_CUT]         = { FSM_ACT, RESUME_FLOWING,    resume_cut_by_operator  },
		[RESUME_GONE]        = { FSM_ACT, RESUME_FLOWING,    resume_cut              },
		[RESUME_STOP]        = { FSM_ACT, RESUME_FLOWING,    resume_cut              },
	},
	[RESUME_SUSPENDING] = {
		[RESUME_SUSPENDED]   = { FSM_ACT, RESUME_OVER,       resume_tell_suspended   },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_OVER,       resume_tell_failed      },
		[RESUME_GONE]        = { FSM_NOTHING, RESUME_SUSPENDING                      },
		[RESUME_STOP]        = { FSM_NOTHING, RESUME_SUSPENDING                      },
	},
	[RESUME_CLAIMING] = {
		[RESUME_CLAIMED]     = { FSM_ACT, RESUME_COMMITTING, resume_start_commit     },
		[RESUME_SPENT]       = { FSM_ACT, RESUME_OVER,       resume_tell_spent       },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_OVER,       resume_tell_failed      },
		[RESUME_WANTED]      = { FSM_NOTHING, RESUME_CLAIMING                        },
		[RESUME_GONE]        = { FSM_NOTHING, RESUME_CLAIMING                        },
		[RESUME_STOP]        = { FSM_NOTHING, RESUME_CLAIMING                        },
	},
	[RESUME_COMMITTING] = {
		[RESUME_STORED]      = { FSM_ACT, RESUME_OVER,       resume_tell_stored      },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_OVER,       resume_tell_not_stored  },
		[RESUME_GONE]        = { FSM_NOTHING, RESUME_COMMITTING                      },
		[RESUME_STOP]        = { FSM_NOTHING, RESUME_COMMITTING                      },
	},
	[RESUME_REMOVING] = {
		[RESUME_ERASED]      = { FSM_ACT, RESUME_OVER,       resume_tell_removed     },
		[RESUME_FAILED]      = { FSM_ACT, RESUME_OVER,       resume_tell_failed      },
		[RESUME_GONE]        = { FSM_NOTHING, RESUME_REMOVING                        },
		[RESUME_STOP]        = { FSM_NOTHING, RESUME_REMOVING                        },
	},
};
/* clang-format on */

const struct fsm_table resume_table = {
    .name = "request",
    .states = RESUME_STATES,
    .events = RESUME_EVENTS,
    .state_names = state_names,
    .event_names = event_names,
    .first = RESUME_NEW,
    .final = FSM_STATE(RESUME_OVER),
    .squares = squares[0],
    .marked = NULL,
};
