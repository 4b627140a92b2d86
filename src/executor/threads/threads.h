/* SPDX-License-Identifier: BSD-3-Clause */
/* threads.h: the threads executor at the end of the process. */
#ifndef PL_THREADS_H
#define PL_THREADS_H

#include <stdint.h>

/* Closes a default pool, but waits for its tasks only until until_ns: what
 * still runs then is left alone.  Thread: any but its own.  Blocks: yes. */
void pl_threads_exit(void *self, int64_t until_ns);

#endif
