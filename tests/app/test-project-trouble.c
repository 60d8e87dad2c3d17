/* SPDX-License-Identifier: MIT */
/* What goes wrong: bad files, a second window, a full disk, a failing device, closing and kill -9 in the
 * middle of work.  Each time one clear sentence, and nothing stored is lost. */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "project-test.h"
#include "session/session.h"

static const char *program;

static void
write_text (const char *path, const char *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* A session with an edit in it, closed. (transfer full): its path */
static char *
make_session (Place *place)
{
  place_open_all (place);
  pjm_project_set_ratio (place->project, place_layer (place, "a1"), 0.5, TRUE);
  char *path = place_text (place->project, "path");
  place_restart (place);
  return path;
}

static void
test_bad_files (Place *place, gconstpointer data)
{
  g_autofree char *path = g_build_filename (place->folder, "bad.onnx", NULL);
  place_open (place, path, "bad.onnx");
  write_text (path, "this is no network");
  place_open (place, path, "bad.onnx");
  g_autofree char *contents = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (place->onnx, &contents, &size, NULL));
  g_assert_true (g_file_set_contents (path, contents, (gssize) size / 2, NULL));
  place_open (place, path, "bad.onnx");
  /* A folder of pictures needs a network first. */
  place_open (place, place->data, "open a network first");
  g_assert_false (place_flag (place->project, "ready"));
  /* Nothing was left behind. */
  g_autoptr (GDir) state = g_dir_open (place->state, 0, NULL);
  g_assert_true (state == NULL || g_dir_read_name (state) == NULL);

  /* What is open stays open when something else cannot be opened. */
  place_open (place, place->onnx, NULL);
  place_open (place, path, "bad.onnx");
  g_assert_true (place_flag (place->project, "ready"));
  g_assert_cmpuint (n_items (pjm_project_get_layers (place->project)), ==, 8);
  g_autofree char *empty = g_build_filename (place->folder, "empty", NULL);
  g_assert_cmpint (g_mkdir (empty, 0700), ==, 0);
  place_open (place, empty, "empty");
  g_autofree char *name = place_text (place->project, "data-name");
  g_assert_null (name);
}

/* Pictures of another number of classes. */
static void
test_wrong_data (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  g_autofree char *labels = g_build_filename (place->data, "train-labels-idx1-ubyte", NULL), *contents = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (labels, &contents, &size, NULL));
  contents[size - 1] = 6;
  g_assert_true (g_file_set_contents (labels, contents, (gssize) size, NULL));
  place_open (place, place->data, "classes");
}

static void
test_damaged_session (Place *place, gconstpointer data)
{
  g_autofree char *path = make_session (place), *contents = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (path, &contents, &size, NULL));
  /* A newer format: the version is a big-endian number at 60. */
  g_autofree char *newer = g_memdup2 (contents, size);
  newer[62] = 1;
  g_assert_true (g_file_set_contents (path, newer, (gssize) size, NULL));
  place_open (place, path, "newer version");
  g_assert_true (g_file_set_contents (path, contents, (gssize) size / 2, NULL));
  place_open (place, path, "damaged");
  g_assert_true (g_file_set_contents (path, contents, (gssize) size, NULL));
  place_open (place, path, NULL);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 6);
}

/* Pictures that are gone: the session opens all the same. */
static void
test_lost_data (Place *place, gconstpointer data)
{
  g_autofree char *path = make_session (place), *moved = g_strconcat (place->data, "-moved", NULL);
  g_assert_cmpint (g_rename (place->data, moved), ==, 0);
  place_open (place, path, NULL);
  assert_failed (place, "pictures");
  g_assert_true (place_flag (place->project, "ready"));
  place_open (place, moved, NULL);
  wait_preview (place);
}

static void
test_second_window (Place *place, gconstpointer data)
{
  place_open_all (place);
  /* A job starts when all that came before it is written, where the pictures are as well. */
  wait_job (pjm_project_evaluate (place->project), PJM_JOB_DONE);
  g_autofree char *path = place_text (place->project, "path");
  Place other = { .state = place->state, .failures = g_ptr_array_new_with_free_func (g_free) };
  place_start (&other);
  place_open (&other, path, NULL);
  g_assert_true (place_flag (other.project, "read-only"));
  g_assert_false (place_flag (place->project, "read-only"));
  wait_preview (&other);
  pjm_project_set_ratio (other.project, place_layer (&other, "a1"), 0.5, TRUE);
  assert_failed (&other, "cannot be changed");
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (&other, "a1")), ==, 12);
  g_assert_null (pjm_project_fine_tune (other.project, 1, 0.01));
  assert_failed (&other, "cannot be changed");
  g_assert_false (place_flag (other.project, "can-undo"));
  /* Looking is allowed. */
  wait_job (pjm_project_evaluate (other.project), PJM_JOB_DONE);
  g_autofree char *out = g_build_filename (place->folder, "copy.onnx", NULL);
  wait_job (pjm_project_export (other.project, "onnx", out), PJM_JOB_DONE);
  assert_nothing_failed (&other);
  place_stop (&other);
  g_ptr_array_unref (other.failures);
}

/* An edit that cannot be written is shown, and the person is told; what follows is stored again. */
static void
test_full_disk (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  g_autofree char *path = place_text (place->project, "path");
  pj_fault_arm (PJ_FAULT_WRITE, 1);
  pjm_project_set_ratio (place->project, place_layer (place, "a1"), 0.5, TRUE);
  while (place->failures->len == 0)
    g_main_context_iteration (NULL, TRUE);
  assert_failed (place, "could not be stored");
  pj_fault_arm (PJ_FAULT_WRITE, 0);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 6);
  pjm_project_set_ratio (place->project, place_layer (place, "stem"), 0.25, TRUE);
  place_restart (place);
  place_open (place, path, NULL);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 6);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "stem")), ==, 2);
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, 2);
  assert_nothing_failed (place);
}

static gboolean
is_timed (gpointer project)
{
  return place_number (project, "time") >= 0.0;
}

/* A device that fails in the middle: the job ends with a reason, the next one works. */
static void
test_device (Place *place, gconstpointer data)
{
  place_open_all (place);
  wait_preview (place);
  /* What is measured beside the jobs would take the fault instead of them. */
  wait_until (is_timed, place->project);
  for (unsigned nth = 1; nth <= 3; nth++) {
    pj_fault_arm (PJ_FAULT_DEVICE_RUN, nth);
    PjmJob *job = pjm_project_fine_tune (place->project, 2, 0.01);
    wait_job (job, PJM_JOB_FAILED);
    g_autofree char *error = place_text (job, "error");
    g_assert_true (error != NULL && *error != '\0');
    g_assert_cmpuint (place->failures->len, >=, 1);
    g_ptr_array_set_size (place->failures, 0);
  }
  pj_fault_arm (PJ_FAULT_DEVICE_RUN, 0);
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, 1);
  pjm_project_set_device (place->project, "cpu");
  wait_job (pjm_project_fine_tune (place->project, 1, 0.01), PJM_JOB_DONE);
  assert_nothing_failed (place);
}

static void
test_no_device (Place *place, gconstpointer data)
{
  place_open_all (place);
  wait_preview (place);
  pjm_project_set_device (place->project, "vulkan:77");
  while (place->failures->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (place_flag (place->project, "offer-cpu"));
  g_ptr_array_set_size (place->failures, 0);
  pjm_project_set_device (place->project, "cpu");
  g_assert_false (place_flag (place->project, "offer-cpu"));
  wait_preview (place);
  assert_nothing_failed (place);
}

static gboolean
has_curve (gpointer job)
{
  return pjm_job_n_series (job) > 0;
}

/* Closing while a job runs: it stops at a checkpoint and can go on the next time. */
static void
test_close_running (Place *place, gconstpointer data)
{
  place_open_all (place);
  g_autofree char *path = place_text (place->project, "path");
  PjmJob *job = pjm_project_fine_tune (place->project, 2000, 0.01);
  pjm_project_evaluate (place->project);
  wait_until (has_curve, job);
  /* The last thing before closing is stored too. */
  pjm_project_set_ratio (place->project, place_layer (place, "a1"), 0.5, TRUE);
  place_restart (place);

  place_open (place, path, NULL);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 6);
  g_autoptr (PjmJob) again = g_list_model_get_item (pjm_project_get_jobs (place->project), 0);
  g_assert_cmpint (pjm_job_get_state (again), ==, PJM_JOB_CANCELLED);
  g_assert_true (pjm_job_can_resume (again));
  g_assert_cmpuint (pjm_job_n_series (again), >, 0);
}

static void
close_cb (PjmProject *project, const char *headline, const char *detail, gpointer data)
{
  pjm_project_close (project);
}

/* A listener that closes the project. */
static void
test_close_in_signal (Place *place, gconstpointer data)
{
  place_open_all (place);
  g_signal_connect (place->project, "failed", G_CALLBACK (close_cb), NULL);
  g_autofree char *nowhere = g_build_filename (place->folder, "missing", "out.onnx", NULL);
  wait_job (pjm_project_export (place->project, "onnx", nowhere), PJM_JOB_FAILED);
  while (g_main_context_pending (NULL))
    g_main_context_iteration (NULL, FALSE);
  g_assert_false (place_flag (place->project, "ready"));
}

static void
cancelled_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  GError **error = data;
  g_assert_false (pjm_project_open_finish (PJM_PROJECT (source), result, error));
}

static gboolean
has_error (gpointer error)
{
  return *(GError **) error != NULL;
}

static void
test_cancel_open (Place *place, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_cancellable_cancel (cancellable);
  pjm_project_open_async (place->project, place->onnx, cancellable, cancelled_cb, &error);
  wait_until (has_error, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  place_open (place, place->onnx, NULL);
}

/* --- kill -9 --- */

/* In the other process: trains until it is killed. */
static int
victim (const char *onnx, const char *pictures, const char *state)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  Place place = { .state = (char *) state, .failures = g_ptr_array_new_with_free_func (g_free) };
  place_start (&place);
  place_open (&place, onnx, NULL);
  place_open (&place, pictures, NULL);
  PjmJob *job = pjm_project_fine_tune (place.project, 100000, 0.01);
  while (pjm_job_is_active (job))
    g_main_context_iteration (NULL, TRUE);
  return 1;
}

/* One that is far enough for the curve to have points. */
static gboolean
has_checkpoint (gpointer path)
{
  g_autoptr (PjSession) session = pj_session_open (path, PJ_SESSION_READ_ONLY, NULL);
  PjCheckpoint checkpoint = { 0 };
  gboolean found = session != NULL && pj_session_get_checkpoint (session, 1, &checkpoint, NULL) && checkpoint.step >= 20;
  pj_checkpoint_clear (&checkpoint);
  return found;
}

static void
test_kill (Place *place, gconstpointer data)
{
  g_autofree char *path = g_build_filename (place->state, "small.penjing", NULL);
  const char *argv[] = { program, "--victim", place->onnx, place->data, place->state, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;
  g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  wait_until (has_checkpoint, path);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);

  place_open (place, path, NULL);
  g_autoptr (PjmJob) job = g_list_model_get_item (pjm_project_get_jobs (place->project), 0);
  g_assert_cmpint (pjm_job_get_state (job), ==, PJM_JOB_INTERRUPTED);
  g_assert_true (pjm_job_can_resume (job));
  g_assert_cmpuint (pjm_job_n_series (job), >, 0);
  guint n, m;
  const double *points = pjm_job_series_points (job, 0, &n);
  double reached = points[2 * n - 2];
  g_assert_true (pjm_project_resume (place->project, job));
  do {
    g_main_context_iteration (NULL, TRUE);
    points = pjm_job_series_points (job, 0, &m);
  } while (pjm_job_is_active (job) && points[2 * m - 2] <= reached);
  pjm_job_cancel (job);
  wait_job (job, PJM_JOB_CANCELLED);
  /* It went on where it was, and did not begin again. */
  g_assert_cmpfloat (points[0], <, reached);
  g_assert_cmpuint (m, >=, n - 1);
  assert_nothing_failed (place);
}

/* --- the main loop while it trains --- */

static void
test_main_loop (Place *place, gconstpointer data)
{
  place_open_all (place);
  PjmJob *job = pjm_project_fine_tune (place->project, 200, 0.01);
  gint64 longest = 0, end = g_get_monotonic_time () + 2 * G_USEC_PER_SEC;
  for (int i = 0; pjm_job_is_active (job) && g_get_monotonic_time () < end; i++) {
    gint64 before = g_get_monotonic_time ();
    if (i % 40 == 0)
      pjm_project_set_ratio_all (place->project, 1.0 - (i % 400) / 500.0, i % 80 == 0);
    g_main_context_iteration (NULL, FALSE);
    longest = MAX (longest, g_get_monotonic_time () - before);
    g_usleep (1000);
  }
  g_test_message ("longest stay in the main loop while training: %.1f ms", (double) longest / 1000.0);
  pjm_job_cancel (job);
  while (pjm_job_is_active (job))
    g_main_context_iteration (NULL, TRUE);
  /* A figure to look at; only a loop that stands still is a failure. */
  g_assert_cmpint (longest, <, 2 * G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  if (argc == 5 && strcmp (argv[1], "--victim") == 0)
    return victim (argv[2], argv[3], argv[4]);
  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/project/bad-files", test_bad_files);
  place_add ("/app/project/wrong-data", test_wrong_data);
  place_add ("/app/project/damaged-session", test_damaged_session);
  place_add ("/app/project/lost-data", test_lost_data);
  place_add ("/app/project/second-window", test_second_window);
  place_add ("/app/project/full-disk", test_full_disk);
  place_add ("/app/project/device-fails", test_device);
  place_add ("/app/project/no-device", test_no_device);
  place_add ("/app/project/close-while-running", test_close_running);
  place_add ("/app/project/close-in-a-signal", test_close_in_signal);
  place_add ("/app/project/cancel-open", test_cancel_open);
  place_add ("/app/project/kill", test_kill);
  place_add ("/app/project/main-loop", test_main_loop);
  return g_test_run ();
}
