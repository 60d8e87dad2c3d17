/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "train/archs/members.h"

const PjArch pj_archs[] = {
  { "vgg-mini", "VGG mini", "Six convolutions in a chain, 32 to 128 channels wide; the smallest that shows everything.",
    pj_arch_vgg_mini },
  { "resnet-mini", "ResNet mini", "Three stages of two residual blocks, 16 to 64 channels wide; channels of a stage are tied.",
    pj_arch_resnet_mini },
  { NULL, NULL, NULL, NULL },
};

const PjArch *
pj_arch_find (const char *name)
{
  for (const PjArch *arch = pj_archs; arch->name != NULL; arch++)
    if (strcmp (arch->name, name) == 0)
      return arch;
  return NULL;
}
