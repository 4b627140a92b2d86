/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_target.h: the entry that libFuzzer and replay.c call. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Aborts when what should hold does not; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
