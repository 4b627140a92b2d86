/* SPDX-License-Identifier: BSD-3-Clause */
/* The count of CPUs: by affinity, and by quotas read from files of our own. */
#include "platform/cpu.h"

#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/plait-cpu-XXXXXX";

/* Writes a file under the root, and the folders on its way. */
static void write_file(const char *path, const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/'));
         slash++) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_root(void **state)
{
    (void)state;
    strcpy(strrchr(root, '-'), "-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void no_files_no_quota(void **state)
{
    (void)state;
    assert_int_equal(pl_cpu_quota(root), UINT_MAX);
    write_file("/proc/self/cgroup", "");
    assert_int_equal(pl_cpu_quota(root), UINT_MAX);
    write_file("/proc/self/cgroup", "garbage\n0:x\n\n0::/a\n");
    assert_int_equal(pl_cpu_quota(root), UINT_MAX);
}

static void v2_rounds_up(void **state)
{
    static const struct {
        const char *text;
        unsigned cpus;
    } cases[] = {
        { "200000 100000\n", 2 },  { "150000 100000\n", 2 },
        { "1000 100000\n", 1 },    { "max 100000\n", UINT_MAX },
        { "", UINT_MAX },          { "100000", UINT_MAX },
        { "-1 100000", UINT_MAX }, { "9223372036854775807 1", UINT_MAX },
        { "100000 0", UINT_MAX },
    };
    (void)state;
    write_file("/proc/self/cgroup", "0::/slice/job\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file("/sys/fs/cgroup/slice/job/cpu.max", cases[i].text);
        assert_int_equal(pl_cpu_quota(root), cases[i].cpus);
    }
}

static void the_lowest_on_the_path_counts(void **state)
{
    (void)state;
    write_file("/proc/self/cgroup", "0::/slice/job\n");
    write_file("/sys/fs/cgroup/slice/job/cpu.max", "800000 100000\n");
    write_file("/sys/fs/cgroup/slice/cpu.max", "300000 100000\n");
    assert_int_equal(pl_cpu_quota(root), 3);
    write_file("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    assert_int_equal(pl_cpu_quota(root), 2);
}

/* A container sees its own group as the root. */
static void a_group_that_is_the_root(void **state)
{
    (void)state;
    write_file("/proc/self/cgroup", "0::/\n");
    write_file("/sys/fs/cgroup/cpu.max", "50000 10000\n");
    assert_int_equal(pl_cpu_quota(root), 5);
}

static void v1_reads_quota_and_period(void **state)
{
    (void)state;
    write_file("/proc/self/cgroup", "12:cpuset:/other\n"
                                    "4:cpu,cpuacct:/job\n1:name=x:/job\n");
    write_file("/sys/fs/cgroup/cpu/other/cpu.cfs_quota_us", "100000\n");
    write_file("/sys/fs/cgroup/cpu/other/cpu.cfs_period_us", "100000\n");
    assert_int_equal(pl_cpu_quota(root), UINT_MAX);
    write_file("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
    write_file("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
    assert_int_equal(pl_cpu_quota(root), UINT_MAX);
    write_file("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "250000\n");
    assert_int_equal(pl_cpu_quota(root), 3);
    write_file("/proc/self/cgroup", "4:cpuacct,cpu:/job\n");
    assert_int_equal(pl_cpu_quota(root), 3);
}

static void affinity_limits_the_count(void **state)
{
    cpu_set_t before, one;
    unsigned all = pl_cpu_count();
    (void)state;
    assert_in_range(all, 1, UINT_MAX - 1);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &before)) {
            CPU_SET(cpu, &one);
            break;
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(pl_cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(pl_cpu_count(), all);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_files_no_quota),
        TEST(v2_rounds_up),
        TEST(the_lowest_on_the_path_counts),
        TEST(a_group_that_is_the_root),
        TEST(v1_reads_quota_and_period),
        cmocka_unit_test(affinity_limits_the_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
