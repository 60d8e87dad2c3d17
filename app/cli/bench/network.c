/* SPDX-License-Identifier: MIT */
/* Networks on devices, for timing. */
#include "cli/bench/bench.h"
#include "model/work-profile.h"
#include "train/arch.h"

static const PjStep step = { .lr = 1e-4f, .momentum = 0.9f, .weight_decay = 5e-4f, .nesterov = TRUE,
                             .norm_momentum = 0.1f };

void
bench_net_clear (BenchNet *self)
{
  g_clear_pointer (&self->plan, pj_plan_free);
  g_clear_pointer (&self->params, pj_params_free);
  g_clear_pointer (&self->graph, pj_graph_unref);
}

gboolean
bench_net_init (BenchNet *self, PjDevice *device, PjGraph *graph, PjPlanMode mode, unsigned batch,
                const PjPlanOptions *options, GError **error)
{
  gboolean learns = mode == PJ_PLAN_TRAIN || mode == PJ_PLAN_SCORE;
  PjPlanOptions plain = { .batch = batch, .mode = mode, .cross_entropy = learns ? 1.0f : 0.0f };

  *self = (BenchNet) { .graph = pj_graph_ref (graph), .mode = mode };
  self->params = pj_params_new (device, graph, learns, error);
  if (self->params != NULL)
    self->plan = pj_plan_new (graph, self->params, options != NULL ? options : &plain, error);
  return self->plan != NULL && pj_work_fill_noise (self->plan, graph, learns, error);
}

gboolean
bench_net_run (BenchNet *self, GError **error)
{
  if (self->mode == PJ_PLAN_TRAIN)
    return pj_plan_train (self->plan, &step, error);
  return pj_plan_forward (self->plan, NULL, error) && (self->mode != PJ_PLAN_SCORE || pj_plan_backward (self->plan, error));
}

double
bench_net_ms (BenchNet *self, double seconds, GError **error)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 start = g_get_monotonic_time (), now = start;

  do {
    gint64 before = now;
    if (!bench_net_run (self, error))
      return -1.0;
    now = g_get_monotonic_time ();
    double ms = (double) (now - before) / 1e3;
    g_array_append_val (times, ms);
  } while ((double) (now - start) < seconds * 1e6);
  return bench_median ((double *) times->data, (int) times->len);
}

PjGraph *
bench_make (const char *name, int side, unsigned n_classes, GError **error)
{
  PjArchOptions options;
  double width = 1.0;
  const PjArch *arch = pj_arch_parse (name, &width);
  g_assert (arch != NULL);
  pj_arch_options_init (&options, arch);
  options.c = side == 28 ? 1 : 3;
  options.h = options.w = side;
  options.n_classes = n_classes;
  options.width = width;
  return pj_arch_build (arch, &options, error);
}

PjDevice *
bench_software_vulkan (char **why)
{
  g_autofree char *reason = NULL;
  g_autoptr (GPtrArray) devices = pj_devices_list (&reason);
  for (guint i = 0; i < devices->len; i++) {
    const PjDeviceInfo *info = devices->pdata[i];
    g_autoptr (GError) error = NULL;
    if (!info->is_software)
      continue;
    PjDevice *device = pj_device_open (info->id, &error);
    if (device == NULL)
      *why = g_strdup (error->message);
    return device;
  }
  *why = reason != NULL ? g_steal_pointer (&reason) : g_strdup ("there is no software Vulkan driver (package mesa-vulkan-drivers)");
  return NULL;
}
