/* SPDX-License-Identifier: MIT */
/* A global average in the place of a classifier: what goes, what stays, and what is refused. */
#include <math.h>

#include "graph/gap.h"
#include "net.h"
#include "ops/op.h"

/* A head of maps in a row goes with the pooling before it; the convolutions are the very same. */
static void
vgg (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) before = net_mixed ();
  g_autoptr (PjGraph) after = pj_graph_with_gap (before, 1, &error);
  g_assert_no_error (error);
  PjCost a, b;
  unsigned n_fc = 0;
  pj_graph_cost (before, &a);
  pj_graph_cost (after, &b);
  g_assert_cmpuint (b.learnable, !=, a.learnable);
  g_assert_cmpuint (pj_graph_n_classes (after), ==, pj_graph_n_classes (before));
  for (unsigned n = 0; n < pj_graph_n_nodes (after); n++) {
    const PjNode *node = pj_graph_node (after, (int) n);
    n_fc += node->op == &pj_op_gemm;
    if (node->op != &pj_op_conv)
      continue;
    int old = pj_graph_find_node (before, node->name);
    g_assert_cmpint (old, >=, 0);
    g_assert_true (pj_graph_value (after, node->inputs[1])->data == pj_graph_value (before, pj_graph_node (before, old)->inputs[1])->data);
  }
  g_assert_cmpuint (n_fc, ==, 1);
  size_t size = pj_shape_n_elems (&pj_graph_value (after, pj_graph_get_input (after))->shape);
  g_autofree float *x = net_noise (2 * size, 1), *y = net_run (after, NULL, NULL, x, 2);
  for (unsigned i = 0; i < 2 * pj_graph_n_classes (after); i++)
    g_assert_true (isfinite (y[i]));
  g_autoptr (PjGraph) again = pj_graph_with_gap (after, 1, &error);
  g_assert_null (again);
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
}

/* A residual network ends in an average already. */
static void
refuses (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) residual = net_residual (), maps = pj_graph_new ("maps");
  g_assert_null (pj_graph_with_gap (residual, 1, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
  g_clear_error (&error);
  pj_graph_set_output (maps, net_block (maps, "a", pj_graph_add_input (maps, "x", PJ_SHAPE (1, 1, 8, 8)), 4, 3, 1, TRUE));
  g_assert_null (pj_graph_with_gap (maps, 1, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/gap/vgg", vgg);
  g_test_add_func ("/graph/gap/refuses", refuses);
  return g_test_run ();
}
