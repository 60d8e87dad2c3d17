/* SPDX-License-Identifier: MIT */
/* MobileNet (Howard et al.: MobileNets, 2017): a stem and thirteen pairs of a depthwise 3 × 3 and a 1 × 1 convolution,
 * global average pool, fc. */
#include "train/archs/members.h"

static int
pair (PjBuilder *b, int index, int x, int c_out, int stride)
{
  g_autofree char *deep = g_strdup_printf ("block%d.depthwise", index), *point = g_strdup_printf ("block%d.pointwise", index);
  int c_in = pj_builder_channels (b, x);
  PjBuilderConv depthwise = { 3, stride, 1, c_in, FALSE, PJ_BUILDER_RELU };
  return pj_builder_conv (b, point, pj_builder_layer (b, deep, x, c_in, &depthwise), c_out, 1, 1, TRUE);
}

PjGraph *
pj_arch_make_mobilenet_v1 (const PjArch *self, const PjArchOptions *options, GError **error)
{
  static const int widths[] = { 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024 };
  PjBuilder b;
  int y = pj_builder_init (&b, self, options);
  y = pj_builder_conv (&b, "stem", y, pj_builder_width (&b, 32), 3, 2, TRUE);
  for (int i = 0; i < 13; i++)
    y = pair (&b, i + 1, y, pj_builder_width (&b, widths[i]), i > 0 && widths[i] != widths[i - 1] ? 2 : 1);
  pj_builder_classifier (&b, y);
  return pj_builder_finish (&b, error);
}
