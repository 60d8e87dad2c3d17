/* SPDX-License-Identifier: MIT */
/* ThiNet's mathematics, free of networks and devices.
 *
 * Rows are samples: x_ij is what channel j adds to sampled output i, y_i what the output should be.  All that
 * selection, factors and errors need is G = XᵀX, b = Xᵀy and yᵀy, so one pass over the data serves every
 * keep count and every way to choose. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * PjGram:
 * @n: channels
 * @g: n x n, row-major, symmetric
 * @b: n values
 * @yy: yᵀy
 * @n_rows: samples added
 */
typedef struct {
  int n;
  double *g, *b;
  double yy;
  uint64_t n_rows;
} PjGram;

/* Returns: (transfer full): all zero, or NULL with PJ_ERROR_NO_MEMORY */
PjGram *pj_gram_new (int n, GError **error);
void pj_gram_free (PjGram *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjGram, pj_gram_free)

/* Rows that are summed in f32 before they are added in f64. */
#define PJ_GRAM_TILE 1024

/**
 * pj_gram_add:
 * @x: n_rows x n, row-major
 * @y: n_rows targets
 *
 * Adds samples.  Sums f32 within tiles of at most PJ_GRAM_TILE rows and f64 across them, in a fixed order
 * whatever the number of threads.  O(n_rows·n²/2).
 */
void pj_gram_add (PjGram *self, const float *x, const float *y, size_t n_rows);

/* Adds @factor times the sums of @other: several consumers of one group, each with an equal voice. */
void pj_gram_merge (PjGram *self, const PjGram *other, double factor);

/**
 * PjGramOrder: how channels are put in order.
 * @PJ_GRAM_REMOVE: ICCV 2017: again and again remove the channel whose loss moves the sum least, without
 *   factors: the least ‖y − Σ_kept x_j‖²
 * @PJ_GRAM_FORWARD: TPAMI 2018: again and again keep the channel that reduces the residual most with its own best factor
 *   (x_jᵀr)²/(x_jᵀx_j), then fit all kept factors again
 * @PJ_GRAM_RESIDUAL: again and again remove the channel whose loss raises the least-squares residual of the
 *   others least, w_j²/(G⁻¹)_jj: every step knows that the rest will be fitted again
 */
typedef enum { PJ_GRAM_REMOVE, PJ_GRAM_FORWARD, PJ_GRAM_RESIDUAL } PjGramOrder;

/**
 * pj_gram_order:
 * @order: (out): n channels, the first one to be removed first.  Ties: the eliminating orders remove, and the
 *   forward one keeps, the lower index first.
 *
 * The choices are nested: keeping K means keeping the last K.  REMOVE is O(n²), the others O(n³).
 */
void pj_gram_order (const PjGram *self, PjGramOrder how, int *order);

/* keep[c] = 1 for the last @k of @order, 0 for the others. */
void pj_gram_keep (const int *order, int n, int k, guint8 *keep);

/**
 * pj_gram_fit:
 * @keep: n flags
 * @w: (out): n least-squares factors of the kept channels; 0 for the others
 * @ridge: (out) (optional): see pj_solve_spd()
 */
void pj_gram_fit (const PjGram *self, const guint8 *keep, double *w, double *ridge);

/* ‖y − Σ_kept w_j·x_j‖², never below 0; @w NULL: all factors 1. */
double pj_gram_error (const PjGram *self, const guint8 *keep, const double *w);

G_END_DECLS
