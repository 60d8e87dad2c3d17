/* SPDX-License-Identifier: MIT */
/* Scoring, choosing and cutting as jobs. */
#include "model/work-prune.h"

#include <string.h>

#include "graph/gap.h"
#include "model/work-open.h"
#include "model/work-private.h"
#include "model/work-settings.h"
#include "session/model.h"

/* --- scores --- */

static gboolean
store_scores (const PjWork *work, const PjGroups *groups, const PjScores *scores, GError **error)
{
  if (work->session == NULL || work->step == 0)
    return TRUE;
  g_autoptr (PjStepRecord) step = pj_session_get_step (work->session, work->step, error);
  return step != NULL && pj_session_put_graph_scores (work->session, step->model, groups, scores, error);
}

/* What is measured on; @format is filled if there is a data set. */
static gboolean
fill_scoring (PjScoring *scoring, const PjWork *work, const PjGroups *groups, unsigned n_images, uint64_t seed,
              PjNeeds needs, PjFormat *format, const PjHooks *hooks, GError **error)
{
  *scoring = (PjScoring) { work->device, work->graph, groups, NULL, NULL, n_images, seed, hooks };
  if (work->dataset == NULL || needs == PJ_NEEDS_NOTHING)
    return TRUE;
  if (!pj_dataset_format_for (work->dataset, work->graph, (needs & PJ_NEEDS_LABELS) != 0, format, error))
    return FALSE;
  scoring->dataset = work->dataset;
  scoring->format = format;
  return TRUE;
}

/* What a score was asked for, as the job's settings say it. */
typedef struct {
  char *criterion, *tied;
  unsigned n_images;
  uint64_t seed;
} ScoreSettings;

static const PjField score_fields[] = {
  { "criterion", PJ_FIELD_TEXT, G_STRUCT_OFFSET (ScoreSettings, criterion) },
  { "tied", PJ_FIELD_TEXT, G_STRUCT_OFFSET (ScoreSettings, tied) },
  { "images", PJ_FIELD_UINT, G_STRUCT_OFFSET (ScoreSettings, n_images) },
  { "seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (ScoreSettings, seed) },
  { NULL }
};

/* Criteria that take minutes save how far they are, and go on from there. */
static PjScores *
run_criterion (PjWorkRun *run, const PjWork *work, const PjCriterion *criterion, PjScoring *scoring, GError **error)
{
  g_autoptr (PjWorkLife) life = pj_work_life_new (work, run, error);
  if (life == NULL)
    return NULL;
  scoring->life = pj_work_life_get (life);
  PjScores *scores = pj_criterion_score (criterion, scoring, error);
  scoring->life = NULL;
  return scores;
}

PjScores *
pj_work_score (const PjWork *work, const PjGroups *groups, const char *name, PjTied tied, unsigned n_images, uint64_t seed,
               PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  const PjCriterion *criterion = pj_criterion_find (name);
  if (criterion == NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "there is no criterion “%s”", name);
    return NULL;
  }
  g_autofree char *title = g_strdup_printf ("Score by %s", criterion->title);
  ScoreSettings asked = { (char *) criterion->name, (char *) pj_tied_rows[tied].name, n_images, seed };
  g_autofree char *settings = pj_fields_write (score_fields, &asked);
  PjWorkRun *run = pj_work_begin (work, "score", title, settings, seed, error);
  if (run == NULL)
    return NULL;
  PjFormat format = { 0 };
  PjScoring scoring;
  g_autoptr (PjScores) scores = NULL;
  if (fill_scoring (&scoring, work, groups, n_images, seed, criterion->needs, &format, pj_work_run_hooks (run), error)) {
    scoring.tied = tied;
    scores = run_criterion (run, work, criterion, &scoring, error);
  }
  gboolean ok = scores != NULL && store_scores (work, groups, scores, error);
  char *text = ok ? g_strdup_printf ("%u groups, %u pictures", scores->n_groups, scores->n_images) : NULL;
  return pj_work_end (run, ok, text, done, error) ? g_steal_pointer (&scores) : NULL;
}

PjScores *
pj_work_score_again (const PjWork *work, const PjGroups *groups, const char *text, PjTied *tied, PjWorkDone *done, GError **error)
{
  ScoreSettings asked = { .seed = 1 };
  *tied = PJ_TIED_USUAL;
  gboolean ok = pj_fields_read (score_fields, &asked, text, error) && (asked.tied == NULL || pj_tied_find (asked.tied, tied, error));
  PjScores *scores = ok ? pj_work_score (work, groups, asked.criterion != NULL ? asked.criterion : "", *tied, asked.n_images, asked.seed,
                                         done, error) : NULL;
  pj_fields_clear (score_fields, &asked);
  return scores;
}

gboolean
pj_work_score_resume (const PjWork *work, const char *text, PjWorkDone *done, GError **error)
{
  PjTied tied;
  g_autoptr (PjGroups) groups = pj_groups_new (work->graph);
  g_autoptr (PjScores) scores = pj_work_score_again (work, groups, text, &tied, done, error);
  return scores != NULL;
}

/* --- settings of a choice --- */

static const PjField fields[] = {
  { "method", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWorkChoose, method) },
  { "keep", PJ_FIELD_LIST, G_STRUCT_OFFSET (PjWorkChoose, keep) },
  { "macs", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjWorkChoose, macs) },
  { "params", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjWorkChoose, params) },
  { "memory", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjWorkChoose, memory) },
  { "ms", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjWorkChoose, ms) },
  { "floor", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjWorkChoose, floor) },
  { "multiple", PJ_FIELD_INT, G_STRUCT_OFFSET (PjWorkChoose, multiple) },
  { "scale", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkChoose, scale) },
  { "set", PJ_FIELD_LIST, G_STRUCT_OFFSET (PjWorkChoose, set) },
  { "images", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkChoose, n_images) },
  { "seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (PjWorkChoose, seed) },
  { "tied", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWorkChoose, tied) },
  { "widths", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWorkChoose, widths) },
  { "constants", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWorkChoose, constants) },
  { NULL }
};

void
pj_work_choose_init (PjWorkChoose *self)
{
  memset (self, 0, sizeof *self);
  self->method = g_strdup ("thinet-ls");
  self->scale = TRUE;
  self->multiple = 1;
  self->seed = 1;
}

void
pj_work_choose_clear (PjWorkChoose *self)
{
  pj_fields_clear (fields, self);
}

char *
pj_work_choose_write (const PjWorkChoose *self)
{
  return pj_fields_write (fields, self);
}

gboolean
pj_work_choose_read (PjWorkChoose *self, const char *text, GError **error)
{
  return pj_fields_read (fields, self, text, error);
}

/* --- choosing --- */

static gboolean
fill_settings (PjPruneSettings *prune, const PjWorkChoose *settings, const double *ratios, GError **error)
{
  *prune = (PjPruneSettings) { .multiple = settings->multiple, .floor = settings->floor, .scale = settings->scale };
  const struct { double target; PjBudgetKind kind; } budgets[] = {
    { settings->macs, PJ_BUDGET_MACS }, { settings->params, PJ_BUDGET_PARAMS }, { settings->memory, PJ_BUDGET_MEMORY },
    { settings->ms, PJ_BUDGET_MS },
  };
  int n_ways = settings->keep != NULL && settings->keep[0] != NULL;
  for (guint i = 0; i < G_N_ELEMENTS (budgets); i++) {
    if (budgets[i].target == 0.0)
      continue;
    n_ways++;
    prune->global = TRUE;
    prune->kind = budgets[i].kind;
    prune->target = budgets[i].target;
  }
  if (n_ways != 1) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "say how much is to be kept in one way: by keep ratios, or by a budget of MACs, parameters, memory or milliseconds");
    return FALSE;
  }
  prune->ratios = prune->global ? NULL : ratios;
  return TRUE;
}

/* "7.34 M of 29.13 M MACs" */
static char *
describe_plan (const PjWork *work, const PjGroups *groups, const PjCutPlan *plan)
{
  PjCost before, after;
  pj_graph_cost (work->graph, &before);
  if (!pj_cut_predict_cost (work->graph, groups, plan, &after, NULL))
    return g_strdup ("");
  return g_strdup_printf ("%.2f M → %.2f M MACs, %.1f k → %.1f k parameters", (double) before.macs / 1e6,
                          (double) after.macs / 1e6, (double) before.learnable / 1e3, (double) after.learnable / 1e3);
}

/* By group id: 1 for what the texts of @keep call by name. (transfer full) */
static guint8 *
find_named (const PjGroups *groups, char **texts)
{
  guint8 *named = g_malloc0 (MAX (1, pj_groups_n (groups)));
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    g_autofree char *start = g_strconcat (pj_groups_get (groups, i)->name, "=", NULL);
    for (char **keep = texts; keep != NULL && *keep != NULL; keep++)
      named[i] |= g_str_has_prefix (*keep, start);
  }
  return named;
}

/* "0.5" for all means all that the method can judge: the others stay whole, unless they are asked for by name. */
static void
spare_unfit (const PjMethod *method, const PjScoring *scoring, const guint8 *named, double *ratios)
{
  for (unsigned i = 0; method->fit != NULL && i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    if (!named[i] && ratios[group->id] < 1.0 && !method->fit (method, scoring, group, NULL))
      ratios[group->id] = 1.0;
  }
}

/* The words of the settings. */
static gboolean
read_words (const PjWorkChoose *settings, PjTied *tied, PjWidths *widths, GError **error)
{
  *tied = PJ_TIED_USUAL;
  *widths = PJ_WIDTHS_WALLET;
  return (settings->tied == NULL || pj_tied_find (settings->tied, tied, error))
         && (settings->widths == NULL || pj_widths_find (settings->widths, widths, error));
}

/* What a method works with. */
typedef struct {
  PjFormat format;
  PjScoring scoring;
  PjPruneSettings settings;
  double *values;
} Prepared;

static void
prepared_clear (Prepared *self)
{
  g_free (self->values);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Prepared, prepared_clear)

/* Refuses what cannot be done. @ratios: groups that the method cannot judge become 1. */
static gboolean
prepare_method (Prepared *self, const PjWork *work, const PjGroups *groups, const PjMethod *method,
                const PjWorkChoose *settings, double *ratios, const PjHooks *hooks, GError **error)
{
  if (!fill_settings (&self->settings, settings, ratios, error) || !pj_work_constants_check (method, settings, error)
      || !fill_scoring (&self->scoring, work, groups, settings->n_images, settings->seed, method->needs, &self->format,
                        hooks, error))
    return FALSE;
  self->values = pj_method_values (method, (const char *const *) settings->set, error);
  if (self->values == NULL)
    return FALSE;
  self->settings.values = self->values;
  if (!read_words (settings, &self->scoring.tied, &self->settings.widths, error))
    return FALSE;
  g_autofree guint8 *named = find_named (groups, settings->keep);
  if (!pj_widths_ratios (self->settings.widths, work->graph, groups, named, ratios, error))
    return FALSE;
  spare_unfit (method, &self->scoring, named, ratios);
  return pj_prune_settings_check (method, &self->scoring, &self->settings, error);
}

static PjCutPlan *
run_method (PjWorkRun *run, const PjWork *work, const PjGroups *groups, const PjMethod *method,
            const PjWorkChoose *settings, double *ratios, PjScores **scores, GError **error)
{
  g_auto (Prepared) prepared = { 0 };
  if (!prepare_method (&prepared, work, groups, method, settings, ratios, pj_work_run_hooks (run), error))
    return NULL;
  g_autoptr (PjWorkLife) life = pj_work_life_new (work, run, error);
  if (life == NULL)
    return NULL;
  prepared.settings.life = pj_work_life_get (life);
  return method->choose (method, &prepared.scoring, &prepared.settings, scores, error);
}

gboolean
pj_work_choose_estimate (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, double *seconds,
                         GError **error)
{
  const PjMethod *method = pj_method_find (settings->method);
  g_autofree double *ratios = pj_work_ratios (groups, (const char *const *) settings->keep, error);
  g_auto (Prepared) prepared = { 0 };

  g_return_val_if_fail (method != NULL, FALSE);
  return ratios != NULL && prepare_method (&prepared, work, groups, method, settings, ratios, work->hooks, error)
         && pj_method_estimate (method, &prepared.scoring, &prepared.settings, seconds, error);
}

/* What the network costs with so much of each group; which channels they are makes no difference. */
static gboolean
predict_ratios (const PjWork *work, const PjGroups *groups, const double *ratios, int multiple, PjCost *after, GError **error)
{
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    int n_kept = ratios[group->id] < 1.0 ? pj_group_keep_count (group, ratios[group->id], multiple) : group->n_channels;
    if (n_kept >= group->n_channels)
      continue;
    g_autofree double *equal = g_new0 (double, group->n_channels);
    g_autofree guint8 *keep = g_malloc0 ((gsize) group->n_channels);
    pj_group_keep_top (group, equal, n_kept, keep);
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  return pj_cut_predict_cost (work->graph, groups, plan, after, error);
}

gboolean
pj_work_choose_check (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, PjCost *after, GError **error)
{
  const PjMethod *method = pj_method_find (settings->method);
  g_autofree double *ratios = pj_work_ratios (groups, (const char *const *) settings->keep, error);
  g_auto (Prepared) prepared = { 0 };
  PjCost before;

  g_return_val_if_fail (method != NULL, FALSE);
  *after = (PjCost) { 0 };
  if (ratios == NULL || !prepare_method (&prepared, work, groups, method, settings, ratios, work->hooks, error))
    return FALSE;
  pj_graph_cost (work->graph, &before);
  if (method->connections)
    *after = before;
  else if (!prepared.settings.global)
    return predict_ratios (work, groups, ratios, settings->multiple, after, error);
  else if (prepared.settings.kind == PJ_BUDGET_MACS)
    after->macs = (uint64_t) ((double) before.macs * settings->macs);
  else if (prepared.settings.kind == PJ_BUDGET_PARAMS)
    after->learnable = (uint64_t) ((double) before.learnable * settings->params);
  return TRUE;
}

gboolean
pj_work_choose_is_asked (const PjWorkChoose *self)
{
  return self->keep != NULL || self->macs > 0.0 || self->params > 0.0 || self->memory > 0.0 || self->ms > 0.0;
}

PjCutPlan *
pj_work_choose (const PjWork *work, const PjGroups *groups, const PjWorkChoose *settings, PjScores **scores,
                PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  const PjMethod *method = pj_method_find (settings->method);
  if (method == NULL) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "there is no method “%s”", settings->method);
    return NULL;
  }
  g_autofree double *ratios = pj_work_ratios (groups, (const char *const *) settings->keep, error);
  if (ratios == NULL)
    return NULL;
  g_autofree char *title = g_strdup_printf ("Choose by %s", method->title), *text = pj_work_choose_write (settings);
  PjWorkRun *run = pj_work_begin (work, "choose", title, text, settings->seed, error);
  if (run == NULL)
    return NULL;

  g_autoptr (PjScores) measured = NULL;
  g_autoptr (PjCutPlan) plan = run_method (run, work, groups, method, settings, ratios, &measured, error);
  g_autofree char *detail = plan != NULL ? describe_plan (work, groups, plan) : NULL;
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_MASKED, 0, title);
  gboolean ok = plan != NULL && pj_work_constants_fold (work, groups, settings, plan, &detail, error);
  if (ok) {
    step->detail = g_strdup (detail);
    step->criterion = g_strdup (settings->method);
    step->settings = g_strdup (text);
    g_ptr_array_unref (step->cuts);
    step->cuts = pj_stored_cuts_new (groups, plan, settings->keep != NULL ? ratios : NULL);
    ok = (measured == NULL || store_scores (work, groups, measured, error))
         && pj_work_run_add_step (run, plan->weights != NULL ? plan->weights : work->graph, step, error);
  }
  if (!pj_work_end (run, ok, g_steal_pointer (&detail), done, error))
    return NULL;
  if (done != NULL)
    done->step = step->id;
  if (scores != NULL)
    *scores = g_steal_pointer (&measured);
  return g_steal_pointer (&plan);
}

gboolean
pj_work_choose_resume (const PjWork *work, const char *text, PjWorkDone *done, GError **error)
{
  g_auto (PjWorkChoose) settings;
  pj_work_choose_init (&settings);
  if (!pj_work_choose_read (&settings, text, error))
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (work->graph);
  g_autoptr (PjCutPlan) plan = pj_work_choose (work, groups, &settings, NULL, done, error);
  return plan != NULL;
}

/* --- cutting --- */

PjGraph *
pj_work_cut (const PjWork *work, const PjGroups *groups, const PjCutPlan *plan, const char *method, uint64_t seed,
             const char *base_accuracy, PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  PjWorkRun *run = pj_work_begin (work, "cut", "Cut", NULL, seed, error);
  if (run == NULL)
    return NULL;
  g_autoptr (PjGraph) cut = pj_work_make_cut (work, groups, plan, method, seed, base_accuracy, error);
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_CUT, 0, "Cut");
  gboolean ok = cut != NULL;
  if (ok) {
    step->detail = describe_plan (work, groups, plan);
    step->criterion = g_strdup (method);
    ok = pj_work_run_add_step (run, cut, step, error);
  }
  if (!pj_work_end (run, ok, g_strdup (step->detail), done, error))
    return NULL;
  if (done != NULL)
    done->step = step->id;
  return g_steal_pointer (&cut);
}

/* --- another classifier --- */

PjGraph *
pj_work_gap (const PjWork *work, uint64_t seed, PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  PjWorkRun *run = pj_work_begin (work, "cut", "Replace the classifier", NULL, seed, error);
  if (run == NULL)
    return NULL;
  g_autoptr (PjGraph) graph = pj_graph_with_gap (work->graph, seed, error);
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_CUT, 0, "Replace the classifier");
  gboolean ok = graph != NULL;
  if (ok) {
    PjCost before, after;
    pj_graph_cost (work->graph, &before);
    pj_graph_cost (graph, &after);
    step->detail = g_strdup_printf ("%.1f k → %.1f k parameters", (double) before.learnable / 1e3, (double) after.learnable / 1e3);
    pj_graph_set_meta (graph, PJ_NOTE_ACCURACY, NULL);
    ok = pj_work_run_add_step (run, graph, step, error);
  }
  if (!pj_work_end (run, ok, g_strdup (step->detail), done, error))
    return NULL;
  if (done != NULL)
    done->step = step->id;
  return g_steal_pointer (&graph);
}
