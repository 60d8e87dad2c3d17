/* SPDX-License-Identifier: MIT */
/* The jobs: what they make, and that it is there again after closing. */
#include <math.h>
#include <string.h>

#include "graph/cut.h"
#include "io/onnx.h"
#include "model/job-private.h"
#include "project-test.h"
#include "session/model.h"

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

/* A method that changes weights: what the masked network is compared with is the one that it began with. */
static void
test_preview_of_changed_weights (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  place_open_all (place);
  wait_job (pjm_project_fine_tune (project, 6, 0.02), PJM_JOB_DONE);
  wait_preview (place);
  double base = place_number (project, "base-accuracy");
  pjm_project_set_ratio (project, place_layer (place, "a1"), 0.1, TRUE);
  wait_job (pjm_project_choose (project, "channel-pruning"), PJM_JOB_DONE);
  wait_preview (place);
  g_assert_true (place_flag (project, "modified-masks"));
  g_assert_cmpfloat (place_number (project, "base-accuracy"), ==, base);
  /* Without marks it is the network on screen alone, with its weights as they are now. */
  double masked = place_number (project, "preview-accuracy");
  pjm_project_set_ratio (project, place_layer (place, "a1"), 1, TRUE);
  wait_preview (place);
  g_assert_false (place_flag (project, "modified-masks"));
  g_assert_cmpfloat (place_number (project, "base-accuracy"), ==, place_number (project, "preview-accuracy"));
  g_assert_cmpfloat (place_number (project, "base-accuracy"), <, base);
  pjm_project_undo (project);
  wait_preview (place);
  g_assert_cmpfloat (place_number (project, "base-accuracy"), ==, base);
  g_assert_cmpfloat (place_number (project, "preview-accuracy"), ==, masked);
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

static double
remaining (PjmJob *job, double elapsed_s, double fraction)
{
  double seconds;
  pjm_job_show_news (job, &(PjTaskNews) { .state = PJ_TASK_RUNNING, .fraction = fraction, .elapsed_s = elapsed_s });
  g_object_get (job, "remaining", &seconds, NULL);
  return seconds;
}

/* What a checkpoint brings at once does not count as fast work. */
static void
test_time_left (void)
{
  g_autoptr (PjmJob) fresh = pjm_job_new ("tune", "Fresh"), resumed = pjm_job_new ("tune", "Resumed");
  g_assert_cmpfloat (remaining (fresh, 1.0, 0.01), ==, -1.0);
  g_assert_cmpfloat (remaining (fresh, 4.9, 0.1), ==, -1.0);
  g_assert_cmpfloat_with_epsilon (remaining (fresh, 11.0, 0.11), 89.0, 1e-6);
  g_assert_cmpfloat (remaining (resumed, 1.0, 0.5), ==, -1.0);
  g_assert_cmpfloat_with_epsilon (remaining (resumed, 11.0, 0.6), 40.0, 1e-6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/app/job/time-left", test_time_left);
  place_add ("/app/project/choices", test_choices);
  place_add ("/app/project/needs-data", test_needs_data);
  place_add ("/app/project/score", test_score);
  place_add ("/app/project/score-late", test_score_late);
  place_add ("/app/project/score-failed", test_score_failed);
  place_add ("/app/project/preview", test_preview);
  place_add ("/app/project/preview-of-changed-weights", test_preview_of_changed_weights);
  place_add ("/app/project/choose-and-cut", test_choose_and_cut);
  place_add ("/app/project/undo-far", test_undo_far);
  place_add ("/app/project/remove-block", test_remove_block);
  place_add ("/app/project/export", test_export);
  return g_test_run ();
}
