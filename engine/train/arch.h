/* SPDX-License-Identifier: MIT */
/* Networks that can be made by name, with seeded initial weights. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/* @name: "vgg-mini"; @title: what a person reads; @about: one sentence */
typedef struct {
  const char *name, *title, *about;
  PjGraph *(*build) (int c, int h, int w, unsigned n_classes, uint64_t seed, GError **error);
} PjArch;

/* NULL-terminated rows: the registry. */
extern const PjArch pj_archs[];
const PjArch *pj_arch_find (const char *name);

G_END_DECLS
