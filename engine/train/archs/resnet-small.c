/* SPDX-License-Identifier: MIT */
/* Residual networks for small pictures (He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016,
 * section 4.2): a 3 × 3 stem, three stages of basic blocks with 16, 32 and 64 channels, global average pool, fc; 6n + 2
 * layers for n blocks in a stage.  Shortcuts that change the shape have no parameters (option A) or are 1 × 1
 * convolutions (option B). */
#include "train/archs/members.h"

const PjResnetSmallLayout pj_resnet20 = { 3, FALSE }, pj_resnet20_b = { 3, TRUE };
const PjResnetSmallLayout pj_resnet32 = { 5, FALSE }, pj_resnet32_b = { 5, TRUE };
const PjResnetSmallLayout pj_resnet44 = { 7, FALSE }, pj_resnet44_b = { 7, TRUE };
const PjResnetSmallLayout pj_resnet56 = { 9, FALSE }, pj_resnet56_b = { 9, TRUE };
const PjResnetSmallLayout pj_resnet110 = { 18, FALSE }, pj_resnet110_b = { 18, TRUE };

static int
block (PjBuilder *b, const PjResnetSmallLayout *layout, const char *name, int x, int c_out, int stride)
{
  g_autofree char *first = g_strdup_printf ("%s.conv1", name), *second = g_strdup_printf ("%s.conv2", name);
  g_autofree char *shortcut = g_strdup_printf ("%s.shortcut", name);
  int y = pj_builder_conv (b, first, x, c_out, 3, stride, TRUE);
  y = pj_builder_conv (b, second, y, c_out, 3, 1, FALSE);
  if (stride != 1)
    x = layout->project ? pj_builder_conv (b, shortcut, x, c_out, 1, stride, FALSE)
                        : pj_builder_zero_shortcut (b, shortcut, x, c_out, stride);
  return pj_builder_add_relu (b, name, y, x);
}

PjGraph *
pj_arch_make_resnet_small (const PjArch *self, const PjArchOptions *options, GError **error)
{
  const PjResnetSmallLayout *layout = self->layout;
  PjBuilder b;
  int y = pj_builder_init (&b, self, options);
  y = pj_builder_conv (&b, "stem", y, pj_builder_width (&b, 16), 3, 1, TRUE);
  for (int stage = 0; stage < 3; stage++)
    for (int i = 0; i < layout->blocks; i++) {
      g_autofree char *name = g_strdup_printf ("stage%d.block%d", stage + 1, i + 1);
      y = block (&b, layout, name, y, pj_builder_width (&b, 16 << stage), stage > 0 && i == 0 ? 2 : 1);
    }
  pj_builder_classifier (&b, y);
  return pj_builder_finish (&b, error);
}
