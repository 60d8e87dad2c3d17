/* SPDX-License-Identifier: MIT */
/* 32-32-pool-64-64-pool-128-128-global average pool-fc, 3 × 3 throughout. */
#include "train/archs/members.h"

PjGraph *
pj_arch_make_vgg_mini (const PjArch *self, const PjArchOptions *options, GError **error)
{
  PjBuilder b;
  int y = pj_builder_init (&b, self, options);
  y = pj_builder_conv (&b, "conv1", y, pj_builder_width (&b, 32), 3, 1, TRUE);
  y = pj_builder_conv (&b, "conv2", y, pj_builder_width (&b, 32), 3, 1, TRUE);
  y = pj_builder_max_pool (&b, "pool1", y, 2, 2, 0);
  y = pj_builder_conv (&b, "conv3", y, pj_builder_width (&b, 64), 3, 1, TRUE);
  y = pj_builder_conv (&b, "conv4", y, pj_builder_width (&b, 64), 3, 1, TRUE);
  y = pj_builder_max_pool (&b, "pool2", y, 2, 2, 0);
  y = pj_builder_conv (&b, "conv5", y, pj_builder_width (&b, 128), 3, 1, TRUE);
  y = pj_builder_conv (&b, "conv6", y, pj_builder_width (&b, 128), 3, 1, TRUE);
  pj_builder_classifier (&b, y);
  return pj_builder_finish (&b, error);
}
