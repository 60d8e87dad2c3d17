/* SPDX-License-Identifier: MIT */
/* One task of the queue: its hooks, what is asked of it, and its end. */
#include "model/job-queue-private.h"

#include "base/error.h"

/* --- with the lock held --- */

void
pj_task_mark (PjTask *self, gboolean urgent)
{
  PjJobQueue *queue = self->queue;
  if (!self->dirty) {
    self->dirty = TRUE;
    g_ptr_array_add (queue->dirty, self);
  }
  if (queue->wake != NULL && (urgent || !queue->pending)) {
    queue->pending = TRUE;
    g_source_set_ready_time (queue->wake, urgent ? 0 : queue->delivered_us + PJ_NEWS_INTERVAL_US);
  }
}

static void
clock_stop (PjTask *task)
{
  if (task->since_us != 0)
    task->worked_us += g_get_monotonic_time () - task->since_us;
  task->since_us = 0;
}

void
pj_task_finish (PjTask *self, PjTaskState state, GError *error)
{
  clock_stop (self);
  self->state = state;
  self->error = error;
  pj_task_mark (self, TRUE);
}

void
pj_task_finish_waiting (PjTask *self)
{
  pj_task_finish (self, PJ_TASK_CANCELLED, g_error_new_literal (PJ_ERROR, PJ_ERROR_CANCELLED, "cancelled before it started"));
}

/* --- hooks: engine thread --- */

static void
task_progress (gpointer data, const char *stage, double fraction)
{
  PjTask *task = data;
  char *copy = g_strdup (stage);
  pthread_mutex_lock (&task->queue->lock);
  char *old = task->stage;
  task->stage = copy;
  if (fraction >= 0.0)
    task->fraction = fraction;
  pj_task_mark (task, FALSE);
  pthread_mutex_unlock (&task->queue->lock);
  g_free (old);
}

static void
task_metric (gpointer data, const char *series, double x, double y)
{
  PjTask *task = data;
  PjTaskPoint point = { g_intern_string (series), x, y };
  pthread_mutex_lock (&task->queue->lock);
  g_array_append_val (task->points, point);
  pj_task_mark (task, FALSE);
  pthread_mutex_unlock (&task->queue->lock);
}

void
pj_task_item_free (gpointer data)
{
  PjTaskItem *item = data;
  if (item->destroy != NULL)
    item->destroy (item->data);
  g_free (item);
}

void
pj_task_post (const PjHooks *hooks, gpointer data, GDestroyNotify destroy)
{
  PjTask *task = hooks->data;
  PjTaskItem *item = g_new (PjTaskItem, 1);
  *item = (PjTaskItem) { data, destroy };
  pthread_mutex_lock (&task->queue->lock);
  g_ptr_array_add (task->items, item);
  pj_task_mark (task, FALSE);
  pthread_mutex_unlock (&task->queue->lock);
}

static gboolean
task_is_cancelled (gpointer data)
{
  PjTask *task = data;
  PjJobQueue *self = task->queue;
  pthread_mutex_lock (&self->lock);
  if (task->paused && !task->cancel) {
    clock_stop (task);
    task->state = PJ_TASK_PAUSED;
    pj_task_mark (task, TRUE);
    while (task->paused && !task->cancel)
      pthread_cond_wait (&self->changed, &self->lock);
    task->state = PJ_TASK_RUNNING;
    task->since_us = g_get_monotonic_time ();
    pj_task_mark (task, TRUE);
  }
  gboolean cancel = task->cancel;
  pthread_mutex_unlock (&self->lock);
  return cancel;
}

PjHooks
pj_task_hooks (PjTask *self)
{
  return (PjHooks) { self, task_progress, task_metric, task_is_cancelled };
}

/* --- main thread --- */

PjTask *
pj_task_new (PjJobQueue *queue, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjTaskNewsFunc news,
             gpointer user_data)
{
  PjTask *task = g_new0 (PjTask, 1);
  task->ref = 1;
  task->queue = queue;
  task->func = func;
  task->data = data;
  task->destroy = destroy;
  task->news = news;
  task->user_data = user_data;
  task->points = g_array_new (FALSE, FALSE, sizeof (PjTaskPoint));
  task->items = g_ptr_array_new_with_free_func (pj_task_item_free);
  g_ptr_array_add (queue->all, task);
  return task;
}

PjTask *
pj_task_ref (PjTask *self)
{
  self->ref++;
  return self;
}

void
pj_task_unref (PjTask *self)
{
  if (self == NULL || --self->ref > 0)
    return;
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_free (self->stage);
  g_array_unref (self->points);
  g_ptr_array_unref (self->items);
  g_clear_error (&self->error);
  g_free (self);
}

gpointer
pj_task_get_data (PjTask *self)
{
  return self->data;
}

void
pj_task_release (PjTask *self)
{
  PjJobQueue *queue = self->queue;
  pthread_mutex_lock (&queue->lock);
  self->held = FALSE;
  pthread_cond_broadcast (&queue->changed);
  pthread_mutex_unlock (&queue->lock);
}

void
pj_task_cancel (PjTask *self)
{
  PjJobQueue *queue = self->queue;
  pthread_mutex_lock (&queue->lock);
  if (self->state == PJ_TASK_QUEUED) {
    g_queue_remove (&queue->waiting, self);
    if (queue->newest == self)
      queue->newest = NULL;
    pj_task_finish_waiting (self);
    /* Those behind it may have waited for it. */
    pthread_cond_broadcast (&queue->changed);
  } else if (self->state < PJ_TASK_DONE) {
    self->cancel = TRUE;
    pthread_cond_broadcast (&queue->changed);
  }
  pthread_mutex_unlock (&queue->lock);
}

void
pj_task_set_paused (PjTask *self, gboolean paused)
{
  PjJobQueue *queue = self->queue;
  pthread_mutex_lock (&queue->lock);
  self->paused = paused;
  pthread_cond_broadcast (&queue->changed);
  pthread_mutex_unlock (&queue->lock);
}

int
pj_task_get_place (PjTask *self)
{
  PjJobQueue *queue = self->queue;
  pthread_mutex_lock (&queue->lock);
  int place = g_queue_index (&queue->waiting, self);
  pthread_mutex_unlock (&queue->lock);
  return place;
}

gboolean
pj_task_move (PjTask *self, int places)
{
  PjJobQueue *queue = self->queue;
  pthread_mutex_lock (&queue->lock);
  int at = g_queue_index (&queue->waiting, self), to = CLAMP (at + places, 0, (int) queue->waiting.length - 1);
  gboolean moves = at >= 0 && to != at;
  if (moves) {
    g_queue_remove (&queue->waiting, self);
    g_queue_push_nth (&queue->waiting, self, to);
    pthread_cond_broadcast (&queue->changed);
  }
  pthread_mutex_unlock (&queue->lock);
  return moves;
}
