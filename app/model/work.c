/* SPDX-License-Identifier: MIT */
/* The frame of a job: its record, the points of its curves, the step it leads to.
 *
 * A point that cannot be stored (disk full) stops the job at its next poll, and the job then fails with
 * that reason instead of “cancelled”: going on would compute something that cannot be kept. */
#include "model/work.h"

#include <string.h>

#include "base/error.h"
#include "model/work-open.h"
#include "model/work-private.h"
#include "model/work-settings.h"
#include "session/model.h"

/* Points wait for so long before they are stored, all in one transaction. */
#define FLUSH_US G_USEC_PER_SEC
/* A poll for cancellation that takes longer than this was a pause. */
#define PAUSE_US (G_USEC_PER_SEC / 20)

struct _PjWorkRun {
  const PjWork *work;
  PjJobRecord *record;        /* NULL without a session */
  PjHooks hooks;
  GArray *points;             /* PjPoint, not stored yet */
  gint64 flushed_us, started_us, paused_us, elapsed_before_ms;
  GError *store_error;
};

void
pj_work_done_clear (PjWorkDone *self)
{
  g_clear_pointer (&self->text, g_free);
  self->job = self->step = 0;
}

static void
progress_cb (gpointer data, const char *stage, double fraction)
{
  PjWorkRun *self = data;
  const PjHooks *hooks = self->work->hooks;
  if (hooks != NULL && hooks->progress != NULL)
    hooks->progress (hooks->data, stage, fraction);
}

static void
metric_cb (gpointer data, const char *series, double x, double y)
{
  PjWorkRun *self = data;
  pj_hooks_metric (self->work->hooks, series, x, y);
  if (self->record == NULL)
    return;
  PjPoint point = { g_intern_string (series), x, y };
  g_array_append_val (self->points, point);
}

static gboolean
is_cancelled_cb (gpointer data)
{
  PjWorkRun *self = data;
  gint64 before = g_get_monotonic_time ();
  if (before - self->flushed_us > FLUSH_US && self->store_error == NULL)
    pj_work_run_flush (self, &self->store_error);
  if (self->store_error != NULL)
    return TRUE;
  const PjHooks *hooks = self->work->hooks;
  before = g_get_monotonic_time ();
  gboolean cancelled = hooks != NULL && hooks->is_cancelled != NULL && hooks->is_cancelled (hooks->data);
  gint64 waited = g_get_monotonic_time () - before;
  if (waited > PAUSE_US)
    self->paused_us += waited;
  return cancelled;
}

static int64_t
now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static void
measure_elapsed (PjWorkRun *self)
{
  self->record->elapsed_ms = self->elapsed_before_ms
                             + (g_get_monotonic_time () - self->started_us - self->paused_us) / 1000;
}

/* Settings with the lines that all jobs share. */
static char *
complete_settings (const PjWork *work, const char *settings)
{
  static const PjField fields[] = {
    { "data", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWork, data) },
    { "out", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWork, out) },
    { NULL }
  };
  static const PjField chain[] = { { "follow", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWork, follow) }, { NULL } };
  g_autofree char *shared = pj_fields_write (fields, work), *follow = pj_fields_write (chain, work);
  if (work->part_of == 0) {
    g_autofree char *after = work->after != 0 ? g_strdup_printf ("after %" G_GINT64_FORMAT "\n", work->after) : NULL;
    return g_strconcat (settings != NULL ? settings : "", shared, follow, after, NULL);
  }
  return g_strdup_printf ("%s%spart-of %" G_GINT64_FORMAT "\nstage %s\n", settings != NULL ? settings : "", shared, work->part_of,
                          work->stage);
}

static gboolean
make_record (PjWorkRun *self, const char *kind, const char *title, const char *settings, uint64_t seed, GError **error)
{
  const PjWork *work = self->work;
  if (work->job != 0) {
    self->record = pj_session_get_job (work->session, work->job, error);
    if (self->record == NULL)
      return FALSE;
  } else {
    g_autofree char *complete = complete_settings (work, settings);
    self->record = pj_job_record_new (kind, title, complete);
    self->record->step = work->step;
    self->record->seed = seed;
    self->record->device = g_strdup (work->device != NULL ? work->device->info.id : NULL);
    if (!pj_session_add_job (work->session, self->record, error))
      return FALSE;
  }
  PjJobRecord *record = self->record;
  self->elapsed_before_ms = record->elapsed_ms;
  record->state = PJ_JOB_RUNNING;
  if (record->started == 0)
    record->started = now ();
  record->finished = 0;
  g_clear_pointer (&record->error, g_free);
  return pj_session_update_job (work->session, record, error);
}

static void
run_free (PjWorkRun *self)
{
  pj_job_record_free (self->record);
  g_array_unref (self->points);
  g_clear_error (&self->store_error);
  g_free (self);
}

PjWorkRun *
pj_work_begin (const PjWork *work, const char *kind, const char *title, const char *settings, uint64_t seed,
               GError **error)
{
  PjWorkRun *self = g_new0 (PjWorkRun, 1);
  self->work = work;
  self->hooks = (PjHooks) { self, progress_cb, metric_cb, is_cancelled_cb };
  self->points = g_array_new (FALSE, FALSE, sizeof (PjPoint));
  self->started_us = self->flushed_us = g_get_monotonic_time ();
  if (work->session != NULL && !make_record (self, kind, title, settings, seed, error)) {
    run_free (self);
    return NULL;
  }
  return self;
}

const PjHooks *
pj_work_run_hooks (PjWorkRun *self)
{
  return &self->hooks;
}

int64_t
pj_work_run_job (const PjWorkRun *self)
{
  return self->record != NULL ? self->record->id : 0;
}

gboolean
pj_work_run_flush (PjWorkRun *self, GError **error)
{
  self->flushed_us = g_get_monotonic_time ();
  if (self->record == NULL)
    return TRUE;
  measure_elapsed (self);
  if (self->points->len > 0
      && !pj_session_add_points (self->work->session, self->record->id, (const PjPoint *) self->points->data,
                                 self->points->len, error))
    return FALSE;
  g_array_set_size (self->points, 0);
  return pj_session_update_job (self->work->session, self->record, error);
}

gboolean
pj_work_run_add_step (PjWorkRun *self, PjGraph *graph, PjStepRecord *step, GError **error)
{
  const PjWork *work = self->work;
  if (work->session == NULL)
    return TRUE;
  step->model = pj_session_put_graph (work->session, graph, error);
  step->job = pj_work_run_job (self);
  /* Somebody may have moved along the history meanwhile: the result still belongs where the work began. */
  return step->model != 0
         && (work->step == 0 || pj_session_current_step (work->session) == work->step
             || pj_session_go_to (work->session, work->step, error))
         && pj_session_add_step (work->session, step, error);
}

/* Stores how it ended. Keeps checkpoints of a job that can go on. */
static gboolean
store_outcome (PjWorkRun *self, gboolean ok, const char *text, const GError *reason, GError **error)
{
  PjJobRecord *record = self->record;
  gboolean cancelled = reason != NULL && g_error_matches (reason, PJ_ERROR, PJ_ERROR_CANCELLED);
  record->state = ok ? PJ_JOB_DONE : cancelled ? PJ_JOB_CANCELLED : PJ_JOB_FAILED;
  record->finished = now ();
  g_free (record->result);
  record->result = g_strdup (text);
  g_free (record->error);
  record->error = g_strdup (!ok && !cancelled && reason != NULL ? reason->message : NULL);
  return pj_work_run_flush (self, error)
         && (!ok || pj_session_drop_checkpoints (self->work->session, record->id, error));
}

gboolean
pj_work_end (PjWorkRun *self, gboolean ok, char *text, PjWorkDone *done, GError **error)
{
  if (!ok && self->store_error != NULL && error != NULL) {
    g_clear_error (error);
    *error = g_steal_pointer (&self->store_error);
  }
  if (self->record != NULL) {
    /* The reason of the work comes first; a failure to store it matters only after success. */
    g_autoptr (GError) failed = NULL;
    if (!store_outcome (self, ok, text, !ok && error != NULL ? *error : NULL, &failed) && ok) {
      g_propagate_error (error, g_steal_pointer (&failed));
      ok = FALSE;
    }
  }
  if (done != NULL)
    done->job = pj_work_run_job (self);
  if (ok && done != NULL)
    done->text = g_steal_pointer (&text);
  g_free (text);
  run_free (self);
  return ok;
}

/* --- going on --- */

static const struct {
  const char *kind;
  gboolean (*resume) (const PjWork *work, const char *settings, PjWorkDone *done, GError **error);
} kinds[] = {
  { "train", pj_work_train_resume },
  { "fine-tune", pj_work_train_resume },
  { "score", pj_work_score_resume },
  { "choose", pj_work_choose_resume },
  { "compare", pj_work_compare_resume },
  { "sensitivity", pj_work_sensitivity_resume },
  { "gate-blocks", pj_work_gate_blocks_resume },
  { "small-data", pj_work_small_data_resume },
};

static int
find_kind (const char *kind)
{
  for (int i = 0; i < (int) G_N_ELEMENTS (kinds); i++) {
    if (g_strcmp0 (kinds[i].kind, kind) == 0)
      return i;
  }
  return -1;
}

gboolean
pj_work_can_resume (const PjJobRecord *job)
{
  return find_kind (job->kind) >= 0 && job->state != PJ_JOB_DONE && job->state != PJ_JOB_RUNNING;
}

int64_t
pj_work_part_of (const PjJobRecord *job)
{
  g_autofree char *text = pj_settings_get (job->settings, "part-of");
  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
}

gboolean
pj_work_find_stage (PjSession *session, int64_t part_of, const char *stage, int64_t *job, int64_t *step, GError **error)
{
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, error);
  g_autoptr (GPtrArray) steps = jobs != NULL ? pj_session_list_steps (session, error) : NULL;

  *job = *step = 0;
  if (steps == NULL)
    return FALSE;
  for (guint i = 0; i < jobs->len && *step == 0; i++) {
    const PjJobRecord *record = jobs->pdata[i];
    g_autofree char *name = pj_settings_get (record->settings, "stage");
    if (pj_work_part_of (record) != part_of || g_strcmp0 (name, stage) != 0)
      continue;
    *job = pj_work_can_resume (record) ? record->id : 0;
    for (guint k = 0; k < steps->len && record->state == PJ_JOB_DONE; k++) {
      const PjStepRecord *made = steps->pdata[k];
      *step = made->job == record->id ? made->id : *step;
    }
  }
  if (*step != 0)
    *job = 0;
  return TRUE;
}

gboolean
pj_work_resume (const PjWork *work, PjWorkDone *done, GError **error)
{
  g_autoptr (PjJobRecord) job = pj_session_get_job (work->session, work->job, error);
  if (job == NULL)
    return FALSE;
  if (!pj_work_can_resume (job)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "job %" G_GINT64_FORMAT " (%s) %s", job->id, job->title,
                 find_kind (job->kind) < 0 ? "is of a kind that is started again, not resumed"
                 : job->state == PJ_JOB_DONE ? "is finished" : "is running");
    return FALSE;
  }
  g_auto (PjWorkPlace) place = { 0 };
  if (!pj_work_open_step (work->session, job->step, &place, error))
    return FALSE;
  g_autofree char *data = pj_settings_get (job->settings, "data");
  g_autofree char *out = pj_settings_get (job->settings, "out");
  g_autoptr (PjDataset) dataset = data != NULL ? pj_work_open_data (data, error) : NULL;
  if (data != NULL && dataset == NULL)
    return FALSE;

  PjWork mine = *work;
  mine.step = job->step;
  mine.graph = place.graph;
  mine.dataset = dataset;
  mine.data = data;
  mine.out = out;
  return kinds[find_kind (job->kind)].resume (&mine, job->settings, done, error);
}
