/* SPDX-License-Identifier: MIT */
/* Networks of any size from one (VFS: versatile, full-spectrum, swift): blocks and widths are drawn
 * until a budget is met, judged after their norms were measured again, and improved step by step.  Nothing is trained.
 *
 *   base: channels and blocks in order of importance
 *   budget ─▶ draw blocks, draw widths ─ scale to the budget ─ cut ─ norms ─ KL to the base ─▶ best few ─ one move ─▶ …
 *
 * Everything that was judged stays in an archive, which all budgets share. */
#pragma once

#include "graph/parts.h"
#include "prune/criterion.h"

G_BEGIN_DECLS

/* The channels of a group by falling score, equal ones by their index: width k is the first k of them. */
void pj_nested_order (const double *score, int n, int *order);
/* A budget of @target is met by shares from (1 − @tolerance)·target to the target. */
gboolean pj_spectrum_accepts (double share, double target, double tolerance);
/* Marks the points that no other beats: as cheap and better, or cheaper and as good. */
void pj_pareto_front (const double *cost, const double *quality, unsigned n, gboolean *on_front);

/**
 * PjSpectrumOptions: pj_spectrum_options_init() first
 * @n_draws: candidates drawn per budget; @n_best: of them, so many are improved
 * @idle: moves in a row that make nothing better, after which a search ends
 * @n_images: training pictures that the divergence is measured on; @n_batches: batches for the norms
 * @least_depth: share of the blocks that stay at least; 1: blocks stay
 * @floor: share of a group that stays at least; @multiple: of channel counts, 1 for any
 * @criterion: orders channels
 */
typedef struct {
  unsigned n_draws, n_best, idle, n_images, n_batches;
  double least_depth, tolerance, floor;
  int multiple;
  const PjCriterion *criterion;
} PjSpectrumOptions;

/* 200 draws, 10 best, 5 idle rounds, 256 pictures, 10 batches, depth 0.4, tolerance 0.02, floor 0.3, any count, KL. */
void pj_spectrum_options_init (PjSpectrumOptions *options);

/**
 * PjSpectrumPoint:
 * @off: by part: 1 where it goes; @kept: channels by group, 0 for groups that are locked
 * @macs: share of the base's; exact
 * @kl: D (base ‖ candidate) with norms measured again
 */
typedef struct {
  guint8 *off;
  int *kept;
  double macs, kl;
} PjSpectrumPoint;

typedef struct _PjSpectrum PjSpectrum;

/* Called with every point that was judged. FALSE with @error ends the search. */
typedef gboolean (*PjSpectrumFunc) (const PjSpectrumPoint *point, gpointer data, GError **error);

/* Measures the base.  PJ_PRUNE_ERROR_SETTING if an option cannot be. (transfer full) */
PjSpectrum *pj_spectrum_new (const PjScoring *scoring, const PjSpectrumOptions *options, PjSpectrumFunc func, gpointer data,
                             GError **error);
void pj_spectrum_free (PjSpectrum *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjSpectrum, pj_spectrum_free)

unsigned pj_spectrum_n_parts (const PjSpectrum *self);
unsigned pj_spectrum_n_groups (const PjSpectrum *self);
/* Share of the base's multiply-adds that the blocks and widths of @point leave; its own figures are not looked at. */
gboolean pj_spectrum_cost (PjSpectrum *self, const PjSpectrumPoint *point, double *share, GError **error);
/* Share of the multiply-adds of the smallest network that the options allow. */
gboolean pj_spectrum_least (PjSpectrum *self, double *share, GError **error);
/* A point that an earlier search with the same base has judged: it is not judged again. Copied. */
void pj_spectrum_remember (PjSpectrum *self, const PjSpectrumPoint *point);
/* All that was judged. (element-type PjSpectrumPoint): borrowed */
const GPtrArray *pj_spectrum_archive (const PjSpectrum *self);

/**
 * pj_spectrum_find:
 * @target: share of the multiply-adds
 * @error: PJ_PRUNE_ERROR_SETTING if nothing that was drawn meets it; says what would
 *
 * Same base, options and seed: same answer, whatever the archive holds.  Returns: (transfer none): the best point found.
 */
const PjSpectrumPoint *pj_spectrum_find (PjSpectrum *self, double target, GError **error);

/* The network of @point, its norms measured again. (transfer full) */
PjGraph *pj_spectrum_build (PjSpectrum *self, const PjSpectrumPoint *point, GError **error);

G_END_DECLS
