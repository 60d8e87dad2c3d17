/* SPDX-License-Identifier: MIT */
#include "prune/gates/gated-blocks.h"

#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "graph/rewrite.h"
#include "ops/op.h"
#include "ops/params.h"

/* Weights that small leave it to the bias at first. */
#define FIRST_CODE 2.0
#define SPREAD 0.01

typedef struct {
  double alpha;
  uint64_t seed;
} Start;

static int
add_numbers (PjGraph *graph, const PjPart *part, const char *what, PjShape shape, double value, double spread, PjRng *rng, GError **error)
{
  size_t n = pj_shape_n_elems (&shape);
  g_autofree char *name = g_strdup_printf ("%s.gate.%s", part->name, what);
  float *data = pj_alloc (n * sizeof (float), "the gate of a block", error);
  for (size_t i = 0; data != NULL && i < n; i++)
    data[i] = (float) (value + (spread > 0 ? spread * pj_rng_normal (rng) : 0));
  return data != NULL ? pj_graph_add_param (graph, name, shape, pj_blob_new_take (data, n)) : -1;
}

/* Multiplies what the branch of @site makes. */
static gboolean
add_gate (PjGatedBlock *site, PjRewrite *rewrite, const Start *start, GError **error)
{
  const PjPart *part = site->part;
  int value = part->result, activation = rewrite->map[value];
  const PjShape *shape = &pj_graph_value (rewrite->from, value)->shape;
  PjCodeParams params = { shape->rank == 4 ? (int) MIN (shape->dim[2], shape->dim[3]) : 1 };
  int64_t inputs = shape->rank == 4 ? shape->dim[1] * (shape->dim[2] / params.pool) * (shape->dim[3] / params.pool) : shape->dim[1];
  PjShape number = PJ_SHAPE (1, 1);
  PjRng rng;

  pj_rng_init (&rng, start->seed, PJ_STREAM (PJ_STREAM_INIT, 0xb10c + part->id, 0));
  int w = add_numbers (rewrite->to, part, "weight", PJ_SHAPE (1, inputs), 0, SPREAD * sqrt (2.0 / (double) inputs), &rng, error);
  int b = w >= 0 ? add_numbers (rewrite->to, part, "bias", PJ_SHAPE (1), FIRST_CODE / start->alpha, 0, NULL, error) : -1;
  if (b < 0)
    return FALSE;
  site->alpha = add_numbers (rewrite->to, part, "alpha", number, start->alpha, 0, NULL, error);
  site->target = site->alpha >= 0 ? add_numbers (rewrite->to, part, "target", number, 1, 0, NULL, error) : -1;
  site->pull = site->target >= 0 ? add_numbers (rewrite->to, part, "pull", number, 0, 0, NULL, error) : -1;
  int on = site->pull >= 0 ? add_numbers (rewrite->to, part, "on", number, 1, 0, NULL, error) : -1;
  int fixed = on >= 0 ? add_numbers (rewrite->to, part, "fixed", number, 0, 0, NULL, error) : -1;
  if (fixed < 0)
    return FALSE;
  const int operands[] = { activation, w, b, site->alpha, site->target, site->pull, on, fixed };
  g_autofree char *code = g_strdup_printf ("%s.gate", part->name), *gated = g_strdup_printf ("%s.gated", part->name);
  site->code = pj_graph_add_node (rewrite->to, code, &pj_op_code, &params, operands, G_N_ELEMENTS (operands), error);
  const int factors[] = { activation, site->code };
  rewrite->map[value] = site->code >= 0 ? pj_graph_add_node (rewrite->to, gated, &pj_op_mul, NULL, factors, 2, error) : -1;
  return rewrite->map[value] >= 0;
}

static gboolean
copy_nodes (PjGatedBlocks *self, PjRewrite *rewrite, const Start *start, GError **error)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (self->plain); n++) {
    const PjNode *node = pj_graph_node (self->plain, (int) n);
    if (!pj_rewrite_copy (rewrite, node, error))
      return FALSE;
    for (unsigned i = 0; i < self->n; i++)
      if (self->blocks[i].part->result == node->outputs[0] && !add_gate (&self->blocks[i], rewrite, start, error))
        return FALSE;
  }
  for (unsigned v = 0; v < pj_graph_n_values (self->plain); v++)
    self->value_of[v] = pj_graph_value (self->plain, (int) v)->kind == PJ_VALUE_PARAM ? rewrite->map[v] : -1;
  return TRUE;
}

static gboolean
is_block (const PjPart *part)
{
  return part->kind == PJ_PART_BRANCH && part->lock_reason == NULL;
}

unsigned
pj_gated_blocks_count (const PjParts *parts)
{
  unsigned n = 0;
  for (unsigned i = 0; i < pj_parts_n (parts); i++)
    n += is_block (pj_parts_get (parts, i));
  return n;
}

PjGatedBlocks *
pj_gated_blocks_new (const PjGraph *plain, const PjParts *parts, double alpha, uint64_t seed, GError **error)
{
  const Start start = { alpha, seed };
  g_auto (PjRewrite) rewrite = { 0 };
  PjGatedBlocks *self = g_new0 (PjGatedBlocks, 1);

  self->plain = plain;
  self->value_of = g_new (int, pj_graph_n_values (plain));
  self->blocks = g_new0 (PjGatedBlock, MAX (1, pj_gated_blocks_count (parts)));
  for (unsigned i = 0; i < pj_parts_n (parts); i++)
    if (is_block (pj_parts_get (parts, i)))
      self->blocks[self->n++].part = pj_parts_get (parts, i);
  pj_rewrite_init (&rewrite, plain);
  if (copy_nodes (self, &rewrite, &start, error))
    self->graph = pj_rewrite_finish (&rewrite);
  if (self->graph != NULL)
    return self;
  pj_gated_blocks_free (self);
  return NULL;
}

void
pj_gated_blocks_free (PjGatedBlocks *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->graph, pj_graph_unref);
  g_free (self->value_of);
  g_free (self->blocks);
  g_free (self);
}

PjGraph *
pj_gated_blocks_plain (const PjGatedBlocks *self, PjParams *params, GError **error)
{
  g_autoptr (PjGraph) learnt = pj_params_download (params, self->graph, error);
  if (learnt == NULL)
    return NULL;
  PjGraph *plain = pj_graph_copy (self->plain);
  for (unsigned v = 0; v < pj_graph_n_values (plain); v++)
    if (self->value_of[v] >= 0)
      pj_graph_set_param (plain, (int) v, pj_graph_value (plain, (int) v)->shape,
                          pj_blob_ref (pj_graph_value (learnt, self->value_of[v])->data));
  return plain;
}

static gboolean
scale_param (PjGraph *graph, int value, float factor, GError **error)
{
  const PjValue *old = pj_graph_value (graph, value);
  size_t n = pj_blob_n_elems (old->data);
  const float *from = pj_blob_data (old->data);
  float *to = pj_alloc (n * sizeof (float), "weights", error);
  for (size_t i = 0; to != NULL && i < n; i++)
    to[i] = factor * from[i];
  if (to == NULL)
    return FALSE;
  pj_graph_set_param (graph, value, old->shape, pj_blob_new_take (to, n));
  return TRUE;
}

gboolean
pj_gated_block_absorb (PjGraph *graph, const PjPart *part, float gate, GError **error)
{
  for (guint i = 0; i < part->nodes->len; i++) {
    const PjNode *node = pj_graph_node (graph, g_array_index (part->nodes, int, i));
    if (node->outputs[0] != part->result || (node->op != &pj_op_norm && node->op != &pj_op_conv && node->op != &pj_op_gemm))
      continue;
    for (unsigned k = 1; k <= 2 && k < node->n_inputs; k++)
      if (node->inputs[k] >= 0 && !scale_param (graph, node->inputs[k], gate, error))
        return FALSE;
  }
  return TRUE;
}
