/* SPDX-License-Identifier: MIT */
/* Building blocks of the networks that are made by name: layers with seeded initial weights, named the way
 * people read them ("conv1.weight").  Once a call fails, later ones do nothing and return -1, so that
 * a network reads as a list of its layers; pj_builder_finish() reports.  Private to this folder. */
#pragma once

#include "train/arch.h"

G_BEGIN_DECLS

typedef struct {
  PjGraph *graph;
  uint64_t seed;
  GError *error;            /* the first that happened */
} PjBuilder;

/* Returns the picture input of c × h × w. */
int pj_builder_init (PjBuilder *self, const char *name, int c, int h, int w, uint64_t seed);
/* conv without bias (He initialisation for @kernel² · channels in, padded to keep the size at stride 1),
 * norm, and ReLU if @relu.  @name: "conv1" makes conv1, conv1.norm, conv1.relu. */
int pj_builder_conv (PjBuilder *self, const char *name, int x, int c_out, int kernel, int stride, gboolean relu);
int pj_builder_max_pool (PjBuilder *self, const char *name, int x);      /* 2 × 2, stride 2 */
int pj_builder_add_relu (PjBuilder *self, const char *name, int a, int b);
/* Global average pool, flatten, fc with bias, and the output. */
void pj_builder_classifier (PjBuilder *self, int x, unsigned n_classes);
/* (transfer full) or NULL with @error. */
PjGraph *pj_builder_finish (PjBuilder *self, GError **error);

/* The sizes that every architecture can take: 1 or 3 channels, sides of @least to 4096, 2 to 65536 classes. */
gboolean pj_arch_check (const char *name, int c, int h, int w, unsigned n_classes, int least, GError **error);

G_END_DECLS
