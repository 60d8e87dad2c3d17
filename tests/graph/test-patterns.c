/* SPDX-License-Identifier: MIT */
/* Surgery on the patterns of public networks: grouped convolutions, concatenation, inverted residuals,
 * squeeze-and-excitation and norms that come first. */
#include <string.h>

#include "cut-test.h"
#include "graph/grouped.h"
#include "ops/op.h"
#include "ops/params.h"

static int
clip6 (PjGraph *g, const char *name, int x)
{
  PjUnaryParams p = { .function = PJ_FN_CLIP, .alpha = 0, .beta = 6 };
  int y = pj_graph_add_node (g, name, &pj_op_clip, &p, &x, 1, NULL);
  g_assert_cmpint (y, >=, 0);
  return y;
}

static int
concat (PjGraph *g, const char *name, int a, int b)
{
  PjConcatParams p = { .axis = 1 };
  int y = pj_graph_add_node (g, name, &pj_op_concat, &p, (int[]) { a, b }, 2, NULL);
  g_assert_cmpint (y, >=, 0);
  return y;
}

static int
plain_conv (PjGraph *g, JsonObject *o, const char *name, const char *path, int x, int pad)
{
  g_autofree char *w = g_strconcat (name, ".w", NULL);
  return net_conv (g, name, x, param_at (g, o, w, path), -1, 1, pad);
}

/* --- fixtures --- */

static void
inverted_residual (void)
{
  g_autoptr (JsonObject) o = case_of ("inverted_residual");
  g_autoptr (PjGraph) g = pj_graph_new ("inverted");
  int x = input_at (g, o, "x");
  int y = clip6 (g, "relu1", norm_at (g, o, "expand.bn", "expand/bn", plain_conv (g, o, "expand", "expand/w", x, 0)));
  y = clip6 (g, "relu2", norm_at (g, o, "dw.bn", "depthwise/bn", plain_conv (g, o, "dw", "depthwise/w", y, (int) fixture_number (o, "depthwise/pad"))));
  y = norm_at (g, o, "project.bn", "project/bn", plain_conv (g, o, "project", "project/w", y, 0));
  pj_graph_set_output (g, net_add (g, "add", x, y));
  g_autoptr (PjGraph) cut = check_fixture (g, o, "expand", "keep_hidden");
  /* The depthwise norm brings a channel back that was 0 before it. */
  check_mask_error (g, o, (const char *const[]) { "expand.bn.gamma", "expand.bn.beta", NULL }, "keep_hidden",
                    "max_error_if_only_the_expand_side_is_masked");
}

static void
concat_branches (void)
{
  g_autoptr (JsonObject) o = case_of ("concat");
  g_autoptr (PjGraph) g = pj_graph_new ("concat");
  int n, x = input_at (g, o, "x");
  int a = net_unary (g, "ra", &pj_op_relu, plain_conv (g, o, "a", "wa", x, 0));
  int b = net_unary (g, "rb", &pj_op_relu, plain_conv (g, o, "b", "wb", x, 0));
  pj_graph_set_output (g, plain_conv (g, o, "next", "w_next", concat (g, "cat", a, b), 0));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  g_autofree int *keep_a = fixture_ints (o, "keep_a", &n);
  g_autoptr (PjCutPlan) plan = keep_only (groups, "a", keep_a, n);
  g_autofree int *keep_b = fixture_ints (o, "keep_b", &n);
  g_autoptr (PjCutPlan) other = keep_only (groups, "b", keep_b, n);
  pj_cut_plan_set (plan, pj_groups_find (groups, "b"), other->cuts[0].keep, NULL);
  check_plan (g, o, groups, plan, "y_pruned");
  g_autoptr (PjGraph) cut = pj_cut (g, groups, plan, NULL);
  check_columns (g, cut, "next.w", o, "kept_in_next");
}

static void
concat_same_twice (void)
{
  g_autoptr (JsonObject) o = case_of ("concat_same_twice");
  g_autoptr (PjGraph) g = pj_graph_new ("twice");
  int y = net_unary (g, "relu", &pj_op_relu, plain_conv (g, o, "c", "w", input_at (g, o, "x"), 0));
  pj_graph_set_output (g, plain_conv (g, o, "next", "w_next", concat (g, "cat", y, y), 0));
  g_autoptr (PjGraph) cut = check_fixture (g, o, "c", "keep");
  check_columns (g, cut, "next.w", o, "kept_in_next");
}

static PjGraph *
grouped_network (JsonObject *o)
{
  PjGraph *g = pj_graph_new ("grouped");
  int y = net_unary (g, "r1", &pj_op_relu, plain_conv (g, o, "in", "w_in", input_at (g, o, "x"), 0));
  y = net_unary (g, "r2", &pj_op_relu, plain_conv (g, o, "group", "w_group", y, (int) fixture_number (o, "pad")));
  pj_graph_set_output (g, plain_conv (g, o, "next", "w_next", y, 0));
  return g;
}

/* Inputs at the same and at different places of each group, and outputs. */
static void
grouped (void)
{
  static const struct { const char *name, *group; } cases[] = {
    { "keep_inputs", "in" }, { "keep_inputs_uneven_positions", "in" }, { "keep_outputs", "group" },
  };
  g_autoptr (JsonObject) o = case_of ("grouped_conv");
  g_autoptr (PjGraph) graph = grouped_network (o);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjConvParams *whole = pj_graph_node (graph, pj_graph_find_node (graph, "group"))->params;
  g_assert_cmpint (whole->groups, ==, (int) fixture_number (o, "groups"));

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    int n;
    g_autofree char *kept_path = g_strdup_printf ("%s/kept", cases[i].name), *y = g_strdup_printf ("%s/y", cases[i].name);
    g_autofree char *w_path = g_strdup_printf ("%s/new_w_group", cases[i].name);
    g_autofree int *kept = fixture_ints (o, kept_path, &n);
    g_autoptr (PjCutPlan) plan = keep_only (groups, cases[i].group, kept, n);
    check_plan (graph, o, groups, plan, y);
    if (strcmp (cases[i].group, "in") != 0)
      continue;
    g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, NULL);
    g_autofree float *w = fixture_floats (o, w_path, &n);
    const float *data = pj_blob_data (pj_graph_value (cut, pj_graph_find_value (cut, "group.w"))->data);
    for (int k = 0; k < n; k++)
      g_assert_cmpfloat (data[k], ==, w[k]);
  }
}

/* A whole group of the convolution goes with its inputs and outputs; half of one, or inputs without outputs, cannot. */
static void
grouped_whole (void)
{
  g_autoptr (JsonObject) o = case_of ("grouped_conv");
  g_autoptr (PjGraph) graph = grouped_network (o);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (GError) error = NULL;
  g_autoptr (PjCutPlan) plan = keep_only (groups, "in", (int[]) { 0, 1 }, 2);
  g_assert_null (pj_cut (graph, groups, plan, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "grouped convolution “group”"));
  g_clear_error (&error);
  g_autoptr (PjCutPlan) out = keep_only (groups, "group", (int[]) { 0, 1 }, 2);
  pj_cut_plan_set (plan, pj_groups_find (groups, "group"), out->cuts[0].keep, NULL);
  check_plan (graph, o, groups, plan, "drop_group_1/y");
  g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, NULL);
  const PjConvParams *p = pj_graph_node (cut, pj_graph_find_node (cut, "group"))->params;
  g_assert_cmpint (p->groups, ==, (int) fixture_number (o, "drop_group_1/groups_after"));
  g_assert_null (pj_cut_permute (graph, groups, pj_groups_find (groups, "in")->id, (int[]) { 2, 1, 0, 3 }, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
  g_clear_error (&error);
  g_autoptr (PjCutPlan) uneven = keep_only (groups, "in", (int[]) { 0, 1, 2 }, 3);
  g_assert_null (pj_cut (graph, groups, uneven, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
}

/* --- networks built by hand --- */

static void
assert_blocks (const PjGroups *groups, const char *name, int n_blocks)
{
  const PjGroup *group = pj_groups_find (groups, name);
  g_assert_nonnull (group);
  g_assert_cmpstr (group->lock_reason, ==, NULL);
  g_assert_cmpint (group->n_blocks, ==, n_blocks);
  g_assert_true ((group->block != NULL) == (n_blocks > 1));
  for (int c = 0; n_blocks > 1 && c < group->n_channels; c++)
    g_assert_cmpint (group->block[c], ==, c / (group->n_channels / n_blocks));
}

static void
resnext (void)
{
  g_autoptr (PjGraph) graph = net_bottleneck (3, FALSE);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  assert_blocks (groups, "a", 3);
  assert_blocks (groups, "b", 3);
  assert_blocks (groups, "stem", 1);
  check_cut_equals_masked (graph);
  check_permutations (graph);
}

/* The middle one of three groups goes, and the others lose a channel each at places of their own. */
static void
resnext_without_a_group (void)
{
  g_autoptr (PjGraph) graph = net_bottleneck (3, FALSE);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjGroup *a = pj_groups_find (groups, "a"), *b = pj_groups_find (groups, "b");
  g_autoptr (PjCutPlan) plan = keep_only (groups, "a", (int[]) { 0, 1, 3, 9, 10, 11 }, 6);
  g_autoptr (PjCutPlan) other = keep_only (groups, "b", (int[]) { 0, 2, 8, 11 }, 4);
  pj_cut_plan_set (plan, b, other->cuts[0].keep, NULL);
  g_assert_cmpint (a->n_blocks, ==, 3);
  g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, NULL);
  g_assert_nonnull (cut);
  const PjShape *w = &pj_graph_value (cut, pj_graph_find_value (cut, "b.w"))->shape;
  g_assert_cmpint (w->dim[0], ==, 4);
  g_assert_cmpint (w->dim[1], ==, 3);
  g_autofree float *x = net_noise (4 * 50, 5);
  g_autofree float *masked = net_run (graph, groups, plan, x, 4), *small = net_run (cut, NULL, NULL, x, 4);
  assert_close (small, masked, 12, CUT_TOLERANCE, "cut against masked");
  PjCost cost, predicted;
  pj_graph_cost (cut, &cost);
  g_assert_true (pj_cut_predict_cost (graph, groups, plan, &predicted, NULL));
  g_assert_cmpmem (&cost, sizeof cost, &predicted, sizeof predicted);
  check_cut_equals_masked (cut);
  check_permutations (cut);
}

/* Asked for by number: what two grouped convolutions in a row share goes through both. */
static void
groups_by_number (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("row");
  int y = net_block (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 5, 5)), 8, 3, 1, TRUE);
  y = net_grouped_block (g, "c", net_grouped_block (g, "b", y, 8, 4), 12, 4);
  pj_graph_set_output (g, net_classifier (g, y));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  g_autoptr (GError) error = NULL;
  g_assert_true (pj_grouped_drop (g, groups, "b", (int[]) { 1, 3 }, 2, plan, &error));
  g_assert_no_error (error);
  g_autoptr (PjGraph) cut = pj_cut (g, groups, plan, &error);
  g_assert_no_error (error);
  g_assert_cmpint (pj_graph_value (cut, pj_graph_find_value (cut, "c.w"))->shape.dim[0], ==, 6);
  g_autofree float *x = net_noise (4 * 50, 5);
  g_autofree float *masked = net_run (g, groups, plan, x, 4), *small = net_run (cut, NULL, NULL, x, 4);
  assert_close (small, masked, 12, CUT_TOLERANCE, "cut against masked");
  check_cut_equals_masked (cut);
  g_assert_false (pj_grouped_drop (g, groups, "b", (int[]) { 0, 2 }, 2, plan, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_false (pj_grouped_drop (g, groups, "b", (int[]) { 4 }, 1, plan, &error));
  g_assert_nonnull (strstr (error->message, "groups 0 to 3"));
  g_clear_error (&error);
  g_assert_false (pj_grouped_drop (g, groups, "a", (int[]) { 0 }, 1, plan, &error));
  g_assert_nonnull (strstr (error->message, "“a”"));
}

static void
regnet (void)
{
  g_autoptr (PjGraph) graph = net_bottleneck (4, TRUE);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  assert_blocks (groups, "a", 4);
  assert_blocks (groups, "b", 4);
  assert_blocks (groups, "se.1", 1);
  check_cut_equals_masked (graph);
  check_permutations (graph);
}

/* Two convolutions that split the same channels into 2 and into 4 groups: the finer blocks serve both. */
static void
two_splits (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("splits");
  int y = net_block (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 5, 5)), 8, 3, 1, TRUE);
  int u = net_grouped_block (g, "u", y, 8, 2), v = net_grouped_block (g, "v", y, 8, 4);
  pj_graph_set_output (g, net_classifier (g, net_add (g, "add", u, v)));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  assert_blocks (groups, "a", 4);
  check_cut_equals_masked (g);
  check_permutations (g);
}

/* A grouped convolution around which its own input is added: rows and columns of one weight in one group. */
static void
grouped_residual (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("around");
  int x = net_block (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 5, 5)), 8, 3, 1, TRUE);
  pj_graph_set_output (g, net_classifier (g, net_add (g, "add", net_grouped_block (g, "b", x, 8, 2), x)));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  assert_blocks (groups, "a", 2);
  check_cut_equals_masked (g);
  check_permutations (g);
}

/* Two branches of which each fills a group of the convolution on its own: neither can be cut alone. */
static void
uneven_concat_locks (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("uneven");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 5, 5));
  int a = net_block (g, "a", x, 4, 3, 1, TRUE), b = net_block (g, "b", x, 4, 3, 1, TRUE);
  pj_graph_set_output (g, net_classifier (g, net_grouped_block (g, "c", concat (g, "cat", a, b), 6, 2)));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  for (const char *const *name = (const char *const[]) { "a", "b", NULL }; *name != NULL; name++) {
    const PjGroup *group = pj_groups_find (groups, *name);
    g_assert_nonnull (group->lock_reason);
    g_assert_nonnull (strstr (group->lock_reason, "unevenly"));
  }
  assert_blocks (groups, "c", 2);
  check_cut_equals_masked (g);
}

/* Factors on the inputs of a grouped convolution go to the columns of their own slice. */
static void
grouped_scale (void)
{
  g_autoptr (PjGraph) graph = net_bottleneck (3, FALSE);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  guint8 keep[12];
  float factor[12];
  for (int c = 0; c < 12; c++) {
    keep[c] = c % 4 < 2 ? c / 4 != 1 : c / 4 == 1;
    factor[c] = (float) (c + 1);
  }
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  pj_cut_plan_set (plan, pj_groups_find (groups, "a"), keep, factor);
  g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, NULL);
  g_assert_nonnull (cut);
  const float *old = pj_blob_data (pj_graph_value (graph, pj_graph_find_value (graph, "b.w"))->data);
  const float *new = pj_blob_data (pj_graph_value (cut, pj_graph_find_value (cut, "b.w"))->data);
  for (int o = 0; o < 12; o++)
    for (int i = 0; i < 2; i++)
      for (int k = 0; k < 9; k++) {
        int column = o / 4 == 1 ? 2 + i : i;
        g_assert_cmpfloat (new[(o * 2 + i) * 9 + k], ==, factor[o / 4 * 4 + column] * old[(o * 4 + column) * 9 + k]);
      }
}

/* DenseNet's way: each layer's norm reads all that came before, so a channel has a mask point after each. */
static void
norm_first (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("dense");
  int x = net_block (g, "stem", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 5, 5)), 4, 3, 1, FALSE);
  for (int i = 0; i < 3; i++) {
    g_autofree char *name = g_strdup_printf ("l%d", i), *norm = g_strdup_printf ("l%d.pre", i), *cat = g_strdup_printf ("cat%d", i);
    g_autofree char *r = g_strdup_printf ("l%d.prerelu", i), *w = g_strdup_printf ("l%d.w", i);
    int p[4];
    int64_t c = pj_graph_value (g, x)->shape.dim[1];
    for (int k = 0; k < 4; k++) {
      g_autofree char *param = g_strdup_printf ("%s.%d", norm, k);
      p[k] = net_param (g, param, PJ_SHAPE (c), k % 3 == 0 ? 1 : 0.3f, 0.4f, (uint64_t) (k + 4 * i));
    }
    int y = net_unary (g, r, &pj_op_relu, net_norm (g, norm, x, p[0], p[1], p[2], p[3], 1e-5f));
    y = net_conv (g, name, y, net_param (g, w, PJ_SHAPE (3, c, 3, 3), 0, 0.4f, (uint64_t) (20 + i)), -1, 1, 1);
    x = concat (g, cat, x, y);
  }
  pj_graph_set_output (g, net_classifier (g, net_unary (g, "last", &pj_op_relu, x)));
  check_cut_equals_masked (g);
  check_permutations (g);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/cut/fixture/inverted-residual", inverted_residual);
  g_test_add_func ("/graph/cut/fixture/concat", concat_branches);
  g_test_add_func ("/graph/cut/fixture/concat-same-twice", concat_same_twice);
  g_test_add_func ("/graph/cut/fixture/grouped", grouped);
  g_test_add_func ("/graph/cut/fixture/grouped-whole", grouped_whole);
  g_test_add_func ("/graph/cut/pattern/resnext", resnext);
  g_test_add_func ("/graph/cut/pattern/resnext-without-a-group", resnext_without_a_group);
  g_test_add_func ("/graph/cut/pattern/groups-by-number", groups_by_number);
  g_test_add_func ("/graph/cut/pattern/regnet", regnet);
  g_test_add_func ("/graph/cut/pattern/two-splits", two_splits);
  g_test_add_func ("/graph/cut/pattern/grouped-residual", grouped_residual);
  g_test_add_func ("/graph/cut/pattern/uneven-concat-locks", uneven_concat_locks);
  g_test_add_func ("/graph/cut/pattern/grouped-scale", grouped_scale);
  g_test_add_func ("/graph/cut/pattern/norm-first", norm_first);
  return g_test_run ();
}
