/* SPDX-License-Identifier: MIT */
/* The small-data experiment: a new head, equal costs, which rows there are, and what is refused. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "model/work-small-data.h"
#include "ops/op.h"
#include "train/head.h"

static PjDataset *
small_set (void)
{
  guint8 pixels[72 * 64];
  int32_t labels[72];
  for (int i = 0; i < 72; i++) {
    labels[i] = i % 2;
    for (int k = 0; k < 64; k++)
      pixels[i * 64 + k] = (guint8) (labels[i] * 60 + (i * 37 + k * 11) % 90);
  }
  return pj_dataset_new_memory ("small", 72, 1, 8, 8, pixels, labels, 2, 16);
}

static void
new_head (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 32);
  g_autoptr (PjGraph) a = pj_graph_with_head (lab.graph, 5, 1, &error), b = pj_graph_with_head (lab.graph, 5, 2, NULL);
  g_assert_no_error (error);
  g_assert_cmpuint (pj_graph_n_classes (a), ==, 5);
  g_assert_cmpuint (pj_graph_n_nodes (a), ==, pj_graph_n_nodes (lab.graph));
  unsigned n_new = 0;
  for (int v = 0; v < (int) pj_graph_n_values (lab.graph); v++) {
    const PjValue *old = pj_graph_value (lab.graph, v);
    int at = pj_graph_find_value (a, old->name);
    g_assert_cmpint (at, >=, 0);
    const PjValue *now = pj_graph_value (a, at);
    if (old->kind != PJ_VALUE_PARAM || now->data == old->data)
      continue;
    n_new++;
    g_assert_true (g_str_equal (old->name, "fc.w") || g_str_equal (old->name, "fc.b"));
    g_assert_cmpint (now->shape.dim[0], ==, 5);
    const float *w = pj_blob_data (now->data), *other = pj_blob_data (pj_graph_value (b, pj_graph_find_value (b, old->name))->data);
    for (size_t i = 0; i < pj_blob_n_elems (now->data); i++)
      g_assert_true (now->shape.rank == 1 ? w[i] == 0 : fabsf (w[i]) < 0.06f && w[i] != other[i]);
  }
  g_assert_cmpuint (n_new, ==, 2);
  /* Class scores that are maps cannot be given other classes. */
  PjGraph *g = pj_graph_new ("maps");
  int y = net_conv (g, "last", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8)), net_param (g, "w", PJ_SHAPE (3, 1, 3, 3), 0, 1, 1), -1, 1, 1);
  pj_graph_set_output (g, net_unary (g, "flat", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, y)));
  g_assert_null (pj_graph_with_head (g, 5, 1, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "fully connected"));
  pj_graph_unref (g);
}

static void
count_cb (const PjSmallDataRow *row, gpointer data)
{
  g_assert_cmpuint (row->n, ==, 16);
  (*(unsigned *) data)++;
}

static GPtrArray *
experiment (Lab *lab, PjDataset *small, gboolean both, const char *method, unsigned epochs, unsigned *n, GError **error)
{
  PjWorkSmallData settings = { (char *) method, .macs = 0.6, .lr = 0.05, .n_images = 32, .epochs = epochs, .large_epochs = 1,
                               .batch = 16, .seed = 1 };
  PjWork work = { .device = lab->device, .graph = lab->graph, .dataset = small, .hooks = lab->scoring.hooks };
  return pj_work_small_data (&work, both ? lab->dataset : NULL, &settings, count_cb, n, NULL, error);
}

static void
rows (void)
{
  static const char *const names[] = { "t1", "transferred", "t2", "t2-curl" };
  g_auto (Lab) lab;
  g_autoptr (PjDataset) small = small_set ();
  g_autoptr (GError) error = NULL;
  unsigned n = 0;
  lab_init_residual (&lab, 64);
  g_autoptr (GPtrArray) all = experiment (&lab, small, TRUE, "curl", 8, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 4);
  const PjSmallDataRow *whole = all->pdata[1];
  for (guint i = 0; i < 4; i++) {
    const PjSmallDataRow *row = all->pdata[i];
    g_assert_cmpstr (row->name, ==, names[i]);
    g_assert_cmpuint (pj_graph_n_classes (row->graph), ==, 2);
    if (i != 1)
      g_assert_cmpfloat ((double) row->cost.macs, <=, 0.62 * (double) whole->cost.macs);
  }
  /* T2's two rows are one cut, trained in two ways. */
  const PjSmallDataRow *t2 = all->pdata[2], *curl = all->pdata[3];
  g_assert_cmpuint (t2->cost.macs, ==, curl->cost.macs);
  g_assert_cmpuint (t2->cost.learnable, ==, curl->cost.learnable);

  /* Without the large set T1 is left out. */
  n = 0;
  g_autoptr (GPtrArray) rest = experiment (&lab, small, FALSE, "weight-sum", 8, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpstr (((const PjSmallDataRow *) rest->pdata[0])->name, ==, "transferred");
}

static void
refusals (void)
{
  static const struct { const char *method; unsigned epochs; const char *text; } cases[] = {
    { "curl", 7, "at least 8" }, { "thinet", 8, "use curl or a criterion" }, { "scratch-e", 8, "use curl or a criterion" },
  };
  g_auto (Lab) lab;
  g_autoptr (PjDataset) small = small_set ();
  lab_init_residual (&lab, 64);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (experiment (&lab, small, TRUE, cases[i].method, cases[i].epochs, NULL, &error));
    g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
    g_assert_nonnull (strstr (error->message, cases[i].text));
  }
  g_autoptr (GError) error = NULL;
  unsigned n = 0;
  lab_cancel_after (&lab, 40);
  g_assert_null (experiment (&lab, small, TRUE, "curl", 8, &n, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/small-data/new-head", new_head);
  g_test_add_func ("/prune/small-data/rows", rows);
  g_test_add_func ("/prune/small-data/refusals", refusals);
  return g_test_run ();
}
