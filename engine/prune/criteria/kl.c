/* SPDX-License-Identifier: MIT */
/* s = D_KL (p ‖ q), p the output of the network, q that with one channel masked, averaged over pictures
 * (spec/algorithms.md 17.2).  Scores of all groups are on one scale: that is what a global budget needs.
 *
 * Only what lies behind a group is run again, see suffix.h.  The reference comes from the same calls with all gates
 * open, so a channel that nobody looks at scores exactly 0. */
#include <string.h>

#include "base/alloc.h"
#include "prune/calibration.h"
#include "prune/criteria/criteria.h"
#include "prune/divergence.h"
#include "prune/suffix.h"

#define BATCH 64

typedef struct {
  const PjScoring *scoring;
  PjCalibration *pictures;
  PjParams *params;
  PjDivergence direction;
  float *reference, *changed;     /* batch x classes */
  unsigned n_channels, n_done;    /* of all groups, for progress */
} Scorer;

/* One batch: adds @batch->n times the divergence of each channel to @out. */
static gboolean
add_batch (Scorer *self, PjSuffix *suffix, const PjBatch *batch, int n_channels, double *out, GError **error)
{
  unsigned classes = pj_graph_n_classes (self->scoring->graph);
  g_autofree guint8 *keep = g_malloc (n_channels);

  memset (keep, 1, (size_t) n_channels);
  if (!pj_suffix_start (suffix, batch->images, error) || !pj_suffix_run (suffix, NULL, self->reference, error))
    return FALSE;
  for (int c = 0; c < n_channels; c++) {
    if (!pj_hooks_go_on (self->scoring->hooks, error))
      return FALSE;
    keep[c] = 0;
    if (!pj_suffix_run (suffix, keep, self->changed, error))
      return FALSE;
    keep[c] = 1;
    out[c] += batch->n * pj_kl_divergence (self->reference, self->changed, batch->n, classes, self->direction);
  }
  return TRUE;
}

static gboolean
score_group (Scorer *self, const PjGroup *group, double *out, GError **error)
{
  g_autoptr (PjSuffix) suffix = pj_suffix_new (self->scoring->graph, self->params, group, self->pictures->batch, error);
  const PjBatch *batch;
  GError *reason = NULL;
  PjHooksSpan span;
  unsigned n = 0;

  if (suffix == NULL)
    return FALSE;
  pj_hooks_span_init (&span, self->scoring->hooks, (double) self->n_done / self->n_channels,
                      (double) (self->n_done + (unsigned) group->n_channels) / self->n_channels, NULL);
  pj_calibration_rewind (self->pictures);
  while ((batch = pj_calibration_next (self->pictures, &span.hooks, group->name, n, &reason)) != NULL) {
    if (!add_batch (self, suffix, batch, group->n_channels, out, error))
      return FALSE;
    n += batch->n;
  }
  if (reason != NULL) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  for (int c = 0; c < group->n_channels; c++)
    out[c] /= MAX (n, 1);
  self->n_done += (unsigned) group->n_channels;
  return TRUE;
}

static gboolean
score_groups (Scorer *self, PjScores *scores, GError **error)
{
  for (unsigned i = 0; i < scores->n_groups; i++)
    self->n_channels += scores->groups[i].score != NULL ? (unsigned) scores->groups[i].n_channels : 0;
  for (unsigned i = 0; i < scores->n_groups; i++) {
    PjGroupScores *entry = &scores->groups[i];
    if (entry->score != NULL
        && !score_group (self, pj_groups_get (self->scoring->groups, (unsigned) entry->group), entry->score, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
score_by (const PjScoring *scoring, PjScores *scores, PjDivergence direction, GError **error)
{
  g_autoptr (PjCalibration) pictures = pj_calibration_new (scoring, PJ_DEFAULT_KL_IMAGES, BATCH, error);
  if (pictures == NULL)
    return FALSE;
  g_autoptr (PjParams) params = pj_params_new (scoring->device, scoring->graph, FALSE, error);
  if (params == NULL)
    return FALSE;
  size_t size = (size_t) pictures->batch * pj_graph_n_classes (scoring->graph) * sizeof (float);
  Scorer self = { .scoring = scoring, .pictures = pictures, .params = params, .direction = direction };
  self.reference = pj_alloc (size, "class scores of one batch", error);
  self.changed = self.reference != NULL ? pj_alloc (size, "class scores of one batch", error) : NULL;
  gboolean ok = self.changed != NULL && score_groups (&self, scores, error);
  scores->n_images = pictures->n_images;
  pj_free (self.reference);
  pj_free (self.changed);
  return ok;
}

static gboolean
score_forward (const PjScoring *scoring, PjScores *scores, GError **error)
{
  return score_by (scoring, scores, PJ_DIVERGENCE_FORWARD, error);
}

static gboolean
score_reverse (const PjScoring *scoring, PjScores *scores, GError **error)
{
  return score_by (scoring, scores, PJ_DIVERGENCE_REVERSE, error);
}

#define SOURCE "Luo, Wu: Neural Network Pruning with Residual-Connections and Limited-Data, CVPR 2020"

const PjCriterion pj_criterion_kl = {
  .name = "kl", .title = "KL divergence",
  .about = "Measures how far the network's answers move when a channel is set to zero, one channel at a time. "
           "Channels of all layers share one scale; it takes longer than the other criteria, and no labels are needed.",
  .source = SOURCE,
  .needs = PJ_NEEDS_IMAGES,
  .comparable = TRUE, .score_all = score_forward,
};

const PjCriterion pj_criterion_kl_reverse = {
  .name = "kl-reverse", .title = "KL divergence, reversed",
  .about = "The same measurement in the direction that the authors' program takes: from the changed answers to the original "
           "ones. It judges more mildly what makes the network less sure.",
  .source = SOURCE,
  .needs = PJ_NEEDS_IMAGES,
  .comparable = TRUE, .score_all = score_reverse,
};
