/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plait.h: everything that a program needs to draw task graphs and run them.
 */
#ifndef PLAIT_PLAIT_H
#define PLAIT_PLAIT_H

#include <plait/compute.h>
#include <plait/error.h>
#include <plait/executor.h>
#include <plait/graph.h>
#include <plait/library.h>
#include <plait/log.h>
#include <plait/observe.h>
#include <plait/runtime.h>
#include <plait/task.h>
#include <plait/value.h>
#include <plait/version.h>

#endif
