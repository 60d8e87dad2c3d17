/* SPDX-License-Identifier: MIT */
/* Building blocks of the networks that are made by name: layers with seeded initial weights, named the way
 * people read them ("conv1.weight").  Once a call fails, later ones do nothing and return -1, so that
 * a network reads as a list of its layers; pj_builder_finish() reports.  Private to this folder. */
#pragma once

#include "train/arch.h"

G_BEGIN_DECLS

typedef struct {
  PjGraph *graph;
  const PjArchOptions *options;
  GError *error;            /* the first that happened */
} PjBuilder;

/* Returns the picture input of the options' size. */
int pj_builder_init (PjBuilder *self, const PjArch *arch, const PjArchOptions *options);
/* @c channels times the width: max (1, ⌊c·width⌋). */
int pj_builder_width (const PjBuilder *self, int c);
/* Channels of a value. */
int pj_builder_channels (const PjBuilder *self, int value);

typedef enum { PJ_BUILDER_LINEAR, PJ_BUILDER_RELU, PJ_BUILDER_RELU6 } PjBuilderEnd;

/**
 * PjBuilderConv: a convolution and what follows it.
 * @pad: on every side; @groups: 0 is 1; as many as there are inputs makes it depthwise
 * @bias: instead of a norm
 * @end: a non-linearity at the end
 */
typedef struct {
  int kernel, stride, pad, groups;
  gboolean bias;
  PjBuilderEnd end;
} PjBuilderConv;

/* He initialisation for kernel² · inputs per group.  @name: "conv1" makes conv1, conv1.norm, conv1.relu. */
int pj_builder_layer (PjBuilder *self, const char *name, int x, int c_out, const PjBuilderConv *conv);
/* The usual one: norm, padded to keep the size at stride 1, ReLU if @relu. */
int pj_builder_conv (PjBuilder *self, const char *name, int x, int c_out, int kernel, int stride, gboolean relu);
/* @pad on every side, of −∞. */
int pj_builder_max_pool (PjBuilder *self, const char *name, int x, int kernel, int stride, int pad);
/* Local response normalisation over @size channels, α = 1e-4, β = 0.75, k = 1. */
int pj_builder_lrn (PjBuilder *self, const char *name, int x, int size);
int pj_builder_add (PjBuilder *self, const char *name, int a, int b);
int pj_builder_add_relu (PjBuilder *self, const char *name, int a, int b);
/* Every @stride-th pixel of @x, and zeros for the channels that are missing to @c_out, half of them in front: the
 * shortcut without parameters of residual networks for small pictures. */
int pj_builder_zero_shortcut (PjBuilder *self, const char *name, int x, int c_out, int stride);
int pj_builder_flatten (PjBuilder *self, const char *name, int x);
/* A fully connected layer of N × C with bias. */
int pj_builder_fc (PjBuilder *self, const char *name, int x, int n_out, gboolean relu);
/* The fully connected layer @name makes the class scores: the output. */
void pj_builder_scores (PjBuilder *self, const char *name, int x);
/* Global average pool, flatten, fc with bias, and the output. */
void pj_builder_classifier (PjBuilder *self, int x);
/* (transfer full) or NULL with @error. */
PjGraph *pj_builder_finish (PjBuilder *self, GError **error);

G_END_DECLS
