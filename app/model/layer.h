/* SPDX-License-Identifier: MIT */
/* PjmLayer: one row of the layer table and one box of the graph: a convolution or fully connected layer
 * with the norm and activation that follow it, or another operator.  Main thread.  Read-only for the
 * studio: edits go through PjmProject, which notifies. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define PJM_TYPE_LAYER (pjm_layer_get_type ())
G_DECLARE_FINAL_TYPE (PjmLayer, pjm_layer, PJM, LAYER, GObject)

/* Properties (all notify):
 *   "name"        string   "conv3"
 *   "kind"        string   "Convolution 3×3, stride 1"; translated
 *   "detail"      string   "norm, ReLU" — what is folded into the box
 *   "shape"       string   output, "64×14×14"
 *   "channels"    uint     C of its group, 0 for layers without channels of their own
 *   "kept"        uint     channels that stay
 *   "keep-ratio"  double   the ratio a person set, 0 … 1
 *   "params", "macs"             uint64   of the reference
 *   "params-after", "macs-after" uint64   with the present masks
 *   "group"       int      id of the group, -1 if none
 *   "locked"      boolean
 *   "lock-reason" string   sentence, NULL if not locked
 *   "ties"        string   "Cut together with conv5 and proj1: the addition add2 joins them", or NULL
 *   "importance"  double   0 … 1: weakest kept channel relative to the strongest, -1 unknown
 *   "sensitivity" double   0 … 1: top-1 that the network loses when this layer alone keeps half, -1 not measured
 *   "milliseconds" double  measured time of the uncut layer for one picture on the present device, -1 not measured
 */
const char *pjm_layer_get_name (PjmLayer *self);
int pjm_layer_get_group (PjmLayer *self);
guint pjm_layer_get_channels (PjmLayer *self);
guint pjm_layer_get_kept (PjmLayer *self);
double pjm_layer_get_keep_ratio (PjmLayer *self);
gboolean pjm_layer_get_locked (PjmLayer *self);
double pjm_layer_get_importance (PjmLayer *self);
double pjm_layer_get_sensitivity (PjmLayer *self);
double pjm_layer_get_milliseconds (PjmLayer *self);
guint64 pjm_layer_get_macs_after (PjmLayer *self);

/* Scores of the present criterion, channels values in channel order; NULL when not scored or refused
 * (pjm_layer_get_refusal() then says why).  Borrowed until the next "scores-changed". */
const double *pjm_layer_get_scores (PjmLayer *self);
const char *pjm_layer_get_refusal (PjmLayer *self);
/* 1 keeps; channels bytes, or NULL. Borrowed until the next notify of "kept". */
const guint8 *pjm_layer_get_mask (PjmLayer *self);
/* All criteria by which this layer has been scored so far, in the order of the registry, for heat maps
 * side by side. Returns the identifier; @scores: (out) (optional): channels values. Borrowed until the
 * next "scores-changed". */
guint pjm_layer_n_criteria (PjmLayer *self);
const char *pjm_layer_get_criterion (PjmLayer *self, guint i, const double **scores);
/* What can be removed whole: the residual block that the layer lies in, by its name, and the layer itself.  NULL and FALSE
 * where there is none; a block that cannot go has a reason, a translated sentence. */
const char *pjm_layer_get_block (PjmLayer *self);
const char *pjm_layer_get_block_reason (PjmLayer *self);
gboolean pjm_layer_can_go (PjmLayer *self);
/* What the network loses with the block: "−12 % MACs, −18.6 k parameters"; NULL without one. (transfer full) */
char *pjm_layer_describe_block (PjmLayer *self);
/* Signals: "scores-changed", "mask-changed". */

G_END_DECLS
