/* SPDX-License-Identifier: MIT */
/* From a graph to a program: what operators ask for while they are lowered, and the whole. */
#include "base/error.h"
#include "compute/lower-private.h"
#include "ops/op.h"

const PjGraph *
pj_lower_graph (PjLower *self)
{
  return self->graph;
}

unsigned
pj_lower_batch (PjLower *self)
{
  return self->options->batch;
}

PjPlanMode
pj_lower_mode (PjLower *self)
{
  return self->options->mode;
}

gboolean
pj_lower_frozen_norms (PjLower *self)
{
  return self->options->mode == PJ_PLAN_INFER || self->options->mode == PJ_PLAN_SCORE;
}

gboolean
pj_lower_has_backward (const PjPlanOptions *options)
{
  return options->mode == PJ_PLAN_TRAIN || options->mode == PJ_PLAN_SCORE;
}

gboolean
pj_lower_again (PjLower *self)
{
  return self->again;
}

const PjChain *
pj_lower_chain (PjLower *self, int head)
{
  return &self->chains[head];
}

PjShape
pj_lower_batch_shape (PjLower *self, int value)
{
  PjShape shape = pj_graph_value (self->graph, value)->shape;
  shape.dim[0] *= self->options->batch;
  return shape;
}

/* --- slots --- */

int
pj_lower_slot (PjLower *self, int value)
{
  if (value < 0)
    return -1;
  const PjValue *v = pj_graph_value (self->graph, value);
  if (v->kind == PJ_VALUE_PARAM && self->slots[value] < 0)
    self->slots[value] = pj_program_add_slot (self->program, PJ_STORE_PARAMS, 0, v->shape,
                                              (size_t) pj_params_offset (self->params, value), value);
  g_assert (self->slots[value] >= 0);
  return self->slots[value];
}

int
pj_lower_temp_shape (PjLower *self, PjSlotFlags flags, PjShape shape)
{
  if (flags & PJ_SLOT_OPAQUE)
    shape.dim[0] *= self->options->batch;
  return pj_program_add_slot (self->program, PJ_STORE_ARENA, flags, shape, 0, -1);
}

int
pj_lower_temp (PjLower *self, int like)
{
  return pj_lower_temp_shape (self, 0, pj_lower_batch_shape (self, like));
}

gboolean
pj_lower_is_observed (const PjPlanOptions *options, int value)
{
  for (unsigned i = 0; i < options->n_observed; i++)
    if (options->observed[i] == value)
      return TRUE;
  return FALSE;
}

/* The slot of a value of the graph; readable by the host if somebody asked for it. */
int
pj_lower_value_slot (PjLower *self, int value)
{
  /* The host reads what the forward pass made. */
  if (self->again)
    return self->slots[value] = pj_lower_temp (self, value);
  gboolean readable = pj_lower_is_observed (self->options, value) || value == pj_graph_get_logits (self->graph);
  int slot = pj_program_add_slot (self->program, PJ_STORE_ARENA, readable ? PJ_SLOT_HOST : 0,
                                  pj_lower_batch_shape (self, value), 0, value);
  if (pj_lower_is_observed (self->options, value))
    self->lowered->observed[value] = slot;
  return self->slots[value] = slot;
}

int
pj_lower_output (PjLower *self, int head)
{
  PjChainState *state = &self->states[head];
  int output = self->chains[head].output;

  state->result = state->gate_apart ? pj_lower_temp (self, output) : pj_lower_value_slot (self, output);
  return state->result;
}

int
pj_lower_result (PjLower *self, int head)
{
  return self->states[head].result;
}

gboolean
pj_lower_relu (PjLower *self, int head)
{
  return self->chains[head].relu && !self->states[head].gate_apart;
}

float
pj_lower_ceiling (PjLower *self, int head)
{
  return pj_lower_relu (self, head) ? self->chains[head].ceiling : 0.0f;
}

void
pj_lower_save (PjLower *self, int head, int i, int slot)
{
  self->states[head].saved[i] = slot;
}

int
pj_lower_saved (PjLower *self, int head, int i)
{
  return self->states[head].saved[i];
}

int
pj_lower_hyper (PjLower *self)
{
  return self->lowered->hyper;
}

PjCall *
pj_lower_call (PjLower *self, PjKernel kernel, int head)
{
  PjCall *call = pj_program_add_call (self->program, kernel, self->segment, head);
  call->again = self->again;
  return call;
}

PjCall *
pj_lower_last_call (PjLower *self)
{
  return pj_program_call (self->program, self->program->calls->len - 1);
}

int
pj_lower_gate_slot (PjLower *self, int value)
{
  if (value < 0)
    return -1;
  if (self->lowered->gates[value] < 0) {
    int64_t c = pj_graph_value (self->graph, value)->shape.dim[1];
    self->lowered->gates[value] = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP,
                                                       PJ_SHAPE (c), 0, -1);
  }
  return self->lowered->gates[value];
}

int
pj_lower_gate (PjLower *self, int head)
{
  return self->states[head].gate_apart ? -1 : pj_lower_gate_slot (self, self->chains[head].gated);
}

void
pj_lower_fold (PjLower *self, int head, int *w, int *b)
{
  pj_lower_fold_norm (self, head, self->chains[head].norm, pj_lower_gate (self, head), w, b);
}

void
pj_lower_fold_norm (PjLower *self, int head, int behind, int gate, int *w, int *b)
{
  const PjNode *node = pj_graph_node (self->graph, head);
  int bias = node->n_inputs > 2 ? node->inputs[2] : -1;

  *w = pj_lower_slot (self, node->inputs[1]);
  *b = pj_lower_slot (self, bias);
  if (behind < 0 && gate < 0)
    return;

  const PjShape *shape = &pj_graph_value (self->graph, node->inputs[1])->shape;
  int w2 = pj_lower_temp_shape (self, PJ_SLOT_KEEP, *shape);
  int b2 = behind >= 0 || *b >= 0 ? pj_lower_temp_shape (self, PJ_SLOT_KEEP, PJ_SHAPE (shape->dim[0])) : -1;
  PjKernel kernel = behind >= 0 ? PJ_KERNEL_FOLD_NORM : PJ_KERNEL_FOLD_GATE;
  PjCall *call = pj_program_add_call (self->program, kernel, PJ_SEGMENT_PROLOGUE, behind >= 0 ? behind : head);
  call->in[0] = *w;
  call->in[1] = *b;
  call->out[0] = w2;
  call->out[1] = b2;
  if (behind >= 0) {
    const PjNode *norm = pj_graph_node (self->graph, behind);
    call->norm.eps = ((const PjNormParams *) norm->params)->eps;
    for (int i = 0; i < 4; i++)
      call->in[2 + i] = pj_lower_slot (self, norm->inputs[1 + i]);
    call->in[6] = gate;
  } else {
    call->in[2] = gate;
  }
  *w = w2;
  *b = b2;
}

/* --- whole --- */

/* Slots of the values that the host sets, before anything is lowered that could read them. */
static void
make_given (PjLower *self)
{
  const PjPlanOptions *o = self->options;

  for (unsigned i = 0; i < o->n_given; i++) {
    int value = o->given[i];
    if (value == pj_graph_get_input (self->graph))
      self->lowered->given[value] = self->slots[value];
    else
      self->lowered->given[value] = self->slots[value] =
        pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP, pj_lower_batch_shape (self, value), 0, value);
  }
}

/* Whoever computes a value applies its gate; nobody computes these. */
static void
lower_given_gates (PjLower *self)
{
  for (unsigned i = 0; i < self->options->n_gated; i++) {
    int value = self->options->gated[i], given = self->lowered->given[value];
    if (given < 0)
      continue;
    int gate = pj_lower_gate_slot (self, value), out = pj_lower_temp (self, value);
    PjCall *call = pj_lower_call (self, PJ_KERNEL_GATE, -1);
    call->in[0] = given;
    call->in[1] = gate;
    call->out[0] = self->slots[value] = out;
  }
}

static int
by_segment (gconstpointer a, gconstpointer b)
{
  return (int) ((const PjCall *) a)->segment - (int) ((const PjCall *) b)->segment;
}

static gboolean
lower_all (PjLower *self, GError **error)
{
  const PjPlanOptions *o = self->options;
  int input = pj_graph_get_input (self->graph);

  self->lowered->images = self->slots[input] =
    pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP, pj_lower_batch_shape (self, input), 0, input);
  if (o->mode == PJ_PLAN_TRAIN || o->mode == PJ_PLAN_RECALIBRATE)
    self->lowered->hyper = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP,
                                                PJ_SHAPE (PJ_N_HYPER), 0, -1);
  if (pj_lower_is_observed (o, input))
    self->lowered->observed[input] = self->slots[input];
  make_given (self);
  pj_lower_find_chains (self);
  pj_lower_find_wanted_grads (self);
  self->segment = PJ_SEGMENT_FORWARD;
  lower_given_gates (self);
  pj_lower_without (self);
  for (unsigned i = 0; i < o->n_stats; i++)
    if (pj_graph_value (self->graph, o->stats[i])->producer < 0 || self->lowered->given[o->stats[i]] >= 0)
      pj_lower_stats (self, o->stats[i]);
  if (!pj_lower_forward (self, error))
    return FALSE;
  self->lowered->logits = self->slots[pj_graph_get_logits (self->graph)];
  if (!o->prefix)
    pj_lower_losses (self);
  if (pj_lower_has_backward (o)) {
    self->segment = PJ_SEGMENT_BACKWARD;
    if (!pj_lower_backward (self, error))
      return FALSE;
    if (o->keep_zeros)
      pj_lower_zeros (self);
    pj_lower_drop_unread (self);
  }
  if (o->mode == PJ_PLAN_TRAIN) {
    self->segment = PJ_SEGMENT_UPDATE;
    pj_lower_update (self);
  }
  /* Folding calls were added where they were met; a stable sort brings them to the front. */
  g_array_sort (self->program->calls, by_segment);
  return TRUE;
}

static int *
new_indices (unsigned n)
{
  int *indices = g_new (int, n);
  for (unsigned i = 0; i < n; i++)
    indices[i] = -1;
  return indices;
}

gboolean
pj_lower_graph_to_program (PjGraph *graph, PjParams *params, const PjPlanOptions *options,
                           PjProgram *program, PjLowered *lowered, GError **error)
{
  unsigned n_values = pj_graph_n_values (graph), n_nodes = pj_graph_n_nodes (graph);
  g_autofree PjChain *chains = g_new0 (PjChain, n_nodes);
  g_autofree PjChainState *states = g_new0 (PjChainState, n_nodes);
  g_autofree int *head_of = new_indices (n_nodes);
  g_autofree gboolean *needed = g_new0 (gboolean, n_nodes);
  g_autofree gboolean *dropped = g_new0 (gboolean, n_nodes);
  g_autofree gboolean *wants_grad = g_new0 (gboolean, n_values);
  g_autofree gboolean *grad_written = g_new0 (gboolean, n_values);
  g_autofree int *slots = new_indices (n_values);
  g_autofree int *grads = new_indices (n_values);
  PjLower self = {
    .graph = graph, .params = params, .options = options, .program = program, .lowered = lowered,
    .chains = chains, .states = states, .head_of = head_of, .needed = needed, .dropped = dropped,
    .wants_grad = wants_grad, .grad_written = grad_written, .slots = slots, .grads = grads,
  };

  *lowered = (PjLowered) {
    .images = -1, .labels = -1, .teacher = -1, .logits = -1, .ce_loss = -1, .kl_loss = -1, .hyper = -1, .logit_grads = -1, .without = -1,
    .gates = new_indices (n_values), .gate_grads = new_indices (n_values),
    .observed = new_indices (n_values), .stats = new_indices (n_values),
    .given = new_indices (n_values), .zeros = new_indices (n_values),
  };
  return lower_all (&self, error);
}

void
pj_lowered_clear (PjLowered *lowered)
{
  g_clear_pointer (&lowered->gates, g_free);
  g_clear_pointer (&lowered->gate_grads, g_free);
  g_clear_pointer (&lowered->observed, g_free);
  g_clear_pointer (&lowered->stats, g_free);
  g_clear_pointer (&lowered->given, g_free);
  g_clear_pointer (&lowered->zeros, g_free);
}
