/* SPDX-License-Identifier: BSD-3-Clause */
/* library.c: loading shared libraries. */
#include "platform/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *pl_library_open(const char *const *names, char *why, size_t size)
{
    if (size > 0)
        why[0] = '\0';
    for (size_t i = 0; names[i]; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
        const char *text = dlerror();
        if (i == 0)
            snprintf(why, size, "%s", text ? text : names[0]);
    }
    return NULL;
}

bool pl_library_function(void *library, const char *name, void *function,
                         size_t size)
{
    /* ISO C has no cast from dlsym's object pointer to a function's. */
    void *address = dlsym(library, name);
    if (!address || size != sizeof address)
        return false;
    memcpy(function, &address, size);
    return true;
}
