/* SPDX-License-Identifier: MIT */
/* AlexNet in its two usual forms, without dropout.  caffenet: two groups in the second, fourth and fifth convolution and
 * local response normalisation after pooling (Krizhevsky, Sutskever, Hinton, NeurIPS 2012, as the Caffe reference model
 * has it).  alexnet: one column, narrower, no normalisation (Krizhevsky: One weird trick, 2014). */
#include "train/archs/members.h"

static PjGraph *
finish (PjBuilder *b, int y, GError **error)
{
  y = pj_builder_flatten (b, "flatten", pj_builder_max_pool (b, "pool5", y, 3, 2, 0));
  y = pj_builder_fc (b, "fc6", y, pj_builder_width (b, 4096), TRUE);
  y = pj_builder_fc (b, "fc7", y, pj_builder_width (b, 4096), TRUE);
  pj_builder_scores (b, "fc8", y);
  return pj_builder_finish (b, error);
}

static int
conv (PjBuilder *b, const char *name, int x, int width, int kernel, int stride, int pad, int groups)
{
  PjBuilderConv c = { kernel, stride, pad, groups, TRUE, PJ_BUILDER_RELU };
  /* Both groups are as wide as each other. */
  return pj_builder_layer (b, name, x, pj_builder_width (b, width / 2) * 2, &c);
}

PjGraph *
pj_arch_make_alexnet (const PjArch *self, const PjArchOptions *options, GError **error)
{
  PjBuilder b;
  int y = pj_builder_init (&b, self, options);
  y = pj_builder_max_pool (&b, "pool1", conv (&b, "conv1", y, 64, 11, 4, 2, 1), 3, 2, 0);
  y = pj_builder_max_pool (&b, "pool2", conv (&b, "conv2", y, 192, 5, 1, 2, 1), 3, 2, 0);
  y = conv (&b, "conv3", y, 384, 3, 1, 1, 1);
  y = conv (&b, "conv4", y, 256, 3, 1, 1, 1);
  return finish (&b, conv (&b, "conv5", y, 256, 3, 1, 1, 1), error);
}

PjGraph *
pj_arch_make_caffenet (const PjArch *self, const PjArchOptions *options, GError **error)
{
  PjBuilder b;
  int y = pj_builder_init (&b, self, options);
  y = pj_builder_max_pool (&b, "pool1", conv (&b, "conv1", y, 96, 11, 4, 0, 1), 3, 2, 0);
  y = conv (&b, "conv2", pj_builder_lrn (&b, "norm1", y, 5), 256, 5, 1, 2, 2);
  y = pj_builder_lrn (&b, "norm2", pj_builder_max_pool (&b, "pool2", y, 3, 2, 0), 5);
  y = conv (&b, "conv3", y, 384, 3, 1, 1, 1);
  y = conv (&b, "conv4", y, 384, 3, 1, 1, 2);
  return finish (&b, conv (&b, "conv5", y, 256, 3, 1, 1, 2), error);
}
