/* SPDX-License-Identifier: MIT */
/* Jobs that train: fine-tuning, resumed to the same bits, edited meanwhile, paused; norms. */
#include <string.h>

#include "graph/cut.h"
#include "io/onnx.h"
#include "project-test.h"
#include "session/model.h"

static const char *
state_name (PjmJob *job)
{
  return (const char *[]) { "queued", "running", "paused", "done", "failed", "cancelled", "interrupted" }[pjm_job_get_state (job)];
}

static const double *
series (PjmJob *job, const char *name, guint *n_points)
{
  *n_points = 0;
  for (guint i = 0; i < pjm_job_n_series (job); i++)
    if (strcmp (pjm_job_series_name (job, i), name) == 0)
      return pjm_job_series_points (job, i, n_points);
  return NULL;
}

/* SHA-256 over the weights of the present network, from the file. */
static char *
weights_of (Place *place)
{
  g_autofree char *path = place_text (place->project, "path");
  place_restart (place);
  g_autoptr (GError) error = NULL;
  g_autoptr (PjSession) session = pj_session_open (path, PJ_SESSION_READ_ONLY, &error);
  g_assert_no_error (error);
  g_autoptr (PjStepRecord) step = pj_session_get_step (session, pj_session_current_step (session), &error);
  g_assert_no_error (error);
  g_autoptr (PjGraph) graph = pj_session_get_graph (session, step->model, &error);
  g_assert_no_error (error);
  GString *hashes = g_string_new (NULL);
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++)
    if (pj_graph_value (graph, (int) v)->data != NULL)
      g_string_append (hashes, pj_blob_hash (pj_graph_value (graph, (int) v)->data));
  return g_string_free (hashes, FALSE);
}

static void
test_fine_tune (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  pjm_project_set_ratio_all (project, 0.5, TRUE);
  wait_preview (place);
  guint n_steps = n_items (pjm_project_get_history (project));
  PjmJob *job = pjm_project_fine_tune (project, 12, 0.05);
  wait_job (job, PJM_JOB_DONE);
  /* What was marked is cut first: two steps. */
  g_assert_cmpuint (n_items (pjm_project_get_history (project)), ==, n_steps + 2);
  g_assert_cmpuint (pjm_layer_get_channels (place_layer (place, "a1")), ==, 6);
  guint n_loss, n_test;
  const double *loss = series (job, "loss", &n_loss), *test = series (job, "test accuracy", &n_test);
  g_assert_cmpuint (n_loss, >=, 2);
  g_assert_cmpfloat (loss[1], >, loss[2 * n_loss - 1]);
  g_assert_cmpuint (n_test, ==, 12);
  g_assert_cmpfloat (test[2 * n_test - 1], >, 0.8);
  wait_preview (place);
  g_assert_cmpfloat (place_number (project, "base-accuracy"), >, 0.8);

  PjmJob *evaluate = pjm_project_evaluate (project);
  wait_job (evaluate, PJM_JOB_DONE);
  g_autofree char *result = place_text (evaluate, "result");
  g_assert_nonnull (strstr (result, "of 128 pictures"));

  /* Curves, results and titles are there again. */
  g_autofree char *path = place_text (project, "path"), *title = place_text (job, "title");
  double last = loss[2 * n_loss - 1];
  place_restart (place);
  place_open (place, path, NULL);
  GListModel *jobs = pjm_project_get_jobs (place->project);
  gboolean found = FALSE;
  for (guint i = 0; i < n_items (jobs); i++) {
    g_autoptr (PjmJob) old = g_list_model_get_item (jobs, i);
    g_autofree char *kind = place_text (old, "kind"), *old_title = place_text (old, "title");
    if (strcmp (kind, "fine-tune") != 0)
      continue;
    guint n_again;
    const double *again = series (old, "loss", &n_again);
    found = TRUE;
    g_assert_cmpstr (state_name (old), ==, "done");
    g_assert_cmpuint (n_again, ==, n_loss);
    g_assert_cmpfloat (again[2 * n_again - 1], ==, last);
    g_assert_cmpstr (old_title, ==, title);
    g_assert_false (pjm_job_can_resume (old));
  }
  g_assert_true (found);
  assert_nothing_failed (place);
}

typedef struct { PjmJob *job; guint n; } PointsWanted;

static gboolean
has_points (gpointer data)
{
  PointsWanted *wanted = data;
  guint n;
  return series (wanted->job, "loss", &n) != NULL && n >= wanted->n;
}

/* Cancelled and taken up again gives the same bits as never stopped. */
static void
test_resume (Place *place, gconstpointer data)
{
  place_open_all (place);
  wait_job (pjm_project_fine_tune (place->project, 30, 0.02), PJM_JOB_DONE);
  g_autofree char *straight = weights_of (place);

  place_open_all (place);
  PjmJob *job = pjm_project_fine_tune (place->project, 30, 0.02);
  wait_until (has_points, &(PointsWanted) { job, 2 });
  pjm_job_cancel (job);
  wait_job (job, PJM_JOB_CANCELLED);
  g_assert_true (pjm_job_can_resume (job));
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, 1);
  g_assert_true (pjm_project_resume (place->project, job));
  g_assert_false (pjm_job_can_resume (job));
  wait_job (job, PJM_JOB_DONE);
  g_assert_cmpuint (n_items (pjm_project_get_jobs (place->project)), ==, 1);
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, 2);
  guint n;
  const double *loss = series (job, "loss", &n);
  for (guint i = 1; i < n; i++)
    g_assert_cmpfloat (loss[2 * i], >, loss[2 * (i - 1)]);
  g_autofree char *resumed = weights_of (place);
  g_assert_cmpstr (straight, ==, resumed);
  assert_nothing_failed (place);
}

/* What is marked while a job runs is still marked when its network comes. */
static void
test_edit_meanwhile (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  PjmJob *job = pjm_project_fine_tune (project, 20, 0.02);
  wait_until (has_points, &(PointsWanted) { job, 1 });
  pjm_project_set_ratio (project, place_layer (place, "a1"), 0.5, TRUE);
  guint8 mask[12];
  memcpy (mask, pjm_layer_get_mask (place_layer (place, "a1")), sizeof mask);
  wait_job (job, PJM_JOB_DONE);
  g_assert_cmpuint (place->n_graph_changed, ==, 2);
  g_assert_nonnull (pjm_layer_get_mask (place_layer (place, "a1")));
  g_assert_cmpmem (pjm_layer_get_mask (place_layer (place, "a1")), 12, mask, 12);
  /* Open, the mark; the fine-tuned network and the mark on it. */
  g_assert_cmpuint (n_items (pjm_project_get_history (project)), ==, 4);
  pjm_project_undo (project);
  g_autofree char *undo = place_text (project, "undo-title");
  g_assert_cmpstr (undo, ==, "Fine-tune, 20 epochs");
  pjm_project_undo (project);
  g_assert_false (place_flag (project, "can-undo"));

  /* The session says the same. */
  g_autofree char *path = place_text (project, "path");
  pjm_project_go_to (project, 3);
  place_restart (place);
  place_open (place, path, NULL);
  g_assert_cmpmem (pjm_layer_get_mask (place_layer (place, "a1")), 12, mask, 12);
  pjm_project_undo (place->project);
  g_autofree char *again = place_text (place->project, "undo-title");
  g_assert_cmpstr (again, ==, "Fine-tune, 20 epochs");
  assert_nothing_failed (place);
}

static gboolean
is_paused (gpointer job)
{
  return pjm_job_get_state (job) == PJM_JOB_PAUSED;
}

static void
test_pause (Place *place, gconstpointer data)
{
  place_open_all (place);
  PjmJob *job = pjm_project_fine_tune (place->project, 1000, 0.02);
  wait_until (has_points, &(PointsWanted) { job, 1 });
  pjm_job_set_paused (job, TRUE);
  wait_until (is_paused, job);
  g_assert_true (pjm_job_is_active (job));
  pjm_job_cancel (job);
  wait_job (job, PJM_JOB_CANCELLED);
  /* One that waits is cancelled before it begins. */
  job = pjm_project_evaluate (place->project);
  pjm_job_cancel (job);
  wait_job (job, PJM_JOB_CANCELLED);
  g_assert_false (place_flag (place->project, "busy"));
}

static void
test_recalibrate (Place *place, gconstpointer data)
{
  place_open_all (place);
  pjm_project_set_ratio (place->project, place_layer (place, "a1"), 0.5, TRUE);
  wait_job (pjm_project_recalibrate (place->project), PJM_JOB_DONE);
  g_assert_cmpuint (pjm_layer_get_channels (place_layer (place, "a1")), ==, 6);
  g_autofree char *undo = place_text (place->project, "undo-title");
  g_assert_cmpstr (undo, ==, "Recalibrate norms");
  assert_nothing_failed (place);
}

/* A network from an exporter that folds norms. */
static void
test_norms (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = pj_onnx_import (place->onnx, NULL, &error), folded = pj_fold_norms (graph, &error);
  g_autofree char *path = g_build_filename (place->folder, "folded.onnx", NULL);
  pj_onnx_export (folded, NULL, path, &error);
  g_assert_no_error (error);
  place_open_all (place);
  g_assert_false (pjm_project_lacks_norms (place->project));
  place_open (place, path, NULL);
  g_assert_true (pjm_project_lacks_norms (place->project));
  place_open (place, place->data, NULL);
  wait_job (pjm_project_bring_norms_back (place->project), PJM_JOB_DONE);
  g_assert_false (pjm_project_lacks_norms (place->project));
  g_autofree char *undo = place_text (place->project, "undo-title");
  g_assert_cmpstr (undo, ==, "Bring norms back");
  pjm_project_undo (place->project);
  g_assert_true (pjm_project_lacks_norms (place->project));
  assert_nothing_failed (place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/project/fine-tune", test_fine_tune);
  place_add ("/app/project/resume-same-bits", test_resume);
  place_add ("/app/project/edit-meanwhile", test_edit_meanwhile);
  place_add ("/app/project/pause", test_pause);
  place_add ("/app/project/recalibrate", test_recalibrate);
  place_add ("/app/project/norms", test_norms);
  return g_test_run ();
}
