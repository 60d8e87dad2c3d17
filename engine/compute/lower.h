/* SPDX-License-Identifier: MIT */
/* Lowering: from a graph to a program.  Operators emit their kernel calls through this interface.
 *
 * Nodes are lowered in chains.  A chain is a head and the nodes that its kernel call absorbs:
 *
 *   conv, fc   [norm] [add] [ReLU]      stored statistics: the norm and the gate are folded into the
 *                                       weights in the prologue, the rest into the call
 *   any head with fuses_relu   [ReLU]
 *   norm; conv with folded norms   [Clip from 0]
 *
 * The head is lowered at the place of the chain's last node, so that every operand exists.  The backward
 * pass walks the chains in reverse. */
#pragma once

#include "compute/plan.h"
#include "compute/program.h"

G_BEGIN_DECLS

typedef struct _PjLower PjLower;

/**
 * PjChain:
 * @head: node whose operator emits the calls
 * @norm: node of the norm that is folded into the weights, or -1
 * @residual: value that is added before the ReLU, or -1
 * @relu: a ReLU is applied last, or a Clip from 0 to @ceiling, which is 0 for none
 * @gated: value inside the chain that has a gate, or -1
 * @last: last node
 * @output: value that the chain makes
 */
typedef struct {
  int head, norm, residual, gated, last, output;
  gboolean relu;
  float ceiling;
} PjChain;

const PjGraph *pj_lower_graph (PjLower *self);
PjPlanMode pj_lower_mode (PjLower *self);
/* TRUE if norms use stored statistics (INFER, SCORE). */
gboolean pj_lower_frozen_norms (PjLower *self);
const PjChain *pj_lower_chain (PjLower *self, int head);

/* TRUE while a forward call is lowered a second time, for the backward pass: it must write the same and leave the
 * state of the network alone. */
gboolean pj_lower_again (PjLower *self);
/* Pictures per run. */
unsigned pj_lower_batch (PjLower *self);
/* Slot of a parameter or of an activation that was lowered before; -1 for value -1. */
int pj_lower_slot (PjLower *self, int value);
/* Makes the slot that the call of @head must write. */
int pj_lower_output (PjLower *self, int head);
/* TRUE if the call of @head must apply the ReLU. */
gboolean pj_lower_relu (PjLower *self, int head);
/* The ceiling of that ReLU, 0 for none. Only convs with folded norms and norms are asked to have one. */
float pj_lower_ceiling (PjLower *self, int head);
/* Slot of the gate that the call of @head must apply itself, or -1. Only heads that say so in
 * lower.c (norms; conv and fc through pj_lower_fold()) are asked to. */
int pj_lower_gate (PjLower *self, int head);
/* Weights and bias that the call of @head must use: the parameters themselves, or folded copies that
 * hold the norm and the gate of the chain. */
void pj_lower_fold (PjLower *self, int head, int *w, int *b);
/* A slot of the arena that belongs to no value. @like: value whose shape it gets. */
int pj_lower_temp (PjLower *self, int like);
int pj_lower_temp_shape (PjLower *self, PjSlotFlags flags, PjShape shape);
/* Statistics or indices that the forward call of @head hands to its backward call; @i = 0 … 3. */
void pj_lower_save (PjLower *self, int head, int i, int slot);
int pj_lower_saved (PjLower *self, int head, int i);
/* The slot of the step's settings (PjHyper). */
int pj_lower_hyper (PjLower *self);
/* Adds a call to the segment being lowered. */
PjCall *pj_lower_call (PjLower *self, PjKernel kernel, int head);
/* The call that was added last. */
PjCall *pj_lower_last_call (PjLower *self);

/* --- backward --- */

/* ∂L/∂(what the forward call of @head wrote), with the ReLU undone unless @keep_relu; -1 if nothing
 * flows back here. */
int pj_lower_grad (PjLower *self, int head, gboolean keep_relu);
/* What the forward call of @head wrote. */
int pj_lower_result (PjLower *self, int head);
/* TRUE if ∂L/∂value is wanted. */
gboolean pj_lower_wants_grad (PjLower *self, int value);
/* Adds a contribution to ∂L/∂value. */
void pj_lower_add_grad (PjLower *self, int value, int slot);
/* Slot for ∂L/∂parameter and whether the call must add to it; -1 if it is not trained. */
int pj_lower_param_grad (PjLower *self, int value, gboolean *accumulate);
/* Slot for ∂L/∂gate of the chain of @head, or -1. */
int pj_lower_gate_grad (PjLower *self, int head);

/* --- for plan.c --- */

typedef struct {
  int images, labels, teacher, logits, ce_loss, kl_loss, hyper, logit_grads, without;   /* slots, -1 where absent */
  int *gates, *gate_grads, *observed, *stats, *given, *zeros;     /* slots by value, -1 where absent */
} PjLowered;

/* Returns FALSE with PJ_ERROR_UNSUPPORTED naming the node. @lowered: arrays are for g_free(). */
gboolean pj_lower_graph_to_program (PjGraph *graph, PjParams *params, const PjPlanOptions *options,
                                    PjProgram *program, PjLowered *lowered, GError **error);
void pj_lowered_clear (PjLowered *lowered);

G_END_DECLS
