/* SPDX-License-Identifier: MIT */
/* Jobs that make a network smaller: kinds "score", "choose", "cut". */
#pragma once

#include "graph/cut.h"
#include "graph/groups.h"
#include "model/work.h"
#include "prune/method.h"

G_BEGIN_DECLS

/* --- scores --- */

/* @n_images: calibration pictures, 0 for the criterion's default; @tied: how layers that are cut together are joined. Stored as the scores of the step's model.
 * (transfer full) */
PjScores *pj_work_score (const PjWork *work, const PjGroups *groups, const char *criterion, PjTied tied, unsigned n_images,
                         uint64_t seed, PjWorkDone *done, GError **error);
/* The same with the settings of a stored job, whose record @work->job is. @tied: (out). (transfer full) */
PjScores *pj_work_score_again (const PjWork *work, const PjGroups *groups, const char *settings, PjTied *tied, PjWorkDone *done,
                               GError **error);

/* --- what stays --- */

/**
 * PjWorkChoose: how the channels that stay are chosen.
 * @method: name of a PjMethod
 * @keep: (nullable): as a person writes it: "0.5" for all groups that can be cut and that the method can judge,
 *   "conv3=0.25" for one; later ones win.  Groups that nothing names stay whole.
 * @macs, @params, @memory, @ms: instead: a global budget, the share that is kept; 0 for none.  @ms counts predicted
 *   milliseconds of one picture on the device at hand.
 * @floor: smallest share of a group under a global budget
 * @multiple: round kept counts up to a multiple of this; or PJ_ROUND_AMC
 * @scale: least-squares factors on the next layer, for methods that have them
 * @set: (nullable): the method's own settings, "name=value" each
 * @n_images, @seed: calibration pictures; 0 for the method's default
 * @tied, @widths: (nullable): words of pj_tied_find() and pj_widths_find(); NULL is usual and wallet
 * @constants: (nullable): what removed channels add that is the same for every picture moves into the next bias
 *   (graph/constants.h): "none", the usual; "exact": where no padding meets it; "all".  Only with methods that give scores.
 */
typedef struct {
  char *method;
  char **keep;
  double macs, params, memory, ms, floor;
  int multiple;
  gboolean scale;
  char **set;
  unsigned n_images;
  uint64_t seed;
  char *tied, *widths, *constants;
} PjWorkChoose;

/* thinet-ls, seed 1, nothing to keep set. */
void pj_work_choose_init (PjWorkChoose *self);
void pj_work_choose_clear (PjWorkChoose *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjWorkChoose, pj_work_choose_clear)
char *pj_work_choose_write (const PjWorkChoose *self);
gboolean pj_work_choose_read (PjWorkChoose *self, const char *text, GError **error);

/* Rows for menus: words of @constants, the usual one first; titles can be translated. */
#define PJ_N_CONSTANTS 3
typedef struct { const char *name, *title, *about; } PjWorkConstantsRow;
extern const PjWorkConstantsRow pj_work_constants_rows[PJ_N_CONSTANTS];

/* TRUE for a word of @constants; what a method cannot do with it is refused; and doing it, which adds to @detail what was
 * found. */
gboolean pj_work_constants_known (const char *word);
gboolean pj_work_constants_check (const PjMethod *method, const PjWorkChoose *settings, GError **error);
gboolean pj_work_constants_fold (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, PjCutPlan *plan,
                                 char **detail, GError **error);

/* TRUE if something says how much is to be kept. */
gboolean pj_work_choose_is_asked (const PjWorkChoose *self);

/* "0.5" → 0.5; FALSE unless it is a number above 0 and at most 1. */
gboolean pj_work_read_ratio (const char *text, double *ratio);
/* The numbers of @texts (nullable), in their order. PJ_PRUNE_ERROR_SETTING. (transfer full) (element-type double) */
GArray *pj_work_ratio_list (char **texts, GError **error);
/* Ratios by group id from the texts of @keep. PJ_PRUNE_ERROR_SETTING, PJ_PRUNE_ERROR_LOCKED. (transfer full) */
double *pj_work_ratios (const PjGroups *groups, const char *const *keep, GError **error);
/* The way back: one text per group whose ratio is below 1. (transfer full) */
char **pj_work_keep (const PjGroups *groups, const double *ratios);

/**
 * pj_work_choose:
 * @scores: (out) (optional) (nullable): what was measured
 *
 * Chooses and does not cut.  Makes PJ_STEP_MASKED, whose network has the weights that the method changed.
 *
 * Returns: (transfer full): what stays
 */
PjCutPlan *pj_work_choose (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, PjScores **scores,
                           PjWorkDone *done, GError **error);

/**
 * pj_work_choose_check:
 * @work: the device may be NULL
 * @after: (out): what the network costs afterwards: exact for keep ratios; under a budget only what the budget counts, the
 *   rest is 0
 *
 * Refuses what the job itself would refuse before it measures anything.  Milliseconds; any thread.
 */
gboolean pj_work_choose_check (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, PjCost *after,
                               GError **error);

/* What pj_method_estimate() says of such a job. @seconds: (out): negative if nothing is known. Refuses bad settings. */
gboolean pj_work_choose_estimate (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings,
                                  double *seconds, GError **error);

/* The largest difference, relative to the largest output, between a masked and a cut network that still is
 * rounding. */
#define PJ_WORK_CUT_TOLERANCE 1e-3

/**
 * pj_work_make_cut:
 *
 * As pj_work_cut() without the step: removes the channels, runs the masked and the cut network on the same
 * inputs, refuses if they differ by more than rounding (PJ_ERROR_INVALID), and notes in the network where it
 * came from and how much they differ.  After a control that trains from scratch what is left then gets initial
 * weights. (transfer full)
 */
PjGraph *pj_work_make_cut (const PjWork *work, const PjGroups *groups, const PjCutPlan *plan, const char *method,
                           uint64_t seed, const char *base_accuracy, GError **error);

/**
 * pj_work_cut:
 * @plan: what stays
 * @method: (nullable): what chose it, for the notes; "by hand" if NULL
 * @base_accuracy: (nullable): "0.9185 of 10000", for the notes; NULL asks the session
 *
 * Removes the channels and notes in the network where it came from.  After a control that trains from scratch what is
 * left starts with initial weights.  Makes PJ_STEP_CUT. (transfer full)
 */
PjGraph *pj_work_cut (const PjWork *work, const PjGroups *groups, const PjCutPlan *plan, const char *method,
                      uint64_t seed, const char *base_accuracy, PjWorkDone *done, GError **error);

/* Puts a global average and one small layer in the place of the classifier (ThiNet-GAP, graph/gap.h); it has to be trained
 * then.  Makes PJ_STEP_CUT. (transfer full) */
PjGraph *pj_work_gap (const PjWork *work, uint64_t seed, PjWorkDone *done, GError **error);

G_END_DECLS
