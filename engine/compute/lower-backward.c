/* SPDX-License-Identifier: MIT */
/* The backward half of lowering.  Gradients are in single assignment form like everything else: a second
 * contribution to ∂L/∂value makes a new slot that holds the sum. */
#include "base/error.h"
#include "compute/lower-private.h"
#include "ops/op.h"

gboolean
pj_lower_wants_grad (PjLower *self, int value)
{
  return self->wants_grad[value];
}

void
pj_lower_add_grad (PjLower *self, int value, int slot)
{
  if (!self->wants_grad[value])
    return;
  if (self->grads[value] < 0) {
    self->grads[value] = slot;
    return;
  }
  int sum = pj_lower_temp (self, value);
  PjCall *call = pj_lower_call (self, PJ_KERNEL_ADD, -1);
  call->in[0] = self->grads[value];
  call->in[1] = slot;
  call->out[0] = sum;
  self->grads[value] = sum;
}

int
pj_lower_param_grad (PjLower *self, int value, gboolean *accumulate)
{
  *accumulate = FALSE;
  if (value < 0)
    return -1;
  if (self->grads[value] < 0)
    self->grads[value] = pj_program_add_slot (self->program, PJ_STORE_GRADS, 0, pj_graph_value (self->graph, value)->shape,
                                              (size_t) pj_params_offset (self->params, value), value);
  *accumulate = self->grad_written[value];
  self->grad_written[value] = TRUE;
  return self->grads[value];
}

static int
gate_grad_slot (PjLower *self, int value)
{
  if (value < 0 || !self->options->gate_grads)
    return -1;
  int64_t c = pj_graph_value (self->graph, value)->shape.dim[1];
  return self->lowered->gate_grads[value] =
    pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST, PJ_SHAPE (c), 0, -1);
}

int
pj_lower_gate_grad (PjLower *self, int head)
{
  return self->states[head].gate_apart ? -1 : gate_grad_slot (self, self->chains[head].gated);
}

int
pj_lower_grad (PjLower *self, int head, gboolean keep_relu)
{
  PjChainState *state = &self->states[head];
  if (keep_relu || !pj_lower_relu (self, head))
    return state->grad;
  int dx = pj_lower_temp (self, self->chains[head].output);
  PjCall *call = pj_lower_call (self, PJ_KERNEL_RELU_BWD, head);
  call->in[0] = state->result;
  call->in[1] = state->grad;
  call->out[0] = dx;
  return dx;
}

/* ∂L/∂x of y = relu? (x·g) with g taken as 1, and what an open gate would have felt. */
static void
lower_gate_through (PjLower *self, const PjChain *chain)
{
  PjChainState *state = &self->states[chain->head];
  int dgate = gate_grad_slot (self, chain->gated);

  if (chain->relu) {
    int dx = pj_lower_temp (self, chain->output);
    PjCall *call = pj_lower_call (self, PJ_KERNEL_RELU_BWD, chain->head);
    call->in[0] = state->result;
    call->in[1] = state->grad;
    call->out[0] = dx;
    state->grad = dx;
  }
  if (dgate < 0)
    return;
  int unused = pj_lower_temp (self, chain->output), gate = pj_lower_gate_slot (self, chain->gated);
  PjCall *call = pj_lower_call (self, PJ_KERNEL_GATE_BWD, chain->head);
  call->in[0] = state->result;
  call->in[2] = state->grad;
  call->in[3] = gate;
  call->out[0] = unused;
  call->out[1] = dgate;
}

static void
lower_gate_apart_backward (PjLower *self, const PjChain *chain)
{
  PjChainState *state = &self->states[chain->head];
  if (self->options->gate_through) {
    lower_gate_through (self, chain);
    return;
  }
  int dx = pj_lower_temp (self, chain->output);
  int dgate = gate_grad_slot (self, chain->gated);
  int gate = pj_lower_gate_slot (self, chain->gated);
  PjCall *call = pj_lower_call (self, PJ_KERNEL_GATE_BWD, chain->head);
  call->in[0] = state->result;
  call->in[1] = chain->relu ? self->slots[chain->output] : -1;
  call->in[2] = state->grad;
  call->in[3] = gate;
  call->relu = chain->relu;
  call->out[0] = dx;
  call->out[1] = dgate;
  state->grad = dx;
}

/* Makes @value exist for the calls that follow: if it was dropped, what computed it runs again. */
static gboolean
revive (PjLower *self, int value, GError **error)
{
  int producer = value < 0 ? -1 : pj_graph_value (self->graph, value)->producer;
  int head = producer < 0 || !self->needed[producer] ? -1 : self->head_of[producer];

  if (head < 0 || !self->dropped[head] || self->chains[head].output != value)
    return TRUE;
  const PjNode *node = pj_graph_node (self->graph, head);
  self->dropped[head] = FALSE;
  for (unsigned i = 0; i < node->n_inputs; i++)
    if (!revive (self, node->inputs[i], error))
      return FALSE;
  self->again = TRUE;
  gboolean ok = node->op->lower (self, head, error);
  if (ok && self->states[head].gate_apart)
    pj_lower_gate_apart (self, &self->chains[head]);
  self->again = FALSE;
  return ok;
}

/* The backward calls of a chain may read its inputs and what it wrote. */
static gboolean
revive_for (PjLower *self, const PjChain *chain, GError **error)
{
  const PjNode *head = pj_graph_node (self->graph, chain->head);

  for (unsigned i = 0; i < head->n_inputs; i++)
    if (!revive (self, head->inputs[i], error))
      return FALSE;
  return revive (self, chain->output, error);
}

/* Removes calls that computed again what then nobody read. */
void
pj_lower_drop_unread (PjLower *self)
{
  GArray *calls = self->program->calls;
  g_autofree gboolean *read = g_new0 (gboolean, self->program->slots->len);

  for (int c = (int) calls->len - 1; c >= 0; c--) {
    const PjCall *call = pj_program_call (self->program, c);
    gboolean wanted = !call->again;
    for (int i = 0; i < PJ_CALL_MAX_OUT; i++)
      wanted |= call->out[i] >= 0 && read[call->out[i]];
    for (int i = 0; wanted && i < PJ_CALL_MAX_IN; i++)
      if (call->in[i] >= 0)
        read[call->in[i]] = TRUE;
    if (!wanted)
      g_array_remove_index (calls, (guint) c);
  }
}

gboolean
pj_lower_backward (PjLower *self, GError **error)
{
  for (int n = (int) pj_graph_n_nodes (self->graph) - 1; n >= 0; n--) {
    if (!self->needed[n] || self->chains[self->head_of[n]].last != n)
      continue;
    const PjChain *chain = &self->chains[self->head_of[n]];
    const PjNode *head = pj_graph_node (self->graph, chain->head);
    if (self->grads[chain->output] < 0)
      continue;
    if (head->op->lower_backward == NULL) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "node “%s”: %s cannot be trained through", head->name, head->op->title);
      return FALSE;
    }
    if (!revive_for (self, chain, error))
      return FALSE;
    self->states[chain->head].grad = self->grads[chain->output];
    if (self->states[chain->head].gate_apart)
      lower_gate_apart_backward (self, chain);
    if (!head->op->lower_backward (self, chain->head, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_zeros (const PjBlob *blob)
{
  const float *data = pj_blob_data (blob);
  for (size_t i = 0; i < pj_blob_n_elems (blob); i++)
    if (data[i] == 0)
      return TRUE;
  return FALSE;
}

/* Gradients of weights that must stay 0 are multiplied by 0: no gradient, no momentum, no decay. */
void
pj_lower_zeros (PjLower *self)
{
  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++) {
    const PjNode *node = pj_graph_node (self->graph, (int) n);
    for (unsigned i = 0; i < MIN (node->n_inputs, PJ_OP_MAX_INPUTS); i++) {
      int value = node->inputs[i];
      if (node->op->uses[i] != PJ_USE_WEIGHT || value < 0 || self->grads[value] < 0 || self->lowered->zeros[value] >= 0
          || !has_zeros (pj_graph_value (self->graph, value)->data))
        continue;
      int mask = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP,
                                      pj_graph_value (self->graph, value)->shape, 0, -1);
      self->lowered->zeros[value] = mask;
      PjCall *call = pj_lower_call (self, PJ_KERNEL_BINARY, (int) n);
      call->binary.op = PJ_BINARY_MUL;
      call->in[0] = self->grads[value];
      call->in[1] = mask;
      call->out[0] = self->grads[value];
    }
  }
}

void
pj_lower_update (PjLower *self)
{
  PjCall *call = pj_lower_call (self, PJ_KERNEL_SGD, -1);
  call->in[0] = self->lowered->hyper;
  call->sgd.n_decay = pj_params_n_decay (self->params);
  call->sgd.n_plain = pj_params_n_plain (self->params);
}
