/* SPDX-License-Identifier: MIT */
/* The families behind the registry, and the tables that tell their variants apart.  Private to this folder. */
#pragma once

#include "train/archs/builder.h"

PjGraph *pj_arch_make_vgg_mini (const PjArch *self, const PjArchOptions *options, GError **error);
PjGraph *pj_arch_make_resnet_mini (const PjArch *self, const PjArchOptions *options, GError **error);

/* @layers: convolutions of each of the five stages; @norm: batch norms instead of biases; @pooled: global average pool
 * and one fully connected layer instead of the last pool and three. */
typedef struct {
  int layers[5];
  gboolean norm, pooled;
} PjVggLayout;

extern const PjVggLayout pj_vgg11, pj_vgg13, pj_vgg16, pj_vgg19, pj_vgg11_bn, pj_vgg13_bn, pj_vgg16_bn, pj_vgg19_bn,
  pj_vgg16_gap, pj_vgg16_bn_gap;
PjGraph *pj_arch_make_vgg (const PjArch *self, const PjArchOptions *options, GError **error);

/* @blocks: of each of the four stages; @bottleneck: 1×1, 3×3, 1×1 with four times the outputs, else 3×3, 3×3;
 * @stride_first: the first 1×1 of a block takes the stride, as in the first publication, else the 3×3. */
typedef struct {
  int blocks[4];
  gboolean bottleneck, stride_first;
} PjResnetLayout;

extern const PjResnetLayout pj_resnet18, pj_resnet34, pj_resnet50, pj_resnet101, pj_resnet152, pj_resnet50_caffe,
  pj_resnet101_caffe;
PjGraph *pj_arch_make_resnet (const PjArch *self, const PjArchOptions *options, GError **error);

/* For small pictures: three stages of @blocks blocks. @project: 1×1 convolutions where a block changes the shape
 * (“option B”), else pixels are left out and channels of zeros added (“option A”). */
typedef struct {
  int blocks;
  gboolean project;
} PjResnetSmallLayout;

extern const PjResnetSmallLayout pj_resnet20, pj_resnet32, pj_resnet44, pj_resnet56, pj_resnet110, pj_resnet20_b, pj_resnet32_b,
  pj_resnet44_b, pj_resnet56_b, pj_resnet110_b;
PjGraph *pj_arch_make_resnet_small (const PjArch *self, const PjArchOptions *options, GError **error);

PjGraph *pj_arch_make_mobilenet_v1 (const PjArch *self, const PjArchOptions *options, GError **error);
PjGraph *pj_arch_make_mobilenet_v2 (const PjArch *self, const PjArchOptions *options, GError **error);

PjGraph *pj_arch_make_alexnet (const PjArch *self, const PjArchOptions *options, GError **error);
PjGraph *pj_arch_make_caffenet (const PjArch *self, const PjArchOptions *options, GError **error);
