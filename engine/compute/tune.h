/* SPDX-License-Identifier: MIT */
/* What a device learned about its own kernels: for `penjing-cli bench tune`. */
#pragma once

#include "compute/device.h"

G_BEGIN_DECLS

#define PJ_TUNE_MAX_VARIANTS 4

/**
 * PjTuneRow: one kernel at one shape.
 * @what: "conv 3x3 64x28x28 to 64 n64": kernel, shape, pictures
 * @variants: names; "?" for a row that only came from the file
 * @ms: of each, the least of a few runs; negative if it could not be run
 * @best: index of the one that is used
 */
typedef struct {
  char *what;
  unsigned n_variants, best;
  const char *variants[PJ_TUNE_MAX_VARIANTS];
  double ms[PJ_TUNE_MAX_VARIANTS];
} PjTuneRow;

/**
 * pj_device_tuning:
 *
 * A Vulkan device measures the variants of a kernel the first time a plan needs it at a new shape, and keeps what it
 * found in a file per device, driver and version, so that later starts only read it.  All variants add in the same
 * order: the choice changes no bit of any result.
 *
 * Returns: (transfer container) (element-type PjTuneRow): all that is known for this device, sorted by @what; empty for
 *   devices without variants. The rows belong to the device.
 */
GPtrArray *pj_device_tuning (PjDevice *device);

G_END_DECLS
