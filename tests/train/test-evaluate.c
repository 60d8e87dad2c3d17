/* SPDX-License-Identifier: MIT */
/* Accuracy counted by hand, masked networks against cut ones, and norm statistics. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "data/sample.h"
#include "fixture.h"
#include "io/onnx.h"
#include "net.h"
#include "ops/op.h"
#include "sets.h"
#include "train/evaluate.h"
#include "train/tally.h"
#include "train/trainer.h"

/* --- counting --- */

static void
tally_by_hand (void)
{
  /* Seven classes. Ranks of the labels: 0, 1, 4, 5, and ties: 0 before 3, 3 after 0. */
  static const float logits[][7] = {
    { 9, 1, 2, 3, 4, 5, 6 }, { 9, 8, 2, 3, 4, 5, 6 }, { 9, 8, 7, 6, 5, 4, 3 }, { 9, 8, 7, 6, 5, 4, 3 },
    { 5, 1, 1, 5, 1, 1, 1 }, { 5, 1, 1, 5, 1, 1, 1 },
  };
  static const int32_t labels[] = { 0, 1, 4, 5, 0, 3 };
  PjTally tally;
  PjAccuracy a;
  double loss = 0;
  pj_tally_init (&tally, 7, 6);
  pj_tally_add (&tally, logits[0], labels, 4);
  pj_tally_add (&tally, logits[4], labels + 4, 2);
  pj_tally_finish (&tally, 2, &a);
  for (int i = 0; i < 6; i++) {
    double sum = 0;
    for (int k = 0; k < 7; k++)
      sum += exp (logits[i][k]);
    loss += log (sum) - logits[i][labels[i]];
  }
  g_assert_cmpuint (a.n, ==, 6);
  g_assert_cmpfloat_with_epsilon (a.top1, 2.0 / 6, 1e-12);
  g_assert_cmpfloat_with_epsilon (a.top5, 5.0 / 6, 1e-12);
  g_assert_cmpfloat_with_epsilon (a.loss, loss / 6, 1e-9);
  g_assert_cmpfloat_with_epsilon (a.images_per_second, 3, 1e-12);
  g_assert_cmpfloat (a.per_class[0], ==, 1);
  g_assert_cmpfloat (a.per_class[3], ==, 0);
  g_assert_cmpfloat (a.per_class[6], ==, 0);
  g_assert_cmpmem (a.correct, 6, "\1\0\0\0\1\0", 6);
  g_assert_cmpfloat_with_epsilon (pj_accuracy_error (&a), sqrt (2.0 / 6 * 4 / 6 / 6), 1e-12);
  pj_accuracy_clear (&a);
}

/* A network that gives numbers no more is wrong, not right. */
static void
tally_not_a_number (void)
{
  const float logits[] = { NAN, NAN, NAN, 1, NAN, 0, 0, 1, NAN };
  const int32_t labels[] = { 0, 0, 1 };
  PjTally tally;
  PjAccuracy a;
  pj_tally_init (&tally, 3, 3);
  pj_tally_add (&tally, logits, labels, 3);
  pj_tally_finish (&tally, 1, &a);
  g_assert_cmpfloat (a.top1, ==, 0);
  pj_accuracy_clear (&a);
}

/* --- whole networks --- */

/* A network whose scores are the two halves of a 1 × 2 picture. */
static PjGraph *
halves (void)
{
  static const float w[] = { 1, 0, 0, 1 };
  PjGraph *g = pj_graph_new ("halves");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 1, 2));
  int y = net_unary (g, "flatten", &pj_op_flatten, x);
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param_from (g, "w", PJ_SHAPE (2, 2), w), -1));
  return g;
}

static void
evaluate_by_hand (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjGraph) graph = halves ();
  /* The label says which half is brighter in pictures 1, 3, 4 and 5 of the test part. */
  const guint8 pixels[] = { 0, 0, 0, 9, 9, 0, 1, 2, 7, 7, 3, 2 };
  const int32_t labels[] = { 0, 1, 1, 1, 0, 0 };
  const PjFormat format = { 1, 1, 2, { 0 }, { 1 } };
  g_autoptr (PjDataset) set = pj_dataset_new_memory ("halves", 6, 1, 1, 2, pixels, labels, 2, 5);
  PjAccuracy a;
  g_assert_true (pj_evaluate (device, graph, set, PJ_SPLIT_TEST, &format, 0, NULL, NULL, NULL, &a, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (a.n, ==, 5);
  g_assert_cmpmem (a.correct, 5, "\1\0\1\1\1", 5);
  g_assert_cmpfloat_with_epsilon (a.top1, 0.8, 1e-12);
  g_assert_cmpfloat (a.top5, ==, 1);
  pj_accuracy_clear (&a);
  g_assert_true (pj_evaluate (device, graph, set, PJ_SPLIT_TEST, &format, 2, NULL, NULL, NULL, &a, &error));
  g_assert_cmpuint (a.n, ==, 2);
  g_assert_cmpfloat_with_epsilon (a.top1, 0.5, 1e-12);
  pj_accuracy_clear (&a);
}

static gboolean
always (gpointer data)
{
  return TRUE;
}

static void
evaluate_refuses (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjGraph) graph = halves ();
  g_autoptr (PjDataset) bars = sets_bars (40, 10);
  const PjFormat format = { 1, 1, 2, { 0 }, { 1 } };
  PjAccuracy a;
  g_assert_false (pj_evaluate (device, graph, bars, PJ_SPLIT_TEST, &sets_format, 0, NULL, NULL, NULL, &a, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
  g_clear_error (&error);
  g_assert_false (pj_evaluate (device, graph, bars, PJ_SPLIT_TEST, &format, 0, NULL, NULL, NULL, &a, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "2 classes"));
  g_clear_error (&error);
  /* One score for each pixel is no class score, whatever the data set counts. */
  g_autoptr (PjGraph) maps = pj_graph_new ("maps");
  pj_graph_set_output (maps, net_unary (maps, "relu", &pj_op_relu, pj_graph_add_input (maps, "x", PJ_SHAPE (1, 1, 1, 2))));
  g_assert_false (pj_evaluate (device, maps, bars, PJ_SPLIT_TEST, &format, 0, NULL, NULL, NULL, &a, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "maps of 1×1×1×2"));
  g_clear_error (&error);
  g_autoptr (PjGraph) net = sets_net (1);
  PjHooks stop = { .is_cancelled = always };
  g_assert_false (pj_evaluate (device, net, bars, PJ_SPLIT_TEST, &sets_format, 0, NULL, NULL, &stop, &a, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
}

/* A residual network for the same pictures. */
static PjGraph *
residual (void)
{
  PjGraph *g = pj_graph_new ("residual");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8));
  int stem = net_block (g, "stem", x, 6, 3, 1, TRUE);
  int y = net_block (g, "a1", stem, 5, 3, 1, TRUE);
  y = net_block (g, "a2", y, 6, 3, 1, FALSE);
  y = net_unary (g, "relu", &pj_op_relu, net_add (g, "add", y, stem));
  y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, y));
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (4, 6), 0, 1, 3), -1));
  return g;
}

/* Removes channels 0, 3, … of every group that may be cut, with factors if @scaled. */
static PjCutPlan *
make_cut (const PjGroups *groups, gboolean scaled)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    g_autofree guint8 *keep = g_malloc ((gsize) group->n_channels);
    g_autofree float *scale = g_new (float, group->n_channels);
    for (int c = 0; c < group->n_channels; c++) {
      keep[c] = c % 3 != 0;
      scale[c] = keep[c] ? 0.5f + 0.3f * (float) c : NAN;
    }
    if (group->lock_reason == NULL)
      pj_cut_plan_set (plan, group, keep, scaled ? scale : NULL);
  }
  return plan;
}

static void
assert_same_accuracy (const PjAccuracy *a, const PjAccuracy *b)
{
  g_assert_cmpuint (a->n, ==, b->n);
  g_assert_cmpmem (a->correct, a->n, b->correct, b->n);
  g_assert_cmpfloat_with_epsilon (a->loss, b->loss, 1e-4 * (1 + fabs (b->loss)));
}

static void
masked_equals_cut (gconstpointer scaled)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjDataset) set = sets_bars (400, 300);
  for (int i = 0; i < 2; i++) {
    g_autoptr (PjGraph) g = i == 0 ? sets_net (4) : residual ();
    g_autoptr (PjGroups) groups = pj_groups_new (g);
    g_autoptr (PjCutPlan) plan = make_cut (groups, scaled != NULL);
    g_autoptr (PjGraph) cut = pj_cut (g, groups, plan, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (plan->n_cuts, >=, 2);
    PjAccuracy masked, real, whole, live;
    g_assert_true (pj_evaluate (device, g, set, PJ_SPLIT_TEST, &sets_format, 0, groups, plan, NULL, &masked, &error));
    g_assert_true (pj_evaluate (device, cut, set, PJ_SPLIT_TEST, &sets_format, 0, NULL, NULL, NULL, &real, &error));
    g_assert_true (pj_evaluate (device, g, set, PJ_SPLIT_TEST, &sets_format, 0, NULL, NULL, NULL, &whole, &error));
    assert_same_accuracy (&masked, &real);
    g_assert_cmpfloat (fabs (whole.loss - masked.loss), >, 1e-3);
    /* The evaluator goes from one to the other and back. */
    g_autoptr (PjEvaluator) evaluator = pj_evaluator_new (device, g, groups, set, PJ_SPLIT_TEST, &sets_format, 0, &error);
    g_assert_no_error (error);
    for (int round = 0; round < 2; round++) {
      g_assert_true (pj_evaluator_run (evaluator, plan, NULL, &live, &error));
      assert_same_accuracy (&live, &real);
      pj_accuracy_clear (&live);
      g_assert_true (pj_evaluator_run (evaluator, NULL, NULL, &live, &error));
      assert_same_accuracy (&live, &whole);
      pj_accuracy_clear (&live);
    }
    pj_accuracy_clear (&masked);
    pj_accuracy_clear (&real);
    pj_accuracy_clear (&whole);
  }
}

static void
evaluator_refuses (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjDataset) set = sets_bars (60, 40);
  g_autoptr (PjGraph) graph = sets_net (4);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  const PjGroup *group = pj_groups_find (groups, "conv1");
  guint8 none[8] = { 0 };
  PjAccuracy a;
  g_autoptr (PjEvaluator) evaluator = pj_evaluator_new (device, graph, groups, set, PJ_SPLIT_TEST, &sets_format, 0, &error);
  pj_cut_plan_set (plan, group, none, NULL);
  g_assert_false (pj_evaluator_run (evaluator, plan, NULL, &a, &error));
  g_assert_error (error, PJ_GRAPH_ERROR, PJ_GRAPH_ERROR_INVALID);
}

/* --- recalibration --- */

/*
 * The fixture's batches hold numbers −2.49 … 1.41 in steps of 0.01.  Two channels of bytes carry them: x =
 * (p + q)/100 − 2.49 with p + q = 0 … 390, which a 1 × 1 convolution in front of the norm puts together.  The
 * two pictures of a batch become the upper and lower half of one: a norm sees the same numbers.
 */
static PjGraph *
norm_after_sum (void)
{
  static const float w[] = { 0.01f, 0.01f, 0 }, b[] = { -2.49f }, fc[] = { 1, 2 }, one[] = { 1 }, zero[] = { 0 }, junk[] = { 33 };
  PjGraph *g = pj_graph_new ("sum");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 3, 4, 2));
  int y = net_conv (g, "conv", x, net_param_from (g, "w", PJ_SHAPE (1, 3, 1, 1), w), net_param_from (g, "b", PJ_SHAPE (1), b), 1, 0);
  /* What is there before must not matter. */
  y = net_norm (g, "norm", y, net_param_from (g, "gamma", PJ_SHAPE (1), one), net_param_from (g, "beta", PJ_SHAPE (1), zero),
                net_param_from (g, "mean", PJ_SHAPE (1), junk), net_param_from (g, "var", PJ_SHAPE (1), junk), 1e-5f);
  y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, y));
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param_from (g, "fc.w", PJ_SHAPE (2, 1), fc), -1));
  return g;
}

static void
recalibrate_fixture (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) spec = fixture_load ("spec/bn.json");
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjGraph) graph = norm_after_sum ();
  const PjFormat format = { 3, 4, 2, { 0 }, { 1 / 255.0f, 1 / 255.0f, 1 / 255.0f } };
  guint8 pixels[3][3][8] = { { { 0 } } };
  int n;
  g_autofree float *x = fixture_floats (spec, "recalibrate/batches_N1HW", &n);
  g_assert_cmpint (n, ==, 24);
  for (int i = 0; i < n; i++) {
    int sum = (int) lround (100.0 * (double) x[i]) + 249;
    g_assert_true (sum >= 0 && sum <= 510);
    pixels[i / 8][0][i % 8] = (guint8) MIN (sum, 255);
    pixels[i / 8][1][i % 8] = (guint8) (sum - MIN (sum, 255));
  }
  g_autoptr (PjDataset) set = pj_dataset_new_memory ("batches", 3, 3, 4, 2, &pixels[0][0][0], (const int32_t[]) { 0, 1, 0 }, 2, 0);
  PjLoaderOptions options = { .split = PJ_SPLIT_TRAIN, .format = format, .batch = 1 };
  g_autoptr (PjLoader) loader = pj_loader_new (set, &options, &error);
  g_assert_no_error (error);
  g_autoptr (PjGraph) done = pj_recalibrate_from (device, graph, loader, 1, 3, NULL, &error);
  g_assert_no_error (error);
  const float *mean = pj_blob_data (pj_graph_value (done, pj_graph_find_value (done, "mean"))->data);
  const float *var = pj_blob_data (pj_graph_value (done, pj_graph_find_value (done, "var"))->data);
  g_assert_cmpfloat_with_epsilon (mean[0], fixture_number (spec, "recalibrate/cumulative_mean"), 1e-5);
  g_assert_cmpfloat_with_epsilon (var[0], fixture_number (spec, "recalibrate/cumulative_var"), 1e-5);
}

/* The norm's statistics after @n batches of @batch of the fixture's pictures from picture @first on, and what it made of
 * the last one, @out. */
static void
run_norm (const float *x, unsigned first, unsigned batch, unsigned n, float momentum, float *mean, float *var, float *out)
{
  const float one[] = { 1 }, zero[] = { 0 }, fc[] = { 1, 2 };
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjGraph) g = pj_graph_new ("norm");
  int x0 = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 2, 2)), w = net_param_from (g, "w", PJ_SHAPE (1, 1, 1, 1), one);
  int gamma = net_param_from (g, "gamma", PJ_SHAPE (1), one), beta = net_param_from (g, "beta", PJ_SHAPE (1), zero);
  int m = net_param_from (g, "mean", PJ_SHAPE (1), zero), v = net_param_from (g, "var", PJ_SHAPE (1), one);
  int norm = net_norm (g, "norm", net_conv (g, "conv", x0, w, -1, 1, 0), gamma, beta, m, v, 1e-12f);
  int y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, norm));
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param_from (g, "fc.w", PJ_SHAPE (2, 1), fc), -1));
  PjPlanOptions options = { .batch = batch, .mode = PJ_PLAN_RECALIBRATE, .observed = &norm, .n_observed = 1 };
  const PjStep step = { .norm_momentum = momentum };
  g_autoptr (PjParams) params = pj_params_new (device, g, FALSE, &error);
  g_autoptr (PjPlan) plan = pj_plan_new (g, params, &options, &error);
  g_assert_no_error (error);
  for (unsigned k = 0; k < n; k++)
    g_assert_true (pj_plan_set_images (plan, x + (first + k * batch) * 4, NULL) && pj_plan_forward (plan, &step, NULL));
  g_assert_true (pj_plan_read_value (plan, norm, out, NULL));
  g_autoptr (PjGraph) done = pj_params_download (params, g, NULL);
  *mean = ((const float *) pj_blob_data (pj_graph_value (done, pj_graph_find_value (done, "mean"))->data))[0];
  *var = ((const float *) pj_blob_data (pj_graph_value (done, pj_graph_find_value (done, "var"))->data))[0];
}

/* Batches one by one: what is stored, and the variance that the batch itself is divided by; a moving average of all; and
 * all pictures as one batch. */
static void
batch_statistics (void)
{
  g_autoptr (JsonObject) spec = fixture_load ("spec/bn.json");
  g_autofree float *x = fixture_floats (spec, "recalibrate/batches_N1HW", NULL);
  g_autofree float *means = fixture_floats (spec, "recalibrate/batch_mean", NULL);
  g_autofree float *unbiased = fixture_floats (spec, "recalibrate/batch_var_unbiased", NULL);
  g_autofree float *biased = fixture_floats (spec, "recalibrate/batch_var_biased", NULL);
  g_autofree float *moving = fixture_floats (spec, "recalibrate/ema_0.1_from_0_1", NULL);
  g_autofree float *pooled = fixture_floats (spec, "recalibrate/pooled_exact_mean_var", NULL);
  float mean, var, out[24];
  for (unsigned k = 0; k < 3; k++) {
    run_norm (x, 2 * k, 2, 1, 1, &mean, &var, out);
    g_assert_cmpfloat_with_epsilon (mean, means[k], 1e-6f);
    g_assert_cmpfloat_with_epsilon (var, unbiased[k], 2e-6f);
    for (int i = 0; i < 8; i++)
      g_assert_cmpfloat_with_epsilon (out[i], (x[8 * k + i] - means[k]) / sqrtf (biased[k]), 1e-5f);
  }
  run_norm (x, 0, 2, 3, 0.1f, &mean, &var, out);
  g_assert_cmpfloat_with_epsilon (mean, moving[0], 1e-6f);
  g_assert_cmpfloat_with_epsilon (var, moving[1], 2e-6f);
  run_norm (x, 0, 6, 1, 1, &mean, &var, out);
  g_assert_cmpfloat_with_epsilon (mean, pooled[0], 1e-6f);
  g_assert_cmpfloat_with_epsilon (var * 23 / 24, pooled[1], 2e-6f);
}

/* A network whose statistics were spoilt works again, and nothing else has changed. */
static void
recalibrate_restores (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjDataset) set = sets_bars (300, 60);
  g_autoptr (PjGraph) start = sets_net (2);
  PjTrainOptions options;
  PjAccuracy good, spoilt, again;
  pj_train_options_init (&options);
  options.epochs = 5;
  options.batch = 16;
  options.lr = 0.1f;
  options.flip = FALSE;
  g_autoptr (PjGraph) trained = pj_train (device, start, set, &sets_format, &options, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (PjGraph) broken = pj_graph_copy (trained);
  for (unsigned v = 0; v < pj_graph_n_values (broken); v++)
    if (g_str_has_suffix (pj_graph_value (broken, (int) v)->name, "running_mean")) {
      PjShape shape = pj_graph_value (broken, (int) v)->shape;
      g_autofree float *noise = net_noise ((size_t) shape.dim[0], v);
      for (int64_t c = 0; c < shape.dim[0]; c++)
        noise[c] *= 4;
      pj_graph_set_param (broken, (int) v, shape, pj_blob_new_copy (noise, (size_t) shape.dim[0], NULL));
    }
  g_autoptr (PjGraph) mended = pj_recalibrate (device, broken, set, &sets_format, 12, 1, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (PjGraph) twice = pj_recalibrate (device, broken, set, &sets_format, 12, 1, NULL, &error);
  g_assert_true (pj_evaluate (device, trained, set, PJ_SPLIT_TEST, &sets_format, 0, NULL, NULL, NULL, &good, NULL));
  g_assert_true (pj_evaluate (device, broken, set, PJ_SPLIT_TEST, &sets_format, 0, NULL, NULL, NULL, &spoilt, NULL));
  g_assert_true (pj_evaluate (device, mended, set, PJ_SPLIT_TEST, &sets_format, 0, NULL, NULL, NULL, &again, NULL));
  g_assert_cmpfloat (good.top1, >, 0.85);
  g_assert_cmpfloat (spoilt.top1, <, good.top1 - 0.1);
  g_assert_cmpfloat (again.top1, >, good.top1 - 0.1);
  for (unsigned v = 0; v < pj_graph_n_values (broken); v++) {
    const PjValue *a = pj_graph_value (broken, (int) v), *b = pj_graph_value (mended, (int) v), *c = pj_graph_value (twice, (int) v);
    if (a->kind != PJ_VALUE_PARAM)
      continue;
    size_t n = pj_blob_n_elems (a->data) * 4;
    if (strstr (a->name, "running") == NULL)
      g_assert_cmpmem (pj_blob_data (a->data), n, pj_blob_data (b->data), n);
    g_assert_cmpmem (pj_blob_data (b->data), n, pj_blob_data (c->data), n);
  }
  pj_accuracy_clear (&good);
  pj_accuracy_clear (&spoilt);
  pj_accuracy_clear (&again);
}

static void
recalibrate_without_norms (void)
{
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (PjGraph) graph = halves ();
  g_autoptr (PjDataset) set = sets_bars (40, 10);
  g_autoptr (PjGraph) same = pj_recalibrate (device, graph, set, &sets_format, 3, 1, NULL, NULL);
  g_assert_true (same == graph);
}

/* --- what is bundled --- */

/* The bundled model does on the bundled pictures what its notes say of the whole test set, within 4 standard errors. */
static void
sample_model (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = sets_device ();
  g_autoptr (GBytes) bytes = pj_sample_bytes ("vgg-mini.onnx");
  g_assert_nonnull (bytes);
  g_autoptr (PjGraph) graph = pj_onnx_import_bytes (bytes, "vgg-mini.onnx", NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (PjDataset) set = pj_dataset_open_sample (&error);
  g_assert_no_error (error);
  PjFormat format;
  PjCost cost = { 0 };
  PjAccuracy a;
  g_assert_true (pj_dataset_format_for (set, graph, TRUE, &format, &error));
  g_assert_nonnull (pj_graph_get_meta (graph, "penjing.mean"));
  pj_graph_cost (graph, &cost);
  g_assert_cmpuint (cost.macs, ==, 29128448);
  g_assert_cmpuint (cost.learnable, ==, 288170);
  g_assert_true (pj_evaluate (device, graph, set, PJ_SPLIT_TEST, &format, 0, NULL, NULL, NULL, &a, &error));
  g_assert_no_error (error);
  g_test_message ("top-1 %.4f, loss %.4f", a.top1, a.loss);
  g_assert_cmpfloat_with_epsilon (a.top1, 0.93, 4 * pj_accuracy_error (&a));
  pj_accuracy_clear (&a);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/tally/by-hand", tally_by_hand);
  g_test_add_func ("/train/tally/not-a-number", tally_not_a_number);
  g_test_add_func ("/train/evaluate/by-hand", evaluate_by_hand);
  g_test_add_func ("/train/evaluate/refuses", evaluate_refuses);
  g_test_add_data_func ("/train/evaluate/masked-equals-cut", NULL, masked_equals_cut);
  g_test_add_data_func ("/train/evaluate/masked-equals-cut-scaled", "scaled", masked_equals_cut);
  g_test_add_func ("/train/evaluator/refuses", evaluator_refuses);
  g_test_add_func ("/train/recalibrate/fixture", recalibrate_fixture);
  g_test_add_func ("/train/recalibrate/batch-statistics", batch_statistics);
  g_test_add_func ("/train/recalibrate/restores", recalibrate_restores);
  g_test_add_func ("/train/recalibrate/without-norms", recalibrate_without_norms);
  g_test_add_func ("/train/sample/model", sample_model);
  return g_test_run ();
}
