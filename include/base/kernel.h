/*
 * base/kernel.h - which kernel this is, for what earlier ones do wrong and no call can
 * tell.
 */
#ifndef BASE_KERNEL_H
#define BASE_KERNEL_H

#include <stdbool.h>

/* By uname(2), Linux is older than `major`.`minor`; true when that is not known. */
bool kernel_is_before(unsigned major, unsigned minor);

#endif
