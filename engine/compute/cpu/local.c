/* SPDX-License-Identifier: MIT */
/* Kernels inside one picture: response norm over neighbouring channels, instance norm, resizing. */
#include "compute/cpu/internal.h"

#include <math.h>
#include <string.h>

/* --- local response norm --- */

/* Channels first … last of the neighbourhood of @c: size odd or even as the file format has it. */
static void
neighbours (const PjLrnParams *p, int c, int n_channels, int *first, int *last)
{
  *first = MAX (0, c - (p->size - 1) / 2);
  *last = MIN (n_channels - 1, c + p->size / 2);
}

/* bias + alpha/size·Σ x² of channel @c at position @i of one picture. */
static double
denominator (const PjLrnParams *p, const float *x, int c, int n_channels, size_t plane, size_t i)
{
  int first, last;
  double sum = 0;
  neighbours (p, c, n_channels, &first, &last);
  for (int k = first; k <= last; k++)
    sum += (double) x[k * plane + i] * (double) x[k * plane + i];
  return (double) p->bias + (double) p->alpha / p->size * sum;
}

static gboolean
lrn_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjLrnParams *p = &step->call->lrn;
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  int c = step->view.c;
  size_t plane = (size_t) step->view.hw;

#pragma omp parallel for collapse (2)
  for (int n = 0; n < step->view.n; n++)
    for (int k = 0; k < c; k++) {
      const float *picture = x + (size_t) n * c * plane;
      for (size_t i = 0; i < plane; i++) {
        double d = denominator (p, picture, k, c, plane, i);
        y[((size_t) n * c + k) * plane + i] = (float) ((double) picture[k * plane + i] * pow (d, -(double) p->beta));
      }
    }
  return TRUE;
}

/* dx_k = dy_k·d_k^−β − 2αβ/size·x_k·Σ_c dy_c·x_c·d_c^(−β−1) over the c that have k as a neighbour. */
static gboolean
lrn_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjLrnParams *p = &step->call->lrn;
  const float *x = pj_cpu_in (e, step, 0), *dy = pj_cpu_in (e, step, 1);
  float *dx = pj_cpu_out (e, step, 0);
  int c = step->view.c;
  size_t plane = (size_t) step->view.hw;
  double factor = 2.0 * (double) p->alpha * (double) p->beta / p->size;

#pragma omp parallel for collapse (2)
  for (int n = 0; n < step->view.n; n++)
    for (int k = 0; k < c; k++) {
      const float *xn = x + (size_t) n * c * plane, *dyn = dy + (size_t) n * c * plane;
      for (size_t i = 0; i < plane; i++) {
        double sum = 0;
        for (int o = MAX (0, k - p->size / 2); o <= MIN (c - 1, k + (p->size - 1) / 2); o++)
          sum += (double) dyn[o * plane + i] * (double) xn[o * plane + i]
                 * pow (denominator (p, xn, o, c, plane, i), -(double) p->beta - 1);
        double own = (double) dyn[k * plane + i] * pow (denominator (p, xn, k, c, plane, i), -(double) p->beta);
        dx[((size_t) n * c + k) * plane + i] = (float) (own - factor * (double) xn[k * plane + i] * sum);
      }
    }
  return TRUE;
}

gboolean
pj_cpu_lrn (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, lrn_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_lrn_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, lrn_bwd_run, 1, -1, error) != NULL;
}

/* --- instance norm --- */

static gboolean
instance_norm_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0), *gamma = pj_cpu_in (e, step, 1), *beta = pj_cpu_in (e, step, 2);
  float *y = pj_cpu_out (e, step, 0), *means = pj_cpu_out (e, step, 1), *rstds = pj_cpu_out (e, step, 2);
  size_t plane = (size_t) step->view.hw, rows = (size_t) step->view.n * (size_t) step->view.c;

#pragma omp parallel for
  for (size_t r = 0; r < rows; r++) {
    const float *from = x + r * plane;
    double mean = 0, var = 0;
    for (size_t i = 0; i < plane; i++)
      mean += (double) from[i];
    mean /= (double) plane;
    for (size_t i = 0; i < plane; i++)
      var += ((double) from[i] - mean) * ((double) from[i] - mean);
    double rstd = 1 / sqrt (var / (double) plane + (double) step->call->norm.eps);
    double scale = (double) gamma[r % (size_t) step->view.c] * rstd, shift = (double) beta[r % (size_t) step->view.c] - scale * mean;
    for (size_t i = 0; i < plane; i++)
      y[r * plane + i] = (float) (scale * (double) from[i] + shift);
    means[r] = (float) mean;
    rstds[r] = (float) rstd;
  }
  return TRUE;
}

/* With e = dy·γ: dx = rstd·(e − mean (e) − x̂·mean (e·x̂)) per row. */
static void
instance_row (const float *x, const float *dy, size_t plane, double gamma, double mean, double rstd, float *dx,
              double *dgamma, double *dbeta)
{
  double sum = 0, product = 0;
  for (size_t i = 0; i < plane; i++) {
    sum += (double) dy[i];
    product += (double) dy[i] * ((double) x[i] - mean) * rstd;
  }
  for (size_t i = 0; i < plane; i++) {
    double normed = ((double) x[i] - mean) * rstd;
    dx[i] = (float) (gamma * rstd * ((double) dy[i] - sum / (double) plane - normed * product / (double) plane));
  }
  *dgamma += product;
  *dbeta += sum;
}

static gboolean
instance_norm_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0), *dy = pj_cpu_in (e, step, 1), *gamma = pj_cpu_in (e, step, 2);
  const float *means = pj_cpu_in (e, step, 3), *rstds = pj_cpu_in (e, step, 4);
  float *dx = pj_cpu_out (e, step, 0), *dgamma = pj_cpu_out (e, step, 1), *dbeta = pj_cpu_out (e, step, 2);
  size_t plane = (size_t) step->view.hw, c = (size_t) step->view.c;
  gboolean add = step->call->accumulate;

#pragma omp parallel for
  for (size_t k = 0; k < c; k++) {
    double dg = 0, db = 0;
    for (size_t n = 0; n < (size_t) step->view.n; n++) {
      size_t r = n * c + k;
      instance_row (x + r * plane, dy + r * plane, plane, (double) gamma[k], (double) means[r], (double) rstds[r],
                    dx + r * plane, &dg, &db);
    }
    dgamma[k] = (float) dg + (add ? dgamma[k] : 0);
    dbeta[k] = (float) db + (add ? dbeta[k] : 0);
  }
  return TRUE;
}

gboolean
pj_cpu_instance_norm (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, instance_norm_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_instance_norm_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, instance_norm_bwd_run, 1, -1, error) != NULL;
}

/* --- resizing --- */

/* One output row or column: which two inputs, and the share of the second. */
typedef struct { int at[2]; float share; } Tap;

static Tap
tap_of (const PjResizeParams *p, int i, int n_out, int n_in, double scale)
{
  double place = p->grid == PJ_RESIZE_ALIGN_CORNERS ? (n_out > 1 ? (double) i * (n_in - 1) / (n_out - 1) : 0)
                 : p->grid == PJ_RESIZE_ASYMMETRIC ? i / scale : (i + 0.5) / scale - 0.5;
  if (p->mode == PJ_RESIZE_NEAREST) {
    int k = (int) CLAMP (p->floor ? floor (place) : ceil (place - 0.5), 0, n_in - 1);
    return (Tap) { { k, k }, 0 };
  }
  place = CLAMP (place, 0, n_in - 1);
  int k = (int) floor (place);
  return (Tap) { { k, MIN (k + 1, n_in - 1) }, (float) (place - k) };
}

static Tap *
taps_of (const PjResizeParams *p, int axis, int n_out, int n_in)
{
  Tap *taps = g_new (Tap, n_out);
  for (int i = 0; i < n_out; i++)
    taps[i] = tap_of (p, i, n_out, n_in, (double) p->scale[axis]);
  return taps;
}

static gboolean
resize_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *xs = pj_cpu_shape (e, step->call->in[0]), *ys = pj_cpu_shape (e, step->call->out[0]);
  int h = (int) xs->dim[2], w = (int) xs->dim[3], oh = (int) ys->dim[2], ow = (int) ys->dim[3];
  g_autofree Tap *rows = taps_of (&step->call->resize, 0, oh, h), *columns = taps_of (&step->call->resize, 1, ow, w);
  const float *x = pj_cpu_in (e, step, 0);
  float *y = pj_cpu_out (e, step, 0);
  size_t n_planes = (size_t) (xs->dim[0] * xs->dim[1]);

#pragma omp parallel for
  for (size_t n = 0; n < n_planes; n++)
    for (int i = 0; i < oh; i++) {
      const float *above = x + (n * h + rows[i].at[0]) * w, *below = x + (n * h + rows[i].at[1]) * w;
      for (int j = 0; j < ow; j++) {
        const Tap *t = &columns[j];
        float u = above[t->at[0]] + t->share * (above[t->at[1]] - above[t->at[0]]);
        float v = below[t->at[0]] + t->share * (below[t->at[1]] - below[t->at[0]]);
        y[(n * oh + i) * ow + j] = u + rows[i].share * (v - u);
      }
    }
  return TRUE;
}

static gboolean
resize_bwd_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *xs = pj_cpu_shape (e, step->call->out[0]), *ys = pj_cpu_shape (e, step->call->in[0]);
  int h = (int) xs->dim[2], w = (int) xs->dim[3], oh = (int) ys->dim[2], ow = (int) ys->dim[3];
  g_autofree Tap *rows = taps_of (&step->call->resize, 0, oh, h), *columns = taps_of (&step->call->resize, 1, ow, w);
  const float *dy = pj_cpu_in (e, step, 0);
  float *dx = pj_cpu_out (e, step, 0);
  size_t n_planes = (size_t) (xs->dim[0] * xs->dim[1]);

  memset (dx, 0, pj_cpu_mem (e, step->mems[PJ_CPU_OUT])->size_bytes);
#pragma omp parallel for
  for (size_t n = 0; n < n_planes; n++)
    for (int i = 0; i < oh; i++)
      for (int j = 0; j < ow; j++) {
        float d = dy[(n * oh + i) * ow + j];
        for (int k = 0; k < 4; k++) {
          float share = (k & 1 ? columns[j].share : 1 - columns[j].share) * (k & 2 ? rows[i].share : 1 - rows[i].share);
          dx[(n * h + rows[i].at[k >> 1]) * w + columns[j].at[k & 1]] += share * d;
        }
      }
  return TRUE;
}

gboolean
pj_cpu_resize (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, resize_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_resize_bwd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, resize_bwd_run, 1, -1, error) != NULL;
}
