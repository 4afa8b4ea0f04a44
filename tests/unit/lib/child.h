/*
 * lib/child.h - what must end the process is tried in a child.
 */
#ifndef LIB_CHILD_H
#define LIB_CHILD_H

/* The signal that act() ends a process with, or 0 when it returns; what it says on
 * stderr is thrown away. */
int dies_of(void (*act)(void));

#endif
