/* SPDX-License-Identifier: MIT */
/* Taylor's criteria (2017, 2019) against the specification's fixture, the identities behind it on a device, and end to end
 * on the toy network. */
#include <math.h>

#include "lab.h"
#include "ops/op.h"
#include "ops/params.h"
#include "prune/budget/budget.h"
#include "prune/gates/dynamic.h"
#include "prune/scores/statistics.h"
#include "train/evaluate.h"

/* --- the fixture's tables --- */

/* The channels in the order in which they would go. */
static void
assert_order (const double score[4], JsonObject *o, const char *path)
{
  g_autofree int *order = fixture_ints (o, path, NULL);
  for (int k = 1; k < 4; k++) {
    guint8 keep[4];
    pj_keep_top (score, 4, 4 - k, keep);
    for (int r = 0; r < 4; r++)
      g_assert_cmpint (keep[order[r]], ==, r >= k);
  }
}

static void
taylor_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/taylor.json");
  g_autofree float *z = fixture_floats (o, "t2017/activations", NULL), *dz = fixture_floats (o, "t2017/grads", NULL);
  g_autofree float *paper = fixture_floats (o, "t2017/score_paper", NULL), *normal = fixture_floats (o, "t2017/l2_normalised", NULL);
  g_autofree float *signed_sums = fixture_floats (o, "t2017/per_example_signed", NULL), *of_batch = fixture_floats (o, "t2017/score_batch_abs", NULL);
  g_autoptr (PjGraph) graph = lab_four_channels ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjGroup *group = pj_groups_find (groups, "a");
  const PjScoring scoring = { .graph = graph, .groups = groups };
  g_autoptr (PjStatistics) statistics = pj_statistics_new (PJ_NEEDS_GRADIENTS);
  PjSensitivity *s = pj_sensitivity_new (group->id, 4, 1);
  double batch[4] = { 0 }, out[4] = { 0 };

  pj_statistics_take (statistics, NULL, s);
  for (int n = 0; n < 3; n++) {
    float g[4] = { 0 };
    for (int c = 0; c < 4; c++) {
      for (int p = 0; p < 4; p++)
        g[c] += z[(n * 4 + c) * 4 + p] * dz[(n * 4 + c) * 4 + p];
      assert_near (g[c] / 4, signed_sums[n * 4 + c], 1e-8, "mean over positions");
    }
    pj_sensitivity_add (s, 0, g, 4, NULL, 4, batch);
  }
  pj_sensitivity_end_batch (s, batch, 3);
  for (int c = 0; c < 4; c++) {
    assert_near (s->sum_abs[c] / 3, paper[c], 1e-8, "Taylor before normalising");
    /* Squared over the mini-batch it is the form that takes the mean over pictures first. */
    out[c] = sqrt (s->sum_squares[c]) / 4;
    assert_near (out[c], of_batch[c], 1e-8, "mean over pictures first");
  }
  assert_order (out, o, "t2017/order_batch_abs");
  g_assert_true (lab_criterion ("taylor")->score (&scoring, statistics, group, out, NULL));
  for (int c = 0; c < 4; c++)
    assert_near (out[c], normal[c], 1e-6, "Taylor");
  assert_order (out, o, "t2017/order_paper");
}

/* What the rounds of "taylor-steps" rank by: a price on multiply-adds, and scores that remember the rounds before. */
static void
taylor_steps_fixture (void)
{
  static const char *const rounds[] = { "round1", "round2" };
  g_autoptr (JsonObject) o = fixture_load ("spec/taylor.json");
  g_autofree float *paper = fixture_floats (o, "t2017/score_paper", NULL), *priced = fixture_floats (o, "t2017/flops_regularised/score", NULL);
  g_autofree float *of_each = fixture_floats (o, "t2017/flops_regularised/flops_share_per_channel", NULL);
  double score[4], share[4], state[3] = { 0 };

  for (int c = 0; c < 4; c++) {
    score[c] = paper[c];
    share[c] = of_each[c];
  }
  pj_dynamic_normalise (score, 4);
  pj_dynamic_charge (score, share, 4, fixture_number (o, "t2017/flops_regularised/lambda"));
  for (int c = 0; c < 4; c++)
    assert_near (score[c], priced[c], 1e-7, "score with a price");

  for (int r = 0; r < 2; r++) {
    g_autofree char *batches = g_strdup_printf ("accumulate/%s_per_batch", rounds[r]), *after = g_strdup_printf ("accumulate/%s", rounds[r]);
    int n;
    g_autofree float *rows = fixture_floats (o, batches, &n), *expected = fixture_floats (o, after, NULL);
    double sum[3] = { 0 };
    for (int i = 0; i < n; i++)
      sum[i % 3] += rows[i];
    pj_dynamic_mix (state, sum, 3, n / 3, r == 0 ? 0 : fixture_number (o, "accumulate/momentum"));
    for (int c = 0; c < 3; c++) {
      assert_near (state[c], expected[c], 1e-8, after);
      assert_near (sum[c], 0, 0, "sum of the next round");
    }
  }
}

/* One gate on three blocks: the gradients add up before they are squared, then the score is shared. */
static void
taylor_shared_gate (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/taylor.json");
  g_autofree float *g = fixture_floats (o, "shared_gate/per_block_gate_grads", NULL);
  g_autoptr (PjGraph) graph = lab_four_channels ();
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjScoring scoring = { .graph = graph, .groups = groups };
  g_autoptr (PjStatistics) statistics = pj_statistics_new (PJ_NEEDS_GRADIENTS);
  const PjGroup *group = pj_groups_find (groups, "a");
  PjSensitivity *s = pj_sensitivity_new (group->id, 4, 3);
  const int map[] = { 2 };
  double batch[4] = { 0 }, out[4] = { 0 };

  pj_statistics_take (statistics, NULL, s);
  for (unsigned i = 0; i < 3; i++)
    pj_sensitivity_add (s, i, &g[i], 1, map, 1, batch);
  assert_near (batch[2], fixture_number (o, "shared_gate/sum"), 1e-7, "sum over the blocks");
  pj_sensitivity_end_batch (s, batch, 1);
  assert_near (s->sum_squares[2], fixture_number (o, "shared_gate/score"), 1e-7, "squared gradient");
  g_assert_true (lab_criterion ("taylor-fo-bn")->score (&scoring, statistics, group, out, NULL));
  assert_near (out[2], fixture_number (o, "shared_gate/divided_by_blocks"), 1e-7, "shared score");
  assert_near (out[0], 0, 0, "another channel");
}

/* The gate's gradient is γ·∂γ + β·∂β behind a norm, and Σ w·∂w + b·∂b without one: both are Σ y·∂y, which the pass sums. */
static void
taylor_gates (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/taylor.json");
  int n_norm, n_conv;
  g_autofree float *xhat = fixture_floats (o, "gate_identity_bn/xhat", &n_norm), *dy = fixture_floats (o, "gate_identity_bn/grad_y", NULL);
  g_autofree float *gamma = fixture_floats (o, "gate_identity_bn/gamma", NULL), *beta = fixture_floats (o, "gate_identity_bn/beta", NULL);
  g_autofree float *dgamma = fixture_floats (o, "gate_identity_bn/d_gamma", NULL), *dbeta = fixture_floats (o, "gate_identity_bn/d_beta", NULL);
  g_autofree float *gate = fixture_floats (o, "gate_identity_bn/gate_grad", NULL), *squares = fixture_floats (o, "gate_identity_bn/taylor_fo_bn", NULL);
  const int n = n_norm / 8;
  PjSensitivity *s = pj_sensitivity_new (0, 2, 1);
  g_autoptr (PjStatistics) statistics = pj_statistics_new (PJ_NEEDS_GRADIENTS);
  double batch[2] = { 0 };
  pj_statistics_take (statistics, NULL, s);
  for (int i = 0; i < n; i++) {
    float g[2] = { 0 };
    for (int c = 0; c < 2; c++)
      for (int p = 0; p < 4; p++) {
        int at = (i * 2 + c) * 4 + p;
        /* The fixture's gradients are those of the mean loss, the pass has every picture's own. */
        g[c] += (float) n * (gamma[c] * xhat[at] + beta[c]) * dy[at];
      }
    pj_sensitivity_add (s, 0, g, 2, NULL, 4, batch);
  }
  pj_sensitivity_end_batch (s, batch, (unsigned) n);
  for (int c = 0; c < 2; c++) {
    assert_near (gamma[c] * dgamma[c] + beta[c] * dbeta[c], gate[c], 1e-7, "gate of a norm");
    assert_near (s->sum_squares[c], squares[c], 1e-8, "Taylor FO at norms");
  }
  g_autofree float *w = fixture_floats (o, "gate_identity_conv/w", &n_conv), *dw = fixture_floats (o, "gate_identity_conv/d_w", NULL);
  g_autofree float *b = fixture_floats (o, "gate_identity_conv/b", NULL), *db = fixture_floats (o, "gate_identity_conv/d_b", NULL);
  g_autofree float *conv = fixture_floats (o, "gate_identity_conv/gate_grad", NULL), *group = fixture_floats (o, "gate_identity_conv/score_group", NULL);
  for (int f = 0; f < 2; f++) {
    double sum = (double) b[f] * db[f];
    for (int k = 0; k < n_conv / 2; k++)
      sum += (double) w[f * n_conv / 2 + k] * dw[f * n_conv / 2 + k];
    assert_near (sum, conv[f], 1e-6, "gate of a convolution");
    assert_near (sum * sum, group[f], 1e-6, "its score");
  }
}

/* --- on a device --- */

/* One backward pass from @dz at the output. */
typedef struct {
  PjDevice *device;
  PjParams *params;
  PjPlan *plan;
} Back;

static void
back_run (Back *self, PjGraph *graph, const int *gated, unsigned n_gated, unsigned n, const float *x, const float *dz)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  PjPlanOptions options = {
    .batch = n, .mode = PJ_PLAN_TRAIN, .logit_grads = TRUE, .gated = gated, .n_gated = n_gated, .gate_grads = TRUE,
  };
  const PjStep step = { .lr = 0 };

  self->device = pj_device_open (id != NULL ? id : "cpu", &error);
  g_assert_no_error (error);
  self->params = pj_params_new (self->device, graph, TRUE, &error);
  self->plan = pj_plan_new (graph, self->params, &options, &error);
  g_assert_no_error (error);
  g_assert_true (pj_plan_set_images (self->plan, x, &error) && pj_plan_forward (self->plan, &step, &error));
  g_assert_true (pj_plan_set_logit_grads (self->plan, dz, &error) && pj_plan_backward (self->plan, &error));
}

static void
back_clear (Back *self)
{
  pj_plan_free (self->plan);
  pj_params_free (self->params);
  pj_device_free (self->device);
}

/* Σ w·∂w + b·∂b of a filter, both as the backward pass gives them, is what a gate behind the convolution feels. */
static void
taylor_conv_gate (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/taylor.json");
  g_autofree float *x = fixture_floats (o, "gate_identity_conv/x", NULL), *dz = fixture_floats (o, "gate_identity_conv/grad_z", NULL);
  g_autofree float *w = fixture_floats (o, "gate_identity_conv/w", NULL), *b = fixture_floats (o, "gate_identity_conv/b", NULL);
  g_autofree float *dw = fixture_floats (o, "gate_identity_conv/d_w", NULL), *db = fixture_floats (o, "gate_identity_conv/d_b", NULL);
  g_autofree float *gate = fixture_floats (o, "gate_identity_conv/gate_grad", NULL), *squares = fixture_floats (o, "gate_identity_conv/score_sum_of_squares", NULL);
  g_autoptr (PjGraph) g = pj_graph_new ("gate");
  int weight = net_param_from (g, "w", PJ_SHAPE (2, 2, 2, 2), w), bias = net_param_from (g, "b", PJ_SHAPE (2), b);
  int z = net_conv (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 3, 3)), weight, bias, 1, 0);
  pj_graph_set_output (g, net_unary (g, "flatten", &pj_op_flatten, z));
  float felt[2], of_w[16], of_b[2];
  Back back;

  back_run (&back, g, &z, 1, 2, x, dz);
  g_assert_true (pj_plan_read_gate_grad (back.plan, z, felt, NULL));
  g_assert_true (pj_params_read_grad (back.params, weight, of_w, NULL) && pj_params_read_grad (back.params, bias, of_b, NULL));
  assert_close (felt, gate, 2, 1e-5, "gate");
  assert_close (of_w, dw, 16, 1e-5, "weights");
  assert_close (of_b, db, 2, 1e-5, "bias");
  for (int f = 0; f < 2; f++) {
    double sum = (double) b[f] * of_b[f], each = 0;
    for (int k = 8 * f; k < 8 * (f + 1); k++) {
      sum += (double) w[k] * of_w[k];
      each += (double) w[k] * of_w[k] * w[k] * of_w[k];
    }
    assert_near (sum, felt[f], 1e-5, "Σ w·∂w + b·∂b");
    assert_near (each, squares[f], 1e-5, "squares of each weight");
  }
  back_clear (&back);
}

/* Every weight times its gradient, squared, of the mean loss of a mini-batch; a joined layer counts by its mean. */
static void
taylor_weights (void)
{
  enum { N = PJ_SENSITIVITY_BATCH };
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, N);
  g_autoptr (PjScores) scores = lab_score (&lab, "taylor-fo");
  g_assert_cmpuint (scores->n_images, ==, N);
  g_autofree float *images = g_new (float, N * 64);
  int32_t labels[N];
  for (unsigned i = 0; i < N; i++) {
    g_assert_true (pj_dataset_image (lab.dataset, PJ_SPLIT_TRAIN, i, &lab.format, images + i * 64, &error));
    labels[i] = (int32_t) pj_dataset_label (lab.dataset, PJ_SPLIT_TRAIN, i);
  }
  PjPlanOptions options = { .batch = N, .mode = PJ_PLAN_SCORE, .cross_entropy = 1 };
  PjParams *params = pj_params_new (lab.device, lab.graph, TRUE, &error);
  PjPlan *plan = pj_plan_new (lab.graph, params, &options, &error);
  g_assert_no_error (error);
  g_assert_true (pj_plan_set_images (plan, images, &error) && pj_plan_set_labels (plan, labels, &error));
  g_assert_true (pj_plan_forward (plan, NULL, &error) && pj_plan_backward (plan, &error));
  for (unsigned i = 0; i < scores->n_groups; i++) {
    const PjGroup *group = pj_groups_get (lab.groups, (unsigned) scores->groups[i].group);
    g_autofree double *expected = g_new0 (double, group->n_channels);
    int n_layers = 0;
    for (unsigned m = 0; m < group->n_members; m++)
      n_layers += group->members[m].is_param && group->members[m].role == PJ_ROLE_PRODUCER;
    for (unsigned m = 0; m < group->n_members; m++) {
      const PjMember *member = &group->members[m];
      if (!member->is_param || member->role != PJ_ROLE_PRODUCER)
        continue;
      const PjValue *value = pj_graph_value (lab.graph, member->value);
      int n = (int) pj_blob_n_elems (value->data);
      const float *w = pj_blob_data (value->data);
      g_autofree float *dw = g_new (float, n);
      g_assert_true (pj_params_read_grad (params, member->value, dw, &error));
      for (int k = 0; k < n; k++)
        expected[member->map[k / (n / member->n)]] += pow ((double) w[k] * dw[k], 2) / n_layers;
    }
    for (int c = 0; c < group->n_channels; c++) {
      g_assert_cmpfloat (expected[c], >, 0);
      assert_near (scores->groups[i].score[c], expected[c], 1e-4 * expected[c], group->name);
    }
  }
  pj_plan_free (plan);
  pj_params_free (params);
}

/* Before or behind a ReLU a gate feels the same; before a ReLU6 it does not. */
static void
taylor_activation_side (gconstpointer data)
{
  const gboolean six = GPOINTER_TO_INT (data);
  g_autoptr (JsonObject) o = fixture_load ("spec/taylor.json");
  g_autofree float *pre = fixture_floats (o, "activation_side/pre", NULL), *dz = fixture_floats (o, "activation_side/grad_after", NULL);
  g_autofree char *before_path = g_strdup_printf ("activation_side/%s/before", six ? "relu6" : "relu");
  g_autofree char *after_path = g_strdup_printf ("activation_side/%s/after", six ? "relu6" : "relu");
  const float one = 1;
  g_autoptr (PjGraph) g = pj_graph_new ("side");
  int a = net_conv (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 1, 3)), net_param_from (g, "w", PJ_SHAPE (1, 1, 1, 1), &one), -1, 1, 0);
  const PjUnaryParams clip = { .function = PJ_FN_CLIP, .alpha = 0, .beta = 6 };
  int z = six ? pj_graph_add_node (g, "act", &pj_op_clip, &clip, &a, 1, NULL) : net_unary (g, "act", &pj_op_relu, a);
  pj_graph_set_output (g, net_unary (g, "flatten", &pj_op_flatten, z));
  const int gated[] = { a, z };
  float before, after;
  Back back;

  back_run (&back, g, gated, 2, 1, pre, dz);
  g_assert_true (pj_plan_read_gate_grad (back.plan, a, &before, NULL) && pj_plan_read_gate_grad (back.plan, z, &after, NULL));
  assert_near (before, fixture_number (o, before_path), 1e-6, "before");
  assert_near (after, fixture_number (o, after_path), 1e-6, "behind");
  back_clear (&back);
}

/* --- the toy network, end to end --- */

static void
toy_taylor_fo_bn (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  g_autoptr (PjScores) scores = lab_score (&lab, "taylor-fo-bn");
  static const char *const all[] = { "stem", "stream", "b1_1", "b1_2", "b2_1", "b2_2" };
  for (guint k = 0; k < G_N_ELEMENTS (all); k++) {
    g_autofree char *path = g_strdup_printf ("scores/gate_grad/%s", all[k]);
    int n, n_gates = g_str_equal (all[k], "stream") ? 2 : 1;
    g_autofree float *g = fixture_floats (o, path, &n);
    /* Compared as gradients: those of the fixture come from differences and are good to 1e-7. */
    for (int c = 0; c < n; c++)
      assert_near (sqrt (lab_scores_of (&lab, scores, all[k])->score[c] * n_gates), fabs (g[c]), 2e-7 + 1e-5 * fabs (g[c]), path);
  }
}

/* As printed, and the loss that the gradients are of. */
static void
toy_taylor_as_printed (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  g_autoptr (PjScores) scores = lab_score (&lab, "taylor-fo-bn");
  static const char *const all[] = { "stem", "stream", "b1_1", "b1_2", "b2_1", "b2_2" };
  for (guint k = 0; k < G_N_ELEMENTS (all); k++) {
    g_autofree char *path = g_strdup_printf ("scores/taylor_fo_bn/%s", all[k]);
    int n, n_gates = g_str_equal (all[k], "stream") ? 2 : 1;
    g_autofree float *expected = fixture_floats (o, path, &n);
    for (int c = 0; c < n; c++)
      assert_near (lab_scores_of (&lab, scores, all[k])->score[c] * n_gates, expected[c], 5e-9 + 2e-4 * expected[c], path);
  }
  g_autoptr (GError) error = NULL;
  PjAccuracy accuracy;
  g_assert_true (pj_evaluate (lab.device, lab.graph, lab.dataset, PJ_SPLIT_TRAIN, lab.scoring.format, 0, NULL, NULL, NULL, &accuracy,
                              &error));
  g_assert_cmpuint (accuracy.n, ==, 4);
  assert_near (accuracy.loss, fixture_number (o, "loss"), 1e-5, "loss");
  pj_accuracy_clear (&accuracy);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/taylor/fixture", taylor_fixture);
  g_test_add_func ("/prune/taylor/steps", taylor_steps_fixture);
  g_test_add_func ("/prune/taylor/shared-gate", taylor_shared_gate);
  g_test_add_func ("/prune/taylor/gates", taylor_gates);
  g_test_add_func ("/prune/taylor/gate-of-a-convolution", taylor_conv_gate);
  g_test_add_func ("/prune/taylor/weights", taylor_weights);
  g_test_add_data_func ("/prune/taylor/side/relu", GINT_TO_POINTER (FALSE), taylor_activation_side);
  g_test_add_data_func ("/prune/taylor/side/relu6", GINT_TO_POINTER (TRUE), taylor_activation_side);
  g_test_add_func ("/prune/taylor/toy/gradients", toy_taylor_fo_bn);
  g_test_add_func ("/prune/taylor/toy/as-printed", toy_taylor_as_printed);
  return g_test_run ();
}
