/* SPDX-License-Identifier: MIT */
#include "prune/budget/widths.h"

#include <math.h>
#include <stdlib.h>

const PjWidthsRow pj_widths_rows[PJ_N_WIDTHS] = {
  [PJ_WIDTHS_WALLET] = { "wallet", "Wallet", "Streams between residual blocks and widths inside them, each by its own." },
  [PJ_WIDTHS_HOURGLASS] = { "hourglass", "Hourglass", "Widths inside residual blocks only; the streams between them stay whole." },
  [PJ_WIDTHS_BOTTLENECK] = { "bottleneck", "Bottleneck", "Streams and inner widths of a stage lose the same share: blocks keep their shape." },
};

gboolean
pj_widths_find (const char *name, PjWidths *widths, GError **error)
{
  for (int w = 0; w < PJ_N_WIDTHS; w++)
    if (g_strcmp0 (name, pj_widths_rows[w].name) == 0) {
      *widths = (PjWidths) w;
      return TRUE;
    }
  g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "there are no “%s” widths; use wallet, hourglass or bottleneck", name);
  return FALSE;
}

/* --- ratios --- */

static gboolean
spare_streams (const PjGroups *groups, const PjStageRole *roles, const guint8 *named, double *ratios, GError **error)
{
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    if (!roles[g].stream || ratios[g] >= 1)
      continue;
    if (named != NULL && named[g]) {
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                   "“%s” is the stream of a residual stage, which hourglass widths leave whole; use wallet widths",
                   pj_groups_get (groups, g)->name);
      return FALSE;
    }
    ratios[g] = 1;
  }
  return TRUE;
}

/* The ratio of @stage; its members say it. */
static gboolean
find_ratio (const PjGroups *groups, const PjStageRole *roles, int stage, const guint8 *named, const double *ratios, double *ratio,
            GError **error)
{
  int by = -1;

  *ratio = 1;
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    if (roles[g].stage != stage || group->lock_reason != NULL)
      continue;
    gboolean asked = named != NULL && named[g];
    if (asked && by >= 0 && *ratio != ratios[g]) {
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                   "“%s” and “%s” are of one residual stage, whose members keep the same share with bottleneck widths; give "
                   "one ratio, or use wallet widths", pj_groups_get (groups, (unsigned) by)->name, group->name);
      return FALSE;
    }
    if (asked)
      by = (int) g;
    if (asked || by < 0)
      *ratio = asked ? ratios[g] : MIN (*ratio, ratios[g]);
  }
  return TRUE;
}

static gboolean
even_out (const PjGroups *groups, const PjStageRole *roles, const guint8 *named, double *ratios, GError **error)
{
  g_autofree double *before = g_memdup2 (ratios, pj_groups_n (groups) * sizeof (double));

  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    if (roles[g].stage < 0 || pj_groups_get (groups, g)->lock_reason != NULL)
      continue;
    if (!find_ratio (groups, roles, roles[g].stage, named, before, &ratios[g], error))
      return FALSE;
  }
  return TRUE;
}

gboolean
pj_widths_ratios (PjWidths widths, const PjGraph *graph, const PjGroups *groups, const guint8 *named, double *ratios, GError **error)
{
  if (widths == PJ_WIDTHS_WALLET || pj_groups_n (groups) == 0)
    return TRUE;
  g_autofree PjStageRole *roles = pj_stage_roles_new (graph, groups);
  return widths == PJ_WIDTHS_HOURGLASS ? spare_streams (groups, roles, named, ratios, error)
                                       : even_out (groups, roles, named, ratios, error);
}

/* --- scores --- */

typedef struct {
  double score;
  int channel;
} Ranked;

static int
compare_ranked (const void *a, const void *b)
{
  const Ranked *x = a, *y = b;
  if (x->score != y->score)
    return x->score < y->score ? -1 : 1;
  return x->channel - y->channel;
}

/* The channels of a group, the weakest first, perhaps divided by their mean. (transfer full) */
static Ranked *
rank (const PjGroupScores *scores, gboolean normalise)
{
  Ranked *ranked = g_new (Ranked, scores->n_channels);
  double mean = 0;

  for (int c = 0; c < scores->n_channels; c++)
    mean += scores->score[c] / scores->n_channels;
  for (int c = 0; c < scores->n_channels; c++)
    ranked[c] = (Ranked) { normalise && mean > 0 ? scores->score[c] / mean : scores->score[c], c };
  qsort (ranked, (size_t) scores->n_channels, sizeof (Ranked), compare_ranked);
  return ranked;
}

/* The score at a share of the ranks, linear between the middles of neighbours. */
static double
at_share (const Ranked *ranked, int n, double share)
{
  double place = CLAMP (share * n - 0.5, 0, n - 1);
  int low = (int) place, high = MIN (low + 1, n - 1);
  return ranked[low].score + (place - low) * (ranked[high].score - ranked[low].score);
}

static void
even_stage (const PjStageRole *roles, int stage, gboolean normalise, PjScores *scores)
{
  g_autoptr (GPtrArray) members = g_ptr_array_new (), ranks = g_ptr_array_new_with_free_func (g_free);

  for (unsigned i = 0; i < scores->n_groups; i++) {
    PjGroupScores *s = &scores->groups[i];
    if (roles[s->group].stage != stage || s->score == NULL)
      continue;
    g_ptr_array_add (members, s);
    g_ptr_array_add (ranks, rank (s, normalise));
  }
  for (guint m = 0; m < members->len; m++) {
    PjGroupScores *s = members->pdata[m];
    const Ranked *own = ranks->pdata[m];
    for (int k = 0; k < s->n_channels; k++) {
      double sum = 0;
      for (guint o = 0; o < members->len; o++)
        sum += at_share (ranks->pdata[o], ((const PjGroupScores *) members->pdata[o])->n_channels, (k + 0.5) / s->n_channels);
      s->score[own[k].channel] = sum / members->len;
    }
  }
}

void
pj_widths_scores (PjWidths widths, const PjGraph *graph, const PjGroups *groups, gboolean normalise, PjScores *scores)
{
  int n_stages = 0;

  if (widths == PJ_WIDTHS_WALLET || pj_groups_n (groups) == 0)
    return;
  g_autofree PjStageRole *roles = pj_stage_roles_new (graph, groups);
  for (unsigned i = 0; i < scores->n_groups; i++) {
    PjGroupScores *s = &scores->groups[i];
    n_stages = MAX (n_stages, roles[s->group].stage + 1);
    if (widths != PJ_WIDTHS_HOURGLASS || !roles[s->group].stream || s->score == NULL)
      continue;
    g_clear_pointer (&s->score, g_free);
    s->refusal = g_strdup ("hourglass widths leave the streams of residual stages whole");
  }
  for (int stage = 0; widths == PJ_WIDTHS_BOTTLENECK && stage < n_stages; stage++)
    even_stage (roles, stage, normalise, scores);
}
