/* SPDX-License-Identifier: MIT */
/* Uniform numbers keyed by (seed, group, channel): the same choice on every machine. */
#include "base/rng.h"
#include "prune/criteria/criteria.h"

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  PjRng rng;

  pj_rng_init (&rng, scoring->seed, PJ_STREAM (PJ_STREAM_CRITERION, group->id, 0));
  for (int c = 0; c < group->n_channels; c++)
    out[c] = pj_rng_uniform (&rng);
  return TRUE;
}

const PjCriterion pj_criterion_random = {
  .name = "random", .title = "Random",
  .about = "Keeps channels by lot, as the baseline that every other criterion has to beat. "
           "One draw is no baseline: compare at least three seeds.",
  .source = "baseline",
  .comparable = TRUE, .drawn = TRUE, .score = score,
};
