/* SPDX-License-Identifier: MIT */
/* Connection-level pruning: the specification's masks and sizes, and zeros that training leaves alone. */
#include <math.h>
#include <string.h>

#include "compute/plan.h"
#include "lab.h"
#include "ops/op.h"
#include "prune/gates/sparse.h"
#include "train/trainer.h"

/* A layer whose weights stand at @path, and its mask. */
static PjSparseLayer
layer_at (JsonObject *o, const char *path)
{
  int n;
  float *w = fixture_floats (o, path, &n);
  return (PjSparseLayer) { w, (size_t) n, g_malloc ((gsize) n) };
}

static void
layer_clear (PjSparseLayer *layer)
{
  g_free ((gpointer) layer->w);
  g_free (layer->mask);
}

static void
assert_mask (const PjSparseLayer *layer, JsonObject *o, const char *path)
{
  int n;
  g_autofree int *expected = fixture_ints (o, path, &n);
  g_assert_cmpint (n, ==, (int) layer->n);
  for (int i = 0; i < n; i++)
    if (layer->mask[i] != expected[i])
      g_error ("%s: weight %d is %d", path, i, layer->mask[i]);
}

static double
largest_removed (const PjSparseLayer *layers, int n)
{
  double largest = 0;
  for (int i = 0; i < n; i++)
    for (size_t k = 0; k < layers[i].n; k++)
      largest = layers[i].mask[k] ? largest : MAX (largest, fabs (layers[i].w[k]));
  return largest;
}

static void
fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/magnitude.json");
  PjSparseLayer both[] = { layer_at (o, "w1"), layer_at (o, "w2") }, tie = layer_at (o, "tie/w");
  static const char *const names[] = { "w1", "w2" }, *const qualities[] = { "0.75", "1" };

  for (int i = 0; i < 4; i++) {
    PjSparseLayer *layer = &both[i / 2];
    double q = g_ascii_strtod (qualities[i % 2], NULL);
    g_autofree char *at = g_strdup_printf ("std/%s q=%s", names[i / 2], qualities[i % 2]);
    g_autofree char *sigma = g_strdup_printf ("%s/sigma_population", at), *mask = g_strdup_printf ("%s/mask", at);
    g_autofree char *threshold = g_strdup_printf ("%s/threshold", at), *density = g_strdup_printf ("%s/density", at);
    double n_left = 0;
    g_assert_cmpfloat_with_epsilon (pj_sparse_deviation (layer->w, layer->n), fixture_number (o, sigma), 1e-7);
    pj_sparse_by_threshold (layer, fixture_number (o, threshold));
    assert_mask (layer, o, mask);
    pj_sparse_by_quality (layer, q);
    assert_mask (layer, o, mask);
    for (size_t k = 0; k < layer->n; k++)
      n_left += layer->mask[k];
    g_assert_cmpfloat_with_epsilon (n_left / (double) layer->n, fixture_number (o, density), 1e-9);
  }
  pj_sparse_by_level (&both[0], 1, fixture_number (o, "level_per_layer/sparsity"));
  assert_mask (&both[0], o, "level_per_layer/w1_mask");
  g_assert_cmpfloat_with_epsilon (largest_removed (both, 1), fixture_number (o, "level_per_layer/largest_removed"), 1e-7);
  pj_sparse_by_level (both, 2, fixture_number (o, "level_global/sparsity"));
  assert_mask (&both[0], o, "level_global/w1_mask");
  assert_mask (&both[1], o, "level_global/w2_mask");
  g_assert_cmpfloat_with_epsilon (largest_removed (both, 2), fixture_number (o, "level_global/largest_removed"), 1e-7);
  pj_sparse_by_level (&tie, 1, fixture_number (o, "tie/sparsity"));
  assert_mask (&tie, o, "tie/mask");
  g_assert_cmpfloat (fixture_number (o, "csr_bytes/dense_fp32"), ==, 4 * fixture_number (o, "csr_bytes/rows") * fixture_number (o, "csr_bytes/cols"));
  g_assert_cmpuint (pj_sparse_csr_bytes ((uint64_t) fixture_number (o, "csr_bytes/rows"), (uint64_t) fixture_number (o, "csr_bytes/nnz")),
                    ==, (uint64_t) fixture_number (o, "csr_bytes/fp32_values_u32_columns_u32_rowptr"));
  layer_clear (&both[0]);
  layer_clear (&both[1]);
  layer_clear (&tie);
}

/* One step of a device on weights that the mask left: a gradient of 0.5 everywhere, a momentum of 0.1 before it. */
static void
masked_step (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/magnitude.json");
  enum { OUT = 3, IN = 4 };
  int n;
  g_autofree float *w = fixture_floats (o, "w1", &n), *expected = fixture_floats (o, "masked_step/w_after", NULL);
  g_autofree char *path = g_strdup_printf ("std/%s/mask", json_node_get_string (fixture_at (o, "masked_step/mask_from")));
  g_autofree int *mask = fixture_ints (o, path, NULL);
  const float ones[IN] = { 1, 1, 1, 1 };
  float grads[OUT];
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (n, ==, OUT * IN);
  for (int i = 0; i < n; i++)
    w[i] *= (float) mask[i];
  PjGraph *g = pj_graph_new ("step");
  int flat = net_unary (g, "flat", &pj_op_flatten, pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 1, IN)));
  int weight = net_param_from (g, "w", PJ_SHAPE (OUT, IN), w);
  pj_graph_set_output (g, net_gemm (g, "fc", flat, weight, -1));
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  PjDevice *device = pj_device_open (id != NULL ? id : "cpu", &error);
  g_assert_no_error (error);
  PjPlanOptions options = { .batch = 1, .mode = PJ_PLAN_TRAIN, .logit_grads = TRUE, .keep_zeros = TRUE };
  PjParams *params = pj_params_new (device, g, TRUE, &error);
  PjPlan *plan = pj_plan_new (g, params, &options, &error);
  g_assert_no_error (error);
  /* The first step moves nothing: it makes the momentum. */
  const PjStep steps[] = {
    { .lr = 0 },
    { .lr = (float) fixture_number (o, "masked_step/lr"), .momentum = (float) fixture_number (o, "masked_step/momentum"),
      .weight_decay = (float) fixture_number (o, "masked_step/weight_decay") },
  };
  for (int i = 0; i < 2; i++) {
    for (int k = 0; k < OUT; k++)
      grads[k] = (float) fixture_number (o, i == 0 ? "masked_step/velocity_before" : "masked_step/grad");
    g_assert_true (pj_plan_set_images (plan, ones, &error) && pj_plan_forward (plan, &steps[i], &error));
    g_assert_true (pj_plan_set_logit_grads (plan, grads, &error) && pj_plan_finish (plan, &error));
  }
  g_autoptr (PjGraph) after = pj_params_download (params, g, &error);
  assert_close (pj_blob_data (pj_graph_value (after, weight)->data), expected, n, 1e-6, "weights after the step");
  for (int i = 0; i < n; i++)
    g_assert_true (mask[i] != 0 || ((const float *) pj_blob_data (pj_graph_value (after, weight)->data))[i] == 0);
  pj_plan_free (plan);
  pj_params_free (params);
  pj_device_free (device);
  pj_graph_unref (g);
}

/* Against a full sort; all, none, and a constant layer. */
static void
levels (void)
{
  enum { N = 5000 };
  g_autofree float *w = net_noise (N, 7);
  guint8 mask[N];
  PjSparseLayer layer = { w, N, mask };
  for (int percent = 0; percent <= 100; percent += 10) {
    unsigned kept = 0;
    float least_kept = INFINITY, most_gone = 0;
    pj_sparse_by_level (&layer, 1, percent / 100.0);
    for (int i = 0; i < N; i++) {
      kept += mask[i];
      if (mask[i])
        least_kept = fminf (least_kept, fabsf (w[i]));
      else
        most_gone = fmaxf (most_gone, fabsf (w[i]));
    }
    g_assert_cmpuint (kept, ==, N - N / 100 * (unsigned) percent);
    g_assert_cmpfloat (most_gone, <=, least_kept);
  }
  for (int i = 0; i < N; i++)
    w[i] = 0.25f;
  pj_sparse_by_quality (&layer, 0.5);
  for (int i = 0; i < N; i++)
    g_assert_cmpint (mask[i], ==, 1);
}

static unsigned
count_zeros (const PjGraph *graph)
{
  PjSparseCost cost;
  pj_sparse_cost (graph, &cost);
  return (unsigned) (cost.n_weights - cost.n_left);
}

/* Zeros of the method stay exactly 0 through momentum, decay and a cut; the others move. */
static void
zeros_stay (void)
{
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 128, FALSE, 1);
  g_autofree double *ratios = lab_ratios (&lab, "a b c", 0.3);
  const PjMethod *m = pj_method_find ("magnitude");
  PjPruneSettings settings = { .ratios = ratios };
  g_autoptr (PjCutPlan) plan = m->choose (m, &lab.scoring, &settings, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (plan->n_cuts, ==, 0);
  g_autoptr (PjGraph) sparse = pj_cut (lab.graph, lab.groups, plan, &error);
  unsigned zeros = count_zeros (sparse);
  g_assert_cmpuint (zeros, >, 0);
  PjTrainOptions options;
  pj_train_options_init (&options);
  options.epochs = 3;
  options.batch = 16;
  g_autoptr (PjGraph) trained = pj_train (lab.device, sparse, lab.dataset, &lab.format, &options, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error);
  g_assert_no_error (error);
  unsigned moved = 0;
  for (unsigned v = 0; v < pj_graph_n_values (sparse); v++) {
    const PjBlob *before = pj_graph_value (sparse, (int) v)->data, *after = pj_graph_value (trained, (int) v)->data;
    gboolean is_weight = before != NULL && pj_graph_value (sparse, (int) v)->shape.rank > 1;
    for (size_t i = 0; is_weight && i < pj_blob_n_elems (before); i++) {
      float a = ((const float *) pj_blob_data (before))[i], b = ((const float *) pj_blob_data (after))[i];
      if (a == 0)
        g_assert_true (b == 0);
      moved += a != b;
    }
  }
  g_assert_cmpuint (moved, >, 10);
  g_assert_cmpuint (count_zeros (trained), ==, zeros);
  /* Without the note training fills them again. */
  pj_graph_set_meta (sparse, PJ_SPARSE_NOTE, NULL);
  g_autoptr (PjGraph) filled = pj_train (lab.device, sparse, lab.dataset, &lab.format, &options, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error);
  g_assert_cmpuint (count_zeros (filled), <, zeros / 2);
}

/* Each layer keeps its own share; one level over all keeps the mean. */
static void
rules (void)
{
  g_auto (Lab) lab = { 0 };
  lab_init_chain (&lab, 16, FALSE, 1);
  g_autofree double *ratios = lab_ratios (&lab, "a b c", 0.25);
  const PjMethod *m = pj_method_find ("magnitude");
  static const char *const sets[] = { "rule=level", "rule=global", "rule=quality" };
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++) {
    const char *set[] = { sets[i], NULL };
    g_autofree double *values = pj_method_values (m, set, NULL);
    PjPruneSettings settings = { .ratios = ratios, .values = values };
    g_autoptr (PjCutPlan) plan = m->choose (m, &lab.scoring, &settings, NULL, NULL);
    PjSparseCost cost;
    PjCost dense;
    pj_sparse_cost (plan->weights, &cost);
    pj_graph_cost (plan->weights, &dense);
    g_assert_cmpuint (cost.macs, ==, dense.macs);
    if (i < 2)
      g_assert_cmpfloat_with_epsilon ((double) cost.n_left / (double) cost.n_weights, 0.25, 0.02);
    g_assert_cmpuint (cost.n_left, <, cost.n_weights);
    g_assert_cmpuint (cost.macs_left, <, cost.macs);
    g_assert_cmpuint (cost.sparse_bytes, <=, cost.dense_bytes);
  }
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/magnitude/fixture", fixture);
  g_test_add_func ("/prune/magnitude/masked-step", masked_step);
  g_test_add_func ("/prune/magnitude/levels", levels);
  g_test_add_func ("/prune/magnitude/zeros-stay", zeros_stay);
  g_test_add_func ("/prune/magnitude/rules", rules);
  return g_test_run ();
}
