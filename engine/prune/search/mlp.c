/* SPDX-License-Identifier: MIT */
#include "prune/search/mlp.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

gsize
pj_mlp_n_weights (const PjMlp *self)
{
  gsize n = 0;
  for (unsigned l = 0; l < self->n_layers; l++)
    n += (gsize) (self->size[l] + 1) * self->size[l + 1];
  return n;
}

gsize
pj_mlp_n_acts (const PjMlp *self, int n)
{
  gsize sum = 0;
  for (unsigned l = 1; l <= self->n_layers; l++)
    sum += (gsize) n * self->size[l];
  return sum;
}

void
pj_mlp_start (PjMlp *self, uint64_t seed, uint32_t which)
{
  double *w = self->w;
  for (unsigned l = 0; l < self->n_layers; l++) {
    PjRng rng;
    double even = 1 / sqrt (self->size[l]);
    pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_INIT, 0x3170 + which, l));
    for (int i = 0; i < (self->size[l] + 1) * self->size[l + 1]; i++)
      *w++ = even * (2 * pj_rng_uniform (&rng) - 1);
  }
}

/* y = x·W + b of one sample. */
static void
affine (const double *w, const double *x, int n_in, int n_out, double *y)
{
  memcpy (y, w + (gsize) n_in * n_out, (gsize) n_out * sizeof (double));
  for (int i = 0; i < n_in; i++)
    for (int o = 0; o < n_out; o++)
      y[o] += x[i] * w[(gsize) i * n_out + o];
}

const double *
pj_mlp_run (const PjMlp *self, const double *x, int n, double *acts)
{
  const double *w = self->w;
  for (unsigned l = 0; l < self->n_layers; l++) {
    int n_in = self->size[l], n_out = self->size[l + 1];
    for (int s = 0; s < n; s++) {
      double *y = acts + (gsize) s * n_out;
      affine (w, x + (gsize) s * n_in, n_in, n_out, y);
      for (int o = 0; self->relu && l + 1 < self->n_layers && o < n_out; o++)
        y[o] = MAX (0, y[o]);
    }
    x = acts;
    acts += (gsize) n * n_out;
    w += (gsize) (n_in + 1) * n_out;
  }
  return x;
}

/* Four partial sums, so that the compiler may use vectors and the order is still fixed. */
static double
dot (const double *a, const double *b, int n)
{
  double sum[4] = { 0, 0, 0, 0 }, rest = 0;
  int i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; k++)
      sum[k] += a[i + k] * b[i + k];
  for (; i < n; i++)
    rest += a[i] * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]) + rest;
}

/* One map, one sample. */
static void
affine_back (const double *w, const double *x, const double *dy, int n_in, int n_out, double *dw, double *dx)
{
  for (int i = 0; i < n_in; i++) {
    if (dx != NULL)
      dx[i] = dot (w + (gsize) i * n_out, dy, n_out);
    for (int o = 0; dw != NULL && o < n_out; o++)
      dw[(gsize) i * n_out + o] += x[i] * dy[o];
  }
  for (int o = 0; dw != NULL && o < n_out; o++)
    dw[(gsize) n_in * n_out + o] += dy[o];
}

void
pj_mlp_back (const PjMlp *self, const double *x, int n, const double *acts, const double *dy, double *dw, double *dx)
{
  int widest = self->size[0];
  for (unsigned l = 1; l <= self->n_layers; l++)
    widest = MAX (widest, self->size[l]);
  g_autofree double *here = g_memdup2 (dy, (gsize) n * self->size[self->n_layers] * sizeof (double));
  g_autofree double *before = g_new (double, (gsize) n * widest);
  gsize w_at = pj_mlp_n_weights (self), act_at = pj_mlp_n_acts (self, n) - (gsize) n * self->size[self->n_layers];

  here = g_renew (double, here, (gsize) n * widest);
  for (unsigned l = self->n_layers; l-- > 0;) {
    int n_in = self->size[l], n_out = self->size[l + 1];
    w_at -= (gsize) (n_in + 1) * n_out;
    act_at -= l > 0 ? (gsize) n * n_in : 0;
    const double *in = l > 0 ? acts + act_at : x;
    double *down = l > 0 ? before : dx;
    for (int s = 0; s < n; s++) {
      affine_back (self->w + w_at, in + (gsize) s * n_in, here + (gsize) s * n_out, n_in, n_out, dw != NULL ? dw + w_at : NULL,
                   down != NULL ? down + (gsize) s * n_in : NULL);
      for (int i = 0; self->relu && l > 0 && i < n_in; i++)
        if (in[(gsize) s * n_in + i] <= 0)
          down[(gsize) s * n_in + i] = 0;
    }
    if (l > 0)
      memcpy (here, before, (gsize) n * n_in * sizeof (double));
  }
}

void
pj_adam_step (double *w, const double *grad, double *moments, gsize n, double lr, double t)
{
  double *m = moments, *v = moments + n, one = 1 - pow (0.9, t), two = 1 - pow (0.999, t);
  for (gsize i = 0; i < n; i++) {
    m[i] = 0.9 * m[i] + 0.1 * grad[i];
    v[i] = 0.999 * v[i] + 0.001 * grad[i] * grad[i];
    w[i] -= lr * (m[i] / one) / (sqrt (v[i] / two) + 1e-8);
  }
}

void
pj_momentum_step (double *w, const double *grad, double *speed, gsize n, double lr, double momentum, double decay)
{
  for (gsize i = 0; i < n; i++) {
    speed[i] = momentum * speed[i] + grad[i] + decay * w[i];
    w[i] -= lr * speed[i];
  }
}
