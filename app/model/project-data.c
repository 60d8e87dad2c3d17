/* SPDX-License-Identifier: MIT */
/* The pictures of a session as a person sees them, and how they are prepared for the network.
 *
 * The preparation belongs to the network: it is written into its notes, which travel into exported files, and
 * makes a step of the history that can be undone. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "model/project-private.h"
#include "session/model.h"

#define N_SAMPLES 24
/* Pictures of which classes are counted. */
#define MAX_SIDE 96

void
pjm_data_free (PjmData *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_classes; i++)
    g_free (self->classes[i].name);
  g_free (self->classes);
  g_free (self->pixels);
  g_free (self->labels);
  g_free (self->name);
  g_free (self->path);
  g_free (self->problem);
  g_free (self);
}

typedef struct {
  PjmProject *project;
  PjmNetwork *network;
  PjDataset *dataset;
  PjmData *data;
} Reading;

static void
reading_free (gpointer data)
{
  Reading *self = data;
  pjm_network_unref (self->network);
  pj_dataset_unref (self->dataset);
  pjm_data_free (self->data);
  g_free (self);
}

static void
count_classes (PjmData *data, PjDataset *dataset)
{
  data->n_classes = pj_dataset_n_classes (dataset);
  data->classes = g_new0 (PjmClass, data->n_classes);
  for (guint k = 0; k < data->n_classes; k++)
    data->classes[k].name = g_strdup (pj_dataset_class_name (dataset, k));
  for (int split = PJ_SPLIT_TRAIN; split <= PJ_SPLIT_TEST; split++)
    for (unsigned i = 0; i < pj_dataset_n (dataset, (PjSplit) split); i++) {
      int label = pj_dataset_label (dataset, (PjSplit) split, i);
      if (label >= 0 && (guint) label < data->n_classes)
        *(split == PJ_SPLIT_TRAIN ? &data->classes[label].n_train : &data->classes[label].n_test) += 1;
    }
}

/* Which training pictures are shown: one of each class in turn. */
static GArray *
choose_samples (const PjmData *data, PjDataset *dataset)
{
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (unsigned));
  g_autofree guint *taken = g_new0 (guint, MAX (1u, data->n_classes));
  guint each = MAX (1u, N_SAMPLES / MAX (1u, data->n_classes)), skip = MAX (1u, data->n_classes / N_SAMPLES);
  for (unsigned i = 0; i < pj_dataset_n (dataset, PJ_SPLIT_TRAIN) && chosen->len < N_SAMPLES; i++) {
    int label = pj_dataset_label (dataset, PJ_SPLIT_TRAIN, i);
    if (label < 0 || (guint) label >= data->n_classes || (guint) label % skip != 0 || taken[label] >= each)
      continue;
    taken[label]++;
    g_array_append_val (chosen, i);
  }
  return chosen;
}

/* What the network gets, bytes before they are normalised. */
static gboolean
read_samples (Reading *self, const PjFormat *wanted, const PjHooks *hooks, GError **error)
{
  PjmData *data = self->data;
  PjFormat format = *wanted;
  g_autoptr (GArray) chosen = choose_samples (data, self->dataset);
  /* Large pictures are only looked at, so a small version does. */
  double shrink = MIN (1.0, (double) MAX_SIDE / MAX (format.h, format.w));
  format.h = MAX (1, (int) lround (format.h * shrink));
  format.w = MAX (1, (int) lround (format.w * shrink));
  format.side = (int) lround (format.side * shrink);
  gsize size = (gsize) format.c * (gsize) format.h * (gsize) format.w;
  data->c = format.c;
  data->h = format.h;
  data->w = format.w;
  data->pixels = g_malloc (MAX (1u, chosen->len) * size);
  data->labels = g_new (int, MAX (1u, chosen->len));
  for (guint i = 0; i < chosen->len; i++) {
    unsigned picture = g_array_index (chosen, unsigned, i);
    if (!pj_hooks_go_on (hooks, error)
        || !pj_dataset_pixels (self->dataset, PJ_SPLIT_TRAIN, picture, &format, data->pixels + data->n_samples * size, error))
      return FALSE;
    data->labels[data->n_samples++] = pj_dataset_label (self->dataset, PJ_SPLIT_TRAIN, picture);
  }
  return TRUE;
}

static void
take_format (PjmPreparation *to, const PjFormat *from)
{
  to->c = from->c;
  to->h = from->h;
  to->w = from->w;
  to->side = from->side;
  to->bgr = from->bgr;
  for (int ch = 0; ch < 3; ch++) {
    to->mean[ch] = (double) from->mean[ch];
    to->std[ch] = (double) from->std[ch];
  }
}

static gboolean
reading_run (gpointer user_data, const PjHooks *hooks, GError **error)
{
  Reading *self = user_data;
  PjmData *data = self->data = g_new0 (PjmData, 1);
  PjFormat format;
  data->name = g_strdup (pj_dataset_name (self->dataset));
  data->path = g_strdup (pj_dataset_path (self->dataset));
  data->n_train = pj_dataset_n (self->dataset, PJ_SPLIT_TRAIN);
  data->n_test = pj_dataset_n (self->dataset, PJ_SPLIT_TEST);
  pj_dataset_native_size (self->dataset, &data->native_c, &data->native_h, &data->native_w);
  count_classes (data, self->dataset);
  data->measured = pj_graph_get_meta (self->network->graph, "penjing.mean") == NULL;
  if (!pj_dataset_format_for (self->dataset, self->network->graph, FALSE, &format, error))
    return FALSE;
  take_format (&data->preparation, &format);
  return read_samples (self, &format, hooks, error);
}

static void
reading_news (PjTask *task, const PjTaskNews *news, gpointer user_data)
{
  Reading *reading = pj_task_get_data (task);
  g_autoptr (PjmProject) self = g_object_ref (reading->project);
  if (news->state < PJ_TASK_DONE || self->closed || self->place == NULL || reading->network != self->place->network
      || reading->dataset != self->dataset || reading->data == NULL)
    return;
  if (news->state == PJ_TASK_FAILED)
    reading->data->problem = g_strdup (news->error->message);
  g_clear_pointer (&self->data_seen, pjm_data_free);
  self->data_seen = g_steal_pointer (&reading->data);
  pjm_project_emit_data_changed (self);
}

void
pjm_project_read_data (PjmProject *self)
{
  g_clear_pointer (&self->data_seen, pjm_data_free);
  pjm_project_emit_data_changed (self);
  if (self->closed || self->place == NULL || self->dataset == NULL)
    return;
  Reading *data = g_new0 (Reading, 1);
  data->project = self;
  data->network = pjm_network_ref (self->place->network);
  data->dataset = pj_dataset_ref (self->dataset);
  pj_job_queue_push (self->files, reading_run, data, reading_free, reading_news, NULL);
}

const PjmData *
pjm_project_get_data (PjmProject *self)
{
  return self->data_seen;
}

/* --- setting the preparation --- */

typedef struct {
  PjmProject *project;
  PjmStore *store;
  PjmNetwork *network;
  PjDataset *dataset;
  gboolean measured;
  PjFormat format;
  const char *criterion;
  PjmPlace *place;
} Preparing;

static void
preparing_free (gpointer data)
{
  Preparing *self = data;
  pjm_store_unref (self->store);
  pjm_network_unref (self->network);
  pj_dataset_unref (self->dataset);
  pjm_place_unref (self->place);
  g_free (self);
}

/* The same network with other notes, stored. */
static gboolean
preparing_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Preparing *self = data;
  g_autoptr (PjGraph) graph = pj_graph_copy (self->network->graph);
  PjFormat format = self->format;
  if (self->measured) {
    format.mean[0] = format.std[0] = 0;
    if (!pj_dataset_default_format (self->dataset, &format, error))
      return FALSE;
    format.side = self->format.side;
    format.bgr = self->format.bgr;
    if (format.bgr) {
      float mean = format.mean[0], std = format.std[0];
      format.mean[0] = format.mean[2];
      format.std[0] = format.std[2];
      format.mean[2] = mean;
      format.std[2] = std;
    }
  }
  pj_format_note (&format, graph);
  gint64 model = pj_session_put_graph (self->store->session, graph, error);
  if (model == 0)
    return FALSE;
  self->place = pjm_place_new (self->store->session, model, g_steal_pointer (&graph), self->criterion, error);
  return self->place != NULL;
}

static void
preparing_done (gpointer data, const GError *error, gpointer user_data)
{
  Preparing *self = data;
  g_autoptr (PjmProject) project = g_object_ref (self->project);
  if (project->closed || self->store != project->store)
    return;
  if (error != NULL) {
    pjm_project_fail (project, _("The preparation of the pictures could not be changed"), error->message);
    return;
  }
  if (project->place->network != self->network || project->loading)
    return;
  if (self->place->network->model != self->network->model)
    pjm_project_commit_place (project, self->place);
}

static gboolean
check_preparation (PjmProject *self, const PjmPreparation *wanted)
{
  for (int ch = 0; ch < wanted->c; ch++)
    if (!isfinite (wanted->mean[ch]) || !isfinite (wanted->std[ch]) || wanted->std[ch] <= 0) {
      pjm_project_fail (self, _("The preparation of the pictures could not be changed"),
                        _("Each deviation must be a number above 0: pictures are divided by it."));
      return FALSE;
    }
  if (wanted->side < 0 || wanted->side > PJ_FORMAT_MAX_SIDE || (wanted->side > 0 && wanted->side < MAX (wanted->h, wanted->w))) {
    pjm_project_fail (self, _("The preparation of the pictures could not be changed"),
                      _("The shorter side must be at least as large as what is cropped from it."));
    return FALSE;
  }
  return TRUE;
}

void
pjm_project_set_preparation (PjmProject *self, const PjmPreparation *wanted, gboolean measured)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && wanted != NULL);
  if (!pjm_project_is_ready (self) || self->dataset == NULL || pjm_project_refuse_read_only (self)
      || (!measured && !check_preparation (self, wanted)))
    return;
  const PjShape *shape = &pj_graph_value (self->place->network->graph, pj_graph_get_input (self->place->network->graph))->shape;
  if (shape->rank != 4 || shape->dim[1] > 3)
    return;
  Preparing *data = g_new0 (Preparing, 1);
  data->project = self;
  data->store = pjm_store_ref (self->store);
  data->network = pjm_network_ref (self->place->network);
  data->dataset = pj_dataset_ref (self->dataset);
  data->criterion = self->criterion;
  data->measured = measured;
  data->format = (PjFormat) { .c = (int) shape->dim[1], .h = (int) shape->dim[2], .w = (int) shape->dim[3],
                              .side = wanted->side, .bgr = wanted->bgr && shape->dim[1] == 3 };
  for (int ch = 0; ch < 3; ch++) {
    data->format.mean[ch] = (float) wanted->mean[ch];
    data->format.std[ch] = (float) wanted->std[ch];
  }
  pjm_write (self->files, preparing_run, data, preparing_free, preparing_done, NULL);
}
