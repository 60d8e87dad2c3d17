/* SPDX-License-Identifier: MIT */
/* A comparison at work.  compare.c says which rows there are, compare-measure.c makes them. */
#pragma once

#include "prune/compare/compare.h"

G_BEGIN_DECLS

typedef struct {
  const PjScoring *scoring;
  const PjCompareOptions *options;
  PjComparison *result;
  GPtrArray *methods;         /* PjMethod, in the order asked for */
  gboolean *cuts;             /* by group id: cut by all methods */
  PjStatistics *statistics;   /* of the present seed, shared by the criteria; NULL until one needs it */
  PjEvaluator *evaluator;     /* for judging one layer at a time; NULL until a row needs it */
  float *reference, *logits;  /* its class scores: of the whole network and of a masked one */
  uint64_t first_seed;
  unsigned n_rows, n_done;
} PjComparing;

static inline gboolean
pj_compare_tunes (const PjCompareOptions *options)
{
  return options->tune.epochs > 0 || options->tune.max_steps > 0;
}

/* Of a set of PjCompareStart. */
static inline unsigned
pj_compare_count_starts (unsigned starts)
{
  return (starts & 1) + (starts >> 1 & 1);
}

/* On the test pictures, whose number goes into the result. @answers: (out) (optional): replaced. */
gboolean pj_comparing_evaluate (const PjComparing *self, PjGraph *graph, const PjHooks *hooks, double *top1,
                                double *images_per_second, uint16_t **answers, GError **error);

/* Adds one row for each of @starts, from one choice; a method that cannot be used gives one with a refusal. */
gboolean pj_comparing_make_rows (PjComparing *self, const PjMethod *method, double ratio, uint64_t seed, unsigned starts,
                                 PjCompareFunc func, gpointer data, const PjHooks *hooks, GError **error);

G_END_DECLS
