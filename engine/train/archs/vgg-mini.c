/* SPDX-License-Identifier: MIT */
/* 32-32-pool-64-64-pool-128-128-global average pool-fc, 3 × 3 throughout. */
#include "train/archs/members.h"

PjGraph *
pj_arch_vgg_mini (int c, int h, int w, unsigned n_classes, uint64_t seed, GError **error)
{
  PjBuilder b;
  if (!pj_arch_check ("vgg-mini", c, h, w, n_classes, 4, error))
    return NULL;
  int y = pj_builder_init (&b, "vgg-mini", c, h, w, seed);
  y = pj_builder_conv (&b, "conv1", y, 32, 3, 1, TRUE);
  y = pj_builder_conv (&b, "conv2", y, 32, 3, 1, TRUE);
  y = pj_builder_max_pool (&b, "pool1", y);
  y = pj_builder_conv (&b, "conv3", y, 64, 3, 1, TRUE);
  y = pj_builder_conv (&b, "conv4", y, 64, 3, 1, TRUE);
  y = pj_builder_max_pool (&b, "pool2", y);
  y = pj_builder_conv (&b, "conv5", y, 128, 3, 1, TRUE);
  y = pj_builder_conv (&b, "conv6", y, 128, 3, 1, TRUE);
  pj_builder_classifier (&b, y, n_classes);
  return pj_builder_finish (&b, error);
}
