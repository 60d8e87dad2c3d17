/* SPDX-License-Identifier: MIT */
/* LASSO on a Gram matrix by coordinate descent: with G = ZᵀZ and b = Zᵀy a sweep costs O(n²),
 * however many samples there were. */
#pragma once

#include "prune/reconstruct/gram.h"

G_BEGIN_DECLS

/* The least α whose solution is all zeros: max |b_j|/m, m samples. */
double pj_lasso_alpha_max (const PjGram *gram);

/**
 * pj_lasso_solve:
 * @alpha: weight of ‖β‖₁, at least 0
 * @tolerance: a sweep that moves nothing by more than this share of the largest fitted part ends it
 * @beta: (inout): n values to start from; becomes the solution
 *
 * Minimises (1/2m)·‖y − Zβ‖² + α·‖β‖₁ without intercept.  Channels that are zero throughout get 0.
 */
void pj_lasso_solve (const PjGram *gram, double alpha, double tolerance, double *beta);

/**
 * pj_lasso_score:
 * @k: channels that are going to stay, 1 … n: those with the highest scores
 * @score: (out): n values |β_j|·‖z_j‖ where the search for α stopped
 *
 * Looks for an α that leaves k to 1.1·k coefficients, doubling it and then bisecting at most 60 times.
 */
void pj_lasso_score (const PjGram *gram, int k, double *score);

G_END_DECLS
