/* SPDX-License-Identifier: MIT */
/* Removing whole branches and layers: against the specification's fixture, against networks in which the removed parts
 * are silenced, and what is refused. */
#include <string.h>

#include "base/rng.h"
#include "cut-test.h"
#include "graph/parts.h"
#include "ops/op.h"
#include "ops/params.h"
#include "train/arch.h"

static guint8 *
choose (const PjParts *parts, const char *const *names)
{
  guint8 *removed = g_malloc0 (MAX (1, pj_parts_n (parts)));
  for (; *names != NULL; names++) {
    const PjPart *part = pj_parts_find (parts, *names);
    if (part == NULL)
      g_error ("there is no part “%s”", *names);
    removed[part->id] = 1;
  }
  return removed;
}

/* The network without @names computes what it does with them silenced; returns it. */
static PjGraph *
check_removal (PjGraph *graph, const char *const *names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  g_autofree guint8 *removed = choose (parts, names);
  PjGraph *small = pj_parts_remove (graph, parts, removed, &error);
  g_assert_no_error (error);
  g_autoptr (PjGraph) silent = pj_parts_silence (graph, parts, removed, &error);
  g_assert_no_error (error);
  size_t n_in = pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_input (graph))->shape);
  g_autofree float *x = net_noise (3 * n_in, 4), *y = net_run (graph, NULL, NULL, x, 3);
  g_autofree float *a = net_run (small, NULL, NULL, x, 3), *b = net_run (silent, NULL, NULL, x, 3);
  int n = 3 * (int) pj_graph_n_classes (graph);
  double moved = 0;
  assert_close (a, b, n, CUT_TOLERANCE, *names);
  for (int i = 0; i < n; i++)
    moved = MAX (moved, ABS (a[i] - y[i]));
  g_assert_cmpfloat (moved, >, 1e-3);
  g_assert_cmpuint (pj_graph_n_nodes (small), <, pj_graph_n_nodes (graph));
  return small;
}

/* A network by name, with norms that do something. */
static PjGraph *
make (const char *name, int size, double width)
{
  PjArchOptions options = { .c = 3, .h = size, .w = size, .n_classes = 5, .width = width, .seed = 3 };
  PjGraph *graph = pj_arch_build (pj_arch_find (name), &options, NULL);
  g_assert_nonnull (graph);
  for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++) {
    const PjNode *node = pj_graph_node (graph, (int) n);
    for (unsigned i = 1; node->op == &pj_op_norm && i < node->n_inputs; i++) {
      PjShape shape = pj_graph_value (graph, node->inputs[i])->shape;
      g_autofree float *data = net_noise (pj_shape_n_elems (&shape), n * 8 + i);
      for (size_t k = 0; k < pj_shape_n_elems (&shape); k++)
        data[k] = i % 3 == 1 ? 1 + 0.1f * ABS (data[k]) : 0.2f * data[k];
      pj_graph_set_param (graph, node->inputs[i], shape, pj_blob_new_copy (data, pj_shape_n_elems (&shape), NULL));
    }
  }
  return graph;
}

static void
assert_part (const PjGraph *graph, const PjParts *parts, const char *name, PjPartKind kind, const char *nodes)
{
  const PjPart *part = pj_parts_find (parts, name);
  g_assert_nonnull (part);
  g_assert_cmpint (part->kind, ==, kind);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < part->nodes->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", pj_graph_node (graph, g_array_index (part->nodes, int, i))->name);
  g_assert_cmpstr (text->str, ==, nodes);
}

/* The second block's branch of the toy network: the expected logits are in the fixture. */
static void
toy (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_autoptr (PjGraph) graph = toy_network (o);
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  const char *const names[] = { "b2_add", NULL };
  g_autofree guint8 *removed = choose (parts, names);
  g_autoptr (PjGraph) small = pj_parts_remove (graph, parts, removed, NULL);
  int n;
  g_autofree float *x = fixture_floats (o, "x", NULL), *expected = fixture_floats (o, "without_block2_branch_logits", &n);
  g_autofree float *y = net_run (small, NULL, NULL, x, 4);
  assert_close (y, expected, n, CUT_TOLERANCE, "without the branch of block 2");
}

static void
residual (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  g_assert_cmpuint (pj_parts_n (parts), ==, 2);
  /* The projection stays where the branch of the block that changes the shape goes. */
  assert_part (graph, parts, "add_a", PJ_PART_BRANCH, "a1 a1.norm a1.relu a2 a2.norm add_a");
  assert_part (graph, parts, "add_b", PJ_PART_BRANCH, "b1 b1.norm b1.relu b2 b2.norm add_b");
  g_autoptr (PjGraph) without_a = check_removal (graph, (const char *const[]) { "add_a", NULL });
  g_autoptr (PjGraph) without_b = check_removal (graph, (const char *const[]) { "add_b", NULL });
  g_autoptr (PjGraph) without = check_removal (graph, (const char *const[]) { "add_a", "add_b", NULL });
  /* relu_b would follow relu_a, to no effect. */
  g_assert_cmpint (pj_graph_find_node (without_b, "relu_b"), ==, -1);
  g_assert_cmpint (pj_graph_find_node (without_a, "relu_a"), >=, 0);
  /* What went cost what the difference costs. */
  PjCost before, after, gone;
  pj_graph_cost (graph, &before);
  pj_graph_cost (without_b, &after);
  pj_part_cost (graph, pj_parts_find (parts, "add_b"), &gone);
  g_assert_cmpuint (before.macs - after.macs, ==, gone.macs);
  g_assert_cmpuint (before.learnable - after.learnable, ==, gone.learnable);
  /* And what is left can be cut. */
  check_cut_equals_masked (without);
  check_permutations (without);
}

/* Blocks are called by what their layers' names begin with; shortcuts of zeros stay. */
static void
zero_shortcuts (void)
{
  g_autoptr (PjGraph) graph = make ("resnet20", 12, 0.5);
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  for (int stage = 1; stage <= 3; stage++)
    for (int block = 1; block <= 3; block++) {
      g_autofree char *name = g_strdup_printf ("stage%d.block%d", stage, block);
      g_assert_nonnull (pj_parts_find (parts, name));
      g_assert_cmpint (pj_parts_find (parts, name)->kind, ==, PJ_PART_BRANCH);
    }
  g_autoptr (PjGraph) one = check_removal (graph, (const char *const[]) { "stage2.block1", NULL });
  g_autoptr (PjGraph) three = check_removal (graph, (const char *const[]) { "stage1.block3", "stage2.block1", "stage3.block2", NULL });
  check_cut_equals_masked (three);
  check_permutations (three);
}

/* Without an expansion, of a block with a linear end; blocks without a shortcut are none. */
static void
inverted (void)
{
  g_autoptr (PjGraph) graph = make ("mobilenetv2", 32, 0.5);
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  unsigned n_branches = 0;
  for (unsigned i = 0; i < pj_parts_n (parts); i++)
    n_branches += pj_parts_get (parts, i)->kind == PJ_PART_BRANCH;
  /* Stages of 1, 2, 3, 4, 3, 3, 1 blocks: all but the first of each. */
  g_assert_cmpuint (n_branches, ==, 10);
  g_assert_null (pj_parts_find (parts, "block2"));
  g_autoptr (PjGraph) small = check_removal (graph, (const char *const[]) { "block3", "block9", NULL });
  check_permutations (small);
}

/* A layer in a chain, one inside a branch that goes, and a branch with it. */
static void
layers (void)
{
  g_autoptr (PjGraph) graph = make ("resnet18", 16, 0.125);
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  assert_part (graph, parts, "stage2.block1.conv2", PJ_PART_LAYER, "stage2.block1.conv2 stage2.block1.conv2.norm");
  g_assert_null (pj_parts_find (parts, "stage2.block1.conv1"));
  g_autoptr (PjGraph) one = check_removal (graph, (const char *const[]) { "stage2.block2.conv1", NULL });
  g_autoptr (PjGraph) both = check_removal (graph, (const char *const[]) { "stage2.block2.conv1", "stage2.block2", "stage3.block2.conv2", NULL });
  check_cut_equals_masked (both);

  g_autoptr (PjGraph) chain = make ("vgg-mini", 12, 0.5);
  g_autoptr (PjGraph) shorter = check_removal (chain, (const char *const[]) { "conv2", "conv6", NULL });
  /* The non-linearity behind a removed layer would be applied twice. */
  g_assert_cmpint (pj_graph_find_node (shorter, "conv2.relu"), ==, -1);
  g_assert_cmpint (pj_graph_find_node (shorter, "conv5.relu"), >=, 0);
  g_autoptr (PjGroups) groups = pj_groups_new (shorter);
  g_assert_null (pj_groups_find (groups, "conv2"));
  check_cut_equals_masked (shorter);
}

/* Grouped and dilated layers are identities, too; the fully connected one in front of the output is not offered. */
static void
other_layers (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("layers");
  int x = net_block (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 7, 7)), 6, 3, 1, TRUE);
  x = net_grouped_block (g, "b", x, 6, 3);
  PjConvParams wide = { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 2, 2 }, .pad = { 2, 2, 2, 2 }, .groups = 1 };
  int w = net_param (g, "c.w", PJ_SHAPE (6, 6, 3, 3), 0, 0.3f, 1), b = net_param (g, "c.b", PJ_SHAPE (6), 0.2f, 0.3f, 1);
  x = net_unary (g, "c.relu", &pj_op_relu, pj_graph_add_node (g, "c", &pj_op_conv, &wide, (int[]) { x, w, b }, 3, NULL));
  x = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, x));
  x = net_gemm (g, "d", x, net_param (g, "d.w", PJ_SHAPE (6, 6), 0, 1, 1), net_param (g, "d.b", PJ_SHAPE (6), 0, 1, 1));
  pj_graph_set_output (g, net_gemm (g, "e", x, net_param (g, "e.w", PJ_SHAPE (6, 6), 0, 1, 2), -1));
  for (const char *const *name = (const char *const[]) { "b", "c", "d", NULL }; *name != NULL; name++) {
    g_autoptr (PjGraph) small = check_removal (g, (const char *const[]) { *name, NULL });
    g_assert_cmpint (pj_graph_find_node (small, *name), ==, -1);
  }
  g_autoptr (PjParts) parts = pj_parts_new (g);
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *last = choose (parts, (const char *const[]) { "e", NULL });
  g_assert_null (pj_parts_remove (g, parts, last, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_LOCKED);
  g_assert_cmpstr (error->message, ==, "layer “e” cannot be removed: it makes the network’s output");
}

/* A tap that reads inside a branch keeps it; towers of equal weight are no branch. */
static void
refuses (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("tapped");
  int x = net_block (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 5, 5)), 4, 3, 1, TRUE);
  int inner = net_block (g, "b.conv1", x, 3, 3, 1, TRUE);
  int s = net_add (g, "b.add", net_block (g, "b.conv2", inner, 4, 3, 1, FALSE), x);
  int tap = net_block (g, "tap", inner, 4, 3, 1, TRUE);
  s = net_add (g, "join", net_block (g, "left", s, 4, 1, 1, FALSE), net_block (g, "right", tap, 4, 1, 1, FALSE));
  pj_graph_set_output (g, net_classifier (g, s));
  g_autoptr (PjParts) parts = pj_parts_new (g);
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *removed = choose (parts, (const char *const[]) { "b", NULL });
  g_assert_null (pj_parts_remove (g, parts, removed, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_LOCKED);
  g_assert_cmpstr (error->message, ==, "branch “b” cannot be removed: “b.conv1.relu” inside it is also read by “tap”");
  const PjPart *join = pj_parts_find (parts, "join");
  g_assert_true (join == NULL || join->lock_reason != NULL);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/parts/toy-network", toy);
  g_test_add_func ("/graph/parts/residual", residual);
  g_test_add_func ("/graph/parts/zero-shortcuts", zero_shortcuts);
  g_test_add_func ("/graph/parts/inverted", inverted);
  g_test_add_func ("/graph/parts/layers", layers);
  g_test_add_func ("/graph/parts/other-layers", other_layers);
  g_test_add_func ("/graph/parts/refuses", refuses);
  return g_test_run ();
}
