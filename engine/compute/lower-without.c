/* SPDX-License-Identifier: MIT */
/* A layer whose result the host has, less the share of one of its input channels: one pass over that result instead of the
 * layer again. */
#include "compute/lower-private.h"
#include "ops/op.h"

/* The only needed node that reads @value, or NULL. */
static const PjNode *
sole_reader (PjLower *self, int value, int *index)
{
  const PjNode *reader = NULL;
  int n_uses = 0;

  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++) {
    const PjNode *node = pj_graph_node (self->graph, (int) n);
    for (unsigned i = 0; self->needed[n] && i < node->n_inputs; i++)
      if (node->inputs[i] == value) {
        reader = node;
        *index = (int) n;
        n_uses++;
      }
  }
  return n_uses == 1 ? reader : NULL;
}

/* The ReLU that is all that follows, or -1: the call applies it. */
static int
absorbed_rectifier (PjLower *self, int whole, float *ceiling)
{
  int index = -1;
  const PjNode *node = sole_reader (self, whole, &index);
  return node != NULL && whole != pj_graph_get_logits (self->graph) && self->chains[index].gated < 0
         && pj_is_rectifier (node, TRUE, ceiling) ? index : -1;
}

void
pj_lower_without (PjLower *self)
{
  const PjPlanWithout *o = self->options->without;
  float ceiling = 0.0f;
  int w, b;

  if (o == NULL)
    return;
  const PjNode *node = pj_graph_node (self->graph, o->node);
  int given = self->lowered->given[o->whole], rectifier = absorbed_rectifier (self, o->whole, &ceiling);
  self->lowered->without = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP, PJ_SHAPE (1), 0, -1);
  pj_lower_fold_norm (self, o->node, o->norm, -1, &w, &b);
  int out = pj_lower_value_slot (self, rectifier < 0 ? o->whole : pj_graph_node (self->graph, rectifier)->outputs[0]);
  if (rectifier >= 0)
    self->needed[rectifier] = FALSE;
  PjCall *call = pj_lower_call (self, PJ_KERNEL_CONV_WITHOUT, o->node);
  call->conv = node->op == &pj_op_conv ? *(const PjConvParams *) node->params
                                       : (PjConvParams) { .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
  call->in[0] = pj_lower_slot (self, node->inputs[0]);
  call->in[1] = w;
  call->in[2] = given;
  call->in[3] = self->lowered->without;
  call->relu = rectifier >= 0;
  call->ceiling = ceiling;
  call->out[0] = out;
}
