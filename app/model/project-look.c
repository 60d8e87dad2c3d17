/* SPDX-License-Identifier: MIT */
/* Looking into a layer: one run of the part of the network that leads to it, on a few test pictures.  It has a
 * device of its own on the files thread, so that a person need not wait for the jobs.  Only the newest look counts:
 * a person walks from layer to layer. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "compute/plan.h"
#include "model/project-private.h"

#define N_PICTURES 12
/* Activations that are read back at once, at most. */
#define MAX_ELEMS ((size_t) 24 << 20)

typedef struct {
  PjmProject *project;
  PjmNetwork *network;
  PjDataset *dataset;           /* NULL: only the filters */
  guint row, serial;
  PjmLook *look;
} Looking;

void
pjm_look_free (PjmLook *self)
{
  if (self == NULL)
    return;
  g_free (self->pixels);
  g_free (self->labels);
  g_free (self->filters);
  g_free (self->maps);
  g_free (self->strength);
  g_free (self);
}

static void
looking_free (gpointer data)
{
  Looking *self = data;
  pjm_network_unref (self->network);
  pj_dataset_unref (self->dataset);
  pjm_look_free (self->look);
  g_free (self);
}

/* Group channel of each position of @value's channel axis, or NULL: they are the same. */
static const int *
channel_map (const PjGroup *group, int value)
{
  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (member->value == value && member->axis == 1 && !member->is_param)
      return member->map;
  }
  return NULL;
}

static void
copy_filter (PjmLook *look, const float *weights, gsize inputs, gsize channel, gsize at)
{
  gsize plane = (gsize) look->filter_h * look->filter_w;
  float *out = look->filters + channel * look->filter_planes * plane;
  const float *in = weights + at * inputs * plane;
  if (look->filter_planes == 3) {
    memcpy (out, in, 3 * plane * sizeof (float));
    return;
  }
  for (gsize k = 0; k < plane; k++) {
    double sum = 0;
    for (gsize i = 0; i < inputs; i++)
      sum += in[i * plane + k];
    out[k] = (float) (sum / (double) inputs);
  }
}

/* Filters of more than one position, seen as pictures. */
static void
take_filters (Looking *self, const PjmRow *row, const PjGroup *group)
{
  const PjGraph *graph = self->network->graph;
  const PjNode *node = pj_graph_node (graph, row->node);
  const PjValue *weights = node->n_inputs > 1 && node->inputs[1] >= 0 ? pj_graph_value (graph, node->inputs[1]) : NULL;
  PjmLook *look = self->look;
  if (weights == NULL || weights->data == NULL || weights->shape.rank != 4 || weights->shape.dim[2] * weights->shape.dim[3] < 2)
    return;
  const int *map = channel_map (group, node->outputs[0]);
  gsize inputs = (gsize) weights->shape.dim[1];
  look->filter_planes = inputs == 3 ? 3 : 1;
  look->filter_inputs = (guint) inputs;
  look->filter_h = (guint) weights->shape.dim[2];
  look->filter_w = (guint) weights->shape.dim[3];
  look->filters = g_new0 (float, (gsize) look->n_channels * look->filter_planes * look->filter_h * look->filter_w);
  for (gsize o = 0; o < (gsize) weights->shape.dim[0]; o++) {
    int channel = map != NULL ? map[o] : (int) o;
    if (channel >= 0 && (guint) channel < look->n_channels)
      copy_filter (look, (const float *) pj_blob_data (weights->data), inputs, (gsize) channel, o);
  }
}

static void
take_maps (PjmLook *look, const float *values, const int *map, gsize n_positions)
{
  gsize plane = (gsize) look->map_h * look->map_w;
  look->maps = g_new0 (float, (gsize) look->n_pictures * look->n_channels * plane);
  look->strength = g_new0 (double, (gsize) look->n_channels * look->n_pictures);
  for (guint p = 0; p < look->n_pictures; p++)
    for (gsize o = 0; o < n_positions; o++) {
      int channel = map != NULL ? map[o] : (int) o;
      if (channel < 0 || (guint) channel >= look->n_channels)
        continue;
      const float *in = values + (p * n_positions + o) * plane;
      double sum = 0;
      memcpy (look->maps + (p * (gsize) look->n_channels + (gsize) channel) * plane, in, plane * sizeof (float));
      for (gsize k = 0; k < plane; k++)
        sum += fabs ((double) in[k]);
      look->strength[(gsize) channel * look->n_pictures + p] = sum / (double) plane;
    }
}

/* The pictures, and what @value is for them. */
static gboolean
run_pictures (Looking *self, int value, const int *map, const PjHooks *hooks, GError **error)
{
  PjGraph *graph = self->network->graph;
  const PjShape *shape = &pj_graph_value (graph, value)->shape;
  PjmLook *look = self->look;
  PjFormat format;
  if (!pj_dataset_format_for (self->dataset, graph, FALSE, &format, error))
    return FALSE;
  gsize elems = pj_shape_n_elems (shape), n_in = (gsize) format.c * (gsize) format.h * (gsize) format.w;
  unsigned n_test = pj_dataset_n (self->dataset, PJ_SPLIT_TEST);
  look->n_pictures = MIN (MIN (N_PICTURES, n_test), (guint) MAX ((gsize) 1, MAX_ELEMS / MAX ((gsize) 1, elems)));
  if (look->n_pictures == 0)
    return TRUE;
  PjPlanOptions options = { .batch = look->n_pictures, .mode = PJ_PLAN_INFER, .observed = &value, .n_observed = 1, .prefix = TRUE };
  g_autoptr (PjDevice) device = pj_device_open ("cpu", error);
  g_autoptr (PjParams) params = device != NULL ? pj_params_new (device, graph, FALSE, error) : NULL;
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;
  if (plan == NULL)
    return FALSE;
  look->c = format.c;
  look->h = format.h;
  look->w = format.w;
  look->bgr = format.bgr;
  look->pixels = g_malloc (look->n_pictures * n_in);
  look->labels = g_new (int, look->n_pictures);
  float *images = pj_alloc (look->n_pictures * n_in * sizeof (float), "pictures to look at", error);
  float *values = images != NULL ? pj_alloc (look->n_pictures * elems * sizeof (float), "feature maps", error) : NULL;
  gboolean ok = values != NULL;
  for (guint p = 0; ok && p < look->n_pictures; p++) {
    unsigned i = (unsigned) ((guint64) p * n_test / look->n_pictures);
    guint8 *pixels = look->pixels + p * n_in;
    look->labels[p] = pj_dataset_label (self->dataset, PJ_SPLIT_TEST, i);
    ok = pj_hooks_go_on (hooks, error) && pj_dataset_pixels (self->dataset, PJ_SPLIT_TEST, i, &format, pixels, error);
    if (ok)
      pj_format_normalise (&format, pixels, images + p * n_in);
  }
  ok = ok && pj_plan_set_images (plan, images, error) && pj_plan_forward (plan, NULL, error)
       && pj_plan_read_value (plan, value, values, error);
  if (ok) {
    gsize n_positions = (gsize) shape->dim[1];
    look->map_h = shape->rank == 4 ? (guint) shape->dim[2] : 1;
    look->map_w = shape->rank == 4 ? (guint) shape->dim[3] : shape->rank == 3 ? (guint) shape->dim[2] : 1;
    take_maps (look, values, map, n_positions);
  }
  pj_free (images);
  pj_free (values);
  return ok;
}

static gboolean
looking_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Looking *self = data;
  const PjmRow *row = self->network->rows->pdata[self->row];
  const PjGroup *group = pj_groups_get (self->network->groups, (unsigned) row->group);
  self->look = g_new0 (PjmLook, 1);
  self->look->n_channels = row->channels;
  take_filters (self, row, group);
  const PjShape *shape = &pj_graph_value (self->network->graph, row->value)->shape;
  if (self->dataset == NULL || shape->rank < 2 || shape->rank > 4)
    return TRUE;
  return run_pictures (self, row->value, channel_map (group, row->value), hooks, error);
}

static void
looking_news (PjTask *task, const PjTaskNews *news, gpointer user_data)
{
  Looking *looking = pj_task_get_data (task);
  g_autoptr (PjmProject) self = g_object_ref (looking->project);
  if (news->state < PJ_TASK_DONE || self->closed || looking->serial != self->look_serial)
    return;
  g_clear_pointer (&self->looking, pj_task_unref);
  /* What could be seen is shown; a look that failed is no reason to disturb anybody. */
  self->look = g_steal_pointer (&looking->look);
  self->look_row = (int) looking->row;
  pjm_project_emit_looked (self);
}

void
pjm_project_forget_look (PjmProject *self)
{
  self->look_serial++;
  self->look_row = -1;
  if (self->looking != NULL)
    pj_task_cancel (self->looking);
  g_clear_pointer (&self->looking, pj_task_unref);
  g_clear_pointer (&self->look, pjm_look_free);
}

void
pjm_project_look (PjmProject *self, PjmLayer *layer)
{
  g_return_if_fail (PJM_IS_PROJECT (self));
  guint row;
  if (self->closed || self->place == NULL || layer == NULL || !g_list_store_find (self->layers, layer, &row)
      || pjm_layer_get_group (layer) < 0 || (self->look != NULL && self->look_row == (int) row))
    return;
  pjm_project_forget_look (self);
  Looking *data = g_new0 (Looking, 1);
  data->project = self;
  data->network = pjm_network_ref (self->place->network);
  data->dataset = self->dataset != NULL ? pj_dataset_ref (self->dataset) : NULL;
  data->row = row;
  data->serial = self->look_serial;
  self->looking = pj_task_ref (pj_job_queue_push (self->files, looking_run, data, looking_free, looking_news, NULL));
}

const PjmLook *
pjm_project_get_look (PjmProject *self, PjmLayer *layer)
{
  guint row;
  if (self->look == NULL || layer == NULL || !g_list_store_find (self->layers, layer, &row) || (int) row != self->look_row)
    return NULL;
  return self->look;
}
