/* SPDX-License-Identifier: MIT */
/* Networks with matching pictures on an open device, for the tests of this folder. */
#pragma once

#include "fixture.h"
#include "net.h"
#include "prune/method.h"

G_BEGIN_DECLS

/**
 * Lab:
 * @scoring: of all that follows, hooks unset
 * @cancel_after: polls that are answered “go on” before the first “cancel”; hooks use it when set
 */
typedef struct {
  PjDevice *device;
  PjGraph *graph;
  PjGroups *groups;
  PjDataset *dataset;
  PjFormat format;
  PjScoring scoring;
  PjHooks hooks;
  int cancel_after;
} Lab;

void lab_clear (Lab *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lab, lab_clear)

/* The specification's toy network on its four pictures.  Pictures have one or three channels, so a third input channel
 * is added that nothing looks at; groups are called as in the fixture, the residual stream "stream". */
void lab_init_toy (Lab *self, JsonObject *fixture);

/* conv "a" (6) - pool - conv "b" (8) - conv "c" (4, linear if @linear) - global pool - fc on 1 x 8 x 8 noise.
 * @n training pictures in an order that @seed shuffles; the same pictures for every seed. */
void lab_init_chain (Lab *self, unsigned n, gboolean linear, uint64_t seed);

/* A stem "stem" (4), two residual blocks of inner widths "x" (5) and "y" (5) on one stream, fc. 1 x 8 x 8 noise. */
void lab_init_residual (Lab *self, unsigned n);

/* Another network for the same pictures. @graph: (transfer full) */
void lab_swap_graph (Lab *self, PjGraph *graph);

/* Hooks that cancel at the poll after @after others. */
void lab_cancel_after (Lab *self, int after);

/* The criterion of that name; its scores; those of one group. */
const PjCriterion *lab_criterion (const char *name);
PjScores *lab_score (const Lab *self, const char *name);
const PjGroupScores *lab_scores_of (const Lab *self, const PjScores *scores, const char *group);

/* A network whose group "a" has four channels of 2 x 2, like the activations of some fixtures. (transfer full) */
PjGraph *lab_four_channels (void);

void assert_near (double value, double expected, double tolerance, const char *what);

/* keep ratios: @ratio for the groups in @names (space-separated), 1 for the others. (transfer full) */
double *lab_ratios (const Lab *self, const char *names, double ratio);

G_END_DECLS
