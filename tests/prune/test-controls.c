/* SPDX-License-Identifier: MIT */
/* The controls of every comparison: uniform thinning, training from scratch. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "ops/op.h"
#include "prune/compare/compare.h"
#include "train/arch.h"
#include "train/fresh.h"

static void
scratch_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/schedules.json");
  JsonArray *rows = json_node_get_array (fixture_at (o, "scratch_b/rows"));
  g_assert_cmpuint (json_array_get_length (rows), ==, 3);
  for (guint i = 0; i < json_array_get_length (rows); i++) {
    JsonObject *row = json_array_get_object_element (rows, i);
    unsigned epochs = pj_fresh_epochs ((unsigned) json_object_get_int_member (row, "epochs"),
                                       (uint64_t) llround (1e9 * json_object_get_double_member (row, "full")),
                                       (uint64_t) llround (1e9 * json_object_get_double_member (row, "pruned")));
    g_assert_cmpuint (epochs, ==, json_object_get_int_member (row, "scratch_b"));
  }
  g_assert_cmpuint (pj_fresh_epochs (10, 100, 200), ==, 10);
}

static void
options_stretch (void)
{
  PjTrainOptions o;
  pj_train_options_init (&o);
  o.epochs = 10;
  o.warmup_steps = 4;
  o.lr = 0.01f;
  PjTrainOptions same = o, budget = o, none = o;
  pj_fresh_options (&same, PJ_FRESH_EPOCHS, 300, 200);
  pj_fresh_options (&budget, PJ_FRESH_BUDGET, 300, 200);
  pj_fresh_options (&none, PJ_FRESH_NO, 300, 200);
  g_assert_cmpuint (same.epochs, ==, 10);
  g_assert_cmpfloat (same.lr, ==, PJ_FRESH_LR);
  g_assert_cmpuint (budget.epochs, ==, 15);
  g_assert_cmpuint (budget.warmup_steps, ==, 6);
  g_assert_cmpuint (budget.max_steps, ==, 0);
  g_assert_cmpfloat (none.lr, ==, 0.01f);
}

/* No weight stays, the shape and the cost do, and the first answers are not degenerate. */
static void
fresh_weights (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 32);
  g_autoptr (PjGraph) a = pj_graph_fresh (lab.graph, 1, &error), b = pj_graph_fresh (lab.graph, 1, NULL);
  g_autoptr (PjGraph) c = pj_graph_fresh (lab.graph, 2, NULL);
  g_assert_no_error (error);
  PjCost before, after;
  pj_graph_cost (lab.graph, &before);
  pj_graph_cost (a, &after);
  g_assert_cmpuint (before.macs, ==, after.macs);
  unsigned n_weights = 0;
  for (int v = 0; v < (int) pj_graph_n_values (a); v++) {
    const PjValue *old = pj_graph_value (lab.graph, v), *fresh = pj_graph_value (a, v);
    if (old->kind != PJ_VALUE_PARAM)
      continue;
    size_t n = pj_blob_n_elems (fresh->data);
    const float *w = pj_blob_data (fresh->data), *w_old = pj_blob_data (old->data);
    g_assert_cmpmem (w, n * sizeof (float), pj_blob_data (pj_graph_value (b, v)->data), n * sizeof (float));
    if (fresh->shape.rank < 2) {
      for (size_t i = 1; i < n; i++)
        g_assert_cmpfloat (w[i], ==, w[0]);
      g_assert_true (w[0] == 0 || w[0] == 1);
      continue;
    }
    n_weights++;
    g_assert_true (memcmp (w, pj_blob_data (pj_graph_value (c, v)->data), n * sizeof (float)) != 0);
    for (size_t i = 0; i < n; i++)
      g_assert_cmpfloat (w[i], !=, w_old[i]);
  }
  g_assert_cmpuint (n_weights, ==, 7);
}

static PjGraph *
build (const char *name)
{
  const PjArch *arch = pj_arch_find (name);
  PjArchOptions options;
  pj_arch_options_init (&options, arch);
  PjGraph *net = pj_arch_build (arch, &options, NULL);
  g_assert_nonnull (net);
  return net;
}

/* He: the deviation of a wide convolution is √(2/(k²·C_out)), and a norm starts as the identity of what it normalises. */
static void
fresh_deviation (void)
{
  g_autoptr (PjGraph) net = build ("vgg-mini");
  g_autoptr (PjGraph) fresh = pj_graph_fresh (net, 3, NULL);
  for (int n = 0; n < (int) pj_graph_n_nodes (fresh); n++) {
    const PjNode *node = pj_graph_node (fresh, n);
    if (node->op != &pj_op_conv && node->op != &pj_op_gemm)
      continue;
    const PjValue *w = pj_graph_value (fresh, node->inputs[1]);
    const float *data = pj_blob_data (w->data);
    size_t size = pj_blob_n_elems (w->data);
    double sum = 0, expected = node->op == &pj_op_gemm ? 0.01 : sqrt (2.0 / (9.0 * (double) w->shape.dim[0]));
    for (size_t i = 0; i < size; i++)
      sum += (double) data[i] * data[i];
    g_assert_cmpfloat_with_epsilon (sqrt (sum / (double) size), expected, expected * 4 / sqrt ((double) size));
  }
}

/* --- uniform thinning --- */

static void
thin_is_even (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 32, FALSE, 1);
  g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("uniform-thin"), &lab.scoring, NULL);
  const PjGroup *b = pj_groups_find (lab.groups, "b");
  const PjGroupScores *s = pj_scores_get (scores, b->id);
  guint8 keep[8];
  const guint8 half[] = { 1, 0, 1, 0, 1, 0, 1, 0 }, quarter[] = { 1, 0, 0, 0, 1, 0, 0, 0 };
  pj_keep_top (s->score, 8, 4, keep);
  g_assert_cmpmem (keep, 8, half, 8);
  pj_keep_top (s->score, 8, 2, keep);
  g_assert_cmpmem (keep, 8, quarter, 8);
  /* Scores of a group are a permutation of 1/C … 1. */
  for (unsigned i = 0; i < scores->n_groups; i++) {
    double sum = 0;
    int n = scores->groups[i].n_channels;
    for (int c = 0; c < n; c++)
      sum += scores->groups[i].score[c];
    g_assert_cmpfloat_with_epsilon (sum, (n + 1) / 2.0, 1e-9);
  }
}

/* Under a budget all groups lose the same share, to one channel. */
static void
thin_budget (void)
{
  g_autoptr (PjGraph) net = build ("resnet-mini");
  g_autoptr (PjGroups) groups = pj_groups_new (net);
  PjScoring scoring = { .graph = net, .groups = groups, .seed = 1 };
  const PjMethod *method = pj_method_find ("uniform-thin");
  PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.4 };
  g_autoptr (PjCutPlan) plan = method->choose (method, &scoring, &settings, NULL, NULL);
  double low = 1, high = 0;
  PjCost cost, base;
  for (unsigned i = 0; i < plan->n_cuts; i++) {
    const PjGroup *group = pj_groups_get (groups, (unsigned) plan->cuts[i].group);
    double share = (double) pj_cut_plan_n_kept (plan, group) / group->n_channels;
    low = MIN (low, share - 1.0 / group->n_channels);
    high = MAX (high, share);
  }
  g_assert_cmpfloat (high - low, <, 0.1);
  g_assert_true (pj_cut_predict_cost (net, groups, plan, &cost, NULL));
  pj_graph_cost (net, &base);
  g_assert_cmpfloat ((double) cost.macs, <=, 0.4 * (double) base.macs);
  g_assert_cmpfloat ((double) cost.macs, >, 0.38 * (double) base.macs);
}

/* --- in a comparison --- */

static PjComparison *
compare (Lab *lab, const char *const *methods, unsigned epochs, GError **error)
{
  static const double ratio = 0.5;
  PjCompareOptions o = { .methods = methods, .ratios = &ratio, .n_ratios = 1, .recalibrate = TRUE };
  pj_train_options_init (&o.tune);
  o.tune.epochs = epochs;
  o.tune.batch = 16;
  return pj_compare (&lab->scoring, &o, NULL, NULL, error);
}

static void
rows (void)
{
  static const char *const methods[] = { "weight-sum", "uniform-thin", "scratch-e", "scratch-b", NULL };
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 64, FALSE, 1);
  g_autoptr (PjComparison) c = compare (&lab, methods, 2, &error);
  g_assert_no_error (error);
  for (unsigned i = 0; i < 4; i++) {
    const PjCompareRow *row = c->rows->pdata[i];
    gboolean anew = i >= 2;
    g_assert_null (row->refusal);
    g_assert_cmpuint (row->cost.macs, ==, ((const PjCompareRow *) c->rows->pdata[0])->cost.macs);
    g_assert_true ((row->cut < 0) == anew && (row->recalibrated < 0) == anew);
    g_assert_cmpfloat (row->tuned, >=, 0);
    g_assert_cmpfloat (row->images_per_second, >, 0);
  }
  /* Without training there is nothing to see of them; the other rows go on. */
  g_autoptr (PjComparison) untrained = compare (&lab, methods, 0, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (((const PjCompareRow *) untrained->rows->pdata[2])->refusal, "fine-tuning"));
  g_assert_null (((const PjCompareRow *) untrained->rows->pdata[1])->refusal);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/controls/scratch/fixture", scratch_fixture);
  g_test_add_func ("/prune/controls/scratch/options", options_stretch);
  g_test_add_func ("/prune/controls/scratch/weights", fresh_weights);
  g_test_add_func ("/prune/controls/scratch/deviation", fresh_deviation);
  g_test_add_func ("/prune/controls/uniform-thin/even", thin_is_even);
  g_test_add_func ("/prune/controls/uniform-thin/budget", thin_budget);
  g_test_add_func ("/prune/controls/compare", rows);
  return g_test_run ();
}
