/* SPDX-License-Identifier: MIT */
/* Folding and unfolding: the drawing is laid out again on the files thread, and shown when it is there.  What was
 * folded stays so while the network has the same blocks: a cut or fine-tuning changes nothing. */
#include <string.h>

#include "model/project-private.h"

typedef struct {
  PjmProject *project;
  PjmNetwork *network;
  gboolean *folded;
  guint serial;
  PjmDrawing *drawing;
} Drawing;

static void
drawing_free (gpointer data)
{
  Drawing *self = data;
  pjm_network_unref (self->network);
  pjm_drawing_free (self->drawing);
  g_free (self->folded);
  g_free (self);
}

static gboolean
drawing_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Drawing *self = data;
  self->drawing = pjm_drawing_new (self->network, self->folded, error);
  return self->drawing != NULL;
}

static void
drawing_news (PjTask *task, const PjTaskNews *news, gpointer user_data)
{
  Drawing *drawing = pj_task_get_data (task);
  g_autoptr (PjmProject) self = g_object_ref (drawing->project);
  if (news->state != PJ_TASK_DONE || self->closed || self->place == NULL || self->place->network != drawing->network
      || drawing->serial != self->draw_serial)
    return;
  g_clear_pointer (&self->drawing, pjm_drawing_free);
  self->drawing = g_steal_pointer (&drawing->drawing);
  pjm_project_emit_drawing_changed (self);
}

static const PjmDrawing *
shown (PjmProject *self)
{
  return self->drawing != NULL ? self->drawing : self->place != NULL ? self->place->network->drawing : NULL;
}

static void
draw (PjmProject *self, const gboolean *folded)
{
  Drawing *data = g_new0 (Drawing, 1);
  data->project = self;
  data->network = pjm_network_ref (self->place->network);
  data->folded = g_memdup2 (folded, (self->place->network->blocks->len + 1) * sizeof (gboolean));
  data->serial = ++self->draw_serial;
  g_free (self->wanted_folded);
  self->wanted_folded = g_memdup2 (folded, (self->place->network->blocks->len + 1) * sizeof (gboolean));
  self->n_wanted_folded = self->place->network->blocks->len;
  pj_job_queue_push (self->files, drawing_run, data, drawing_free, drawing_news, NULL);
}

/* @block: -1 for all */
void
pjm_project_fold (PjmProject *self, int block, gboolean fold)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  if (self->closed || self->place == NULL || block >= (int) self->place->network->blocks->len)
    return;
  guint n = self->place->network->blocks->len;
  gboolean known = self->wanted_folded != NULL && self->n_wanted_folded == n;
  g_autofree gboolean *folded = g_new0 (gboolean, n + 1);
  for (guint k = 0; k < n; k++)
    folded[k] = block < 0 || (int) k == block ? fold : known ? self->wanted_folded[k] : shown (self)->folded[k];
  draw (self, folded);
}

guint
pjm_project_n_blocks (PjmProject *self, guint *n_folded)
{
  const PjmDrawing *drawing = shown (self);
  guint n = drawing != NULL ? self->place->network->blocks->len : 0;
  if (n_folded != NULL)
    *n_folded = 0;
  for (guint k = 0; n_folded != NULL && k < n; k++)
    *n_folded += drawing->folded[k];
  return n;
}

const char *
pjm_project_get_block_name (PjmProject *self, int block)
{
  const PjmNetwork *network = self->place != NULL ? self->place->network : NULL;
  return network != NULL && block >= 0 && (guint) block < network->blocks->len
         ? ((const PjmBlock *) network->blocks->pdata[block])->name : NULL;
}

/* Another network is shown: with the blocks folded as before, if they are the same. */
void
pjm_project_redraw (PjmProject *self)
{
  const PjmNetwork *network = self->place->network;
  self->draw_serial++;
  g_clear_pointer (&self->drawing, pjm_drawing_free);
  if (self->wanted_folded == NULL || self->n_wanted_folded != network->blocks->len
      || memcmp (self->wanted_folded, network->drawing->folded, network->blocks->len * sizeof (gboolean)) == 0)
    return;
  /* A few milliseconds, and the drawing must not jump: here and now. */
  self->drawing = pjm_drawing_new (network, self->wanted_folded, NULL);
}

/* --- for the studio --- */

const PjmBox *
pjm_project_get_boxes (PjmProject *self, guint *n, double *width, double *height)
{
  const PjmDrawing *drawing = shown (self);
  *n = drawing != NULL ? drawing->n_boxes : 0;
  if (width != NULL)
    *width = drawing != NULL ? drawing->width : 0.0;
  if (height != NULL)
    *height = drawing != NULL ? drawing->height : 0.0;
  return drawing != NULL ? drawing->boxes : NULL;
}

const PjmEdge *
pjm_project_get_edges (PjmProject *self, guint *n)
{
  const PjmDrawing *drawing = shown (self);
  *n = drawing != NULL ? drawing->n_edges : 0;
  return drawing != NULL ? drawing->edges : NULL;
}
