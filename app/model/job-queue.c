/* SPDX-License-Identifier: MIT */
/* The queue of the engine thread: see job-queue.h. */
#include "model/job-queue-private.h"

#include "base/error.h"

typedef struct {
  GSource source;
  PjJobQueue *queue;
} WakeSource;

/* One that is held keeps those behind it waiting: their order is a person's. */
static PjTask *
next_task (PjJobQueue *self)
{
  const PjTask *head = g_queue_peek_head (&self->waiting);
  if (head != NULL)
    return head->held ? NULL : g_queue_pop_head (&self->waiting);
  return g_steal_pointer (&self->newest);
}

static void *
engine_thread (void *data)
{
  PjJobQueue *self = data;
  pthread_mutex_lock (&self->lock);
  for (;;) {
    PjTask *task = NULL;
    while (!self->stop && (task = next_task (self)) == NULL)
      pthread_cond_wait (&self->changed, &self->lock);
    if (self->stop)
      break;
    self->running = task;
    task->state = PJ_TASK_RUNNING;
    task->since_us = g_get_monotonic_time ();
    pj_task_mark (task, TRUE);
    pthread_mutex_unlock (&self->lock);

    GError *error = NULL;
    PjHooks hooks = pj_task_hooks (task);
    gboolean ok = task->func (task->data, &hooks, &error);

    pthread_mutex_lock (&self->lock);
    self->running = NULL;
    gboolean cancelled = !ok && g_error_matches (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    pj_task_finish (task, ok ? PJ_TASK_DONE : cancelled ? PJ_TASK_CANCELLED : PJ_TASK_FAILED, error);
  }
  pthread_mutex_unlock (&self->lock);
  return NULL;
}

/* --- main thread --- */

/* What news point into. */
typedef struct {
  char *stage;
  GArray *points;
  GPtrArray *items;
} NewsMemory;

/* Takes the next task with news off the list and moves them to @news. */
static PjTask *
take_news (PjJobQueue *self, PjTaskNews *news, NewsMemory *memory)
{
  pthread_mutex_lock (&self->lock);
  if (self->dirty->len == 0) {
    self->pending = FALSE;
    self->delivered_us = g_get_monotonic_time ();
    pthread_mutex_unlock (&self->lock);
    return NULL;
  }
  PjTask *task = g_ptr_array_steal_index (self->dirty, 0);
  task->dirty = FALSE;
  gint64 worked_us = task->worked_us + (task->since_us != 0 ? g_get_monotonic_time () - task->since_us : 0);
  *memory = (NewsMemory) { g_strdup (task->stage), task->points, task->items };
  task->points = g_array_new (FALSE, FALSE, sizeof (PjTaskPoint));
  task->items = g_ptr_array_new_with_free_func (pj_task_item_free);
  *news = (PjTaskNews) {
    .state = task->state, .stage = memory->stage, .fraction = task->fraction,
    .elapsed_s = (double) worked_us / G_USEC_PER_SEC,
    .points = (const PjTaskPoint *) (gpointer) memory->points->data, .n_points = memory->points->len,
    .n_items = memory->items->len, .error = task->error,
  };
  pthread_mutex_unlock (&self->lock);
  return task;
}

void
pj_job_queue_drain (PjJobQueue *self)
{
  PjTaskNews news;
  NewsMemory memory;
  PjTask *task;
  self->draining++;
  while ((task = take_news (self, &news, &memory)) != NULL) {
    g_autofree gpointer *items = g_new (gpointer, news.n_items);
    for (size_t i = 0; i < news.n_items; i++)
      items[i] = ((PjTaskItem *) memory.items->pdata[i])->data;
    news.items = items;
    if (task->news != NULL)
      task->news (task, &news, task->user_data);
    g_free (memory.stage);
    g_array_unref (memory.points);
    g_ptr_array_unref (memory.items);
    /* Freeing its data may push another task: the list must be whole before. */
    guint index;
    if (news.state >= PJ_TASK_DONE && g_ptr_array_find (self->all, task, &index))
      pj_task_unref (g_ptr_array_steal_index (self->all, index));
  }
  self->draining--;
}

static gboolean
wake_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  pj_job_queue_drain (((WakeSource *) source)->queue);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs wake_funcs = { .dispatch = wake_dispatch };

PjJobQueue *
pj_job_queue_new (GMainContext *context)
{
  PjJobQueue *self = g_new0 (PjJobQueue, 1);
  self->all = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_task_unref);
  self->dirty = g_ptr_array_new ();
  g_queue_init (&self->waiting);
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->changed, NULL);
  if (context != NULL) {
    self->wake = g_source_new (&wake_funcs, sizeof (WakeSource));
    ((WakeSource *) self->wake)->queue = self;
    g_source_set_ready_time (self->wake, -1);
    g_source_attach (self->wake, context);
  }
  if (pthread_create (&self->thread, NULL, engine_thread, self) != 0)
    g_error ("no thread could be started");
  return self;
}

void
pj_job_queue_stop (PjJobQueue *self)
{
  if (self->joined)
    return;
  pthread_mutex_lock (&self->lock);
  self->stop = TRUE;
  for (PjTask *task; (task = g_queue_pop_head (&self->waiting)) != NULL;)
    pj_task_finish_waiting (task);
  if (self->newest != NULL)
    pj_task_finish_waiting (g_steal_pointer (&self->newest));
  if (self->running != NULL)
    self->running->cancel = TRUE;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->lock);
  pthread_join (self->thread, NULL);
  self->joined = TRUE;
  pj_job_queue_drain (self);
}

void
pj_job_queue_free (PjJobQueue *self)
{
  if (self == NULL)
    return;
  g_assert (self->draining == 0);
  pj_job_queue_stop (self);
  if (self->wake != NULL) {
    g_source_destroy (self->wake);
    g_source_unref (self->wake);
  }
  g_ptr_array_unref (self->dirty);
  g_ptr_array_unref (self->all);
  pthread_cond_destroy (&self->changed);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

gboolean
pj_job_queue_is_busy (PjJobQueue *self)
{
  pthread_mutex_lock (&self->lock);
  gboolean busy = self->running != NULL || self->newest != NULL || self->waiting.length > 0;
  pthread_mutex_unlock (&self->lock);
  return busy;
}

gboolean
pj_job_queue_is_stopped (PjJobQueue *self)
{
  return self->joined;
}

gboolean
pj_job_queue_is_draining (PjJobQueue *self)
{
  return self->draining > 0;
}

/* Puts @task in line; after stop it ends at once. */
static PjTask *
enqueue (PjJobQueue *self, PjTask *task, gboolean newest)
{
  pthread_mutex_lock (&self->lock);
  if (self->stop) {
    pj_task_finish_waiting (task);
  } else if (newest) {
    if (self->newest != NULL)
      pj_task_finish_waiting (self->newest);
    self->newest = task;
  } else {
    g_queue_push_tail (&self->waiting, task);
  }
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->lock);
  return task;
}

PjTask *
pj_job_queue_push (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjTaskNewsFunc news,
                   gpointer user_data)
{
  return enqueue (self, pj_task_new (self, func, data, destroy, news, user_data), FALSE);
}

PjTask *
pj_job_queue_push_held (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjTaskNewsFunc news,
                        gpointer user_data)
{
  PjTask *task = pj_task_new (self, func, data, destroy, news, user_data);
  task->held = TRUE;
  return enqueue (self, task, FALSE);
}

PjTask *
pj_job_queue_push_newest (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjTaskNewsFunc news,
                          gpointer user_data)
{
  return enqueue (self, pj_task_new (self, func, data, destroy, news, user_data), TRUE);
}
