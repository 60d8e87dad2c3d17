/* SPDX-License-Identifier: MIT */
/* s = D_KL (p ‖ q), p the output of the network, q that with one channel masked, averaged over
 * pictures.  Scores of all groups are on one scale: that is what a global budget needs.
 *
 * Only what lies behind a group is run again, see suffix.h.  The reference comes from the same calls with all gates
 * open, so a channel that nobody looks at scores exactly 0. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "prune/scores/calibration.h"
#include "prune/criteria/criteria.h"
#include "prune/scores/divergence.h"
#include "prune/scores/suffix.h"

#define BATCH 64

#define MAGIC 0x4c4b4a50u

/* Where the work stands: group @group of the scores, @n of its pictures. */
typedef struct { uint32_t magic, direction, n_channels, n_images, group, n; } Header;

typedef struct {
  const PjScoring *scoring;
  PjCalibration *pictures;
  PjParams *params;
  PjScores *scores;
  Header at;
  float *reference, *changed;     /* batch x classes */
  unsigned n_channels, n_done;    /* of all groups, for progress */
  const double *sums;             /* of the group at work, as they were at the last whole batch */
  PjKeeper keeper;
} Scorer;

/* --- checkpoints --- */

/* The sums of the group at work and the scores before it. */
static GBytes *
state_cb (gconstpointer data, uint64_t *step, GError **error)
{
  const Scorer *self = data;
  GByteArray *bytes = g_byte_array_new ();

  g_byte_array_append (bytes, (const guint8 *) &self->at, sizeof self->at);
  for (unsigned i = 0; i <= self->at.group; i++) {
    const PjGroupScores *entry = &self->scores->groups[i];
    const double *numbers = i == self->at.group ? self->sums : entry->score;
    if (entry->score != NULL)
      g_byte_array_append (bytes, (const guint8 *) numbers, (guint) ((gsize) entry->n_channels * sizeof (double)));
  }
  *step = self->n_done;
  return g_byte_array_free_to_bytes (bytes);
}

static gboolean
restore (Scorer *self, GBytes *state, GError **error)
{
  gsize size, at = sizeof (Header);
  const guint8 *data = g_bytes_get_data (state, &size);
  Header header = { 0 };

  if (size >= sizeof header)
    memcpy (&header, data, sizeof header);
  gboolean fits = header.magic == MAGIC && header.direction == self->at.direction && header.n_channels == self->at.n_channels
                  && header.n_images == self->at.n_images && header.group < self->scores->n_groups && header.n <= header.n_images;
  for (unsigned i = 0; fits && i <= header.group; i++) {
    PjGroupScores *entry = &self->scores->groups[i];
    gsize length = entry->score != NULL ? (gsize) entry->n_channels * sizeof (double) : 0;
    fits = at + length <= size;
    if (fits && length > 0)
      memcpy (entry->score, data + at, length);
    at += length;
  }
  if (!fits || at != size) {
    g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID,
                         "the checkpoint does not belong to a run with these settings; start it again");
    return FALSE;
  }
  self->at = header;
  return TRUE;
}

/* --- the work --- */

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
    out[c] += batch->n * pj_kl_divergence (self->reference, self->changed, batch->n, classes, (PjDivergence) self->at.direction);
  }
  return TRUE;
}

/* The pictures of one group that are not done yet. @sums: as they are, and at the last whole batch. */
static gboolean
add_pictures (Scorer *self, const PjGroup *group, PjSuffix *suffix, double *out, double *sums, GError **error)
{
  size_t size = (size_t) group->n_channels * sizeof (double);
  const PjBatch *batch;
  GError *reason = NULL;
  PjHooksSpan span;
  unsigned n = 0;

  pj_hooks_span_init (&span, self->scoring->hooks, (double) self->n_done / self->n_channels,
                      (double) (self->n_done + (unsigned) group->n_channels) / self->n_channels, NULL);
  pj_calibration_rewind (self->pictures);
  while ((batch = pj_calibration_next (self->pictures, &span.hooks, group->name, n, &reason)) != NULL) {
    n += batch->n;
    if (n <= self->at.n)
      continue;
    if (!add_batch (self, suffix, batch, group->n_channels, out, error))
      return FALSE;
    memcpy (sums, out, size);
    self->at.n = n;
    if (!pj_keeper_keep (&self->keeper, error))
      return FALSE;
  }
  if (reason != NULL)
    g_propagate_error (error, reason);
  return reason == NULL;
}

static gboolean
score_group (Scorer *self, const PjGroup *group, double *out, GError **error)
{
  g_autoptr (PjSuffix) suffix = pj_suffix_new (self->scoring->graph, self->params, group, PJ_SUFFIX_ONE_CHANNEL,
                                               self->pictures->batch, error);
  g_autofree double *sums = g_memdup2 (out, (gsize) group->n_channels * sizeof (double));
  GError *reason = NULL;

  if (suffix == NULL)
    return FALSE;
  self->sums = sums;
  if (!add_pictures (self, group, suffix, out, sums, &reason)) {
    pj_keeper_stopped (&self->keeper, &reason);
    g_propagate_error (error, reason);
    return FALSE;
  }
  for (int c = 0; c < group->n_channels; c++)
    out[c] /= MAX (self->at.n, 1);
  return TRUE;
}

static gboolean
score_groups (Scorer *self, GError **error)
{
  for (unsigned i = 0; i < self->scores->n_groups; i++) {
    const PjGroupScores *entry = &self->scores->groups[i];
    if (entry->score != NULL && i >= self->at.group) {
      self->at.group = i;
      if (!score_group (self, pj_groups_get (self->scoring->groups, (unsigned) entry->group), entry->score, error))
        return FALSE;
      self->at.n = 0;
    }
    self->n_done += entry->score != NULL ? (unsigned) entry->n_channels : 0;
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
  Scorer self = { .scoring = scoring, .pictures = pictures, .params = params, .scores = scores };
  for (unsigned i = 0; i < scores->n_groups; i++)
    self.n_channels += scores->groups[i].score != NULL ? (unsigned) scores->groups[i].n_channels : 0;
  self.at = (Header) { MAGIC, direction, self.n_channels, pictures->n_images, 0, 0 };
  self.keeper = (PjKeeper) { scoring->life, state_cb, &self, 0 };
  pj_keeper_start (&self.keeper);
  self.reference = pj_alloc (size, "class scores of one batch", error);
  self.changed = self.reference != NULL ? pj_alloc (size, "class scores of one batch", error) : NULL;
  gboolean ok = self.changed != NULL
                && (scoring->life == NULL || scoring->life->resume == NULL || restore (&self, scoring->life->resume, error))
                && score_groups (&self, error);
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
  .comparable = TRUE, .slow = TRUE, .score_all = score_forward,
};

const PjCriterion pj_criterion_kl_reverse = {
  .name = "kl-reverse", .title = "KL divergence, reversed",
  .about = "The same measurement in the direction that the authors' program takes: from the changed answers to the original "
           "ones. It judges more mildly what makes the network less sure.",
  .source = SOURCE,
  .needs = PJ_NEEDS_IMAGES,
  .comparable = TRUE, .slow = TRUE, .score_all = score_reverse,
};
