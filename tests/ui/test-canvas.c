/* SPDX-License-Identifier: MIT */
/* The network as a map under hands, and a network of 5,000 operators in it: layout, folding, panning, zooming.  What
 * each costs is told; that the window answers meanwhile is judged. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "io/onnx.h"
#include "ops/op.h"
#include "support/net.h"
#include "window-private.h"
#include "window-test.h"

#define N_BLOCKS 710            /* of 7 operators each */
#define LARGE_LIMIT_MS 200

static PjuCanvas *
canvas_of (Fixture *self)
{
  GtkWidget *canvas = find_widget (self->window, is_named, "PjuCanvas");
  g_assert_nonnull (canvas);
  return PJU_CANVAS (canvas);
}

/* The controller of a type; its signals are what a person's fingers make. */
static gpointer
controller_of (PjuCanvas *canvas, GType type)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (GTK_WIDGET (canvas));
  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++) {
    g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);
    if (g_type_is_a (G_OBJECT_TYPE (controller), type))
      return controller;
  }
  g_assert_not_reached ();
}

static void
get_middle (PjuCanvas *canvas, double *x, double *y)
{
  graphene_rect_t seen;
  pju_canvas_get_visible (canvas, &seen);
  *x = seen.origin.x + seen.size.width / 2;
  *y = seen.origin.y + seen.size.height / 2;
}

static double
cpu_ms (void)
{
  return (double) watchdog_cpu_us () / 1000.0;
}

/* What drawing the canvas costs the main thread, in one frame as large as it is. */
static double
frame_ms (PjuCanvas *canvas)
{
  GtkWidget *widget = GTK_WIDGET (canvas);
  double begin = cpu_ms ();
  int n = 3;
  for (int i = 0; i < n; i++) {
    g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
    GTK_WIDGET_GET_CLASS (widget)->snapshot (widget, snapshot);
    g_autoptr (GskRenderNode) node = gtk_snapshot_free_to_node (g_steal_pointer (&snapshot));
    g_assert_nonnull (node);
  }
  return (cpu_ms () - begin) / n;
}

/* --- hands --- */

static void
open_network_page (Fixture *self, const char *path)
{
  drop (self, path);
  await_text (self, "No pictures yet");
  act (self, "page", g_variant_new_string ("network"));
  settle (300);
}

static void
test_pinch (Fixture *self, gconstpointer data)
{
  open_network_page (self, self->place.onnx);
  PjuCanvas *canvas = canvas_of (self);
  gpointer pinch = controller_of (canvas, GTK_TYPE_GESTURE_ZOOM);
  double x0, y0, x1, y1;
  pju_canvas_zoom_to (canvas, 1);
  get_middle (canvas, &x0, &y0);
  g_signal_emit_by_name (pinch, "begin", NULL);
  g_signal_emit_by_name (pinch, "scale-changed", 1.5);
  g_assert_cmpfloat_with_epsilon (pju_canvas_get_scale (canvas), 1.5, 1e-9);
  g_signal_emit_by_name (pinch, "scale-changed", 2.0);
  g_assert_cmpfloat_with_epsilon (pju_canvas_get_scale (canvas), 2.0, 1e-9);
  get_middle (canvas, &x1, &y1);
  g_assert_cmpfloat_with_epsilon (x0, x1, 1);
  g_assert_cmpfloat_with_epsilon (y0, y1, 1);
  /* The next pinch starts from what the last one left; no pinch goes beyond the limits. */
  g_signal_emit_by_name (pinch, "begin", NULL);
  g_signal_emit_by_name (pinch, "scale-changed", 0.5);
  g_assert_cmpfloat_with_epsilon (pju_canvas_get_scale (canvas), 1.0, 1e-9);
  g_signal_emit_by_name (pinch, "begin", NULL);
  g_signal_emit_by_name (pinch, "scale-changed", 1e6);
  g_assert_cmpfloat (pju_canvas_get_scale (canvas), <=, 4);
  g_signal_emit_by_name (pinch, "scale-changed", 1e-9);
  g_assert_cmpfloat (pju_canvas_get_scale (canvas), >, 0);
}

/* --- a large network --- */

static char *
make_large (Fixture *self)
{
  g_autoptr (PjGraph) graph = pj_graph_new ("large");
  g_autoptr (GError) error = NULL;
  int x = net_block (graph, "stem", pj_graph_add_input (graph, "x", PJ_SHAPE (1, 2, 4, 4)), 2, 3, 1, TRUE);
  for (int i = 0; i < N_BLOCKS; i++) {
    g_autofree char *a = g_strdup_printf ("b%d.a", i), *b = g_strdup_printf ("b%d.b", i), *sum = g_strdup_printf ("b%d.sum", i);
    g_autofree char *relu = g_strdup_printf ("b%d.out", i);
    int y = net_block (graph, b, net_block (graph, a, x, 2, 3, 1, TRUE), 2, 3, 1, FALSE);
    x = net_unary (graph, relu, &pj_op_relu, net_add (graph, sum, y, x));
  }
  pj_graph_set_output (graph, net_classifier (graph, x));
  g_assert_cmpuint (pj_graph_n_nodes (graph), >=, 4970);
  g_test_message ("%u operators", pj_graph_n_nodes (graph));
  char *path = g_build_filename (self->place.folder, "large.onnx", NULL);
  pj_onnx_export (graph, NULL, path, &error);
  g_assert_no_error (error);
  return path;
}

static int
by_top (gconstpointer a, gconstpointer b)
{
  const graphene_rect_t *x = a, *y = b;
  return x->origin.y < y->origin.y ? -1 : x->origin.y > y->origin.y;
}

static void
assert_no_overlap (PjuGraph *graph)
{
  guint n = pju_graph_n_boxes (graph);
  g_autofree graphene_rect_t *boxes = g_new (graphene_rect_t, n);
  double width, height;
  pju_graph_get_size (graph, &width, &height);
  for (guint i = 0; i < n; i++) {
    pju_graph_get_box (graph, (int) i, &boxes[i]);
    g_assert_cmpfloat (boxes[i].origin.x, >=, 0);
    g_assert_cmpfloat (boxes[i].origin.x + boxes[i].size.width, <=, width);
    g_assert_cmpfloat (boxes[i].origin.y + boxes[i].size.height, <=, height);
  }
  qsort (boxes, n, sizeof *boxes, by_top);
  for (guint i = 0; i < n; i++)
    for (guint k = i + 1; k < n && boxes[k].origin.y < boxes[i].origin.y + boxes[i].size.height; k++)
      g_assert_false (graphene_rect_intersection (&boxes[i], &boxes[k], NULL));
}

/* Where the box of a layer is on screen. */
static double
top_on_screen (PjuCanvas *canvas, PjmLayer *layer)
{
  graphene_rect_t box, seen;
  pju_graph_get_box (pju_canvas_get_graph (canvas), pju_graph_find (pju_canvas_get_graph (canvas), layer), &box);
  pju_canvas_get_visible (canvas, &seen);
  return (box.origin.y - seen.origin.y) * pju_canvas_get_scale (canvas);
}

static guint
n_boxes (PjuCanvas *canvas)
{
  return pju_graph_n_boxes (pju_canvas_get_graph (canvas));
}

typedef struct { PjuCanvas *canvas; guint n; } WantedBoxes;

static gboolean
has_boxes (gpointer data)
{
  WantedBoxes *wanted = data;
  return n_boxes (wanted->canvas) == wanted->n;
}

/* Pans screen by screen and back, and looks from far and near. */
static void
roam (Fixture *self, PjuCanvas *canvas)
{
  double slowest = 0, width, height;
  pju_graph_get_size (pju_canvas_get_graph (canvas), &width, &height);
  pju_canvas_zoom_to (canvas, 1);
  for (int i = 0; i < 40; i++) {
    double x, y, wanted = height * (.1 + .02 * i);
    pju_canvas_center_on (canvas, width / 2, wanted);
    get_middle (canvas, &x, &y);
    g_assert_cmpfloat_with_epsilon (y, wanted, 1);
    double ms = frame_ms (canvas);
    slowest = MAX (slowest, ms);
  }
  g_test_message ("%u boxes: slowest frame while panning %.1f ms", n_boxes (canvas), slowest);
  pju_canvas_fit (canvas);
  g_test_message ("%u boxes: frame with all of them in sight %.1f ms", n_boxes (canvas), frame_ms (canvas));
  pju_canvas_zoom_to (canvas, 1);
  g_test_message ("%u boxes: frame at 100 %% %.1f ms", n_boxes (canvas), frame_ms (canvas));
}

static void
test_large (Fixture *self, gconstpointer data)
{
  g_autofree char *path = make_large (self);
  /* Opening takes as long as the lists of 5,000 rows need. */
  if (self->limit_ms > 0)
    self->limit_ms = LARGE_LIMIT_MS;
  gint64 begin = g_get_monotonic_time ();
  open_network_page (self, path);
  g_test_message ("opened and drawn after %.1f s", (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC);
  PjuCanvas *canvas = canvas_of (self);
  PjmProject *project = PJU_WINDOW (self->window)->project;
  GListModel *layers = pjm_project_get_layers (project);
  guint n = g_list_model_get_n_items (layers), n_folded;

  /* A block is one box: it has three rows or more. */
  guint n_blocks = pjm_project_n_blocks (project, &n_folded), folded_boxes = n_boxes (canvas);
  g_assert_cmpuint (n_blocks, >=, N_BLOCKS);
  g_assert_cmpuint (n_folded, ==, n_blocks);
  g_assert_cmpuint (folded_boxes, <, n / 2);
  assert_no_overlap (pju_canvas_get_graph (canvas));
  self->watchdog.doing = "roaming, folded";
  roam (self, canvas);

  /* All of it: every layer has its own box, and the selected one stays where it was on screen. */
  g_autoptr (PjmLayer) middle = g_list_model_get_item (layers, n / 2);
  pju_studio_set_layer (PJU_WINDOW (self->window)->studio, middle);
  settle (50);
  double at = top_on_screen (canvas, middle);
  self->watchdog.doing = "unfolding everything";
  pjm_project_fold (project, -1, FALSE);
  wait_until (has_boxes, &(WantedBoxes) { canvas, n });
  g_assert_cmpfloat_with_epsilon (top_on_screen (canvas, middle), at, 1.5);
  assert_no_overlap (pju_canvas_get_graph (canvas));
  for (guint i = 0; i < n; i += 37) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    g_assert_true (pju_graph_get_layer (pju_canvas_get_graph (canvas), pju_graph_find (pju_canvas_get_graph (canvas), layer)) == layer);
  }
  self->watchdog.doing = "roaming, unfolded";
  roam (self, canvas);
  self->watchdog.doing = "folding everything";
  pjm_project_fold (project, -1, TRUE);
  wait_until (has_boxes, &(WantedBoxes) { canvas, folded_boxes });

  /* An edit of all layers. */
  self->watchdog.doing = "marking everything";
  act (self, "keep-all", g_variant_new_double (0.5));
  settle (300);
  g_assert_cmpfloat (pjm_layer_get_keep_ratio (middle), <, 1);
  self->watchdog.doing = "the table";
  act (self, "page", g_variant_new_string ("layers"));
  settle (500);
  act (self, "page", g_variant_new_string ("network"));
  settle (100);

  /* One search finds the far end, and a key press walks on from there. */
  pju_canvas_set_match (canvas, "b700.a");
  g_assert_true (pju_canvas_find (canvas, FALSE));
  settle (50);
  PjmLayer *found = pju_studio_get_layer (PJU_WINDOW (self->window)->studio);
  g_assert_nonnull (strstr (pjm_layer_get_name (found), "b700"));
  self->watchdog.doing = "closing";
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  add ("/ui/canvas/pinch", test_pinch);
  add ("/ui/canvas/large", test_large);
  return g_test_run ();
}
