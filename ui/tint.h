/* SPDX-License-Identifier: MIT */
/* What the colour of a box in the drawn network means. */
#pragma once

#include "palette.h"
#include "studio.h"

G_BEGIN_DECLS

typedef enum {
  PJU_TINT_IMPORTANCE,     /* of the weakest channel that stays */
  PJU_TINT_SENSITIVITY,    /* accuracy lost at half the channels */
  PJU_TINT_MACS,           /* share of the network's multiply-accumulates, with the present cut */
  PJU_TINT_TIME,           /* measured milliseconds */
  PJU_TINT_KEEP,           /* share of channels that stays */
  PJU_N_TINTS
} PjuTint;

/* @known: some layer has a value; @high: the value that gets the last colour of the scale. */
typedef struct {
  PjuTint tint;
  gboolean known;
  double high, sum;
} PjuTintRange;

/* Identifier for settings ("macs") and back; unknown names are importance. */
const char *pju_tint_name (PjuTint tint);
PjuTint pju_tint_parse (const char *name);
/* "Share of multiply-accumulates" */
const char *pju_tint_title (PjuTint tint);
/* What the number is and how it was measured, a sentence or two. */
const char *pju_tint_about (PjuTint tint);
/* What to do to get values where there are none; NULL where they come by themselves. */
const char *pju_tint_missing (PjuTint tint);

void pju_tint_range_init (PjuTintRange *self, PjuTint tint);
void pju_tint_range_add (PjuTintRange *self, PjmLayer *layer);
/* 0 … 1 on the scale; negative: unknown or not meant for this layer. */
double pju_tint_at (const PjuTintRange *self, PjmLayer *layer);
/* The same for a folded block: its weakest importance, the mean of kept channels, the largest of everything else.
 * @layers: (element-type PjmLayer) */
double pju_tint_at_all (const PjuTintRange *self, const GPtrArray *layers);
/* Whether the quantity says something about the layer at all. */
gboolean pju_tint_applies (PjuTint tint, PjmLayer *layer);
/* "12.4 %", "0.31 ms": of one layer; NULL if unknown. (transfer full) */
char *pju_tint_text (const PjuTintRange *self, PjmLayer *layer);
/* Words at both ends of the scale. (transfer full) */
char *pju_tint_low (const PjuTintRange *self);
char *pju_tint_high (const PjuTintRange *self);

G_END_DECLS
