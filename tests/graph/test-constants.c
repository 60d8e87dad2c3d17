/* SPDX-License-Identifier: MIT */
/* Removed channels that are the same for every picture: what they contributed moves into the layers that read them. */
#include <math.h>

#include "cut-test.h"
#include "graph/constants.h"
#include "ops/op.h"
#include "ops/params.h"

/* The activation of the fixture comes from a layer whose filter for channel 1 is zeros: what it makes is its bias. */
static PjGraph *
fixture_network (JsonObject *o, int pad)
{
  PjGraph *g = pj_graph_new ("constant");
  float w[9] = { 1, 0, 0, 0, 0, 0, 0, 0, 1 }, b[3] = { 0 };
  b[(int) fixture_number (o, "channel")] = (float) fixture_number (o, "value");
  int y = net_conv (g, "first", input_at (g, o, "h"), net_param_from (g, "first.w", PJ_SHAPE (3, 3, 1, 1), w),
                    net_param_from (g, "first.b", PJ_SHAPE (3), b), 1, 0);
  y = net_unary (g, "relu", &pj_op_relu, y);
  pj_graph_set_output (g, net_conv (g, "next", y, param_at (g, o, "next.w", "w"), param_at (g, o, "next.b", "b"), 1, pad));
  return g;
}

static PjGraph *
fold_and_cut (PjGraph *graph, const PjGroups *groups, PjCutPlan *plan, gboolean padded, PjConstants *found)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (pj_constants_fold (graph, groups, plan, padded, found, &error));
  PjGraph *cut = pj_cut (graph, groups, plan, &error);
  g_assert_no_error (error);
  return cut;
}

static void
assert_found (const PjConstants *found, unsigned n_exact, unsigned n_padded, unsigned n_left)
{
  g_assert_cmpuint (found->n_exact, ==, n_exact);
  g_assert_cmpuint (found->n_padded, ==, n_padded);
  g_assert_cmpuint (found->n_left, ==, n_left);
}

static double
worst_difference (const float *a, const float *b, int n)
{
  double worst = 0;
  for (int i = 0; i < n; i++)
    worst = MAX (worst, fabs ((double) a[i] - b[i]));
  return worst;
}

/* Without padding nothing is lost; with it the borders are, by as much as the fixture says. */
static void
fixture (void)
{
  g_autoptr (JsonObject) all = fixture_load ("spec/bn.json");
  JsonObject *o = json_node_get_object (fixture_at (all, "constant_channel"));
  g_autofree float *h = fixture_floats (o, "h", NULL);
  for (int pad = 0; pad < 2; pad++) {
    PjConstants found;
    int n;
    g_autoptr (PjGraph) graph = fixture_network (o, pad);
    g_autoptr (PjGroups) groups = pj_groups_new (graph);
    g_autoptr (PjCutPlan) plan = keep_only (groups, "first", (int[]) { 0, 2 }, 2);
    g_autoptr (PjGraph) cut = fold_and_cut (graph, groups, plan, TRUE, &found);
    assert_found (&found, pad == 0, pad == 1, 0);
    g_autofree float *b = fixture_floats (o, "new_b", &n);
    assert_close (pj_blob_data (pj_graph_value (cut, pj_graph_find_value (cut, "next.b"))->data), b, n, 1e-6, "bias");
    g_autofree float *whole = net_run (graph, NULL, NULL, h, 1), *small = net_run (cut, NULL, NULL, h, 1);
    g_autofree float *masked = net_run (plan->weights, groups, plan, h, 1);
    n = 2 * (pad == 0 ? 4 : 16);
    assert_close (small, masked, n, CUT_TOLERANCE, "cut against masked");
    if (pad == 1) {
      g_assert_cmpfloat_with_epsilon (worst_difference (whole, small, n), fixture_number (o, "max_error_with_padding_1"), 1e-4);
      continue;
    }
    g_autofree float *y = fixture_floats (o, "y_no_padding", &n);
    assert_close (whole, y, n, CUT_TOLERANCE, "whole");
    assert_close (small, y, n, CUT_TOLERANCE, "cut");
  }
}

/* Unless a person asks for it, a reader with padding stays as it is, and is reported. */
static void
padding_is_left (void)
{
  g_autoptr (JsonObject) all = fixture_load ("spec/bn.json");
  JsonObject *o = json_node_get_object (fixture_at (all, "constant_channel"));
  PjConstants found;
  g_autoptr (PjGraph) graph = fixture_network (o, 1);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = keep_only (groups, "first", (int[]) { 0, 2 }, 2);
  g_autoptr (PjGraph) cut = fold_and_cut (graph, groups, plan, FALSE, &found);
  assert_found (&found, 0, 1, 0);
  g_assert_null (plan->weights);
}

static void
set_zero (PjGraph *graph, const char *name, int channel)
{
  int value = pj_graph_find_value (graph, name);
  PjShape shape = pj_graph_value (graph, value)->shape;
  size_t n = pj_blob_n_elems (pj_graph_value (graph, value)->data);
  g_autofree float *data = g_memdup2 (pj_blob_data (pj_graph_value (graph, value)->data), n * sizeof (float));
  data[channel] = 0;
  pj_graph_set_param (graph, value, shape, pj_blob_new_copy (data, n, NULL));
}

static int
seeded_norm (PjGraph *g, const char *name, int x, int n)
{
  int v[4];
  for (int i = 0; i < 4; i++) {
    g_autofree char *as = g_strdup_printf ("%s.%d", name, i);
    v[i] = net_param (g, as, PJ_SHAPE (n), i == 0 || i == 3 ? 1.0f : 0.4f, 0.3f, 7 + (uint64_t) i);
  }
  return net_norm (g, name, x, v[0], v[1], v[2], v[3], 1e-5f);
}

/* A norm with γ = 0, ReLU6, pooling, a concatenation, a 1 × 1 layer with no bias but a norm, and a flatten to a classifier:
 * the whole network computes what the one without the two constants does. */
static void
followed (void)
{
  const PjUnaryParams six = { .function = PJ_FN_CLIP, .alpha = 0, .beta = 6 };
  const PjConcatParams channels = { .axis = 1 };
  PjConstants found;
  g_autoptr (PjGraph) g = pj_graph_new ("followed");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 4, 4));
  int a = seeded_norm (g, "na", net_conv (g, "a", x, net_param (g, "a.w", PJ_SHAPE (4, 2, 3, 3), 0, 1, 1), -1, 1, 1), 4);
  a = pj_graph_add_node (g, "a6", &pj_op_clip, &six, &a, 1, NULL);
  int b = net_unary (g, "rb", &pj_op_relu, net_conv (g, "b", x, net_param (g, "b.w", PJ_SHAPE (3, 2, 1, 1), 0, 1, 2), -1, 1, 0));
  int y = pj_graph_add_node (g, "cat", &pj_op_concat, &channels, (int[]) { a, b }, 2, NULL);
  y = seeded_norm (g, "nc", net_conv (g, "c", y, net_param (g, "c.w", PJ_SHAPE (3, 7, 1, 1), 0, 1, 3), -1, 1, 0), 3);
  y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "rc", &pj_op_relu, y));
  int fc = net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (3, 48), 0, 1, 4), net_param (g, "fc.b", PJ_SHAPE (3), 0, 1, 5));
  pj_graph_set_output (g, fc);
  set_zero (g, "na.0", 2);
  set_zero (g, "nc.0", 1);
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  g_autoptr (PjCutPlan) plan = keep_only (groups, "a", (int[]) { 0, 1, 3 }, 3);
  g_autoptr (PjCutPlan) other = keep_only (groups, "c", (int[]) { 0, 2 }, 2);
  pj_cut_plan_set (plan, pj_groups_find (groups, "c"), other->cuts[0].keep, NULL);
  g_autofree float *in = net_noise (4 * 32, 5), *whole = net_run (g, NULL, NULL, in, 4);
  g_autofree float *without = net_run (g, groups, plan, in, 4);
  g_assert_cmpfloat (worst_difference (whole, without, 12), >, 0.01);
  g_autoptr (PjGraph) cut = fold_and_cut (g, groups, plan, FALSE, &found);
  assert_found (&found, 2, 0, 0);
  g_autofree float *small = net_run (cut, NULL, NULL, in, 4);
  assert_close (small, whole, 12, CUT_TOLERANCE, "without the constants");
}

/* What varies is not taken for a constant, and a reader that cannot take one over says so. */
static void
nothing_and_nowhere (void)
{
  PjConstants found;
  g_autoptr (PjGraph) g = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  g_autoptr (PjCutPlan) plan = random_cut (groups, 3);
  g_assert_true (pj_constants_fold (g, groups, plan, TRUE, &found, NULL));
  assert_found (&found, 0, 0, 0);
  g_assert_null (plan->weights);

  g_autoptr (PjGraph) bare = pj_graph_new ("bare");
  int y = net_conv (bare, "a", pj_graph_add_input (bare, "x", PJ_SHAPE (1, 2, 4, 4)),
                    net_param (bare, "a.w", PJ_SHAPE (2, 2, 1, 1), 0, 1, 1), -1, 1, 0);
  y = net_unary (bare, "r", &pj_op_relu, seeded_norm (bare, "n", y, 2));
  pj_graph_set_output (bare, net_conv (bare, "b", y, net_param (bare, "b.w", PJ_SHAPE (3, 2, 1, 1), 0, 1, 2), -1, 1, 0));
  set_zero (bare, "n.0", 0);
  g_autoptr (PjGroups) bare_groups = pj_groups_new (bare);
  g_autoptr (PjCutPlan) one = keep_only (bare_groups, "a", (int[]) { 1 }, 1);
  g_assert_true (pj_constants_fold (bare, bare_groups, one, TRUE, &found, NULL));
  assert_found (&found, 0, 0, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/constants/fixture", fixture);
  g_test_add_func ("/graph/constants/padding-is-left", padding_is_left);
  g_test_add_func ("/graph/constants/followed", followed);
  g_test_add_func ("/graph/constants/nothing-and-nowhere", nothing_and_nowhere);
  return g_test_run ();
}
