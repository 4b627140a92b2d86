/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * owned.h: driving a run by one thread, in any order of completion, where
 * results can be lost. The public face is plait/executor_impl.h; this is what
 * sets a run up for it.
 */
#ifndef PL_OWNED_H
#define PL_OWNED_H

#include "engine/run.h"

/* Makes a run that pl_run_init has set up an owned one: queues its
 * sources. False: no memory. */
bool pl_owned_init(plait_run *run);

void pl_owned_fini(plait_run *run);

#endif
