/* SPDX-License-Identifier: MIT */
/* The family of pruning methods: ways to choose what stays.  One file per member in methods/, one row in
 * methods/registry.c.  Every criterion is also a method ("apoz"): keep the highest scores. */
#pragma once

#include "prune/budget.h"
#include "prune/criterion.h"
#include "train/fresh.h"

G_BEGIN_DECLS

/**
 * PjPruneSettings:
 * @ratios: (nullable): keep ratio by group id, pj_groups_n() values (local budget)
 * @global: use a global budget instead: @kind and @target (only methods that give scores)
 * @multiple: round kept counts up to a multiple, <= 1 for none
 * @scale: ThiNet: least-squares factors on the next layer
 */
typedef struct {
  const double *ratios;
  gboolean global;
  PjBudgetKind kind;
  double target, floor;
  int multiple;
  gboolean scale;
} PjPruneSettings;

/**
 * PjMethod:
 * @name, @title, @about, @source: as for criteria
 * @needs: see PjNeeds
 * @gives_scores: can be used with a global budget
 * @fresh: a control: what @choose keeps is a shape, whose weights start anew (pj_graph_fresh()), and how it is trained
 * @allocates: it decides itself how many channels each group keeps: a comparison gives it the multiply-adds of its ratio
 *   as a budget, and not the ratio
 * @fit: (nullable): refuses a group that the method cannot judge, before any work, with PJ_PRUNE_ERROR_UNFIT
 * @choose: measures and decides.  Does not cut.  Returns (transfer full) the plan; @scores (out)
 *   (optional) receives what was measured, for heat maps.
 */
typedef struct _PjMethod PjMethod;
struct _PjMethod {
  const char *name, *title, *about, *source;
  PjNeeds needs;
  gboolean gives_scores;
  PjFresh fresh;
  gboolean allocates;
  gboolean (*fit) (const PjMethod *self, const PjScoring *scoring, const PjGroup *group, GError **error);
  PjCutPlan *(*choose) (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings,
                        PjScores **scores, GError **error);
  const PjCriterion *criterion;    /* (nullable): for methods made from a criterion */
};

/* NULL-terminated: all criteria, then the others. */
const PjMethod *const *pj_methods (void);
const PjMethod *pj_method_find (const char *name);

/* Spends the budget of @settings on scores: what a criterion's @choose does after measuring. */
PjCutPlan *pj_method_spend (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings,
                            const PjScores *scores, GError **error);

/* Checks settings, locks and fit before any work: PJ_PRUNE_ERROR_*, PJ_DATA_ERROR_MISMATCH.  A refusal names all
 * groups that the method cannot judge. */
gboolean pj_prune_settings_check (const PjMethod *method, const PjScoring *scoring,
                                  const PjPruneSettings *settings, GError **error);

G_END_DECLS
