/* SPDX-License-Identifier: MIT */
#include "prune/life.h"

#include "base/error.h"

gboolean
pj_keeper_keeps (const PjKeeper *self)
{
  return self->life != NULL && self->life->save != NULL;
}

void
pj_keeper_start (PjKeeper *self)
{
  self->kept_us = g_get_monotonic_time ();
}

static gboolean
keep_now (PjKeeper *self, GError **error)
{
  uint64_t step = 0;
  g_autoptr (GBytes) state = self->state (self->data, &step, error);
  pj_keeper_start (self);
  return state != NULL && self->life->save (step, state, self->life->data, error);
}

gboolean
pj_keeper_keep (PjKeeper *self, GError **error)
{
  double seconds = (double) (g_get_monotonic_time () - self->kept_us) / G_USEC_PER_SEC;
  return !pj_keeper_keeps (self) || seconds < self->life->seconds || keep_now (self, error);
}

void
pj_keeper_stopped (PjKeeper *self, GError **error)
{
  GError *failure = NULL;
  if (!g_error_matches (*error, PJ_ERROR, PJ_ERROR_CANCELLED) || !pj_keeper_keeps (self) || keep_now (self, &failure))
    return;
  g_prefix_error (&failure, "cancelled, but the work so far could not be stored: ");
  g_clear_error (error);
  g_propagate_error (error, failure);
}
