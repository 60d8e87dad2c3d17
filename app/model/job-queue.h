/* SPDX-License-Identifier: MIT */
/* A queue of work for another thread: the one place where work crosses between the studio and the engine.
 * The studio has two: the engine thread, which owns the device, and one that reads and writes files.
 *
 *   main                                              engine thread (one)
 *   pj_job_queue_push (func, data) ── queue ─────▶    func (data, hooks)
 *   news (task, …)  ◀── one pending wake-up ◀─────    hooks: newest progress, every metric point
 *   pj_task_cancel, pj_task_set_paused ─ flags ──▶    hooks.is_cancelled, once per batch
 *
 * A task's @data belongs to the engine thread from push until the news of its end, and to the main
 * thread again from then on; results travel in it.  Nothing is freed on the engine thread.  All
 * functions here: the thread that made the queue. */
#pragma once

#include <glib.h>

#include "base/hooks.h"

G_BEGIN_DECLS

typedef struct _PjJobQueue PjJobQueue;
typedef struct _PjTask PjTask;

/* The same values as PjmJobState. */
typedef enum {
  PJ_TASK_QUEUED, PJ_TASK_RUNNING, PJ_TASK_PAUSED, PJ_TASK_DONE, PJ_TASK_FAILED, PJ_TASK_CANCELLED
} PjTaskState;

/* @series is interned and lives for ever. */
typedef struct {
  const char *series;
  double x, y;
} PjTaskPoint;

/**
 * PjTaskNews: what changed since the last news; valid during the call.
 * @stage: (nullable): newest stage
 * @elapsed_s: seconds of work, pauses not counted
 * @points, @n_points: new points, in order
 * @items, @n_items: what pj_task_post() sent, in order
 * @error: (nullable): set in the states FAILED and CANCELLED
 */
typedef struct {
  PjTaskState state;
  const char *stage;
  double fraction, elapsed_s;
  const PjTaskPoint *points;
  size_t n_points;
  gpointer const *items;
  size_t n_items;
  const GError *error;
} PjTaskNews;

/* Runs on the engine thread. FALSE with @error set on failure. */
typedef gboolean (*PjTaskFunc) (gpointer data, const PjHooks *hooks, GError **error);

/**
 * pj_task_post:
 * @hooks: those that the task's function was called with, not hooks made from them
 * @item: (transfer full): something finished before the task is
 * @destroy: frees @item on the main thread after the news
 *
 * Sends a part of the result ahead.  Engine thread.
 */
void pj_task_post (const PjHooks *hooks, gpointer item, GDestroyNotify destroy);

/* The last call for a task has one of the three final states. */
typedef void (*PjTaskNewsFunc) (PjTask *task, const PjTaskNews *news, gpointer user_data);

/**
 * pj_job_queue_new:
 * @context: (nullable): where news are delivered, at most about 20 times a second apart from changes of
 *   state; NULL: only pj_job_queue_drain() delivers
 *
 * Starts the engine thread.
 */
PjJobQueue *pj_job_queue_new (GMainContext *context);
/* Cancels everything, waits for the running task to notice (one batch), and delivers the last news. */
void pj_job_queue_stop (PjJobQueue *self);
/* Stops if that was not done, and frees. Not from a listener. NULL is allowed. */
void pj_job_queue_free (PjJobQueue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjJobQueue, pj_job_queue_free)

/* Delivers what news there are, now. */
void pj_job_queue_drain (PjJobQueue *self);
/* TRUE if a task is running or waiting. */
gboolean pj_job_queue_is_busy (PjJobQueue *self);
/* TRUE after pj_job_queue_stop(): what is pushed now ends as cancelled at the next drain. */
gboolean pj_job_queue_is_stopped (PjJobQueue *self);
/* TRUE while listeners are called: the queue cannot be freed now. */
gboolean pj_job_queue_is_draining (PjJobQueue *self);

/**
 * pj_job_queue_push:
 * @func, @data, @destroy: the work; @destroy (@data) runs on the main thread after the last news
 * @news, @user_data: (nullable): who listens
 *
 * Tasks run in the order in which they were pushed.
 *
 * Returns: (transfer none): valid until after its last news, or longer with pj_task_ref()
 */
PjTask *pj_job_queue_push (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy,
                           PjTaskNewsFunc news, gpointer user_data);
/* The same, but the task has its place in the line and does not start, nor any behind it, before pj_task_release(). */
PjTask *pj_job_queue_push_held (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy,
                                PjTaskNewsFunc news, gpointer user_data);
/* What it needs is there. No effect on one that has ended. */
void pj_task_release (PjTask *self);
/* The same for short work of which only the newest matters, such as a preview: it waits until no other task
 * does, and takes the place of one that still waits (which ends as cancelled). */
PjTask *pj_job_queue_push_newest (PjJobQueue *self, PjTaskFunc func, gpointer data, GDestroyNotify destroy,
                                  PjTaskNewsFunc news, gpointer user_data);

PjTask *pj_task_ref (PjTask *self);
void pj_task_unref (PjTask *self);
gpointer pj_task_get_data (PjTask *self);
/* A waiting task ends at once, a running one at its next poll. No effect on one that has ended. */
void pj_task_cancel (PjTask *self);
/* A running task stops at its next poll; one that waits will stop there when it starts. */
void pj_task_set_paused (PjTask *self, gboolean paused);
/* Its place in the line, 0 is next; -1 if it does not wait. */
int pj_task_get_place (PjTask *self);
/* Moves a waiting task by @places in the line: negative is sooner.  FALSE if it does not wait or is at that end. */
gboolean pj_task_move (PjTask *self, int places);

G_END_DECLS
