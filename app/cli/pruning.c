/* SPDX-License-Identifier: MIT */
/* A network on its way: measured, cut, recalibrated, fine-tuned, and measured again after each step. */
#include "cli/cli.h"

static gboolean
measure (Cli *cli, CliModel *model, PjWork *work, unsigned n_test, CliStages *stages, const char *id, const char *title,
         GError **error)
{
  PjAccuracy accuracy;
  if (!cli_measure (cli, model, work, n_test, &accuracy, error))
    return FALSE;
  cli_stages_add (stages, id, title, model->graph, &accuracy);
  g_autofree char *top1 = cli_percent (accuracy.top1);
  cli_note (cli, "%s: top-1 %s", title, top1);
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

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

static gboolean
choose_and_cut (Cli *cli, CliModel *model, PjWork *work, const PjWorkChoose *choice, GError **error)
{
  g_auto (PjWorkDone) chosen = { 0 }, done = { 0 };
  g_autoptr (PjCutPlan) plan = pj_work_choose (work, model->groups, choice, NULL, &chosen, error);
  if (plan == NULL)
    return FALSE;
  report_kept (cli, model->groups, plan, choice);
  if (chosen.step != 0)
    work->step = chosen.step;
  PjGraph *cut = pj_work_cut (work, model->groups, plan, choice->method, choice->seed, model->accuracy, &done, error);
  if (cut == NULL)
    return FALSE;
  cli_model_advance (model, cut, done.step);
  return TRUE;
}

static void
follow (const CliModel *model, PjWork *work)
{
  work->graph = model->graph;
  work->step = model->step;
}

static gboolean
recalibrate (CliModel *model, PjWork *work, uint64_t seed, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  follow (model, work);
  PjGraph *graph = pj_work_recalibrate (work, 0, seed, &done, error);
  if (graph == NULL)
    return FALSE;
  cli_model_advance (model, graph, done.step);
  return TRUE;
}

static gboolean
train (CliModel *model, PjWork *work, const PjWorkTrain *settings, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  follow (model, work);
  PjGraph *trained = pj_work_train (work, settings, NULL, &done, error);
  if (trained == NULL)
    return FALSE;
  cli_model_advance (model, trained, done.step);
  return TRUE;
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
    if (!train (model, work, &settings, error) || !measure (cli, model, work, pruning->n_test, stages, ids[i], titles[i], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
tune (CliModel *model, PjWork *work, const CliPruning *pruning, uint64_t full_macs, GError **error)
{
  PjWorkTrain settings = *pruning->tune;
  const PjMethod *method = pj_method_find (pruning->choice->method);
  PjCost cost;
  pj_graph_cost (model->graph, &cost);
  settings.fresh = method->fresh != PJ_FRESH_NO;
  pj_fresh_options (&settings.options, method->fresh, full_macs, cost.macs);
  return train (model, work, &settings, error);
}

/* Removes whole parts, if any are to go. */
static gboolean
drop_parts (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, CliStages *stages, GError **error)
{
  const CliDrop *drop = pruning->drop;
  if (drop == NULL || (drop->blocks == NULL && drop->layers == NULL && drop->n_weakest == 0 && drop->groups == NULL))
    return TRUE;
  if (!cli_drop (cli, model, work, drop, error))
    return FALSE;
  follow (model, work);
  return measure (cli, model, work, pruning->n_test, stages, "dropped", "without the parts", error);
}

static gboolean
cut_channels (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, CliStages *stages, GError **error)
{
  const PjWorkChoose *choice = pruning->choice;
  if (!pj_work_choose_is_asked (choice))
    return TRUE;
  return choose_and_cut (cli, model, work, choice, error)
         && measure (cli, model, work, pruning->n_test, stages, "cut", "after cutting", error);
}

static gboolean
replace_classifier (CliModel *model, PjWork *work, uint64_t seed, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  follow (model, work);
  PjGraph *graph = pj_work_gap (work, seed, &done, error);
  if (graph == NULL)
    return FALSE;
  cli_model_advance (model, graph, done.step);
  return TRUE;
}

gboolean
cli_prune (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, CliStages *stages, GError **error)
{
  unsigned n = pruning->n_test;
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
             || (replace_classifier (model, work, pruning->choice->seed, error)
                 && measure (cli, model, work, n, stages, "gap", "new classifier", error)))
         && (!pruning->recalibrate
             || (recalibrate (model, work, pruning->choice->seed, error)
                 && measure (cli, model, work, n, stages, "recalibrated", "norms measured again", error)))
         && (pruning->tune == NULL
             || (tune (model, work, pruning, full.macs, error)
                 && measure (cli, model, work, n, stages, "tuned", "after fine-tuning", error)))
         && tune_by_stages (cli, model, work, pruning, teacher, teacher_step, stages, error);
}
