/* SPDX-License-Identifier: MIT */
/* Whole branches and layers as jobs: see work-parts.h. */
#include "model/work-parts.h"

#include <string.h>

#include "base/error.h"
#include "model/work-private.h"
#include "model/work-settings.h"
#include "prune/gates/block-gates.h"
#include "prune/scores/part-scores.h"

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

/* --- blocks by their gates --- */

typedef struct {
  double keep;
  char **set;
  unsigned n_images;
  uint64_t seed;
} GateSettings;

static const PjField gate_fields[] = {
  { "keep-blocks", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (GateSettings, keep) },
  { "set", PJ_FIELD_LIST, G_STRUCT_OFFSET (GateSettings, set) },
  { "images", PJ_FIELD_UINT, G_STRUCT_OFFSET (GateSettings, n_images) },
  { "seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (GateSettings, seed) },
  { NULL }
};

/* What the gates work with. */
typedef struct {
  PjFormat format;
  PjGroups *groups;
  PjParts *parts;
  double *values;
  PjScoring scoring;
} Gating;

static void
gating_clear (Gating *self)
{
  g_clear_pointer (&self->groups, pj_groups_unref);
  g_clear_pointer (&self->parts, pj_parts_free);
  g_clear_pointer (&self->values, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Gating, gating_clear)

static gboolean
gating_open (Gating *self, const PjWork *work, const GateSettings *settings, const PjHooks *hooks, GError **error)
{
  self->groups = pj_groups_new (work->graph);
  self->parts = pj_parts_new (work->graph);
  self->values = pj_method_values (pj_method_find ("autopruner"), (const char *const *) settings->set, error);
  self->scoring = (PjScoring) {
    .device = work->device, .graph = work->graph, .groups = self->groups, .dataset = work->dataset, .format = &self->format,
    .n_images = settings->n_images, .seed = settings->seed, .hooks = hooks,
  };
  return self->values != NULL
         && (work->dataset == NULL || pj_dataset_format_for (work->dataset, work->graph, TRUE, &self->format, error))
         && pj_block_gates_check (&self->scoring, self->parts, settings->keep, self->values, error);
}

/* The learnt network without the blocks whose gates closed. */
static PjGraph *
gate (PjWorkRun *run, const PjWork *work, const GateSettings *settings, char **names, GError **error)
{
  g_auto (Gating) gating = { 0 };
  if (!gating_open (&gating, work, settings, pj_work_run_hooks (run), error))
    return NULL;
  g_autoptr (PjWorkLife) life = pj_work_life_new (work, run, error);
  g_autofree guint8 *removed = g_malloc0 (MAX (1, pj_parts_n (gating.parts)));
  g_autoptr (PjGraph) learnt = life == NULL ? NULL
    : pj_block_gates (&gating.scoring, gating.parts, settings->keep, gating.values, pj_work_life_get (life), removed, error);
  if (learnt == NULL)
    return NULL;
  *names = list_removed (gating.parts, removed);
  return pj_parts_remove (learnt, gating.parts, removed, error);
}

static PjGraph *
run_gates (const PjWork *work, const GateSettings *settings, const char *base_accuracy, PjWorkDone *done, GError **error)
{
  g_autofree char *text = pj_fields_write (gate_fields, settings), *names = NULL;
  if (done != NULL)
    memset (done, 0, sizeof *done);
  PjWorkRun *run = pj_work_begin (work, "gate-blocks", "Train gates of blocks", text, settings->seed, error);
  if (run == NULL)
    return NULL;
  g_autoptr (PjGraph) small = gate (run, work, settings, &names, error);
  gboolean any = names != NULL && *names != '\0';
  g_autofree char *title = any ? g_strdup_printf ("Remove %s", names) : g_strdup ("Train gates of blocks");
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_CUT, 0, title);
  gboolean ok = small != NULL;
  if (ok) {
    pj_work_note_origin (work, small, "autopruner", settings->seed, base_accuracy);
    step->detail = describe_change (work->graph, small);
    step->criterion = g_strdup ("autopruner");
    step->settings = g_strdup (text);
    ok = pj_work_run_add_step (run, small, step, error);
  }
  if (!pj_work_end (run, ok, ok && any ? g_strdup_printf ("without %s: %s", names, step->detail) : g_strdup (step->detail), done, error))
    return NULL;
  if (done != NULL)
    done->step = step->id;
  return g_steal_pointer (&small);
}

PjGraph *
pj_work_gate_blocks (const PjWork *work, double keep, const char *const *set, unsigned n_images, uint64_t seed,
                     const char *base_accuracy, PjWorkDone *done, GError **error)
{
  const GateSettings settings = { keep, (char **) set, n_images, seed };
  return run_gates (work, &settings, base_accuracy, done, error);
}

gboolean
pj_work_gate_blocks_check (const PjWork *work, double keep, const char *const *set, unsigned n_images, GError **error)
{
  const GateSettings settings = { keep, (char **) set, n_images, 0 };
  g_auto (Gating) gating = { 0 };
  return gating_open (&gating, work, &settings, NULL, error);
}

gboolean
pj_work_gate_blocks_estimate (const PjWork *work, double keep, const char *const *set, unsigned n_images, double *seconds,
                              GError **error)
{
  const GateSettings settings = { keep, (char **) set, n_images, 0 };
  g_auto (Gating) gating = { 0 };
  return gating_open (&gating, work, &settings, work->hooks, error)
         && pj_estimate_pictures (&gating.scoring, 0, pj_block_gates_work (&gating.scoring, gating.values), seconds, error);
}

gboolean
pj_work_gate_blocks_resume (const PjWork *work, const char *text, PjWorkDone *done, GError **error)
{
  GateSettings settings = { 0 };
  g_autoptr (PjGraph) small = pj_fields_read (gate_fields, &settings, text, error) ? run_gates (work, &settings, NULL, done, error) : NULL;
  pj_fields_clear (gate_fields, &settings);
  return small != NULL;
}
