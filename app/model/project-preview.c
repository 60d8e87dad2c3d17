/* SPDX-License-Identifier: MIT */
/* Accuracy of the masked network on some test pictures, while a slider moves: each change asks for a
 * preview, the queue keeps only the newest, and the plan of the network stays on the device. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "base/error.h"
#include "model/project-private.h"

/* Pictures: a standard error of about 2 % at 90 %, and an answer within the time of a drag. */
#define N_PICTURES 256

typedef struct {
  PjmProject *project;
  PjmEngine *engine;
  char *device;
  PjmNetwork *network;
  PjmStore *store;
  gint64 base_model;            /* the uncut network, which may have other weights */
  PjDataset *dataset;
  PjCutPlan *masks;             /* NULL measures the whole network */
  guint serial;
  gboolean wants_base, has_base, lost;
  double base, top1;
  guint n;
} Preview;

static void
preview_free (gpointer data)
{
  Preview *self = data;
  g_free (self->device);
  pjm_network_unref (self->network);
  pjm_store_unref (self->store);
  pj_dataset_unref (self->dataset);
  pj_cut_plan_unref (self->masks);
  g_free (self);
}

static gboolean
measure (Preview *self, PjmNetwork *network, const PjCutPlan *masks, const PjHooks *hooks, double *top1, GError **error)
{
  PjAccuracy accuracy = { 0 };
  if (!pjm_engine_evaluate (self->engine, network, self->dataset, N_PICTURES, masks, hooks, &accuracy, error))
    return FALSE;
  *top1 = accuracy.top1;
  self->n = accuracy.n;
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

static gboolean
measure_base (Preview *self, const PjHooks *hooks, GError **error)
{
  g_autoptr (PjmPlace) place = NULL;
  if (self->base_model != self->network->model) {
    place = pjm_place_new (self->store->session, self->base_model, NULL, NULL, error);
    if (place == NULL)
      return FALSE;
  }
  self->has_base = measure (self, place != NULL ? place->network : self->network, NULL, hooks, &self->base, error);
  return self->has_base;
}

static gboolean
preview_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Preview *self = data;
  g_autoptr (GError) reason = NULL;
  gboolean ok = pjm_engine_open (self->engine, self->device, &reason) != NULL;
  if (ok && self->wants_base)
    ok = measure_base (self, hooks, &reason);
  if (ok && self->masks != NULL)
    ok = measure (self, self->network, self->masks, hooks, &self->top1, &reason);
  if (ok)
    return TRUE;
  self->lost = pjm_engine_check_lost (self->engine, reason);
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

static void
set_double (PjmProject *self, double *field, double value, PjmProp prop)
{
  if (*field == value)
    return;
  *field = value;
  pjm_project_notify (self, prop);
}

static void
set_stale (PjmProject *self, gboolean stale)
{
  if (self->preview_stale == stale)
    return;
  self->preview_stale = stale;
  pjm_project_notify (self, PJM_PROP_PREVIEW_STALE);
}

static void
show_accuracy (PjmProject *self, double top1)
{
  set_double (self, &self->preview_accuracy, top1, PJM_PROP_PREVIEW_ACCURACY);
  set_double (self, &self->preview_error, sqrt (top1 * (1.0 - top1) / MAX (1u, self->preview_count)), PJM_PROP_PREVIEW_ERROR);
}

static void
show_result (PjmProject *self, const Preview *preview)
{
  if (self->preview_count != preview->n) {
    self->preview_count = preview->n;
    pjm_project_notify (self, PJM_PROP_PREVIEW_COUNT);
  }
  if (preview->has_base)
    self->base_model = preview->base_model;
  if (preview->has_base)
    set_double (self, &self->base_accuracy, preview->base, PJM_PROP_BASE_ACCURACY);
  show_accuracy (self, preview->masks != NULL ? preview->top1 : self->base_accuracy);
}

static void
preview_news (PjTask *task, const PjTaskNews *news, gpointer user_data)
{
  Preview *preview = pj_task_get_data (task);
  g_autoptr (PjmProject) self = g_object_ref (preview->project);
  if (news->state < PJ_TASK_DONE || self->closed || self->place == NULL)
    return;
  gboolean fits = self->place->network == preview->network && self->dataset == preview->dataset;
  if (news->state == PJ_TASK_FAILED && fits) {
    if (preview->lost)
      pjm_project_device_failed (self, news->error->message);
    else
      pjm_project_fail (self, _("The preview could not be measured"), news->error->message);
    return;
  }
  if (news->state != PJ_TASK_DONE || !fits)
    return;
  /* An older preview is shown too: the number moves with the slider; only the newest is no longer stale. */
  show_result (self, preview);
  if (preview->serial == self->preview_serial)
    set_stale (self, FALSE);
}

/* Some methods change the weights of what stays, and their network without masks was never anybody's: what is uncut then is
 * the network that they began with.  Without masks it is the one on screen. */
static gint64
uncut_model (PjmProject *self, const PjCutPlan *masks)
{
  PjmStep *step = self->current;
  if (masks == NULL)
    return self->place->network->model;
  for (PjmStep *parent; (parent = pjm_step_parent (step)) != NULL && pjm_step_record (step)->kind == PJ_STEP_MASKED; step = parent)
    if (pjm_step_record (parent)->model != pjm_step_record (step)->model && pjm_step_record (step)->job == 0)
      break;
  return pjm_step_record (step)->model;
}

void
pjm_project_preview (PjmProject *self)
{
  if (self->closed || self->place == NULL)
    return;
  self->preview_serial++;
  if (self->dataset == NULL)
    return;
  g_autoptr (PjCutPlan) masks = pjm_project_get_masks (self);
  gint64 base_model = uncut_model (self, masks);
  gboolean has_base = self->base_accuracy >= 0.0 && self->base_model == base_model;
  if (masks == NULL && has_base) {
    show_accuracy (self, self->base_accuracy);
    set_stale (self, FALSE);
    return;
  }
  Preview *data = g_new0 (Preview, 1);
  data->project = self;
  data->engine = self->engine;
  data->device = g_strdup (self->device);
  data->network = pjm_network_ref (self->place->network);
  data->dataset = pj_dataset_ref (self->dataset);
  data->masks = g_steal_pointer (&masks);
  data->serial = self->preview_serial;
  data->store = pjm_store_ref (self->store);
  data->base_model = base_model;
  data->wants_base = !has_base;
  set_stale (self, TRUE);
  pj_job_queue_push_newest (self->queue, preview_run, data, preview_free, preview_news, NULL);
}

void
pjm_project_reset_preview (PjmProject *self)
{
  set_double (self, &self->base_accuracy, -1.0, PJM_PROP_BASE_ACCURACY);
  set_double (self, &self->preview_accuracy, -1.0, PJM_PROP_PREVIEW_ACCURACY);
  set_double (self, &self->preview_error, -1.0, PJM_PROP_PREVIEW_ERROR);
}
