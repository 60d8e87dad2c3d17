/* SPDX-License-Identifier: MIT */
/* Local response norm (as the ONNX format defines its neighbourhood), instance norm and resizing. */
#include "reference.h"

#include <math.h>
#include <string.h>

/* --- local response norm --- */

static double
power_sum (const PjLrnParams *p, const double *x, RefView v, int64_t n, int64_t c, int64_t i)
{
  double sum = 0;
  for (int64_t k = MAX (0, c - (p->size - 1) / 2); k <= MIN (v.c - 1, c + p->size / 2); k++)
    sum += x[(n * v.c + k) * v.hw + i] * x[(n * v.c + k) * v.hw + i];
  return (double) p->bias + (double) p->alpha / p->size * sum;
}

void
ref_lrn (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  for (int64_t n = 0; n < v.n; n++)
    for (int64_t k = 0; k < v.c; k++)
      for (int64_t i = 0; i < v.hw; i++)
        c->out[0][(n * v.c + k) * v.hw + i] = c->in[0][(n * v.c + k) * v.hw + i]
                                              / pow (power_sum (&c->call->lrn, c->in[0], v, n, k, i), (double) c->call->lrn.beta);
}

/* The Jacobian, one output after the other: ∂y_c/∂x_k = d^−β·[c = k] − 2αβ/size·x_c·x_k·d^(−β−1). */
void
ref_lrn_bwd (const RefCall *c)
{
  const PjLrnParams *p = &c->call->lrn;
  RefView v = ref_view (c->in_shape[0]);
  double beta = (double) p->beta;

  memset (c->out[0], 0, pj_shape_n_elems (c->out_shape[0]) * sizeof (double));
  for (int64_t n = 0; n < v.n; n++)
    for (int64_t o = 0; o < v.c; o++)
      for (int64_t i = 0; i < v.hw; i++) {
        double d = power_sum (p, c->in[0], v, n, o, i), dy = c->in[1][(n * v.c + o) * v.hw + i];
        double x_o = c->in[0][(n * v.c + o) * v.hw + i];
        c->out[0][(n * v.c + o) * v.hw + i] += dy * pow (d, -beta);
        for (int64_t k = MAX (0, o - (p->size - 1) / 2); k <= MIN (v.c - 1, o + p->size / 2); k++)
          c->out[0][(n * v.c + k) * v.hw + i] -=
            dy * 2 * (double) p->alpha * beta / p->size * x_o * c->in[0][(n * v.c + k) * v.hw + i] * pow (d, -beta - 1);
      }
}

/* --- instance norm --- */

void
ref_instance_norm (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  for (int64_t r = 0; r < v.n * v.c; r++) {
    const double *x = c->in[0] + r * v.hw;
    double mean = 0, var = 0;
    for (int64_t i = 0; i < v.hw; i++)
      mean += x[i] / (double) v.hw;
    for (int64_t i = 0; i < v.hw; i++)
      var += (x[i] - mean) * (x[i] - mean) / (double) v.hw;
    c->out[1][r] = mean;
    c->out[2][r] = 1 / sqrt (var + (double) c->call->norm.eps);
    for (int64_t i = 0; i < v.hw; i++)
      c->out[0][r * v.hw + i] = c->in[1][r % v.c] * (x[i] - mean) * c->out[2][r] + c->in[2][r % v.c];
  }
}

/* Ioffe and Szegedy 2015, the equations of section 3, over one row. */
void
ref_instance_norm_bwd (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  double m = (double) v.hw;

  for (int64_t k = 0; !c->call->accumulate && k < v.c; k++)
    c->out[1][k] = c->out[2][k] = 0;
  for (int64_t r = 0; r < v.n * v.c; r++) {
    const double *x = c->in[0] + r * v.hw, *dy = c->in[1] + r * v.hw;
    double mean = c->in[3][r], rstd = c->in[4][r], gamma = c->in[2][r % v.c], dvar = 0, dmean = 0;
    for (int64_t i = 0; i < v.hw; i++) {
      dvar += dy[i] * gamma * (x[i] - mean) * -0.5 * rstd * rstd * rstd;
      dmean -= dy[i] * gamma * rstd;
      c->out[1][r % v.c] += dy[i] * (x[i] - mean) * rstd;
      c->out[2][r % v.c] += dy[i];
    }
    for (int64_t i = 0; i < v.hw; i++)
      dmean -= dvar * 2 * (x[i] - mean) / m;
    for (int64_t i = 0; i < v.hw; i++)
      c->out[0][r * v.hw + i] = dy[i] * gamma * rstd + dvar * 2 * (x[i] - mean) / m + dmean / m;
  }
}

/* --- resizing: a weighted sum, its weights asked for pixel by pixel --- */

static double
place (const PjResizeParams *p, int axis, int64_t i, int64_t n_out, int64_t n_in)
{
  double scale = (double) p->scale[axis];
  if (p->grid == PJ_RESIZE_ALIGN_CORNERS)
    return n_out == 1 ? 0 : (double) (i * (n_in - 1)) / (double) (n_out - 1);
  return p->grid == PJ_RESIZE_ASYMMETRIC ? (double) i / scale : ((double) i + 0.5) / scale - 0.5;
}

/* Share of input pixel @k in output pixel @i along one axis. */
static double
share (const PjResizeParams *p, int axis, int64_t i, int64_t n_out, int64_t k, int64_t n_in)
{
  double at = place (p, axis, i, n_out, n_in);
  if (p->mode == PJ_RESIZE_NEAREST) {
    double nearest = p->floor ? floor (at) : ceil (at - 0.5);
    return (double) k == MAX (0, MIN ((double) (n_in - 1), nearest)) ? 1 : 0;
  }
  return MAX (0, 1 - fabs (MAX (0, MIN ((double) (n_in - 1), at)) - (double) k));
}

static void
resize (const RefCall *c, const PjShape *x, const PjShape *y, gboolean forward)
{
  const PjResizeParams *p = &c->call->resize;
  memset (c->out[0], 0, pj_shape_n_elems (c->out_shape[0]) * sizeof (double));
  for (int64_t n = 0; n < x->dim[0] * x->dim[1]; n++)
    for (int64_t i = 0; i < y->dim[2]; i++)
      for (int64_t j = 0; j < y->dim[3]; j++)
        for (int64_t h = 0; h < x->dim[2]; h++)
          for (int64_t w = 0; w < x->dim[3]; w++) {
            double s = share (p, 0, i, y->dim[2], h, x->dim[2]) * share (p, 1, j, y->dim[3], w, x->dim[3]);
            int64_t large = (n * y->dim[2] + i) * y->dim[3] + j, small = (n * x->dim[2] + h) * x->dim[3] + w;
            c->out[0][forward ? large : small] += s * c->in[0][forward ? small : large];
          }
}

void
ref_resize (const RefCall *c)
{
  resize (c, c->in_shape[0], c->out_shape[0], TRUE);
}

void
ref_resize_bwd (const RefCall *c)
{
  resize (c, c->out_shape[0], c->in_shape[0], FALSE);
}
