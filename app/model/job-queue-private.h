/* SPDX-License-Identifier: MIT */
/* Inside of the queue and its tasks: see job-queue.h for what they do.
 *
 *   job-queue.c   the line, the thread, and how news are delivered
 *   task.c        one task: its hooks, what is asked of it, and its end
 *
 * Locks are pthread because ThreadSanitizer cannot see GLib's.  Lists: `all` owns the tasks and belongs to
 * the main thread; `waiting`, `newest` and `dirty` only point at tasks of `all` and are guarded by the
 * lock.  A task leaves `all` after its last news, and the worker touches none that has ended, so the
 * worker needs no references.  The wake-up is one GSource made at start: the worker only sets its time. */
#pragma once

#include <pthread.h>

#include "model/job-queue.h"

G_BEGIN_DECLS

/* Progress is shown at most this often. */
#define PJ_NEWS_INTERVAL_US 50000

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

/* What pj_task_post() sends. */
typedef struct {
  gpointer data;
  GDestroyNotify destroy;
} PjTaskItem;

void pj_task_item_free (gpointer item);

/* A task outside of the line, owned by `all`. Main thread. */
PjTask *pj_task_new (PjJobQueue *queue, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjTaskNewsFunc news,
                     gpointer user_data);
/* What a task's function is called with. */
PjHooks pj_task_hooks (PjTask *self);

/* --- with the lock held --- */

/* Notes that the task has news; @urgent ones do not wait for the interval. */
void pj_task_mark (PjTask *self, gboolean urgent);
/* One of the three final states. @error: (transfer full) (nullable) */
void pj_task_finish (PjTask *self, PjTaskState state, GError *error);
/* The same for one that never started. */
void pj_task_finish_waiting (PjTask *self);

G_END_DECLS
