/* SPDX-License-Identifier: MIT */
/* The members of the family, and what several of them share. Private to this folder. */
#pragma once

#include "prune/criterion.h"

G_BEGIN_DECLS

extern const PjCriterion pj_criterion_random, pj_criterion_uniform_thin, pj_criterion_weight_sum, pj_criterion_apoz, pj_criterion_mean_mean,
  pj_criterion_mean_std, pj_criterion_mean_l1, pj_criterion_mean_l2, pj_criterion_var_l2, pj_criterion_taylor,
  pj_criterion_taylor_fo, pj_criterion_taylor_fo_bn, pj_criterion_bn_scale, pj_criterion_kl, pj_criterion_kl_reverse;

/* One number for channel @c of a measured activation. */
typedef double (*PjActivityScore) (const PjActivity *activity, int c);

/**
 * pj_tied_combine:
 * @policy: of the scoring; @usual: what PJ_TIED_USUAL is for this criterion
 * @parts: n_parts x n_channels: what each layer says, in the network's order; changed
 * @equal_voice: divide each part by its mean over the channels first, if there are several; a part that is zero
 *   throughout stays zero
 * @out: n_channels
 */
void pj_tied_combine (PjTied policy, PjTied usual, double *parts, unsigned n_parts, int n_channels, gboolean equal_voice, double *out);

/* One number for channel @c of a measured activation. */
typedef double (*PjActivityScore) (const PjActivity *activity, int c);

/* Adds @part to @out after dividing it by its mean over the channels; a part that is zero throughout adds nothing.
 * Several layers of one group get an equal voice this way. */
void pj_add_equal_voice (double *out, const double *part, int n_channels);

/* The score of a group from its activations: the plain one where there is one activation, else, as usual, the mean of
 * the activations' scores, each with an equal voice. */
void pj_score_activities (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group,
                          PjActivityScore score, double *out);

G_END_DECLS
