/* SPDX-License-Identifier: MIT */
#include "prune/methods/methods.h"

static const PjMethod *const methods[] = {
  &pj_method_thinet,
  &pj_method_thinet_ls,
  &pj_method_channel_pruning,
  &pj_method_autopruner,
  &pj_method_sss,
  &pj_method_gdp,
  &pj_method_gal,
  &pj_method_taylor_steps,
  &pj_method_magnitude,
  &pj_method_curl,
  &pj_method_amc,
  &pj_method_equal_loss,
  &pj_method_scratch_e,
  &pj_method_scratch_b,
  NULL,
};

const PjMethod *const *
pj_other_methods (void)
{
  return methods;
}
