/* SPDX-License-Identifier: MIT */
#include "model/engine-private.h"

PjmEngine *
pjm_engine_new (void)
{
  return g_new0 (PjmEngine, 1);
}

static void
drop_evaluator (PjmEngine *self)
{
  g_clear_pointer (&self->evaluator, pj_evaluator_free);
  g_clear_pointer (&self->network, pjm_network_unref);
  g_clear_pointer (&self->dataset, pj_dataset_unref);
}

static void
close_device (PjmEngine *self)
{
  drop_evaluator (self);
  g_clear_pointer (&self->device, pj_device_free);
  g_clear_pointer (&self->device_id, g_free);
}

void
pjm_engine_free (PjmEngine *self)
{
  if (self == NULL)
    return;
  close_device (self);
  g_free (self);
}

PjDevice *
pjm_engine_open (PjmEngine *self, const char *id, GError **error)
{
  if (self->device != NULL && (g_strcmp0 (self->device_id, id) == 0 || g_strcmp0 (self->device->info.id, id) == 0))
    return self->device;
  close_device (self);
  self->device = pj_device_open (id, error);
  self->device_id = g_strdup (id);
  return self->device;
}

void
pjm_engine_set_hooks (PjmEngine *self, const PjHooks *hooks)
{
  if (self->device != NULL)
    self->device->hooks = hooks;
}

gboolean
pjm_engine_check_lost (PjmEngine *self, const GError *error)
{
  if (!g_error_matches (error, PJ_GPU_ERROR, PJ_GPU_ERROR_LOST) && !g_error_matches (error, PJ_GPU_ERROR, PJ_GPU_ERROR_MEMORY)
      && !g_error_matches (error, PJ_GPU_ERROR, PJ_GPU_ERROR_FAILED)
      && !g_error_matches (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE))
    return FALSE;
  close_device (self);
  return TRUE;
}

gboolean
pjm_engine_evaluate (PjmEngine *self, PjmNetwork *network, PjDataset *dataset, unsigned n, const PjCutPlan *masks,
                     const PjHooks *hooks, PjAccuracy *accuracy, GError **error)
{
  if (self->evaluator == NULL || self->network != network || self->dataset != dataset) {
    PjFormat format;
    drop_evaluator (self);
    if (!pj_dataset_format_for (dataset, network->graph, TRUE, &format, error))
      return FALSE;
    self->evaluator = pj_evaluator_new (self->device, network->graph, network->groups, dataset, PJ_SPLIT_TEST, &format, n,
                                        error);
    if (self->evaluator == NULL)
      return FALSE;
    self->network = pjm_network_ref (network);
    self->dataset = pj_dataset_ref (dataset);
  }
  return pj_evaluator_run (self->evaluator, masks, hooks, accuracy, error);
}
