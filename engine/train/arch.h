/* SPDX-License-Identifier: MIT */
/* Networks that can be made by name, with seeded initial weights.
 *
 * A number behind a name multiplies every width: "resnet50-0.5" is half as wide everywhere.  Rows that share a file
 * are variants of one design and differ in their layout, a table that only that file reads. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/**
 * PjArchOptions:
 * @c, @h, @w: channels, height and width of the pictures
 * @n_classes: outputs
 * @width: multiplies every width, more than 0 and at most 4; 1 as published
 * @seed: of the initial weights
 * @outline: parameters have shapes and no data: only shapes, groups and costs may be asked of the network
 */
typedef struct {
  int c, h, w;
  unsigned n_classes;
  double width;
  uint64_t seed;
  gboolean outline;
} PjArchOptions;

/**
 * PjArch:
 * @name: "vgg-mini"; @title: what a person reads; @about: one sentence
 * @c, @size, @n_classes: pictures and classes that it was published for
 * @least: smallest side of a picture that it can take
 * @make: builds it; @options were checked
 * @layout: (nullable): for @make
 */
typedef struct _PjArch PjArch;
struct _PjArch {
  const char *name, *title, *about;
  int c, size;
  unsigned n_classes;
  int least;
  PjGraph *(*make) (const PjArch *self, const PjArchOptions *options, GError **error);
  gconstpointer layout;
};

/* NULL-terminated rows: the registry. */
extern const PjArch pj_archs[];
/* The row of a name, without a width behind it; NULL if there is none. */
const PjArch *pj_arch_find (const char *name);
/* The row of a name, perhaps with a width: "mobilenetv2-0.5" fills @width with 0.5, a plain name with 1. */
const PjArch *pj_arch_parse (const char *name, double *width);

/* A width that was multiplied, as the MobileNets round it: to the nearest multiple of 8, at least 8, and never below nine
 * tenths of what was asked for. */
int pj_arch_divisible (double width);

/* What @arch was published for, width 1, seed 1. */
void pj_arch_options_init (PjArchOptions *self, const PjArch *arch);

/* Makes a network that is called like the row, with its width. PJ_ERROR_INVALID for pictures, classes and widths that
 * are not possible, PJ_ERROR_NO_MEMORY. (transfer full) */
PjGraph *pj_arch_build (const PjArch *self, const PjArchOptions *options, GError **error);

G_END_DECLS
