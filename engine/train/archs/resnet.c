/* SPDX-License-Identifier: MIT */
/* Residual networks for large pictures (He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016):
 * a 7 × 7 stem, a pool, four stages, global average pool, fc.  Where a block changes the shape, its shortcut is a 1 × 1
 * convolution with a norm.  The published Caffe models take the stride of a bottleneck in its first 1 × 1, later ones
 * in the 3 × 3, which costs more and is a little more accurate. */
#include "train/archs/members.h"

const PjResnetLayout pj_resnet18 = { { 2, 2, 2, 2 }, FALSE, FALSE };
const PjResnetLayout pj_resnet34 = { { 3, 4, 6, 3 }, FALSE, FALSE };
const PjResnetLayout pj_resnet50 = { { 3, 4, 6, 3 }, TRUE, FALSE };
const PjResnetLayout pj_resnet101 = { { 3, 4, 23, 3 }, TRUE, FALSE };
const PjResnetLayout pj_resnet152 = { { 3, 8, 36, 3 }, TRUE, FALSE };
const PjResnetLayout pj_resnet50_caffe = { { 3, 4, 6, 3 }, TRUE, TRUE };
const PjResnetLayout pj_resnet101_caffe = { { 3, 4, 23, 3 }, TRUE, TRUE };

static int
block (PjBuilder *b, const PjResnetLayout *layout, const char *name, int x, int planes, int stride)
{
  g_autofree char *first = g_strdup_printf ("%s.conv1", name), *second = g_strdup_printf ("%s.conv2", name);
  g_autofree char *third = g_strdup_printf ("%s.conv3", name), *shortcut = g_strdup_printf ("%s.shortcut", name);
  int inner = pj_builder_width (b, planes), c_out = pj_builder_width (b, layout->bottleneck ? 4 * planes : planes), y;

  if (layout->bottleneck) {
    y = pj_builder_conv (b, first, x, inner, 1, layout->stride_first ? stride : 1, TRUE);
    y = pj_builder_conv (b, second, y, inner, 3, layout->stride_first ? 1 : stride, TRUE);
    y = pj_builder_conv (b, third, y, c_out, 1, 1, FALSE);
  } else {
    y = pj_builder_conv (b, first, x, inner, 3, stride, TRUE);
    y = pj_builder_conv (b, second, y, c_out, 3, 1, FALSE);
  }
  if (stride != 1 || pj_builder_channels (b, x) != c_out)
    x = pj_builder_conv (b, shortcut, x, c_out, 1, stride, FALSE);
  return pj_builder_add_relu (b, name, y, x);
}

PjGraph *
pj_arch_make_resnet (const PjArch *self, const PjArchOptions *options, GError **error)
{
  const PjResnetLayout *layout = self->layout;
  PjBuilder b;
  int y = pj_builder_init (&b, self, options);
  y = pj_builder_conv (&b, "stem", y, pj_builder_width (&b, 64), 7, 2, TRUE);
  y = pj_builder_max_pool (&b, "stem.pool", y, 3, 2, 1);
  for (int stage = 0; stage < 4; stage++)
    for (int i = 0; i < layout->blocks[stage]; i++) {
      g_autofree char *name = g_strdup_printf ("stage%d.block%d", stage + 1, i + 1);
      y = block (&b, layout, name, y, 64 << stage, stage > 0 && i == 0 ? 2 : 1);
    }
  pj_builder_classifier (&b, y);
  return pj_builder_finish (&b, error);
}
