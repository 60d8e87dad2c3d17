/* SPDX-License-Identifier: MIT */
/* Gates that are trained: one number per channel of a group, at every place where the group passes on its way to whoever
 * reads it.
 *
 *   conv ─ norm ─ ReLU ─ × ─ pool ─ next conv        add the branches of a residual stream each have a place, and the sum
 *                        gate                        is then multiplied, too
 *
 * The places stand behind the non-linearity, so a gate of 0 still feels its gradient, and only what a factor passes
 * through stands between them and the readers: a gate can go into the readers' weights without a change. */
#pragma once

#include "compute/plan.h"
#include "graph/cut.h"
#include "prune/method.h"

G_BEGIN_DECLS

/* @value: activation of the network; @n: its channels; @map: group channel of each, or -1; borrowed from the group */
typedef struct { int value, n; const int *map; } PjGatePlace;

/**
 * PjGate:
 * @gate, @grad: one per channel: as it stands; ∂loss/∂gate of the last step
 * @extra: (nullable): n_extra numbers per channel that a rule keeps
 * @fading: what the gate of a channel that is going to be cut was when it began to close; -1 for the others
 * @frozen: a person wants it to stay as it is
 */
typedef struct {
  const PjGroup *group;
  int n;
  double *gate, *grad, *extra, *fading;
  gboolean frozen;
  GArray *places;             /* (element-type PjGatePlace) */
} PjGate;

/* @gated: values with a gate, ascending (element-type int); @widest: most channels of one of them */
typedef struct {
  unsigned n_gates;
  PjGate *gates;
  GArray *gated;
  int widest;
} PjGates;

/* PJ_PRUNE_ERROR_UNFIT if no factor passes from the gates of @group to its readers. */
gboolean pj_gates_fit (const PjGraph *graph, const PjGroup *group, GError **error);

/* Gates of all groups that are fit and not locked and, with @ratios (nullable, by group id), have a ratio below 1; open.
 * (transfer full) */
PjGates *pj_gates_new (const PjGraph *graph, const PjGroups *groups, const double *ratios, unsigned n_extra);
void pj_gates_free (PjGates *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjGates, pj_gates_free)

/* Writes the gates into @plan, made with @gated. */
gboolean pj_gates_apply (const PjGates *self, PjPlan *plan, GError **error);
/* Reads their gradients from it. */
gboolean pj_gates_read (PjGates *self, PjPlan *plan, GError **error);

/* Scores of all unlocked groups of @groups: @of: (nullable): n_gates arrays; NULL: the gates themselves. (transfer full) */
PjScores *pj_gates_scores (const PjGates *self, const PjGroups *groups, const char *method, double *const *of);

G_END_DECLS
