/* SPDX-License-Identifier: MIT */
/* Groups, mask points and locks of small networks, and shape rules that refuse. */
#include <string.h>

#include "net.h"
#include "ops/op.h"
#include "ops/params.h"

static void
assert_nodes (const PjGraph *graph, GArray *nodes, const char *expected)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < nodes->len; i++)
    g_string_append_printf (names, "%s%s", i ? " " : "", pj_graph_node (graph, g_array_index (nodes, int, i))->name);
  g_assert_cmpstr (names->str, ==, expected);
}

static void
assert_mask_points (const PjGraph *graph, const PjGroup *group, const char *expected)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (unsigned i = 0; i < group->n_mask_points; i++)
    g_string_append_printf (names, "%s%s", i ? " " : "", pj_graph_value (graph, group->mask_points[i].value)->name);
  g_assert_cmpstr (names->str, ==, expected);
}

/* One stream per stage: projection and every last conv; inner widths are chains of their own. */
static void
residual (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_assert_cmpuint (pj_groups_n (groups), ==, 5);

  const PjGroup *stem = pj_groups_find (groups, "stem");
  g_assert_cmpint (stem->n_channels, ==, 5);
  assert_nodes (graph, stem->consumers, "a1 proj");
  assert_mask_points (graph, stem, "stem.norm");
  g_assert_null (stem->lock_reason);

  const PjGroup *stream = pj_groups_find (groups, "a2");
  g_assert_cmpint (stream->n_channels, ==, 7);
  assert_nodes (graph, stream->producers, "a2 proj b2");
  assert_nodes (graph, stream->consumers, "b1 fc");
  assert_nodes (graph, stream->ties, "add_a add_b");
  assert_mask_points (graph, stream, "a2.norm proj.norm b2.norm");
  g_autoptr (GArray) relus = pj_group_relu_outputs (graph, stream);
  g_assert_cmpuint (relus->len, ==, 2);
  g_assert_cmpint (pj_group_activation (graph, stream), ==, pj_graph_find_value (graph, "relu_b"));

  const PjGroup *fc = pj_groups_find (groups, "fc");
  g_assert_nonnull (fc->lock_reason);
  g_assert_nonnull (strstr (fc->lock_reason, "output"));
}

/* A channel of C × H × W is H·W neighbouring columns of the classifier. */
static void
flatten_map (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("flat");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 4, 4));
  int y = net_block (g, "c", x, 3, 3, 2, TRUE);
  y = net_unary (g, "flatten", &pj_op_flatten, y);
  y = net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (2, 12), 0, 1, 1), -1);
  pj_graph_set_output (g, y);
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  const PjGroup *group = pj_groups_find (groups, "c");
  int seen = 0;
  for (unsigned m = 0; m < group->n_members; m++) {
    const PjMember *member = &group->members[m];
    if (!member->is_param || member->role != PJ_ROLE_CONSUMER)
      continue;
    seen++;
    g_assert_cmpint (member->n, ==, 12);
    for (int k = 0; k < 12; k++)
      g_assert_cmpint (member->map[k], ==, k / 4);
  }
  g_assert_cmpint (seen, ==, 1);
}

/* expand → depthwise → project: the hidden group has two mask points. */
static void
depthwise (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("inverted");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 4, 4));
  int y = net_block (g, "expand", x, 4, 1, 1, TRUE);
  y = net_conv (g, "dw", y, net_param (g, "dw.w", PJ_SHAPE (4, 1, 3, 3), 0, 1, 1), -1, 1, 1);
  y = net_norm (g, "dw.norm", y, net_param (g, "g", PJ_SHAPE (4), 1, .5f, 1), net_param (g, "b", PJ_SHAPE (4), 0, 1, 1),
                net_param (g, "m", PJ_SHAPE (4), 0, 1, 1), net_param (g, "v", PJ_SHAPE (4), 1, .5f, 1), 1e-5f);
  y = net_unary (g, "dw.relu", &pj_op_relu, y);
  y = net_block (g, "project", y, 2, 1, 1, FALSE);
  pj_graph_set_output (g, y);
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  const PjGroup *hidden = pj_groups_find (groups, "expand");
  assert_mask_points (g, hidden, "expand.norm dw.norm");
  assert_nodes (g, hidden->producers, "expand");
  assert_nodes (g, hidden->consumers, "project");
}

/* groups = 1 with one input channel is an ordinary convolution, not a depthwise one. */
static void
one_channel_is_not_depthwise (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("one");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 4, 4));
  int y = net_block (g, "a", x, 1, 3, 1, TRUE);
  y = net_block (g, "b", y, 3, 3, 1, TRUE);
  pj_graph_set_output (g, y);
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  g_assert_cmpint (pj_groups_find (groups, "a")->n_channels, ==, 1);
  g_assert_cmpint (pj_groups_find (groups, "b")->n_channels, ==, 3);
}

static void
refuses (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("bad");
  g_autoptr (GError) error = NULL;
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 4, 4));
  int w = net_param (g, "w", PJ_SHAPE (3, 5, 3, 3), 0, 1, 1);
  PjConvParams p = { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
  g_assert_cmpint (pj_graph_add_node (g, "conv1", &pj_op_conv, &p, (int[]) { x, w }, 2, &error), ==, -1);
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "conv1"));
  g_assert_cmpint (pj_graph_find_node (g, "conv1"), ==, -1);
  g_clear_error (&error);
  PjPoolParams pool = { .kernel = { 5, 5 }, .stride = { 1, 1 } };
  g_assert_cmpint (pj_graph_add_node (g, "pool", &pj_op_max_pool, &pool, &x, 1, &error), ==, -1);
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_SHAPE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/groups/residual", residual);
  g_test_add_func ("/graph/groups/flatten-map", flatten_map);
  g_test_add_func ("/graph/groups/depthwise", depthwise);
  g_test_add_func ("/graph/groups/one-channel-is-not-depthwise", one_channel_is_not_depthwise);
  g_test_add_func ("/graph/infer/refuses", refuses);
  return g_test_run ();
}
