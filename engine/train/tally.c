/* SPDX-License-Identifier: MIT */
#include "train/tally.h"

#include <math.h>
#include <string.h>

#define TOP 5

void
pj_tally_init (PjTally *self, unsigned n_classes, unsigned n_max)
{
  *self = (PjTally) { .n_classes = n_classes, .n_max = n_max };
  self->class_n = g_new0 (unsigned, n_classes);
  self->class_right = g_new0 (unsigned, n_classes);
  self->correct = g_new0 (guint8, n_max);
  self->answers = g_new0 (uint16_t, n_max);
}

void
pj_tally_clear (PjTally *self)
{
  g_free (self->class_n);
  g_free (self->class_right);
  g_free (self->correct);
  g_free (self->answers);
  memset (self, 0, sizeof *self);
}

/* Classes that rank above @label. */
static unsigned
rank_of (const float *logits, unsigned n, unsigned label)
{
  unsigned rank = 0;
  if (!isfinite (logits[label]))
    return n;
  for (unsigned k = 0; k < n; k++)
    if (k != label && !(logits[k] < logits[label] || (logits[k] == logits[label] && k > label)))
      rank++;
  return rank;
}

/* The class that ranks first; by the same rules as rank_of(). */
static uint16_t
first_of (const float *logits, unsigned n)
{
  unsigned best = 0;
  for (unsigned k = 0; k < n; k++) {
    if (isnan (logits[k]))
      return PJ_NO_ANSWER;
    if (logits[k] > logits[best])
      best = k;
  }
  return isfinite (logits[best]) && best < PJ_NO_ANSWER ? (uint16_t) best : PJ_NO_ANSWER;
}

/* −log softmax of @label. */
static double
cross_entropy (const float *logits, unsigned n, unsigned label)
{
  double largest = -INFINITY, sum = 0;
  for (unsigned k = 0; k < n; k++)
    largest = MAX (largest, (double) logits[k]);
  for (unsigned k = 0; k < n; k++)
    sum += exp ((double) logits[k] - largest);
  return largest + log (sum) - (double) logits[label];
}

void
pj_tally_add (PjTally *self, const float *logits, const int32_t *labels, unsigned n)
{
  for (unsigned i = 0; i < n && self->n < self->n_max; i++, logits += self->n_classes) {
    unsigned label = (unsigned) labels[i], rank = rank_of (logits, self->n_classes, label);
    self->loss += cross_entropy (logits, self->n_classes, label);
    self->top1 += rank == 0;
    self->top5 += rank < TOP;
    self->class_n[label]++;
    self->class_right[label] += rank == 0;
    self->answers[self->n] = first_of (logits, self->n_classes);
    self->correct[self->n++] = rank == 0;
  }
}

void
pj_tally_finish (PjTally *self, double seconds, PjAccuracy *accuracy)
{
  double n = MAX (self->n, 1);
  memset (accuracy, 0, sizeof *accuracy);
  accuracy->n = self->n;
  accuracy->n_classes = self->n_classes;
  accuracy->top1 = self->top1 / n;
  accuracy->top5 = self->top5 / n;
  accuracy->loss = self->loss / n;
  accuracy->images_per_second = seconds > 0 ? self->n / seconds : 0;
  accuracy->per_class = g_new0 (float, self->n_classes);
  for (unsigned k = 0; k < self->n_classes; k++)
    accuracy->per_class[k] = self->class_n[k] > 0 ? (float) self->class_right[k] / (float) self->class_n[k] : 0;
  accuracy->correct = g_steal_pointer (&self->correct);
  accuracy->answers = g_steal_pointer (&self->answers);
  pj_tally_clear (self);
}

void
pj_accuracy_clear (PjAccuracy *self)
{
  g_free (self->per_class);
  g_free (self->correct);
  g_free (self->answers);
  memset (self, 0, sizeof *self);
}

double
pj_accuracy_error (const PjAccuracy *self)
{
  return self->n > 0 ? sqrt (self->top1 * (1 - self->top1) / self->n) : 0;
}
