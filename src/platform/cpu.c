/* SPDX-License-Identifier: BSD-3-Clause */
/* cpu.c: affinity and cgroup quota. */
#include "platform/cpu.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
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

/* "max 100000" or "150000 100000": quota and period in microseconds. */
static unsigned quota_v2(const char *dir)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", dir) >=
        (int)sizeof path)
        return UINT_MAX;
    FILE *file = fopen(path, "re");
    if (!file)
        return UINT_MAX;
    long long quota = 0, period = 0;
    bool read = fscanf(file, "%lld %lld", &quota, &period) == 2;
    fclose(file);
    if (!read || quota <= 0 || period <= 0)
        return UINT_MAX;
    return (unsigned)((quota + period - 1) / period);
}

static bool read_number(const char *dir, const char *name, long long *number)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "/sys/fs/cgroup/cpu%s/%s", dir, name) >=
        (int)sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fscanf(file, "%lld", number) == 1;
    fclose(file);
    return read;
}

static unsigned quota_v1(const char *dir)
{
    long long quota, period;
    if (!read_number(dir, "cpu.cfs_quota_us", &quota) ||
        !read_number(dir, "cpu.cfs_period_us", &period) || quota <= 0 ||
        period <= 0)
        return UINT_MAX;
    return (unsigned)((quota + period - 1) / period);
}

/* A group is limited by its parents' quotas too: walks up to the root. */
static unsigned lowest_on_path(char *dir, unsigned (*quota)(const char *dir))
{
    unsigned lowest = UINT_MAX;
    for (;;) {
        unsigned here = quota(dir);
        lowest = here < lowest ? here : lowest;
        char *slash = strrchr(dir, '/');
        if (!slash)
            return lowest;
        *slash = '\0';
    }
}

/* Lines of /proc/self/cgroup: "0::/path" (v2), "4:cpu,cpuacct:/path" (v1). */
static unsigned by_cgroup(void)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file)
        return UINT_MAX;
    unsigned lowest = UINT_MAX;
    char line[PATH_MAX + 64];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        unsigned here = UINT_MAX;
        if (controllers[1] == '\0')
            here = lowest_on_path(path, quota_v2);
        else if (strstr(controllers, "cpu"))
            here = lowest_on_path(path, quota_v1);
        lowest = here < lowest ? here : lowest;
    }
    fclose(file);
    return lowest;
}

unsigned pl_cpu_count(void)
{
    unsigned cpus = by_affinity();
    unsigned quota = by_cgroup();
    return quota < cpus ? quota : cpus;
}

#else

unsigned pl_cpu_count(void)
{
    return online();
}

#endif
