/* SPDX-License-Identifier: MIT */
/* What the files of lowering share: lower.c (what operators ask for, and the whole), lower-forward.c and
 * lower-backward.c.  Nobody else includes this. */
#pragma once

#include "compute/chains.h"
#include "compute/lower.h"

G_BEGIN_DECLS

/* What lowering knows of one chain beyond its shape. */
typedef struct {
  int result;           /* slot that the head's call wrote, before a separate gate */
  int saved[4];
  int grad;             /* slot of ∂L/∂result; valid during the backward pass */
  gboolean gate_apart;  /* the gate is a call of its own, which then also applies the ReLU */
} PjChainState;

struct _PjLower {
  PjGraph *graph;
  PjParams *params;
  const PjPlanOptions *options;
  PjProgram *program;
  PjLowered *lowered;
  PjSegment segment;
  PjChain *chains;          /* by head */
  PjChainState *states;       /* by head */
  int *head_of;
  gboolean *needed;         /* by node */
  gboolean *dropped;        /* by head: its output is not kept for the backward pass and not computed again yet */
  gboolean again;           /* a dropped chain is being lowered a second time */
  gboolean *wants_grad;     /* by value */
  int *slots;               /* by value: forward slot or parameter slot */
  int *grads;               /* by value: present ∂L/∂value, or the parameter's gradient slot */
  gboolean *grad_written;   /* by value: a call has written the parameter's gradient */
};

/* --- lower.c --- */

gboolean pj_lower_has_backward (const PjPlanOptions *options);
gboolean pj_lower_is_observed (const PjPlanOptions *options, int value);
/* The shape of a value of the graph, with the images of a batch. */
PjShape pj_lower_batch_shape (PjLower *self, int value);
/* Makes the slot of a value of the graph; readable by the host if somebody asked for it. */
int pj_lower_value_slot (PjLower *self, int value);
/* The slot of a value's gate, made when it is first asked for; -1 for value -1. */
int pj_lower_gate_slot (PjLower *self, int value);
/* pj_lower_fold() with the norm @behind and the gate named; -1 for none. */
void pj_lower_fold_norm (PjLower *self, int head, int behind, int gate, int *w, int *b);

/* --- lower-without.c --- */

/* The call of options->without, if there is one: it makes the slot of what is behind it. */
void pj_lower_without (PjLower *self);

/* --- lower-forward.c --- */

void pj_lower_find_chains (PjLower *self);
void pj_lower_find_wanted_grads (PjLower *self);
void pj_lower_gate_apart (PjLower *self, const PjChain *chain);
void pj_lower_stats (PjLower *self, int value);
/* Returns FALSE with PJ_ERROR_UNSUPPORTED naming the node. */
gboolean pj_lower_forward (PjLower *self, GError **error);
void pj_lower_losses (PjLower *self);

/* --- lower-backward.c --- */

/* Returns FALSE with PJ_ERROR_UNSUPPORTED naming the node. */
gboolean pj_lower_backward (PjLower *self, GError **error);
void pj_lower_zeros (PjLower *self);
void pj_lower_drop_unread (PjLower *self);
void pj_lower_update (PjLower *self);

G_END_DECLS
