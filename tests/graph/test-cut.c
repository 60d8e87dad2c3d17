/* SPDX-License-Identifier: MIT */
/* The invariants of surgery, on the specification's fixtures and on a residual network. */
#include <string.h>

#include "cut-test.h"
#include "train/masks.h"
#include "ops/op.h"

static void
fixture_chain (void)
{
  g_autoptr (JsonObject) o = case_of ("chain_conv_bn_relu_conv");
  g_autoptr (PjGraph) g = pj_graph_new ("chain");
  int pad1 = (int) fixture_number (o, "conv1/pad"), pad2 = (int) fixture_number (o, "conv2/pad");
  int y = net_conv (g, "conv1", input_at (g, o, "x"), param_at (g, o, "w1", "conv1/w"), param_at (g, o, "b1", "conv1/b"), 1, pad1);
  y = net_unary (g, "relu", &pj_op_relu, norm_at (g, o, "bn", "bn", y));
  y = net_conv (g, "conv2", y, param_at (g, o, "w2", "conv2/w"), param_at (g, o, "b2", "conv2/b"), 1, pad2);
  pj_graph_set_output (g, y);
  g_autoptr (PjGraph) cut = check_fixture (g, o, "conv1", "keep");
  /* Filters of 0 are no mask: the shift of the norm is still there. */
  check_mask_error (g, o, (const char *const[]) { "w1", "b1", NULL }, "keep", "max_error_if_only_conv_weights_are_zeroed");
}

static void
fixture_residual (void)
{
  g_autoptr (JsonObject) o = case_of ("residual_stage");
  g_autoptr (PjGraph) g = pj_graph_new ("stage");
  int x = input_at (g, o, "x");
  int s = norm_at (g, o, "proj.bn", "proj/bn", net_conv (g, "proj", x, param_at (g, o, "proj.w", "proj/w"), -1, 1, 0));
  int y = norm_at (g, o, "b1.bn1", "block1/bn1", net_conv (g, "b1.c1", x, param_at (g, o, "b1.w1", "block1/w1"), -1, 1, 0));
  y = net_unary (g, "b1.relu", &pj_op_relu, y);
  y = norm_at (g, o, "b1.bn2", "block1/bn2", net_conv (g, "b1.c2", y, param_at (g, o, "b1.w2", "block1/w2"), -1, 1, 0));
  s = net_unary (g, "relu1", &pj_op_relu, net_add (g, "add1", y, s));
  y = norm_at (g, o, "b2.bn1", "block2/bn1", net_conv (g, "b2.c1", s, param_at (g, o, "b2.w1", "block2/w1_pad1"), -1, 1, 1));
  y = net_unary (g, "b2.relu", &pj_op_relu, y);
  y = norm_at (g, o, "b2.bn2", "block2/bn2", net_conv (g, "b2.c2", y, param_at (g, o, "b2.w2", "block2/w2"), -1, 1, 0));
  s = net_unary (g, "relu2", &pj_op_relu, net_add (g, "add2", y, s));
  y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, s));
  pj_graph_set_output (g, net_gemm (g, "fc", y, param_at (g, o, "fc.w", "fc"), -1));
  g_autoptr (PjGraph) cut = check_fixture (g, o, "proj", "keep_stream");
  /* A stream has a mask point in the projection, too. */
  static const char *const blocks[] = { "b1.bn2.gamma", "b1.bn2.beta", "b2.bn2.gamma", "b2.bn2.beta", NULL };
  check_mask_error (g, o, blocks, "keep_stream", "max_error_if_projection_bn_is_not_masked");
}

static void
fixture_flatten (void)
{
  g_autoptr (JsonObject) o = case_of ("flatten_fc");
  g_autoptr (PjGraph) g = pj_graph_new ("flatten");
  /* The fixture starts at the activation: an identity convolution makes it a channel of a layer. */
  const float identity[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
  int y = net_conv (g, "conv", input_at (g, o, "x"), net_param_from (g, "w", PJ_SHAPE (3, 3, 1, 1), identity), -1, 1, 0);
  y = net_unary (g, "flatten", &pj_op_flatten, y);
  pj_graph_set_output (g, net_gemm (g, "fc", y, param_at (g, o, "fc.w", "fc_w"), param_at (g, o, "fc.b", "fc_b")));
  g_autoptr (PjGraph) cut = check_fixture (g, o, "conv", "keep");
  check_columns (g, cut, "fc.w", o, "kept_columns");
}

/* --- the toy network, end to end --- */

static void
toy (void)
{
  static const struct { const char *group, *path; } cuts[] = {
    { "proj_w", "wallet_cut/keep/stream" }, { "b1_w1", "wallet_cut/keep/b1_1" }, { "b2_w2", "wallet_cut/keep/b2_2" },
  };
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_autoptr (PjGraph) graph = toy_network (o);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  g_autoptr (GError) error = NULL;
  int n;

  g_autofree float *x = fixture_floats (o, "x", NULL), *logits = fixture_floats (o, "logits", &n);
  g_autofree float *y = net_run (graph, NULL, NULL, x, 4);
  assert_close (y, logits, n, CUT_TOLERANCE, "toy logits");
  for (guint i = 0; i < G_N_ELEMENTS (cuts); i++) {
    int n_kept;
    g_autofree int *kept = fixture_ints (o, cuts[i].path, &n_kept);
    g_autoptr (PjCutPlan) one = keep_only (groups, cuts[i].group, kept, n_kept);
    pj_cut_plan_set (plan, pj_groups_find (groups, cuts[i].group), one->cuts[0].keep, NULL);
  }
  g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, &error);
  g_assert_no_error (error);
  g_autofree float *expected = fixture_floats (o, "wallet_cut/logits", &n);
  g_autofree float *small = net_run (cut, NULL, NULL, x, 4);
  g_autofree float *masked = net_run (graph, groups, plan, x, 4);
  assert_close (small, expected, n, CUT_TOLERANCE, "wallet cut");
  assert_close (masked, expected, n, CUT_TOLERANCE, "wallet masked");
  PjCost before, after, predicted;
  pj_graph_cost (graph, &before);
  pj_graph_cost (cut, &after);
  g_assert_true (pj_cut_predict_cost (graph, groups, plan, &predicted, NULL));
  g_assert_cmpuint (before.macs, ==, (guint64) fixture_number (o, "wallet_cut/macs_before"));
  g_assert_cmpuint (after.macs, ==, (guint64) fixture_number (o, "wallet_cut/macs_after"));
  g_assert_cmpmem (&after, sizeof after, &predicted, sizeof predicted);
}

/* --- invariants on a residual network --- */

static void
cut_equals_masked (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  check_cut_equals_masked (graph);
}

static void
permutation (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  check_permutations (graph);
}

static void
two_steps_equal_one (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) first = keep_only (groups, "a2", (int[]) { 0, 1, 3, 4, 6 }, 5);
  g_autoptr (PjCutPlan) both = keep_only (groups, "a2", (int[]) { 0, 3, 6 }, 3);
  g_autoptr (PjGraph) half = pj_cut (graph, groups, first, NULL);
  g_autoptr (PjGroups) half_groups = pj_groups_new (half);
  g_autoptr (PjCutPlan) second = keep_only (half_groups, "a2", (int[]) { 0, 2, 4 }, 3);
  g_autoptr (PjGraph) a = pj_cut (half, half_groups, second, NULL);
  g_autoptr (PjGraph) b = pj_cut (graph, groups, both, NULL);
  for (unsigned v = 0; v < pj_graph_n_values (a); v++)
    if (pj_graph_value (a, (int) v)->data != NULL)
      g_assert_cmpstr (pj_blob_hash (pj_graph_value (a, (int) v)->data), ==, pj_blob_hash (pj_graph_value (b, (int) v)->data));
}

static void
whole_shares_memory (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = keep_only (groups, "a1", (int[]) { 0, 1, 2 }, 3);
  g_autoptr (PjGraph) same = pj_cut (graph, groups, plan, NULL);
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++)
    g_assert_true (pj_graph_value (graph, (int) v)->data == pj_graph_value (same, (int) v)->data);
}

static void
refuses (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (GError) error = NULL;
  g_autoptr (PjCutPlan) locked = keep_only (groups, "fc", (int[]) { 0 }, 1);
  g_assert_null (pj_cut (graph, groups, locked, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_LOCKED);
  g_clear_error (&error);
  g_autoptr (PjCutPlan) empty = keep_only (groups, "a1", NULL, 0);
  g_assert_null (pj_cut (graph, groups, empty, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
}

/* Factors multiply the inputs of the consumers. */
static void
scale (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjGroup *group = pj_groups_find (groups, "b1");
  const guint8 keep[4] = { 1, 0, 1, 1 };
  const float factors[4] = { 2, 9, 0.5f, 1 };
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  pj_cut_plan_set (plan, group, keep, factors);
  g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, NULL);
  const float *old = pj_blob_data (pj_graph_value (graph, pj_graph_find_value (graph, "b2.w"))->data);
  const float *new = pj_blob_data (pj_graph_value (cut, pj_graph_find_value (cut, "b2.w"))->data);
  for (int o = 0; o < 7; o++)
    for (int k = 0; k < 9; k++) {
      g_assert_cmpfloat (new[(o * 3 + 0) * 9 + k], ==, 2 * old[(o * 4 + 0) * 9 + k]);
      g_assert_cmpfloat (new[(o * 3 + 1) * 9 + k], ==, 0.5f * old[(o * 4 + 2) * 9 + k]);
      g_assert_cmpfloat (new[(o * 3 + 2) * 9 + k], ==, old[(o * 4 + 3) * 9 + k]);
    }
}

static void
fold (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) folded = pj_fold_norms (graph, &error);
  g_assert_no_error (error);
  for (unsigned n = 0; n < pj_graph_n_nodes (folded); n++)
    g_assert_true (pj_graph_node (folded, (int) n)->op != &pj_op_norm);
  g_autofree float *x = net_noise (2 * 72, 8), *a = net_run (graph, NULL, NULL, x, 2), *b = net_run (folded, NULL, NULL, x, 2);
  assert_close (b, a, 6, CUT_TOLERANCE, "folded");
}

static void
fold_fixture (void)
{
  g_autoptr (JsonObject) all = fixture_load ("spec/bn.json");
  JsonObject *o = json_node_get_object (fixture_at (all, "fold"));
  g_autoptr (PjGraph) g = pj_graph_new ("fold");
  int n;
  int y = net_conv (g, "conv", input_at (g, o, "x"), param_at (g, o, "w", "w"), param_at (g, o, "b", "b"), 1, 0);
  pj_graph_set_output (g, norm_at (g, o, "bn", "bn", y));
  g_autoptr (PjGraph) folded = pj_fold_norms (g, NULL);
  g_autofree float *w = fixture_floats (o, "folded_w", &n);
  assert_close (pj_blob_data (pj_graph_value (folded, pj_graph_find_value (folded, "w"))->data), w, n, 1e-6, "folded weights");
  g_autofree float *b = fixture_floats (o, "folded_b", &n);
  assert_close (pj_blob_data (pj_graph_value (folded, pj_graph_find_value (folded, "w.folded_bias"))->data), b, n, 1e-6, "folded bias");
  g_autofree float *x = fixture_floats (o, "x", NULL), *expected = fixture_floats (o, "y", &n);
  g_autofree float *whole = net_run (g, NULL, NULL, x, 1), *without = net_run (folded, NULL, NULL, x, 1);
  assert_close (whole, expected, n, 1e-6, "with the norm");
  assert_close (without, expected, n, 1e-6, "folded");
}

/* A copy with every parameter moved, as training would. */
static PjGraph *
move_params (const PjGraph *graph)
{
  PjGraph *copy = pj_graph_copy (graph);
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++) {
    const PjValue *value = pj_graph_value (graph, (int) v);
    if (value->kind != PJ_VALUE_PARAM)
      continue;
    size_t n = pj_blob_n_elems (value->data);
    g_autofree float *data = g_memdup2 (pj_blob_data (value->data), n * sizeof (float));
    for (size_t i = 0; i < n; i++)
      data[i] += 0.01f * (float) (i % 7 + 1);
    pj_graph_set_param (copy, (int) v, value->shape, pj_blob_new_copy (data, n, NULL));
  }
  return copy;
}

static void
assert_same_params (const PjGraph *a, const PjGraph *b)
{
  for (unsigned v = 0; v < pj_graph_n_values (a); v++) {
    const PjBlob *x = pj_graph_value (a, (int) v)->data, *y = pj_graph_value (b, (int) v)->data;
    if (x != NULL)
      g_assert_cmpmem (pj_blob_data (x), pj_blob_n_elems (x) * sizeof (float), pj_blob_data (y), pj_blob_n_elems (y) * sizeof (float));
  }
}

/* What a cut network learnt goes back into the whole one, from which the same cut takes it again; also where channels
 * lie in slices of a grouped convolution or repeat through a flatten. */
static void
put_back (void)
{
  PjGraph *nets[] = { net_residual (), net_mixed (), net_bottleneck (3, FALSE) };
  for (guint i = 0; i < G_N_ELEMENTS (nets); i++) {
    g_autoptr (PjGraph) graph = nets[i];
    g_autoptr (PjGroups) groups = pj_groups_new (graph);
    g_autoptr (PjCutPlan) plan = random_cut (groups, 11 + i);
    g_autoptr (PjGraph) small = pj_cut (graph, groups, plan, NULL), moved = move_params (small);
    g_autoptr (PjGraph) back = pj_cut_put_back (graph, groups, plan, moved, NULL);
    g_autoptr (PjGraph) again = pj_cut (back, groups, plan, NULL);
    assert_same_params (again, moved);
    /* The same through the plan, which then carries the weights. */
    pj_cut_plan_set_weights (plan, back);
    g_autoptr (PjCutPlan) copy = pj_cut_plan_copy (plan);
    g_autoptr (PjGraph) carried = pj_cut (graph, groups, copy, NULL);
    assert_same_params (carried, moved);
    g_autoptr (PjGraph) masked = pj_masks_scaled (graph, groups, plan, NULL);
    assert_same_params (masked, back);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/cut/fixture/chain", fixture_chain);
  g_test_add_func ("/graph/cut/fixture/residual-stage", fixture_residual);
  g_test_add_func ("/graph/cut/fixture/flatten-fc", fixture_flatten);
  g_test_add_func ("/graph/cut/fixture/toy-network", toy);
  g_test_add_func ("/graph/cut/equals-masked", cut_equals_masked);
  g_test_add_func ("/graph/cut/permutation", permutation);
  g_test_add_func ("/graph/cut/two-steps-equal-one", two_steps_equal_one);
  g_test_add_func ("/graph/cut/whole-shares-memory", whole_shares_memory);
  g_test_add_func ("/graph/cut/refuses", refuses);
  g_test_add_func ("/graph/cut/scale", scale);
  g_test_add_func ("/graph/cut/put-back", put_back);
  g_test_add_func ("/graph/fold/residual", fold);
  g_test_add_func ("/graph/fold/fixture", fold_fixture);
  return g_test_run ();
}
