/* SPDX-License-Identifier: MIT */
/* New weights of a layer by least squares: what the kept inputs can do to give the outputs that the
 * layer had before.  Free of networks and devices. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * PjRefit:
 * @n_in, @n_out: inputs (channels times window) and outputs of the layer
 * @xx: n_in x n_in sums x·xᵀ; @xy: n_in x n_out sums x·yᵀ; @x, @y: sums
 */
typedef struct {
  int n_in, n_out;
  double *xx, *xy, *x, *y;
  uint64_t n_rows;
} PjRefit;

/* All zero, or NULL with PJ_ERROR_NO_MEMORY. */
PjRefit *pj_refit_new (int n_in, int n_out, GError **error);
void pj_refit_free (PjRefit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjRefit, pj_refit_free)

/* Adds samples. @x: n_rows x n_in; @y: n_rows x n_out. The order of sums is fixed whatever the number of threads. */
void pj_refit_add (PjRefit *self, const float *x, const float *y, size_t n_rows);

/**
 * pj_refit_solve:
 * @intercept: also fit @shift; else it is 0
 * @w: (out): n_out x n_in
 * @shift: (out) (nullable): n_out
 *
 * Least squares by Cholesky in f64 with a ridge of 1e-8 of the mean diagonal entry, ten times more, up to 1e-3, as long as
 * a pivot fails.  FALSE with PJ_ERROR_NO_MEMORY, or PJ_PRUNE_ERROR_NUMERIC if that is not enough.
 */
gboolean pj_refit_solve (const PjRefit *self, gboolean intercept, float *w, float *shift, GError **error);

G_END_DECLS
