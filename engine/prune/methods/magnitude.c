/* SPDX-License-Identifier: MIT */
/* Connection-level pruning: small weights become 0 and stay 0 in all later training.  No channel
 * goes: the network is as wide as before, takes less room where it is stored sparsely, and no dense kernel is faster. */
#include <string.h>

#include "base/alloc.h"
#include "ops/op.h"
#include "prune/methods/methods.h"
#include "prune/gates/sparse.h"
#include "train/trainer.h"

enum { RULE_LEVEL, RULE_GLOBAL, RULE_QUALITY };

/* One layer with weights. @value: its weight; @ratio: share that stays */
typedef struct {
  PjSparseLayer layer;
  int value;
  gboolean is_conv;
  double ratio;
} Target;

static void
target_clear (gpointer data)
{
  g_free (((Target *) data)->layer.mask);
}

/* The ratio of the group that the outputs of @node belong to; 0 if it has none of its own, as for a classifier. */
static double
ratio_of (const PjScoring *scoring, const PjPruneSettings *settings, int node)
{
  const PjGroup *group = pj_groups_of_node (scoring->groups, node);
  return group != NULL && group->lock_reason == NULL ? settings->ratios[group->id] : 0;
}

static GArray *
find_targets (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings)
{
  GArray *targets = g_array_new (FALSE, TRUE, sizeof (Target));
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  double rest = pj_method_value (method, settings, "rest"), kept = 0, n = 0;

  g_array_set_clear_func (targets, target_clear);
  for (unsigned i = 0; i < pj_graph_n_nodes (scoring->graph); i++) {
    const PjNode *node = pj_graph_node (scoring->graph, (int) i);
    if ((node->op != &pj_op_conv && node->op != &pj_op_gemm) || !g_hash_table_add (seen, GINT_TO_POINTER (node->inputs[1])))
      continue;
    const PjBlob *blob = pj_graph_value (scoring->graph, node->inputs[1])->data;
    Target target = {
      .layer = { pj_blob_data (blob), pj_blob_n_elems (blob), g_malloc (pj_blob_n_elems (blob)) },
      .value = node->inputs[1], .is_conv = node->op == &pj_op_conv, .ratio = ratio_of (scoring, settings, (int) i),
    };
    if (target.ratio > 0) {
      kept += target.ratio * (double) target.layer.n;
      n += (double) target.layer.n;
    }
    g_array_append_val (targets, target);
  }
  for (guint t = 0; t < targets->len; t++) {
    Target *target = &g_array_index (targets, Target, t);
    if (target->ratio == 0)
      target->ratio = rest > 0 ? rest : n > 0 ? kept / n : 1;
  }
  return targets;
}

/* One level over all layers: the mean of their ratios. */
static void
mask_global (const GArray *targets)
{
  g_autofree PjSparseLayer *layers = g_new (PjSparseLayer, targets->len);
  double kept = 0, n = 0;

  for (guint t = 0; t < targets->len; t++) {
    const Target *target = &g_array_index (targets, Target, t);
    layers[t] = target->layer;
    kept += target->ratio * (double) target->layer.n;
    n += (double) target->layer.n;
  }
  pj_sparse_by_level (layers, targets->len, 1 - kept / n);
}

static void
mask_all (const PjMethod *method, const PjPruneSettings *settings, const GArray *targets)
{
  int rule = (int) pj_method_value (method, settings, "rule");
  double conv = pj_method_value (method, settings, "quality"), fc = pj_method_value (method, settings, "quality-fc");

  if (rule == RULE_GLOBAL && targets->len > 0)
    mask_global (targets);
  for (guint t = 0; t < targets->len && rule != RULE_GLOBAL; t++) {
    const Target *target = &g_array_index (targets, Target, t);
    if (rule == RULE_LEVEL)
      pj_sparse_by_level (&target->layer, 1, 1 - target->ratio);
    else
      pj_sparse_by_quality (&target->layer, target->is_conv ? conv : fc);
  }
}

static gboolean
removes (const Target *target)
{
  return memchr (target->layer.mask, 0, target->layer.n) != NULL;
}

static gboolean
apply (PjGraph *graph, const Target *target, GError **error)
{
  float *data = pj_alloc (target->layer.n * sizeof (float), "masked weights", error);
  if (data == NULL)
    return FALSE;
  for (size_t i = 0; i < target->layer.n; i++)
    data[i] = target->layer.mask[i] ? target->layer.w[i] : 0;
  pj_graph_set_param (graph, target->value, pj_graph_value (graph, target->value)->shape, pj_blob_new_take (data, target->layer.n));
  return TRUE;
}

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  if (!pj_prune_settings_check (self, scoring, settings, error))
    return NULL;
  g_autoptr (GArray) targets = find_targets (self, scoring, settings);
  g_autoptr (PjGraph) sparse = pj_graph_copy (scoring->graph);
  mask_all (self, settings, targets);
  gboolean any = FALSE;
  for (guint t = 0; t < targets->len; t++) {
    const Target *target = &g_array_index (targets, Target, t);
    if (!pj_hooks_go_on (scoring->hooks, error) || (removes (target) && !apply (sparse, target, error)))
      return NULL;
    any = any || removes (target);
  }
  PjCutPlan *plan = pj_cut_plan_new ();
  if (any) {
    pj_graph_set_meta (sparse, PJ_SPARSE_NOTE, "zeros stay zero");
    pj_cut_plan_set_weights (plan, sparse);
  }
  if (scores != NULL)
    *scores = NULL;
  return plan;
}

static const char *const rules[] = { "level", "global", "quality", NULL };

static const PjMethodOption options[] = {
  { "rule", "which weights go: the smallest of each layer (level), of all layers together (global), or those below a share of "
    "the layer's deviation (quality)", RULE_LEVEL, 0, 2, TRUE, rules },
  { "quality", "with rule quality: share of the deviation for convolutions", 0.4, 0, 10, FALSE, NULL },
  { "quality-fc", "with rule quality: share of the deviation for fully connected layers", 0.75, 0, 10, FALSE, NULL },
  { "rest", "share that stays in layers without a keep ratio, such as the classifier; 0: as in the others", 0, 0, 1, FALSE, NULL },
  { NULL }
};

const PjMethod pj_method_magnitude = {
  .name = "magnitude", .title = "Connections",
  .about = "Sets single small weights to zero, where they stay in all later training; a keep ratio is the share of weights that "
           "stay. Channels stay, so it saves room in sparse files and no time on dense kernels.",
  .source = "Han, Pool, Tran, Dally: Learning both Weights and Connections for Efficient Neural Networks, NIPS 2015",
  .needs = PJ_NEEDS_NOTHING, .connections = TRUE,
  .options = options, .choose = choose,
};
