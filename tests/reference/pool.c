/* SPDX-License-Identifier: MIT */
/* Pooling.  Windows are cut to the input; padding is −∞ for the maximum and, if it counts, 0 for the mean. */
#include "reference.h"

#include <math.h>
#include <string.h>

/* A window cut to the input, and the number of taps in the padded input. */
typedef struct { int64_t y0, y1, x0, x1, padded; } Window;

static Window
window (const PjPoolParams *p, const PjShape *xs, int64_t oy, int64_t ox)
{
  int64_t y0 = oy * p->stride[0] - p->pad[0], x0 = ox * p->stride[1] - p->pad[1];
  int64_t y1 = MIN (y0 + p->kernel[0], xs->dim[2] + p->pad[2]), x1 = MIN (x0 + p->kernel[1], xs->dim[3] + p->pad[3]);
  return (Window) { MAX (y0, 0), MIN (y1, xs->dim[2]), MAX (x0, 0), MIN (x1, xs->dim[3]), (y1 - y0) * (x1 - x0) };
}

/* Runs @body at every output with its window @w, its index @at and the index @plane of its input map. */
#define EACH_OUTPUT(c, xs, ys, body) \
  for (int64_t m_ = 0; m_ < (ys)->dim[0] * (ys)->dim[1]; m_++) \
    for (int64_t oy_ = 0; oy_ < (ys)->dim[2]; oy_++) \
      for (int64_t ox_ = 0; ox_ < (ys)->dim[3]; ox_++) { \
        Window w = window (&(c)->call->pool, xs, oy_, ox_); \
        int64_t at = (m_ * (ys)->dim[2] + oy_) * (ys)->dim[3] + ox_, plane = m_ * (xs)->dim[2] * (xs)->dim[3]; \
        body; \
      }
#define EACH_TAP(w, xs, i, body) \
  for (int64_t iy_ = (w).y0; iy_ < (w).y1; iy_++) \
    for (int64_t ix_ = (w).x0; ix_ < (w).x1; ix_++) { \
      int64_t i = plane + iy_ * (xs)->dim[3] + ix_; \
      body; \
    }

void
ref_max_pool (const RefCall *c)
{
  EACH_OUTPUT (c, c->in_shape[0], c->out_shape[0], {
    double best = -INFINITY;
    EACH_TAP (w, c->in_shape[0], i, {
      if (c->in[0][i] > best) {
        best = c->in[0][i];
        if (c->out[1] != NULL)
          c->out[1][at] = (double) i;
      }
    });
    c->out[0][at] = best;
  });
}

void
ref_max_pool_bwd (const RefCall *c)
{
  memset (c->out[0], 0, pj_shape_n_elems (c->out_shape[0]) * sizeof (double));
  for (size_t i = 0; i < pj_shape_n_elems (c->in_shape[0]); i++)
    c->out[0][(size_t) c->in[1][i]] += c->in[0][i];
}

static double
divisor (const RefCall *c, Window w)
{
  return c->call->pool.count_include_pad ? (double) w.padded : (double) ((w.y1 - w.y0) * (w.x1 - w.x0));
}

void
ref_avg_pool (const RefCall *c)
{
  EACH_OUTPUT (c, c->in_shape[0], c->out_shape[0], {
    double sum = 0;
    EACH_TAP (w, c->in_shape[0], i, sum += c->in[0][i]);
    c->out[0][at] = sum / divisor (c, w);
  });
}

void
ref_avg_pool_bwd (const RefCall *c)
{
  memset (c->out[0], 0, pj_shape_n_elems (c->out_shape[0]) * sizeof (double));
  EACH_OUTPUT (c, c->out_shape[0], c->in_shape[0], {
    EACH_TAP (w, c->out_shape[0], i, c->out[0][i] += c->in[0][at] / divisor (c, w));
  });
}
