/* SPDX-License-Identifier: MIT */
#include "prune/gates/adversary.h"

#include <math.h>

#define MOMENTUM 0.9
#define DECAY 2e-4

/* The maps for so many classes; numbers follow. */
static PjMlp
maps (int n_classes)
{
  return (PjMlp) { .n_layers = 4, .size = { n_classes, 128, 256, 128, 1 } };
}

gsize
pj_adversary_n_numbers (int n_classes)
{
  PjMlp mlp = maps (n_classes);
  return 2 * pj_mlp_n_weights (&mlp);
}

void
pj_adversary_init (PjAdversary *self, double *numbers, int n_classes, gboolean squashed)
{
  *self = (PjAdversary) { .mlp = maps (n_classes), .n_classes = n_classes, .squashed = squashed };
  self->mlp.w = numbers;
  self->speed = numbers + pj_mlp_n_weights (&self->mlp);
}

void
pj_adversary_start (PjAdversary *self, uint64_t seed)
{
  pj_mlp_start (&self->mlp, seed, 0xad);
}

static double
sigmoid (double x)
{
  return 1 / (1 + exp (-x));
}

double
pj_adversary_entropy (const double *d, int n, int target)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    /* log (1 + exp (x)) without overflow. */
    double x = target ? -d[i] : d[i];
    sum += MAX (x, 0) + log1p (exp (-fabs (x)));
  }
  return sum / n;
}

/* Adds the mean entropy's gradient with respect to what the maps give, and returns the entropy. */
static double
feel (const PjAdversary *self, const double *d, int n, int target, double *dd)
{
  g_autofree double *seen = g_new (double, n);
  for (int i = 0; i < n; i++) {
    seen[i] = self->squashed ? sigmoid (d[i]) : d[i];
    dd[i] += (sigmoid (seen[i]) - target) / n * (self->squashed ? seen[i] * (1 - seen[i]) : 1);
  }
  return pj_adversary_entropy (seen, n, target);
}

static double *
widen (const float *logits, int n)
{
  double *wide = g_new (double, n);
  for (int i = 0; i < n; i++)
    wide[i] = logits[i];
  return wide;
}

double
pj_adversary_learn (PjAdversary *self, const float *teacher, const float *student, int n, double lr)
{
  gsize n_weights = pj_mlp_n_weights (&self->mlp);
  g_autofree double *dw = g_new0 (double, n_weights), *acts = g_new (double, pj_mlp_n_acts (&self->mlp, n));
  const float *both[2] = { teacher, student };
  double loss = 0;

  for (int b = 0; b < 2; b++) {
    g_autofree double *x = widen (both[b], n * self->n_classes), *dd = g_new0 (double, n);
    const double *d = pj_mlp_run (&self->mlp, x, n, acts);
    loss += feel (self, d, n, 1, dd);
    if (b == 1)
      loss += feel (self, d, n, 0, dd);
    pj_mlp_back (&self->mlp, x, n, acts, dd, dw, NULL);
  }
  pj_momentum_step (self->mlp.w, dw, self->speed, n_weights, lr, MOMENTUM, DECAY);
  return loss;
}

double
pj_adversary_loss (const PjAdversary *self, const float *teacher, const float *student, int n, double mu, float *grads)
{
  int all = n * self->n_classes;
  g_autofree double *x = widen (student, all), *acts = g_new (double, pj_mlp_n_acts (&self->mlp, n));
  g_autofree double *dd = g_new0 (double, n), *dx = g_new (double, all);
  double squares = 0, loss = feel (self, pj_mlp_run (&self->mlp, x, n, acts), n, 1, dd);

  pj_mlp_back (&self->mlp, x, n, acts, dd, NULL, dx);
  for (int i = 0; i < all; i++) {
    double apart = (double) student[i] - teacher[i];
    squares += apart * apart;
    grads[i] = (float) (dx[i] + 2 * mu * apart / all);
  }
  return loss + mu * squares / all;
}
