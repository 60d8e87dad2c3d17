/* SPDX-License-Identifier: MIT */
/* Measuring a network and its norms as jobs. */
#include <string.h>

#include "base/error.h"
#include "model/work-open.h"
#include "model/work-private.h"
#include "model/work-train.h"
#include "session/model.h"

PjGraph *
pj_work_recalibrate (const PjWork *work, unsigned n_batches, uint64_t seed, PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  PjWorkRun *run = pj_work_begin (work, "recalibrate", "Measure norms again", NULL, seed, error);
  if (run == NULL)
    return NULL;
  PjFormat format = { 0 };
  g_autoptr (PjGraph) graph = NULL;
  if (pj_dataset_format_for (work->dataset, work->graph, FALSE, &format, error))
    graph = pj_recalibrate (work->device, work->graph, work->dataset, &format, n_batches, seed,
                            pj_work_run_hooks (run), error);
  gboolean changed = graph != NULL && graph != work->graph;
  if (changed)
    pj_graph_set_meta (graph, PJ_NOTE_ACCURACY, NULL);
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_RECALIBRATED, 0, "Measure norms again");
  gboolean ok = graph != NULL && (!changed || pj_work_run_add_step (run, graph, step, error));
  const char *text = changed ? "norm statistics measured on the training pictures" : "the network has no norms";
  if (!pj_work_end (run, ok, ok ? g_strdup (text) : NULL, done, error))
    return NULL;
  if (done != NULL)
    done->step = step->id;
  return g_steal_pointer (&graph);
}

PjGraph *
pj_work_bring_norms_back (const PjWork *work, unsigned n_images, uint64_t seed, PjNormsBack *result, PjWorkDone *done, GError **error)
{
  static const char title[] = PJ_WORK_NORMS_TITLE;
  if (done != NULL)
    memset (done, 0, sizeof *done);
  PjWorkRun *run = pj_work_begin (work, "norms", title, NULL, seed, error);
  if (run == NULL)
    return NULL;
  PjFormat format = { 0 };
  PjNormsBack back = { 0 };
  g_autoptr (PjGraph) graph = NULL;
  if (pj_dataset_format_for (work->dataset, work->graph, FALSE, &format, error))
    graph = pj_bring_norms_back (work->device, work->graph, work->dataset, &format, n_images, seed, pj_work_run_hooks (run),
                                 &back, error);
  gboolean changed = graph != NULL && graph != work->graph;
  if (changed)
    pj_format_note (&format, graph);
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_RECALIBRATED, 0, title);
  gboolean ok = graph != NULL && (!changed || pj_work_run_add_step (run, graph, step, error));
  g_autofree char *text = changed ? g_strdup_printf ("%u norms, measured on %u pictures; outputs differ by %.1e of the largest",
                                                     back.n_norms, back.n_images, back.difference)
                                  : g_strdup ("no norm is missing");
  if (!pj_work_end (run, ok, ok ? g_steal_pointer (&text) : NULL, done, error))
    return NULL;
  if (done != NULL)
    done->step = step->id;
  if (result != NULL)
    *result = back;
  return g_steal_pointer (&graph);
}

/* What each picture was taken for, so that versions can be compared without measuring them again.
 * (transfer full) */
static PjAnswersRecord *
make_answers (const PjWork *work, const PjAccuracy *accuracy)
{
  g_autoptr (PjAnswersRecord) record = g_new0 (PjAnswersRecord, 1);
  record->data = g_strdup (work->data != NULL ? work->data : "");
  record->classes = pj_dataset_class_list (work->dataset);
  record->n = accuracy->n;
  record->labels = g_new (uint16_t, MAX (accuracy->n, 1u));
  for (unsigned i = 0; i < accuracy->n; i++)
    record->labels[i] = (uint16_t) CLAMP (pj_dataset_label (work->dataset, PJ_SPLIT_TEST, i), 0, PJ_NO_ANSWER);
  record->answers = g_memdup2 (accuracy->answers, accuracy->n * sizeof *accuracy->answers);
  return g_steal_pointer (&record);
}

static gboolean
remember (const PjWork *work, const PjAccuracy *accuracy, GError **error)
{
  if (work->session == NULL || work->step == 0 || pj_session_is_read_only (work->session))
    return TRUE;
  g_autoptr (PjStepRecord) step = pj_session_get_step (work->session, work->step, error);
  g_autoptr (PjAnswersRecord) answers = make_answers (work, accuracy);
  return step != NULL && pj_work_remember_accuracy (work->session, step->model, accuracy->top1, accuracy->n, error)
         && pj_session_put_answers (work->session, step->model, answers, error);
}

/* The network with marked channels masked is the step's own. */
static gboolean
remember_masked (const PjWork *work, const PjAccuracy *accuracy, GError **error)
{
  g_autoptr (PjAnswersRecord) answers = make_answers (work, accuracy);
  return pj_session_put_step_answers (work->session, work->step, answers, error);
}

typedef gboolean (*Remember) (const PjWork *work, const PjAccuracy *accuracy, GError **error);

/* @keep: (nullable): stores what was measured */
static gboolean
evaluate (const PjWork *work, unsigned n_max, const PjGroups *groups, const PjCutPlan *masks, Remember keep, PjAccuracy *accuracy,
          PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  memset (accuracy, 0, sizeof *accuracy);
  PjWorkRun *run = pj_work_begin (work, "evaluate", "Measure accuracy", NULL, 0, error);
  if (run == NULL)
    return FALSE;
  PjFormat format = { 0 };
  gboolean ok = pj_dataset_format_for (work->dataset, work->graph, TRUE, &format, error)
                && pj_evaluate (work->device, work->graph, work->dataset, PJ_SPLIT_TEST, &format, n_max, groups, masks,
                                pj_work_run_hooks (run), accuracy, error)
                && (keep == NULL || keep (work, accuracy, error));
  g_autofree char *percent = pj_work_percent (accuracy->top1);
  char *text = ok ? g_strdup_printf ("%s of %u pictures (±%.2f), loss %.4f", percent, accuracy->n,
                                     100.0 * pj_accuracy_error (accuracy), accuracy->loss) : NULL;
  ok = pj_work_end (run, ok, text, done, error);
  if (!ok)
    pj_accuracy_clear (accuracy);
  return ok;
}

gboolean
pj_work_evaluate (const PjWork *work, unsigned n_max, const PjGroups *groups, const PjCutPlan *masks,
                  PjAccuracy *accuracy, PjWorkDone *done, GError **error)
{
  return evaluate (work, n_max, groups, masks, masks == NULL ? remember : NULL, accuracy, done, error);
}

gboolean
pj_work_has_marks (const PjGroups *groups, const PjCutPlan *plan)
{
  for (unsigned g = 0; g < pj_groups_n (groups); g++)
    if (pj_cut_plan_get (plan, (int) g) != NULL)
      return TRUE;
  return FALSE;
}

gboolean
pj_work_evaluate_step (const PjWork *work, PjWorkDone *done, GError **error)
{
  g_autoptr (PjStepRecord) step = pj_session_get_step (work->session, work->step, error);
  g_autoptr (PjGraph) graph = step != NULL ? pj_session_get_graph (work->session, step->model, error) : NULL;
  if (graph == NULL)
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) masks = pj_stored_cuts_to_plan (groups, step->cuts, NULL, error);
  if (masks == NULL)
    return FALSE;
  PjWork own = *work;
  own.graph = graph;
  gboolean marked = pj_work_has_marks (groups, masks);
  PjAccuracy accuracy;
  gboolean ok = evaluate (&own, 0, marked ? groups : NULL, marked ? masks : NULL, marked ? remember_masked : remember, &accuracy,
                          done, error);
  if (ok)
    pj_accuracy_clear (&accuracy);
  return ok;
}
