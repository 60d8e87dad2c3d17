/* SPDX-License-Identifier: MIT */
/* Training after a cut, with or without a teacher. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/tasks-private.h"

void
pjm_tune_options_init (PjmTuneOptions *options)
{
  *options = (PjmTuneOptions) { .kind = PJM_TUNE_PLAIN, .epochs = 1, .lr = 0.01, .batch = 64, .distill = 0.5, .temperature = 2 };
}

/* --- training --- */

char *
pjm_tune_title (const PjTrainOptions *o, gboolean teacher)
{
  guint n = o->max_steps > 0 ? o->max_steps : o->epochs;
  g_autofree char *amount = o->max_steps > 0 ? g_strdup_printf (ngettext ("%u step", "%u steps", n), n)
                                             : g_strdup_printf (ngettext ("%u epoch", "%u epochs", n), n);
  if (o->refine)
    /* Translators: a job; %s is "3 epochs" or "200 steps" */
    return g_strdup_printf (_("Refine labels, %s"), amount);
  if (o->mixup > 0.0f && teacher)
    return g_strdup_printf (_("Mixup and distillation, %s"), amount);
  if (o->distill > 0.0f && teacher)
    return g_strdup_printf (_("Fine-tune with a teacher, %s"), amount);
  if (o->max_steps > 0)
    return g_strdup_printf (_("Fine-tune, %s"), amount);
  return g_strdup_printf (ngettext ("Fine-tune, %u epoch", "Fine-tune, %u epochs", n), n);
}

char *
pjm_train_title (const char *text)
{
  g_auto (PjWorkTrain) settings;
  pj_work_train_init (&settings);
  if (text == NULL || !pj_work_train_read (&settings, text, NULL))
    return NULL;
  return pjm_tune_title (&settings.options, settings.teacher_step != 0 || settings.teacher != NULL);
}

/* One training. @teacher: (nullable): the step whose network it is */
typedef struct {
  PjTrainOptions options;
  PjmStepId *teacher;
} Tune;

static void
tune_free (gpointer data)
{
  Tune *self = data;
  pjm_step_id_unref (self->teacher);
  g_free (self);
}

static gboolean
run_train (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjGraph) graph = pj_work_train (work, &self->train, NULL, &self->done, error);
  return graph != NULL;
}

static PjmTask *
make_tune (PjmProject *project, gpointer data, gboolean *skip)
{
  Tune *tune = data;
  g_autofree char *title = pjm_tune_title (&tune->options, tune->teacher != NULL);
  PjmTask *task = pjm_task_new (project, "fine-tune", title, run_train, TRUE, TRUE);
  if (task == NULL)
    return NULL;
  task->cuts_first = task->masks != NULL;
  task->train.options = tune->options;
  if (tune->teacher != NULL)
    task->teacher_id = pjm_step_id_ref (tune->teacher);
  return task;
}

static char *
write_tune (gconstpointer data)
{
  const Tune *tune = data;
  g_auto (PjWorkTrain) settings;
  pj_work_train_init (&settings);
  settings.options = tune->options;
  settings.teacher_step = tune->teacher != NULL ? (uint64_t) tune->teacher->id : 0;
  return pj_work_train_write (&settings);
}

static gpointer
read_tune (const char *text)
{
  g_auto (PjWorkTrain) settings;
  pj_work_train_init (&settings);
  if (!pj_work_train_read (&settings, text, NULL))
    return NULL;
  Tune *tune = g_new0 (Tune, 1);
  *tune = (Tune) { settings.options, settings.teacher_step != 0 ? pjm_step_id_new ((gint64) settings.teacher_step) : NULL };
  return tune;
}

const PjmLink pjm_tune_links[] = {
  { "fine-tune", make_tune, tune_free, write_tune, read_tune },
  { NULL }
};

static void
append_tune (PjmFollow **list, const PjTrainOptions *options, PjmStepId *teacher)
{
  Tune *tune = g_new0 (Tune, 1);
  *tune = (Tune) { *options, teacher != NULL ? pjm_step_id_ref (teacher) : NULL };
  pjm_follow_append (list, pjm_follow_new (make_tune, tune, tune_free));
}

void
pjm_tune_follow (PjmProject *project, PjmFollow **list, const PjmTuneOptions *asked, PjmStepId *teacher)
{
  PjTrainOptions plain;
  pj_train_options_init (&plain);
  plain.epochs = asked->epochs;
  plain.max_steps = asked->max_steps;
  plain.batch = asked->batch > 0 ? asked->batch : plain.batch;
  plain.lr = asked->lr > 0.0 ? (float) asked->lr : 0.01f;
  plain.eval_every_epoch = TRUE;
  plain.seed = PJM_SEED;
  if (asked->kind == PJM_TUNE_PLAIN && asked->epochs > 0)
    append_tune (list, &plain, NULL);
  if (asked->kind == PJM_TUNE_DISTILL && asked->epochs > 0) {
    plain.distill = (float) asked->distill;
    plain.distill_temperature = (float) asked->temperature;
    append_tune (list, &plain, teacher);
  }
  if (asked->kind != PJM_TUNE_CURL)
    return;
  PjTrainOptions a = plain, b = plain;
  guint n_train = project->dataset != NULL ? pj_dataset_n (project->dataset, PJ_SPLIT_TRAIN) : 0;
  pj_train_options_curl_a (&a, MAX (asked->epochs, 1u), n_train);
  pj_train_options_curl_b (&b, MAX (asked->epochs_b, 1u));
  if (asked->lr > 0.0)
    a.lr = (float) asked->lr;
  a.max_steps = b.max_steps = asked->max_steps;
  if (asked->epochs > 0)
    append_tune (list, &a, teacher);
  if (asked->epochs_b > 0)
    append_tune (list, &b, teacher);
}

PjmJob *
pjm_project_tune (PjmProject *self, const PjmTuneOptions *options)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && options->kind != PJM_TUNE_NOT, NULL);
  g_return_val_if_fail (options->epochs > 0 || (options->kind == PJM_TUNE_CURL && options->epochs_b > 0), NULL);
  PjmFollow *list = NULL;
  g_autoptr (PjmStep) teacher = NULL;
  if (options->kind != PJM_TUNE_PLAIN)
    teacher = g_list_model_get_item (G_LIST_MODEL (self->steps), options->teacher);
  pjm_tune_follow (self, &list, options, teacher != NULL ? pjm_step_id (teacher) : NULL);
  return pjm_follow_start (self, list, 0);
}
