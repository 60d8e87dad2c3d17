/* SPDX-License-Identifier: MIT */
/* Norms that come back: the network computes what it did, on pictures that they were not measured on, the norms
 * hold what is true of the pictures, and folding them gives the old weights. */
#include <math.h>

#include "graph/cut.h"
#include "net.h"
#include "ops/op.h"
#include "sets.h"
#include "train/evaluate.h"
#include "train/norms.h"
#include "train/trainer.h"

static double
difference (PjGraph *a, PjGraph *b, unsigned pictures)
{
  size_t n = pj_shape_n_elems (&pj_graph_value (a, pj_graph_get_input (a))->shape), classes = pj_graph_n_classes (a);
  g_autofree float *x = net_noise (n * pictures, 77);
  g_autofree float *y_a = net_run (a, NULL, NULL, x, pictures), *y_b = net_run (b, NULL, NULL, x, pictures);
  double worst = 0, largest = 0;
  for (size_t i = 0; i < classes * pictures; i++) {
    worst = fmax (worst, fabs ((double) y_a[i] - y_b[i]));
    largest = fmax (largest, fabs ((double) y_a[i]));
  }
  return worst / largest;
}

static unsigned
n_norms (const PjGraph *graph)
{
  unsigned n = 0;
  for (unsigned i = 0; i < pj_graph_n_nodes (graph); i++)
    n += pj_graph_node (graph, (int) i)->op == &pj_op_norm;
  return n;
}

/* What a trained network becomes in an exporter that folds. */
static PjGraph *
folded_net (PjDevice *device, PjDataset *set)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) start = sets_net (3);
  PjTrainOptions options;
  pj_train_options_init (&options);
  options.epochs = 2;
  options.batch = 16;
  options.lr = 0.1f;
  options.flip = FALSE;
  g_autoptr (PjGraph) trained = pj_train (device, start, set, &sets_format, &options, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error);
  g_assert_no_error (error);
  PjGraph *folded = pj_fold_norms (trained, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_norms (folded), ==, 0);
  return folded;
}

static void
same_outputs (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjDataset) set = sets_bars (300, 60);
  g_autoptr (PjGraph) folded = folded_net (device, set);
  PjNormsBack back;
  g_autoptr (PjGraph) graph = pj_bring_norms_back (device, folded, set, &sets_format, 0, 1, NULL, &back, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (back.n_norms, ==, 2);
  g_assert_cmpuint (back.n_images, ==, 192);
  g_assert_cmpuint (n_norms (graph), ==, 2);
  g_assert_cmpfloat (back.difference, <=, 1e-5);
  g_assert_cmpfloat (difference (graph, folded, 40), <=, 1e-5);

  g_autoptr (PjGraph) again = pj_norms_fold_inserted (graph, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_norms (again), ==, 0);
  g_assert_cmpuint (pj_graph_n_nodes (again), ==, pj_graph_n_nodes (folded));
  g_assert_cmpfloat (difference (again, folded, 40), <=, 1e-5);
  /* A network whose norms are its own keeps them. */
  g_autoptr (PjGraph) own = sets_net (3), kept = pj_norms_fold_inserted (own, &error);
  g_assert_true (kept == own);
  g_autoptr (PjGraph) same = pj_bring_norms_back (device, own, set, &sets_format, 0, 1, NULL, &back, &error);
  g_assert_true (same == own && back.n_norms == 0);
}

/* Measured again on the same pictures, the statistics hardly move: they are those of the data, which the network's
 * own before folding were too. */
static void
true_statistics (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjDataset) set = sets_bars (256, 60);
  g_autoptr (PjGraph) folded = folded_net (device, set);
  PjNormsBack back;
  g_autoptr (PjGraph) graph = pj_bring_norms_back (device, folded, set, &sets_format, 0, 1, NULL, &back, &error);
  g_assert_no_error (error);
  g_autoptr (PjGraph) measured = pj_recalibrate (device, graph, set, &sets_format, 3, 1, NULL, &error);
  g_assert_no_error (error);
  unsigned n_checked = 0;
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++) {
    const PjValue *a = pj_graph_value (graph, (int) v);
    gboolean is_var = g_str_has_suffix (a->name, "running_var");
    if (!is_var && !g_str_has_suffix (a->name, "running_mean"))
      continue;
    const PjValue *b = pj_graph_value (measured, pj_graph_find_value (measured, a->name));
    double scale = 0;
    for (int64_t c = 0; c < a->shape.dim[0]; c++)
      scale = fmax (scale, fabs ((double) pj_blob_data (a->data)[c]));
    /* Batches of 64 have variances of their own. */
    for (int64_t c = 0; c < a->shape.dim[0]; c++)
      g_assert_cmpfloat (fabs ((double) pj_blob_data (a->data)[c] - pj_blob_data (b->data)[c]), <=, (is_var ? 0.05 : 0.01) * scale);
    n_checked++;
  }
  g_assert_cmpuint (n_checked, ==, 4);
}

/* Layers that share their weights could not be folded again: they stay as they are. */
static void
shared_weights (void)
{
  g_autoptr (PjGraph) graph = net_mixed ();
  g_autoptr (GArray) missing = pj_norms_missing (graph);
  g_assert_cmpuint (missing->len, ==, 1);
  g_assert_cmpstr (pj_graph_node (graph, g_array_index (missing, int, 0))->name, ==, "c1");
}

/* Data of other pictures is refused before anything is measured. */
static void
other_pictures (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjDataset) set = sets_bars (64, 10);
  g_autoptr (PjGraph) graph = net_mixed ();
  PjNormsBack back;
  g_assert_null (pj_bring_norms_back (device, graph, set, &sets_format, 0, 1, NULL, &back, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/norms/same-outputs", same_outputs);
  g_test_add_func ("/train/norms/true-statistics", true_statistics);
  g_test_add_func ("/train/norms/shared-weights", shared_weights);
  g_test_add_func ("/train/norms/other-pictures", other_pictures);
  return g_test_run ();
}
