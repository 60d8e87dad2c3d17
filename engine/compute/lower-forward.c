/* SPDX-License-Identifier: MIT */
/* The forward half of lowering: which nodes run and in which chains, their calls, statistics and losses. */
#include "base/error.h"
#include "compute/lower-private.h"
#include "compute/recompute.h"
#include "ops/op.h"

static void
mark_needed (PjLower *self, int value)
{
  int producer = pj_graph_value (self->graph, value)->producer;
  if (producer < 0 || self->needed[producer] || self->lowered->given[value] >= 0)
    return;
  const PjNode *node = pj_graph_node (self->graph, producer);
  self->needed[producer] = TRUE;
  for (unsigned i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] >= 0)
      mark_needed (self, node->inputs[i]);
}

void
pj_lower_find_chains (PjLower *self)
{
  const PjPlanOptions *o = self->options;
  unsigned n_values = pj_graph_n_values (self->graph);
  g_autofree gboolean *open = g_new0 (gboolean, n_values);
  g_autofree gboolean *gated = g_new0 (gboolean, n_values);
  int logits = pj_graph_get_logits (self->graph);

  open[logits] = TRUE;
  if (!o->prefix)
    mark_needed (self, logits);
  for (unsigned i = 0; i < o->n_observed; i++) {
    open[o->observed[i]] = TRUE;
    mark_needed (self, o->observed[i]);
  }
  for (unsigned i = 0; i < o->n_stats; i++) {
    open[o->stats[i]] = TRUE;
    mark_needed (self, o->stats[i]);
  }
  for (unsigned i = 0; i < o->n_gated; i++)
    gated[o->gated[i]] = TRUE;
  pj_chains_find (self->graph, self->needed, open, gated, o->mode == PJ_PLAN_INFER, self->chains, self->head_of);
  if (pj_lower_has_backward (o) && o->recompute != PJ_RECOMPUTE_NOTHING)
    pj_recompute_choose (self->graph, self->chains, self->head_of, open, o->recompute, self->dropped);

  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++) {
    const PjOp *op = pj_graph_node (self->graph, (int) n)->op;
    gboolean folds = o->mode == PJ_PLAN_INFER && (op == &pj_op_conv || op == &pj_op_gemm);
    self->states[n] = (PjChainState) { .result = -1, .saved = { -1, -1, -1, -1 }, .grad = -1 };
    if (self->head_of[n] == (int) n)
      self->states[n].gate_apart = self->chains[n].gated >= 0 && (op != &pj_op_norm || o->gate_through) && !folds;
  }
}

void
pj_lower_find_wanted_grads (PjLower *self)
{
  for (unsigned i = 0; i < self->options->n_gated; i++)
    if (self->options->gate_grads)
      self->wants_grad[self->options->gated[i]] = TRUE;
  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++) {
    const PjNode *node = pj_graph_node (self->graph, (int) n);
    for (unsigned i = 0; i < node->n_inputs; i++) {
      PjParamUse use = i < PJ_OP_MAX_INPUTS ? node->op->uses[i] : PJ_USE_NONE;
      if ((node->inputs[i] >= 0 && self->wants_grad[node->inputs[i]]) || use == PJ_USE_WEIGHT || use == PJ_USE_PLAIN)
        self->wants_grad[node->outputs[0]] = TRUE;
    }
  }
}

void
pj_lower_gate_apart (PjLower *self, const PjChain *chain)
{
  int gate = pj_lower_gate_slot (self, chain->gated);
  int output = pj_lower_value_slot (self, chain->output);
  PjCall *call = pj_lower_call (self, PJ_KERNEL_GATE, chain->head);
  call->in[0] = self->states[chain->head].result;
  call->in[1] = gate;
  call->relu = chain->relu;
  call->out[0] = output;
}

/* Statistics of a value, if somebody asked for them: right behind the call that makes it, while it is in the cache,
 * so that its memory is free for the layers behind. */
void
pj_lower_stats (PjLower *self, int value)
{
  for (unsigned i = 0; i < self->options->n_stats; i++) {
    if (self->options->stats[i] != value)
      continue;
    int64_t c = pj_graph_value (self->graph, value)->shape.dim[1];
    int out = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST,
                                   PJ_SHAPE (self->options->batch, c, PJ_N_STATS), 0, -1);
    self->lowered->stats[value] = out;
    PjCall *call = pj_lower_call (self, PJ_KERNEL_CHANNEL_STATS, pj_graph_value (self->graph, value)->producer);
    call->in[0] = self->slots[value];
    call->out[0] = out;
  }
}

gboolean
pj_lower_forward (PjLower *self, GError **error)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++) {
    if (!self->needed[n] || self->chains[self->head_of[n]].last != (int) n)
      continue;
    const PjChain *chain = &self->chains[self->head_of[n]];
    const PjNode *head = pj_graph_node (self->graph, chain->head);
    if (head->op->lower == NULL) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "node “%s”: %s cannot be run", head->name, head->op->title);
      return FALSE;
    }
    if (!head->op->lower (self, chain->head, error))
      return FALSE;
    if (self->states[chain->head].gate_apart)
      pj_lower_gate_apart (self, chain);
    pj_lower_stats (self, chain->output);
  }
  return TRUE;
}

/* One loss: writes its per-image slot and adds its gradient to the logits'. */
static PjCall *
lower_loss (PjLower *self, PjKernel kernel, int target, float weight)
{
  const PjPlanOptions *o = self->options;
  int logits = pj_graph_get_logits (self->graph);
  int loss = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST, PJ_SHAPE (o->batch), 0, -1);
  int grad = pj_lower_has_backward (o) ? pj_lower_temp (self, logits) : -1;
  PjCall *call = pj_lower_call (self, kernel, -1);

  call->in[0] = self->slots[logits];
  call->in[1] = target;
  call->out[0] = loss;
  call->out[1] = grad;
  if (kernel == PJ_KERNEL_CROSS_ENTROPY) {
    call->loss.weight = weight / (float) o->batch;
  } else {
    call->kl.weight = weight / (float) o->batch;
    call->kl.temperature = 1.0f;
  }
  return call;
}

/* A teacher's logits, or the logarithms of shares. */
static int
class_scores (PjLower *self)
{
  return pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP,
                              PJ_SHAPE (self->options->batch, pj_graph_n_classes (self->graph)), 0, -1);
}

void
pj_lower_losses (PjLower *self)
{
  const PjPlanOptions *o = self->options;
  int logits = pj_graph_get_logits (self->graph);
  const PjCall *call;
  int grads[2] = { -1, -1 };

  if (o->cross_entropy != 0) {
    /* Shares of classes t: the cross-entropy is KL (t ‖ softmax) plus the entropy of t, which has no gradient. */
    self->lowered->labels = o->soft_labels ? class_scores (self)
                            : pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP | PJ_SLOT_INT32,
                                                   PJ_SHAPE (o->batch), 0, -1);
    call = lower_loss (self, o->soft_labels ? PJ_KERNEL_KL : PJ_KERNEL_CROSS_ENTROPY, self->lowered->labels, o->cross_entropy);
    self->lowered->ce_loss = call->out[0];
    grads[0] = call->out[1];
  }
  if (o->distill != 0) {
    self->lowered->teacher = class_scores (self);
    PjCall *kl = lower_loss (self, PJ_KERNEL_KL, self->lowered->teacher, o->distill);
    kl->kl.temperature = o->distill_temperature > 0 ? o->distill_temperature : 1.0f;
    kl->kl.reverse = o->distill_reverse;
    self->lowered->kl_loss = kl->out[0];
    grads[1] = kl->out[1];
  }
  if (o->logit_grads) {
    self->lowered->logit_grads = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP,
                                                      pj_lower_batch_shape (self, logits), 0, -1);
    pj_lower_add_grad (self, logits, self->lowered->logit_grads);
  }
  for (guint i = 0; i < G_N_ELEMENTS (grads); i++)
    if (grads[i] >= 0)
      pj_lower_add_grad (self, logits, grads[i]);
}
