/* SPDX-License-Identifier: MIT */
/* The entry that libFuzzer looks for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
