/* SPDX-License-Identifier: MIT */
/* Batch normalisation (Ioffe and Szegedy 2015), gates, folding and statistics. */
#include "reference.h"

#include <math.h>
#include <string.h>

/* Runs @body with i over the elements of channel @c. */
#define EACH(v, ch, i, ...) \
  for (int64_t n_ = 0; n_ < (v).n; n_++) \
    for (int64_t p_ = 0; p_ < (v).hw; p_++) { \
      int64_t i = (n_ * (v).c + (ch)) * (v).hw + p_; \
      __VA_ARGS__; \
    }

/* y = relu? (g·(γ·(x − mean)·rstd + β)) for one channel. */
static void
normalise (const RefCall *c, RefView v, int64_t ch, double mean, double rstd, const double *gate)
{
  double g = gate ? gate[ch] : 1;
  EACH (v, ch, i, c->out[0][i] = ref_relu_if (c, g * (c->in[1][ch] * (c->in[0][i] - mean) * rstd + c->in[2][ch])));
}

void
ref_norm_train (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  double count = (double) (v.n * v.hw), m = c->in[5][PJ_HYPER_NORM_MOMENTUM];

  for (int64_t ch = 0; ch < v.c; ch++) {
    double mean = 0, var = 0;
    EACH (v, ch, i, mean += c->in[0][i] / count);
    EACH (v, ch, i, var += (c->in[0][i] - mean) * (c->in[0][i] - mean) / count);
    c->out[1][ch] = mean;
    c->out[2][ch] = 1 / sqrt (var + c->call->norm.eps);
    c->in[3][ch] += m * (mean - c->in[3][ch]);
    if (count > 1)
      c->in[4][ch] += m * (var * count / (count - 1) - c->in[4][ch]);
    normalise (c, v, ch, mean, c->out[2][ch], c->in[6]);
  }
}

void
ref_norm_eval (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  for (int64_t ch = 0; ch < v.c; ch++)
    normalise (c, v, ch, c->in[3][ch], 1 / sqrt (c->in[4][ch] + c->call->norm.eps), c->in[5]);
}

void
ref_norm_apply (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  for (int64_t ch = 0; ch < v.c; ch++)
    normalise (c, v, ch, c->in[3][ch], c->in[4][ch], c->in[5]);
}

/* dy[i] with the ReLU undone. */
static double
behind (const RefCall *c, int64_t i)
{
  double y = c->call->relu ? c->in[1][i] : 1, top = c->call->relu ? pj_call_ceiling (c->call) : 2;
  return y > 0 && y < top ? c->in[2][i] : 0;
}

static void
norm_backward (const RefCall *c, gboolean frozen)
{
  RefView v = ref_view (c->in_shape[0]);
  double count = (double) (v.n * v.hw);

  for (int64_t ch = 0; ch < v.c; ch++) {
    double mean = c->in[5][ch], rstd = frozen ? 1 / sqrt (c->in[6][ch] + c->call->norm.eps) : c->in[6][ch];
    double g = c->in[7] ? c->in[7][ch] : 1, gamma = c->in[3][ch], beta = c->in[4][ch];
    double sum_e = 0, sum_ex = 0, dg = 0;
    EACH (v, ch, i, {
      double d = behind (c, i), xhat = (c->in[0][i] - mean) * rstd;
      dg += d * (gamma * xhat + beta);
      sum_e += g * d;
      sum_ex += g * d * xhat;
    });
    EACH (v, ch, i, {
      double d = behind (c, i), xhat = (c->in[0][i] - mean) * rstd;
      c->out[0][i] = gamma * rstd * (g * d - (frozen ? 0 : sum_e / count + xhat * sum_ex / count));
    });
    c->out[1][ch] = sum_ex + (c->call->accumulate ? c->out[1][ch] : 0);
    c->out[2][ch] = sum_e + (c->call->accumulate ? c->out[2][ch] : 0);
    if (c->out[3] != NULL)
      c->out[3][ch] = dg;
  }
}

void
ref_norm_bwd (const RefCall *c)
{
  norm_backward (c, FALSE);
}

void
ref_norm_eval_bwd (const RefCall *c)
{
  norm_backward (c, TRUE);
}

void
ref_gate (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  for (int64_t ch = 0; ch < v.c; ch++)
    EACH (v, ch, i, c->out[0][i] = ref_relu_if (c, c->in[0][i] * c->in[1][ch]));
}

void
ref_gate_bwd (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  for (int64_t ch = 0; ch < v.c; ch++) {
    double dg = 0;
    EACH (v, ch, i, {
      double d = behind (c, i);
      dg += d * c->in[0][i];
      c->out[0][i] = d * c->in[3][ch];
    });
    if (c->out[1] != NULL)
      c->out[1][ch] = dg;
  }
}

void
ref_channel_stats (const RefCall *c)
{
  RefView v = ref_view (c->in_shape[0]);
  for (int64_t plane = 0; plane < v.n * v.c; plane++) {
    const double *x = c->in[0] + plane * v.hw;
    double *s = c->out[0] + plane * PJ_N_STATS;
    memset (s, 0, PJ_N_STATS * sizeof (double));
    for (int64_t i = 0; i < v.hw; i++) {
      s[PJ_STAT_ZEROS] += x[i] == 0;
      s[PJ_STAT_SUM] += x[i];
      s[PJ_STAT_ABS] += fabs (x[i]);
      s[PJ_STAT_SQUARES] += x[i] * x[i];
    }
    for (int64_t i = 0; i < v.hw; i++)
      s[PJ_STAT_M2] += (x[i] - s[PJ_STAT_SUM] / v.hw) * (x[i] - s[PJ_STAT_SUM] / v.hw);
  }
}

void
ref_fold_norm (const RefCall *c)
{
  int64_t rows = c->in_shape[0]->dim[0], row = (int64_t) pj_shape_n_elems (c->in_shape[0]) / rows;
  for (int64_t o = 0; o < rows; o++) {
    double g = c->in[6] ? c->in[6][o] : 1, s = g * c->in[2][o] / sqrt (c->in[5][o] + c->call->norm.eps);
    for (int64_t i = 0; i < row; i++)
      c->out[0][o * row + i] = s * c->in[0][o * row + i];
    c->out[1][o] = g * c->in[3][o] + s * ((c->in[1] ? c->in[1][o] : 0) - c->in[4][o]);
  }
}

void
ref_fold_gate (const RefCall *c)
{
  int64_t rows = c->in_shape[0]->dim[0], row = (int64_t) pj_shape_n_elems (c->in_shape[0]) / rows;
  for (int64_t o = 0; o < rows; o++) {
    for (int64_t i = 0; i < row; i++)
      c->out[0][o * row + i] = c->in[2][o] * c->in[0][o * row + i];
    if (c->out[1] != NULL)
      c->out[1][o] = c->in[1] ? c->in[2][o] * c->in[1][o] : 0;
  }
}
