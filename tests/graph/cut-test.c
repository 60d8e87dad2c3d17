/* SPDX-License-Identifier: MIT */
#include "cut-test.h"

#include <math.h>

#include "base/rng.h"
#include "ops/op.h"

#define TOLERANCE CUT_TOLERANCE

int
param_at (PjGraph *g, JsonObject *o, const char *name, const char *path)
{
  PjShape shape = { 0 };
  g_autofree float *data = fixture_floats (o, path, NULL);
  shape.rank = fixture_shape (o, path, shape.dim);
  return net_param_from (g, name, shape, data);
}

int
norm_at (PjGraph *g, JsonObject *o, const char *name, const char *path, int x)
{
  static const char *const parts[] = { "gamma", "beta", "mean", "var" };
  int v[4];
  for (int i = 0; i < 4; i++) {
    g_autofree char *from = g_strdup_printf ("%s/%s", path, parts[i]);
    g_autofree char *as = g_strdup_printf ("%s.%s", name, parts[i]);
    v[i] = param_at (g, o, as, from);
  }
  g_autofree char *eps = g_strdup_printf ("%s/eps", path);
  return net_norm (g, name, x, v[0], v[1], v[2], v[3], (float) fixture_number (o, eps));
}

int
input_at (PjGraph *g, JsonObject *o, const char *path)
{
  PjShape shape = { 0 };
  shape.rank = fixture_shape (o, path, shape.dim);
  shape.dim[0] = 1;
  return pj_graph_add_input (g, "x", shape);
}

PjCutPlan *
keep_only (const PjGroups *groups, const char *name, const int *kept, int n)
{
  const PjGroup *group = pj_groups_find (groups, name);
  g_assert_nonnull (group);
  PjCutPlan *plan = pj_cut_plan_new ();
  g_autofree guint8 *keep = g_malloc0 (group->n_channels);
  for (int i = 0; i < n; i++)
    keep[kept[i]] = 1;
  pj_cut_plan_set (plan, group, keep, NULL);
  return plan;
}

void
check_plan (PjGraph *graph, JsonObject *o, const PjGroups *groups, const PjCutPlan *plan, const char *pruned_path)
{
  g_autoptr (GError) error = NULL;
  int n_full, n_pruned;
  g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, &error);
  g_assert_no_error (error);
  g_autofree float *x = fixture_floats (o, "x", NULL);
  g_autofree float *pruned = fixture_floats (o, pruned_path, &n_pruned);
  g_autofree float *masked = net_run (graph, groups, plan, x, 1);
  g_autofree float *small = net_run (cut, NULL, NULL, x, 1);
  assert_close (masked, pruned, n_pruned, TOLERANCE, "masked");
  assert_close (small, pruned, n_pruned, TOLERANCE, "cut");
  if (json_object_has_member (o, "y_full")) {
    g_autofree float *full = fixture_floats (o, "y_full", &n_full);
    g_autofree float *y = net_run (graph, NULL, NULL, x, 1);
    assert_close (y, full, n_full, TOLERANCE, "full");
  }
}

PjGraph *
check_fixture (PjGraph *graph, JsonObject *o, const char *group, const char *kept_path)
{
  int n_kept;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autofree int *kept = fixture_ints (o, kept_path, &n_kept);
  g_autoptr (PjCutPlan) plan = keep_only (groups, group, kept, n_kept);
  check_plan (graph, o, groups, plan, "y_pruned");
  return pj_cut (graph, groups, plan, NULL);
}

void
check_columns (const PjGraph *graph, const PjGraph *cut, const char *name, JsonObject *o, const char *path)
{
  int n;
  g_autofree int *kept = fixture_ints (o, path, &n);
  const PjValue *a = pj_graph_value (graph, pj_graph_find_value (graph, name));
  const PjValue *b = pj_graph_value (cut, pj_graph_find_value (cut, name));
  const float *old = pj_blob_data (a->data), *new = pj_blob_data (b->data);
  g_assert_cmpint (b->shape.dim[1], ==, n);
  for (int64_t row = 0; row < a->shape.dim[0]; row++)
    for (int c = 0; c < n; c++)
      g_assert_cmpfloat (new[row * n + c], ==, old[row * a->shape.dim[1] + kept[c]]);
}

/* Sets the entries of parameter @name that are not among @kept to 0. */
static void
clear_others (PjGraph *graph, const char *name, const int *kept, int n_kept)
{
  int value = pj_graph_find_value (graph, name);
  PjShape shape = pj_graph_value (graph, value)->shape;
  size_t n = pj_blob_n_elems (pj_graph_value (graph, value)->data), row = n / (size_t) shape.dim[0];
  g_autofree float *data = g_memdup2 (pj_blob_data (pj_graph_value (graph, value)->data), n * sizeof (float));
  for (int c = 0; c < shape.dim[0]; c++) {
    gboolean stays = FALSE;
    for (int k = 0; k < n_kept; k++)
      stays |= kept[k] == c;
    for (size_t i = 0; !stays && i < row; i++)
      data[(size_t) c * row + i] = 0;
  }
  pj_graph_set_param (graph, value, shape, pj_blob_new_copy (data, n, NULL));
}

void
check_mask_error (PjGraph *graph, JsonObject *o, const char *const *params, const char *kept_path, const char *error_path)
{
  int n_kept, n;
  double worst = 0, expected = fixture_number (o, error_path);
  g_autoptr (PjGraph) masked = pj_graph_copy (graph);
  g_autofree int *kept = fixture_ints (o, kept_path, &n_kept);
  for (int i = 0; params[i] != NULL; i++)
    clear_others (masked, params[i], kept, n_kept);
  g_autofree float *x = fixture_floats (o, "x", NULL), *pruned = fixture_floats (o, "y_pruned", &n);
  g_autofree float *y = net_run (masked, NULL, NULL, x, 1);
  for (int i = 0; i < n; i++)
    worst = MAX (worst, fabs ((double) y[i] - pruned[i]));
  g_assert_cmpfloat_with_epsilon (worst, expected, 1e-4);
}

JsonObject *
case_of (const char *name)
{
  g_autoptr (JsonObject) all = fixture_load ("spec/structure.json");
  g_assert_cmpfloat (CUT_TOLERANCE, <=, fixture_number (all, "tolerance_fp32_relative"));
  g_autofree char *path = g_strdup_printf ("cases/%s", name);
  return json_object_ref (json_node_get_object (fixture_at (all, path)));
}

PjCutPlan *
random_cut (const PjGroups *groups, uint64_t seed)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  PjRng rng;
  pj_rng_init (&rng, seed, 1);
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    g_autofree guint8 *keep = g_malloc0 (group->n_channels);
    int per_block = group->n_channels / group->n_blocks, k = 1 + (int) pj_rng_below (&rng, (uint32_t) per_block);
    if (group->lock_reason != NULL)
      continue;
    /* The same number of every block, but places of its own in each. */
    for (int b = 0; b < group->n_blocks; b++)
      for (int left = k; left > 0;) {
        int c = (int) pj_rng_below (&rng, (uint32_t) group->n_channels);
        if (pj_group_block (group, c) == b && !keep[c]) {
          keep[c] = 1;
          left--;
        }
      }
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  return plan;
}

static float *
picture_of (const PjGraph *graph, unsigned batch)
{
  return net_noise (batch * pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_input (graph))->shape), 5);
}

void
check_cut_equals_masked (PjGraph *graph)
{
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autofree float *x = picture_of (graph, 4);
  int n = 4 * (int) pj_graph_n_classes (graph);

  for (uint64_t seed = 0; seed < 6; seed++) {
    g_autoptr (PjCutPlan) plan = random_cut (groups, seed);
    g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, NULL);
    g_assert_nonnull (cut);
    PjCost cost, predicted;
    g_autofree float *masked = net_run (graph, groups, plan, x, 4), *small = net_run (cut, NULL, NULL, x, 4);
    assert_close (small, masked, n, TOLERANCE, "cut against masked");
    pj_graph_cost (cut, &cost);
    g_assert_true (pj_cut_predict_cost (graph, groups, plan, &predicted, NULL));
    g_assert_cmpmem (&cost, sizeof cost, &predicted, sizeof predicted);
  }
}

/* Each channel takes the place of the next one in its block. */
static int *
turn_blocks (const PjGroup *group)
{
  int *order = g_new (int, group->n_channels);
  for (int c = 0; c < group->n_channels; c++) {
    int d = c;
    do
      d = (d + 1) % group->n_channels;
    while (pj_group_block (group, d) != pj_group_block (group, c));
    order[c] = d;
  }
  return order;
}

void
check_permutations (PjGraph *graph)
{
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autofree float *x = picture_of (graph, 2), *y = net_run (graph, NULL, NULL, x, 2);

  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    if (group->lock_reason != NULL)
      continue;
    g_autofree int *order = turn_blocks (group);
    g_autoptr (PjGraph) permuted = pj_cut_permute (graph, groups, (int) g, order, NULL);
    g_assert_nonnull (permuted);
    g_autofree float *z = net_run (permuted, NULL, NULL, x, 2);
    assert_close (z, y, 2 * (int) pj_graph_n_classes (graph), TOLERANCE, group->name);
  }
}

/* --- the toy network of the specification --- */

static int
toy_conv_norm (PjGraph *g, JsonObject *o, const char *w, const char *bn, int x, int pad)
{
  g_autofree char *w_path = g_strdup_printf ("params/%s", w), *bn_path = g_strdup_printf ("params/%s", bn);
  g_autofree char *w_name = g_strdup_printf ("%s.w", w);
  return norm_at (g, o, bn, bn_path, net_conv (g, w, x, param_at (g, o, w_name, w_path), -1, 1, pad));
}

PjGraph *
toy_network (JsonObject *o)
{
  PjGraph *g = pj_graph_new ("toy");
  int y, s, stem = net_unary (g, "stem", &pj_op_relu, toy_conv_norm (g, o, "stem_w", "stem_bn", input_at (g, o, "x"), 1));
  s = toy_conv_norm (g, o, "proj_w", "proj_bn", stem, 0);
  for (int b = 1; b <= 2; b++) {
    y = b == 1 ? stem : s;
    for (int i = 1; i <= 3; i++) {
      g_autofree char *w = g_strdup_printf ("b%d_w%d", b, i), *bn = g_strdup_printf ("b%d_bn%d", b, i);
      y = toy_conv_norm (g, o, w, bn, y, i == 2);
      if (i < 3)
        y = net_unary (g, NULL, &pj_op_relu, y);
    }
    g_autofree char *add = g_strdup_printf ("b%d_add", b);
    s = net_unary (g, NULL, &pj_op_relu, net_add (g, add, y, s));
  }
  y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, s));
  pj_graph_set_output (g, net_gemm (g, "fc", y, param_at (g, o, "fc.w", "params/fc_w"), param_at (g, o, "fc.b", "params/fc_b")));
  return g;
}
