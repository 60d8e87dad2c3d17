/* SPDX-License-Identifier: MIT */
/* VGG (Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015), and the form
 * with a global average pool of Luo, Wu, Lin: ThiNet, ICCV 2017.  3 × 3 throughout, a 2 × 2 pool after each stage. */
#include "train/archs/members.h"

const PjVggLayout pj_vgg11 = { { 1, 1, 2, 2, 2 }, FALSE, FALSE };
const PjVggLayout pj_vgg13 = { { 2, 2, 2, 2, 2 }, FALSE, FALSE };
const PjVggLayout pj_vgg16 = { { 2, 2, 3, 3, 3 }, FALSE, FALSE };
const PjVggLayout pj_vgg19 = { { 2, 2, 4, 4, 4 }, FALSE, FALSE };
const PjVggLayout pj_vgg11_bn = { { 1, 1, 2, 2, 2 }, TRUE, FALSE };
const PjVggLayout pj_vgg13_bn = { { 2, 2, 2, 2, 2 }, TRUE, FALSE };
const PjVggLayout pj_vgg16_bn = { { 2, 2, 3, 3, 3 }, TRUE, FALSE };
const PjVggLayout pj_vgg19_bn = { { 2, 2, 4, 4, 4 }, TRUE, FALSE };
const PjVggLayout pj_vgg16_gap = { { 2, 2, 3, 3, 3 }, FALSE, TRUE };
const PjVggLayout pj_vgg16_bn_gap = { { 2, 2, 3, 3, 3 }, TRUE, TRUE };

static int
stage (PjBuilder *b, const PjVggLayout *layout, int index, int y)
{
  static const int widths[] = { 64, 128, 256, 512, 512 };
  PjBuilderConv conv = { 3, 1, 1, 1, !layout->norm, PJ_BUILDER_RELU };
  g_autofree char *pool = g_strdup_printf ("pool%d", index + 1);

  for (int i = 0; i < layout->layers[index]; i++) {
    g_autofree char *name = g_strdup_printf ("conv%d_%d", index + 1, i + 1);
    y = pj_builder_layer (b, name, y, pj_builder_width (b, widths[index]), &conv);
  }
  return layout->pooled && index == 4 ? y : pj_builder_max_pool (b, pool, y, 2, 2, 0);
}

PjGraph *
pj_arch_make_vgg (const PjArch *self, const PjArchOptions *options, GError **error)
{
  const PjVggLayout *layout = self->layout;
  PjBuilder b;
  int y = pj_builder_init (&b, self, options);
  for (int i = 0; i < 5; i++)
    y = stage (&b, layout, i, y);
  if (layout->pooled) {
    pj_builder_classifier (&b, y);
    return pj_builder_finish (&b, error);
  }
  y = pj_builder_flatten (&b, "flatten", y);
  y = pj_builder_fc (&b, "fc6", y, pj_builder_width (&b, 4096), TRUE);
  y = pj_builder_fc (&b, "fc7", y, pj_builder_width (&b, 4096), TRUE);
  pj_builder_scores (&b, "fc8", y);
  return pj_builder_finish (&b, error);
}
