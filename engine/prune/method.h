/* SPDX-License-Identifier: MIT */
/* The family of pruning methods: ways to choose what stays.  One file per member in methods/, one row in
 * methods/registry.c.  Every criterion is also a method ("apoz"): keep the highest scores. */
#pragma once

#include "prune/budget/budget.h"
#include "prune/criterion.h"
#include "prune/budget/widths.h"
#include "train/fresh.h"

G_BEGIN_DECLS

/**
 * PjMethodOption: a setting of one method's own.  The command line, the studio and the session take them from here.
 * @name: lower case with hyphens ("coding-epochs"): the option of the command line is "--NAME"
 * @about: one short phrase
 * @usual: what is taken where nobody says; @least, @most: limits, both possible
 * @whole: whole numbers only
 * @choices: (nullable): NULL-terminated words; the value is the index of one
 * @zero: (nullable): what 0 means where it is no amount: "none", "as published (VGG 3, ResNet 8)"; what is in brackets
 *   explains it
 */
typedef struct {
  const char *name, *about;
  double usual, least, most;
  gboolean whole;
  const char *const *choices;
  const char *zero;
} PjMethodOption;

/**
 * PjPruneSettings:
 * @ratios: (nullable): keep ratio by group id, pj_groups_n() values (local budget)
 * @global: use a global budget instead: @kind, @target and @floor as in PjBudget (only methods that give scores or allocate)
 * @multiple: round kept counts up to a multiple, 0 or 1 for none; or PJ_ROUND_AMC
 * @scale: for methods that mend: least-squares factors or weights on the next layer
 * @values: (nullable): pj_method_values(): one number per option of the method; NULL: the usual ones
 * @life: (nullable): see PjMethodLife
 * @widths: which members of residual stages a global budget may take from; @ratios hold it already
 */
typedef struct {
  const double *ratios;
  gboolean global;
  PjBudgetKind kind;
  double target, floor;
  int multiple;
  gboolean scale;
  const double *values;
  const PjMethodLife *life;
  PjWidths widths;
} PjPruneSettings;

/**
 * PjMethod:
 * @name, @title, @about, @source: as for criteria
 * @needs: see PjNeeds
 * @gives_scores: chooses by scores alone and leaves the weights as they are: it can be used with a global budget, and a
 *   comparison measures the norms again before it trains the rest
 * @fresh: a control: what @choose keeps is a shape, whose weights start anew (pj_graph_fresh()), and how it is trained
 * @allocates: it decides itself how many channels each group keeps: a comparison gives it the multiply-adds of its ratio
 *   as a budget, and not the ratio.  It can be used with a global budget even where it gives no scores alone
 * @mends: has least-squares factors or weights that make up for what goes, which @scale can leave out
 * @connections: removes single weights and no channels: nothing gets faster on dense kernels
 * @fit: (nullable): refuses a group that the method cannot judge, before any work, with PJ_PRUNE_ERROR_UNFIT
 * @options: (nullable): the settings of its own; ends with a row whose name is NULL
 * @check: (nullable): refuses settings that do not fit together, before any work
 * @judge: (nullable): the criterion that @settings name, for a method that asks one
 * @work: (nullable): writes how many pictures pass forward, and how many are trained on, for an estimate.  NULL: the
 *   calibration pictures of @needs
 * @choose: measures and decides.  Does not cut.  Returns (transfer full) the plan, with other weights if the method
 *   changes them (pj_cut_plan_set_weights()); @scores (out) (optional) receives what was measured, for heat maps.
 */
typedef struct _PjMethod PjMethod;
struct _PjMethod {
  const char *name, *title, *about, *source;
  PjNeeds needs;
  gboolean gives_scores;
  PjFresh fresh;
  gboolean allocates;
  gboolean mends;
  gboolean connections;
  gboolean (*fit) (const PjMethod *self, const PjScoring *scoring, const PjGroup *group, GError **error);
  const PjMethodOption *options;
  gboolean (*check) (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, GError **error);
  const PjCriterion *(*judge) (const PjMethod *self, const PjPruneSettings *settings);
  void (*work) (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, double *forward,
                double *trained);
  PjCutPlan *(*choose) (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings,
                        PjScores **scores, GError **error);
  const PjCriterion *criterion;    /* (nullable): for methods made from a criterion */
};

/* NULL-terminated: all criteria, then the others. */
const PjMethod *const *pj_methods (void);
const PjMethod *pj_method_find (const char *name);

/* Spends the budget of @settings on scores: what a criterion's @choose does after measuring.  A budget of milliseconds
 * first times the network's kernels on the device of @scoring. */
PjCutPlan *pj_method_spend (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings,
                            const PjScores *scores, GError **error);

/* The global budget of @settings; @latency: (out) (transfer full): what it needs for milliseconds, or NULL. */
gboolean pj_method_budget (const PjScoring *scoring, const PjPruneSettings *settings, PjBudget *budget, PjLatency **latency,
                           GError **error);

/* --- settings of a method's own --- */

/**
 * pj_method_values:
 * @set: (nullable): NULL-terminated "name=value"; later ones win
 * @error: PJ_PRUNE_ERROR_SETTING naming the setting and what it can be
 *
 * Returns: (transfer full): one number per option, the usual one where @set says nothing; never NULL without @error
 */
double *pj_method_values (const PjMethod *self, const char *const *set, GError **error);
/* The value of the option @name, which must exist. */
double pj_method_value (const PjMethod *self, const PjPruneSettings *settings, const char *name);

/* Seconds that so many pictures take forward and in training, from the time of a batch of each, measured now. */
gboolean pj_estimate_pictures (const PjScoring *scoring, double forward, double trained, double *seconds, GError **error);

/**
 * pj_method_estimate:
 *
 * Seconds that @choose is going to take, from the time of one batch forward and, if the method trains, one batch of
 * training, both measured now; negative if there is nothing to go by.  Errors of pj_plan_new().
 */
gboolean pj_method_estimate (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings,
                             double *seconds, GError **error);

/* Checks settings, locks and fit before any work: PJ_PRUNE_ERROR_*, PJ_DATA_ERROR_MISMATCH.  A refusal names all
 * groups that the method cannot judge. */
gboolean pj_prune_settings_check (const PjMethod *method, const PjScoring *scoring,
                                  const PjPruneSettings *settings, GError **error);

G_END_DECLS
