/* SPDX-License-Identifier: MIT */
/* What reconstruction methods read of a network and write into it: rows of the layers that read a group, their sums on the
 * toy network, and factors on the weights of the next layer. */
#include "lab.h"
#include "ops/op.h"
#include "prune/reconstruct/gram.h"
#include "prune/reconstruct/reader.h"

static void
row_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/thinet.json");
  g_autofree float *patch = fixture_floats (o, "row_from_patch/patch_CKK", NULL);
  g_autofree float *filter = fixture_floats (o, "row_from_patch/filter_CKK", NULL);
  g_autofree float *expected = fixture_floats (o, "row_from_patch/x_row", NULL);
  g_autoptr (PjGraph) g = pj_graph_new ("patch");
  int y = net_conv (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 2, 2)), net_param (g, "wa", PJ_SHAPE (3, 1, 1, 1), 0, 1, 1), -1, 1, 0);
  y = net_conv (g, "b", y, net_param_from (g, "wb", PJ_SHAPE (1, 3, 2, 2), filter), -1, 1, 0);
  pj_graph_set_output (g, y);
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  g_autoptr (GPtrArray) readers = pj_readers_new (g, pj_groups_find (groups, "a"));
  g_assert_cmpuint (readers->len, ==, 1);
  float row[3];
  pj_reader_row (readers->pdata[0], patch, (PjPlace) { 0, 0, 0 }, row);
  double sum = 0;
  for (int c = 0; c < 3; c++) {
    g_assert_cmpfloat_with_epsilon (row[c], expected[c], 1e-6);
    sum += row[c];
  }
  /* The target has no bias in it. */
  g_assert_cmpfloat_with_epsilon (sum, fixture_number (o, "row_from_patch/y_hat"), 1e-6);
  g_assert_cmpfloat_with_epsilon (sum + fixture_number (o, "row_from_patch/bias"), fixture_number (o, "row_from_patch/pre_activation"), 1e-6);
}

/* The value @value of all four pictures of the toy network. */
static float *
observe (Lab *lab, int value)
{
  g_autoptr (PjParams) params = pj_params_new (lab->device, lab->graph, FALSE, NULL);
  PjPlanOptions options = { .batch = 4, .prefix = TRUE, .observed = &value, .n_observed = 1 };
  g_autoptr (PjPlan) plan = pj_plan_new (lab->graph, params, &options, NULL);
  float images[4 * 108];
  for (unsigned i = 0; i < 4; i++)
    g_assert_true (pj_dataset_image (lab->dataset, PJ_SPLIT_TRAIN, i, &lab->format, images + i * 108, NULL));
  g_assert_true (pj_plan_set_images (plan, images, NULL));
  g_assert_true (pj_plan_forward (plan, NULL, NULL));
  float *out = g_new (float, 4 * pj_shape_n_elems (&pj_graph_value (lab->graph, value)->shape));
  g_assert_true (pj_plan_read_value (plan, value, out, NULL));
  return out;
}

/* Each step of a greedy choice of two channels: which one, and the squared error after it. */
static void
check_toy_trace (const PjGram *gram, JsonObject *o, PjGramOrder how, const char *name)
{
  g_autofree char *trace_path = g_strdup_printf ("scores/thinet_b1_1/%s_trace", name);
  g_autofree char *kept_path = g_strdup_printf ("scores/thinet_b1_1/%s_keep2", name);
  g_autofree float *trace = fixture_floats (o, trace_path, NULL);
  gboolean forward = how == PJ_GRAM_FORWARD;
  int order[3], n_kept, n_steps = forward ? 2 : 1;
  g_autofree int *kept = fixture_ints (o, kept_path, &n_kept);
  guint8 keep[3];
  pj_gram_order (gram, how, order);
  for (int i = 0; i < n_steps; i++) {
    double w[3], error;
    g_assert_cmpint (order[forward ? 2 - i : i], ==, (int) trace[2 * i]);
    pj_gram_keep (order, 3, forward ? i + 1 : 2 - i, keep);
    pj_gram_fit (gram, keep, w, NULL);
    error = pj_gram_error (gram, keep, forward ? w : NULL);
    g_assert_cmpfloat_with_epsilon (error, (double) trace[2 * i + 1], 1e-5 * gram->yy);
  }
  pj_gram_keep (order, 3, 2, keep);
  for (int i = 0; i < n_kept; i++)
    g_assert_cmpint (keep[kept[i]], ==, 1);
}

/* All places of all filters of the 3 x 3 convolution that reads b1_1. */
static void
toy_gram (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  g_autoptr (GPtrArray) readers = pj_readers_new (lab.graph, pj_groups_find (lab.groups, "b1_1"));
  g_assert_cmpuint (readers->len, ==, 1);
  const PjReader *reader = readers->pdata[0];
  g_autofree float *in = observe (&lab, reader->value);
  g_autoptr (PjGram) gram = pj_gram_new (3, NULL);
  for (int n = 0; n < 4; n++)
    for (int i = 0; i < 36 * 3; i++) {
      float row[3];
      pj_reader_row (reader, in + n * pj_reader_n_elems (reader), (PjPlace) { i % 3, i / 3 / 6, i / 3 % 6 }, row);
      float y = row[0] + row[1] + row[2];
      pj_gram_add (gram, row, &y, 1);
    }
  g_autofree float *expected = fixture_floats (o, "scores/thinet_b1_1/gram", NULL);
  g_autofree float *w = fixture_floats (o, "scores/thinet_b1_1/w", NULL);
  g_assert_cmpuint (gram->n_rows, ==, (guint64) fixture_number (o, "scores/thinet_b1_1/rows"));
  for (int i = 0; i < 9; i++)
    g_assert_cmpfloat_with_epsilon (gram->g[i], expected[i], 1e-5 * expected[8]);
  check_toy_trace (gram, o, PJ_GRAM_REMOVE, "remove");
  check_toy_trace (gram, o, PJ_GRAM_FORWARD, "forward");
  const guint8 kept[] = { 0, 1, 1 };
  static const PjGramOrder orders[] = { PJ_GRAM_REMOVE, PJ_GRAM_FORWARD, PJ_GRAM_RESIDUAL };
  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    int order[3];
    guint8 keep[3];
    double factors[3];
    pj_gram_order (gram, orders[i], order);
    pj_gram_keep (order, 3, 2, keep);
    g_assert_cmpmem (keep, 3, kept, 3);
    pj_gram_fit (gram, keep, factors, NULL);
    g_assert_cmpfloat_with_epsilon (factors[1], w[0], 1e-5);
    g_assert_cmpfloat_with_epsilon (factors[2], w[1], 1e-5);
  }
}

/* A row sums to what the layer computes: padding, stride, 49 columns per channel. */
static void
rows_are_outputs (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 10, FALSE, 1);
  g_autoptr (PjGraph) g = pj_graph_new ("odd");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8));
  int a = net_unary (g, "a.relu", &pj_op_relu, net_conv (g, "a", x, net_param (g, "wa", PJ_SHAPE (5, 1, 3, 3), 0, 1, 1), -1, 1, 1));
  int b = net_conv (g, "b", a, net_param (g, "wb", PJ_SHAPE (4, 5, 3, 3), 0, 1, 1), -1, 2, 1);
  int flat = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "b.relu", &pj_op_relu, b));
  int fc = net_gemm (g, "fc", flat, net_param (g, "wf", PJ_SHAPE (3, 64), 0, 1, 1), -1);
  pj_graph_set_output (g, fc);
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  static const char *const names[] = { "a", "b" };
  const int outputs[] = { b, fc };
  g_autoptr (PjParams) params = pj_params_new (lab.device, g, FALSE, NULL);
  for (int i = 0; i < 2; i++) {
    g_autoptr (GPtrArray) readers = pj_readers_new (g, pj_groups_find (groups, names[i]));
    const PjReader *reader = readers->pdata[0];
    int observed[2] = { reader->value, outputs[i] };
    PjPlanOptions options = { .batch = 2, .observed = observed, .n_observed = 2 };
    g_autoptr (PjPlan) plan = pj_plan_new (g, params, &options, NULL);
    g_autofree float *images = net_noise (2 * 64, 4);
    const PjShape *shape = &pj_graph_value (g, outputs[i])->shape;
    size_t n_out = pj_shape_n_elems (shape), n_in = pj_reader_n_elems (reader);
    g_autofree float *in = g_new (float, 2 * n_in), *out = g_new (float, 2 * n_out);
    g_assert_true (pj_plan_set_images (plan, images, NULL) && pj_plan_forward (plan, NULL, NULL));
    g_assert_true (pj_plan_read_value (plan, reader->value, in, NULL) && pj_plan_read_value (plan, outputs[i], out, NULL));
    int h = reader->out_size[0], w = reader->out_size[1];
    g_assert_cmpint (reader->n_out * h * w, ==, (int) n_out);
    for (size_t k = 0; k < 2 * n_out; k++) {
      int place = (int) (k % n_out);
      float row[8], sum = 0;
      pj_reader_row (reader, in + k / n_out * n_in, (PjPlace) { place / (h * w), place / w % h, place % w }, row);
      for (int c = 0; c < reader->n_channels; c++)
        sum += row[c];
      g_assert_cmpfloat_with_epsilon (sum, out[k], 1e-4);
    }
  }
}

/* A filter of a grouped convolution hears the inputs of its own group only, and all of them. */
static void
grouped_reader (void)
{
  g_autoptr (PjGraph) graph = net_bottleneck (3, FALSE);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (GPtrArray) readers = pj_readers_new (graph, pj_groups_find (groups, "a"));
  g_assert_cmpuint (readers->len, ==, 1);
  const PjReader *reader = readers->pdata[0];
  const float *w = pj_blob_data (pj_graph_value (graph, pj_graph_find_value (graph, "b.w"))->data);
  g_autofree float *x = net_noise (pj_reader_n_elems (reader), 3);

  for (int filter = 0; filter < 12; filter++) {
    float row[12];
    pj_reader_row (reader, x, (PjPlace) { .filter = filter, .y = 2, .x = 3 }, row);
    for (int c = 0; c < 12; c++) {
      double expected = 0;
      for (int k = 0; c / 4 == filter / 4 && k < 9; k++)
        expected += (double) w[(filter * 4 + c % 4) * 9 + k] * x[c * 25 + (1 + k / 3) * 5 + 2 + k % 3];
      g_assert_cmpfloat_with_epsilon (row[c], expected, 1e-4);
    }
  }
}

/* Factors of what stays go into the weights of whoever reads it. */
static void
fold_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/thinet.json");
  g_autoptr (GError) error = NULL;
  int n_kept, n;
  g_autofree float *next = fixture_floats (o, "fold_scale/next_weight_OIHW", NULL), *w = fixture_floats (o, "fold_scale/w", NULL);
  g_autofree float *expected = fixture_floats (o, "fold_scale/new_weight", &n);
  g_autofree int *kept = fixture_ints (o, "fold_scale/kept", &n_kept);
  guint8 keep[3] = { 0 };
  float factor[3] = { 1, 1, 1 };
  g_autoptr (PjGraph) g = pj_graph_new ("fold");
  int y = net_conv (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 2, 2)), net_param (g, "wa", PJ_SHAPE (3, 1, 1, 1), 0, 1, 1), -1, 1, 0);
  pj_graph_set_output (g, net_conv (g, "b", y, net_param_from (g, "wb", PJ_SHAPE (2, 3, 1, 1), next), -1, 1, 0));
  g_autoptr (PjGroups) groups = pj_groups_new (g);
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  for (int i = 0; i < n_kept; i++) {
    keep[kept[i]] = 1;
    factor[kept[i]] = w[i];
  }
  pj_cut_plan_set (plan, pj_groups_find (groups, "a"), keep, factor);
  g_autoptr (PjGraph) cut = pj_cut (g, groups, plan, &error);
  g_assert_no_error (error);
  const PjBlob *after = pj_graph_value (cut, pj_graph_find_value (cut, "wb"))->data;
  g_assert_cmpuint (pj_blob_n_elems (after), ==, (size_t) n);
  assert_close (pj_blob_data (after), expected, n, 1e-6, "weights of the next layer");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/rows/fixture", row_fixture);
  g_test_add_func ("/prune/rows/toy-gram", toy_gram);
  g_test_add_func ("/prune/rows/are-outputs", rows_are_outputs);
  g_test_add_func ("/prune/rows/grouped", grouped_reader);
  g_test_add_func ("/prune/rows/fold", fold_fixture);
  return g_test_run ();
}
