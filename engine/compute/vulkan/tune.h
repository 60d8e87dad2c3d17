/* SPDX-License-Identifier: MIT */
/* The autotuner: see compute/tune.h.  Private to this folder. */
#pragma once

#include "compute/tune.h"
#include "compute/vulkan/private.h"

G_BEGIN_DECLS

/* Reads what was found before; without a file there is nothing. */
void pj_vk_tune_init (PjVkDevice *device);
/* Writes what was found since. */
void pj_vk_tune_clear (PjVkDevice *device);

/**
 * pj_vk_tune_choose:
 * @call: the call whose kernel has variants, of @program
 * @what: describes kernel and shape: equal texts share what was found
 * @variants: @n_variants names, the first the safe choice; static
 *
 * Measures with a program of that call alone, unless it is known.  Where that is not possible (no memory) or not
 * wanted (PENJING_VULKAN_TUNE=0) the first is taken.
 *
 * Returns: index of the variant to emit
 */
unsigned pj_vk_tune_choose (PjVkDevice *device, const PjProgram *program, const PjCall *call, const char *what,
                            const char *const *variants, unsigned n_variants);

G_END_DECLS
