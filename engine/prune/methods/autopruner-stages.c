/* SPDX-License-Identifier: MIT */
/* What is coded when, and how a stage begins and ends. */
#include "prune/methods/autopruner-private.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "ops/op.h"
#include "ops/params.h"
#include "train/masks.h"

/* --- settings --- */

/* Epochs, learning rate, weight decay, spread of the first code weights, order. */
static const struct { unsigned epochs; double lr, decay, spread; PjAutoprunerOrder order; } presets[] = {
  [PJ_CODING_VGG] = { 3, 1e-3, 5e-4, 10, PJ_AUTOPRUNER_ONE_BY_ONE },
  [PJ_CODING_RESNET] = { 8, 1e-3, 5e-4, 10, PJ_AUTOPRUNER_STAGES },
  [PJ_CODING_MOBILENET] = { 5, 1e-2, 1e-4, 1, PJ_AUTOPRUNER_TOGETHER },
};

/* Which of the published networks this one is like. */
static PjCodingNet
guess_net (const PjScoring *scoring)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (scoring->graph); n++) {
    const PjNode *node = pj_graph_node (scoring->graph, (int) n);
    if (node->op == &pj_op_conv && ((const PjConvParams *) node->params)->groups > 1
        && pj_graph_value (scoring->graph, node->inputs[1])->shape.dim[1] == 1)
      return PJ_CODING_MOBILENET;
  }
  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++)
    if (pj_groups_get (scoring->groups, i)->ties->len > 0)
      return PJ_CODING_RESNET;
  return PJ_CODING_VGG;
}

void
pj_autopruner_read_options (PjAutoprunerOptions *options, const PjMethod *method, const PjScoring *scoring,
                            const PjPruneSettings *settings)
{
  int net = (int) pj_method_value (method, settings, "net"), order = (int) pj_method_value (method, settings, "order");
  double epochs = pj_method_value (method, settings, "epochs"), lr = pj_method_value (method, settings, "code-lr");

  options->net = net > 0 ? (PjCodingNet) (net - 1) : guess_net (scoring);
  options->order = order > 0 ? (PjAutoprunerOrder) (order - 1) : presets[options->net].order;
  options->epochs = epochs > 0 ? (unsigned) epochs : presets[options->net].epochs;
  options->batch = (unsigned) pj_method_value (method, settings, "code-batch");
  options->edge = (unsigned) pj_method_value (method, settings, "code-edge");
  options->lr = lr > 0 ? lr : presets[options->net].lr;
  options->decay = presets[options->net].decay;
  options->spread = presets[options->net].spread;
}

void
pj_autopruner_coding (PjCodingPlan *coding, const PjAutoprunerOptions *options, const PjMethod *method,
                      const PjPruneSettings *settings, unsigned per_epoch)
{
  pj_coding_plan_init (coding, options->net, options->epochs, per_epoch);
  const struct { const char *name; double *value; } given[] = {
    { "alpha", &coding->start }, { "alpha-end", &coding->end }, { "alpha-step", &coding->step },
    { "lambda", &coding->lambda }, { "lambda-least", &coding->lambda_least },
  };
  for (guint i = 0; i < G_N_ELEMENTS (given); i++) {
    double value = pj_method_value (method, settings, given[i].name);
    if (value > 0 || g_str_equal (given[i].name, "lambda-least"))
      *given[i].value = value;
  }
}

/* --- stages --- */

/* Groups of one stage of a residual network work on maps of one size. */
static gboolean
belongs (const PjScoring *scoring, const PjGroup *group, const GPtrArray *stage, PjAutoprunerOrder order)
{
  if (order != PJ_AUTOPRUNER_STAGES)
    return order == PJ_AUTOPRUNER_TOGETHER;
  const PjGroup *last = stage->pdata[stage->len - 1];
  const PjShape *a = &pj_graph_value (scoring->graph, group->mask_points[group->n_mask_points - 1].value)->shape;
  const PjShape *b = &pj_graph_value (scoring->graph, last->mask_points[last->n_mask_points - 1].value)->shape;
  return a->rank == b->rank && (a->rank < 4 || a->dim[2] == b->dim[2]);
}

GPtrArray *
pj_autopruner_stages (const PjScoring *scoring, const double *ratios, PjAutoprunerOrder order)
{
  GPtrArray *stages = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);

  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    if (group->lock_reason != NULL || ratios[i] >= 1)
      continue;
    if (stages->len == 0 || !belongs (scoring, group, stages->pdata[stages->len - 1], order))
      g_ptr_array_add (stages, g_ptr_array_new ());
    g_ptr_array_add (stages->pdata[stages->len - 1], (gpointer) group);
  }
  return stages;
}

/* --- one stage --- */

/* The gates of the stages before stay closed while the others are coded. */
static gboolean
close_gates (PjAutopruner *self, const GArray *gated, GError **error)
{
  for (guint i = 0; i < gated->len; i++) {
    int value = g_array_index (gated, int, i);
    size_t n = (size_t) pj_graph_value (self->base, value)->shape.dim[1];
    g_autofree float *gate = g_new (float, n);
    for (size_t c = 0; c < n; c++)
      gate[c] = 1;
    for (unsigned k = 0; k < self->plan->n_cuts; k++) {
      const PjGroup *group = pj_groups_get (self->scoring->groups, (unsigned) self->plan->cuts[k].group);
      for (unsigned m = 0; m < group->n_mask_points; m++)
        for (int c = 0; group->mask_points[m].value == value && c < group->mask_points[m].n; c++)
          if (group->mask_points[m].map[c] >= 0 && !self->plan->cuts[k].keep[group->mask_points[m].map[c]])
            gate[c] = 0;
    }
    if (!pj_plan_set_gate (self->exec, self->net->value_of[value], gate, error))
      return FALSE;
  }
  return TRUE;
}

static int
compare_ints (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

static gboolean
open_plan (PjAutopruner *self, GError **error)
{
  g_autoptr (GArray) gated = pj_masks_gated (self->scoring->groups, self->plan);
  g_autoptr (GArray) coded_gated = g_array_new (FALSE, FALSE, sizeof (int)), codes = g_array_new (FALSE, FALSE, sizeof (int));

  for (guint i = 0; i < gated->len; i++)
    g_array_append_val (coded_gated, self->net->value_of[g_array_index (gated, int, i)]);
  g_array_sort (coded_gated, compare_ints);
  for (unsigned s = 0; s < self->net->n_sites; s++)
    g_array_append_val (codes, self->net->sites[s].code);
  PjPlanOptions options = {
    .batch = self->options.batch, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1,
    .gated = (const int *) coded_gated->data, .n_gated = coded_gated->len,
    .observed = (const int *) codes->data, .n_observed = codes->len,
  };
  self->exec = pj_plan_new (self->net->graph, self->params, &options, error);
  return self->exec != NULL && close_gates (self, gated, error);
}

gboolean
pj_autopruner_open (PjAutopruner *self, GError **error)
{
  GPtrArray *stage = self->stages->pdata[self->stage];
  unsigned n = stage->len, widest = 1;

  pj_autopruner_coding (&self->coding, &self->options, self->method, self->settings, self->per_epoch);
  self->net = pj_coded_net_new (self->base, (const PjGroup *const *) stage->pdata, n, self->options.edge,
                                self->options.spread, self->scoring->seed, error);
  self->params = self->net != NULL ? pj_params_new (self->scoring->device, self->net->graph, TRUE, error) : NULL;
  if (self->params == NULL || !open_plan (self, error))
    return FALSE;
  self->states = g_new0 (PjCodingState, n);
  self->frozen = g_new0 (gboolean, n);
  self->written_alpha = g_new (float, n);
  self->written_lambda = g_new (float, n);
  for (unsigned s = 0; s < n; s++) {
    pj_coding_state_init (&self->states[s], &self->coding, self->net->sites[s].group->n_channels);
    self->written_alpha[s] = self->written_lambda[s] = NAN;
    widest = MAX (widest, (unsigned) self->states[s].n);
  }
  self->gates = pj_alloc ((size_t) widest * self->options.batch * sizeof (float), "gates", error);
  self->loss = pj_alloc (self->options.batch * sizeof (float), "losses", error);
  return self->gates != NULL && self->loss != NULL;
}

void
pj_autopruner_drop (PjAutopruner *self)
{
  for (unsigned s = 0; self->states != NULL && s < self->net->n_sites; s++)
    pj_coding_state_clear (&self->states[s]);
  g_clear_pointer (&self->states, g_free);
  g_clear_pointer (&self->frozen, g_free);
  g_clear_pointer (&self->written_alpha, g_free);
  g_clear_pointer (&self->written_lambda, g_free);
  g_clear_pointer (&self->gates, pj_free);
  g_clear_pointer (&self->loss, pj_free);
  g_clear_pointer (&self->exec, pj_plan_free);
  g_clear_pointer (&self->params, pj_params_free);
  g_clear_pointer (&self->net, pj_coded_net_free);
}

/* The code of one site as a mask: the vote, or where counts must come out even, as many of the widest open. */
static void
mask_of (const PjAutopruner *self, const PjGroup *group, const PjCodingState *state, guint8 *keep)
{
  g_autofree double *score = g_new (double, group->n_channels);
  int n = 0;

  for (int c = 0; c < state->n; c++) {
    score[c] = state->mean[c];
    n += keep[c] = state->code[c];
  }
  if (n > 0 && group->n_blocks == 1 && !PJ_ROUNDS (self->settings->multiple))
    return;
  double share = (double) MAX (n, 1) / group->n_channels;
  pj_group_keep_top (group, score, pj_group_keep_count (group, share, self->settings->multiple), keep);
}

PjCutPlan *
pj_autopruner_masks (const PjAutopruner *self)
{
  PjCutPlan *masks = pj_cut_plan_copy (self->plan);
  for (unsigned s = 0; self->net != NULL && s < self->net->n_sites; s++) {
    const PjGroup *group = self->net->sites[s].group;
    g_autofree guint8 *keep = g_malloc (group->n_channels);
    mask_of (self, group, &self->states[s], keep);
    pj_cut_plan_set (masks, group, keep, NULL);
  }
  return masks;
}

/* The open gates, which are near 1, go into the weights of whoever reads the group: nothing is lost when the coding
 * layer goes. */
static PjGraph *
absorb_gates (const PjAutopruner *self, PjGraph *learnt, GError **error)
{
  g_autoptr (PjCutPlan) factors = pj_cut_plan_new ();
  for (unsigned s = 0; s < self->net->n_sites; s++) {
    const PjCodingState *state = &self->states[s];
    g_autofree guint8 *all = g_malloc (state->n);
    g_autofree float *scale = g_new (float, state->n);
    memset (all, 1, (size_t) state->n);
    for (int c = 0; c < state->n; c++)
      scale[c] = self->frozen[s] || !state->code[c] ? 1 : state->mean[c];
    pj_cut_plan_set (factors, self->net->sites[s].group, all, scale);
  }
  return pj_cut (learnt, self->scoring->groups, factors, error);
}

gboolean
pj_autopruner_close (PjAutopruner *self, GError **error)
{
  g_autoptr (PjGraph) learnt = pj_coded_net_plain (self->net, self->base, self->params, error);
  PjGraph *absorbed = learnt != NULL ? absorb_gates (self, learnt, error) : NULL;
  if (absorbed == NULL)
    return FALSE;
  PjCutPlan *masks = pj_autopruner_masks (self);
  pj_cut_plan_unref (self->plan);
  self->plan = masks;
  pj_graph_unref (self->base);
  self->base = absorbed;
  pj_autopruner_drop (self);
  return TRUE;
}
