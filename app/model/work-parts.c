/* SPDX-License-Identifier: MIT */
/* Whole branches and layers as jobs: see work-parts.h. */
#include "model/work-parts.h"

#include <string.h>

#include "base/error.h"
#include "model/work-private.h"
#include "prune/part-scores.h"

gboolean
pj_work_judge_parts (const PjWork *work, const PjParts *parts, PjPartKind kind, unsigned n_images, uint64_t seed, double *scores,
                     PjWorkDone *done, GError **error)
{
  const char *title = kind == PJ_PART_BRANCH ? "Judge blocks" : "Judge layers";
  unsigned n_used = 0;
  PjFormat format = { 0 };

  if (done != NULL)
    memset (done, 0, sizeof *done);
  PjWorkRun *run = pj_work_begin (work, "judge-parts", title, NULL, seed, error);
  if (run == NULL)
    return FALSE;
  PjScoring scoring = {
    .device = work->device, .graph = work->graph, .dataset = work->dataset, .format = &format, .n_images = n_images,
    .seed = seed, .hooks = pj_work_run_hooks (run),
  };
  gboolean ok = pj_dataset_format_for (work->dataset, work->graph, FALSE, &format, error)
                && pj_parts_score (&scoring, parts, kind, scores, &n_used, error);
  char *text = ok ? g_strdup_printf ("%u parts, %u pictures", pj_parts_n (parts), n_used) : NULL;
  return pj_work_end (run, ok, text, done, error);
}

gboolean
pj_work_weakest_parts (const PjParts *parts, PjPartKind kind, const double *scores, unsigned n, guint8 *removed, GError **error)
{
  for (unsigned k = 0; k < n; k++) {
    int weakest = -1;
    for (unsigned i = 0; i < pj_parts_n (parts); i++)
      if (pj_parts_get (parts, i)->kind == kind && scores[i] >= 0 && !removed[i]
          && (weakest < 0 || scores[i] < scores[weakest]))
        weakest = (int) i;
    if (weakest < 0) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "the network has only %u %s that can be removed", k,
                   kind == PJ_PART_BRANCH ? "blocks" : "layers");
      return FALSE;
    }
    removed[weakest] = 1;
  }
  return TRUE;
}

gboolean
pj_work_named_parts (const PjParts *parts, PjPartKind kind, const char *const *names, guint8 *removed, GError **error)
{
  const char *what = kind == PJ_PART_BRANCH ? "block" : "layer";

  for (; names != NULL && *names != NULL; names++) {
    const PjPart *part = pj_parts_find (parts, *names);
    if (part == NULL || part->kind != kind) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                   "the network has no %s “%s” that could be removed; penjing-cli parts lists them", what, *names);
      return FALSE;
    }
    if (part->lock_reason != NULL) {
      g_set_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_LOCKED, "%s “%s” cannot be removed: %s", what, part->name, part->lock_reason);
      return FALSE;
    }
    removed[part->id] = 1;
  }
  return TRUE;
}

/* "stage2.block3, stage3.block4" (transfer full) */
static char *
list_removed (const PjParts *parts, const guint8 *removed)
{
  GString *text = g_string_new (NULL);
  for (unsigned i = 0; i < pj_parts_n (parts); i++)
    if (removed[i])
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", pj_parts_get (parts, i)->name);
  return g_string_free (text, FALSE);
}

static char *
describe_change (const PjGraph *from, const PjGraph *to)
{
  PjCost before, after;
  pj_graph_cost (from, &before);
  pj_graph_cost (to, &after);
  return g_strdup_printf ("%.2f M → %.2f M MACs, %.1f k → %.1f k parameters", (double) before.macs / 1e6, (double) after.macs / 1e6,
                          (double) before.learnable / 1e3, (double) after.learnable / 1e3);
}

PjGraph *
pj_work_remove_parts (const PjWork *work, const PjParts *parts, const guint8 *removed, uint64_t seed, const char *base_accuracy,
                      PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  g_autofree char *names = list_removed (parts, removed), *title = g_strdup_printf ("Remove %s", names);
  g_autofree char *settings = g_strdup_printf ("parts %s\n", names);
  PjWorkRun *run = pj_work_begin (work, "remove-parts", title, settings, seed, error);
  if (run == NULL)
    return NULL;
  g_autoptr (PjGraph) small = pj_parts_remove (work->graph, parts, removed, error);
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_CUT, 0, title);
  gboolean ok = small != NULL;
  if (ok) {
    pj_work_note_origin (work, small, NULL, seed, base_accuracy);
    step->detail = describe_change (work->graph, small);
    ok = pj_work_run_add_step (run, small, step, error);
  }
  if (!pj_work_end (run, ok, g_strdup (step->detail), done, error))
    return NULL;
  if (done != NULL)
    done->step = step->id;
  return g_steal_pointer (&small);
}
