/* SPDX-License-Identifier: MIT */
/* What the studio shows besides the figures: pictures and their preparation, filters and feature maps, times,
 * sensitivity; steps with names, deleted and compared; the view. */
#include <math.h>
#include <string.h>

#include "model/engine-text.h"
#include "project-test.h"

/* --- looking --- */

static gboolean
has_look (gpointer data)
{
  Place *place = data;
  return pjm_project_get_look (place->project, place_layer (place, "a1")) != NULL;
}

/* The strength of a channel is the mean of its map; filters are the weights averaged over what they read. */
static void
test_look (Place *place, gconstpointer data)
{
  place_open_all (place);
  PjmLayer *a1 = place_layer (place, "a1");
  g_assert_null (pjm_project_get_look (place->project, a1));
  pjm_project_look (place->project, a1);
  wait_until (has_look, place);
  const PjmLook *look = pjm_project_get_look (place->project, a1);
  g_assert_cmpuint (look->n_channels, ==, 12);
  g_assert_cmpuint (look->map_h * look->map_w, ==, 64);
  g_assert_cmpuint (look->n_pictures, ==, 12);
  g_assert_cmpuint (look->filter_planes, ==, 1);
  g_assert_cmpuint (look->filter_inputs, ==, 8);
  gboolean differs = FALSE;
  for (guint p = 0; p < look->n_pictures; p++)
    for (guint c = 0; c < 12; c++) {
      const float *map = look->maps + (p * 12 + c) * 64;
      double sum = 0;
      for (int i = 0; i < 64; i++) {
        g_assert_cmpfloat (map[i], >=, 0);       /* behind a ReLU */
        sum += (double) map[i];
      }
      g_assert_cmpfloat_with_epsilon (look->strength[c * 12 + p], sum / 64, 1e-9);
      differs = differs || sum > 0;
    }
  g_assert_true (differs);
  /* Another layer makes the first look old. */
  g_assert_null (pjm_project_get_look (place->project, place_layer (place, "stem")));
  assert_nothing_failed (place);
}

/* Without pictures the filters are there all the same. */
static void
test_look_without_data (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  pjm_project_look (place->project, place_layer (place, "a1"));
  wait_until (has_look, place);
  const PjmLook *look = pjm_project_get_look (place->project, place_layer (place, "a1"));
  g_assert_nonnull (look->filters);
  g_assert_null (look->maps);
}

/* --- pictures --- */

static gboolean
has_data (gpointer data)
{
  return pjm_project_get_data (((Place *) data)->project) != NULL;
}

static gboolean
is_prepared (gpointer data)
{
  const PjmData *seen = pjm_project_get_data (((Place *) data)->project);
  return seen != NULL && !seen->measured;
}

static void
test_preparation (Place *place, gconstpointer data)
{
  place_open_all (place);
  wait_until (has_data, place);
  const PjmData *seen = pjm_project_get_data (place->project);
  g_assert_cmpuint (seen->n_classes, ==, 4);
  g_assert_cmpuint (seen->n_samples, >, 3);
  g_assert_true (seen->measured);
  guint n_train = 0;
  for (guint k = 0; k < seen->n_classes; k++)
    n_train += seen->classes[k].n_train;
  g_assert_cmpuint (n_train, ==, seen->n_train);
  wait_preview (place);
  double before = place_number (place->project, "base-accuracy");

  PjmPreparation wanted = seen->preparation;
  wanted.std[0] = 0;
  pjm_project_set_preparation (place->project, &wanted, FALSE);
  assert_failed (place, "above 0");
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, 1);

  wanted.mean[0] = 0.25;
  wanted.std[0] = 0.5;
  wanted.side = 10;
  pjm_project_set_preparation (place->project, &wanted, FALSE);
  wait_until (is_prepared, place);
  seen = pjm_project_get_data (place->project);
  g_assert_cmpfloat_with_epsilon (seen->preparation.mean[0], 0.25, 1e-6);
  g_assert_cmpint (seen->preparation.side, ==, 10);
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, 2);
  wait_preview (place);

  /* Undo takes it back, and what was measured with it. */
  pjm_project_undo (place->project);
  wait_until (has_data, place);
  g_assert_true (pjm_project_get_data (place->project)->measured);
  wait_preview (place);
  g_assert_cmpfloat (place_number (place->project, "base-accuracy"), ==, before);
  assert_nothing_failed (place);
}

/* --- times and sensitivity --- */

static gboolean
has_time (gpointer data)
{
  return place_number (((Place *) data)->project, "time") >= 0;
}

static void
test_time (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  wait_until (has_time, place);
  double sum = 0, whole = place_number (place->project, "time");
  GListModel *layers = pjm_project_get_layers (place->project);
  for (guint i = 0; i < n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    g_assert_cmpfloat (pjm_layer_get_milliseconds (layer), >=, 0);
    sum += pjm_layer_get_milliseconds (layer);
  }
  g_assert_cmpfloat_with_epsilon (sum, whole, 1e-9);
  g_assert_cmpfloat (place_number (place->project, "time-after"), ==, whole);
  pjm_project_set_ratio_all (place->project, 0.5, TRUE);
  g_assert_cmpfloat (place_number (place->project, "time-after"), <, whole);
}

static void
test_sensitivity (Place *place, gconstpointer data)
{
  place_open_all (place);
  PjmLayer *a1 = place_layer (place, "a1");
  guint n, n_pictures;
  double base;
  g_autofree char *path = place_text (place->project, "path"), *reading = NULL;
  g_assert_null (pjm_project_get_sensitivity (place->project, a1, &n, &base, &n_pictures, NULL));
  wait_job (pjm_project_measure_sensitivity (place->project), PJM_JOB_DONE);
  const double *points = pjm_project_get_sensitivity (place->project, a1, &n, &base, &n_pictures, &reading);
  g_assert_cmpuint (n, ==, 9);
  for (guint i = 1; i < n; i++)
    g_assert_cmpfloat (points[2 * i], >, points[2 * i - 2]);
  g_assert_cmpuint (n_pictures, >, 0);
  g_assert_nonnull (strstr (reading, "%"));
  double half = pjm_layer_get_sensitivity (a1);
  g_assert_cmpfloat (half, >=, 0);
  /* It belongs to the network, and is there again. */
  place_restart (place);
  place_open (place, path, NULL);
  g_assert_cmpfloat (pjm_layer_get_sensitivity (place_layer (place, "a1")), ==, half);
  assert_nothing_failed (place);
}

/* --- steps --- */

static PjmStep *
step_at (Place *place, guint i)
{
  g_autoptr (PjmStep) step = g_list_model_get_item (pjm_project_get_history (place->project), i);
  return step;
}

static void
test_steps (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  PjmProject *project = place->project;
  g_autofree char *path = place_text (project, "path");
  pjm_project_set_ratio_all (project, 0.75, TRUE);
  pjm_project_set_ratio_all (project, 0.5, TRUE);
  pjm_project_undo (project);
  pjm_project_set_ratio_all (project, 0.25, TRUE);
  pjm_project_name_step (project, step_at (place, 1), "  good one ");
  g_assert_true (pjm_step_get_parent (step_at (place, 3)) == step_at (place, 1));
  g_assert_true (pjm_step_get_parent (step_at (place, 2)) == step_at (place, 1));

  /* Deleting takes what follows along, and the present step moves out of the way. */
  g_assert_cmpuint (pjm_project_delete_step (project, step_at (place, 1), TRUE), ==, 3);
  g_assert_true (place_flag (step_at (place, 0), "current"));
  g_assert_false (place_flag (project, "can-redo"));
  g_assert_false (place_flag (project, "modified-masks"));
  g_assert_cmpuint (pjm_project_delete_step (project, step_at (place, 0), TRUE), ==, 0);
  assert_failed (place, "first step");
  /* Bringing one back brings what leads to it. */
  g_assert_cmpuint (pjm_project_delete_step (project, step_at (place, 3), FALSE), ==, 2);
  g_assert_true (place_flag (step_at (place, 2), "deleted"));

  place_restart (place);
  place_open (place, path, NULL);
  g_autofree char *name = place_text (step_at (place, 1), "name");
  g_assert_cmpstr (name, ==, "good one");
  g_assert_true (place_flag (step_at (place, 2), "deleted"));
  g_assert_false (place_flag (step_at (place, 3), "deleted"));
  assert_nothing_failed (place);
}

typedef struct { PjmStepDiff *diff; gboolean done; } Compared;

static void
compared_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Compared *compared = data;
  compared->diff = pjm_project_compare_steps_finish (PJM_PROJECT (source), result, NULL);
  compared->done = TRUE;
}

static gboolean
is_compared (gpointer data)
{
  return ((Compared *) data)->done;
}

static void
test_compare_steps (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  Compared compared = { NULL, FALSE };
  pjm_project_set_ratio (place->project, place_layer (place, "a1"), 0.5, TRUE);
  pjm_project_toggle_channel (place->project, place_layer (place, "stem"), 2);
  pjm_project_compare_steps_async (place->project, step_at (place, 1), step_at (place, 2), compared_cb, &compared);
  wait_until (is_compared, &compared);
  g_assert_nonnull (compared.diff);
  g_assert_cmpuint (compared.diff->macs[0], ==, 4608 + 55296 / 2 + 17280 / 2 + 1280 + 40);
  g_assert_cmpuint (compared.diff->macs[1], <, compared.diff->macs[0]);
  for (guint i = 0; i < compared.diff->groups->len; i++) {
    const PjmGroupDiff *group = compared.diff->groups->pdata[i];
    if (strcmp (group->name, "stem") == 0) {
      g_assert_cmpuint (group->kept[0], ==, 8);
      g_assert_cmpuint (group->kept[1], ==, 7);
      g_assert_cmpuint (group->n_common, ==, 7);
    } else if (strcmp (group->name, "a1") == 0) {
      g_assert_cmpuint (group->kept[0], ==, 6);
      g_assert_cmpuint (group->n_common, ==, 6);
    }
  }
  pjm_step_diff_free (compared.diff);
}

static PjmStepDiff *
compare (Place *place, guint a, guint b)
{
  Compared compared = { NULL, FALSE };
  pjm_project_compare_steps_async (place->project, step_at (place, a), step_at (place, b), compared_cb, &compared);
  wait_until (is_compared, &compared);
  g_assert_nonnull (compared.diff);
  return compared.diff;
}

/* How each class fares is known once both were evaluated. */
static void
test_compare_classes (Place *place, gconstpointer data)
{
  place_open_all (place);
  wait_job (pjm_project_evaluate (place->project), PJM_JOB_DONE);
  wait_job (pjm_project_fine_tune (place->project, 3, 0.02), PJM_JOB_DONE);
  PjmStepDiff *before = compare (place, 0, 1);
  g_assert_null (before->classes);
  pjm_step_diff_free (before);
  wait_job (pjm_project_evaluate (place->project), PJM_JOB_DONE);
  PjmStepDiff *diff = compare (place, 0, 1);
  double n = 0, won = 0;
  g_assert_nonnull (diff->classes);
  g_assert_cmpuint (diff->n_changed, >, 0);
  g_assert_cmpuint (diff->n_won + diff->n_lost, <=, diff->n_changed);
  for (guint i = 0; i < diff->classes->len; i++) {
    const PjmClassChange *change = &g_array_index (diff->classes, PjmClassChange, i);
    g_assert_cmpuint (strlen (change->name), >, 0);
    n += change->n;
    won += change->n * (change->now - change->before);
  }
  g_assert_cmpuint ((guint) n, ==, diff->n_test);
  g_assert_cmpfloat_with_epsilon (won, (double) diff->n_won - diff->n_lost, 1e-6);
  g_assert_cmpfloat_with_epsilon (diff->accuracy[1] - diff->accuracy[0], won / n, 1e-6);
  pjm_step_diff_free (diff);
  assert_nothing_failed (place);
}

/* What is marked makes another network, which is measured with the channels masked; and each step from wherever one is. */
static void
test_compare_marked (Place *place, gconstpointer data)
{
  place_open_all (place);
  pjm_project_set_ratio (place->project, place_layer (place, "a1"), 0.5, TRUE);
  pjm_project_set_ratio (place->project, place_layer (place, "a1"), 1, TRUE);
  PjmStepDiff *before = compare (place, 0, 1);
  g_assert_null (before->classes);
  g_assert_false (before->evaluated[0] || before->evaluated[1]);
  g_assert_cmpfloat (before->accuracy[1], <, 0);
  pjm_step_diff_free (before);
  PjmJob *first = pjm_project_evaluate_step (place->project, step_at (place, 0));
  wait_job (pjm_project_evaluate_step (place->project, step_at (place, 1)), PJM_JOB_DONE);
  g_assert_cmpint (pjm_job_get_state (first), ==, PJM_JOB_DONE);
  g_assert_true (place_flag (step_at (place, 2), "current"));

  PjmStepDiff *diff = compare (place, 0, 1);
  g_assert_nonnull (diff->classes);
  g_assert_true (diff->evaluated[0] && diff->evaluated[1]);
  g_assert_cmpfloat_with_epsilon (diff->accuracy[1] - diff->accuracy[0], ((double) diff->n_won - diff->n_lost) / diff->n_test, 1e-6);
  pjm_step_diff_free (diff);
  /* The whole network answers as it did before: what was measured with marks is not taken for it. */
  PjmStepDiff *whole = compare (place, 0, 2);
  g_assert_cmpuint (whole->n_changed, ==, 0);
  pjm_step_diff_free (whole);

  g_autofree char *path = place_text (place->project, "path");
  double accuracy = -1;
  for (guint i = 0; i < 2; i++) {
    PjmStepDiff *again = compare (place, 0, 1);
    g_assert_nonnull (again->classes);
    g_assert_true (i == 0 || again->accuracy[1] == accuracy);
    accuracy = again->accuracy[1];
    pjm_step_diff_free (again);
    if (i == 0) {
      place_restart (place);
      place_open (place, path, NULL);
    }
  }
  assert_nothing_failed (place);
}

/* Several layers at once are one step; what is tied to them moves along, what is locked stays. */
static void
test_several (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  g_autoptr (GPtrArray) layers = g_ptr_array_new ();
  g_ptr_array_add (layers, place_layer (place, "a1"));
  g_ptr_array_add (layers, place_layer (place, "a2"));
  g_ptr_array_add (layers, place_layer (place, "proj"));
  g_ptr_array_add (layers, place_layer (place, "fc"));
  pjm_project_set_ratio_some (place->project, layers, 0.7, FALSE);
  pjm_project_set_ratio_some (place->project, layers, 0.5, TRUE);
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, 2);
  g_autofree char *title = place_text (place->project, "undo-title");
  g_assert_cmpstr (title, ==, "Keep 50 % of 2 groups");
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "a1")), ==, 6);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "proj")), ==, 5);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "stem")), ==, 8);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "fc")), ==, 4);
  assert_nothing_failed (place);
}

static void
test_view (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  g_autofree char *path = place_text (place->project, "path");
  g_assert_null (pjm_project_get_view (place->project, "page"));
  pjm_project_set_view (place->project, "page", "layers");
  pjm_project_set_view (place->project, "place", "0.75 1 \"odd\"\n2");
  place_restart (place);
  place_open (place, path, NULL);
  g_autofree char *page = pjm_project_get_view (place->project, "page"), *where = pjm_project_get_view (place->project, "place");
  g_assert_cmpstr (page, ==, "layers");
  g_assert_cmpstr (where, ==, "0.75 1 \"odd\"\n2");
}

static gboolean
is_folded (gpointer data)
{
  guint n_folded;
  return pjm_project_n_blocks (((Place *) data)->project, &n_folded) == n_folded;
}

static gboolean
is_unfolded (gpointer data)
{
  guint n_folded;
  return pjm_project_n_blocks (((Place *) data)->project, &n_folded) > 0 && n_folded == 0;
}

/* The residual block is one box with its layers inside; unfolding gives the drawing back as it was. */
static void
test_fold (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  guint n, n_edges;
  const PjmBox *boxes = pjm_project_get_boxes (place->project, &n, NULL, NULL);
  g_assert_cmpuint (n, ==, 8);
  g_autofree PjmBox *before = g_memdup2 (boxes, n * sizeof *boxes);
  g_assert_cmpuint (pjm_project_n_blocks (place->project, NULL), ==, 1);
  pjm_project_fold (place->project, -1, TRUE);
  wait_until (is_folded, place);
  /* stem, the block, gap, flatten, fc in a row */
  boxes = pjm_project_get_boxes (place->project, &n, NULL, NULL);
  pjm_project_get_edges (place->project, &n_edges);
  g_assert_cmpuint (n, ==, 5);
  g_assert_cmpuint (n_edges, ==, 4);
  g_assert_true (boxes[1].folded);
  g_assert_cmpuint (boxes[1].n_inside, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpint (boxes[1].inside[i], ==, (int) i + 1);
  pjm_project_fold (place->project, 0, FALSE);
  wait_until (is_unfolded, place);
  boxes = pjm_project_get_boxes (place->project, &n, NULL, NULL);
  g_assert_cmpuint (n, ==, 8);
  for (guint i = 0; i < n; i++) {
    g_assert_cmpfloat (boxes[i].x, ==, before[i].x);
    g_assert_cmpfloat (boxes[i].y, ==, before[i].y);
  }
}

/* Why a layer is locked, and what would help. */
static void
test_unlock_hint (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  g_autofree char *hint = pjm_project_get_unlock_hint (place->project, place_layer (place, "fc"));
  g_assert_nonnull (strstr (hint, "fewer classes"));
  g_assert_null (pjm_project_get_unlock_hint (place->project, place_layer (place, "a1")));
}

/* --- sentences of the engine --- */

static const char *
translate (const char *text)
{
  static const char *const pairs[][2] = {
    { "epoch %s of %s", "Runde %s von %s" }, { "%s, keep %s: %s", "%s, behalte %s: %s" }, { "Random", "Zufall" },
    { "loses %s %% at once", "verliert gleich %s %%" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    if (strcmp (text, pairs[i][0]) == 0)
      return pairs[i][1];
  return text;
}

static void
test_engine_text (void)
{
  static const char *const formats[] = { "epoch %s of %s", "%s, keep %s: %s", "loses %s %% at once", NULL };
  static const struct { const char *english, *expected; } rows[] = {
    { "epoch 3 of 12", "Runde 3 von 12" },
    { "Random, keep 0.5: epoch 1 of 2", "Zufall, behalte 0.5: Runde 1 von 2" },
    { "loses 40 % at once", "verliert gleich 40 %" },
    { "epoch 3 of", NULL }, { "something else", NULL }, { "", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = pjm_engine_text_match (formats, translate, rows[i].english);
    g_assert_cmpstr (text, ==, rows[i].expected);
  }
  g_autofree char *same = pjm_engine_text ("nobody translated 100 % of this");
  g_assert_cmpstr (same, ==, "nobody translated 100 % of this");
  g_assert_null (pjm_engine_text (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/studio/look", test_look);
  place_add ("/app/studio/look-without-pictures", test_look_without_data);
  place_add ("/app/studio/preparation", test_preparation);
  place_add ("/app/studio/time", test_time);
  place_add ("/app/studio/sensitivity", test_sensitivity);
  place_add ("/app/studio/steps", test_steps);
  place_add ("/app/studio/compare-steps", test_compare_steps);
  place_add ("/app/studio/compare-marked-steps", test_compare_marked);
  place_add ("/app/studio/compare-classes", test_compare_classes);
  place_add ("/app/studio/several-layers", test_several);
  place_add ("/app/studio/view", test_view);
  place_add ("/app/studio/fold", test_fold);
  place_add ("/app/studio/unlock-hint", test_unlock_hint);
  g_test_add_func ("/app/studio/engine-text", test_engine_text);
  return g_test_run ();
}
