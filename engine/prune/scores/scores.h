/* SPDX-License-Identifier: MIT */
/* Scores: one number per group channel, higher = more important. */
#pragma once

#include "graph/cut.h"
#include "graph/groups.h"

G_BEGIN_DECLS

#define PJ_PRUNE_ERROR (pj_prune_error_quark ())

/**
 * PjPruneError:
 * @PJ_PRUNE_ERROR_SETTING: ratio out of range, unknown group or criterion: what to change is said
 * @PJ_PRUNE_ERROR_LOCKED: the group is locked; the reason is given
 * @PJ_PRUNE_ERROR_UNFIT: the method cannot judge this group (no ReLU for APoZ, too few samples …)
 * @PJ_PRUNE_ERROR_NUMERIC: a score is not finite; the layer is named
 */
typedef enum {
  PJ_PRUNE_ERROR_SETTING, PJ_PRUNE_ERROR_LOCKED, PJ_PRUNE_ERROR_UNFIT, PJ_PRUNE_ERROR_NUMERIC
} PjPruneError;

GQuark pj_prune_error_quark (void);

/**
 * PjTied: how a group that runs through several layers is judged from what each of them says.  Layers of different fan-in
 * have scores of different sizes, so each is first divided by its mean (but where a criterion's numbers are on one scale).
 * @PJ_TIED_USUAL: what the criterion's source does: the sum of weight sums, the mean of activation statistics
 * @PJ_TIED_SUM, @PJ_TIED_MEAN, @PJ_TIED_MAX: over the layers
 * @PJ_TIED_FRAGILE: the one layer decides that can spare least: whose weaker half of channels carries the largest share
 *   of the layer's total
 * @PJ_TIED_FIRST: the first layer in the network's order decides, undivided (Li et al. judge residual streams so)
 *
 * Criteria that measure a group as a whole (KL divergence, Taylor at norms) have nothing to combine.
 */
typedef enum {
  PJ_TIED_USUAL, PJ_TIED_SUM, PJ_TIED_MEAN, PJ_TIED_MAX, PJ_TIED_FRAGILE, PJ_TIED_FIRST, PJ_N_TIED
} PjTied;

/* Rows for menus: "fragile"; the titles can be translated. */
typedef struct { const char *name, *title, *about; } PjTiedRow;
extern const PjTiedRow pj_tied_rows[PJ_N_TIED];
/* PJ_PRUNE_ERROR_SETTING for another word. */
gboolean pj_tied_find (const char *name, PjTied *tied, GError **error);

/* What scores are called that were made with a policy: "apoz", "apoz:max". (transfer full) */
char *pj_tied_key (const char *criterion, PjTied tied);

typedef struct {
  int group;
  int n_channels;
  double *score;
  char *refusal;      /* (nullable): why the criterion cannot judge this group; @score is then NULL */
} PjGroupScores;

/* @criterion: as pj_tied_key() has it */
typedef struct {
  char *criterion;
  uint64_t seed;
  unsigned n_images;  /* calibration pictures used, 0 for data-free criteria */
  unsigned n_groups;
  PjGroupScores *groups;   /* one per unlocked group, ascending by group id */
} PjScores;

void pj_scores_free (PjScores *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjScores, pj_scores_free)
PjScores *pj_scores_copy (const PjScores *self);
const PjGroupScores *pj_scores_get (const PjScores *self, int group);
/* PJ_PRUNE_ERROR_NUMERIC if any score is NaN or infinite. */
gboolean pj_scores_check (const PjScores *self, const PjGroups *groups, GError **error);

G_END_DECLS
