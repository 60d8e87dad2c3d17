/* SPDX-License-Identifier: MIT */
/* ThiNet on networks, and what must hold of every method's choice. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "lab.h"
#include "ops/op.h"
#include "train/masks.h"

/* For methods that train: little of it. */
static double *
quick_values (const PjMethod *method)
{
  static const struct { const char *has; const char *set[3]; } quick[] = {
    { "code-batch", { "code-batch=10", "epochs=1", NULL } },
    { "gate-batch", { "gate-batch=10", "gate-epochs=1", NULL } },
    { "episodes", { "episodes=6", "warmup=3", NULL } },
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/thinet/trains-between", trains_between);
  g_test_add_func ("/prune/thinet/cut-is-masked", cut_is_masked);
  g_test_add_func ("/prune/thinet/factors-help", factors_help);
  g_test_add_func ("/prune/methods/whole-ratio", whole_ratio);
  g_test_add_func ("/prune/methods/same-seed", same_seed);
  g_test_add_func ("/prune/methods/ignored-channel", ignored_channel);
  g_test_add_func ("/prune/methods/two-steps", two_steps);
  g_test_add_func ("/prune/methods/settings", settings);
  g_test_add_func ("/prune/thinet/residual", residual);
  g_test_add_func ("/prune/thinet/cancel", cancel);
  return g_test_run ();
}
