/* SPDX-License-Identifier: MIT */
/* The jobs: what they make, and that it is there again after closing. */
#include <glib/gstdio.h>
#include <math.h>
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

static char *
current_criterion (Place *place)
{
  g_autofree char *path = place_text (place->project, "path");
  g_autoptr (PjSession) session = pj_session_open (path, PJ_SESSION_READ_ONLY, NULL);
  g_assert_nonnull (session);
  g_autoptr (PjStepRecord) step = pj_session_get_step (session, pj_session_current_step (session), NULL);
  g_assert_nonnull (step);
  return g_strdup (step->criterion);
}

static gboolean
has_device (gpointer project)
{
  guint n;
  return pjm_project_get_devices (project, &n) != NULL && n > 0;
}

static void
test_choices (Place *place, gconstpointer data)
{
  guint n, n_criteria = 0, n_others = 0;
  const PjmChoice *rows = pjm_project_get_methods (place->project, &n);
  for (guint i = 0; i < n; i++) {
    g_assert_true (*rows[i].name != '\0' && *rows[i].title != '\0' && *rows[i].about != '\0');
    if (rows[i].is_criterion)
      n_criteria++;
    else
      n_others++;
  }
  g_assert_cmpuint (n_criteria, >=, 3);
  g_assert_cmpuint (n_others, >=, 1);
  rows = pjm_project_get_formats (place->project, &n);
  g_assert_cmpuint (n, >=, 1);
  g_assert_cmpstr (rows[0].name, ==, "onnx");
  wait_until (has_device, place->project);
  rows = pjm_project_get_devices (place->project, &n);
  g_assert_cmpstr (rows[0].name, ==, "cpu");
  g_autofree char *device = place_text (place->project, "device");
  g_assert_cmpstr (device, !=, "auto");
}

static void
test_needs_data (Place *place, gconstpointer data)
{
  g_assert_null (pjm_project_cut (place->project));
  place_open (place, place->onnx, NULL);
  g_assert_null (pjm_project_fine_tune (place->project, 1, 0.01));
  assert_failed (place, "pictures");
  g_assert_null (pjm_project_cut (place->project));
  assert_failed (place, "marked");
  g_assert_cmpuint (n_items (pjm_project_get_jobs (place->project)), ==, 0);
}

/* A criterion that looks at pictures: a job measures it, then the waiting ratios choose by it. */
static void
test_score (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  PjmLayer *a1 = place_layer (place, "a1"), *a2 = place_layer (place, "a2");
  g_assert_cmpuint (pjm_layer_n_criteria (a1), ==, 1);
  pjm_project_set_ratio (project, a1, 0.5, TRUE);
  pjm_project_set_criterion (project, "apoz");
  GListModel *jobs = pjm_project_get_jobs (project);
  g_assert_cmpuint (n_items (jobs), ==, 1);
  g_autoptr (PjmJob) job = g_list_model_get_item (jobs, 0);
  g_assert_true (place_flag (project, "busy"));
  wait_job (job, PJM_JOB_DONE);
  g_assert_false (place_flag (project, "busy"));
  g_assert_cmpuint (pjm_layer_n_criteria (a1), ==, 2);
  const double *weights, *zeros;
  g_assert_cmpstr (pjm_layer_get_criterion (a1, 0, &weights), !=, pjm_layer_get_criterion (a1, 1, &zeros));
  g_assert_nonnull (weights);
  g_assert_nonnull (zeros);
  g_assert_nonnull (pjm_layer_get_scores (a1));
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 6);
  const double *scores = pjm_layer_get_scores (a1);
  const guint8 *mask = pjm_layer_get_mask (a1);
  for (int a = 0; a < 12; a++)
    for (int b = 0; b < 12; b++)
      if (mask[a] && !mask[b])
        g_assert_cmpfloat (scores[a], >=, scores[b]);

  /* Measured once: going back and forth measures nothing again, and closing keeps it. */
  pjm_project_set_criterion (project, "weight-sum");
  pjm_project_set_criterion (project, "apoz");
  g_assert_cmpuint (n_items (jobs), ==, 1);
  double first = scores[0];
  g_assert_nonnull (pjm_layer_get_scores (a2));
  g_autofree char *path = place_text (project, "path");
  g_clear_object (&job);
  place_restart (place);
  place_open (place, path, NULL);
  g_autofree char *criterion = place_text (place->project, "criterion");
  g_assert_cmpstr (criterion, ==, "apoz");
  g_assert_nonnull (pjm_layer_get_scores (place_layer (place, "a1")));
  g_assert_cmpfloat (pjm_layer_get_scores (place_layer (place, "a1"))[0], ==, first);
  g_assert_cmpuint (n_items (pjm_project_get_jobs (place->project)), ==, 1);
  assert_nothing_failed (place);
}

/* Scores that come in late choose where a ratio waits for them, not where a person chose meanwhile. */
static void
test_score_late (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  pjm_project_set_ratio (project, place_layer (place, "stem"), 0.5, TRUE);
  pjm_project_set_criterion (project, "apoz");
  g_autoptr (PjmJob) job = g_list_model_get_item (pjm_project_get_jobs (project), 0);
  PjmLayer *stem = place_layer (place, "stem"), *a1 = place_layer (place, "a1");
  guint first = 0;
  while (!pjm_layer_get_mask (stem)[first])
    first++;
  pjm_project_toggle_channel (project, stem, first);
  pjm_project_set_ratio (project, a1, 0.5, TRUE);
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 12);
  guint8 mask[8];
  memcpy (mask, pjm_layer_get_mask (stem), sizeof mask);
  wait_job (job, PJM_JOB_DONE);
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 6);
  g_assert_cmpmem (pjm_layer_get_mask (stem), 8, mask, 8);
  assert_nothing_failed (place);
}

/* A slider does not start again what failed; choosing the criterion again does. */
static void
test_score_failed (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open (place, place->onnx, NULL);
  pjm_project_set_criterion (project, "apoz");
  assert_failed (place, "pictures");
  for (int i = 9; i > 2; i--)
    pjm_project_set_ratio (project, place_layer (place, "a1"), i / 10.0, i == 3);
  assert_nothing_failed (place);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 12);
  place_open (place, place->data, NULL);
  pjm_project_set_criterion (project, "apoz");
  g_autoptr (PjmJob) job = g_list_model_get_item (pjm_project_get_jobs (project), 0);
  wait_job (job, PJM_JOB_DONE);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 3);
  assert_nothing_failed (place);
}

static void
test_preview (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  wait_preview (place);
  double base = place_number (project, "base-accuracy");
  g_assert_true (base >= 0.0 && base <= 1.0);
  g_assert_cmpfloat (place_number (project, "preview-accuracy"), ==, base);
  g_assert_cmpfloat (place_number (project, "preview-count"), ==, 128);
  double p = base;
  g_assert_cmpfloat (fabs (place_number (project, "preview-error") - sqrt (p * (1 - p) / 128)), <, 1e-9);
  for (int i = 9; i >= 2; i--) {
    pjm_project_set_ratio_all (project, i / 10.0, FALSE);
    g_assert_true (place_flag (project, "preview-stale"));
  }
  pjm_project_set_ratio_all (project, 0.1, TRUE);
  wait_preview (place);
  double masked = place_number (project, "preview-accuracy");

  /* What the preview says of a masked network is what the cut one does. */
  wait_job (pjm_project_cut (project), PJM_JOB_DONE);
  wait_preview (place);
  g_assert_cmpfloat (fabs (place_number (project, "base-accuracy") - masked), <=, 1.0 / 128);
  assert_nothing_failed (place);
}

static void
test_choose_and_cut (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  pjm_project_set_ratio (project, place_layer (place, "a1"), 0.5, TRUE);
  wait_job (pjm_project_choose (project, "thinet"), PJM_JOB_DONE);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 6);
  g_assert_cmpuint (place->n_graph_changed, ==, 1);
  double macs_after = place_number (project, "macs-after"), params_after = place_number (project, "params-after");
  guint n_steps = n_items (pjm_project_get_history (project));

  PjmJob *cut = pjm_project_cut (project);
  wait_job (cut, PJM_JOB_DONE);
  /* The criterion that is shown at the moment is not what chose. */
  g_autofree char *method = current_criterion (place);
  g_assert_cmpstr (method, ==, "thinet");
  g_autofree char *result = place_text (cut, "result");
  g_assert_nonnull (strstr (result, "MACs"));
  g_assert_cmpuint (place->n_graph_changed, ==, 2);
  g_assert_cmpuint (n_items (pjm_project_get_history (project)), ==, n_steps + 1);
  g_assert_cmpuint (pjm_layer_get_channels (place_layer (place, "a1")), ==, 6);
  g_assert_cmpfloat (place_number (project, "macs"), ==, macs_after);
  g_assert_cmpfloat (place_number (project, "params"), ==, params_after);
  g_assert_false (place_flag (project, "modified-masks"));
  g_autofree char *undo = place_text (project, "undo-title");
  g_assert_cmpstr (undo, ==, "Cut");

  pjm_project_undo (project);
  g_assert_cmpuint (pjm_layer_get_channels (place_layer (place, "a1")), ==, 12);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 6);
  pjm_project_redo (project);
  g_assert_cmpuint (pjm_layer_get_channels (place_layer (place, "a1")), ==, 6);
  assert_nothing_failed (place);
}

/* A block goes whole; its shortcut, and what is marked elsewhere, stay. */
static void
test_remove_block (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open (place, place->onnx, NULL);
  g_assert_cmpstr (pjm_layer_get_block (place_layer (place, "a1")), ==, "add_a");
  g_assert_null (pjm_layer_get_block (place_layer (place, "stem")));
  g_assert_false (pjm_layer_can_go (place_layer (place, "a1")));
  g_assert_null (pjm_project_remove_block (project, place_layer (place, "proj")));
  assert_failed (place, "no block");
  g_assert_null (pjm_project_remove_layer (project, place_layer (place, "a1")));
  assert_failed (place, "shape");

  double before = place_number (project, "macs");
  pjm_project_set_ratio (project, place_layer (place, "stem"), 0.5, TRUE);
  wait_job (pjm_project_remove_block (project, place_layer (place, "a2")), PJM_JOB_DONE);
  /* 9·8·12·64 + 9·12·10·16 multiply-accumulates less. */
  g_assert_cmpfloat (before - place_number (project, "macs"), ==, 9 * 8 * 12 * 64 + 9 * 12 * 10 * 16);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "stem")), ==, 4);
  g_assert_cmpuint (pjm_layer_get_channels (place_layer (place, "proj")), ==, 10);
  g_assert_null (pjm_layer_get_block (place_layer (place, "proj")));
  /* Undo takes back the marks, then the removal. */
  pjm_project_undo (project);
  pjm_project_undo (project);
  g_assert_cmpfloat (place_number (project, "macs"), ==, before);
  g_assert_cmpstr (pjm_layer_get_block (place_layer (place, "a2")), ==, "add_a");
  assert_nothing_failed (place);
}

/* Undo over networks that are not in memory any more. */
static void
test_undo_far (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open (place, place->onnx, NULL);
  for (int i = 0; i < 6; i++) {
    pjm_project_set_ratio (project, place_layer (place, "a1"), 0.8, TRUE);
    wait_job (pjm_project_cut (project), PJM_JOB_DONE);
  }
  guint left = pjm_layer_get_channels (place_layer (place, "a1"));
  g_assert_cmpuint (left, <, 6);
  guint before = place->n_graph_changed;
  pjm_project_go_to (project, 0);
  while (place->n_graph_changed == before)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (pjm_layer_get_channels (place_layer (place, "a1")), ==, 12);
  g_assert_true (place_flag (project, "can-redo"));
  /* As fast as somebody can press the key; only the last one has to be shown. */
  for (int i = 0; i < 12; i++)
    pjm_project_redo (project);
  g_assert_false (place_flag (project, "can-redo"));
  while (pjm_layer_get_channels (place_layer (place, "a1")) != left)
    g_main_context_iteration (NULL, TRUE);
  assert_nothing_failed (place);
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
  g_assert_cmpstr (undo, ==, "Fine-tune");
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
  g_assert_cmpstr (again, ==, "Fine-tune");
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

static gboolean
has_rows (gpointer comparison)
{
  return n_items (comparison) > 0;
}

static void
test_compare (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  const char *methods[] = { "weight-sum", "random", NULL };
  double ratios[] = { 0.5, 0.25 };
  PjmJob *job = pjm_project_compare (project, &(PjmCompareOptions) {
    .methods = methods, .ratios = ratios, .n_ratios = 2, .n_seeds = 1, .n_draws = 2, .epochs = 1, .max_steps = 4 });
  g_assert_cmpuint (n_items (pjm_project_get_comparisons (project)), ==, 1);
  g_autoptr (PjmComparison) comparison = g_list_model_get_item (pjm_project_get_comparisons (project), 0);
  wait_until (has_rows, comparison);
  wait_job (job, PJM_JOB_DONE);
  g_assert_cmpuint (n_items (G_LIST_MODEL (comparison)), ==, 4);
  g_assert_cmpfloat (place_number (comparison, "base-accuracy"), >=, 0.0);
  g_assert_cmpfloat (place_number (comparison, "n-test"), ==, 128);
  int group = pjm_layer_get_group (place_layer (place, "a1"));
  for (guint i = 0; i < 4; i++) {
    g_autoptr (PjmCompareRow) row = g_list_model_get_item (G_LIST_MODEL (comparison), i);
    g_assert_cmpfloat (place_number (row, "cut"), >=, 0.0);
    g_assert_cmpfloat (place_number (row, "tuned"), >=, 0.0);
    g_assert_cmpfloat (place_number (row, "macs-share"), <, 0.6);
    g_assert_nonnull (pjm_compare_row_get_mask (row, group));
    g_assert_nonnull (pjm_compare_row_get_scores (row, group));
    g_assert_cmpfloat (pjm_comparison_overlap (comparison, i, i), ==, 1.0);
    g_assert_cmpfloat (pjm_comparison_correlation (comparison, i, i), ==, 1.0);
    /* Two draws of random, one row. */
    g_assert_cmpfloat (place_number (row, "seeds"), ==, i < 2 ? 1 : 2);
    g_assert_true ((place_number (row, "tuned-spread") >= 0.0) == (i >= 2));
    g_assert_true (pjm_comparison_is_choice (comparison, i));
    g_autoptr (GArray) classes = pjm_comparison_get_classes (comparison, i);
    g_autoptr (GArray) changed = pjm_comparison_get_changed (comparison, i);
    guint pictures = 0;
    double right = 0.0;
    for (guint k = 0; k < classes->len; k++) {
      const PjmClassChange *change = &g_array_index (classes, PjmClassChange, k);
      pictures += change->n;
      right += change->n * change->before;
    }
    g_assert_cmpuint (pictures, ==, 128);
    g_assert_cmpfloat_with_epsilon (right / 128, place_number (comparison, "base-accuracy"), 1e-9);
    for (guint k = 0; k < changed->len; k++) {
      const PjmChangedAnswer *answer = &g_array_index (changed, PjmChangedAnswer, k);
      g_assert_cmpstr (answer->before, !=, answer->now);
      g_assert_true (answer->was_right == g_str_equal (answer->before, answer->label));
    }
  }
  int winner = pjm_comparison_layer_winner (comparison, 0.5, group);
  g_assert_true (winner == 0 || winner == 2);
  double overlap = pjm_comparison_overlap (comparison, 0, 3);
  g_assert_true (overlap >= 0.0 && overlap < 1.0);
  g_assert_cmpfloat (overlap, ==, pjm_comparison_overlap (comparison, 3, 0));
  g_autofree char *csv = pjm_comparison_to_csv (comparison);
  g_auto (GStrv) lines = g_strsplit (csv, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 6);
  g_assert_true (g_str_has_prefix (lines[1], "\"weight-sum\",0.5,"));

  g_autofree char *path = place_text (project, "path");
  g_clear_object (&comparison);
  place_restart (place);
  place_open (place, path, NULL);
  g_autoptr (PjmComparison) again = g_list_model_get_item (pjm_project_get_comparisons (place->project), 0);
  g_autofree char *csv_again = pjm_comparison_to_csv (again);
  g_assert_cmpstr (csv, ==, csv_again);
  assert_nothing_failed (place);
}

/* A comparison that was stopped goes on with the rows that are missing. */
static void
test_compare_resume (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  const char *methods[] = { "weight-sum", "random", "apoz", NULL };
  double ratios[] = { 0.5, 0.25 };
  PjmJob *job = pjm_project_compare (project, &(PjmCompareOptions) { .methods = methods, .ratios = ratios, .n_ratios = 2, .epochs = 8 });
  g_autoptr (PjmComparison) comparison = g_list_model_get_item (pjm_project_get_comparisons (project), 0);
  wait_until (has_rows, comparison);
  pjm_job_cancel (job);
  wait_job (job, PJM_JOB_CANCELLED);
  guint n = n_items (G_LIST_MODEL (comparison));
  g_assert_cmpuint (n, <, 6);
  g_autoptr (PjmCompareRow) first = g_list_model_get_item (G_LIST_MODEL (comparison), 0);
  g_autofree char *path = place_text (project, "path"), *csv = pjm_comparison_to_csv (comparison);
  g_clear_object (&comparison);
  g_clear_object (&first);

  /* Also after closing. The rows that were there are not measured again. */
  place_restart (place);
  place_open (place, path, NULL);
  g_autoptr (PjmJob) again = g_list_model_get_item (pjm_project_get_jobs (place->project), 0);
  comparison = g_list_model_get_item (pjm_project_get_comparisons (place->project), 0);
  g_assert_cmpuint (n_items (G_LIST_MODEL (comparison)), ==, n);
  g_autofree char *title = place_text (comparison, "title"), *job_title = place_text (again, "title");
  g_assert_cmpstr (title, ==, job_title);
  g_assert_true (pjm_project_resume (place->project, again));
  while (n_items (G_LIST_MODEL (comparison)) == n)
    g_main_context_iteration (NULL, TRUE);
  pjm_job_cancel (again);
  wait_job (again, PJM_JOB_CANCELLED);
  g_autofree char *more = pjm_comparison_to_csv (comparison);
  g_assert_true (g_str_has_prefix (more, csv));
  g_assert_cmpuint (n_items (pjm_project_get_comparisons (place->project)), ==, 1);
  assert_nothing_failed (place);
}

/* The file is the network without what is marked. */
static void
test_export (Place *place, gconstpointer data)
{
  place_open_all (place);
  pjm_project_set_ratio (place->project, place_layer (place, "a1"), 0.5, TRUE);
  g_autofree char *path = g_build_filename (place->folder, "out.onnx", NULL);
  PjmJob *job = pjm_project_export (place->project, "onnx", path);
  wait_job (job, PJM_JOB_DONE);
  g_autofree char *result = place_text (job, "result");
  g_assert_nonnull (strstr (result, "largest difference"));
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = pj_onnx_import (path, NULL, &error);
  g_assert_no_error (error);
  PjCost cost;
  pj_graph_cost (graph, &cost);
  g_assert_cmpfloat ((double) cost.macs, ==, place_number (place->project, "macs-after"));

  /* Where nothing can be written, the job says so and the old file stays. */
  g_autofree char *nowhere = g_build_filename (place->folder, "missing", "out.onnx", NULL);
  job = pjm_project_export (place->project, "onnx", nowhere);
  wait_job (job, PJM_JOB_FAILED);
  assert_failed (place, "out.onnx");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/project/choices", test_choices);
  place_add ("/app/project/needs-data", test_needs_data);
  place_add ("/app/project/score", test_score);
  place_add ("/app/project/score-late", test_score_late);
  place_add ("/app/project/score-failed", test_score_failed);
  place_add ("/app/project/preview", test_preview);
  place_add ("/app/project/choose-and-cut", test_choose_and_cut);
  place_add ("/app/project/undo-far", test_undo_far);
  place_add ("/app/project/fine-tune", test_fine_tune);
  place_add ("/app/project/resume-same-bits", test_resume);
  place_add ("/app/project/edit-meanwhile", test_edit_meanwhile);
  place_add ("/app/project/pause", test_pause);
  place_add ("/app/project/recalibrate", test_recalibrate);
  place_add ("/app/project/norms", test_norms);
  place_add ("/app/project/compare", test_compare);
  place_add ("/app/project/compare-resume", test_compare_resume);
  place_add ("/app/project/remove-block", test_remove_block);
  place_add ("/app/project/export", test_export);
  return g_test_run ();
}
