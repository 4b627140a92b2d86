/* SPDX-License-Identifier: BSD-3-Clause */
/* profile.h: what drawing asks of a whole profile. */
#ifndef PL_PROFILE_H
#define PL_PROFILE_H

#include <plait/observe.h>

bool pl_is_profile(const plait_observer *observer);

/* The longest time that any task of that graph took, 0 when none did.
 * Thread: any.  Blocks: no. */
int64_t pl_profile_longest_ns(const plait_observer *observer, uint32_t graph);

#endif
