/* SPDX-License-Identifier: MIT */
/* PjmComparison: a table of methods x ratios that grows while it is measured. A GListModel of
 * PjmCompareRow.  Main thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define PJM_TYPE_COMPARE_ROW (pjm_compare_row_get_type ())
G_DECLARE_FINAL_TYPE (PjmCompareRow, pjm_compare_row, PJM, COMPARE_ROW, GObject)

/* Properties: "method" string (identifier), "title" string, "ratio" double, "macs" uint64, "params" uint64,
 *   "macs-share" double, "cut" double, "recalibrated" double, "tuned" double (top-1 0 … 1, -1 not measured),
 *   "speed" double (images/s), "refusal" string. */
/* Channels of one group in the network that was compared, which may have been cut since; 0 if there is no
 * such group. */
guint pjm_compare_row_get_n_channels (PjmCompareRow *self, int group);
/* Kept channels of one group in this row; NULL if the group is whole. */
const guint8 *pjm_compare_row_get_mask (PjmCompareRow *self, int group);
/* Scores that chose them, or NULL. */
const double *pjm_compare_row_get_scores (PjmCompareRow *self, int group);

#define PJM_TYPE_COMPARISON (pjm_comparison_get_type ())
G_DECLARE_FINAL_TYPE (PjmComparison, pjm_comparison, PJM, COMPARISON, GObject)

/* Properties: "base-accuracy" double, "base-macs" uint64, "n-test" uint, "title" string. */
/* Overlap of the kept sets of two rows, 0 … 1. */
double pjm_comparison_overlap (PjmComparison *self, guint row_a, guint row_b);
char *pjm_comparison_to_csv (PjmComparison *self);

G_END_DECLS
