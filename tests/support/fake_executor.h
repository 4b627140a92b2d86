/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_executor.h: executors written against plait/executor_impl.h alone, each
 * driving owned runs:
 *
 *   inorder    in the caller's thread, one task after the other
 *   scrambled  a thread for each run; begins several tasks, and completes them
 *              in random order, some twice
 *   lossy      as scrambled, and loses attempts and results at random
 */
#ifndef FAKE_EXECUTOR_H
#define FAKE_EXECUTOR_H

#include <plait/executor_impl.h>

/* Registers all three. */
plait_status fake_executors_register(plait_error *err);

#endif
