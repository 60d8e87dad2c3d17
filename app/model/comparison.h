/* SPDX-License-Identifier: MIT */
/* PjmComparison: a table of methods x ratios that grows while it is measured. A GListModel of
 * PjmCompareRow.  Main thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define PJM_TYPE_COMPARE_ROW (pjm_compare_row_get_type ())
G_DECLARE_FINAL_TYPE (PjmCompareRow, pjm_compare_row, PJM, COMPARE_ROW, GObject)

/* One method at one ratio from one start, over its seeds.
 * Properties: "method" string (identifier), "title" string, "ratio" double, "start" string ("own", "recalibrated", "initial" for
 *   weights that start anew, "" without fine-tuning), "seeds" uint, "macs" uint64, "params" uint64, "macs-share" double, "cut" double, "recalibrated" double,
 *   "tuned" double (mean top-1 0 … 1, -1 not measured), "cut-spread", "recalibrated-spread", "tuned-spread" double (sample
 *   standard deviation, -1 for fewer than two seeds), "on-front" boolean (no row has more accuracy for as few MACs), "control"
 *   boolean (random and what starts anew), "speed" double (images/s), "refusal" string.  All notify while seeds come in. */
/* Channels of one group in the network that was compared, which may have been cut since; 0 if there is no
 * such group. */
guint pjm_compare_row_get_n_channels (PjmCompareRow *self, int group);
/* Kept channels of one group by the first seed; NULL if the group is whole. */
const guint8 *pjm_compare_row_get_mask (PjmCompareRow *self, int group);
/* Scores that chose them, or NULL. */
const double *pjm_compare_row_get_scores (PjmCompareRow *self, int group);
/* KL divergence of the output when this group alone is cut, in nats; -1 if that was not measured. */
double pjm_compare_row_get_layer_kl (PjmCompareRow *self, int group);

/* How one class fares. @name: borrowed from the comparison; @before, @now: top-1 in the uncut network and in the row's */
typedef struct {
  const char *name;
  guint n;
  double before, now;
} PjmClassChange;

/* A test picture that is taken for something else than before. @label, @before, @now: classes, borrowed names */
typedef struct {
  guint picture;
  const char *label, *before, *now;
  gboolean was_right, is_right;
} PjmChangedAnswer;

#define PJM_TYPE_COMPARISON (pjm_comparison_get_type ())
G_DECLARE_FINAL_TYPE (PjmComparison, pjm_comparison, PJM, COMPARISON, GObject)

/* Properties: "base-accuracy" double, "base-macs" uint64, "n-test" uint, "title" string. */
/* Groups that some row cuts, in network order; names are borrowed. */
guint pjm_comparison_get_n_layers (PjmComparison *self);
const char *pjm_comparison_get_layer (PjmComparison *self, guint i, int *group);
/* Overlap of the kept sets of two rows, 0 … 1; NaN if one of them was refused. */
double pjm_comparison_overlap (PjmComparison *self, guint row_a, guint row_b);
/* Spearman's correlation of their scores, -1 … 1; NaN if they share none. */
double pjm_comparison_correlation (PjmComparison *self, guint row_a, guint row_b);
/* TRUE for a row whose choice of channels says something: not refused, no control that starts anew, and the first of those
 * that differ only in their start. */
gboolean pjm_comparison_is_choice (PjmComparison *self, guint row);
/* The row of this ratio that disturbs the output least by cutting @group alone; -1 if that was not measured. */
int pjm_comparison_layer_winner (PjmComparison *self, double ratio, int group);
/* (transfer full) (element-type PjmClassChange): empty if answers are not stored. */
GArray *pjm_comparison_get_classes (PjmComparison *self, guint row);
/* (transfer full) (element-type PjmChangedAnswer): in the order of the test part. */
GArray *pjm_comparison_get_changed (PjmComparison *self, guint row);
char *pjm_comparison_to_csv (PjmComparison *self);

G_END_DECLS
