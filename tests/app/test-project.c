/* SPDX-License-Identifier: MIT */
/* Opening, looking, editing, undo, and what survives closing. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "io/onnx.h"
#include "model/work-open.h"
#include "project-test.h"
#include "support/net.h"

static void
test_open_onnx (Place *place, gconstpointer data)
{
  PjmProject *project = place->project;
  g_assert_false (place_flag (project, "ready"));
  place_open (place, place->onnx, NULL);
  g_assert_true (place_flag (project, "ready"));
  g_assert_false (place_flag (project, "opening"));
  g_assert_cmpuint (place->n_graph_changed, ==, 1);
  g_autofree char *name = place_text (project, "name"), *path = place_text (project, "path");
  g_assert_cmpstr (name, ==, "small");
  g_assert_true (g_str_has_prefix (path, place->state));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));

  /* stem, a1, a2, proj, add_a, gap, flatten, fc */
  g_assert_cmpuint (n_items (pjm_project_get_layers (project)), ==, 8);
  PjmLayer *stem = place_layer (place, "stem"), *a2 = place_layer (place, "a2"), *fc = place_layer (place, "fc");
  g_autofree char *kind = place_text (stem, "kind"), *detail = place_text (stem, "detail"), *shape = place_text (a2, "shape");
  g_assert_cmpstr (kind, ==, "Convolution 3×3");
  g_assert_cmpstr (detail, ==, "Batch norm, ReLU");
  g_assert_cmpstr (shape, ==, "10×4×4");
  g_autofree char *kind2 = place_text (a2, "kind"), *detail2 = place_text (place_layer (place, "add_a"), "detail");
  g_assert_cmpstr (kind2, ==, "Convolution 3×3, stride 2");
  g_assert_cmpstr (detail2, ==, "ReLU");
  g_assert_cmpuint (pjm_layer_get_channels (stem), ==, 8);
  g_assert_cmpint (pjm_layer_get_group (place_layer (place, "gap")), ==, -1);

  /* What is tied and what is locked, with reasons. */
  g_autofree char *ties = place_text (a2, "ties"), *no_ties = place_text (stem, "ties"), *why = place_text (fc, "lock-reason");
  g_assert_cmpint (pjm_layer_get_group (a2), ==, pjm_layer_get_group (place_layer (place, "proj")));
  g_assert_cmpstr (ties, ==, "Cut together with proj: the addition add_a joins them");
  g_assert_null (no_ties);
  g_assert_true (pjm_layer_get_locked (fc));
  g_assert_nonnull (strstr (why, "output"));

  /* MACs: 9·8·64 + 9·8·12·64 + 9·12·10·16 + 8·10·16 + 10·4 */
  g_assert_cmpfloat (place_number (project, "macs"), ==, 4608 + 55296 + 17280 + 1280 + 40);
  g_assert_cmpfloat (place_number (a2, "macs"), ==, 17280);
  g_assert_cmpfloat (place_number (a2, "params"), ==, 9 * 12 * 10 + 20);
  g_assert_cmpfloat (place_number (project, "macs-after"), ==, place_number (project, "macs"));
  /* 4 bytes for each weight, γ, β, mean and variance. */
  g_assert_cmpfloat (place_number (project, "size"), ==, 4 * (72 + 864 + 1080 + 80 + 44 + 4 * (8 + 12 + 10 + 10)));
  g_assert_cmpuint (n_items (pjm_project_get_history (project)), ==, 1);
  g_assert_false (place_flag (project, "can-undo"));
  assert_nothing_failed (place);
}

/* What the import changed or assumed is kept with the session. */
static void
test_remarks (Place *place, gconstpointer data)
{
  g_autofree char *file = g_build_filename (g_getenv ("PJ_TEST_FIXTURES"), "onnx", "flat-opset10.onnx", NULL);
  place_open (place, file, NULL);
  g_autofree char *session = place_text (place->project, "path");
  place_open (place, place->onnx, NULL);
  g_auto (GStrv) none = pjm_project_list_remarks (place->project);
  g_assert_cmpuint (g_strv_length (none), ==, 0);

  place_restart (place);
  place_open (place, session, NULL);
  g_auto (GStrv) remarks = pjm_project_list_remarks (place->project);
  g_assert_cmpuint (g_strv_length (remarks), ==, 2);
  g_assert_cmpstr (remarks[0], ==, "The file asks for 2 pictures at once; here their number is free.");
  g_assert_cmpstr (remarks[1], ==, "Nodes that compute constants were folded: 1.");
}

static void
test_drawing (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  guint n_boxes, n_edges;
  double width, height;
  const PjmBox *boxes = pjm_project_get_boxes (place->project, &n_boxes, &width, &height);
  const PjmEdge *edges = pjm_project_get_edges (place->project, &n_edges);
  g_assert_cmpuint (n_boxes, ==, 8);
  /* stem→a1→a2→add→gap→flatten→fc, stem→proj→add */
  g_assert_cmpuint (n_edges, ==, 8);
  for (guint i = 0; i < n_boxes; i++) {
    g_assert_cmpint (boxes[i].layer, ==, i);
    g_assert_true (boxes[i].x >= 0 && boxes[i].y >= 0);
    g_assert_true (boxes[i].x + boxes[i].width <= width && boxes[i].y + boxes[i].height <= height);
  }
  for (guint i = 0; i < n_edges; i++) {
    const PjmEdge *edge = &edges[i];
    const PjmBox *from = &boxes[edge->from], *to = &boxes[edge->to];
    g_assert_cmpuint (edge->n_points % 3, ==, 1);
    g_assert_cmpfloat (fabs (edge->points[0] - (from->x + from->width / 2)), <, 1e-6);
    g_assert_cmpfloat (fabs (edge->points[1] - (from->y + from->height)), <, 1e-6);
    g_assert_cmpfloat (fabs (edge->points[2 * edge->n_points - 1] - to->y), <, 1e-6);
  }
}

static guint
count (const guint8 *mask, guint n)
{
  guint kept = 0;
  for (guint i = 0; i < n; i++)
    kept += mask[i];
  return kept;
}

/* One drag is one step; what is tied moves together; costs are those of the smaller network. */
static void
test_ratio (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  PjmProject *project = place->project;
  PjmLayer *a2 = place_layer (place, "a2"), *proj = place_layer (place, "proj"), *a1 = place_layer (place, "a1");
  g_assert_nonnull (pjm_layer_get_scores (a2));
  for (int i = 9; i > 5; i--)
    pjm_project_set_ratio (project, a2, i / 10.0, FALSE);
  g_assert_cmpuint (n_items (pjm_project_get_history (project)), ==, 1);
  pjm_project_set_ratio (project, a2, 0.5, TRUE);
  g_assert_cmpuint (n_items (pjm_project_get_history (project)), ==, 2);
  g_assert_cmpuint (pjm_layer_get_kept (a2), ==, 5);
  g_assert_cmpuint (pjm_layer_get_kept (proj), ==, 5);
  g_assert_cmpuint (count (pjm_layer_get_mask (a2), 10), ==, 5);
  g_assert_cmpmem (pjm_layer_get_mask (a2), 10, pjm_layer_get_mask (proj), 10);
  g_assert_true (place_flag (project, "modified-masks"));
  g_assert_cmpfloat (place_number (project, "macs-after"), ==, 4608 + 55296 + 8640 + 640 + 20);
  g_assert_cmpfloat (place_number (a2, "macs-after"), ==, 8640);
  g_assert_cmpfloat (place_number (a1, "macs-after"), ==, 55296);
  g_assert_cmpfloat (place_number (project, "size-after"), <, place_number (project, "size"));

  /* The channels with the highest scores stay. */
  const double *scores = pjm_layer_get_scores (a2);
  const guint8 *mask = pjm_layer_get_mask (a2);
  for (int a = 0; a < 10; a++)
    for (int b = 0; b < 10; b++)
      if (mask[a] && !mask[b])
        g_assert_cmpfloat (scores[a], >=, scores[b]);
  g_assert_cmpfloat (pjm_layer_get_importance (a2), >, 0.0);

  /* The locked classifier refuses and says why. */
  pjm_project_set_ratio (project, place_layer (place, "fc"), 0.5, TRUE);
  assert_failed (place, "output");
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "fc")), ==, 4);

  pjm_project_set_ratio_all (project, 0.25, TRUE);
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 3);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "stem")), ==, 2);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "fc")), ==, 4);
  pjm_project_set_ratio_all (project, 1.0, TRUE);
  g_assert_false (place_flag (project, "modified-masks"));
  g_assert_null (pjm_layer_get_mask (a1));
  assert_nothing_failed (place);
}

static void
test_toggle (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  PjmProject *project = place->project;
  PjmLayer *stem = place_layer (place, "stem");
  pjm_project_toggle_channel (project, stem, 3);
  g_assert_cmpuint (pjm_layer_get_kept (stem), ==, 7);
  g_assert_false (pjm_layer_get_mask (stem)[3]);
  g_assert_cmpfloat (pjm_layer_get_keep_ratio (stem), ==, 7 / 8.0);
  pjm_project_toggle_channel (project, stem, 3);
  g_assert_null (pjm_layer_get_mask (stem));
  for (guint c = 0; c < 8; c++)
    pjm_project_toggle_channel (project, stem, c);
  g_assert_cmpuint (pjm_layer_get_kept (stem), ==, 1);
  assert_failed (place, "at least one");
}

/* In front of a grouped convolution, each of its groups loses or gets back one channel. */
static void
test_toggle_grouped (Place *place, gconstpointer data)
{
  g_autoptr (PjGraph) graph = net_bottleneck (3, FALSE);
  g_autofree char *path = g_build_filename (place->folder, "small.onnx", NULL);
  const guint8 expected[12] = { 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1 };
  pj_onnx_export (graph, &(PjOnnxExportOptions) { 0 }, path, NULL);
  place_open (place, path, NULL);
  PjmProject *project = place->project;
  PjmLayer *a = place_layer (place, "a");
  pjm_project_toggle_channel (project, a, 5);
  g_assert_cmpmem (pjm_layer_get_mask (a), 12, expected, 12);
  g_assert_cmpuint (pjm_layer_get_kept (a), ==, 9);
  pjm_project_toggle_channel (project, a, 1);
  g_assert_null (pjm_layer_get_mask (a));
  for (guint c = 0; c < 4; c++)
    pjm_project_toggle_channel (project, a, c);
  g_assert_cmpuint (pjm_layer_get_kept (a), ==, 3);
  assert_failed (place, "of each group");
  pjm_project_set_ratio (project, a, 0.7, TRUE);
  g_assert_cmpuint (pjm_layer_get_kept (a) % 3, ==, 0);
}

static void
test_undo (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  PjmProject *project = place->project;
  PjmLayer *a1 = place_layer (place, "a1");
  pjm_project_set_ratio (project, a1, 0.75, TRUE);
  pjm_project_set_ratio (project, a1, 0.5, TRUE);
  pjm_project_undo (project);
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 9);
  g_autofree char *undo = place_text (project, "undo-title"), *redo = place_text (project, "redo-title");
  g_assert_cmpstr (undo, ==, "Keep 75 % of a1");
  g_assert_cmpstr (redo, ==, "Keep 50 % of a1");
  pjm_project_undo (project);
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 12);
  g_assert_false (place_flag (project, "can-undo"));
  g_assert_true (place_flag (project, "can-redo"));
  pjm_project_redo (project);
  pjm_project_redo (project);
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 6);
  g_assert_false (place_flag (project, "can-redo"));
  /* A new branch takes over redo; the old one can still be visited. */
  pjm_project_undo (project);
  pjm_project_set_ratio (project, a1, 0.25, TRUE);
  pjm_project_undo (project);
  pjm_project_redo (project);
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 3);
  pjm_project_go_to (project, 2);
  g_assert_cmpuint (pjm_layer_get_kept (a1), ==, 6);
  assert_nothing_failed (place);
}

/* Everything is there again, without ever having been saved. */
static void
test_reopen (Place *place, gconstpointer data)
{
  place_open_all (place);
  g_autofree char *path = place_text (place->project, "path");
  PjmLayer *a1 = place_layer (place, "a1");
  pjm_project_set_ratio (place->project, a1, 0.5, TRUE);
  pjm_project_set_ratio (place->project, place_layer (place, "stem"), 0.5, TRUE);
  guint8 mask[12];
  memcpy (mask, pjm_layer_get_mask (a1), sizeof mask);
  pjm_project_undo (place->project);

  place_restart (place);
  place_open (place, path, NULL);
  a1 = place_layer (place, "a1");
  g_assert_cmpmem (pjm_layer_get_mask (a1), 12, mask, 12);
  g_assert_cmpfloat (pjm_layer_get_keep_ratio (a1), ==, 0.5);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "stem")), ==, 8);
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, 3);
  g_autofree char *redo = place_text (place->project, "redo-title"), *name = place_text (place->project, "data-name");
  g_assert_cmpstr (redo, ==, "Keep 50 % of stem");
  g_assert_nonnull (name);
  pjm_project_redo (place->project);
  g_assert_cmpuint (pjm_layer_get_kept (place_layer (place, "stem")), ==, 4);
  pjm_project_undo (place->project);
  pjm_project_undo (place->project);
  g_assert_false (place_flag (place->project, "modified-masks"));
  assert_nothing_failed (place);
}

/* Opening the file again makes another session; the first one stays. */
static void
test_open_twice (Place *place, gconstpointer data)
{
  place_open (place, place->onnx, NULL);
  g_autofree char *first = place_text (place->project, "path");
  pjm_project_set_ratio_all (place->project, 0.5, TRUE);
  place_open (place, place->onnx, NULL);
  g_autofree char *second = place_text (place->project, "path");
  g_assert_cmpstr (first, !=, second);
  g_assert_false (place_flag (place->project, "modified-masks"));
  /* The same session again is nothing new. */
  place_open (place, second, NULL);
  g_assert_false (place_flag (place->project, "read-only"));
  place_open (place, first, NULL);
  g_assert_true (place_flag (place->project, "modified-masks"));
  g_assert_false (place_flag (place->project, "read-only"));
  assert_nothing_failed (place);
}

/* What a person sees first. */
static void
test_sample (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) sample = pj_work_open_sample (&error);
  if (sample == NULL) {
    place_open (place, NULL, error->message);
    g_assert_false (place_flag (place->project, "ready"));
    return;
  }
  place_open (place, NULL, NULL);
  g_autofree char *name = place_text (place->project, "data-name");
  g_assert_nonnull (name);
  wait_preview (place);
  g_assert_cmpfloat (place_number (place->project, "base-accuracy"), >, 0.85);
  pjm_project_set_ratio_all (place->project, 0.5, TRUE);
  double macs = place_number (place->project, "macs-after");
  g_assert_cmpfloat (macs, <, 0.35 * place_number (place->project, "macs"));
  /* The next time it is as it was left. */
  place_restart (place);
  place_open (place, NULL, NULL);
  g_assert_cmpfloat (place_number (place->project, "macs-after"), ==, macs);
  assert_nothing_failed (place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/project/opens-onnx", test_open_onnx);
  place_add ("/app/project/remarks", test_remarks);
  place_add ("/app/project/drawing", test_drawing);
  place_add ("/app/project/ratio", test_ratio);
  place_add ("/app/project/toggle", test_toggle);
  place_add ("/app/project/toggle-grouped", test_toggle_grouped);
  place_add ("/app/project/undo", test_undo);
  place_add ("/app/project/survives-closing", test_reopen);
  place_add ("/app/project/opens-twice", test_open_twice);
  place_add ("/app/project/sample", test_sample);
  return g_test_run ();
}
