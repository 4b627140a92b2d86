/* SPDX-License-Identifier: BSD-3-Clause */
/* nothing.c: a library that is no pipeline. */
int nothing(void);

int nothing(void)
{
    return 0;
}
