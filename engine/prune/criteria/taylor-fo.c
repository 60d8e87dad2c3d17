/* SPDX-License-Identifier: MIT */
/* Σ_s (g_s·w_s)² over the weights of the filter that makes a channel, per mini-batch, averaged.
 *
 * The square of the sum, (Σ g·w)², is no use behind a norm: a filter can be scaled there without any change, so its g·w add
 * up to 0. */
#include "base/alloc.h"
#include "compute/plan.h"
#include "prune/scores/calibration.h"
#include "prune/criteria/criteria.h"

/* The weights of one layer that makes channels of a group, and their sums. */
typedef struct {
  unsigned entry;             /* of the scores */
  const PjMember *member;
  double *sum;                /* by channel of the group */
} Layer;

static void
layer_clear (gpointer data)
{
  g_free (((Layer *) data)->sum);
}

static GArray *
find_layers (const PjScoring *scoring, const PjScores *scores)
{
  GArray *layers = g_array_new (FALSE, FALSE, sizeof (Layer));
  g_array_set_clear_func (layers, layer_clear);
  for (unsigned i = 0; i < scores->n_groups; i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, (unsigned) scores->groups[i].group);
    for (unsigned m = 0; scores->groups[i].score != NULL && m < group->n_members; m++) {
      const PjMember *member = &group->members[m];
      if (!member->is_param || member->role != PJ_ROLE_PRODUCER)
        continue;
      Layer layer = { i, member, g_new0 (double, group->n_channels) };
      g_array_append_val (layers, layer);
    }
  }
  return layers;
}

/* Adds what the gradients of one mini-batch say. @grads: room for them */
static gboolean
add_layer (const PjScoring *scoring, PjParams *params, const Layer *layer, float *grads, GError **error)
{
  const PjMember *member = layer->member;
  const PjValue *weight = pj_graph_value (scoring->graph, member->value);
  const float *w = pj_blob_data (weight->data);
  size_t row = pj_shape_n_elems (&weight->shape) / (size_t) member->n;

  if (!pj_params_read_grad (params, member->value, grads, error))
    return FALSE;
  for (int k = 0; k < member->n; k++)
    for (size_t i = k * row; member->map[k] >= 0 && i < (k + 1) * row; i++) {
      double change = (double) w[i] * grads[i];
      layer->sum[member->map[k]] += change * change;
    }
  return TRUE;
}

/* Whole mini-batches only: the mean of fewer pictures has larger gradients. */
static gboolean
run_pictures (const PjScoring *scoring, PjCalibration *pictures, PjParams *params, PjPlan *plan, const GArray *layers, float *grads,
              unsigned *n_batches, GError **error)
{
  GError *reason = NULL;
  const PjBatch *batch;
  unsigned n = 0;

  *n_batches = 0;
  while ((batch = pj_calibration_next (pictures, scoring->hooks, "gradients", n, &reason)) != NULL) {
    n += batch->n;
    if (batch->n < pictures->batch)
      continue;
    if (!pj_plan_set_images (plan, batch->images, error) || !pj_plan_set_labels (plan, batch->labels, error)
        || !pj_plan_forward (plan, NULL, error) || !pj_plan_backward (plan, error))
      return FALSE;
    for (guint i = 0; i < layers->len; i++)
      if (!add_layer (scoring, params, &g_array_index (layers, Layer, i), grads, error))
        return FALSE;
    (*n_batches)++;
  }
  if (reason != NULL)
    g_propagate_error (error, reason);
  return reason == NULL;
}

/* Joins the layers of each group. */
static void
combine (const PjScoring *scoring, const GArray *layers, unsigned n_batches, PjScores *scores)
{
  for (guint first = 0, next; first < layers->len; first = next) {
    const Layer *layer = &g_array_index (layers, Layer, first);
    PjGroupScores *entry = &scores->groups[layer->entry];
    for (next = first; next < layers->len && g_array_index (layers, Layer, next).entry == layer->entry; next++)
      ;
    g_autofree double *parts = g_new (double, (gsize) (next - first) * (gsize) entry->n_channels);
    for (guint i = first; i < next; i++)
      for (int c = 0; c < entry->n_channels; c++)
        parts[(gsize) (i - first) * (gsize) entry->n_channels + (gsize) c] = g_array_index (layers, Layer, i).sum[c] / n_batches;
    pj_tied_combine (scoring->tied, PJ_TIED_MEAN, parts, next - first, entry->n_channels, FALSE, entry->score);
  }
}

static gboolean
score_all (const PjScoring *scoring, PjScores *scores, GError **error)
{
  g_autoptr (PjCalibration) pictures = pj_calibration_new (scoring, PJ_DEFAULT_GRADIENT_IMAGES, PJ_SENSITIVITY_BATCH, error);
  if (pictures == NULL)
    return FALSE;
  g_autoptr (PjParams) params = pj_params_new (scoring->device, scoring->graph, TRUE, error);
  PjPlanOptions options = { .batch = pictures->batch, .mode = PJ_PLAN_SCORE, .cross_entropy = 1 };
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (scoring->graph, params, &options, error) : NULL;
  if (plan == NULL)
    return FALSE;
  g_autoptr (GArray) layers = find_layers (scoring, scores);
  size_t largest = 1;
  unsigned n_batches;
  for (guint i = 0; i < layers->len; i++)
    largest = MAX (largest, pj_shape_n_elems (&pj_graph_value (scoring->graph, g_array_index (layers, Layer, i).member->value)->shape));
  float *grads = pj_alloc (largest * sizeof (float), "gradients of one layer", error);
  gboolean ok = grads != NULL && run_pictures (scoring, pictures, params, plan, layers, grads, &n_batches, error);
  pj_free (grads);
  if (!ok)
    return FALSE;
  scores->n_images = n_batches * pictures->batch;
  combine (scoring, layers, n_batches, scores);
  return TRUE;
}

const PjCriterion pj_criterion_taylor_fo = {
  .name = "taylor-fo", .title = "Taylor FO of weights",
  .about = "Squares gradient times weight for every weight of the filter that makes a channel, and sums them, averaged over "
           "mini-batches. It judges the filter itself and not what its norm makes of it, and needs no norm.",
  .source = "Molchanov, Mallya, Tyree, Frosio, Kautz: Importance Estimation for Neural Network Pruning, CVPR 2019",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS,
  .comparable = TRUE, .joins = TRUE, .score_all = score_all,
};
