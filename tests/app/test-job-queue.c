/* SPDX-License-Identifier: MIT */
/* The queue of the engine thread, with work that only counts.  Also built with ThreadSanitizer. */
#include "model/job-queue.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"

/* Work that goes on until it is told to end; the test and the work meet under the lock. */
typedef struct {
  int number;
  int n_rounds;             /* rounds to do; -1: until cancelled */
  gboolean fail;
  GString *order;           /* (nullable): gets the number when the work starts */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int rounds, allowed;      /* a round starts only while rounds < allowed, if allowed >= 0 */
  /* What the news said. */
  PjTaskState last;
  GString *states;
  double fraction;
  GArray *xs;
  char *error;
  gboolean freed;
} Work;

static Work *
work_new (int number, int n_rounds)
{
  Work *work = g_new0 (Work, 1);
  work->number = number;
  work->n_rounds = n_rounds;
  work->allowed = -1;
  work->states = g_string_new (NULL);
  work->xs = g_array_new (FALSE, FALSE, sizeof (double));
  pthread_mutex_init (&work->lock, NULL);
  pthread_cond_init (&work->changed, NULL);
  return work;
}

static void
work_free (Work *work)
{
  g_string_free (work->states, TRUE);
  g_array_unref (work->xs);
  g_free (work->error);
  pthread_mutex_destroy (&work->lock);
  pthread_cond_destroy (&work->changed);
  g_free (work);
}

static gboolean
work_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Work *work = data;
  if (work->order != NULL)
    g_string_append_printf (work->order, "%d ", work->number);
  for (int i = 0; work->n_rounds < 0 || i < work->n_rounds; i++) {
    if (!pj_hooks_go_on (hooks, error))
      return FALSE;
    pthread_mutex_lock (&work->lock);
    while (work->allowed >= 0 && work->rounds >= work->allowed)
      pthread_cond_wait (&work->changed, &work->lock);
    work->rounds++;
    pthread_cond_broadcast (&work->changed);
    pthread_mutex_unlock (&work->lock);
    pj_hooks_metric (hooks, "loss", i, 1.0 / (i + 1));
    pj_hooks_progress (hooks, work->n_rounds > 0 ? (i + 1.0) / work->n_rounds : 0.0, "round %d", i + 1);
  }
  if (work->fail)
    g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID, "as asked");
  return !work->fail;
}

/* Waits until the work has done @n rounds, or lets it do them. */
static void
work_wait (Work *work, int n)
{
  pthread_mutex_lock (&work->lock);
  while (work->rounds < n)
    pthread_cond_wait (&work->changed, &work->lock);
  pthread_mutex_unlock (&work->lock);
}

static void
work_allow (Work *work, int n)
{
  pthread_mutex_lock (&work->lock);
  work->allowed = n;
  pthread_cond_broadcast (&work->changed);
  pthread_mutex_unlock (&work->lock);
}

static void
work_news (PjTask *task, const PjTaskNews *news, gpointer user_data)
{
  Work *work = user_data;
  g_assert_true (pj_task_get_data (task) == work);
  g_assert_cmpint (work->last, <, PJ_TASK_DONE);
  if (work->states->len == 0 || news->state != work->last)
    g_string_append_c (work->states, "QRPDFC"[news->state]);
  work->last = news->state;
  work->fraction = news->fraction;
  for (size_t i = 0; i < news->n_points; i++) {
    g_assert_cmpstr (news->points[i].series, ==, "loss");
    g_array_append_val (work->xs, news->points[i].x);
  }
  if (news->error != NULL)
    work->error = g_strdup (news->error->message);
}

static PjTask *
push (PjJobQueue *queue, Work *work)
{
  return pj_job_queue_push (queue, work_run, work, NULL, work_news, work);
}

static void
run_until_ended (GMainContext *context, Work *work)
{
  while (work->last < PJ_TASK_DONE)
    g_main_context_iteration (context, TRUE);
}

static void
run_until_state (GMainContext *context, Work *work, PjTaskState state)
{
  while (work->last != state)
    g_main_context_iteration (context, TRUE);
}

static void
test_order (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (context);
  g_autoptr (GString) order = g_string_new (NULL);
  Work *works[5];
  for (int i = 0; i < 5; i++) {
    works[i] = work_new (i, 20);
    works[i]->order = order;
    works[i]->fail = i == 2;
    push (queue, works[i]);
  }
  for (int i = 0; i < 5; i++)
    run_until_ended (context, works[i]);
  g_assert_cmpstr (order->str, ==, "0 1 2 3 4 ");
  g_assert_cmpint (works[2]->last, ==, PJ_TASK_FAILED);
  g_assert_cmpstr (works[2]->error, ==, "as asked");
  g_assert_cmpint (works[3]->last, ==, PJ_TASK_DONE);
  g_assert_false (pj_job_queue_is_busy (queue));
  for (int i = 0; i < 5; i++)
    work_free (works[i]);
}

/* Progress may skip, points may not. */
static void
test_points (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (context);
  Work *work = work_new (0, 5000);
  push (queue, work);
  run_until_ended (context, work);
  g_assert_cmpfloat (work->fraction, ==, 1.0);
  g_assert_cmpuint (work->xs->len, ==, 5000);
  for (guint i = 0; i < 5000; i++)
    g_assert_cmpfloat (g_array_index (work->xs, double, i), ==, i);
  work_free (work);
}

static void
test_cancel (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (context);
  Work *running = work_new (0, -1), *waiting = work_new (1, 1), *after = work_new (2, 1);
  PjTask *task = push (queue, running), *second = push (queue, waiting);
  push (queue, after);
  work_wait (running, 3);
  pj_task_cancel (second);
  run_until_ended (context, waiting);
  g_assert_cmpstr (waiting->states->str, ==, "C");
  g_assert_cmpint (waiting->rounds, ==, 0);
  g_assert_cmpint (running->last, !=, PJ_TASK_CANCELLED);
  pj_task_cancel (task);
  run_until_ended (context, running);
  g_assert_cmpint (running->last, ==, PJ_TASK_CANCELLED);
  run_until_ended (context, after);
  g_assert_cmpint (after->last, ==, PJ_TASK_DONE);
  work_free (running);
  work_free (waiting);
  work_free (after);
}

static void
test_pause (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (context);
  Work *work = work_new (0, 10);
  work->allowed = 3;
  PjTask *task = push (queue, work);
  work_wait (work, 3);
  pj_task_set_paused (task, TRUE);
  work_allow (work, 4);
  run_until_state (context, work, PJ_TASK_PAUSED);
  int rounds = work->rounds;
  g_assert_cmpint (rounds, <=, 4);
  work_allow (work, -1);
  g_assert_cmpint (work->rounds, ==, rounds);
  pj_task_set_paused (task, FALSE);
  run_until_ended (context, work);
  /* The short times of running around the pause may pass between two news. */
  g_assert_nonnull (strchr (work->states->str, 'P'));
  g_assert_cmpint (work->last, ==, PJ_TASK_DONE);
  work_free (work);
}

/* Paused work can be cancelled. */
static void
test_cancel_paused (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (context);
  Work *work = work_new (0, -1);
  PjTask *task = push (queue, work);
  pj_task_set_paused (task, TRUE);
  run_until_state (context, work, PJ_TASK_PAUSED);
  pj_task_cancel (task);
  run_until_ended (context, work);
  g_assert_cmpint (work->last, ==, PJ_TASK_CANCELLED);
  work_free (work);
}

/* One that is held has its place in the line, which a person may change, and nothing behind it overtakes it. */
static void
test_held (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (context);
  g_autoptr (GString) order = g_string_new (NULL);
  Work *works[5];
  PjTask *tasks[5];
  for (int i = 0; i < 5; i++) {
    works[i] = work_new (i, 1);
    works[i]->order = order;
  }
  works[0]->allowed = 0;
  tasks[0] = push (queue, works[0]);
  for (int i = 1; i < 4; i++)
    tasks[i] = pj_job_queue_push_held (queue, work_run, works[i], NULL, work_news, works[i]);
  tasks[4] = push (queue, works[4]);
  run_until_state (context, works[0], PJ_TASK_RUNNING);
  g_assert_cmpint (pj_task_get_place (tasks[0]), ==, -1);
  g_assert_cmpint (pj_task_get_place (tasks[3]), ==, 2);
  g_assert_true (pj_task_move (tasks[3], -1));
  g_assert_true (pj_task_move (tasks[3], -1));
  g_assert_false (pj_task_move (tasks[3], -1));
  g_assert_cmpint (pj_task_get_place (tasks[3]), ==, 0);
  g_assert_cmpint (pj_task_get_place (tasks[2]), ==, 2);
  pj_task_release (tasks[1]);
  work_allow (works[0], -1);
  run_until_ended (context, works[0]);
  /* The first in the line is still held. */
  g_usleep (20000);
  g_main_context_iteration (context, FALSE);
  g_assert_cmpstr (order->str, ==, "0 ");
  pj_task_release (tasks[3]);
  run_until_ended (context, works[1]);
  /* Whoever waits behind one that is cancelled goes on. */
  pj_task_cancel (tasks[2]);
  run_until_ended (context, works[2]);
  run_until_ended (context, works[4]);
  g_assert_cmpint (works[2]->last, ==, PJ_TASK_CANCELLED);
  g_assert_cmpstr (order->str, ==, "0 3 1 4 ");
  for (int i = 0; i < 5; i++)
    work_free (works[i]);
}

static void
test_newest (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (context);
  g_autoptr (GString) order = g_string_new (NULL);
  Work *first = work_new (0, 1), *last = work_new (9, 1), *previews[4];
  first->allowed = 0;
  first->order = last->order = order;
  push (queue, first);
  for (int i = 0; i < 4; i++) {
    previews[i] = work_new (i + 1, 1);
    previews[i]->order = order;
    pj_job_queue_push_newest (queue, work_run, previews[i], NULL, work_news, previews[i]);
  }
  push (queue, last);
  work_allow (first, -1);
  run_until_ended (context, previews[3]);
  g_assert_cmpstr (order->str, ==, "0 9 4 ");
  for (int i = 0; i < 4; i++) {
    run_until_ended (context, previews[i]);
    g_assert_cmpint (previews[i]->last, ==, i == 3 ? PJ_TASK_DONE : PJ_TASK_CANCELLED);
    work_free (previews[i]);
  }
  work_free (first);
  work_free (last);
}

static void
note_freed (gpointer data)
{
  ((Work *) data)->freed = TRUE;
}

/* Stopping while work runs or is paused: everything ends, is reported and freed before it returns. */
static void
test_stop (gconstpointer data)
{
  gboolean pause = GPOINTER_TO_INT (data);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (context);
  Work *running = work_new (0, -1), *waiting = work_new (1, 1), *late = work_new (2, 1);
  PjTask *task = pj_job_queue_push (queue, work_run, running, note_freed, work_news, running);
  pj_job_queue_push (queue, work_run, waiting, note_freed, work_news, waiting);
  work_wait (running, 2);
  if (pause) {
    pj_task_set_paused (task, TRUE);
    run_until_state (context, running, PJ_TASK_PAUSED);
  }
  pj_job_queue_stop (queue);
  g_assert_cmpint (running->last, ==, PJ_TASK_CANCELLED);
  g_assert_cmpint (waiting->last, ==, PJ_TASK_CANCELLED);
  g_assert_true (running->freed && waiting->freed);
  pj_job_queue_push (queue, work_run, late, note_freed, work_news, late);
  pj_job_queue_drain (queue);
  g_assert_cmpint (late->last, ==, PJ_TASK_CANCELLED);
  work_free (running);
  work_free (waiting);
  work_free (late);
}

/* Without a main loop the owner asks for the news. */
static void
test_without_loop (void)
{
  g_autoptr (PjJobQueue) queue = pj_job_queue_new (NULL);
  Work *work = work_new (0, 100);
  push (queue, work);
  work_wait (work, 100);
  while (work->last < PJ_TASK_DONE)
    pj_job_queue_drain (queue);
  g_assert_cmpuint (work->xs->len, ==, 100);
  work_free (work);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/app/job-queue/runs-in-order", test_order);
  g_test_add_func ("/app/job-queue/keeps-every-point", test_points);
  g_test_add_func ("/app/job-queue/cancel", test_cancel);
  g_test_add_func ("/app/job-queue/pause", test_pause);
  g_test_add_func ("/app/job-queue/cancel-while-paused", test_cancel_paused);
  g_test_add_func ("/app/job-queue/held", test_held);
  g_test_add_func ("/app/job-queue/newest-wins", test_newest);
  g_test_add_data_func ("/app/job-queue/stop-while-running", GINT_TO_POINTER (FALSE), test_stop);
  g_test_add_data_func ("/app/job-queue/stop-while-paused", GINT_TO_POINTER (TRUE), test_stop);
  g_test_add_func ("/app/job-queue/without-main-loop", test_without_loop);
  return g_test_run ();
}
