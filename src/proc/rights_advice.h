/*
 * proc/rights_advice.h - rules that keep out whom they should, and still leave a way in.
 *
 * Only proc/secret_files.c includes this.
 */
#ifndef PROC_RIGHTS_ADVICE_H
#define PROC_RIGHTS_ADVICE_H

#include "base/str.h"
#include "config/config.h"

/*
 * rights_advise(conf, warnings):
 * Add a line for each address on which passwords, tokens or links pass where all can read
 * them; and for each file of secrets that belongs to the user of the workers.
 */
void rights_advise(const struct config *conf, struct str *warnings);

#endif
