/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prefetch.h: asking for a cache line before it is needed. Any address will do:
 * nothing is read.
 */
#ifndef PL_PREFETCH_H
#define PL_PREFETCH_H

/* A line that will be written: taken from other CPUs at once, where a plain
 * prefetch would share it first, and the write would ask for it again. */
static inline void pl_prefetch_write(const void *address)
{
#if defined(__x86_64__)
    /* the compiler's builtin says prefetcht0 for baseline x86-64 */
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
    __builtin_prefetch(address, 1);
#endif
}

#endif
