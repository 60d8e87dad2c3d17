/* SPDX-License-Identifier: MIT */
/* Fully connected layers: single-precision products by oneDNN on the plain parameters. */
#include "compute/cpu/internal.h"

#include <string.h>

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

static gboolean
gemm_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjShape *x = pj_cpu_shape (e, step->call->in[0]), *w = pj_cpu_shape (e, step->call->in[1]);
  const float *b = pj_cpu_in (e, step, 2);
  float *y = pj_cpu_out (e, step, 0);
  int64_t n = x->dim[0], i = x->dim[1], o = w->dim[0];

  for (int64_t r = 0; b != NULL && r < n; r++)
    memcpy (y + r * o, b, (size_t) o * sizeof (float));
  if (!product ('N', 'T', n, o, i, pj_cpu_in (e, step, 0), pj_cpu_in (e, step, 1), b != NULL, y, error))
    return FALSE;
  if (step->call->relu)
    e->device->loops->relu (y, (size_t) (n * o), y);
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
  return pj_cpu_step_for_call (e, gemm_run, 1, -1, error) != NULL;
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
