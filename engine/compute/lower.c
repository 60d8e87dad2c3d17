/* SPDX-License-Identifier: MIT */
/* From a graph to a program.  Gradients are in single assignment form like everything else: a second
 * contribution to ∂L/∂value makes a new slot that holds the sum. */
#include "compute/lower.h"

#include <string.h>

#include "base/error.h"
#include "compute/chains.h"
#include "compute/recompute.h"
#include "ops/op.h"

/* What lowering knows of one chain beyond its shape. */
typedef struct {
  int result;           /* slot that the head's call wrote, before a separate gate */
  int saved[4];
  int grad;             /* slot of ∂L/∂result; valid during the backward pass */
  gboolean gate_apart;  /* the gate is a call of its own, which then also applies the ReLU */
} ChainState;

struct _PjLower {
  PjGraph *graph;
  PjParams *params;
  const PjPlanOptions *options;
  PjProgram *program;
  PjLowered *lowered;
  PjSegment segment;
  PjChain *chains;          /* by head */
  ChainState *states;       /* by head */
  int *head_of;
  gboolean *needed;         /* by node */
  gboolean *dropped;        /* by head: its output is not kept for the backward pass and not computed again yet */
  gboolean again;           /* a dropped chain is being lowered a second time */
  gboolean *wants_grad;     /* by value */
  int *slots;               /* by value: forward slot or parameter slot */
  int *grads;               /* by value: present ∂L/∂value, or the parameter's gradient slot */
  gboolean *grad_written;   /* by value: a call has written the parameter's gradient */
};

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

static gboolean
has_backward (const PjPlanOptions *options)
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

static PjShape
batch_shape (PjLower *self, int value)
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
  return pj_lower_temp_shape (self, 0, batch_shape (self, like));
}

static gboolean
is_observed (const PjPlanOptions *options, int value)
{
  for (unsigned i = 0; i < options->n_observed; i++)
    if (options->observed[i] == value)
      return TRUE;
  return FALSE;
}

/* The slot of a value of the graph; readable by the host if somebody asked for it. */
static int
value_slot (PjLower *self, int value)
{
  /* The host reads what the forward pass made. */
  if (self->again)
    return self->slots[value] = pj_lower_temp (self, value);
  gboolean readable = is_observed (self->options, value) || value == pj_graph_get_logits (self->graph);
  int slot = pj_program_add_slot (self->program, PJ_STORE_ARENA, readable ? PJ_SLOT_HOST : 0,
                                  batch_shape (self, value), 0, value);
  if (is_observed (self->options, value))
    self->lowered->observed[value] = slot;
  return self->slots[value] = slot;
}

int
pj_lower_output (PjLower *self, int head)
{
  ChainState *state = &self->states[head];
  int output = self->chains[head].output;

  state->result = state->gate_apart ? pj_lower_temp (self, output) : value_slot (self, output);
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

static int
gate_slot (PjLower *self, int value)
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
  return self->states[head].gate_apart ? -1 : gate_slot (self, self->chains[head].gated);
}

void
pj_lower_fold (PjLower *self, int head, int *w, int *b)
{
  const PjChain *chain = &self->chains[head];
  const PjNode *node = pj_graph_node (self->graph, head);
  int bias = node->n_inputs > 2 ? node->inputs[2] : -1;

  *w = pj_lower_slot (self, node->inputs[1]);
  *b = pj_lower_slot (self, bias);
  int gate = pj_lower_gate (self, head);
  if (chain->norm < 0 && gate < 0)
    return;

  const PjShape *shape = &pj_graph_value (self->graph, node->inputs[1])->shape;
  int w2 = pj_lower_temp_shape (self, PJ_SLOT_KEEP, *shape);
  int b2 = chain->norm >= 0 || *b >= 0 ? pj_lower_temp_shape (self, PJ_SLOT_KEEP, PJ_SHAPE (shape->dim[0])) : -1;
  PjKernel kernel = chain->norm >= 0 ? PJ_KERNEL_FOLD_NORM : PJ_KERNEL_FOLD_GATE;
  PjCall *call = pj_program_add_call (self->program, kernel, PJ_SEGMENT_PROLOGUE, chain->norm >= 0 ? chain->norm : head);
  call->in[0] = *w;
  call->in[1] = *b;
  call->out[0] = w2;
  call->out[1] = b2;
  if (chain->norm >= 0) {
    const PjNode *norm = pj_graph_node (self->graph, chain->norm);
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

/* --- forward --- */

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

static void
find_chains (PjLower *self)
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
  if (has_backward (o) && o->recompute != PJ_RECOMPUTE_NOTHING)
    pj_recompute_choose (self->graph, self->chains, self->head_of, open, o->recompute, self->dropped);

  for (unsigned n = 0; n < pj_graph_n_nodes (self->graph); n++) {
    const PjOp *op = pj_graph_node (self->graph, (int) n)->op;
    gboolean folds = o->mode == PJ_PLAN_INFER && (op == &pj_op_conv || op == &pj_op_gemm);
    self->states[n] = (ChainState) { .result = -1, .saved = { -1, -1, -1, -1 }, .grad = -1 };
    if (self->head_of[n] == (int) n)
      self->states[n].gate_apart = self->chains[n].gated >= 0 && op != &pj_op_norm && !folds;
  }
}

static void
find_wanted_grads (PjLower *self)
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

static void
lower_gate_apart (PjLower *self, const PjChain *chain)
{
  int gate = gate_slot (self, chain->gated);
  int output = value_slot (self, chain->output);
  PjCall *call = pj_lower_call (self, PJ_KERNEL_GATE, chain->head);
  call->in[0] = self->states[chain->head].result;
  call->in[1] = gate;
  call->relu = chain->relu;
  call->out[0] = output;
}

/* Statistics of a value, if somebody asked for them: right behind the call that makes it, while it is in the cache,
 * so that its memory is free for the layers behind. */
static void
lower_stats (PjLower *self, int value)
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

static gboolean
lower_forward (PjLower *self, GError **error)
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
      lower_gate_apart (self, chain);
    lower_stats (self, chain->output);
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
  int grad = has_backward (o) ? pj_lower_temp (self, logits) : -1;
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

static void
lower_losses (PjLower *self)
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
  for (guint i = 0; i < G_N_ELEMENTS (grads); i++)
    if (grads[i] >= 0)
      pj_lower_add_grad (self, logits, grads[i]);
}

/* --- backward --- */

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
  ChainState *state = &self->states[head];
  if (keep_relu || !pj_lower_relu (self, head))
    return state->grad;
  int dx = pj_lower_temp (self, self->chains[head].output);
  PjCall *call = pj_lower_call (self, PJ_KERNEL_RELU_BWD, head);
  call->in[0] = state->result;
  call->in[1] = state->grad;
  call->out[0] = dx;
  return dx;
}

static void
lower_gate_apart_backward (PjLower *self, const PjChain *chain)
{
  ChainState *state = &self->states[chain->head];
  int dx = pj_lower_temp (self, chain->output);
  int dgate = gate_grad_slot (self, chain->gated);
  int gate = gate_slot (self, chain->gated);
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
    lower_gate_apart (self, &self->chains[head]);
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
static void
drop_unread (PjLower *self)
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

static gboolean
lower_backward (PjLower *self, GError **error)
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
static void
lower_zeros (PjLower *self)
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

static void
lower_update (PjLower *self)
{
  PjCall *call = pj_lower_call (self, PJ_KERNEL_SGD, -1);
  call->in[0] = self->lowered->hyper;
  call->sgd.n_decay = pj_params_n_decay (self->params);
  call->sgd.n_plain = pj_params_n_plain (self->params);
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
        pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP, batch_shape (self, value), 0, value);
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
    int gate = gate_slot (self, value), out = pj_lower_temp (self, value);
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
    pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP, batch_shape (self, input), 0, input);
  if (o->mode == PJ_PLAN_TRAIN || o->mode == PJ_PLAN_RECALIBRATE)
    self->lowered->hyper = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP,
                                                PJ_SHAPE (PJ_N_HYPER), 0, -1);
  if (is_observed (o, input))
    self->lowered->observed[input] = self->slots[input];
  make_given (self);
  find_chains (self);
  find_wanted_grads (self);
  self->segment = PJ_SEGMENT_FORWARD;
  lower_given_gates (self);
  for (unsigned i = 0; i < o->n_stats; i++)
    if (pj_graph_value (self->graph, o->stats[i])->producer < 0 || self->lowered->given[o->stats[i]] >= 0)
      lower_stats (self, o->stats[i]);
  if (!lower_forward (self, error))
    return FALSE;
  self->lowered->logits = self->slots[pj_graph_get_logits (self->graph)];
  if (!o->prefix)
    lower_losses (self);
  if (has_backward (o)) {
    self->segment = PJ_SEGMENT_BACKWARD;
    if (!lower_backward (self, error))
      return FALSE;
    if (o->keep_zeros)
      lower_zeros (self);
    drop_unread (self);
  }
  if (o->mode == PJ_PLAN_TRAIN) {
    self->segment = PJ_SEGMENT_UPDATE;
    lower_update (self);
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
  g_autofree ChainState *states = g_new0 (ChainState, n_nodes);
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
    .images = -1, .labels = -1, .teacher = -1, .logits = -1, .ce_loss = -1, .kl_loss = -1, .hyper = -1,
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
