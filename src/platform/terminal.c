/* SPDX-License-Identifier: BSD-3-Clause */
/* terminal.c: whether somebody watches a stream. */
#include "platform/terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_WIDTH 80

unsigned pl_terminal_width(FILE *stream)
{
    int errno_before = errno;
    int fd = fileno(stream);
    unsigned width = 0;
    if (fd >= 0 && isatty(fd)) {
        struct winsize size = { 0 };
        width = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
                    ? size.ws_col
                    : USUAL_WIDTH;
    }
    errno = errno_before;
    return width;
}
