/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay.c: gives each file of the folders it is named to a fuzz target, so
 * that a corpus is an ordinary test. `replay FOLDER…`; no file is a failure.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_target.h"

/* Memory of just the file's size, for the tools that watch its end. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    rewind(file);
    uint8_t *data = end < 0 ? NULL : malloc(end > 0 ? (size_t)end : 1);
    *size = data ? fread(data, 1, (size_t)end, file) : 0;
    fclose(file);
    if (data && *size == (size_t)end)
        return data;
    free(data);
    return NULL;
}

static int replay_file(const char *path)
{
    size_t size;
    uint8_t *data = read_file(path, &size);
    if (!data) {
        fprintf(stderr, "cannot read %s\n", path);
        return -1;
    }
    printf("# %s\n", path); /* the last line names what went wrong */
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

/* The number of files; -1: one could not be read. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        fprintf(stderr, "cannot open %s\n", folder);
        return -1;
    }
    int files = 0;
    const struct dirent *entry;
    while (files >= 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        files = replay_file(path) < 0 ? -1 : files + 1;
    }
    closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        int some = replay_folder(argv[i]);
        if (some <= 0) {
            fprintf(stderr, "no corpus in %s\n", argv[i]);
            return 1;
        }
        files += some;
    }
    printf("%d files\n", files);
    return files > 0 ? 0 : 1;
}
