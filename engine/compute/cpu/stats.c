/* SPDX-License-Identifier: MIT */
/* Statistics of every (image, channel) plane.  The centred moment is taken about the plane's own mean in
 * a second pass over data that is still in the cache, so a constant plane has none. */
#include "compute/cpu/internal.h"

#define L PJ_CPU_LANES

static double
lane_sum (const double *lanes, int first, int block)
{
  double sum = 0;
  for (int l = first; l < L; l += block)
    sum += lanes[l];
  return sum;
}

static void
plane_stats (PjCpuExec *e, const PjCpuStep *step, const float *x, int n_channels, float *out)
{
  int block = step->view.block;
  size_t plane = (size_t) step->view.hw * (size_t) block;
  double stat[4 * L], m2[L];
  float mean[L];

  e->device->loops->stats (x, plane, stat);
  for (int l = 0; l < L; l++)
    mean[l] = (float) (lane_sum (stat + L, l % block, block) / step->view.hw);
  e->device->loops->centred (x, plane, mean, m2);
  for (int c = 0; c < n_channels; c++) {
    float *to = out + c * PJ_N_STATS;
    for (int s = 0; s < 4; s++)
      to[s] = (float) lane_sum (stat + s * L, c, block);
    to[PJ_STAT_M2] = (float) lane_sum (m2, c, block);
  }
}

static gboolean
channel_stats_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const float *x = pj_cpu_in (e, step, 0);
  float *out = pj_cpu_out (e, step, 0);
  int block = step->view.block, c = step->view.c;
  size_t plane = (size_t) step->view.hw * (size_t) block;

#pragma omp parallel for collapse (2) if ((size_t) step->view.n * c * step->view.hw >= PJ_CPU_PARALLEL)
  for (int n = 0; n < step->view.n; n++)
    for (int k = 0; k < step->view.n_blocks; k++)
      plane_stats (e, step, x + ((size_t) n * step->view.n_blocks + k) * plane, MIN (block, c - k * block),
                   out + ((size_t) n * c + (size_t) k * block) * PJ_N_STATS);
  return TRUE;
}

gboolean
pj_cpu_channel_stats (PjCpuExec *e, const PjCall *call, GError **error)
{
  return pj_cpu_step_for_call (e, channel_stats_run, e->slots[call->in[0]].block, -1, error) != NULL;
}
