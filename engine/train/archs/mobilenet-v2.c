/* SPDX-License-Identifier: MIT */
/* MobileNetV2 (Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2, CVPR 2018): a stem and seventeen inverted residuals
 * (expand 1 × 1, depthwise 3 × 3, project 1 × 1; a shortcut where the shape stays), a last 1 × 1 convolution, global
 * average pool, fc.  Widths are rounded to a multiple of 8, and the last convolution never becomes narrower. */
#include "train/archs/members.h"

static int
block (PjBuilder *b, int index, int x, int c_out, int expansion, int stride)
{
  g_autofree char *name = g_strdup_printf ("block%d", index), *expand = g_strdup_printf ("block%d.expand", index);
  g_autofree char *deep = g_strdup_printf ("block%d.depthwise", index), *project = g_strdup_printf ("block%d.project", index);
  int c_in = pj_builder_channels (b, x), hidden = c_in * expansion;
  PjBuilderConv wide = { 1, 1, 0, 1, FALSE, PJ_BUILDER_RELU6 }, depthwise = { 3, stride, 1, hidden, FALSE, PJ_BUILDER_RELU6 };
  int y = expansion > 1 ? pj_builder_layer (b, expand, x, hidden, &wide) : x;
  y = pj_builder_conv (b, project, pj_builder_layer (b, deep, y, hidden, &depthwise), c_out, 1, 1, FALSE);
  return stride == 1 && c_in == c_out ? pj_builder_add (b, name, y, x) : y;
}

PjGraph *
pj_arch_make_mobilenet_v2 (const PjArch *self, const PjArchOptions *options, GError **error)
{
  static const struct { int expansion, width, blocks, stride; } stages[] = {
    { 1, 16, 1, 1 }, { 6, 24, 2, 2 }, { 6, 32, 3, 2 }, { 6, 64, 4, 2 }, { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 },
  };
  PjBuilderConv stem = { 3, 2, 1, 1, FALSE, PJ_BUILDER_RELU6 }, last = { 1, 1, 0, 1, FALSE, PJ_BUILDER_RELU6 };
  PjBuilder b;
  int index = 0, y = pj_builder_init (&b, self, options);
  y = pj_builder_layer (&b, "stem", y, pj_arch_divisible (32 * options->width), &stem);
  for (guint s = 0; s < G_N_ELEMENTS (stages); s++)
    for (int i = 0; i < stages[s].blocks; i++)
      y = block (&b, ++index, y, pj_arch_divisible (stages[s].width * options->width), stages[s].expansion, i == 0 ? stages[s].stride : 1);
  y = pj_builder_layer (&b, "last", y, pj_arch_divisible (1280 * MAX (1.0, options->width)), &last);
  pj_builder_classifier (&b, y);
  return pj_builder_finish (&b, error);
}
