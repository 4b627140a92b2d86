/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * task_library.c: loading a library of tasks. The system's loader maps a file
 * without a look at its length, and dies of SIGBUS where it ends too early; so
 * the length is looked at before.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <plait/library.h>

#include "base/alloc.h"
#include "base/error.h"

/* ---- the file ---- */

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
    return pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

/* Whether a part that is to be loaded is not all there. What is no library of
 * this system is not our business: the loader knows better words for it. */
static bool is_cut_short(int fd, uint64_t size)
{
    ElfW(Ehdr) head;
    ElfW(Phdr) part;
    unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    if (!read_at(fd, &head, sizeof head, 0) ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != class || head.e_phentsize != sizeof part)
        return false;
    for (unsigned i = 0; i < head.e_phnum; i++) {
        if (!read_at(fd, &part, sizeof part, head.e_phoff + i * sizeof part))
            return true;
        if (part.p_type == PT_LOAD &&
            (part.p_offset > size || part.p_filesz > size - part.p_offset))
            return true;
    }
    return false;
}

static plait_status check_file(const char *path, plait_error *err)
{
    struct stat status;
    plait_status result = PLAIT_OK;
    /* nonblocking: a pipe that nobody writes to would keep us waiting */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0)
        result = pl_error_sys(err, errno, "it can't be opened");
    else if (!S_ISREG(status.st_mode))
        result = pl_error_set(err, PLAIT_ESYS, "it is no file");
    else if (is_cut_short(fd, (uint64_t)status.st_size))
        result = pl_error_set(err, PLAIT_ESYS, "the file is cut short");
    if (fd >= 0)
        close(fd);
    return result;
}

/* ---- loading ---- */

static const char *file_of(unsigned (*function)(void))
{
    Dl_info info;
    void *address;
    memcpy(&address, &function, sizeof address);
    return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "?";
}

static bool is_ours(void *library, plait_error *err)
{
    unsigned (*theirs)(void);
    void *address = dlsym(library, "plait_abi_version");
    memcpy(&theirs, &address, sizeof theirs);
    if (!theirs || theirs == plait_abi_version)
        return true;
    pl_error_set(err, PLAIT_EINVAL,
                 "it uses another libplait, %s, than is here, %s: link it to "
                 "libplait.so.0 (pkg-config --libs plait), and not to a "
                 "static copy",
                 file_of(theirs), file_of(plait_abi_version));
    return false;
}

static void *load(const char *path, plait_error *err)
{
    /* where the loader looks for what a library that names none needs */
    (void)dlopen(file_of(plait_abi_version),
                 RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library)
        return is_ours(library, err) ? library : NULL;
    const char *why = dlerror();
    size_t length = strlen(path);
    /* the loader's words mostly begin with the path */
    if (strncmp(why, path, length) == 0 && strncmp(why + length, ": ", 2) == 0)
        why += length + 2;
    pl_error_set(err, PLAIT_ESYS, "%s", why);
    return NULL;
}

void *plait_library_load(const char *path, plait_error *err)
{
    pl_error_clear(err);
    size_t size = strlen(path) + sizeof "./";
    char *local = pl_alloc(size);
    if (!local) {
        pl_error_nomem(err);
        return NULL;
    }
    snprintf(local, size, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *library =
        check_file(local, err) == PLAIT_OK ? load(local, err) : NULL;
    pl_free(local);
    return library;
}
