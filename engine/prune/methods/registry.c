/* SPDX-License-Identifier: MIT */
#include "prune/methods/methods.h"

static const PjMethod *const methods[] = {
  &pj_method_thinet,
  &pj_method_thinet_ls,
  NULL,
};

const PjMethod *const *
pj_other_methods (void)
{
  return methods;
}
