/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "train/archs/members.h"

#define MAX_SIDE 4096
#define MAX_WIDTH 4.0

const PjArch pj_archs[] = {
  { "vgg-mini", "VGG mini",
    "Six convolutions in a chain, 32 to 128 channels wide; the smallest that shows everything.",
    1, 28, 10, 4, pj_arch_make_vgg_mini, NULL },
  { "resnet-mini", "ResNet mini",
    "Three stages of two residual blocks, 16 to 64 channels wide; channels of a stage are tied.",
    1, 28, 10, 4, pj_arch_make_resnet_mini, NULL },
  { "resnet20", "ResNet-20",
    "20 layers for small pictures; shortcuts without parameters (option A).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet20 },
  { "resnet32", "ResNet-32",
    "32 layers for small pictures; shortcuts without parameters (option A).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet32 },
  { "resnet44", "ResNet-44",
    "44 layers for small pictures; shortcuts without parameters (option A).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet44 },
  { "resnet56", "ResNet-56",
    "56 layers for small pictures; shortcuts without parameters (option A).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet56 },
  { "resnet110", "ResNet-110",
    "110 layers for small pictures; shortcuts without parameters (option A).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet110 },
  { "resnet20-b", "ResNet-20 B",
    "20 layers for small pictures; shortcuts by 1×1 convolutions (option B).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet20_b },
  { "resnet32-b", "ResNet-32 B",
    "32 layers for small pictures; shortcuts by 1×1 convolutions (option B).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet32_b },
  { "resnet44-b", "ResNet-44 B",
    "44 layers for small pictures; shortcuts by 1×1 convolutions (option B).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet44_b },
  { "resnet56-b", "ResNet-56 B",
    "56 layers for small pictures; shortcuts by 1×1 convolutions (option B).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet56_b },
  { "resnet110-b", "ResNet-110 B",
    "110 layers for small pictures; shortcuts by 1×1 convolutions (option B).",
    3, 32, 10, 4, pj_arch_make_resnet_small, &pj_resnet110_b },
  { "resnet18", "ResNet-18",
    "18 layers in basic blocks, 64 to 512 channels wide.",
    3, 224, 1000, 8, pj_arch_make_resnet, &pj_resnet18 },
  { "resnet34", "ResNet-34",
    "34 layers in basic blocks, 64 to 512 channels wide.",
    3, 224, 1000, 8, pj_arch_make_resnet, &pj_resnet34 },
  { "resnet50", "ResNet-50",
    "50 layers in bottlenecks that take their stride in the 3×3, as torchvision has it.",
    3, 224, 1000, 8, pj_arch_make_resnet, &pj_resnet50 },
  { "resnet101", "ResNet-101",
    "101 layers in bottlenecks that take their stride in the 3×3, as torchvision has it.",
    3, 224, 1000, 8, pj_arch_make_resnet, &pj_resnet101 },
  { "resnet152", "ResNet-152",
    "152 layers in bottlenecks that take their stride in the 3×3, as torchvision has it.",
    3, 224, 1000, 8, pj_arch_make_resnet, &pj_resnet152 },
  { "resnet50-caffe", "ResNet-50 (Caffe)",
    "50 layers in bottlenecks that take their stride in the first 1×1, as first published.",
    3, 224, 1000, 8, pj_arch_make_resnet, &pj_resnet50_caffe },
  { "resnet101-caffe", "ResNet-101 (Caffe)",
    "101 layers in bottlenecks that take their stride in the first 1×1, as first published.",
    3, 224, 1000, 8, pj_arch_make_resnet, &pj_resnet101_caffe },
  { "vgg11", "VGG-11",
    "11 layers in a chain without norms, the last three fully connected.",
    3, 224, 1000, 32, pj_arch_make_vgg, &pj_vgg11 },
  { "vgg13", "VGG-13",
    "13 layers in a chain without norms, the last three fully connected.",
    3, 224, 1000, 32, pj_arch_make_vgg, &pj_vgg13 },
  { "vgg16", "VGG-16",
    "16 layers in a chain without norms, the last three fully connected.",
    3, 224, 1000, 32, pj_arch_make_vgg, &pj_vgg16 },
  { "vgg19", "VGG-19",
    "19 layers in a chain without norms, the last three fully connected.",
    3, 224, 1000, 32, pj_arch_make_vgg, &pj_vgg19 },
  { "vgg11-bn", "VGG-11 with norms",
    "VGG-11 with a batch norm after each convolution.",
    3, 224, 1000, 32, pj_arch_make_vgg, &pj_vgg11_bn },
  { "vgg13-bn", "VGG-13 with norms",
    "VGG-13 with a batch norm after each convolution.",
    3, 224, 1000, 32, pj_arch_make_vgg, &pj_vgg13_bn },
  { "vgg16-bn", "VGG-16 with norms",
    "VGG-16 with a batch norm after each convolution.",
    3, 224, 1000, 32, pj_arch_make_vgg, &pj_vgg16_bn },
  { "vgg19-bn", "VGG-19 with norms",
    "VGG-19 with a batch norm after each convolution.",
    3, 224, 1000, 32, pj_arch_make_vgg, &pj_vgg19_bn },
  { "vgg16-gap", "VGG-16 GAP",
    "VGG-16 with a global average pool in place of its last pool and three large layers.",
    3, 224, 1000, 16, pj_arch_make_vgg, &pj_vgg16_gap },
  { "vgg16-bn-gap", "VGG-16 GAP with norms",
    "The same with a batch norm after each convolution.",
    3, 224, 1000, 16, pj_arch_make_vgg, &pj_vgg16_bn_gap },
  { "mobilenetv1", "MobileNet",
    "Pairs of depthwise 3×3 and 1×1 convolutions, 32 to 1024 channels wide.",
    3, 224, 1000, 8, pj_arch_make_mobilenet_v1, NULL },
  { "mobilenetv2", "MobileNetV2",
    "Inverted residuals: narrow streams, six times wider inside.",
    3, 224, 1000, 8, pj_arch_make_mobilenet_v2, NULL },
  { "alexnet", "AlexNet",
    "Five convolutions and three fully connected layers, in one column.",
    3, 224, 1000, 64, pj_arch_make_alexnet, NULL },
  { "caffenet", "CaffeNet",
    "AlexNet with two groups in its convolutions, as the Caffe reference model.",
    3, 227, 1000, 67, pj_arch_make_caffenet, NULL },
  { NULL, NULL, NULL, 0, 0, 0, 0, NULL, NULL },
};

const PjArch *
pj_arch_find (const char *name)
{
  for (const PjArch *arch = pj_archs; arch->name != NULL; arch++)
    if (strcmp (arch->name, name) == 0)
      return arch;
  return NULL;
}

const PjArch *
pj_arch_parse (const char *name, double *width)
{
  const PjArch *arch = pj_arch_find (name);
  const char *dash = strrchr (name, '-');
  char *end;

  *width = 1.0;
  if (arch != NULL || dash == NULL || !g_ascii_isdigit (dash[1]))
    return arch;
  *width = g_ascii_strtod (dash + 1, &end);
  g_autofree char *plain = g_strndup (name, (gsize) (dash - name));
  return *end == '\0' ? pj_arch_find (plain) : NULL;
}

void
pj_arch_options_init (PjArchOptions *self, const PjArch *arch)
{
  *self = (PjArchOptions) {
    .c = arch->c, .h = arch->size, .w = arch->size, .n_classes = arch->n_classes, .width = 1.0, .seed = 1,
  };
}

PjGraph *
pj_arch_build (const PjArch *self, const PjArchOptions *o, GError **error)
{
  if (!(o->width > 0) || o->width > MAX_WIDTH) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "%s cannot be made %g times as wide; use more than 0 and at most %g",
                 self->name, o->width, MAX_WIDTH);
    return NULL;
  }
  if ((o->c != 1 && o->c != 3) || MIN (o->h, o->w) < self->least || MAX (o->h, o->w) > MAX_SIDE || o->n_classes < 2
      || o->n_classes > 65536) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                 "%s cannot be made for %d channels, %d×%d pixels and %u classes; it takes 1 or 3 channels, sides of %d to %d and "
                 "2 to 65536 classes", self->name, o->c, o->w, o->h, o->n_classes, self->least, MAX_SIDE);
    return NULL;
  }
  return self->make (self, o, error);
}
