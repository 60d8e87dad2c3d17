/* SPDX-License-Identifier: MIT */
/* Steps that train gates to exact zeros: a plain L1 gradient never gives any, the proximal
 * step does.  Free of networks and devices. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* sign (t)·max (|t| − a, 0) */
double pj_soft_threshold (double t, double a);

/**
 * pj_sss_step: the accelerated proximal step of SSS (Huang, Wang 2018).
 * @gate: (inout): @n factors, never below 0
 * @speed: (inout): their momentum, 0 at first
 * @grad: ∂loss/∂gate
 * @gamma: weight of the factors' sum in the loss
 *
 * z = S (gate − lr·grad, lr·gamma); speed ← z − gate + momentum·speed; gate ← max (0, z + momentum·speed).
 */
void pj_sss_step (double *gate, double *speed, const double *grad, int n, double lr, double gamma, double momentum);

/**
 * pj_fista_pace: moves the pace of FISTA (Beck, Teboulle 2009) on, once per step of all masks together.
 * @pace: (inout): 0 before the first step and for a new start; a ← 1, then a ← (1 + √(1 + 4a²))/2
 *
 * Returns: (a − 1)/a′, how far this step leans on the one before
 */
double pj_fista_pace (double *pace);

/**
 * pj_fista_step: one step as GAL takes it.
 * @mask: (inout): @n factors, 0 or more after it
 * @before: (inout): the factors of the step before; @mask itself at first
 * @lambda: weight of ‖mask‖₁ in the loss
 * @lean: of pj_fista_pace()
 *
 * y = mask + lean·(mask − before); mask ← max (0, S (y − lr·grad, lr·lambda)).
 */
void pj_fista_step (double *mask, double *before, const double *grad, int n, double lr, double lambda, double lean);

G_END_DECLS
