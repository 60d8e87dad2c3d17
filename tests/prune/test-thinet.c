/* SPDX-License-Identifier: MIT */
/* ThiNet on networks: rows and sums against the toy network's fixture, and what must hold of every choice. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "lab.h"
#include "ops/op.h"
#include "prune/gram.h"
#include "prune/reader.h"
#include "train/masks.h"

/* For methods that train: little of it. */
static double *
quick_values (const PjMethod *method)
{
  static const struct { const char *has; const char *set[3]; } quick[] = {
    { "code-batch", { "code-batch=10", "epochs=1", NULL } },
    { "gate-batch", { "gate-batch=10", "gate-epochs=1", NULL } },
  };
  for (const PjMethodOption *o = method->options; o != NULL && o->name != NULL; o++)
    for (guint i = 0; i < G_N_ELEMENTS (quick); i++)
      if (g_str_equal (o->name, quick[i].has))
        return pj_method_values (method, quick[i].set, NULL);
  return pj_method_values (method, NULL, NULL);
}

static PjCutPlan *
choose (const Lab *lab, const char *method, const double *ratios, PjScores **scores)
{
  g_autoptr (GError) error = NULL;
  const PjMethod *m = pj_method_find (method);
  g_autofree double *values = quick_values (m);
  const PjPruneSettings settings = { .ratios = ratios, .scale = TRUE, .values = values };
  PjCutPlan *plan = m->choose (m, &lab->scoring, &settings, scores, &error);
  g_assert_no_error (error);
  return plan;
}

static const char *const methods[] = { "thinet", "thinet-ls" };

/* --- rows --- */

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

/* --- choices --- */

static float *
logits (PjGraph *graph, const PjGroups *groups, const PjCutPlan *masks)
{
  g_autofree float *x = net_noise (3 * 64, 9);
  return net_run (graph, groups, masks, x, 3);
}

static void
cut_is_masked (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++) {
    g_auto (Lab) lab;
    lab_init_chain (&lab, 60, FALSE, 1);
    g_autofree double *ratios = lab_ratios (&lab, "a b c", 0.5);
    g_autoptr (PjScores) scores = NULL;
    g_autoptr (PjCutPlan) plan = choose (&lab, methods[i], ratios, &scores);
    g_assert_cmpuint (plan->n_cuts, ==, 3);
    g_assert_cmpuint (scores->n_groups, ==, 3);
    g_assert_cmpuint (scores->n_images, ==, 60);
    for (unsigned k = 0; k < 3; k++) {
      const PjGroupCut *cut = &plan->cuts[k];
      guint8 keep[8];
      g_assert_nonnull (cut->scale);
      /* The heat map's numbers are the order of removal. */
      pj_keep_top (scores->groups[k].score, cut->n_channels, pj_cut_plan_n_kept (plan, pj_groups_get (lab.groups, cut->group)), keep);
      g_assert_cmpmem (keep, cut->n_channels, cut->keep, cut->n_channels);
    }
    g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, NULL);
    g_autoptr (PjGraph) scaled = pj_masks_scaled (lab.graph, lab.groups, plan, NULL);
    g_autofree float *small = logits (cut, NULL, NULL), *masked = logits (scaled, lab.groups, plan);
    assert_close (small, masked, 9, 1e-5, "cut");
  }
}

/* Factors come closer to the original than the same channels without them, and both closer than the worst choice. */
static void
factors_help (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 200, FALSE, 1);
  g_autofree double *ratios = lab_ratios (&lab, "b", 0.5);
  const PjMethod *m = pj_method_find ("thinet");
  const PjGroup *group = pj_groups_find (lab.groups, "b");
  PjPruneSettings settings = { .ratios = ratios };
  double error[3] = { 0 };

  g_autofree float *original = logits (lab.graph, NULL, NULL);
  for (int i = 0; i < 3; i++) {
    settings.scale = i == 1;
    g_autoptr (PjCutPlan) plan = m->choose (m, &lab.scoring, &settings, NULL, NULL);
    g_assert_true ((pj_cut_plan_get (plan, group->id)->scale != NULL) == (i == 1));
    if (i == 2) {
      guint8 keep[8];
      for (int c = 0; c < 8; c++)
        keep[c] = !pj_cut_plan_get (plan, group->id)->keep[c];
      pj_cut_plan_set (plan, group, keep, NULL);
    }
    g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, NULL);
    g_autofree float *y = logits (cut, NULL, NULL);
    for (int k = 0; k < 9; k++)
      error[i] += (y[k] - original[k]) * (y[k] - original[k]);
  }
  g_assert_cmpfloat (error[1], <, error[0]);
  g_assert_cmpfloat (error[0], <, error[2]);
}

static void
whole_ratio (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 20, FALSE, 1);
  g_autofree double *ratios = lab_ratios (&lab, "a", 1);
  g_autofree float *before = logits (lab.graph, NULL, NULL);
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    g_autoptr (PjCutPlan) plan = choose (&lab, (*m)->name, ratios, NULL);
    g_assert_cmpuint (plan->n_cuts, ==, 0);
    g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, NULL);
    for (int v = 0; v < (int) pj_graph_n_values (cut); v++)
      g_assert_true (pj_graph_value (cut, v)->data == pj_graph_value (lab.graph, v)->data);
  }
}

static void
same_seed (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 60, FALSE, 1);
  lab.scoring.n_images = 30;
  g_autofree double *ratios = lab_ratios (&lab, "a b c", 0.5);
  for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
    /* Whoever cuts no channels, or trains for minutes, has a test of its own. */
    if ((*m)->connections || g_str_equal ((*m)->name, "autopruner"))
      continue;
    g_autoptr (PjCutPlan) one = choose (&lab, (*m)->name, ratios, NULL), two = choose (&lab, (*m)->name, ratios, NULL);
    /* What trains gates may leave a group whole. */
    g_assert_cmpuint (one->n_cuts, <=, 3);
    g_assert_true (one->n_cuts == 3 || (*m)->allocates);
    g_assert_cmpuint (two->n_cuts, ==, one->n_cuts);
    for (unsigned i = 0; i < one->n_cuts; i++) {
      g_assert_cmpmem (one->cuts[i].keep, one->cuts[i].n_channels, two->cuts[i].keep, two->cuts[i].n_channels);
      g_assert_true ((one->cuts[i].scale == NULL) == (two->cuts[i].scale == NULL));
      if (one->cuts[i].scale != NULL)
        g_assert_cmpmem (one->cuts[i].scale, one->cuts[i].n_channels * sizeof (float),
                         two->cuts[i].scale, two->cuts[i].n_channels * sizeof (float));
    }
  }
}

/* With training between the layers the plan carries what was learnt, factors included; both greedy forms run. */
static void
trains_between (void)
{
  static const char *const greedy[] = { "greedy=remove", "greedy=forward" };
  for (int i = 0; i < 2; i++) {
    g_auto (Lab) lab;
    g_autoptr (GError) error = NULL;
    lab_init_chain (&lab, 96, FALSE, 1);
    const PjMethod *m = pj_method_find ("thinet");
    const char *set[] = { greedy[i], "between-steps=3", "between-lr=0.02", NULL };
    g_autofree double *values = pj_method_values (m, set, &error);
    g_assert_no_error (error);
    g_autofree double *ratios = lab_ratios (&lab, "a b", 0.5);
    PjPruneSettings settings = { .ratios = ratios, .values = values, .scale = TRUE };
    g_autoptr (PjCutPlan) plan = m->choose (m, &lab.scoring, &settings, NULL, &error);
    g_assert_no_error (error);
    g_assert_nonnull (plan->weights);
    g_assert_cmpuint (plan->n_cuts, ==, 2);
    for (unsigned k = 0; k < 2; k++)
      g_assert_null (plan->cuts[k].scale);
    g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, &error);
    g_assert_no_error (error);
    g_autofree float *masked = logits (plan->weights, lab.groups, plan), *small = logits (cut, NULL, NULL);
    assert_close (small, masked, 9, 1e-5, "cut and masked");
    double seconds;
    g_assert_true (pj_method_estimate (m, &lab.scoring, &settings, &seconds, &error));
    g_assert_cmpfloat (seconds, >, 0);
  }
}

/* A channel that its readers ignore adds nothing anywhere: it goes first, and scores 0 where scores are effects. */
static void
ignored_channel (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 60, FALSE, 1);
  int value = pj_graph_find_value (lab.graph, "c.w");
  float *data = pj_alloc (32 * sizeof (float), NULL, NULL);
  memcpy (data, pj_blob_data (pj_graph_value (lab.graph, value)->data), 32 * sizeof (float));
  for (int row = 0; row < 4; row++)
    data[row * 8 + 6] = 0;
  pj_graph_set_param (lab.graph, value, PJ_SHAPE (4, 8, 1, 1), pj_blob_new_take (data, 32));
  const PjGroup *b = pj_groups_find (lab.groups, "b");
  g_autofree double *ratios = lab_ratios (&lab, "b", 0.9);
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++) {
    g_autoptr (PjCutPlan) plan = choose (&lab, methods[i], ratios, NULL);
    const PjGroupCut *cut = pj_cut_plan_get (plan, b->id);
    for (int c = 0; c < 8; c++)
      g_assert_cmpint (cut->keep[c], ==, c != 6);
    /* What is left is all that there was: its factors are 1. */
    for (int c = 0; c < 8; c++)
      g_assert_cmpfloat_with_epsilon (cut->scale[c], c != 6, 1e-5);
  }
  g_autoptr (PjScores) taylor = pj_criterion_score (pj_criterion_find ("taylor"), &lab.scoring, NULL);
  g_assert_cmpfloat (pj_scores_get (taylor, b->id)->score[6], ==, 0);
}

/* Without factors a choice for one group, then for the other, is the choice for both. */
static void
two_steps (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 40, FALSE, 1);
  g_autofree double *both = lab_ratios (&lab, "a c", 0.5), *first = lab_ratios (&lab, "a", 0.5), *second = lab_ratios (&lab, "c", 0.5);
  g_autoptr (PjCutPlan) whole = choose (&lab, "weight-sum", both, NULL), one = choose (&lab, "weight-sum", first, NULL);
  g_autoptr (PjGraph) at_once = pj_cut (lab.graph, lab.groups, whole, NULL);
  g_autoptr (PjGraph) half = pj_cut (lab.graph, lab.groups, one, NULL);
  g_autoptr (PjGroups) groups = pj_groups_new (half);
  PjScoring scoring = lab.scoring;
  scoring.graph = half;
  scoring.groups = groups;
  const PjMethod *m = pj_method_find ("weight-sum");
  const PjPruneSettings settings = { .ratios = second };
  g_autoptr (PjCutPlan) two = m->choose (m, &scoring, &settings, NULL, NULL);
  g_autoptr (PjGraph) in_steps = pj_cut (half, groups, two, NULL);
  for (int v = 0; v < (int) pj_graph_n_values (at_once); v++) {
    const PjValue *a = pj_graph_value (at_once, v), *b = pj_graph_value (in_steps, v);
    if (a->data != NULL)
      g_assert_cmpmem (pj_blob_data (a->data), pj_blob_n_elems (a->data) * sizeof (float),
                       pj_blob_data (b->data), pj_blob_n_elems (b->data) * sizeof (float));
  }
}

/* Inner groups and a stem with two readers are cut; the stream is left whole, and the message says so. */
static void
residual (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++) {
    g_auto (Lab) lab;
    g_autoptr (GError) error = NULL;
    lab_init_residual (&lab, 60);
    g_autofree double *ratios = lab_ratios (&lab, "stem x y", 0.5);
    g_autoptr (PjCutPlan) plan = choose (&lab, methods[i], ratios, NULL);
    g_assert_cmpuint (plan->n_cuts, ==, 3);
    g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, NULL);
    g_autoptr (PjGraph) scaled = pj_masks_scaled (lab.graph, lab.groups, plan, NULL);
    g_autofree float *small = logits (cut, NULL, NULL), *masked = logits (scaled, lab.groups, plan);
    assert_close (small, masked, 9, 1e-5, "cut");

    g_autofree double *stream = lab_ratios (&lab, "x proj", 0.5);
    const PjMethod *m = pj_method_find (methods[i]);
    const PjPruneSettings settings = { .ratios = stream };
    g_assert_null (m->choose (m, &lab.scoring, &settings, NULL, &error));
    g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT);
    g_assert_nonnull (strstr (error->message, "“proj”"));
    g_assert_nonnull (strstr (error->message, "residual stream"));
  }
}

/* --- settings --- */

static void
assert_refused (const Lab *lab, const char *method, const PjPruneSettings *settings, GQuark domain, int code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (pj_prune_settings_check (pj_method_find (method), &lab->scoring, settings, &error));
  g_assert_error (error, domain, code);
  if (strstr (error->message, text) == NULL)
    g_error ("“%s” does not say “%s”", error->message, text);
}

static void
settings (void)
{
  g_auto (Lab) lab;
  lab_init_residual (&lab, 60);
  g_autofree double *half = lab_ratios (&lab, "stem x y proj", 0.5), *none = lab_ratios (&lab, "x", 0), *locked = lab_ratios (&lab, "fc", 0.5);
  PjPruneSettings s = { .ratios = half };

  g_assert_true (pj_prune_settings_check (pj_method_find ("apoz"), &lab.scoring, &s, NULL));
  assert_refused (&lab, "thinet", &s, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT, "set its keep ratio to 1");
  s.ratios = none;
  assert_refused (&lab, "apoz", &s, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "“x”");
  s.ratios = locked;
  assert_refused (&lab, "apoz", &s, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_LOCKED, "“fc”");
  s.ratios = NULL;
  assert_refused (&lab, "apoz", &s, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "keep ratios");
  s = (PjPruneSettings) { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = 0.5 };
  g_assert_true (pj_prune_settings_check (pj_method_find ("apoz"), &lab.scoring, &s, NULL));
  assert_refused (&lab, "thinet", &s, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "layer by layer");
  s.target = 1.5;
  assert_refused (&lab, "apoz", &s, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "1.5");

  g_autofree double *inner = lab_ratios (&lab, "x y", 0.5);
  s = (PjPruneSettings) { .ratios = inner };
  lab.scoring.n_images = 3;
  assert_refused (&lab, "thinet-ls", &s, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT, "the same holds for “y”");
  lab.scoring.n_images = 0;
  lab.format.w = 9;
  assert_refused (&lab, "thinet", &s, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH, "1×1×8×8");
  lab.scoring.dataset = NULL;
  assert_refused (&lab, "thinet", &s, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "data folder");
  g_assert_true (pj_prune_settings_check (pj_method_find ("weight-sum"), &lab.scoring, &s, NULL));

  /* Labels are needed only by methods that look at the loss. */
  g_auto (Lab) toy;
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  lab_init_toy (&toy, o);
  guint8 pixels[8 * 108] = { 0 };
  const int32_t labels[8] = { 0, 1, 2, 3, 4, 0, 1, 2 };
  pj_dataset_unref (toy.dataset);
  toy.scoring.dataset = toy.dataset = pj_dataset_new_memory ("five classes", 8, 3, 6, 6, pixels, labels, 5, 1);
  g_autofree double *b1 = lab_ratios (&toy, "b1_1", 0.7);
  s = (PjPruneSettings) { .ratios = b1 };
  assert_refused (&toy, "taylor", &s, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH, "five classes");
  g_assert_true (pj_prune_settings_check (pj_method_find ("apoz"), &toy.scoring, &s, NULL));
}

/* A cancelled choice gives nothing and changes nothing, at whatever poll it stops. */
static void
cancel (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    for (int after = 0;; after++) {
      g_auto (Lab) lab;
      g_autoptr (GError) error = NULL;
      lab_init_chain (&lab, 100, FALSE, 1);
      g_autofree double *ratios = lab_ratios (&lab, "a b", 0.5);
      const PjMethod *m = pj_method_find (methods[i]);
      const PjPruneSettings s = { .ratios = ratios };
      g_autofree float *before = logits (lab.graph, NULL, NULL);
      lab_cancel_after (&lab, after);
      g_autoptr (PjScores) scores = NULL;
      g_autoptr (PjCutPlan) plan = m->choose (m, &lab.scoring, &s, &scores, &error);
      if (plan != NULL) {
        g_assert_cmpint (after, >, 5);
        break;
      }
      g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
      g_assert_null (scores);
      g_autofree float *now = logits (lab.graph, NULL, NULL);
      g_assert_cmpmem (before, 9 * sizeof (float), now, 9 * sizeof (float));
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/thinet/trains-between", trains_between);
  g_test_add_func ("/prune/thinet/row-fixture", row_fixture);
  g_test_add_func ("/prune/thinet/toy-gram", toy_gram);
  g_test_add_func ("/prune/thinet/rows-are-outputs", rows_are_outputs);
  g_test_add_func ("/prune/thinet/cut-is-masked", cut_is_masked);
  g_test_add_func ("/prune/thinet/factors-help", factors_help);
  g_test_add_func ("/prune/methods/whole-ratio", whole_ratio);
  g_test_add_func ("/prune/methods/same-seed", same_seed);
  g_test_add_func ("/prune/methods/ignored-channel", ignored_channel);
  g_test_add_func ("/prune/methods/two-steps", two_steps);
  g_test_add_func ("/prune/methods/settings", settings);
  g_test_add_func ("/prune/thinet/residual", residual);
  g_test_add_func ("/prune/thinet/cancel", cancel);
  g_test_add_func ("/prune/reader/grouped", grouped_reader);
  return g_test_run ();
}
