/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * library.h: shared libraries with task functions, which a program loads while
 * it runs.
 */
#ifndef PLAIT_LIBRARY_H
#define PLAIT_LIBRARY_H

#include <plait/error.h>

PLAIT_BEGIN_DECLS

/*
 * Loads the shared library in a file; a name without a slash is one in this
 * directory. It stays loaded: its tasks may run, and its types be used, until
 * the process ends. Returns what dlsym takes, or NULL; then the message of
 * `err` says why, without the name:
 *   PLAIT_ESYS    there is no such file, it is no shared library, it is cut
 *                 short (the system's loader would end the process), it needs
 *                 what is not there
 *   PLAIT_EINVAL  it uses another libplait than the caller, whose values would
 *                 not be understood
 * A library that was linked to no libplait uses this one.
 * Thread: any.  Blocks: as files do, and what the library does at its start.
 */
PLAIT_API void *plait_library_load(const char *path, plait_error *err);

PLAIT_END_DECLS

#endif
