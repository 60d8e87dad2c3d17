/* SPDX-License-Identifier: MIT */
/* What AMC needs besides its agent (He et al. 2018): the budget wall, counts, rewards, and the
 * state of a layer as numbers.  Free of devices. */
#pragma once

#include "graph/groups.h"

G_BEGIN_DECLS

/* Numbers that the agent sees of a layer. */
#define PJ_AMC_STATE 10
/* Of these, the first are the layer's own and do not change while a network is walked through. */
#define PJ_AMC_FIXED 7

/* The cost of shares 0 … 1 of the channels of all actions; a polynomial of at most second degree in each of them. */
typedef double (*PjAmcCost) (const double *share, gpointer data);

/**
 * pj_amc_cap: the wall: the largest share of action @at with which the budget can still be met, if all later ones take
 * @least.
 * @share: n shares: those before @at as taken; not looked at from @at on
 *
 * May be above 1, and below @least if the budget cannot be met any more.
 */
double pj_amc_cap (PjAmcCost cost, gpointer data, const double *share, unsigned n, unsigned at, double least, double budget);
/* @proposed within the wall and not below @least. */
double pj_amc_take (double proposed, double cap, double least);

/* Channels of @n that a share means: rounded half to even, up to a multiple of @tile, down where that is more than there
 * are, all where that leaves none. */
int pj_amc_count (int n, double share, int tile);

/* Deviation of the noise in the @episode-th episode after the warm-up. */
double pj_amc_noise (double episode);
/* The reward of a fixed budget is the accuracy; where accuracy counts and cost is free, −(1 − accuracy)·ln (cost). */
double pj_amc_reward (double accuracy, double cost, gboolean free_cost);
/* The moving average that rewards are compared with; @baseline is NaN at first. */
double pj_amc_baseline (double baseline, double batch_mean);

/* Brings each of the @n_columns columns of @rows to 0 … 1; a column that is the same everywhere becomes 0. */
void pj_amc_scale (double *rows, unsigned n_rows, unsigned n_columns);

G_END_DECLS
