/* SPDX-License-Identifier: MIT */
/**
 * PjmJob: a long piece of work as the studio shows it.
 *
 *   QUEUED → RUNNING ⇄ PAUSED → DONE | FAILED | CANCELLED
 *   INTERRUPTED (of an earlier run of the program) → QUEUED by pjm_project_resume()
 *
 * The project passes on what the queue of the engine thread says.  It ends a job only after the result
 * is in place, so that whoever sees DONE also sees what was made.
 */
#include <string.h>

#include "model/engine-text.h"
#include "model/job-private.h"

/* No estimate before; then from the rate of about the last WINDOW_S seconds. */
#define FIRST_MARK_S 2.0
#define FIRST_ESTIMATE_S 5.0
#define WINDOW_S 15.0

typedef struct {
  const char *name;             /* interned */
  GArray *xy;                   /* double: x0 y0 x1 y1 … */
} Series;

struct _PjmJob {
  GObject parent;
  char *kind, *title, *stage, *error, *result, *details;
  gint64 id, model;
  int state;
  double fraction, elapsed, remaining;
  gboolean can_resume, cancel, paused, dismissed;
  PjTask *task;
  GPtrArray *series;
  GAsyncQueue *asked;           /* PjmAsked */
  double mark_elapsed[2], mark_fraction[2];   /* two places in the past, for the rate */
};

G_DEFINE_FINAL_TYPE (PjmJob, pjm_job, G_TYPE_OBJECT)

enum {
  PROP_0, PROP_KIND, PROP_TITLE, PROP_STATE, PROP_STAGE, PROP_FRACTION, PROP_ELAPSED, PROP_REMAINING, PROP_ERROR, PROP_RESULT, PROP_DETAILS,
  PROP_CAN_RESUME, PROP_DISMISSED, N_PROPS
};
static GParamSpec *props[N_PROPS];

enum { POINTS_ADDED, MOVED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
series_free (gpointer data)
{
  Series *series = data;
  g_array_unref (series->xy);
  g_free (series);
}

static void
pjm_job_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PjmJob *self = PJM_JOB (object);
  switch (id) {
  case PROP_KIND: g_value_set_string (value, self->kind); break;
  case PROP_TITLE: g_value_set_string (value, self->title); break;
  case PROP_STATE: g_value_set_int (value, self->state); break;
  case PROP_STAGE: g_value_take_string (value, pjm_engine_text (self->stage)); break;
  case PROP_FRACTION: g_value_set_double (value, self->fraction); break;
  case PROP_ELAPSED: g_value_set_double (value, self->elapsed); break;
  case PROP_REMAINING: g_value_set_double (value, self->remaining); break;
  case PROP_ERROR: g_value_take_string (value, pjm_engine_text (self->error)); break;
  case PROP_RESULT: g_value_take_string (value, pjm_engine_text (self->result)); break;
  case PROP_DISMISSED: g_value_set_boolean (value, self->dismissed); break;
  case PROP_DETAILS: g_value_set_string (value, self->details); break;
  case PROP_CAN_RESUME: g_value_set_boolean (value, self->can_resume); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
pjm_job_dispose (GObject *object)
{
  g_clear_pointer (&PJM_JOB (object)->task, pj_task_unref);
  G_OBJECT_CLASS (pjm_job_parent_class)->dispose (object);
}

static void
pjm_job_finalize (GObject *object)
{
  PjmJob *self = PJM_JOB (object);
  g_free (self->kind);
  g_free (self->title);
  g_free (self->stage);
  g_free (self->error);
  g_free (self->result);
  g_free (self->details);
  g_ptr_array_unref (self->series);
  g_async_queue_unref (self->asked);
  G_OBJECT_CLASS (pjm_job_parent_class)->finalize (object);
}

#define READABLE (G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)

static void
pjm_job_class_init (PjmJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = pjm_job_get_property;
  object_class->dispose = pjm_job_dispose;
  object_class->finalize = pjm_job_finalize;

  props[PROP_KIND] = g_param_spec_string ("kind", NULL, NULL, NULL, READABLE);
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, READABLE);
  props[PROP_STATE] = g_param_spec_int ("state", NULL, NULL, PJM_JOB_QUEUED, PJM_JOB_INTERRUPTED, PJM_JOB_QUEUED, READABLE);
  props[PROP_STAGE] = g_param_spec_string ("stage", NULL, NULL, NULL, READABLE);
  props[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, 0, 1, 0, READABLE);
  props[PROP_ELAPSED] = g_param_spec_double ("elapsed", NULL, NULL, 0, G_MAXDOUBLE, 0, READABLE);
  props[PROP_REMAINING] = g_param_spec_double ("remaining", NULL, NULL, -1, G_MAXDOUBLE, -1, READABLE);
  props[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, READABLE);
  props[PROP_RESULT] = g_param_spec_string ("result", NULL, NULL, NULL, READABLE);
  props[PROP_DETAILS] = g_param_spec_string ("details", NULL, NULL, NULL, READABLE);
  props[PROP_CAN_RESUME] = g_param_spec_boolean ("can-resume", NULL, NULL, FALSE, READABLE);
  props[PROP_DISMISSED] = g_param_spec_boolean ("dismissed", NULL, NULL, FALSE, READABLE);
  g_object_class_install_properties (object_class, N_PROPS, props);

  signals[POINTS_ADDED] = g_signal_new ("points-added", PJM_TYPE_JOB, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 0);
  signals[MOVED] = g_signal_new ("moved", PJM_TYPE_JOB, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
pjm_job_init (PjmJob *self)
{
  self->remaining = -1.0;
  self->series = g_ptr_array_new_with_free_func (series_free);
  self->asked = g_async_queue_new_full ((GDestroyNotify) pjm_asked_free);
}

static void
notify (PjmJob *self, int prop)
{
  g_object_notify_by_pspec (G_OBJECT (self), props[prop]);
}

static void
set_text (PjmJob *self, char **field, const char *text, int prop)
{
  if (g_strcmp0 (*field, text) == 0)
    return;
  g_free (*field);
  *field = g_strdup (text);
  notify (self, prop);
}

static void
set_number (PjmJob *self, double *field, double value, int prop)
{
  if (*field == value)
    return;
  *field = value;
  notify (self, prop);
}

static void
set_state (PjmJob *self, PjmJobState state)
{
  if (self->state == (int) state)
    return;
  self->state = (int) state;
  notify (self, PROP_STATE);
}

void
pjm_job_set_can_resume (PjmJob *self, gboolean can_resume)
{
  if (self->can_resume == can_resume)
    return;
  self->can_resume = can_resume;
  notify (self, PROP_CAN_RESUME);
}

/* --- curves --- */

static void
add_point (PjmJob *self, const char *name, double x, double y)
{
  Series *series = NULL;
  for (guint i = 0; i < self->series->len && series == NULL; i++) {
    Series *one = self->series->pdata[i];
    if (one->name == name)
      series = one;
  }
  if (series == NULL) {
    series = g_new0 (Series, 1);
    series->name = name;
    series->xy = g_array_new (FALSE, FALSE, sizeof (double));
    g_ptr_array_add (self->series, series);
  }
  guint n = series->xy->len;
  /* Curves over a ratio come in any order; a point that is measured again takes the place of the old one. */
  if (strcmp (self->kind, "sensitivity") == 0) {
    guint at = 0;
    while (at < n && g_array_index (series->xy, double, at) < x)
      at += 2;
    if (at < n && g_array_index (series->xy, double, at) == x) {
      g_array_index (series->xy, double, at + 1) = y;
    } else {
      double point[2] = { x, y };
      g_array_insert_vals (series->xy, at, point, 2);
    }
    return;
  }
  /* A resumed job repeats what came after its checkpoint. */
  while (n >= 2 && g_array_index (series->xy, double, n - 2) >= x)
    n -= 2;
  g_array_set_size (series->xy, n);
  g_array_append_val (series->xy, x);
  g_array_append_val (series->xy, y);
}

/* --- for the project --- */

PjmJob *
pjm_job_new (const char *kind, const char *title)
{
  PjmJob *self = g_object_new (PJM_TYPE_JOB, NULL);
  self->kind = g_strdup (kind);
  self->title = g_strdup (title);
  return self;
}

static PjmJobState
stored_state (PjJobState state)
{
  switch (state) {
  case PJ_JOB_DONE: return PJM_JOB_DONE;
  case PJ_JOB_FAILED: return PJM_JOB_FAILED;
  case PJ_JOB_CANCELLED: return PJM_JOB_CANCELLED;
  /* Whatever ran when it was stored does not run any more. */
  case PJ_JOB_QUEUED:
  case PJ_JOB_RUNNING:
  case PJ_JOB_INTERRUPTED: break;
  }
  return PJM_JOB_INTERRUPTED;
}

/* The first line is for everybody, what follows for whoever wants to know more. */
static void
take_result (PjmJob *self, const char *text)
{
  const char *end = text != NULL ? strchr (text, '\n') : NULL;
  g_autofree char *line = end != NULL ? g_strndup (text, (gsize) (end - text)) : g_strdup (text);
  /* Details first: whoever hears of the result may read them. */
  set_text (self, &self->details, end != NULL ? end + 1 : NULL, PROP_DETAILS);
  set_text (self, &self->result, line, PROP_RESULT);
}

PjmJob *
pjm_job_new_stored (const PjJobRecord *record, const char *title, const GArray *points, gboolean can_resume)
{
  PjmJob *self = pjm_job_new (record->kind, title);
  self->id = record->id;
  self->state = (int) stored_state (record->state);
  self->elapsed = (double) record->elapsed_ms / 1000.0;
  self->fraction = self->state == PJM_JOB_DONE ? 1.0 : 0.0;
  self->error = g_strdup (record->error);
  take_result (self, record->result);
  self->can_resume = can_resume;
  for (guint i = 0; points != NULL && i < points->len; i++) {
    const PjPoint *point = &g_array_index (points, PjPoint, i);
    add_point (self, point->series, point->x, point->y);
  }
  return self;
}

const char *
pjm_job_get_kind (PjmJob *self)
{
  return self->kind;
}

gint64
pjm_job_get_id (PjmJob *self)
{
  return self->id;
}

void
pjm_job_set_id (PjmJob *self, gint64 id)
{
  self->id = id;
}

gint64
pjm_job_get_model (PjmJob *self)
{
  return self->model;
}

void
pjm_job_set_model (PjmJob *self, gint64 model)
{
  self->model = model;
}

void
pjm_job_restart (PjmJob *self)
{
  self->cancel = self->paused = FALSE;
  self->mark_elapsed[0] = self->mark_elapsed[1] = self->mark_fraction[0] = self->mark_fraction[1] = 0.0;
  set_text (self, &self->error, NULL, PROP_ERROR);
  set_text (self, &self->result, NULL, PROP_RESULT);
  set_text (self, &self->stage, NULL, PROP_STAGE);
  set_number (self, &self->elapsed, 0.0, PROP_ELAPSED);
  pjm_job_set_can_resume (self, FALSE);
  set_state (self, PJM_JOB_QUEUED);
}

void
pjm_job_set_task (PjmJob *self, PjTask *task)
{
  g_clear_pointer (&self->task, pj_task_unref);
  self->task = task != NULL ? pj_task_ref (task) : NULL;
  if (task != NULL && self->paused)
    pj_task_set_paused (task, TRUE);
  if (task != NULL && self->cancel)
    pj_task_cancel (task);
  if (task != NULL)
    g_signal_emit (self, signals[MOVED], 0);
}

void
pjm_job_set_dismissed (PjmJob *self, gboolean dismissed)
{
  if (self->dismissed == dismissed)
    return;
  self->dismissed = dismissed;
  notify (self, PROP_DISMISSED);
}

/* Seconds left, from the rate since the older of two marks.  What the first moments bring says nothing of the rate: work
 * that goes on from a checkpoint is there at once. */
static double
estimate (PjmJob *self)
{
  if (self->elapsed < FIRST_MARK_S) {
    self->mark_elapsed[0] = self->mark_elapsed[1] = self->elapsed;
    self->mark_fraction[0] = self->mark_fraction[1] = self->fraction;
  }
  if (self->elapsed - self->mark_elapsed[1] > WINDOW_S) {
    self->mark_elapsed[0] = self->mark_elapsed[1];
    self->mark_fraction[0] = self->mark_fraction[1];
    self->mark_elapsed[1] = self->elapsed;
    self->mark_fraction[1] = self->fraction;
  }
  double gained = self->fraction - self->mark_fraction[0];
  if (self->elapsed < FIRST_ESTIMATE_S || gained <= 0.0)
    return -1.0;
  return (1.0 - self->fraction) * (self->elapsed - self->mark_elapsed[0]) / gained;
}

void
pjm_job_show_news (PjmJob *self, const PjTaskNews *news)
{
  g_object_freeze_notify (G_OBJECT (self));
  set_text (self, &self->stage, news->stage, PROP_STAGE);
  set_number (self, &self->fraction, CLAMP (news->fraction, 0.0, 1.0), PROP_FRACTION);
  set_number (self, &self->elapsed, news->elapsed_s, PROP_ELAPSED);
  set_number (self, &self->remaining, estimate (self), PROP_REMAINING);
  for (size_t i = 0; i < news->n_points; i++)
    add_point (self, news->points[i].series, news->points[i].x, news->points[i].y);
  if (news->state < PJ_TASK_DONE)
    set_state (self, (PjmJobState) news->state);
  g_object_thaw_notify (G_OBJECT (self));
  if (news->n_points > 0)
    g_signal_emit (self, signals[POINTS_ADDED], 0);
}

void
pjm_job_end (PjmJob *self, PjmJobState state, const char *error, const char *result, gboolean can_resume)
{
  pjm_job_set_task (self, NULL);
  g_object_freeze_notify (G_OBJECT (self));
  set_text (self, &self->error, error, PROP_ERROR);
  take_result (self, result);
  set_number (self, &self->remaining, -1.0, PROP_REMAINING);
  if (state == PJM_JOB_DONE)
    set_number (self, &self->fraction, 1.0, PROP_FRACTION);
  pjm_job_set_can_resume (self, can_resume);
  set_state (self, state);
  g_object_thaw_notify (G_OBJECT (self));
}

/* --- public --- */

PjmJobState
pjm_job_get_state (PjmJob *self)
{
  return (PjmJobState) self->state;
}

gboolean
pjm_job_is_active (PjmJob *self)
{
  return self->state <= PJM_JOB_PAUSED;
}

gboolean
pjm_job_can_resume (PjmJob *self)
{
  return self->can_resume;
}

void
pjm_asked_free (PjmAsked *self)
{
  g_free (self->group);
  g_free (self);
}

PjmAsked *
pjm_job_take_asked (PjmJob *self)
{
  return g_async_queue_try_pop (self->asked);
}

static void
ask (PjmJob *self, const char *group, gboolean frozen)
{
  if (!pjm_job_is_active (self))
    return;
  PjmAsked *asked = g_new (PjmAsked, 1);
  *asked = (PjmAsked) { g_strdup (group), frozen };
  g_async_queue_push (self->asked, asked);
}

void
pjm_job_set_frozen (PjmJob *self, const char *group, gboolean frozen)
{
  g_return_if_fail (group != NULL);
  ask (self, group, frozen);
}

void
pjm_job_finish (PjmJob *self)
{
  ask (self, NULL, FALSE);
}

void
pjm_job_cancel (PjmJob *self)
{
  if (!pjm_job_is_active (self))
    return;
  self->cancel = TRUE;
  if (self->task != NULL)
    pj_task_cancel (self->task);
}

void
pjm_job_set_paused (PjmJob *self, gboolean paused)
{
  if (!pjm_job_is_active (self))
    return;
  self->paused = paused;
  if (self->task != NULL)
    pj_task_set_paused (self->task, paused);
}

int
pjm_job_get_place (PjmJob *self)
{
  return self->task != NULL ? pj_task_get_place (self->task) : -1;
}

gboolean
pjm_job_move (PjmJob *self, int places)
{
  if (self->task == NULL || !pj_task_move (self->task, places))
    return FALSE;
  g_signal_emit (self, signals[MOVED], 0);
  return TRUE;
}

guint
pjm_job_n_series (PjmJob *self)
{
  return self->series->len;
}

const char *
pjm_job_series_name (PjmJob *self, guint series)
{
  g_return_val_if_fail (series < self->series->len, NULL);
  return ((Series *) self->series->pdata[series])->name;
}

const double *
pjm_job_series_points (PjmJob *self, guint index, guint *n_points)
{
  g_return_val_if_fail (index < self->series->len, NULL);
  const Series *series = self->series->pdata[index];
  *n_points = series->xy->len / 2;
  return (const double *) (gpointer) series->xy->data;
}
