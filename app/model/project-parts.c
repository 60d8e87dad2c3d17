/* SPDX-License-Identifier: MIT */
/* Removing residual blocks or a layer whole.  What is marked in the layers that stay is kept. */
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

static gboolean
run_drop_blocks (PjmTask *self, PjWork *work, GError **error)
{
  const PjParts *parts = self->place->network->parts;
  g_autofree guint8 *removed = g_malloc0 (pj_parts_n (parts));
  g_autofree double *scores = g_new0 (double, pj_parts_n (parts));
  /* What was asked to follow comes after the removal, not after the judgement. */
  PjWork judge = *work;
  judge.after = 0;
  judge.follow = NULL;
  if (!pj_work_judge_parts (&judge, parts, PJ_PART_BRANCH, 0, PJM_SEED, scores, NULL, error)
      || !pj_work_weakest_parts (parts, PJ_PART_BRANCH, scores, self->n_parts, removed, error))
    return FALSE;
  g_autoptr (PjGraph) graph = pj_work_remove_parts (work, parts, removed, PJM_SEED, NULL, &self->done, error);
  return graph != NULL;
}

PjmTask *
pjm_task_new_drop_blocks (PjmProject *self, guint n)
{
  g_autofree char *title = g_strdup_printf (ngettext ("Remove the %u block missed least", "Remove the %u blocks missed least", n), n);
  PjmTask *task = pjm_task_new (self, "remove-parts", title, run_drop_blocks, TRUE, TRUE);
  if (task == NULL)
    return NULL;
  task->n_parts = n;
  task->keeps_marks = TRUE;
  return task;
}

guint
pjm_project_count_blocks (PjmProject *self)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), 0);
  guint n = 0;
  if (!pjm_project_is_ready (self))
    return 0;
  const PjParts *parts = self->place->network->parts;
  for (unsigned i = 0; i < pj_parts_n (parts); i++) {
    const PjPart *part = pj_parts_get (parts, i);
    n += part->kind == PJ_PART_BRANCH && part->lock_reason == NULL;
  }
  return n;
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
