/* SPDX-License-Identifier: MIT */
/* The queue of the engine thread: see job-queue.h.
 *
 * Locks are pthread because ThreadSanitizer cannot see GLib's.  Lists: `all` owns the tasks and belongs to
 * the main thread; `waiting`, `newest` and `dirty` only point at tasks of `all` and are guarded by the
 * lock.  A task leaves `all` after its last news, and the worker touches none that has ended, so the
 * worker needs no references.  The wake-up is one GSource made at start: the worker only sets its time. */
#include "model/job-queue.h"

#include <pthread.h>

#include "base/error.h"

/* Progress is shown at most this often. */
#define NEWS_INTERVAL_US 50000

struct _PjTask {
  int ref;                  /* main thread only */
  PjJobQueue *queue;
  PjTaskFunc func;
  gpointer data;
  GDestroyNotify destroy;
  PjTaskNewsFunc news;
  gpointer user_data;

  /* From here on guarded by the queue's lock. */
  PjTaskState state;
  gboolean cancel, paused, dirty, held;
  char *stage;
  double fraction;
  gint64 worked_us, since_us;   /* since_us: 0 while the clock stands */
  GArray *points;               /* (element-type PjTaskPoint): not delivered yet */
  GPtrArray *items;             /* what was posted, not delivered yet; frees its elements as said */
  GError *error;
};

struct _PjJobQueue {
  GMainContext *context;
  GSource *wake;
  GPtrArray *all;
  gboolean joined;
  int draining;                 /* depth of pj_job_queue_drain() */
  pthread_t thread;

  pthread_mutex_t lock;
  pthread_cond_t changed;       /* something to run, a flag of a task, stop */
  GQueue waiting;
  PjTask *newest, *running;
  GPtrArray *dirty;             /* tasks with news */
  gboolean stop, pending;
  gint64 delivered_us;
};

typedef struct {
  GSource source;
  PjJobQueue *queue;
} WakeSource;

/* --- with the lock held --- */

/* Notes that @task has news; @urgent ones do not wait for the interval. */
static void
mark (PjJobQueue *self, PjTask *task, gboolean urgent)
{
  if (!task->dirty) {
    task->dirty = TRUE;
    g_ptr_array_add (self->dirty, task);
  }
  if (self->wake != NULL && (urgent || !self->pending)) {
    self->pending = TRUE;
    g_source_set_ready_time (self->wake, urgent ? 0 : self->delivered_us + NEWS_INTERVAL_US);
  }
}

static void
clock_stop (PjTask *task)
{
  if (task->since_us != 0)
    task->worked_us += g_get_monotonic_time () - task->since_us;
  task->since_us = 0;
}

static void
finish (PjJobQueue *self, PjTask *task, PjTaskState state, GError *error)
{
  clock_stop (task);
  task->state = state;
  task->error = error;
  mark (self, task, TRUE);
}

static void
finish_waiting (PjJobQueue *self, PjTask *task)
{
  finish (self, task, PJ_TASK_CANCELLED, g_error_new_literal (PJ_ERROR, PJ_ERROR_CANCELLED, "cancelled before it started"));
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
  mark (task->queue, task, FALSE);
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
  mark (task->queue, task, FALSE);
  pthread_mutex_unlock (&task->queue->lock);
}

typedef struct {
  gpointer data;
  GDestroyNotify destroy;
} Item;

static void
item_free (gpointer data)
{
  Item *item = data;
  if (item->destroy != NULL)
    item->destroy (item->data);
  g_free (item);
}

void
pj_task_post (const PjHooks *hooks, gpointer data, GDestroyNotify destroy)
{
  PjTask *task = hooks->data;
  Item *item = g_new (Item, 1);
  *item = (Item) { data, destroy };
  pthread_mutex_lock (&task->queue->lock);
  g_ptr_array_add (task->items, item);
  mark (task->queue, task, FALSE);
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
    mark (self, task, TRUE);
    while (task->paused && !task->cancel)
      pthread_cond_wait (&self->changed, &self->lock);
    task->state = PJ_TASK_RUNNING;
    task->since_us = g_get_monotonic_time ();
    mark (self, task, TRUE);
  }
  gboolean cancel = task->cancel;
  pthread_mutex_unlock (&self->lock);
  return cancel;
}

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
    mark (self, task, TRUE);
    pthread_mutex_unlock (&self->lock);

    GError *error = NULL;
    PjHooks hooks = { task, task_progress, task_metric, task_is_cancelled };
    gboolean ok = task->func (task->data, &hooks, &error);

    pthread_mutex_lock (&self->lock);
    self->running = NULL;
    gboolean cancelled = !ok && g_error_matches (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    finish (self, task, ok ? PJ_TASK_DONE : cancelled ? PJ_TASK_CANCELLED : PJ_TASK_FAILED, error);
  }
  pthread_mutex_unlock (&self->lock);
  return NULL;
}

/* --- main thread --- */

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
  task->items = g_ptr_array_new_with_free_func (item_free);
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
      items[i] = ((Item *) memory.items->pdata[i])->data;
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
    finish_waiting (self, task);
  if (self->newest != NULL)
    finish_waiting (self, g_steal_pointer (&self->newest));
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

static PjTask *
task_new (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjTaskNewsFunc news, gpointer user_data)
{
  PjTask *task = g_new0 (PjTask, 1);
  task->ref = 1;
  task->queue = self;
  task->func = func;
  task->data = data;
  task->destroy = destroy;
  task->news = news;
  task->user_data = user_data;
  task->points = g_array_new (FALSE, FALSE, sizeof (PjTaskPoint));
  task->items = g_ptr_array_new_with_free_func (item_free);
  g_ptr_array_add (self->all, task);
  return task;
}

/* Puts @task in line; after stop it ends at once. */
static PjTask *
enqueue (PjJobQueue *self, PjTask *task, gboolean newest)
{
  pthread_mutex_lock (&self->lock);
  if (self->stop) {
    finish_waiting (self, task);
  } else if (newest) {
    if (self->newest != NULL)
      finish_waiting (self, self->newest);
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
  return enqueue (self, task_new (self, func, data, destroy, news, user_data), FALSE);
}

PjTask *
pj_job_queue_push_held (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjTaskNewsFunc news,
                        gpointer user_data)
{
  PjTask *task = task_new (self, func, data, destroy, news, user_data);
  task->held = TRUE;
  return enqueue (self, task, FALSE);
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

PjTask *
pj_job_queue_push_newest (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjTaskNewsFunc news,
                          gpointer user_data)
{
  return enqueue (self, task_new (self, func, data, destroy, news, user_data), TRUE);
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
    finish_waiting (queue, self);
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
