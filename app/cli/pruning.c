/* SPDX-License-Identifier: MIT */
/* A network on its way: measured, cut, recalibrated, fine-tuned, and measured again after each stage.
 *
 * With a session the way is a job of its own, whose parts are the jobs of its stages.  When it is started again, stages that
 * are done are taken from the session, one that was stopped goes on from its checkpoint, and the rest is done as ever: the
 * network at the end is the same, bit for bit. */
#include "cli/cli.h"

#include <string.h>

#include "model/work-open.h"
#include "model/work-parts.h"

static void
follow (const CliModel *model, PjWork *work)
{
  work->graph = model->graph;
  work->step = model->step;
}

/* --- stages --- */

/* What was measured so far outlives the process with the job. */
static gboolean
keep_stages (const PjWork *work, const CliStages *stages, GError **error)
{
  if (work->part_of == 0)
    return TRUE;
  g_autofree char *text = cli_stages_write (stages);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  PjCheckpoint checkpoint = { .step = 1, .state = bytes };
  return pj_session_put_checkpoint (work->session, work->part_of, &checkpoint, error);
}

/* A stage that was measured before the process ended. */
static gboolean
recall (CliModel *model, const PjWork *work, const CliStages *stages, const char *id)
{
  if (work->part_of == 0 || !cli_stages_has (stages, id))
    return FALSE;
  g_autoptr (PjStepRecord) step = pj_session_get_step (work->session, model->step, NULL);
  g_autofree char *known = step != NULL ? pj_work_known_accuracy (work->session, step->model) : NULL;
  if (known == NULL)
    return FALSE;
  g_free (model->accuracy);
  model->accuracy = g_steal_pointer (&known);
  return TRUE;
}

static gboolean
measure (Cli *cli, CliModel *model, PjWork *work, unsigned n_test, CliStages *stages, const char *id, const char *title,
         GError **error)
{
  PjAccuracy accuracy;
  if (recall (model, work, stages, id))
    return TRUE;
  /* Without pictures only the costs are known. */
  if (work->dataset == NULL) {
    if (!cli_stages_has (stages, id))
      cli_stages_add (stages, id, title, model->graph, NULL);
    return keep_stages (work, stages, error);
  }
  if (!cli_measure (cli, model, work, n_test, &accuracy, error))
    return FALSE;
  if (!cli_stages_has (stages, id))
    cli_stages_add (stages, id, title, model->graph, &accuracy);
  g_autofree char *top1 = cli_percent (accuracy.top1);
  cli_note (cli, "%s: top-1 %s", title, top1);
  pj_accuracy_clear (&accuracy);
  return keep_stages (work, stages, error);
}

/* @model goes on as the network of @step, with what is marked there. */
static gboolean
go_to (CliModel *model, const PjWork *work, int64_t step, GError **error)
{
  g_auto (PjWorkPlace) place = { 0 };
  if (!pj_work_open_step (work->session, step, &place, error))
    return FALSE;
  g_autofree char *accuracy = g_steal_pointer (&model->accuracy);
  cli_model_advance (model, g_steal_pointer (&place.graph), step);
  /* Marking changes no accuracy that a note could name. */
  if (place.step->kind == PJ_STEP_MASKED)
    model->accuracy = g_steal_pointer (&accuracy);
  pj_cut_plan_unref (model->plan);
  model->plan = g_steal_pointer (&place.plan);
  return TRUE;
}

typedef gboolean (*StageFunc) (Cli *cli, CliModel *model, PjWork *work, gpointer data, GError **error);

/* Does the stage, or what is left of it. */
static gboolean
do_stage (Cli *cli, CliModel *model, PjWork *work, const char *name, StageFunc func, gpointer data, GError **error)
{
  int64_t job, step;
  follow (model, work);
  work->stage = name;
  if (work->part_of == 0)
    return func (cli, model, work, data, error);
  if (!pj_work_find_stage (work->session, work->part_of, name, &job, &step, error))
    return FALSE;
  if (job != 0) {
    g_auto (PjWorkDone) done = { 0 };
    PjWork rest = *work;
    rest.job = job;
    cli_note (cli, "Going on with job %" G_GINT64_FORMAT, job);
    if (!pj_work_resume (&rest, &done, error))
      return FALSE;
    step = done.step;
  }
  return step != 0 ? go_to (model, work, step, error) : func (cli, model, work, data, error);
}

/* --- what the stages do --- */

/* {"conv1": 16, …}; and a remark about groups that “--keep 0.5” did not reach. */
static void
report_kept (Cli *cli, const PjGroups *groups, const PjCutPlan *plan, const PjWorkChoose *choice)
{
  JsonObject *kept = json_object_new ();
  g_autoptr (GString) whole = g_string_new (NULL);
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    if (group->lock_reason != NULL)
      continue;
    int n = pj_cut_plan_n_kept (plan, group);
    json_object_set_int_member (kept, group->name, n);
    if (n == group->n_channels)
      g_string_append_printf (whole, "%s%s", whole->len > 0 ? ", " : "", group->name);
  }
  if (whole->len > 0 && choice->keep != NULL && !pj_method_find (choice->method)->connections)
    cli_note (cli, "Left whole (not asked for, or %s cannot judge them): %s", choice->method, whole->str);
  json_object_set_object_member (cli->result, "kept", kept);
}

/* @model stays the same network, with what is to go marked. */
static gboolean
choose (Cli *cli, CliModel *model, PjWork *work, gpointer data, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  PjCutPlan *plan = pj_work_choose (work, model->groups, data, NULL, &done, error);
  if (plan == NULL)
    return FALSE;
  const PjWorkChoose *choice = data;
  if (choice->constants != NULL && done.text != NULL)
    cli_note (cli, "%s", done.text);
  pj_cut_plan_unref (model->plan);
  model->plan = plan;
  if (done.step != 0)
    model->step = done.step;
  return TRUE;
}

static gboolean
cut (Cli *cli, CliModel *model, PjWork *work, gpointer data, GError **error)
{
  const PjWorkChoose *choice = data;
  g_auto (PjWorkDone) done = { 0 };
  PjGraph *small = pj_work_cut (work, model->groups, model->plan, choice->method, choice->seed, model->accuracy, &done, error);
  if (small == NULL)
    return FALSE;
  cli_model_advance (model, small, done.step);
  return TRUE;
}

static gboolean
recalibrate (Cli *cli, CliModel *model, PjWork *work, gpointer data, GError **error)
{
  const PjWorkChoose *choice = data;
  g_auto (PjWorkDone) done = { 0 };
  PjGraph *graph = pj_work_recalibrate (work, 0, choice->seed, &done, error);
  if (graph == NULL)
    return FALSE;
  cli_model_advance (model, graph, done.step);
  return TRUE;
}

static gboolean
train (Cli *cli, CliModel *model, PjWork *work, gpointer data, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  PjGraph *trained = pj_work_train (work, data, NULL, &done, error);
  if (trained == NULL)
    return FALSE;
  cli_model_advance (model, trained, done.step);
  return TRUE;
}

static gboolean
replace_classifier (Cli *cli, CliModel *model, PjWork *work, gpointer data, GError **error)
{
  const PjWorkChoose *choice = data;
  g_auto (PjWorkDone) done = { 0 };
  PjGraph *graph = pj_work_gap (work, choice->seed, &done, error);
  if (graph == NULL)
    return FALSE;
  cli_model_advance (model, graph, done.step);
  return TRUE;
}

static gboolean
gate_blocks (Cli *cli, CliModel *model, PjWork *work, gpointer data, GError **error)
{
  const CliPruning *pruning = data;
  const PjWorkChoose *choice = pruning->choice;
  g_auto (PjWorkDone) done = { 0 };
  PjGraph *small = pj_work_gate_blocks (work, pruning->drop->keep_blocks, (const char *const *) choice->set, choice->n_images,
                                        choice->seed, model->accuracy, &done, error);
  if (small == NULL)
    return FALSE;
  cli_model_advance (model, small, done.step);
  return TRUE;
}

static gboolean
drop (Cli *cli, CliModel *model, PjWork *work, gpointer data, GError **error)
{
  return cli_drop (cli, model, work, data, error);
}

/* --- the way --- */

/* Trains gates of blocks, and tells whose closed, also where that was before the process ended. */
static gboolean
drop_by_gates (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, GError **error)
{
  g_autoptr (PjParts) before = pj_parts_new (model->graph);
  if (!do_stage (cli, model, work, "gate-blocks", gate_blocks, (gpointer) pruning, error))
    return FALSE;
  g_autoptr (PjParts) after = pj_parts_new (model->graph);
  JsonArray *names = json_array_new ();
  for (unsigned i = 0; i < pj_parts_n (before); i++) {
    const PjPart *part = pj_parts_get (before, i);
    if (part->kind != PJ_PART_BRANCH || pj_parts_find (after, part->name) != NULL)
      continue;
    cli_note (cli, "Removed block %s", part->name);
    json_array_add_string_element (names, part->name);
  }
  json_object_set_array_member (cli->result, "removed", names);
  return TRUE;
}

/* Removes whole parts, if any are to go. */
static gboolean
drop_parts (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, CliStages *stages, GError **error)
{
  if (pruning->drop == NULL)
    return TRUE;
  CliDrop parts = *pruning->drop, groups = { .groups = parts.groups };
  parts.groups = NULL;
  gboolean any_parts = parts.blocks != NULL || parts.layers != NULL || parts.n_weakest > 0;
  if (!any_parts && groups.groups == NULL && parts.keep_blocks == 0.0)
    return TRUE;
  return (parts.keep_blocks == 0.0 || drop_by_gates (cli, model, work, pruning, error))
         && (!any_parts || do_stage (cli, model, work, "drop-parts", drop, &parts, error))
         && (groups.groups == NULL || do_stage (cli, model, work, "drop-groups", drop, &groups, error))
         && measure (cli, model, work, pruning->n_test, stages, "dropped", "without the parts", error);
}

static gboolean
cut_channels (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, CliStages *stages, GError **error)
{
  gpointer choice = (gpointer) pruning->choice;
  if (!pj_work_choose_is_asked (choice))
    return TRUE;
  if (!do_stage (cli, model, work, "choose", choose, choice, error))
    return FALSE;
  report_kept (cli, model->groups, model->plan, choice);
  return do_stage (cli, model, work, "cut", cut, choice, error)
         && measure (cli, model, work, pruning->n_test, stages, "cut", "after cutting", error);
}

/* The stages of CURL; the network before all cuts is the teacher. */
static gboolean
tune_by_stages (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, PjGraph *teacher, int64_t teacher_step,
                CliStages *stages, GError **error)
{
  static const char *const ids[] = { "stage-a", "stage-b" };
  static const char *const titles[] = { "after mixup and distillation", "after label refinement" };
  for (int i = 0; i < 2; i++) {
    if (pruning->stages[i] == NULL)
      continue;
    PjWorkTrain settings = *pruning->stages[i];
    settings.teacher_step = (uint64_t) teacher_step;
    settings.teacher_graph = teacher_step == 0 ? teacher : NULL;
    if (!do_stage (cli, model, work, ids[i], train, &settings, error)
        || !measure (cli, model, work, pruning->n_test, stages, ids[i], titles[i], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
tune (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, uint64_t full_macs, CliStages *stages, GError **error)
{
  if (pruning->tune == NULL)
    return TRUE;
  PjWorkTrain settings = *pruning->tune;
  const PjMethod *method = pj_method_find (pruning->choice->method);
  PjCost cost;
  pj_graph_cost (model->graph, &cost);
  settings.fresh = method->fresh != PJ_FRESH_NO;
  pj_fresh_options (&settings.options, method->fresh, full_macs, cost.macs);
  return do_stage (cli, model, work, "tune", train, &settings, error)
         && measure (cli, model, work, pruning->n_test, stages, "tuned", "after fine-tuning", error);
}

gboolean
cli_prune (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, CliStages *stages, GError **error)
{
  unsigned n = pruning->n_test;
  gpointer choice = (gpointer) pruning->choice;
  gboolean measured = model->accuracy != NULL;
  g_autoptr (PjGraph) teacher = pj_graph_ref (model->graph);
  int64_t teacher_step = model->session != NULL ? model->step : 0;
  PjCost full;
  pj_graph_cost (model->graph, &full);
  follow (model, work);
  return (measured || measure (cli, model, work, n, stages, "before", "before", error))
         && drop_parts (cli, model, work, pruning, stages, error)
         && cut_channels (cli, model, work, pruning, stages, error)
         && (!pruning->gap
             || (do_stage (cli, model, work, "gap", replace_classifier, choice, error)
                 && measure (cli, model, work, n, stages, "gap", "new classifier", error)))
         && (!pruning->recalibrate
             || (do_stage (cli, model, work, "recalibrate", recalibrate, choice, error)
                 && measure (cli, model, work, n, stages, "recalibrated", "norms measured again", error)))
         && tune (cli, model, work, pruning, full.macs, stages, error)
         && tune_by_stages (cli, model, work, pruning, teacher, teacher_step, stages, error);
}
