/* SPDX-License-Identifier: BSD-3-Clause */
/* pages.c: big arrays straight from the kernel. */
#include "platform/pages.h"

#include <stdint.h>
#include <sys/mman.h>

#include "base/alloc.h"

#define HUGE_PAGE ((size_t)2 << 20)
#if defined(__SANITIZE_ADDRESS__)
#define FROM_KERNEL SIZE_MAX /* the heap's bounds are watched */
#else
#define FROM_KERNEL (HUGE_PAGE / 2)
#endif

/* Maps `bytes` on a huge page's boundary: more is mapped, the ends given back,
 * else the first and the last part would be on small pages. */
static void *map_aligned(size_t bytes)
{
    size_t more = bytes + HUGE_PAGE;
    char *start = mmap(NULL, more, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    size_t skip = (HUGE_PAGE - (uintptr_t)start % HUGE_PAGE) % HUGE_PAGE;
    if (skip)
        munmap(start, skip);
    munmap(start + skip + bytes, more - skip - bytes);
#if defined(MADV_HUGEPAGE)
    madvise(start + skip, bytes, MADV_HUGEPAGE);
#endif
    return start + skip;
}

/* Whole small pages, which are up to 64 KiB; the last part of a huge one is
 * then not mapped. */
static size_t round_up(size_t bytes)
{
    return (bytes + 65535) & ~(size_t)65535;
}

void *pl_pages_alloc(size_t n, size_t size)
{
    size_t bytes;
    if (!pl_mul_size(n, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    if (bytes < FROM_KERNEL)
        return pl_calloc(n, size);
    return map_aligned(round_up(bytes));
}

void pl_pages_free(void *memory, size_t n, size_t size)
{
    if (!memory)
        return;
    if (n * size < FROM_KERNEL)
        pl_free(memory);
    else
        munmap(memory, round_up(n * size));
}
