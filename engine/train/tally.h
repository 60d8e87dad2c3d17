/* SPDX-License-Identifier: MIT */
/* Counting right answers and summing losses.  Private to this folder. */
#pragma once

#include "train/evaluate.h"

G_BEGIN_DECLS

typedef struct {
  unsigned n_classes, n, n_max;
  unsigned top1, top5;
  double loss;
  unsigned *class_n, *class_right;
  guint8 *correct;          /* n_max flags */
  uint16_t *answers;        /* n_max classes */
} PjTally;

void pj_tally_init (PjTally *self, unsigned n_classes, unsigned n_max);
void pj_tally_clear (PjTally *self);
/* Adds @n pictures. @logits: n × n_classes; a class ties with a lower index rank below it, and what is
 * not a number ranks above all, so a broken network is never right. */
void pj_tally_add (PjTally *self, const float *logits, const int32_t *labels, unsigned n);
/* Moves the results to @accuracy. @seconds: time of the device. */
void pj_tally_finish (PjTally *self, double seconds, PjAccuracy *accuracy);

G_END_DECLS
