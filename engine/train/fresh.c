/* SPDX-License-Identifier: MIT */
#include "train/fresh.h"

#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "ops/op.h"
#include "ops/params.h"

/* What a parameter starts as: normal values of deviation @std, or @fill everywhere; or as it is. */
typedef struct {
  double std;
  float fill;
  gboolean stays;
} Start;

/* Deviation of the weights of @node: of each output, how many weights an input channel reaches. */
static double
weight_deviation (const PjGraph *graph, const PjNode *node)
{
  if (node->op != &pj_op_conv && node->op != &pj_op_conv_transpose)
    return 0.01;
  const PjConvParams *conv = node->params;
  int64_t out = pj_graph_value (graph, node->outputs[0])->shape.dim[1];
  return sqrt (2.0 * conv->groups / ((double) out * conv->kernel[0] * conv->kernel[1]));
}

static Start
start_of (const PjGraph *graph, const PjNode *node, unsigned input)
{
  gboolean is_norm = node->op == &pj_op_norm || node->op == &pj_op_instance_norm;

  switch (node->op->uses[input]) {
  case PJ_USE_WEIGHT:
    return (Start) { .std = weight_deviation (graph, node) };
  case PJ_USE_PLAIN:
    if (is_norm)
      return (Start) { .fill = input == 1 ? 1 : 0 };
    if (node->op == &pj_op_prelu)
      return (Start) { .fill = 0.25f };
    /* The bias of a layer is its input 2; a table that is multiplied or added is input 1. */
    return (Start) { .stays = input != 2 };
  case PJ_USE_STATE:
    return is_norm ? (Start) { .fill = input == 4 ? 1 : 0 } : (Start) { .stays = TRUE };
  default:
    return (Start) { .stays = TRUE };
  }
}

static gboolean
restart (PjGraph *graph, int value, Start start, uint64_t seed, GError **error)
{
  PjShape shape = pj_graph_value (graph, value)->shape;
  size_t n = pj_shape_n_elems (&shape);
  float *data = pj_alloc (n * sizeof (float), "initial weights", error);
  PjRng rng;

  if (data == NULL)
    return FALSE;
  pj_rng_init (&rng, seed, PJ_STREAM (PJ_STREAM_INIT, value, 1));
  for (size_t i = 0; i < n; i++)
    data[i] = start.std > 0 ? (float) (start.std * pj_rng_normal (&rng)) : start.fill;
  pj_graph_set_param (graph, value, shape, pj_blob_new_take (data, n));
  return TRUE;
}

PjGraph *
pj_graph_fresh (const PjGraph *graph, uint64_t seed, GError **error)
{
  g_autoptr (PjGraph) fresh = pj_graph_copy (graph);

  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    for (unsigned i = 1; i < node->n_inputs && i < PJ_OP_MAX_INPUTS; i++) {
      int value = node->inputs[i];
      if (value < 0 || pj_graph_value (graph, value)->kind != PJ_VALUE_PARAM)
        continue;
      Start start = start_of (graph, node, i);
      if (!start.stays && !restart (fresh, value, start, seed, error))
        return NULL;
    }
  }
  return g_steal_pointer (&fresh);
}

unsigned
pj_fresh_epochs (unsigned epochs, uint64_t full_macs, uint64_t pruned_macs)
{
  double share = pruned_macs > 0 ? (double) full_macs / (double) pruned_macs : 1;
  return (unsigned) CLAMP (floor (epochs * share + 1e-9), epochs, 2.0 * epochs);
}

void
pj_fresh_options (PjTrainOptions *options, PjFresh how, uint64_t full_macs, uint64_t pruned_macs)
{
  if (how == PJ_FRESH_NO)
    return;
  options->lr = MAX (options->lr, PJ_FRESH_LR);
  if (how == PJ_FRESH_EPOCHS)
    return;
  unsigned *const lengths[] = { &options->epochs, &options->max_steps, &options->warmup_steps, &options->step_epochs };
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    *lengths[i] = pj_fresh_epochs (*lengths[i], full_macs, pruned_macs);
}
