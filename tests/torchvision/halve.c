/* SPDX-License-Identifier: MIT */
/* usage: halve BASE
 *
 * Reads BASE.onnx and BASE.in.f32, runs the network, keeps half of the channels of every group that can be cut by
 * weight sum, and writes the outputs of the whole, the masked and the cut network to BASE.whole.f32,
 * BASE.masked.f32 and BASE.cut.f32, and the cut network to BASE-cut.onnx.  A few groups are also permuted and a
 * training step is taken with the cut network.  Prints one JSON object with groups, locks, costs and what the
 * permutations and the step gave. */
#include <math.h>
#include <stdio.h>

#include "../io/onnx-test.h"
#include "prune/budget/budget.h"
#include "prune/criterion.h"

/* So many groups, spread over the network, are permuted: each takes a run. */
#define N_PERMUTED 3

static char *
suffixed (const char *base, const char *suffix)
{
  return g_strconcat (base, suffix, NULL);
}

static PjCutPlan *
half_of_everything (PjGraph *graph, PjGroups *groups)
{
  g_autoptr (GError) error = NULL;
  PjScoring scoring = { .graph = graph, .groups = groups };
  g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("weight-sum"), &scoring, &error);
  g_assert_no_error (error);
  g_autofree double *ratios = g_new (double, pj_groups_n (groups));
  for (unsigned i = 0; i < pj_groups_n (groups); i++)
    ratios[i] = pj_groups_get (groups, i)->lock_reason != NULL ? 1 : 0.5;
  PjCutPlan *plan = pj_budget_local (groups, scores, ratios, 1, &error);
  g_assert_no_error (error);
  return plan;
}

static void
describe_groups (JsonObject *object, const PjGroups *groups, const PjCutPlan *plan)
{
  JsonArray *locked = json_array_new ();
  int n_cut = 0;
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    n_cut += pj_cut_plan_n_kept (plan, group) < group->n_channels;
    if (group->lock_reason == NULL)
      continue;
    JsonObject *row = json_object_new ();
    json_object_set_string_member (row, "name", group->name);
    json_object_set_string_member (row, "reason", group->lock_reason);
    json_array_add_object_element (locked, row);
  }
  json_object_set_int_member (object, "groups", pj_groups_n (groups));
  json_object_set_int_member (object, "cut", n_cut);
  json_object_set_array_member (object, "locked", locked);
}

static void
describe_cost (JsonObject *object, const char *when, const PjGraph *graph)
{
  PjCost cost;
  g_autofree char *params = g_strconcat ("params_", when, NULL), *macs = g_strconcat ("macs_", when, NULL);
  pj_graph_cost (graph, &cost);
  json_object_set_int_member (object, params, (gint64) cost.learnable);
  json_object_set_int_member (object, macs, (gint64) cost.macs);
}

static double
difference (const float *a, const float *b, size_t n)
{
  double worst = 0, largest = 0;
  for (size_t i = 0; i < n; i++) {
    worst = fmax (worst, fabs ((double) a[i] - b[i]));
    largest = fmax (largest, fabs ((double) b[i]));
    if (!isfinite (a[i]))
      return 1;
  }
  return worst / largest;
}

/* Each chosen group reversed inside its blocks; the worst change of the output. */
static double
permute (PjGraph *graph, const PjGroups *groups, const float *x)
{
  g_autofree float *y = net_run (graph, NULL, NULL, x, 1);
  unsigned n = pj_groups_n (groups), step = MAX (1, n / N_PERMUTED);
  double worst = 0;
  for (unsigned i = 0; i < n; i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    if (group->lock_reason != NULL || i % step != 0)
      continue;
    g_autoptr (GError) error = NULL;
    g_autofree int *order = g_new (int, group->n_channels);
    for (int b = 0; b < group->n_blocks; b++) {
      int from = group->n_channels;
      for (int c = 0; c < group->n_channels; c++) {
        if (pj_group_block (group, c) != b)
          continue;
        do
          from--;
        while (pj_group_block (group, from) != b);
        order[c] = from;
      }
    }
    g_autoptr (PjGraph) mixed = pj_cut_permute (graph, groups, (int) i, order, &error);
    g_assert_no_error (error);
    g_autofree float *z = net_run (mixed, NULL, NULL, x, 1);
    worst = fmax (worst, difference (z, y, (size_t) pj_graph_n_classes (graph)));
  }
  return worst;
}

/* The loss of two copies of the picture before and after one step. */
static void
train (JsonObject *object, PjGraph *graph, const float *x)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = pj_device_open ("cpu", &error);
  g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, &error);
  g_assert_no_error (error);
  PjPlanOptions options = { .batch = 2, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 };
  PjStep step = { .lr = 1e-4f, .momentum = 0.9f, .norm_momentum = 0.1f };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
  if (plan == NULL) {
    json_object_set_string_member (object, "train", error->message);
    return;
  }
  size_t n = pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_input (graph))->shape);
  g_autofree float *images = g_new (float, 2 * n);
  for (size_t i = 0; i < n; i++) {
    images[i] = x[i];
    images[n + i] = -x[i];
  }
  float loss[2][2];
  for (int i = 0; i < 2; i++) {
    pj_plan_set_images (plan, images, &error);
    pj_plan_set_labels (plan, (int32_t[]) { 3, 5 }, &error);
    pj_plan_train (plan, &step, &error);
    pj_plan_read_loss (plan, loss[i], &error);
    g_assert_no_error (error);
  }
  json_object_set_double_member (object, "loss_before", loss[0][0] + (double) loss[0][1]);
  json_object_set_double_member (object, "loss_after", loss[1][0] + (double) loss[1][1]);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (argc, ==, 2);
  g_autofree char *from = suffixed (argv[1], ".onnx"), *in = suffixed (argv[1], ".in.f32"),
                  *whole = suffixed (argv[1], ".whole.f32"), *masked = suffixed (argv[1], ".masked.f32"),
                  *small = suffixed (argv[1], ".cut.f32"), *small_in = suffixed (argv[1], "-cut.in.f32"),
                  *onnx = suffixed (argv[1], "-cut.onnx");
  g_autoptr (PjGraph) graph = pj_onnx_import (from, NULL, &error);
  if (graph == NULL) {
    fprintf (stderr, "%s\n", error->message);
    return 1;
  }
  size_t n_x, n_classes = (size_t) pj_graph_n_classes (graph);
  g_autofree float *x = onnx_floats (in, &n_x);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = half_of_everything (graph, groups);
  g_autoptr (PjGraph) cut = pj_cut (graph, groups, plan, &error);
  g_assert_no_error (error);
  g_autofree float *y = net_run (graph, NULL, NULL, x, 1), *gated = net_run (graph, groups, plan, x, 1),
                   *z = net_run (cut, NULL, NULL, x, 1);
  onnx_write_floats (whole, y, n_classes);
  onnx_write_floats (masked, gated, n_classes);
  onnx_write_floats (small, z, n_classes);
  onnx_write_floats (small_in, x, n_x);
  pj_onnx_export (cut, &(PjOnnxExportOptions) { .opset = 14 }, onnx, &error);
  g_assert_no_error (error);

  g_autoptr (JsonObject) object = json_object_new ();
  describe_groups (object, groups, plan);
  describe_cost (object, "before", graph);
  describe_cost (object, "after", cut);
  json_object_set_double_member (object, "permuted", permute (graph, groups, x));
  train (object, cut, x);
  g_autoptr (JsonNode) root = json_node_alloc ();
  json_node_init_object (root, object);
  g_autofree char *text = json_to_string (root, FALSE);
  /* Not g_print, which would recode for the locale. */
  fprintf (stdout, "%s\n", text);
  return 0;
}
