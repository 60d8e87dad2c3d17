/* SPDX-License-Identifier: MIT */
/* Which members of a residual stage take part in a cut. */
#pragma once

#include "graph/stages.h"
#include "prune/scores/scores.h"

G_BEGIN_DECLS

/**
 * PjWidths:
 * @PJ_WIDTHS_WALLET: streams and inner widths, each by its own: whatever ratios or scores say
 * @PJ_WIDTHS_HOURGLASS: inner widths only; the streams stay whole, so blocks become narrow in the middle
 * @PJ_WIDTHS_BOTTLENECK: streams and inner widths of a stage lose the same share, so blocks keep their proportions
 */
typedef enum { PJ_WIDTHS_WALLET, PJ_WIDTHS_HOURGLASS, PJ_WIDTHS_BOTTLENECK, PJ_N_WIDTHS } PjWidths;

/* Rows for menus: "hourglass"; titles can be translated. */
typedef struct { const char *name, *title, *about; } PjWidthsRow;
extern const PjWidthsRow pj_widths_rows[PJ_N_WIDTHS];
/* PJ_PRUNE_ERROR_SETTING for another word. */
gboolean pj_widths_find (const char *name, PjWidths *widths, GError **error);

/**
 * pj_widths_ratios:
 * @named: (nullable): by group id: 1 where a person asked for this very group
 * @ratios: (inout): keep ratio by group id
 * @error: PJ_PRUNE_ERROR_SETTING: a stream that is to stay whole was named, or two members of a stage with different ratios
 *
 * Brings ratios in line with the choice.  hourglass: streams get 1.  bottleneck: a stage takes the ratio of its named
 * member, or else the smallest of its members.
 */
gboolean pj_widths_ratios (PjWidths widths, const PjGraph *graph, const PjGroups *groups, const guint8 *named, double *ratios,
                           GError **error);

/**
 * pj_widths_scores:
 * @normalise: scores of different groups are not on one scale
 *
 * Brings scores in line with the choice, for a budget that removes the weakest channels anywhere.  hourglass: streams
 * get a refusal, so they stay whole.  bottleneck: the k-th of C channels of every member of a stage scores the mean of
 * the members' scores at that share of their ranks, so that all of them lose the same share.
 */
void pj_widths_scores (PjWidths widths, const PjGraph *graph, const PjGroups *groups, gboolean normalise, PjScores *scores);

G_END_DECLS
