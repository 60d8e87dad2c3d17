/* SPDX-License-Identifier: MIT */
#include "prune/criteria/criteria.h"

static const PjCriterion *const criteria[] = {
  &pj_criterion_random,
  &pj_criterion_uniform_thin,
  &pj_criterion_weight_sum,
  &pj_criterion_bn_scale,
  &pj_criterion_apoz,
  &pj_criterion_mean_mean,
  &pj_criterion_mean_std,
  &pj_criterion_mean_l1,
  &pj_criterion_mean_l2,
  &pj_criterion_var_l2,
  &pj_criterion_taylor,
  &pj_criterion_taylor_fo,
  &pj_criterion_taylor_fo_bn,
  &pj_criterion_kl,
  &pj_criterion_kl_reverse,
  NULL,
};

const PjCriterion *const *
pj_criteria (void)
{
  return criteria;
}
