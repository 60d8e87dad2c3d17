/* SPDX-License-Identifier: MIT */
/* θ(n,c) = |(1/M) Σ_p z·∂L/∂z| per picture, averaged, divided by the layer's ℓ2 norm.  The sum
 * over positions is the gradient of the channel's gate. */
#include <math.h>

#include "prune/criteria/criteria.h"

static gboolean
score (const PjScoring *scoring, const PjStatistics *statistics, const PjGroup *group, double *out, GError **error)
{
  const PjSensitivity *s = pj_statistics_get_sensitivity (statistics, group->id);
  g_autofree double *parts = g_new0 (double, MAX (1, (gsize) s->n_gates * (gsize) group->n_channels));

  for (unsigned i = 0; i < s->n_gates; i++) {
    const double *theta = s->sum_abs + (size_t) i * group->n_channels;
    double norm = 0;
    for (int c = 0; c < group->n_channels; c++)
      norm += theta[c] * theta[c];
    /* A layer that is zero throughout has nothing to normalise. */
    for (int c = 0; norm > 0 && c < group->n_channels; c++)
      parts[(size_t) i * group->n_channels + c] = theta[c] / sqrt (norm);
  }
  pj_tied_combine (scoring->tied, PJ_TIED_MEAN, parts, s->n_gates, group->n_channels, FALSE, out);
  return TRUE;
}

const PjCriterion pj_criterion_taylor = {
  .name = "taylor", .title = "Taylor",
  .about = "Estimates from one backward pass how much the loss would change if a channel were set to zero. "
           "The estimate is taken for every picture and scaled to one length per layer.",
  .source = "Molchanov, Tyree, Karras, Aila, Kautz: Pruning Convolutional Neural Networks for Resource Efficient Inference, "
            "ICLR 2017",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS | PJ_NEEDS_GRADIENTS,
  .joins = TRUE, .comparable = TRUE, .score = score,
};
