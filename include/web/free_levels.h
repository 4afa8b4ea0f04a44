/*
 * web/free_levels.h - a disk that fills: it is said before uploads are refused.
 *
 *	warn_free    a warning in the log
 *	alarm_free   an error in the log, at level error
 *	min_free     507
 *
 * Each is told once, by one worker, and so is that there is room again.  What is known of the
 * room is from the look before, at which it was measured, on a thread.
 */
#ifndef WEB_FREE_LEVELS_H
#define WEB_FREE_LEVELS_H

#include <stdbool.h>

#include "config/config.h"

struct readiness;
struct shared;

enum {
	FREE_LEVELS_LOOK_MS = 5000,
};

enum free_level {
	FREE_LEVEL_NONE,
	FREE_LEVEL_WARN,
	FREE_LEVEL_ALARM,
};

/* Does any location have one?  Else nobody need look. */
bool free_levels_are_set(const struct config *c);

/* Look at all of them. */
void free_levels_look(const struct readiness *r, const struct shared *shared);

/* The level of a disk with so much room, that was at `before`: it goes back when there is a
 * twentieth more than the level. */
enum free_level free_levels_judge(
    const struct conf_location *l, uint64_t free, enum free_level before);

#endif
