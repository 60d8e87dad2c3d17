/* SPDX-License-Identifier: MIT */
/* Methods that train gates with the network: their steps against the specification's numbers, and whole runs. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "ops/op.h"
#include "prune/gates/adversary.h"
#include "prune/gates/dynamic.h"
#include "prune/gates/proximal.h"

/* --- steps --- */

static double *
doubles (JsonObject *o, const char *path, int *n)
{
  g_autofree float *numbers = fixture_floats (o, path, n);
  double *wide = g_new (double, *n);
  for (int i = 0; i < *n; i++)
    wide[i] = numbers[i];
  return wide;
}

static void
assert_numbers (const double *numbers, JsonObject *o, const char *path, double tolerance)
{
  JsonArray *expected = json_node_get_array (fixture_at (o, path));
  for (guint i = 0; i < json_array_get_length (expected); i++)
    g_assert_cmpfloat_with_epsilon (numbers[i], json_array_get_double_element (expected, i), tolerance);
}

/* A factor reaches 0, stays there while the gradient pushes down, and none is ever below. */
static void
sss_steps (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/sss_gal.json");
  JsonArray *steps = json_node_get_array (fixture_at (o, "sss/steps"));
  int n;
  g_autofree double *gate = doubles (o, "sss/lambda0", &n);
  double speed[3] = { 0 }, mu = fixture_number (o, "sss/momentum");

  g_assert_cmpint (n, ==, 3);
  for (guint i = 0; i < json_array_get_length (steps); i++) {
    JsonObject *row = json_array_get_object_element (steps, i);
    g_autofree double *grad = doubles (row, "grad", &n);
    double before[3] = { 0 };
    for (int k = 0; k < n; k++)
      before[k] = gate[k] - mu * speed[k];
    pj_sss_step (gate, speed, grad, n, fixture_number (o, "sss/lr"), fixture_number (o, "sss/gamma"), mu);
    assert_numbers (gate, row, "lambda", 1e-7);
    assert_numbers (speed, row, "momentum", 1e-7);
    /* m = z − λ + μ·m of the step before. */
    for (int k = 0; k < n; k++)
      before[k] += speed[k];
    assert_numbers (before, row, "z", 1e-7);
  }
}

static void
fista_steps (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/sss_gal.json");
  JsonArray *steps = json_node_get_array (fixture_at (o, "gal_fista/steps"));
  int n;
  g_autofree double *mask = doubles (o, "gal_fista/mask0", &n), *before = doubles (o, "gal_fista/mask0", &n);
  double pace = 0;

  for (guint i = 0; i < json_array_get_length (steps); i++) {
    JsonObject *row = json_array_get_object_element (steps, i);
    g_autofree double *grad = doubles (row, "grad", &n);
    double lean = pj_fista_pace (&pace);
    g_assert_cmpfloat_with_epsilon (pace, fixture_number (row, "alpha"), 1e-9);
    pj_fista_step (mask, before, grad, n, fixture_number (o, "gal_fista/lr"), fixture_number (o, "gal_fista/lambda_sparse"), lean);
    assert_numbers (mask, row, "mask", 1e-7);
  }
}

static void
gal_losses (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/sss_gal.json");
  int n, k;
  g_autofree double *real = doubles (o, "gal_losses/d_teacher_logit", &n), *fake = doubles (o, "gal_losses/d_student_logit", &n);
  g_autofree float *teacher = fixture_floats (o, "gal_losses/teacher", &k), *student = fixture_floats (o, "gal_losses/student", &k);
  g_assert_cmpfloat_with_epsilon (pj_adversary_entropy (real, n, 1), fixture_number (o, "gal_losses/d_loss_real"), 1e-8);
  g_assert_cmpfloat_with_epsilon (pj_adversary_entropy (fake, n, 0), fixture_number (o, "gal_losses/d_loss_fake"), 1e-8);
  g_assert_cmpfloat_with_epsilon (pj_adversary_entropy (fake, n, 1), fixture_number (o, "gal_losses/generator_loss"), 1e-8);
  g_assert_cmpfloat_with_epsilon (pj_adversary_entropy (fake, n, 1), fixture_number (o, "gal_losses/adversarial_regulariser"), 1e-8);

  /* An adversary of zeros says 0 of everything: its entropy is log 2 and it asks for nothing. */
  int n_classes = k / n;
  g_autofree double *numbers = g_new0 (double, pj_adversary_n_numbers (n_classes));
  g_autofree float *grads = g_new (float, k), *moved = g_new (float, k);
  double mu = fixture_number (o, "gal_losses/mu");
  PjAdversary adversary;
  pj_adversary_init (&adversary, numbers, n_classes, FALSE);
  g_assert_cmpfloat_with_epsilon (pj_adversary_loss (&adversary, teacher, student, n, mu, grads) - log (2),
                                  mu * fixture_number (o, "gal_losses/data_loss_mse"), 1e-8);
  for (int squashed = 0; squashed < 2; squashed++) {
    /* The gradient is the loss's slope, and learning makes the adversary's own loss smaller. */
    pj_adversary_init (&adversary, numbers, n_classes, squashed);
    pj_adversary_start (&adversary, 1);
    double loss = pj_adversary_loss (&adversary, teacher, student, n, mu, grads), step = 1e-3;
    for (int i = 0; i < k; i++) {
      memcpy (moved, student, (size_t) k * sizeof (float));
      moved[i] += (float) step;
      g_autofree float *unused = g_new (float, k);
      double slope = (pj_adversary_loss (&adversary, teacher, moved, n, mu, unused) - loss) / step;
      g_assert_cmpfloat_with_epsilon (slope, grads[i], 2e-3);
    }
    double first = pj_adversary_learn (&adversary, teacher, student, n, 0.05), last = first;
    for (int i = 0; i < 100; i++)
      last = pj_adversary_learn (&adversary, teacher, student, n, 0.05);
    g_test_message ("adversary's loss %.4f, after 100 steps %.4f", first, last);
    g_assert_cmpfloat (last, <, first);
  }
}

/* Two draws: a filter comes back, another goes, and a layer that would be empty keeps its best. */
static void
gdp_masks (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/gdp.json");
  g_autofree int *back = fixture_ints (o, "recovered_in_round2", NULL), *lost = fixture_ints (o, "lost_in_round2", NULL);
  guint8 first[3][4] = { { 0 } };
  for (int round = 1; round <= 2; round++) {
    g_autofree char *scores = g_strdup_printf ("round%d_scores", round), *masks = g_strdup_printf ("round%d_masks", round);
    JsonArray *rows = json_node_get_array (fixture_at (o, scores)), *expected = json_node_get_array (fixture_at (o, masks));
    unsigned n_layers = json_array_get_length (rows);
    g_autofree PjDynamicLayer *layers = g_new0 (PjDynamicLayer, n_layers);
    for (unsigned l = 0; l < n_layers; l++) {
      JsonArray *row = json_array_get_array_element (rows, l);
      double *score = g_new (double, json_array_get_length (row));
      layers[l] = (PjDynamicLayer) { (int) json_array_get_length (row), score, g_malloc (json_array_get_length (row)) };
      for (int c = 0; c < layers[l].n; c++)
        score[c] = json_array_get_double_element (row, (guint) c);
    }
    pj_dynamic_masks (layers, n_layers, fixture_number (o, "keep_ratio"));
    for (unsigned l = 0; l < n_layers; l++) {
      for (int c = 0; c < layers[l].n; c++)
        {
          g_assert_cmpint (layers[l].mask[c], ==, json_array_get_int_element (json_array_get_array_element (expected, l), (guint) c));
          /* The first round only notes them: what differs in the second came back or went. */
          int change = round == 2 ? layers[l].mask[c] - first[l][c] : 0;
          g_assert_true ((change > 0) == (round == 2 && (int) l == back[0] && c == back[1]));
          g_assert_true ((change < 0) == (round == 2 && (int) l == lost[0] && c == lost[1]));
          first[l][c] = layers[l].mask[c];
        }
      g_free ((gpointer) layers[l].score);
      g_free (layers[l].mask);
    }
  }
}

static void
gdp_normalises (void)
{
  double score[3] = { 3, 0, 4 }, zeros[2] = { 0, 0 };
  pj_dynamic_normalise (score, 3);
  g_assert_cmpfloat_with_epsilon (score[0], 0.6, 1e-12);
  g_assert_cmpfloat_with_epsilon (score[2], 0.8, 1e-12);
  pj_dynamic_normalise (zeros, 2);
  g_assert_cmpfloat (zeros[0], ==, 0);
}

/* One step of a layer whose second filter is masked, on the device: with @through its weights learn from the gradient at
 * the masked output, else they stay. */
static void
masked_step (gboolean through)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/gdp.json");
  g_autoptr (GError) error = NULL;
  int n;
  g_autofree float *w = fixture_floats (o, "dense_step/w", &n);
  g_autofree int *mask = fixture_ints (o, "dense_step/mask_rows", &n);
  const float x[2] = { 1, -2 }, fc[4] = { 0.5f, -1, 0.25f, 2 }, lr = (float) fixture_number (o, "dense_step/lr");
  const int32_t label = 1;
  float gates[2] = { (float) mask[0], (float) mask[1] }, dgate[2], logits[2];
  g_autoptr (PjGraph) g = pj_graph_new ("step");
  int input = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 1, 1)), weight = net_param_from (g, "a.w", PJ_SHAPE (2, 2, 1, 1), w);
  int a = net_conv (g, "a", input, weight, -1, 1, 0);
  pj_graph_set_output (g, net_gemm (g, "fc", net_unary (g, "flatten", &pj_op_flatten, a), net_param_from (g, "fc.w", PJ_SHAPE (2, 2), fc), -1));

  g_autoptr (PjDevice) device = pj_device_open (g_getenv ("PJ_TEST_DEVICE") != NULL ? g_getenv ("PJ_TEST_DEVICE") : "cpu", &error);
  g_assert_no_error (error);
  g_autoptr (PjParams) params = pj_params_new (device, g, TRUE, &error);
  PjPlanOptions options = { .batch = 1, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1, .gated = &a, .n_gated = 1, .gate_grads = TRUE, .gate_through = through };
  g_autoptr (PjPlan) plan = pj_plan_new (g, params, &options, &error);
  g_assert_no_error (error);
  PjStep step = { .lr = lr };
  g_assert_true (pj_plan_set_gate (plan, a, gates, &error) && pj_plan_set_images (plan, x, &error) && pj_plan_set_labels (plan, &label, &error));
  g_assert_true (pj_plan_train (plan, &step, &error) && pj_plan_read_gate_grad (plan, a, dgate, &error) && pj_plan_read_logits (plan, logits, &error));
  g_autoptr (PjGraph) learnt = pj_params_download (params, g, &error);
  g_assert_no_error (error);
  const float *after = pj_blob_data (pj_graph_value (learnt, weight)->data);
  double p1 = 1 / (1 + exp (logits[0] - logits[1])), d[2] = { 1 - p1, p1 - 1 };
  for (int k = 0; k < 2; k++) {
    /* ∂loss/∂(a·m), handed on as it is; the gate feels what the dense filter gives. */
    double dy = fc[k] * d[0] + fc[2 + k] * d[1], dense = w[2 * k] * x[0] + w[2 * k + 1] * x[1];
    g_assert_cmpfloat_with_epsilon (dgate[k], dy * dense, 1e-5);
    for (int i = 0; i < 2; i++)
      g_assert_cmpfloat_with_epsilon (after[2 * k + i], w[2 * k + i] - lr * dy * x[i] * (through || mask[k]), 1e-6);
  }
}

/* The same with the gradients at the masked outputs handed in: picture i is the i-th unit vector, so they are those of
 * column i. */
static void
given_step (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/gdp.json");
  g_autoptr (GError) error = NULL;
  g_autofree float *w = fixture_floats (o, "dense_step/w", NULL), *grad = fixture_floats (o, "dense_step/grad_at_masked_weights", NULL);
  g_autofree float *after = fixture_floats (o, "dense_step/w_after", NULL), *effective = fixture_floats (o, "dense_step/effective_w_after", NULL);
  g_autofree int *mask = fixture_ints (o, "dense_step/mask_rows", NULL);
  const float units[] = { 1, 0, 0, 1 }, gates[2] = { (float) mask[0], (float) mask[1] };
  const float columns[] = { grad[0], grad[2], grad[1], grad[3] };
  g_autoptr (PjGraph) g = pj_graph_new ("step");
  int weight = net_param_from (g, "a.w", PJ_SHAPE (2, 2, 1, 1), w);
  int a = net_conv (g, "a", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 1, 1)), weight, -1, 1, 0);
  pj_graph_set_output (g, net_unary (g, "flatten", &pj_op_flatten, a));
  g_autoptr (PjDevice) device = pj_device_open (g_getenv ("PJ_TEST_DEVICE") != NULL ? g_getenv ("PJ_TEST_DEVICE") : "cpu", &error);
  g_assert_no_error (error);
  g_autoptr (PjParams) params = pj_params_new (device, g, TRUE, &error);
  PjPlanOptions options = { .batch = 2, .mode = PJ_PLAN_TRAIN, .logit_grads = TRUE, .gated = &a, .n_gated = 1, .gate_grads = TRUE, .gate_through = TRUE };
  g_autoptr (PjPlan) plan = pj_plan_new (g, params, &options, &error);
  g_assert_no_error (error);
  PjStep step = { .lr = (float) fixture_number (o, "dense_step/lr") };
  g_assert_true (pj_plan_set_gate (plan, a, gates, &error) && pj_plan_set_images (plan, units, &error) && pj_plan_forward (plan, &step, &error));
  g_assert_true (pj_plan_set_logit_grads (plan, columns, &error) && pj_plan_finish (plan, &error));
  g_autoptr (PjGraph) learnt = pj_params_download (params, g, &error);
  g_assert_no_error (error);
  const float *now = pj_blob_data (pj_graph_value (learnt, weight)->data);
  for (int k = 0; k < 4; k++) {
    g_assert_cmpfloat_with_epsilon (now[k], after[k], 1e-6);
    g_assert_cmpfloat_with_epsilon (now[k] * gates[k / 2], effective[k], 1e-6);
  }
}

static void
dense_step (void)
{
  given_step ();
  masked_step (TRUE);
  masked_step (FALSE);
}

/* --- runs --- */

static gboolean
save_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  GBytes **kept = data;
  g_clear_pointer (kept, g_bytes_unref);
  *kept = g_bytes_ref (state);
  return TRUE;
}

static const struct { const char *method, *set; } members[] = {
  { "sss", "gate-epochs=4 gate-batch=16 gate-lr=0.02 gamma=0.05" },
  { "gdp", "gate-epochs=4 gate-batch=16 gate-lr=0.02 draws=3" },
  { "gal", "gate-epochs=2 gate-batch=16 gate-lr=0.02 mask-every=3" },
  { "taylor-steps", "gate-epochs=4 gate-batch=16 gate-lr=0.02 rounds=6 flops=0.001" },
  { "gal", "gate-epochs=2 gate-batch=16 gate-lr=0.02 mask-every=3 variant=published" },
};

static PjCutPlan *
run_member (Lab *lab, guint m, const double *ratios, double macs, const PjMethodLife *life, PjScores **scores, GError **error)
{
  const PjMethod *method = pj_method_find (members[m].method);
  g_auto (GStrv) set = g_strsplit (members[m].set, " ", -1);
  g_autofree double *values = pj_method_values (method, (const char *const *) set, error);
  g_assert_nonnull (values);
  PjPruneSettings settings = {
    .ratios = ratios, .global = macs > 0, .kind = PJ_BUDGET_MACS, .target = macs, .values = values, .life = life,
  };
  return method->choose (method, &lab->scoring, &settings, scores, error);
}

/* Streams and inner widths, by ratios and by a budget: as much goes as was asked for, everything is scored, and the cut
 * network computes what the masked one does. */
static void
runs (gconstpointer data)
{
  guint m = GPOINTER_TO_UINT (data);
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 160);
  g_autofree double *ratios = lab_ratios (&lab, "stem x y proj", 0.5);
  g_autofree float *x = net_noise (4 * 64, 9);
  PjCost whole;
  pj_graph_cost (lab.graph, &whole);
  for (int global = 0; global < 2; global++) {
    g_autoptr (PjScores) scores = NULL;
    g_autoptr (PjCutPlan) plan = run_member (&lab, m, global ? NULL : ratios, global ? 0.5 : 0, NULL, &scores, &error);
    g_assert_no_error (error);
    g_assert_nonnull (scores);
    g_assert_nonnull (plan->weights);
    g_assert_cmpstr (scores->criterion, ==, members[m].method);
    int kept = 0;
    for (unsigned i = 0; i < scores->n_groups; i++)
      g_assert_nonnull (scores->groups[i].score);
    for (unsigned i = 0; i < pj_groups_n (lab.groups); i++)
      if (pj_groups_get (lab.groups, i)->lock_reason == NULL)
        kept += pj_cut_plan_n_kept (plan, pj_groups_get (lab.groups, i));
    PjCost cost;
    g_assert_true (pj_cut_predict_cost (lab.graph, lab.groups, plan, &cost, &error));
    g_test_message ("%s: %d of 21 channels, %.3f of the MACs", members[m].method, kept, (double) cost.macs / (double) whole.macs);
    if (global)
      g_assert_cmpfloat ((double) cost.macs, <=, 0.5 * (double) whole.macs);
    else
      g_assert_cmpint (kept, <=, 12);
    g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, &error);
    g_assert_no_error (error);
    g_autofree float *masked = net_run (plan->weights, lab.groups, plan, x, 4), *small = net_run (cut, NULL, NULL, x, 4);
    assert_close (small, masked, 4 * (int) pj_graph_n_classes (cut), 1e-5, "cut and masked");
  }
}

static void
assert_same (const PjCutPlan *a, const PjCutPlan *b)
{
  g_assert_cmpuint (a->n_cuts, ==, b->n_cuts);
  for (unsigned i = 0; i < a->n_cuts; i++)
    g_assert_cmpmem (a->cuts[i].keep, (size_t) a->cuts[i].n_channels, b->cuts[i].keep, (size_t) b->cuts[i].n_channels);
  for (unsigned v = 0; v < pj_graph_n_values (a->weights); v++) {
    const PjBlob *x = pj_graph_value (a->weights, (int) v)->data, *y = pj_graph_value (b->weights, (int) v)->data;
    if (x != NULL)
      g_assert_cmpmem (pj_blob_data (x), pj_blob_n_elems (x) * 4, pj_blob_data (y), pj_blob_n_elems (y) * 4);
  }
}

/* Stopped anywhere it ends with the same masks and the same weights; a checkpoint of other settings is refused. */
static void
resumes (gconstpointer data)
{
  static const int stops[] = { 1, 13, 31 };
  guint m = GPOINTER_TO_UINT (data);
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 160);
  g_autofree double *ratios = lab_ratios (&lab, "x y proj", 0.5);
  g_autoptr (PjCutPlan) expected = run_member (&lab, m, ratios, 0, NULL, NULL, &error);
  g_assert_no_error (error);
  /* GAL's adversary makes its steps longer, so it takes fewer. */
  for (guint i = 0; i < (m != 2 ? 3 : 2); i++) {
    g_autoptr (GBytes) state = NULL;
    PjMethodLife life = { .seconds = 1e9, .save = save_cb, .data = &state };
    lab_cancel_after (&lab, stops[i]);
    g_assert_null (run_member (&lab, m, ratios, 0, &life, NULL, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    g_assert_nonnull (state);
    g_clear_error (&error);
    lab.scoring.hooks = NULL;
    g_autoptr (GBytes) half = g_bytes_new_from_bytes (state, 0, g_bytes_get_size (state) / 2);
    life.resume = state;
    life.save = NULL;
    g_autoptr (PjCutPlan) plan = run_member (&lab, m, ratios, 0, &life, NULL, &error);
    g_assert_no_error (error);
    assert_same (plan, expected);
    life.resume = half;
    g_assert_null (run_member (&lab, m, ratios, 0, &life, NULL, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
    g_clear_error (&error);
  }
}

/* Rates of the groups at two looks. */
typedef struct { double at_20, at_40; unsigned n; } Rates;

static void
rate_cb (gpointer data, const char *series, double x, double y)
{
  Rates *rates = data;
  if (!g_str_has_prefix (series, "rate "))
    return;
  rates->n++;
  if (x == 20)
    rates->at_20 += y;
  else if (x == 40)
    rates->at_40 += y;
}

/* Half way through the rounds about half of what is to go has gone. */
static void
taylor_goes_by_steps (void)
{
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  Rates rates = { 0 };
  const PjMethod *method = pj_method_find ("taylor-steps");
  const char *const set[] = { "gate-epochs=4", "gate-batch=16", "rounds=10", "until=1", NULL };
  g_autofree double *values = pj_method_values (method, set, NULL);
  lab_init_residual (&lab, 160);
  lab.hooks = (PjHooks) { .data = &rates, .metric = rate_cb };
  lab.scoring.hooks = &lab.hooks;
  g_autofree double *ratios = lab_ratios (&lab, "x y", 0.4);
  const PjPruneSettings settings = { .ratios = ratios, .values = values };
  g_autoptr (PjCutPlan) plan = method->choose (method, &lab.scoring, &settings, NULL, &error);
  g_assert_no_error (error);
  int kept = pj_cut_plan_n_kept (plan, pj_groups_find (lab.groups, "x")) + pj_cut_plan_n_kept (plan, pj_groups_find (lab.groups, "y"));
  g_assert_cmpuint (rates.n, ==, 4);
  g_assert_cmpfloat_with_epsilon (5 * rates.at_20, 7, 1e-9);
  g_assert_cmpfloat_with_epsilon (5 * rates.at_40, 4, 1e-9);
  g_assert_cmpint (kept, ==, 4);
}

/* A high price closes more channels than the keep ratio asks for, and closed ones go. */
static void
price_closes (void)
{
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  const PjMethod *method = pj_method_find ("sss");
  const char *const set[] = { "gate-epochs=4", "gate-batch=16", "gate-lr=0.02", "gamma=1", "fade=0", NULL };
  g_autofree double *values = pj_method_values (method, set, NULL);
  lab_init_residual (&lab, 160);
  g_autofree double *ratios = lab_ratios (&lab, "x y", 0.9);
  PjPruneSettings settings = { .ratios = ratios, .values = values };
  g_autoptr (PjScores) scores = NULL;
  g_autoptr (PjCutPlan) plan = method->choose (method, &lab.scoring, &settings, &scores, &error);
  g_assert_no_error (error);
  int kept = pj_cut_plan_n_kept (plan, pj_groups_find (lab.groups, "x")) + pj_cut_plan_n_kept (plan, pj_groups_find (lab.groups, "y"));
  int open = 0;
  for (unsigned i = 0; i < scores->n_groups; i++)
    for (int c = 0; scores->groups[i].score != NULL && c < scores->groups[i].n_channels; c++)
      open += scores->groups[i].score[c] > 0;
  g_test_message ("%d kept, %d open", kept, open);
  g_assert_cmpint (kept, <, 8);
  g_assert_cmpint (kept, >=, 2);
}

/* A norm that reads a stream lets no factor pass: the stream is refused, and a budget takes from the others. */
static void
refuses (void)
{
  g_auto (Lab) lab = { 0 };
  g_autoptr (GError) error = NULL;
  PjGraph *g = pj_graph_new ("pre-activation");
  int s = net_conv (g, "stem", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8)), net_param (g, "stem.w", PJ_SHAPE (6, 1, 3, 3), 0, 0.5f, 1), -1, 1, 1);
  int y = net_norm (g, "norm", s, net_param (g, "gamma", PJ_SHAPE (6), 1, 0.1f, 2), net_param (g, "beta", PJ_SHAPE (6), 0, 0.1f, 3),
                    net_param (g, "mean", PJ_SHAPE (6), 0, 0.1f, 4), net_param (g, "var", PJ_SHAPE (6), 1, 0.1f, 5), 1e-5f);
  y = net_block (g, "inner", net_unary (g, "relu", &pj_op_relu, y), 8, 3, 1, TRUE);
  y = net_add (g, "add", s, net_block (g, "outer", y, 6, 1, 1, FALSE));
  y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, y));
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (3, 6), 0, 1, 7), net_param (g, "fc.b", PJ_SHAPE (3), 0, 1, 7)));
  lab_init_chain (&lab, 128, FALSE, 1);
  lab_swap_graph (&lab, g);
  g_autofree double *ratios = lab_ratios (&lab, "stem", 0.5);
  for (guint m = 0; m < G_N_ELEMENTS (members); m++) {
    g_assert_null (run_member (&lab, m, ratios, 0, NULL, NULL, &error));
    g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT);
    g_assert_nonnull (strstr (error->message, "cannot pass “norm”"));
    g_clear_error (&error);
    g_autoptr (PjCutPlan) plan = run_member (&lab, m, NULL, 0.7, NULL, NULL, &error);
    g_assert_no_error (error);
    g_assert_cmpint (pj_cut_plan_n_kept (plan, pj_groups_find (lab.groups, "stem")), ==, 6);
    g_assert_cmpint (pj_cut_plan_n_kept (plan, pj_groups_find (lab.groups, "inner")), <, 8);
  }
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/gated/fixture/sss", sss_steps);
  g_test_add_func ("/prune/gated/fixture/fista", fista_steps);
  g_test_add_func ("/prune/gated/fixture/gal-losses", gal_losses);
  g_test_add_func ("/prune/gated/fixture/gdp-masks", gdp_masks);
  g_test_add_func ("/prune/gated/fixture/gdp-dense-step", dense_step);
  g_test_add_func ("/prune/gated/gdp-normalises", gdp_normalises);
  for (guint m = 0; m < G_N_ELEMENTS (members); m++) {
    g_autofree char *run = g_strdup_printf ("/prune/gated/%s/%u/runs", members[m].method, m);
    g_autofree char *resume = g_strdup_printf ("/prune/gated/%s/%u/resumes", members[m].method, m);
    g_test_add_data_func (run, GUINT_TO_POINTER (m), runs);
    /* The variant of a method keeps nothing else. */
    if (m + 1 < G_N_ELEMENTS (members))
      g_test_add_data_func (resume, GUINT_TO_POINTER (m), resumes);
  }
  g_test_add_func ("/prune/gated/taylor/goes-by-steps", taylor_goes_by_steps);
  g_test_add_func ("/prune/gated/sss/price-closes", price_closes);
  g_test_add_func ("/prune/gated/refuses", refuses);
  return g_test_run ();
}
