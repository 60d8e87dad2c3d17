/* SPDX-License-Identifier: MIT */
/* Small dense linear algebra in double for the reconstruction methods.  Matrices are
 * row-major, symmetric, n x n; n is a channel count, so at most a few thousand. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * pj_cholesky:
 * @a: (inout): n x n symmetric; its lower triangle becomes L with L·Lᵀ = A.  The upper one is not read.
 * @min_pivot: smallest square of a diagonal entry that is accepted
 *
 * O(n³/3).  Any thread.
 *
 * Returns: FALSE if a pivot is not above @min_pivot; @a is then spoilt
 */
gboolean pj_cholesky (double *a, int n, double min_pivot);

/* Solves L·Lᵀ·x = b in place, with the lower triangle of @l. O(n²). */
void pj_cholesky_solve (const double *l, int n, double *x);

/**
 * pj_solve_spd:
 * @a: n x n, symmetric, positive semi-definite
 * @x: (out): n values
 * @ridge: (out) (optional): λ that was added to the diagonal, relative to its mean
 *
 * x = (A + λI)⁻¹b with λ = 1e-10·trace/n, ten times more as long as a pivot is not above 1e-12 of the
 * largest diagonal entry; then one step of refinement against A itself, which takes most of the ridge's
 * influence away.  A zero matrix gives zeros.  @a is not changed.
 */
void pj_solve_spd (const double *a, int n, const double *b, double *x, double *ridge);

/**
 * pj_invert_spd:
 * @a: (inout): n x n, symmetric, positive definite; becomes its inverse, both triangles
 *
 * Returns: FALSE if it is not positive definite to working precision; @a is then spoilt
 */
gboolean pj_invert_spd (double *a, int n);

G_END_DECLS
