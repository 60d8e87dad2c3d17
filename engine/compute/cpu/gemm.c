/* SPDX-License-Identifier: MIT */
/* Fully connected layers: single-precision products by oneDNN on the plain parameters. */
#include "compute/cpu/internal.h"

#define STRIP (64 / (int64_t) sizeof (float))

/* C of m × n = op (A) · op (B) [+ C], row-major; a transposed operand is stored the other way round. */
static gboolean
product (char ta, char tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b, gboolean add, float *c, GError **error)
{
  dnnl_status_t status = dnnl_sgemm (ta, tb, m, n, k, 1.0f, a, ta == 'N' ? k : m, b, tb == 'N' ? n : k, add ? 1.0f : 0.0f, c, n);
  if (status == dnnl_success)
    return TRUE;
  g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_FAILED, "oneDNN failed in a product of %" G_GINT64_FORMAT "×%" G_GINT64_FORMAT
               "×%" G_GINT64_FORMAT, m, n, k);
  return FALSE;
}

/* y = relu? (tᵀ + b) of n × o, in strips of columns that are whole lines of the caches. */
static void
turn (const float *t, const float *b, gboolean relu, int64_t n, int64_t o, float *y)
{
#pragma omp parallel for if ((size_t) (n * o) >= PJ_CPU_PARALLEL)
  for (int64_t first = 0; first < o; first += STRIP)
    for (int64_t r = 0; r < n; r++)
      for (int64_t c = first; c < MIN (first + STRIP, o); c++) {
        float v = t[c * n + r] + (b != NULL ? b[c] : 0.0f);
        y[r * o + c] = relu && !(v > 0) ? 0.0f : v;
      }
}

/* As yᵀ = W·xᵀ: oneDNN rearranges a transposed operand at length, so that is the pictures and not the weights.  */
static gboolean
gemm_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *x = pj_cpu_shape (e, step->call->in[0]), *w = pj_cpu_shape (e, step->call->in[1]);
  float *t = pj_cpu_temp (e, step, 0);
  int64_t n = x->dim[0], i = x->dim[1], o = w->dim[0];

  if (!product ('N', 'T', o, n, i, pj_cpu_in (e, step, 1), pj_cpu_in (e, step, 0), FALSE, t, error))
    return FALSE;
  turn (t, pj_cpu_in (e, step, 2), step->call->relu, n, o, pj_cpu_out (e, step, 0));
  return TRUE;
}

static gboolean
gemm_bwd_input_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *dy = pj_cpu_shape (e, step->call->in[0]), *w = pj_cpu_shape (e, step->call->in[1]);
  return product ('N', 'N', dy->dim[0], w->dim[1], w->dim[0], pj_cpu_in (e, step, 0), pj_cpu_in (e, step, 1), FALSE,
                  pj_cpu_out (e, step, 0), error);
}

static gboolean
gemm_bwd_weight_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *x = pj_cpu_shape (e, step->call->in[0]), *dy = pj_cpu_shape (e, step->call->in[1]);
  const float *d = pj_cpu_in (e, step, 1);
  float *db = pj_cpu_out (e, step, 1);
  int64_t n = x->dim[0], o = dy->dim[1];

  if (!product ('T', 'N', o, x->dim[1], n, d, pj_cpu_in (e, step, 0), step->call->accumulate, pj_cpu_out (e, step, 0), error))
    return FALSE;
  for (int64_t k = 0; db != NULL && k < o; k++) {
    double sum = 0;
    for (int64_t r = 0; r < n; r++)
      sum += d[r * o + k];
    db[k] = (step->call->accumulate ? db[k] : 0.0f) + (float) sum;
  }
  return TRUE;
}

gboolean
pj_cpu_gemm (PjCpuExec *e, const PjCall *call, GError **error)
{
  PjCpuStep *step = pj_cpu_step_for_call (e, gemm_run, 1, -1, error);
  if (step == NULL)
    return FALSE;
  pj_cpu_step_temp (e, step, 0, pj_cpu_size (pj_cpu_shape (e, call->out[0]), 1));
  return TRUE;
}

gboolean
pj_cpu_gemm_bwd_input (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, gemm_bwd_input_run, 1, -1, error) != NULL;
}

gboolean
pj_cpu_gemm_bwd_weight (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, gemm_bwd_weight_run, 1, -1, error) != NULL;
}
