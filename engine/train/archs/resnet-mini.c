/* SPDX-License-Identifier: MIT */
/* A stem of 16 channels, three stages of two basic blocks (16, 32, 64 channels; strides 1, 2, 2), global
 * average pool, fc.  Where a block changes the shape, its shortcut is a 1 × 1 convolution with a norm. */
#include "train/archs/members.h"

static int
block (PjBuilder *b, const char *name, int x, int c_out, int stride, gboolean project)
{
  g_autofree char *first = g_strdup_printf ("%s.conv1", name), *second = g_strdup_printf ("%s.conv2", name);
  g_autofree char *shortcut = g_strdup_printf ("%s.shortcut", name);
  int y = pj_builder_conv (b, first, x, c_out, 3, stride, TRUE);
  y = pj_builder_conv (b, second, y, c_out, 3, 1, FALSE);
  if (project)
    x = pj_builder_conv (b, shortcut, x, c_out, 1, stride, FALSE);
  return pj_builder_add_relu (b, name, y, x);
}

PjGraph *
pj_arch_make_resnet_mini (const PjArch *self, const PjArchOptions *options, GError **error)
{
  static const int widths[] = { 16, 32, 64 };
  PjBuilder b;
  int y = pj_builder_init (&b, self, options);
  y = pj_builder_conv (&b, "stem", y, pj_builder_width (&b, widths[0]), 3, 1, TRUE);
  for (int stage = 0; stage < 3; stage++)
    for (int i = 0; i < 2; i++) {
      g_autofree char *name = g_strdup_printf ("stage%d.block%d", stage + 1, i + 1);
      gboolean changes = stage > 0 && i == 0;
      y = block (&b, name, y, pj_builder_width (&b, widths[stage]), changes ? 2 : 1, changes);
    }
  pj_builder_classifier (&b, y);
  return pj_builder_finish (&b, error);
}
