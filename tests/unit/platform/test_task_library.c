/* SPDX-License-Identifier: BSD-3-Clause */
/* Libraries of tasks: loaded from a file, and refused with the reason, however
 * little of the file is there. */
#include <plait/library.h>

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_task_library.XXXXXX";
static char *whole; /* a library that everybody has */
static size_t whole_size;
static char part[32] = "none.so"; /* the file that was written last */

static int read_whole(void)
{
    Dl_info info;
    void *libm = dlopen("libm.so.6", RTLD_NOW);
    void *root = libm ? dlsym(libm, "sqrt") : NULL;
    FILE *file =
        root && dladdr(root, &info) ? fopen(info.dli_fname, "rb") : NULL;
    if (!file)
        return -1;
    fseek(file, 0, SEEK_END);
    whole_size = (size_t)ftell(file);
    rewind(file);
    whole = malloc(whole_size);
    bool is_read = whole && fread(whole, 1, whole_size, file) == whole_size;
    fclose(file);
    return is_read ? 0 : -1;
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? read_whole() : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(whole);
    remove(part);
    remove("pipe.so");
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void write_part(size_t size)
{
    static int n;
    remove(part);
    /* another name: the loader doesn't look again at a file that it has */
    snprintf(part, sizeof part, "part-%d.so", n++);
    FILE *file = fopen(part, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(whole, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void refuses(const char *path, const char *why)
{
    plait_error err = { PLAIT_ERROR_INIT };
    assert_null(plait_library_load(path, &err));
    assert_int_equal(err.status, PLAIT_ESYS);
    if (!strstr(err.message, why))
        fail_msg("'%s' is not in '%s'", why, err.message);
    assert_null(plait_library_load(path, NULL));
}

static void a_library(void **state)
{
    (void)state;
    plait_error err = { PLAIT_ERROR_INIT };
    write_part(whole_size);
    /* a name without a slash is one in this directory */
    void *library = plait_library_load(part, &err);
    if (!library)
        fail_msg("%s", err.message);
    assert_int_equal(err.status, PLAIT_OK);
    assert_non_null(dlsym(library, "sqrt"));
    char slashed[sizeof part + 2];
    snprintf(slashed, sizeof slashed, "./%s", part);
    assert_ptr_equal(plait_library_load(slashed, NULL), library);
}

static void a_library_that_is_cut_short(void **state)
{
    (void)state;
    for (size_t size = 4096; size <= whole_size / 2; size *= 2) {
        write_part(size);
        refuses(part, "the file is cut short");
        write_part(size - 1);
        refuses(part, "the file is cut short");
    }
    /* the table of parts is not all there */
    write_part(100);
    refuses(part, "the file is cut short");
    write_part(63);
    refuses(part, "too short");
    write_part(0);
    refuses(part, "too short");
}

static void what_is_no_library(void **state)
{
    (void)state;
    refuses("./nowhere.so", "No such file");
    refuses("./", "it is no file");
    assert_int_equal(mkfifo("pipe.so", 0600), 0);
    refuses("pipe.so", "it is no file");
    char kind = whole[4];
    whole[4] = (char)(3 - kind); /* for processors of other words */
    write_part(whole_size);
    refuses(part, "wrong ELF class");
    whole[4] = kind;
    whole[0] = 'X';
    write_part(whole_size);
    refuses(part, "invalid ELF header");
    whole[0] = 0x7f;
}

static void parts_that_lie_nowhere(void **state)
{
    (void)state;
    char *offset = whole + 32; /* of the table of parts, of 8 bytes */
    char before[8];
    memcpy(before, offset, sizeof before);
    memset(offset, 0xff, sizeof before);
    write_part(whole_size);
    refuses(part, "the file is cut short");
    memcpy(offset, before, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library),
        cmocka_unit_test(a_library_that_is_cut_short),
        cmocka_unit_test(what_is_no_library),
        cmocka_unit_test(parts_that_lie_nowhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
