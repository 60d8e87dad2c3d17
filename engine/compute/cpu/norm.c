/* SPDX-License-Identifier: MIT */
/* Batch normalisation and gates.  All of them are y = relu? (s·x + t) per channel forward, and
 * dx = a·d + b·x + c backward after two sums per channel; only the coefficients differ. */
#include "compute/cpu/internal.h"

#include <math.h>
#include <string.h>

#define L PJ_CPU_LANES

/* Channels with padding, rounded up so that a vector can be loaded at every block. */
static size_t
padded (const PjCpuStep *step)
{
  return (size_t) step->view.n_blocks * (size_t) step->view.block;
}

static size_t
plane_elems (const PjCpuStep *step)
{
  return (size_t) step->view.hw * (size_t) step->view.block;
}

/* Elements of the whole tensor. */
static size_t
work_elems (const PjCpuStep *step)
{
  return (size_t) step->view.n * (size_t) step->view.n_blocks * plane_elems (step);
}

/* The block's coefficients, repeated to fill a vector. */
static void
spread (const PjCpuStep *step, const float *c, int k, float *lanes)
{
  for (int l = 0; l < L; l++)
    lanes[l] = c[k * step->view.block + l % step->view.block];
}

/* Adds the lanes of one plane to the sums of its channels. */
static void
gather (const PjCpuStep *step, const double *lanes, double *sums)
{
  memset (sums, 0, (size_t) step->view.block * sizeof (double));
  for (int l = 0; l < L; l++)
    sums[l % step->view.block] += lanes[l];
}

/* y = relu? (s·x + t + r) with one s and t per padded channel, r if the step has a residual. */
static void
apply (PjCpuExec *e, const PjCpuStep *step, const float *x, const float *s, const float *t, float *y)
{
  const float *r = pj_cpu_in (e, step, PJ_CPU_RESIDUAL);
  size_t plane = plane_elems (step);
#pragma omp parallel for collapse (2) if (work_elems (step) >= PJ_CPU_PARALLEL)
  for (int n = 0; n < step->view.n; n++)
    for (int k = 0; k < step->view.n_blocks; k++) {
      float sv[L], tv[L];
      size_t at = ((size_t) n * step->view.n_blocks + k) * plane;
      spread (step, s, k, sv);
      spread (step, t, k, tv);
      e->device->loops->affine (x + at, plane, sv, tv, r != NULL ? r + at : NULL, pj_call_ceiling (step->call), y + at);
    }
}

/* --- forward --- */

/* Mean and centred second moment of every plane: [n][channel][2].  From the last image to the first, as in all first
 * passes here: what was written last is still in the cache, and the second pass begins where this one ends. */
static void
plane_moments (PjCpuExec *e, const PjCpuStep *step, const float *x, double *moments)
{
  size_t plane = plane_elems (step), c = padded (step);
#pragma omp parallel for collapse (2) if (work_elems (step) >= PJ_CPU_PARALLEL)
  for (int n = step->view.n - 1; n >= 0; n--)
    for (int k = 0; k < step->view.n_blocks; k++) {
      const float *p = x + ((size_t) n * step->view.n_blocks + k) * plane;
      double *out = moments + 2 * ((size_t) n * c + (size_t) k * step->view.block);
      double lanes[L], sums[L], m2[L];
      float mean[L];
      e->device->loops->sums (p, plane, lanes);
      gather (step, lanes, sums);
      for (int l = 0; l < L; l++)
        mean[l] = (float) (sums[l % step->view.block] / step->view.hw);
      e->device->loops->centred (p, plane, mean, lanes);
      gather (step, lanes, m2);
      for (int l = 0; l < step->view.block; l++) {
        out[2 * l] = sums[l] / step->view.hw;
        /* About the rounded mean; put right for the exact one. */
        double off = out[2 * l] - mean[l];
        out[2 * l + 1] = m2[l] - step->view.hw * off * off;
      }
    }
}

/* Joins the planes of channel @c (Chan, Golub, LeVeque 1979), in the order of the images. */
static void
join_moments (const PjCpuStep *step, const double *moments, int c, double *mean, double *var)
{
  double m = 0, m2 = 0, count = 0, hw = step->view.hw;
  for (int n = 0; n < step->view.n; n++) {
    const double *p = moments + 2 * ((size_t) n * padded (step) + (size_t) c);
    double delta = p[0] - m, total = count + hw;
    m += delta * hw / total;
    m2 += p[1] + delta * delta * count * hw / total;
    count = total;
  }
  *mean = m;
  *var = MAX (m2, 0.0) / count;
}

/* From the statistics as they are kept, so that NORM_APPLY finds the same. */
static void
coefficients (float gamma, float beta, float mean, float rstd, float gate, float *s, float *t)
{
  double scale = (double) gamma * rstd;
  *s = (float) (gate * scale);
  *t = (float) (gate * (beta - scale * mean));
}

static gboolean
norm_train_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0), *gamma = pj_cpu_in (e, step, 1), *beta = pj_cpu_in (e, step, 2);
  float *running_mean = pj_cpu_in (e, step, 3), *running_var = pj_cpu_in (e, step, 4);
  const float *gate = pj_cpu_in (e, step, 6);
  float *saved_mean = pj_cpu_out (e, step, 1), *saved_rstd = pj_cpu_out (e, step, 2);
  double *moments = (double *) pj_cpu_temp (e, step, 0);
  float *s = pj_cpu_temp (e, step, 1), *t = s + padded (step);
  float momentum = pj_cpu_in (e, step, 5)[PJ_HYPER_NORM_MOMENTUM];
  double count = (double) step->view.n * step->view.hw;

  plane_moments (e, step, x, moments);
  memset (s, 0, 2 * padded (step) * sizeof (float));
  for (int c = 0; c < step->view.c; c++) {
    double mean, var;
    join_moments (step, moments, c, &mean, &var);
    saved_mean[c] = (float) mean;
    saved_rstd[c] = (float) (1.0 / sqrt (var + step->call->norm.eps));
    coefficients (gamma[c], beta[c], saved_mean[c], saved_rstd[c], gate != NULL ? gate[c] : 1.0f, &s[c], &t[c]);
    running_mean[c] += momentum * ((float) mean - running_mean[c]);
    /* One value has no unbiased variance; keep what is there. */
    if (count > 1)
      running_var[c] += momentum * ((float) (var * count / (count - 1)) - running_var[c]);
  }
  apply (e, step, x, s, t, pj_cpu_out (e, step, 0));
  return TRUE;
}

static gboolean
norm_apply_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *gamma = pj_cpu_in (e, step, 1), *beta = pj_cpu_in (e, step, 2);
  const float *mean = pj_cpu_in (e, step, 3), *rstd = pj_cpu_in (e, step, 4), *gate = pj_cpu_in (e, step, 5);
  float *s = pj_cpu_temp (e, step, 1), *t = s + padded (step);

  memset (s, 0, 2 * padded (step) * sizeof (float));
  for (int c = 0; c < step->view.c; c++)
    coefficients (gamma[c], beta[c], mean[c], rstd[c], gate != NULL ? gate[c] : 1.0f, &s[c], &t[c]);
  apply (e, step, pj_cpu_in (e, step, 0), s, t, pj_cpu_out (e, step, 0));
  return TRUE;
}

/* The same from running statistics. */
static void
stored_coefficients (const PjCpuStep *step, int c, float gamma, float beta, float mean, float var, float gate, float *s, float *t)
{
  double scale = gamma / sqrt ((double) var + step->call->norm.eps), g = gate;
  s[c] = (float) (g * scale);
  t[c] = (float) (g * (beta - scale * mean));
}

static gboolean
norm_eval_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *gamma = pj_cpu_in (e, step, 1), *beta = pj_cpu_in (e, step, 2);
  const float *mean = pj_cpu_in (e, step, 3), *var = pj_cpu_in (e, step, 4), *gate = pj_cpu_in (e, step, 5);
  float *s = pj_cpu_temp (e, step, 1), *t = s + padded (step);

  memset (s, 0, 2 * padded (step) * sizeof (float));
  for (int c = 0; c < step->view.c; c++)
    stored_coefficients (step, c, gamma[c], beta[c], mean[c], var[c], gate != NULL ? gate[c] : 1.0f, s, t);
  apply (e, step, pj_cpu_in (e, step, 0), s, t, pj_cpu_out (e, step, 0));
  return TRUE;
}

static gboolean
gate_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  float *s = pj_cpu_temp (e, step, 1), *t = s + padded (step);
  memset (s, 0, 2 * padded (step) * sizeof (float));
  memcpy (s, pj_cpu_in (e, step, 1), (size_t) step->view.c * sizeof (float));
  apply (e, step, pj_cpu_in (e, step, 0), s, t, pj_cpu_out (e, step, 0));
  return TRUE;
}

/* --- backward --- */

/* What the two passes go over: x and the gradient behind the ReLU.  @s and @t are per padded channel. */
typedef struct {
  const float *x;
  PjCpuBehind behind;
} Backward;

/* Of one plane, which starts at element @at and is block @k of the channels; @lanes: for s and t. */
static PjCpuBehind
behind_at (const PjCpuStep *step, const Backward *b, size_t at, int k, float lanes[2][L])
{
  PjCpuBehind in = b->behind;
  in.dy += at;
  in.more = in.more != NULL ? in.more + at : NULL;
  in.y = in.y != NULL ? in.y + at : NULL;
  in.d = in.d != NULL ? in.d + at : NULL;
  if (in.s != NULL) {
    spread (step, in.s, k, lanes[0]);
    spread (step, in.t, k, lanes[1]);
    in.s = lanes[0];
    in.t = lanes[1];
  }
  return in;
}

/* Σ d and Σ d·(x − mean) of every channel, into sums[2·c]. */
static void
channel_sums (PjCpuExec *e, const PjCpuStep *step, const Backward *b, const float *mean, double *partial, double *sums)
{
  size_t plane = plane_elems (step), c = padded (step);
#pragma omp parallel for collapse (2) if (work_elems (step) >= PJ_CPU_PARALLEL)
  for (int n = step->view.n - 1; n >= 0; n--)
    for (int k = 0; k < step->view.n_blocks; k++) {
      size_t at = ((size_t) n * step->view.n_blocks + k) * plane;
      double *out = partial + 2 * ((size_t) n * c + (size_t) k * step->view.block);
      double d[L], dx[L], lanes[L];
      float centre[L], scale[2][L];
      PjCpuBehind in = behind_at (step, b, at, k, scale);
      spread (step, mean, k, centre);
      e->device->loops->sums_bwd (&in, b->x + at, plane, centre, d, dx);
      gather (step, d, lanes);
      for (int l = 0; l < step->view.block; l++)
        out[2 * l] = lanes[l];
      gather (step, dx, lanes);
      for (int l = 0; l < step->view.block; l++)
        out[2 * l + 1] = lanes[l];
    }
  memset (sums, 0, 2 * c * sizeof (double));
  for (int n = 0; n < step->view.n; n++)
    for (size_t i = 0; i < 2 * c; i++)
      sums[i] += partial[(size_t) n * 2 * c + i];
}

/* dx = a·d + b·x + c. */
static void
apply_bwd (PjCpuExec *e, const PjCpuStep *step, const Backward *b, const float *coefficients, float *dx)
{
  size_t plane = plane_elems (step), c = padded (step);
  Backward kept = { b->x, { .dy = b->behind.d } };

  /* The first pass left d behind. */
  if (b->behind.d != NULL)
    b = &kept;
#pragma omp parallel for collapse (2) if (work_elems (step) >= PJ_CPU_PARALLEL)
  for (int n = 0; n < step->view.n; n++)
    for (int k = 0; k < step->view.n_blocks; k++) {
      float lanes[3][L], scale[2][L];
      size_t at = ((size_t) n * step->view.n_blocks + k) * plane;
      PjCpuBehind in = behind_at (step, b, at, k, scale);
      for (int i = 0; i < 3; i++)
        spread (step, coefficients + (size_t) i * c, k, lanes[i]);
      e->device->loops->affine_bwd (&in, b->x + at, plane, lanes[0], lanes[1], lanes[2], dx + at);
    }
}

static void
add_or_set (float *out, int c, double value, gboolean accumulate)
{
  if (out != NULL)
    out[c] = (float) value + (accumulate ? out[c] : 0.0f);
}

/* @s, @t: where the coefficients of the norm will be, for a ReLU whose output is not at hand. */
static Backward
backward_of (PjCpuExec *e, const PjCpuStep *step, const float *s, const float *t)
{
  Backward b = { pj_cpu_in (e, step, 0), { .dy = pj_cpu_in (e, step, 2), .more = pj_cpu_in (e, step, PJ_CPU_SECOND),
                                           .d = pj_cpu_in (e, step, PJ_CPU_MASKED), .ceiling = pj_call_ceiling (step->call) } };
  if (step->call->relu && step->call->in[1] >= 0) {
    b.behind.y = pj_cpu_in (e, step, 1);
  } else if (step->call->relu) {
    b.behind.s = s;
    b.behind.t = t;
  }
  return b;
}

/* Both backward passes of the norm.  @frozen: the statistics do not depend on x. */
static gboolean
norm_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjCall *call = step->call;
  gboolean frozen = call->kernel == PJ_KERNEL_NORM_EVAL_BWD;
  const float *gamma = pj_cpu_in (e, step, 3), *beta = pj_cpu_in (e, step, 4);
  const float *in_mean = pj_cpu_in (e, step, 5), *in_scale = pj_cpu_in (e, step, 6), *gate = pj_cpu_in (e, step, 7);
  size_t c_padded = padded (step);
  double *partial = (double *) pj_cpu_temp (e, step, 0), *sums = (double *) pj_cpu_temp (e, step, 2);
  float *mean = pj_cpu_temp (e, step, 1), *k = mean + c_padded, *s = k + 3 * c_padded, *t = s + c_padded;
  double count = (double) step->view.n * step->view.hw;
  Backward b = backward_of (e, step, s, t);

  memset (mean, 0, 6 * c_padded * sizeof (float));
  memcpy (mean, in_mean, (size_t) step->view.c * sizeof (float));
  for (int c = 0; b.behind.s != NULL && c < step->view.c; c++)
    if (frozen)
      stored_coefficients (step, c, gamma[c], beta[c], in_mean[c], in_scale[c], gate != NULL ? gate[c] : 1.0f, s, t);
    else
      coefficients (gamma[c], beta[c], in_mean[c], in_scale[c], gate != NULL ? gate[c] : 1.0f, &s[c], &t[c]);
  channel_sums (e, step, &b, mean, partial, sums);
  for (int c = 0; c < step->view.c; c++) {
    double rstd = frozen ? 1.0 / sqrt ((double) in_scale[c] + call->norm.eps) : in_scale[c];
    double g = gate != NULL ? gate[c] : 1.0, sum_d = sums[2 * c], sum_dx = sums[2 * c + 1] * rstd;
    add_or_set (pj_cpu_out (e, step, 1), c, g * sum_dx, call->accumulate);
    add_or_set (pj_cpu_out (e, step, 2), c, g * sum_d, call->accumulate);
    add_or_set (pj_cpu_out (e, step, 3), c, gamma[c] * sum_dx + beta[c] * sum_d, FALSE);
    double a = g * gamma[c] * rstd, slope = frozen ? 0.0 : -a * rstd * sum_dx / count;
    k[c] = (float) a;
    k[c_padded + c] = (float) slope;
    k[2 * c_padded + c] = (float) (frozen ? 0.0 : -a * sum_d / count - slope * mean[c]);
  }
  apply_bwd (e, step, &b, k, pj_cpu_out (e, step, 0));
  return TRUE;
}

static gboolean
gate_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  size_t c_padded = padded (step);
  double *partial = (double *) pj_cpu_temp (e, step, 0), *sums = (double *) pj_cpu_temp (e, step, 2);
  float *mean = pj_cpu_temp (e, step, 1), *k = mean + c_padded;
  Backward b = backward_of (e, step, NULL, NULL);

  memset (mean, 0, 4 * c_padded * sizeof (float));
  memcpy (k, pj_cpu_in (e, step, 3), (size_t) step->view.c * sizeof (float));
  if (step->call->out[1] >= 0) {
    channel_sums (e, step, &b, mean, partial, sums);
    for (int c = 0; c < step->view.c; c++)
      pj_cpu_out (e, step, 1)[c] = (float) sums[2 * c + 1];
  }
  apply_bwd (e, step, &b, k, pj_cpu_out (e, step, 0));
  return TRUE;
}

/* --- preparation --- */

static int
block_for (PjCpuExec *e, int slot, int block)
{
  return pj_cpu_shape (e, slot)->rank == 4 ? block : 1;
}

/* Operands of a joined call that its kernel alone has not, into @extra: residual, second, masked.  Outputs take the
 * memory of inputs that nobody needs any more: y that of the residual, the masked gradient that of dy, dx that of the
 * second gradient. */
static gboolean
get_extra (PjCpuExec *e, int block, int extra[3], GError **error)
{
  const PjCpuCall *self = &e->calls[e->call_index];
  const PjCall *call = &self->call;

  extra[0] = extra[1] = extra[2] = -1;
  if (self->residual >= 0) {
    extra[0] = pj_cpu_get (e, self->residual, block_for (e, self->residual, block), error);
    if (extra[0] < 0)
      return FALSE;
    int over = e->last_use[self->residual] <= e->call_index ? self->residual : call->in[0];
    pj_cpu_define (e, call->out[0], block_for (e, call->out[0], block), over);
  }
  if (self->second >= 0) {
    extra[1] = pj_cpu_get (e, self->second, block_for (e, self->second, block), error);
    if (extra[1] < 0)
      return FALSE;
  }
  if (self->masked >= 0) {
    int dy_block = block_for (e, call->in[2], block);
    if (pj_cpu_get (e, call->in[2], dy_block, error) < 0)
      return FALSE;
    extra[2] = pj_cpu_define (e, self->masked, dy_block, call->in[2]);
    pj_cpu_define (e, call->out[0], dy_block, self->second);
  }
  return TRUE;
}

/* Scratch: sums per plane, coefficients per channel, sums per channel. */
static gboolean
prepare (PjCpuExec *e, PjCpuRun run, int over, GError **error)
{
  const PjCall *call = pj_cpu_call (e);
  int block = e->slots[call->in[0]].block, extra[3];

  if (!get_extra (e, block, extra, error))
    return FALSE;
  PjCpuStep *step = pj_cpu_step_for_call (e, run, block, over, error);
  if (step == NULL)
    return FALSE;
  memcpy (step->mems + PJ_CPU_RESIDUAL, extra, sizeof extra);
  pj_cpu_step_temp (e, step, 0, (size_t) step->view.n * padded (step) * 2 * sizeof (double));
  pj_cpu_step_temp (e, step, 1, padded (step) * 6 * sizeof (float));
  pj_cpu_step_temp (e, step, 2, padded (step) * 2 * sizeof (double));
  return TRUE;
}

gboolean
pj_cpu_norm_train (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, norm_train_run, 0, error);
}

gboolean
pj_cpu_norm_eval (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, norm_eval_run, 0, error);
}

gboolean
pj_cpu_norm_apply (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, norm_apply_run, 0, error);
}

gboolean
pj_cpu_norm_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, norm_bwd_run, 2, error);
}

gboolean
pj_cpu_gate (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, gate_run, 0, error);
}

gboolean
pj_cpu_gate_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return prepare (e, gate_bwd_run, 2, error);
}
