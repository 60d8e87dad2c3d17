/* SPDX-License-Identifier: MIT */
/* Comparisons: what a row holds, and that a stopped one goes on. */
#include <string.h>

#include "project-test.h"

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/project/compare", test_compare);
  place_add ("/app/project/compare-resume", test_compare_resume);
  return g_test_run ();
}
