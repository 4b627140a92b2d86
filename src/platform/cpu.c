/* SPDX-License-Identifier: BSD-3-Clause */
/* cpu.c: affinity and cgroup quota. */
#include "platform/cpu.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/clock.h"

#if defined(__linux__)
#include <sched.h>
#endif

static unsigned online(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

#if defined(__linux__)

static unsigned by_affinity(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return online(); /* more CPUs than the set holds */
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

/* The first line of the file whose path is made of three parts. */
static bool read_line(const char *root, const char *dir, const char *name,
                      char *line, int size)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s%s/%s", root, dir, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(line, size, file) != NULL;
    fclose(file);
    return read;
}

/* Quota and period are in microseconds. "max", -1 and 0 are no limit. */
static unsigned cpus_of(long long quota, long long period)
{
    if (quota <= 0 || period <= 0 || quota / period >= INT_MAX)
        return UINT_MAX;
    return (unsigned)(quota / period + (quota % period != 0));
}

/* "max 100000" or "150000 100000". */
static unsigned quota_v2(const char *root, const char *group)
{
    char dir[PATH_MAX], line[64];
    snprintf(dir, sizeof dir, "/sys/fs/cgroup%s", group);
    if (!read_line(root, dir, "cpu.max", line, sizeof line))
        return UINT_MAX;
    char *period;
    long long quota = strtoll(line, &period, 10);
    return cpus_of(quota, strtoll(period, NULL, 10));
}

static unsigned quota_v1(const char *root, const char *group)
{
    char dir[PATH_MAX], quota[64], period[64];
    snprintf(dir, sizeof dir, "/sys/fs/cgroup/cpu%s", group);
    if (!read_line(root, dir, "cpu.cfs_quota_us", quota, sizeof quota) ||
        !read_line(root, dir, "cpu.cfs_period_us", period, sizeof period))
        return UINT_MAX;
    return cpus_of(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

/* A group is limited by its parents' quotas too: walks up to the root. */
static unsigned lowest_on_path(const char *root, char *group,
                               unsigned (*quota)(const char *root,
                                                 const char *group))
{
    unsigned lowest = UINT_MAX;
    for (;;) {
        unsigned here = quota(root, group);
        lowest = here < lowest ? here : lowest;
        char *slash = strrchr(group, '/');
        if (!slash)
            return lowest;
        *slash = '\0';
    }
}

/* Whether a list like "cpu,cpuacct" names cpu. */
static bool names_cpu(const char *list)
{
    for (;;) {
        size_t length = strcspn(list, ",");
        if (length == 3 && memcmp(list, "cpu", 3) == 0)
            return true;
        if (list[length] == '\0')
            return false;
        list += length + 1;
    }
}

/* A line of /proc/self/cgroup: "0::/path" (v2), "4:cpu,cpuacct:/path" (v1). */
static unsigned quota_of_line(const char *root, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return UINT_MAX;
    controllers++;
    *group++ = '\0';
    if (controllers[0] == '\0')
        return lowest_on_path(root, group, quota_v2);
    if (names_cpu(controllers))
        return lowest_on_path(root, group, quota_v1);
    return UINT_MAX;
}

unsigned pl_cpu_quota(const char *root)
{
    char line[PATH_MAX];
    if (snprintf(line, sizeof line, "%s/proc/self/cgroup", root) >= PATH_MAX)
        return UINT_MAX;
    FILE *file = fopen(line, "re");
    if (!file)
        return UINT_MAX;
    unsigned lowest = UINT_MAX;
    while (fgets(line, sizeof line, file)) {
        unsigned here = quota_of_line(root, line);
        lowest = here < lowest ? here : lowest;
    }
    fclose(file);
    return lowest;
}

/* The quota as it was in this second: finding it reads several files, and a
 * program may ask for each of many short runs. */
static unsigned recent_quota(void)
{
    static _Atomic uint64_t found; /* second + 1, and the quota below it */
    uint32_t second = (uint32_t)(pl_clock_ns() / 1000000000) + 1;
    /* relaxed: the word is all there is */
    uint64_t known = atomic_load_explicit(&found, memory_order_relaxed);
    if ((uint32_t)(known >> 32) == second)
        return (unsigned)known;
    unsigned quota = pl_cpu_quota("");
    atomic_store_explicit(&found, (uint64_t)second << 32 | quota,
                          memory_order_relaxed);
    return quota;
}

unsigned pl_cpu_count(void)
{
    unsigned cpus = by_affinity();
    unsigned quota = recent_quota();
    return quota < cpus ? quota : cpus;
}

#else

unsigned pl_cpu_quota(const char *root)
{
    (void)root;
    return UINT_MAX;
}

unsigned pl_cpu_count(void)
{
    return online();
}

#endif
