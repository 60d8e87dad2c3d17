/* SPDX-License-Identifier: MIT */
/* What a device can do at most, measured: the roof that kernels are judged by. */
#pragma once

#include "compute/device.h"

G_BEGIN_DECLS

/**
 * PjLimits:
 * @flops: floating-point operations per second of a large matrix product
 * @bytes: bytes per second that a pass over memory far larger than the caches reads and writes
 *
 * Kernels whose data stay in a cache, and convolutions by fewer multiplications than counted (Winograd), can pass
 * these.
 */
typedef struct {
  double flops, bytes;
} PjLimits;

/* Measures both in about a third of a second, the better of several runs.  Engine thread. */
gboolean pj_limits_measure (PjDevice *device, PjLimits *limits, GError **error);

/* Seconds that so much work must take at least. */
double pj_limits_seconds (const PjLimits *limits, double flops, double bytes);

G_END_DECLS
