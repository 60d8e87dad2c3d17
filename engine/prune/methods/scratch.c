/* SPDX-License-Identifier: MIT */
/* Training from scratch as a control: the shape of a pruned network with initial weights.
 * Which channels stay cannot matter then; what matters is how many, and how long the result is trained. */
#include "prune/methods/methods.h"

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  const PjMethod *even = pj_method_find ("uniform-thin");
  return even->choose (even, scoring, settings, scores, error);
}

#define SOURCE "Liu, Sun, Zhou, Huang, Darrell: Rethinking the Value of Network Pruning, ICLR 2019"

const PjMethod pj_method_scratch_e = {
  .name = "scratch-e", .title = "From scratch, same epochs",
  .about = "The control that keeps the shape only: all weights start anew. "
           "It is trained for as many epochs as the others are fine-tuned.",
  .source = SOURCE,
  .needs = PJ_NEEDS_NOTHING, .gives_scores = TRUE, .fresh = PJ_FRESH_EPOCHS, .choose = choose,
};

const PjMethod pj_method_scratch_b = {
  .name = "scratch-b", .title = "From scratch, same computing",
  .about = "The same shape and the same start, trained longer by as much as its epochs are cheaper. "
           "It never takes more than twice the epochs.",
  .source = SOURCE,
  .needs = PJ_NEEDS_NOTHING, .gives_scores = TRUE, .fresh = PJ_FRESH_BUDGET, .choose = choose,
};
