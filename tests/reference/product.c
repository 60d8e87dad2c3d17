/* SPDX-License-Identifier: MIT */
/* y[n,o,p,q] = Σ_{i,k,l} w[o,i,k,l]·x[n, g(o)·I + i, p·s − pad + k·d, q·s − pad + l·d], and its two
 * transposes; products are the same without maps. */
#include "reference.h"

#include <string.h>

/* One product of a convolution: which elements of x, w and y meet. */
typedef void (*Term) (const RefCall *c, int64_t x, int64_t w, int64_t y);

/* Inlined with its term: half of the time of the tests of products is spent here. */
__attribute__ ((always_inline)) static inline void
each_term (const RefCall *c, const PjShape *xs, const PjShape *ws, const PjShape *ys, Term term)
{
  const PjConvParams *p = &c->call->conv;
  int64_t per_group = ws->dim[0] / p->groups;

  for (int64_t n = 0; n < ys->dim[0]; n++)
    for (int64_t o = 0; o < ws->dim[0]; o++)
      for (int64_t oy = 0; oy < ys->dim[2]; oy++)
        for (int64_t ox = 0; ox < ys->dim[3]; ox++)
          for (int64_t i = 0; i < ws->dim[1]; i++)
            for (int64_t ky = 0; ky < ws->dim[2]; ky++) {
              int64_t iy = oy * p->stride[0] - p->pad[0] + ky * p->dilation[0];
              int64_t row = (n * xs->dim[1] + o / per_group * ws->dim[1] + i) * xs->dim[2] + iy;
              if (iy < 0 || iy >= xs->dim[2])
                continue;
              for (int64_t kx = 0; kx < ws->dim[3]; kx++) {
                int64_t ix = ox * p->stride[1] - p->pad[1] + kx * p->dilation[1];
                if (ix >= 0 && ix < xs->dim[3])
                  term (c, row * xs->dim[3] + ix, ((o * ws->dim[1] + i) * ws->dim[2] + ky) * ws->dim[3] + kx,
                        ((n * ys->dim[1] + o) * ys->dim[2] + oy) * ys->dim[3] + ox);
              }
            }
}

static void
clear (double *data, const PjShape *shape)
{
  memset (data, 0, pj_shape_n_elems (shape) * sizeof (double));
}

static void
forward_term (const RefCall *c, int64_t x, int64_t w, int64_t y)
{
  c->out[0][y] += c->in[0][x] * c->in[1][w];
}

static void
input_term (const RefCall *c, int64_t x, int64_t w, int64_t y)
{
  c->out[0][x] += c->in[0][y] * c->in[1][w];
}

static void
weight_term (const RefCall *c, int64_t x, int64_t w, int64_t y)
{
  c->out[0][w] += c->in[0][x] * c->in[1][y];
}

/* y = relu? (y + b + r) */
static void
finish (const RefCall *c, const double *r)
{
  RefView v = ref_view (c->out_shape[0]);
  for (int64_t i = 0; i < v.n * v.c * v.hw; i++)
    c->out[0][i] = ref_relu_if (c, c->out[0][i] + (c->in[2] ? c->in[2][i / v.hw % v.c] : 0) + (r ? r[i] : 0));
}

/* db[o] = Σ dy */
static void
bias_gradient (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[1]);
  for (int64_t o = 0; c->out[1] != NULL && o < v.c; o++) {
    double sum = c->call->accumulate ? c->out[1][o] : 0;
    for (int64_t n = 0; n < v.n; n++)
      for (int64_t i = 0; i < v.hw; i++)
        sum += c->in[1][(n * v.c + o) * v.hw + i];
    c->out[1][o] = sum;
  }
}

void
ref_conv (const RefCall *c)
{
  clear (c->out[0], c->out_shape[0]);
  each_term (c, c->in_shape[0], c->in_shape[1], c->out_shape[0], forward_term);
  finish (c, c->in[3]);
}

/* One term of the channel that is missing. */
static void
without_term (const RefCall *c, int64_t x, int64_t w, int64_t y)
{
  const PjShape *ws = c->in_shape[1];
  if (w / (ws->dim[2] * ws->dim[3]) % ws->dim[1] == (int64_t) c->in[3][0])
    c->out[0][y] -= c->in[0][x] * c->in[1][w];
}

/* A product is a convolution on maps of one pixel. */
static PjShape
as_map (const PjShape *shape)
{
  return shape->rank == 4 ? *shape : PJ_SHAPE (shape->dim[0], shape->dim[1], 1, 1);
}

void
ref_conv_without (const RefCall *c)
{
  PjShape x = as_map (c->in_shape[0]), w = as_map (c->in_shape[1]), y = as_map (c->out_shape[0]);
  RefCall maps = *c;
  maps.in_shape[1] = &w;
  memcpy (c->out[0], c->in[2], pj_shape_n_elems (&y) * sizeof (double));
  each_term (&maps, &x, &w, &y, without_term);
  for (size_t i = 0; i < pj_shape_n_elems (&y); i++)
    c->out[0][i] = ref_relu_if (c, c->out[0][i]);
}

void
ref_conv_bwd_input (const RefCall *c)
{
  clear (c->out[0], c->out_shape[0]);
  each_term (c, c->out_shape[0], c->in_shape[1], c->in_shape[0], input_term);
}

void
ref_conv_bwd_weight (const RefCall *c)
{
  if (!c->call->accumulate)
    clear (c->out[0], c->out_shape[0]);
  each_term (c, c->in_shape[0], c->out_shape[0], c->in_shape[1], weight_term);
  bias_gradient (c);
}

void
ref_gemm (const RefCall *c)
{
  int64_t n_in = c->in_shape[1]->dim[1], n_out = c->in_shape[1]->dim[0];
  clear (c->out[0], c->out_shape[0]);
  for (int64_t n = 0; n < c->in_shape[0]->dim[0]; n++)
    for (int64_t o = 0; o < n_out; o++)
      for (int64_t i = 0; i < n_in; i++)
        c->out[0][n * n_out + o] += c->in[0][n * n_in + i] * c->in[1][o * n_in + i];
  finish (c, NULL);
}

void
ref_gemm_bwd_input (const RefCall *c)
{
  int64_t n_in = c->in_shape[1]->dim[1], n_out = c->in_shape[1]->dim[0];
  clear (c->out[0], c->out_shape[0]);
  for (int64_t n = 0; n < c->in_shape[0]->dim[0]; n++)
    for (int64_t o = 0; o < n_out; o++)
      for (int64_t i = 0; i < n_in; i++)
        c->out[0][n * n_in + i] += c->in[0][n * n_out + o] * c->in[1][o * n_in + i];
}

void
ref_gemm_bwd_weight (const RefCall *c)
{
  int64_t n_in = c->out_shape[0]->dim[1], n_out = c->out_shape[0]->dim[0];
  if (!c->call->accumulate)
    clear (c->out[0], c->out_shape[0]);
  for (int64_t n = 0; n < c->in_shape[0]->dim[0]; n++)
    for (int64_t o = 0; o < n_out; o++)
      for (int64_t i = 0; i < n_in; i++)
        c->out[0][o * n_in + i] += c->in[0][n * n_in + i] * c->in[1][n * n_out + o];
  bias_gradient (c);
}
