/*
 * base/process.h - which process this is.
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <sys/types.h>

/* getpid(2) without its system call, for what runs with each upload; right after
 * fork(2), too.  From any thread. */
pid_t process_id(void);

#endif
