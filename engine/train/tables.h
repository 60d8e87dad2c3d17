/* SPDX-License-Identifier: MIT */
/* Published tables, computed again: networks that are made by name, cut as their papers cut them, and counted.  No
 * weights are needed, so any row takes milliseconds. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/**
 * PjConvention: what a published number counts.
 * @PJ_COUNT_WEIGHTS: weights of convolutions and fully connected layers
 * @PJ_COUNT_CAFFE: weights + 2 per norm channel
 * @PJ_COUNT_LEARNABLE: weights, biases and 2 per norm channel
 * @PJ_COUNT_MACS: multiply-accumulates of convolutions and fully connected layers, one picture
 * @PJ_COUNT_MACS_BN: the same + 1 per norm channel
 * @PJ_COUNT_FLOPS: 2 per multiply-accumulate
 * @PJ_COUNT_FLOPS_CAFFE: the same + 4 per norm channel
 */
typedef enum {
  PJ_COUNT_WEIGHTS, PJ_COUNT_CAFFE, PJ_COUNT_LEARNABLE, PJ_COUNT_MACS, PJ_COUNT_MACS_BN, PJ_COUNT_FLOPS,
  PJ_COUNT_FLOPS_CAFFE, PJ_N_CONVENTIONS
} PjConvention;

/* "macs_bn"; and a sentence fragment. */
const char *pj_convention_name (PjConvention convention);
const char *pj_convention_about (PjConvention convention);
uint64_t pj_convention_count (PjConvention convention, const PjCost *cost);

/* A number as a paper prints it: 4.09 with 'G' for 4.09 · 10⁹ ('M' for 10⁶). @printed: NULL ends a list. */
typedef struct {
  PjConvention convention;
  const char *printed;
  char unit;
} PjClaim;

/* TRUE if @count is printed so: rounded to as many places, perhaps after it was rounded to six digits. */
gboolean pj_claim_agrees (const PjClaim *claim, uint64_t count);

#define PJ_MAX_CLAIMS 3

/**
 * PjTableRow:
 * @name: the network as the table calls it
 * @arch: what it was made from, with its width ("resnet50-0.5"); @n_classes: its classes
 * @how: what was cut, one sentence fragment; NULL for nothing
 * @claims: what is printed about it
 * @note: (nullable): why a number cannot agree, or what else is to be known
 * @cut, @widths, @ratio: how to make it; for pj_table_row_make()
 */
typedef struct _PjTableRow PjTableRow;
struct _PjTableRow {
  const char *name, *arch;
  unsigned n_classes;
  const char *how;
  PjClaim claims[PJ_MAX_CLAIMS + 1];
  const char *note;
  PjGraph *(*cut) (const PjTableRow *self, const PjGraph *graph, GError **error);
  const int *widths;
  double ratio;
};

/* Ends with a row without a name. */
extern const PjTableRow pj_table_rows[];

/* The network of a row, an outline without weights. (transfer full) */
PjGraph *pj_table_row_make (const PjTableRow *self, GError **error);

/* Printed numbers that do not follow from published widths: what is missing is said. Ends without a name. */
typedef struct {
  const char *name, *printed, *missing;
} PjQuotedRow;

extern const PjQuotedRow pj_quoted_rows[];

/* A speed-up as a paper prints it, and the billions of FLOPs, before and after, that it prints for it.  Two baselines
 * are about for ResNet-50, 7.72 and 8.18: a network with the stride in the first 1 × 1 and one with it in the 3 × 3. */
typedef struct {
  const char *name;
  double flops, baseline;
  const char *printed;
} PjSpeedupRow;

/* Ends without a name. */
extern const PjSpeedupRow pj_speedup_rows[];
/* baseline/flops to two places. */
double pj_speedup_ratio (const PjSpeedupRow *self);

/* A training time as printed, in days, and what it is made of: what took so many seconds, so many times. */
typedef struct {
  const char *name, *what;
  struct { double seconds, times; } parts[2];
  const char *printed;
} PjDaysRow;

/* Ends without a name. */
extern const PjDaysRow pj_days_rows[];
/* To two places. */
double pj_days (const PjDaysRow *self);

G_END_DECLS
