/* SPDX-License-Identifier: MIT */
/* The jobs there are.  The work itself is in work*.h; here is what each takes from the project and what a
 * person reads. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/comparison-private.h"
#include "model/tasks-private.h"
#include "model/work-export.h"
#include "model/work-settings.h"
#include "prune/criterion.h"
#include "prune/method.h"
#include "session/model.h"

/* --- score --- */

static gboolean
run_score (PjmTask *self, PjWork *work, GError **error)
{
  self->scores = pj_work_score (work, self->place->network->groups, self->name, PJ_TIED_USUAL, 0, PJM_SEED, &self->done, error);
  return self->scores != NULL;
}

PjmJob *
pjm_project_score (PjmProject *self, const char *name)
{
  const PjCriterion *criterion = pj_criterion_find (name);
  g_return_val_if_fail (criterion != NULL, NULL);
  /* Translators: a job: measure the importance of channels by a criterion */
  g_autofree char *title = g_strdup_printf (_("Score by %s"), _(criterion->title));
  PjmTask *task = pjm_task_new (self, "score", title, run_score, criterion->needs != PJ_NEEDS_NOTHING, TRUE);
  if (task == NULL)
    return NULL;
  task->name = g_strdup (name);
  return pjm_task_start (task);
}

/* --- cut, recalibrate, fine-tune --- */

static gboolean
run_nothing (PjmTask *self, PjWork *work, GError **error)
{
  return TRUE;
}

PjmTask *
pjm_task_new_cut (PjmProject *self)
{
  PjmTask *task = pjm_task_new (self, "cut", _("Cut"), run_nothing, FALSE, TRUE);
  if (task != NULL)
    task->cuts_first = task->only_cuts = TRUE;
  return task;
}

PjmJob *
pjm_project_cut (PjmProject *self)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), NULL);
  if (pjm_project_is_ready (self) && !pjm_project_has_masks (self)) {
    pjm_project_fail (self, _("Nothing is marked to be cut"), _("Set how much each layer keeps first."));
    return NULL;
  }
  PjmTask *task = pjm_task_new_cut (self);
  return task != NULL ? pjm_task_start (task) : NULL;
}

static gboolean
run_recalibrate (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjGraph) graph = pj_work_recalibrate (work, 0, PJM_SEED, &self->done, error);
  return graph != NULL;
}

PjmTask *
pjm_task_new_recalibrate (PjmProject *self)
{
  PjmTask *task = pjm_task_new (self, "recalibrate", _("Recalibrate norms"), run_recalibrate, TRUE, TRUE);
  if (task != NULL)
    task->cuts_first = task->masks != NULL;
  return task;
}

PjmJob *
pjm_project_recalibrate (PjmProject *self)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), NULL);
  PjmTask *task = pjm_task_new_recalibrate (self);
  return task != NULL ? pjm_task_start (task) : NULL;
}

/* --- norms that an exporter folded away --- */

static gboolean
run_norms (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjGraph) graph = pj_work_bring_norms_back (work, 0, PJM_SEED, NULL, &self->done, error);
  return graph != NULL;
}

PjmJob *
pjm_project_bring_norms_back (PjmProject *self)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), NULL);
  PjmTask *task = pjm_task_new (self, "norms", _("Bring norms back"), run_norms, TRUE, TRUE);
  return task != NULL ? pjm_task_start (task) : NULL;
}

gboolean
pjm_project_lacks_norms (PjmProject *self)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), FALSE);
  if (!pjm_project_is_ready (self) || self->place == NULL)
    return FALSE;
  const PjGraph *graph = self->place->network->graph;
  PjCost cost;
  pj_graph_cost (graph, &cost);
  g_autoptr (GArray) missing = pj_norms_missing (graph);
  return cost.norm_channels == 0 && cost.unknown_nodes == 0 && missing->len > 1;
}

PjmJob *
pjm_project_fine_tune (PjmProject *self, guint epochs, double lr)
{
  PjmTuneOptions options;
  pjm_tune_options_init (&options);
  options.epochs = epochs;
  options.lr = lr;
  return pjm_project_tune (self, &options);
}

/* --- evaluate, compare, export --- */

static gboolean
run_evaluate (PjmTask *self, PjWork *work, GError **error)
{
  PjAccuracy accuracy = { 0 };
  gboolean ok = pj_work_evaluate (work, 0, self->place->network->groups, self->masks, &accuracy, &self->done, error);
  pj_accuracy_clear (&accuracy);
  return ok;
}

PjmJob *
pjm_project_evaluate (PjmProject *self)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), NULL);
  PjmTask *task = pjm_task_new (self, "evaluate", _("Measure accuracy"), run_evaluate, TRUE, FALSE);
  return task != NULL ? pjm_task_start (task) : NULL;
}

static gboolean
run_evaluate_step (PjmTask *self, PjWork *work, GError **error)
{
  return pj_work_evaluate_step (work, &self->done, error);
}

PjmJob *
pjm_project_evaluate_step (PjmProject *self, PjmStep *step)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && PJM_IS_STEP (step), NULL);
  /* Translators: a job; %s is the title of a step of the history */
  g_autofree char *title = g_strdup_printf (_("Measure accuracy of “%s”"), pjm_step_title (step));
  PjmTask *task = pjm_task_new (self, "evaluate", title, run_evaluate_step, TRUE, TRUE);
  if (task == NULL)
    return NULL;
  pjm_step_id_unref (task->from_id);
  task->from_id = pjm_step_id_ref (pjm_step_id (step));
  return pjm_task_start (task);
}

static gboolean
run_compare (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjComparison) comparison = pj_work_compare (work, self->place->network->groups, &self->compare, NULL, NULL,
                                                         &self->done, error);
  return comparison != NULL;
}

/* "ThiNet, APoZ" (transfer full) */
static char *
join_titles (const char *const *methods)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; methods[i] != NULL; i++) {
    const PjMethod *method = pj_method_find (methods[i]);
    g_string_append_printf (names, "%s%s", i > 0 ? _(", ") : "", method != NULL ? _(method->title) : methods[i]);
  }
  return g_string_free (g_steal_pointer (&names), FALSE);
}

/* "1", "2" … (transfer full) */
static char **
count_seeds (guint n)
{
  g_autoptr (GPtrArray) seeds = g_ptr_array_new ();
  for (guint i = 0; i < MAX (n, 1u); i++)
    g_ptr_array_add (seeds, g_strdup_printf ("%u", PJM_SEED + i));
  g_ptr_array_add (seeds, NULL);
  return (char **) g_ptr_array_steal (seeds, NULL);
}

static unsigned
starts_of (const char *name)
{
  static const struct { const char *name; unsigned starts; } all[] = {
    { "own", PJ_COMPARE_OWN }, { "recalibrated", PJ_COMPARE_RECALIBRATED }, { "both", PJ_COMPARE_OWN | PJ_COMPARE_RECALIBRATED },
  };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (g_strcmp0 (name, all[i].name) == 0)
      return all[i].starts;
  return 0;
}

PjmJob *
pjm_project_compare (PjmProject *self, const PjmCompareOptions *options)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && options->methods != NULL && options->n_ratios > 0, NULL);
  g_autofree char *names = join_titles (options->methods), *title = g_strdup_printf (_("Compare %s"), names);
  PjmTask *task = pjm_task_new (self, "compare", title, run_compare, TRUE, TRUE);
  if (task == NULL)
    return NULL;
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  for (guint i = 0; i < options->n_ratios; i++) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_ptr_array_add (texts, g_strdup (g_ascii_formatd (number, sizeof number, "%.6g", options->ratios[i])));
  }
  g_ptr_array_add (texts, NULL);
  task->compare.methods = g_strdupv ((char **) options->methods);
  task->compare.seeds = count_seeds (options->n_seeds);
  task->compare.n_drawn = options->n_draws;
  task->compare.starts = starts_of (options->start);
  task->compare.ratios = (char **) g_ptr_array_steal (texts, NULL);
  task->compare.tune.epochs = options->epochs;
  task->compare.tune.max_steps = options->epochs > 0 ? options->max_steps : 0;
  task->compare.tune.seed = task->compare.seed = PJM_SEED;
  task->comparison = pjm_comparison_new (title);
  g_list_store_append (self->comparisons, task->comparison);
  return pjm_task_start (task);
}

static gboolean
run_export (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjGraph) cut = NULL;
  g_auto (PjCertificate) certificate = { 0 };
  PjWorkExport what = { .format = self->name, .path = self->path };
  /* A session that cannot be written is not asked. */
  if (work->session == NULL)
    what.original = self->place->network->graph;
  /* The file is what the screen shows: without what is marked. */
  if (self->masks != NULL) {
    cut = pj_work_make_cut (work, self->place->network->groups, self->masks, self->chosen_by, PJM_SEED, NULL, error);
    if (cut == NULL)
      return FALSE;
    work->graph = cut;
    /* What is known of the step's accuracy is not of this network. */
    what.accuracy = "";
  }
  return pj_work_export (work, &what, &certificate, &self->done, error);
}

PjmJob *
pjm_project_export (PjmProject *self, const char *format, const char *path)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && path != NULL, NULL);
  g_autofree char *base = g_path_get_basename (path), *title = g_strdup_printf (_("Export %s"), base);
  g_autoptr (GError) reason = NULL;
  if (pjm_project_is_ready (self) && !pj_work_export_check (format, TRUE, self->dataset != NULL, &reason)) {
    pjm_project_fail (self, _("The network could not be exported"), reason->message);
    return NULL;
  }
  PjmTask *task = pjm_task_new (self, "export", title, run_export, FALSE, FALSE);
  if (task == NULL)
    return NULL;
  task->name = g_strdup (format);
  task->path = g_strdup (path);
  return pjm_task_start (task);
}

/* --- jobs of an earlier run --- */

gboolean
pjm_task_kind_can_resume (const char *kind)
{
  PjJobRecord record = { .kind = (char *) kind, .state = PJ_JOB_INTERRUPTED };
  return pj_work_can_resume (&record);
}

/* What a criterion measured of the network that is shown. */
static gboolean
find_scores (PjmTask *self, const PjWork *work, GError **error)
{
  PjmNetwork *network = self->place->network;
  GError *reason = NULL;
  g_autoptr (PjJobRecord) job = pj_session_get_job (work->session, work->job, error);
  g_autoptr (PjStepRecord) step = job != NULL ? pj_session_get_step (work->session, job->step, error) : NULL;
  if (step == NULL)
    return FALSE;
  g_autofree char *name = pj_settings_get (job->settings, "criterion");
  if (step->model == network->model)
    self->scores = pj_session_get_graph_scores (work->session, network->model, network->groups, name, &reason);
  if (reason != NULL)
    g_propagate_error (error, reason);
  return reason == NULL;
}

static gboolean
run_resume (PjmTask *self, PjWork *work, GError **error)
{
  gint64 newest = pjm_task_newest_step (self);
  gboolean ok = pj_work_resume (work, &self->done, error);
  /* Only the job of a transfer has parts that make steps. */
  if (g_str_equal (pjm_job_get_kind (self->job), "small-data"))
    return pjm_task_note_parts (self, newest, self->done.step, ok ? error : NULL) && ok;
  return ok
         && (!g_str_equal (pjm_job_get_kind (self->job), "score") || find_scores (self, work, error));
}

gboolean
pjm_project_resume (PjmProject *self, PjmJob *job)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && PJM_IS_JOB (job), FALSE);
  if (!pjm_job_can_resume (job))
    return FALSE;
  if (pjm_job_get_state (job) == PJM_JOB_DONE)
    return pjm_chain_go_on (self, job);
  PjmTask *task = pjm_task_new (self, pjm_job_get_kind (job), "", run_resume, FALSE, TRUE);
  if (task == NULL)
    return FALSE;
  g_set_object (&task->job, job);
  task->resumes = pjm_job_get_id (job);
  task->follow = pjm_job_take_follow (job);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->comparisons)); i++) {
    g_autoptr (PjmComparison) comparison = g_list_model_get_item (G_LIST_MODEL (self->comparisons), i);
    if (pjm_comparison_get_job (comparison) == task->resumes)
      g_set_object (&task->comparison, comparison);
  }
  pjm_job_restart (job);
  pjm_task_start (task);
  return TRUE;
}

static char *
fine_tune_title (const PjJobRecord *record)
{
  return pjm_train_title (record->settings);
}

static char *
choose_title (const PjJobRecord *record)
{
  g_autofree char *name = pj_settings_get (record->settings, "method");
  const PjMethod *method = name != NULL ? pj_method_find (name) : NULL;
  return method != NULL ? g_strdup_printf (_("Choose by %s"), _(method->title)) : NULL;
}

static char *
score_title (const PjJobRecord *record)
{
  g_autofree char *name = pj_settings_get (record->settings, "criterion");
  const PjCriterion *criterion = name != NULL ? pj_criterion_find (name) : NULL;
  return criterion != NULL ? g_strdup_printf (_("Score by %s"), _(criterion->title)) : NULL;
}

static char *
compare_title (const PjJobRecord *record)
{
  g_auto (PjWorkCompare) settings;
  pj_work_compare_init (&settings);
  if (!pj_work_compare_read (&settings, record->settings, NULL) || settings.methods == NULL)
    return NULL;
  g_autofree char *names = join_titles ((const char *const *) settings.methods);
  return g_strdup_printf (_("Compare %s"), names);
}

static char *
sensitivity_title (const PjJobRecord *record)
{
  return g_strdup (_("Measure sensitivity"));
}

static char *
cut_title (const PjJobRecord *record)
{
  return g_strdup (_("Cut"));
}

static char *
recalibrate_title (const PjJobRecord *record)
{
  return g_strdup (_("Recalibrate norms"));
}

static char *
norms_title (const PjJobRecord *record)
{
  return g_strdup (_("Bring norms back"));
}

static char *
evaluate_title (const PjJobRecord *record)
{
  return g_strdup (_("Measure accuracy"));
}

static char *
gates_title (const PjJobRecord *record)
{
  return g_strdup (_("Train gates of blocks"));
}

static char *
small_data_title (const PjJobRecord *record)
{
  return g_strdup (_("Prune before or after a transfer"));
}

/* "parts stage2.block3" */
static char *
remove_title (const PjJobRecord *record)
{
  g_autofree char *names = pj_settings_get (record->settings, "parts");
  return names != NULL ? g_strdup_printf (_("Remove %s"), names) : NULL;
}

static char *
judge_title (const PjJobRecord *record)
{
  return g_strdup (g_str_equal (record->title, "Judge layers") ? _("Judge layers") : _("Judge blocks"));
}

/* The record has the file's name in its title only, which is English as all that jobs store. */
static char *
export_title (const PjJobRecord *record)
{
  static const char prefix[] = "Export ";
  return g_str_has_prefix (record->title, prefix) ? g_strdup_printf (_("Export %s"), record->title + strlen (prefix)) : NULL;
}

char *
pjm_job_title (const PjJobRecord *record)
{
  static const struct { const char *kind; char *(*title) (const PjJobRecord *record); } kinds[] = {
    { "fine-tune", fine_tune_title }, { "choose", choose_title }, { "score", score_title }, { "compare", compare_title },
    { "cut", cut_title }, { "remove-parts", remove_title }, { "judge-parts", judge_title },
    { "recalibrate", recalibrate_title }, { "norms", norms_title }, { "evaluate", evaluate_title },
    { "sensitivity", sensitivity_title }, { "export", export_title }, { "gate-blocks", gates_title },
    { "small-data", small_data_title },
  };
  char *title = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (kinds) && title == NULL; i++)
    if (g_strcmp0 (record->kind, kinds[i].kind) == 0)
      title = kinds[i].title (record);
  return title != NULL ? title : g_strdup (record->title);
}

void
pjm_project_dismiss_job (PjmProject *self, PjmJob *job)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && PJM_IS_JOB (job));
  pjm_job_set_dismissed (job, TRUE);
  if (pjm_job_get_state (job) == PJM_JOB_DONE)
    pjm_job_set_can_resume (job, FALSE);
  if (pjm_job_get_id (job) != 0)
    pjm_chain_drop (self, pjm_job_get_id (job));
}
