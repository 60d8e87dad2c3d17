/* SPDX-License-Identifier: MIT */
/* Removing a residual block or a layer whole.  What is marked in the layers that stay is kept. */
#include <glib/gi18n-lib.h>

#include "model/tasks-private.h"
#include "model/work-parts.h"

static gboolean
run_remove (PjmTask *self, PjWork *work, GError **error)
{
  const PjParts *parts = self->place->network->parts;
  g_autofree guint8 *removed = g_malloc0 (pj_parts_n (parts));
  removed[pj_parts_find (parts, self->name)->id] = 1;
  g_autoptr (PjGraph) graph = pj_work_remove_parts (work, parts, removed, PJM_SEED, NULL, &self->done, error);
  return graph != NULL;
}

static PjmJob *
start (PjmProject *self, const PjPart *part)
{
  if (part->lock_reason != NULL) {
    pjm_project_fail (self, _("This block cannot be removed"), part->lock_reason);
    return NULL;
  }
  /* Translators: a job and a step of the history: Remove stage2.block3 */
  g_autofree char *title = g_strdup_printf (_("Remove %s"), part->name);
  PjmTask *task = pjm_task_new (self, "remove-parts", title, run_remove, FALSE, TRUE);
  if (task == NULL)
    return NULL;
  task->name = g_strdup (part->name);
  task->keeps_marks = TRUE;
  return pjm_task_start (task);
}

/* The row of @layer in the network that is shown. */
static const PjmRow *
row_of (PjmProject *self, PjmLayer *layer)
{
  guint i;
  if (!pjm_project_is_ready (self) || !g_list_store_find (self->layers, layer, &i))
    return NULL;
  return self->place->network->rows->pdata[i];
}

PjmJob *
pjm_project_remove_block (PjmProject *self, PjmLayer *layer)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && PJM_IS_LAYER (layer), NULL);
  const PjmRow *row = row_of (self, layer);
  if (row != NULL && row->block >= 0)
    return start (self, pj_parts_get (self->place->network->parts, (unsigned) row->block));
  pjm_project_fail (self, _("This layer is in no block with a shortcut"), NULL);
  return NULL;
}

PjmJob *
pjm_project_remove_layer (PjmProject *self, PjmLayer *layer)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && PJM_IS_LAYER (layer), NULL);
  const PjmRow *row = row_of (self, layer);
  if (row != NULL && row->part >= 0)
    return start (self, pj_parts_get (self->place->network->parts, (unsigned) row->part));
  pjm_project_fail (self, _("This layer cannot be removed"), _("Its output has another shape than its input."));
  return NULL;
}
