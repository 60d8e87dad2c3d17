/* SPDX-License-Identifier: MIT */
/* The builders behind the registry.  Private to this folder. */
#pragma once

#include "train/archs/builder.h"

PjGraph *pj_arch_vgg_mini (int c, int h, int w, unsigned n_classes, uint64_t seed, GError **error);
PjGraph *pj_arch_resnet_mini (int c, int h, int w, unsigned n_classes, uint64_t seed, GError **error);
