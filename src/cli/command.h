/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command.h: the parts of the plait command. It uses the public headers only:
 * what it can do, any program can.
 */
#ifndef PL_COMMAND_H
#define PL_COMMAND_H

enum pl_exit {
    PL_EXIT_OK = 0,
    PL_EXIT_FAILED = 1,  /* a task failed, or a result could not be written */
    PL_EXIT_USAGE = 2,   /* nothing was run */
    PL_EXIT_SIGNAL = 128 /* plus the signal's number */
};

/* `plait run …` and `plait info …`: argv[0] is "run" or "info". Each returns
 * the exit status. */
int pl_command_run(int argc, char **argv);
int pl_command_info(int argc, char **argv);

#endif
