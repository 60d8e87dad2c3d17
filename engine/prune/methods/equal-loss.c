/* SPDX-License-Identifier: MIT */
/* Widths by sensitivity: each group is masked to several widths, and all groups are cut to where they lose alike. */
#include <string.h>

#include "base/error.h"
#include "prune/search/equal-loss.h"
#include "prune/scores/kl-cost.h"
#include "prune/methods/methods.h"

#define IMAGES 512
#define MAGIC 0x514c4a50u

static const double ratios[] = { 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1 };

static const char *const criteria[] = { "weight-sum", "bn-scale", "apoz", "taylor", "taylor-fo-bn", "kl", NULL };
static const char *const losses[] = { "kl", "accuracy", NULL };

static const PjMethodOption options[] = {
  { "by", "criterion that says which channels of a group go first", 0, 0, 5, TRUE, criteria },
  { "loss", "what is kept equal: the divergence of the output, or the accuracy that goes", 0, 0, 1, TRUE, losses },
  { NULL }
};

static const PjCriterion *
criterion_of (const PjMethod *self, const PjPruneSettings *settings)
{
  return pj_criterion_find (criteria[(int) pj_method_value (self, settings, "by")]);
}

/* --- checkpoints: the groups that were measured --- */

typedef struct { uint32_t magic, n_ratios, n_channels; int32_t group; } Part;

/* What was measured so far. */
typedef struct {
  PjKeeper keeper;
  GByteArray *bytes;
  unsigned n;
} Progress;

static GBytes *
state_cb (gconstpointer data, uint64_t *step, GError **error)
{
  const Progress *self = data;
  *step = self->n;
  return g_bytes_new (self->bytes->data, self->bytes->len);
}

static gboolean
measured_cb (const PjSweep *sweep, const PjGroupSweep *group, gpointer data, GError **error)
{
  Progress *self = data;
  const Part part = { MAGIC, group->n_points, (uint32_t) group->n_channels, group->group };
  if (!pj_keeper_keeps (&self->keeper) || group->refusal != NULL)
    return TRUE;
  g_byte_array_append (self->bytes, (const guint8 *) &part, sizeof part);
  g_byte_array_append (self->bytes, (const guint8 *) group->points, (guint) (group->n_points * sizeof (PjSweepPoint)));
  self->n++;
  return pj_keeper_keep (&self->keeper, error);
}

/* Also continues @self where the stopped run was. (transfer full) */
static PjSweep *
restore (Progress *self, const PjScoring *scoring, GError **error)
{
  gsize size, at = 0;
  const guint8 *data = g_bytes_get_data (self->keeper.life->resume, &size);
  g_autoptr (PjSweep) sweep = pj_sweep_new ();

  while (at < size) {
    Part part = { 0 };
    gsize length = G_N_ELEMENTS (ratios) * sizeof (PjSweepPoint);
    if (size - at >= sizeof part + length)
      memcpy (&part, data + at, sizeof part);
    const PjGroup *group = part.group >= 0 && (unsigned) part.group < pj_groups_n (scoring->groups)
                           ? pj_groups_get (scoring->groups, (unsigned) part.group) : NULL;
    if (part.magic != MAGIC || part.n_ratios != G_N_ELEMENTS (ratios) || group == NULL
        || (uint32_t) group->n_channels != part.n_channels) {
      g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID,
                           "the checkpoint does not belong to a run with these settings; start it again");
      return NULL;
    }
    PjGroupSweep *before = pj_group_sweep_new (group, part.n_ratios);
    memcpy (before->points, data + at + sizeof part, length);
    g_ptr_array_add (sweep->groups, before);
    at += sizeof part + length;
    self->n++;
  }
  g_byte_array_append (self->bytes, data, (guint) size);
  return g_steal_pointer (&sweep);
}

/* --- widths --- */

static PjSweep *
measure (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  Progress progress = { { settings->life, state_cb, &progress, 0 }, bytes, 0 };
  gboolean resumed = settings->life != NULL && settings->life->resume != NULL;
  g_autoptr (PjSweep) before = resumed ? restore (&progress, scoring, error) : NULL;
  GError *reason = NULL;

  if (resumed && before == NULL)
    return NULL;
  pj_keeper_start (&progress.keeper);
  PjSweepOptions options = {
    .criterion = criterion_of (self, settings), .ratios = ratios, .n_ratios = G_N_ELEMENTS (ratios), .on_training_part = TRUE,
    .before = before,
  };
  PjSweep *sweep = pj_sweep (scoring, &options, measured_cb, &progress, &reason);
  if (sweep == NULL) {
    if (progress.n > 0)
      pj_keeper_stopped (&progress.keeper, &reason);
    g_propagate_error (error, reason);
  }
  return sweep;
}

/* Decides on training pictures: the test part judges the result. */
static PjCutPlan *
choose_widths (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, const PjScores *scores, GError **error)
{
  g_autoptr (PjLatency) latency = NULL;
  PjBudget budget;
  PjHooksSpan span;
  PjScoring part = *scoring;

  if (!pj_method_budget (scoring, settings, &budget, &latency, error))
    return NULL;
  g_autoptr (PjDataset) subset = pj_dataset_subset (scoring->dataset, scoring->n_images > 0 ? scoring->n_images : IMAGES, 0, scoring->seed);
  pj_hooks_span_init (&span, scoring->hooks, 0.2, 1, NULL);
  part.dataset = subset;
  part.hooks = &span.hooks;
  g_autoptr (PjSweep) sweep = measure (self, &part, settings, error);
  if (sweep == NULL)
    return NULL;
  PjLossKind kind = pj_method_value (self, settings, "loss") == 1 ? PJ_LOSS_TOP1 : PJ_LOSS_KL;
  return pj_equal_loss_spend (scoring->graph, scoring->groups, scores, sweep, kind, &budget, NULL, error);
}

static PjCutPlan *
choose (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, PjScores **scores, GError **error)
{
  PjScoring first = *scoring;
  PjHooksSpan span;

  pj_hooks_span_init (&span, scoring->hooks, 0, settings->global ? 0.2 : 1, NULL);
  first.hooks = &span.hooks;
  g_autoptr (PjScores) measured = pj_criterion_score (criterion_of (self, settings), &first, error);
  if (measured == NULL)
    return NULL;
  PjCutPlan *plan = settings->global ? choose_widths (self, scoring, settings, measured, error)
                                     : pj_method_spend (self, scoring, settings, measured, error);
  if (plan != NULL && scores != NULL)
    *scores = g_steal_pointer (&measured);
  return plan;
}

/* The criterion must be able to judge what is to be cut: a group at least, or all that a person names. */
static gboolean
check (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  const PjCriterion *criterion = criterion_of (self, settings);
  g_autoptr (GError) first = NULL;
  unsigned n_fit = 0;

  for (unsigned i = 0; criterion->fit != NULL && i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    g_autoptr (GError) reason = NULL;
    if (group->lock_reason != NULL || (settings->ratios != NULL && settings->ratios[i] == 1))
      continue;
    if (criterion->fit (scoring, group, &reason))
      n_fit++;
    else if (first == NULL)
      first = g_steal_pointer (&reason);
  }
  if (first == NULL || (settings->global && n_fit > 0))
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&first), "%s: ", criterion->title);
  return FALSE;
}

/* The criterion, twice; then each group once up to it, and for each width from it on. */
static void
work (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, double *forward, double *trained)
{
  unsigned n_groups = pj_groups_n (scoring->groups), all = pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN);
  double n = MIN (scoring->n_images > 0 ? scoring->n_images : IMAGES, all), passes = 1;
  g_autofree guint8 *others = g_malloc (MAX (1, n_groups));

  pj_method_pictures (pj_method_find (criterion_of (self, settings)->name), scoring, settings, forward, trained);
  if (!settings->global)
    return;
  for (unsigned g = 0; g < n_groups; g++) {
    PjKlCost cost;
    if (pj_groups_get (scoring->groups, g)->lock_reason != NULL)
      continue;
    memset (others, 1, n_groups);
    others[g] = 0;
    pj_kl_cost (scoring->graph, scoring->groups, others, &cost);
    passes += 1 + G_N_ELEMENTS (ratios) * (double) cost.suffix / (double) MAX (1, cost.full * cost.n_masks);
  }
  *forward = 2 * *forward + n * passes;
  *trained *= 2;
}

const PjMethod pj_method_equal_loss = {
  .name = "equal-loss", .title = "Equal loss",
  .about = "Measures what each group loses at several widths, and cuts all groups to where they lose alike, so that robust layers "
           "give the most. "
           "It decides widths under a budget; a criterion decides which channels go.",
  .source = "the rule of FastNAS (NVIDIA Model Optimizer), AIMET and PaddleSlim",
  .needs = PJ_NEEDS_IMAGES | PJ_NEEDS_LABELS, .gives_scores = TRUE, .allocates = TRUE,
  .options = options, .check = check, .judge = criterion_of, .work = work, .choose = choose,
};
