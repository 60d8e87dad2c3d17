/* SPDX-License-Identifier: MIT */
/* KL divergence as a criterion: the specification's numbers, and that running only the rest of a network changes
 * nothing but the cost. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "compute/program.h"
#include "lab.h"
#include "prune/scores/calibration.h"
#include "prune/scores/kl-cost.h"
#include "prune/scores/outlet.h"
#include "prune/scores/suffix.h"
#include "train/arch.h"
#include "train/masks.h"

static PjScores *
score (Lab *lab, const char *name)
{
  g_autoptr (GError) error = NULL;
  PjScores *scores = pj_criterion_score (pj_criterion_find (name), &lab->scoring, &error);
  g_assert_no_error (error);
  return scores;
}

static void
toy_matches_fixture (void)
{
  static const char *const groups[] = { "stem", "stream", "b1_1", "b1_2", "b2_1", "b2_2" };
  static const struct { const char *name, *path; } directions[] = { { "kl", "kl_p_q" }, { "kl-reverse", "kl_q_p" } };
  g_autoptr (JsonObject) o = fixture_load ("spec/toy_network.json");
  g_auto (Lab) lab;
  lab_init_toy (&lab, o);
  for (guint d = 0; d < 2; d++) {
    g_autoptr (PjScores) scores = score (&lab, directions[d].name);
    g_assert_cmpuint (scores->n_images, ==, 4);
    for (guint i = 0; i < G_N_ELEMENTS (groups); i++) {
      g_autofree char *path = g_strdup_printf ("scores/%s/%s", directions[d].path, groups[i]);
      int n;
      g_autofree float *expected = fixture_floats (o, path, &n);
      const PjGroupScores *s = pj_scores_get (scores, pj_groups_find (lab.groups, groups[i])->id);
      g_assert_cmpint (s->n_channels, ==, n);
      /* Logits in single precision leave about 1e-8 of a divergence of 1e-6. */
      for (int c = 0; c < n; c++)
        if (fabs (s->score[c] - expected[c]) > 1e-5 * expected[c] + 3e-8)
          g_error ("%s[%d]: %.9g, expected %.9g", path, c, s->score[c], expected[c]);
    }
  }
}

/* ResNet-50 without its stem, of which the authors cut nothing. */
static void
cost_of_scoring (void)
{
  g_autoptr (JsonObject) all = fixture_load ("spec/counts.json");
  JsonObject *o = json_node_get_object (fixture_at (all, "curl_scoring_cost/resnet50"));
  PjArchOptions options;
  PjKlCost cost;
  pj_arch_options_init (&options, pj_arch_find ("resnet50"));
  options.outline = TRUE;
  g_autoptr (PjGraph) graph = pj_arch_build (pj_arch_find ("resnet50"), &options, NULL);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autofree guint8 *left_out = g_malloc0 (pj_groups_n (groups));
  left_out[pj_groups_of_node (groups, 0)->id] = 1;
  pj_kl_cost (graph, groups, left_out, &cost);
  g_assert_cmpuint (cost.n_masks, ==, (guint64) fixture_number (o, "masks"));
  g_assert_cmpuint (cost.full, ==, (guint64) fixture_number (o, "full_forward_macs"));
  g_assert_cmpuint (cost.naive, ==, (guint64) fixture_number (o, "naive_macs_per_image"));
  g_assert_cmpuint (cost.suffix, ==, (guint64) fixture_number (o, "suffix_macs_per_image"));
  g_assert_cmpuint (cost.delta, ==, (guint64) fixture_number (o, "suffix_delta_macs_per_image"));
  g_assert_cmpfloat_with_epsilon ((double) cost.suffix / (double) cost.naive, fixture_number (o, "suffix_fraction"), 5.1e-5);
  g_assert_cmpfloat_with_epsilon ((double) cost.delta / (double) cost.naive, fixture_number (o, "delta_fraction"), 5.1e-5);
}

/* Logits of the whole network with gates at all mask points of @group. */
static void
run_whole (Lab *lab, PjParams *params, const PjGroup *group, const guint8 *keep, unsigned batch, const float *images, float *logits)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjCutPlan) masks = pj_cut_plan_new ();
  pj_cut_plan_set (masks, group, keep, NULL);
  g_autoptr (GArray) gated = pj_masks_gated (lab->groups, masks);
  PjPlanOptions o = {
    .batch = batch, .mode = PJ_PLAN_INFER, .gated = (const int *) gated->data, .n_gated = gated->len,
  };
  g_autoptr (PjPlan) plan = pj_plan_new (lab->graph, params, &o, &error);
  g_assert_no_error (error);
  g_assert_true (pj_masks_apply (plan, lab->graph, lab->groups, gated, masks, NULL) && pj_plan_set_images (plan, images, NULL)
                 && pj_plan_forward (plan, NULL, NULL) && pj_plan_read_logits (plan, logits, NULL));
}

static void
check_suffixes (Lab *lab, PjSuffixMasks masks)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjParams) params = pj_params_new (lab->device, lab->graph, FALSE, &error);
  g_autoptr (PjCalibration) pictures = pj_calibration_new (&lab->scoring, 13, 13, &error);
  const PjBatch *batch = pj_calibration_next (pictures, NULL, "", 0, &error);
  float whole[13 * 3], part[13 * 3], open[13 * 3];
  double moved = 0;

  for (unsigned g = 0; g < pj_groups_n (lab->groups); g++) {
    const PjGroup *group = pj_groups_get (lab->groups, g);
    if (group->lock_reason != NULL)
      continue;
    g_autoptr (PjSuffix) suffix = pj_suffix_new (lab->graph, params, group, masks, 13, &error);
    g_assert_no_error (error);
    g_assert_true (pj_suffix_start (suffix, batch->images, NULL) && pj_suffix_run (suffix, NULL, open, NULL));
    for (int c = 0; c < group->n_channels; c++) {
      g_autofree guint8 *keep = g_malloc (group->n_channels);
      memset (keep, 1, (size_t) group->n_channels);
      keep[c] = 0;
      run_whole (lab, params, group, keep, 13, batch->images, whole);
      g_assert_true (pj_suffix_run (suffix, keep, part, NULL));
      assert_close (part, whole, 13 * 3, 1e-5, group->name);
      for (int i = 0; i < 13 * 3; i++)
        moved = MAX (moved, fabs (part[i] - open[i]));
    }
    /* All gates open again gives the first answer back. */
    g_assert_true (pj_suffix_run (suffix, NULL, part, NULL));
    g_assert_cmpmem (part, sizeof part, open, sizeof open);
  }
  g_assert_cmpfloat (moved, >, 1e-3);
}

static void
suffix_is_the_rest (void)
{
  g_auto (Lab) chain, residual;
  lab_init_chain (&chain, 32, FALSE, 1);
  lab_init_residual (&residual, 32);
  for (int masks = PJ_SUFFIX_ANY; masks <= PJ_SUFFIX_ONE_CHANNEL; masks++) {
    check_suffixes (&chain, masks);
    check_suffixes (&residual, masks);
  }
}

static gboolean
has_outlet (const PjGraph *graph, const PjGroups *groups, const char *name)
{
  PjOutlet outlet;
  gboolean found = pj_outlet_find (graph, pj_groups_find (groups, name), &outlet);
  if (found)
    g_assert_cmpint (outlet.column[pj_groups_find (groups, name)->n_channels - 1], ==, pj_groups_find (groups, name)->n_channels - 1);
  pj_outlet_clear (&outlet);
  return found;
}

/* The inside of a block is seen by one layer, in a depthwise block behind two mask points; a stream by many. */
static void
outlets (void)
{
  static const struct { const char *arch, *group; gboolean has; } cases[] = {
    { "resnet20", "stem", FALSE }, { "resnet20", "stage1.block1.conv1", TRUE }, { "resnet20", "stage3.block3.conv1", TRUE },
    { "vgg-mini", "conv1", TRUE }, { "mobilenetv2", "block2.expand", TRUE }, { "mobilenetv2", "block2.project", FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    PjArchOptions options;
    pj_arch_options_init (&options, pj_arch_find (cases[i].arch));
    options.outline = TRUE;
    g_autoptr (PjGraph) graph = pj_arch_build (pj_arch_find (cases[i].arch), &options, NULL);
    g_autoptr (PjGroups) groups = pj_groups_new (graph);
    if (pj_groups_find (groups, cases[i].group) == NULL)
      g_error ("%s has no group %s", cases[i].arch, cases[i].group);
    if (has_outlet (graph, groups, cases[i].group) != cases[i].has)
      g_error ("%s of %s: %s outlet", cases[i].group, cases[i].arch, cases[i].has ? "no" : "an");
  }
}

/* A channel that no consumer looks at scores exactly 0, the others do not. */
static void
dead_channel_scores_nothing (void)
{
  g_auto (Lab) lab;
  lab_init_chain (&lab, 32, FALSE, 1);
  const PjGroup *group = pj_groups_find (lab.groups, "b");
  g_autoptr (PjCutPlan) zero = pj_cut_plan_new ();
  const guint8 all[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
  const float factors[8] = { 1, 1, 1, 0, 1, 1, 1, 1 };
  pj_cut_plan_set (zero, group, all, factors);
  g_autoptr (PjGraph) graph = pj_masks_scaled (lab.graph, lab.groups, zero, NULL);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  lab.scoring.graph = graph;
  lab.scoring.groups = groups;
  g_autoptr (PjScores) scores = score (&lab, "kl");
  const PjGroupScores *b = pj_scores_get (scores, pj_groups_find (groups, "b")->id);
  double sum = 0;
  g_assert_cmpfloat (b->score[3], ==, 0);
  for (int c = 0; c < 8; c++)
    sum += b->score[c];
  g_assert_cmpfloat (sum, >, 0);
}

static double
plan_flops (const PjPlan *plan)
{
  const PjProgram *program = pj_plan_program (plan);
  double sum = 0;
  for (guint i = 0; i < program->calls->len; i++) {
    double flops, bytes;
    if (pj_program_call (program, i)->segment != PJ_SEGMENT_FORWARD)
      continue;
    pj_call_work (program, pj_program_call (program, i), &flops, &bytes);
    sum += flops;
  }
  return sum;
}

/* Counted, not timed: what the score of one channel costs on average against one masked forward pass. */
static void
costs_a_third (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjDevice) device = pj_device_open ("cpu", &error);
  PjArchOptions options;
  pj_arch_options_init (&options, pj_arch_find ("vgg-mini"));
  g_autoptr (PjGraph) graph = pj_arch_build (pj_arch_find ("vgg-mini"), &options, &error);
  g_assert_no_error (error);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, &error);
  g_autoptr (GArray) gated = pj_masks_gated (groups, NULL);
  PjPlanOptions o = { .batch = 2, .mode = PJ_PLAN_INFER, .gated = (const int *) gated->data, .n_gated = gated->len };
  g_autoptr (PjPlan) whole = pj_plan_new (graph, params, &o, &error);
  g_assert_no_error (error);
  double sum = 0, n = 0;
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    if (group->lock_reason != NULL)
      continue;
    g_autoptr (PjSuffix) suffix = pj_suffix_new (graph, params, group, PJ_SUFFIX_ONE_CHANNEL, 2, &error);
    sum += group->n_channels * plan_flops (pj_suffix_plan (suffix));
    n += group->n_channels;
  }
  double share = sum / n / plan_flops (whole);
  g_test_message ("one channel costs %.3f of a masked forward pass", share);
  g_assert_cmpfloat (share, <, 0.25);
}

static void
refusals_and_cancel (void)
{
  g_auto (Lab) lab;
  g_autoptr (GError) error = NULL;
  lab_init_chain (&lab, 32, FALSE, 1);
  lab.scoring.dataset = NULL;
  g_assert_null (pj_criterion_score (pj_criterion_find ("kl"), &lab.scoring, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
  g_clear_error (&error);
  lab.scoring.dataset = lab.dataset;
  lab_cancel_after (&lab, 9);
  g_assert_null (pj_criterion_score (pj_criterion_find ("kl"), &lab.scoring, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
}

static gboolean
keep_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  GBytes **kept = data;
  g_clear_pointer (kept, g_bytes_unref);
  *kept = g_bytes_ref (state);
  return TRUE;
}

/* Stopped in any group and in the middle of a batch, the scores are the same bits; what does not belong is refused. */
static void
resumes (void)
{
  static const int stops[] = { 0, 9, 23 };
  g_auto (Lab) lab;
  lab_init_residual (&lab, 100);
  g_autoptr (PjScores) whole = score (&lab, "kl");
  for (guint i = 0; i < G_N_ELEMENTS (stops); i++) {
    g_autoptr (GBytes) state = NULL;
    g_autoptr (GError) error = NULL;
    PjMethodLife life = { .seconds = 1e9, .save = keep_cb, .data = &state };
    lab.scoring.life = &life;
    lab_cancel_after (&lab, stops[i]);
    g_assert_null (pj_criterion_score (pj_criterion_find ("kl"), &lab.scoring, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    g_assert_nonnull (state);
    g_clear_error (&error);
    lab.scoring.hooks = NULL;
    g_autoptr (GBytes) stopped = g_steal_pointer (&state), half = g_bytes_new_from_bytes (stopped, 0, g_bytes_get_size (stopped) - 1);
    life = (PjMethodLife) { .resume = stopped };
    g_autoptr (PjScores) rest = score (&lab, "kl");
    g_assert_cmpuint (rest->n_images, ==, whole->n_images);
    for (unsigned g = 0; g < whole->n_groups; g++)
      g_assert_cmpmem (rest->groups[g].score, rest->groups[g].n_channels * sizeof (double),
                       whole->groups[g].score, whole->groups[g].n_channels * sizeof (double));
    /* The other direction, and half a state. */
    g_assert_null (pj_criterion_score (pj_criterion_find ("kl-reverse"), &lab.scoring, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
    g_clear_error (&error);
    life.resume = half;
    g_assert_null (pj_criterion_score (pj_criterion_find ("kl"), &lab.scoring, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  }
}

/* What is saved after each batch is no more than what it says: with all but the last batch done, little is left to do. */
static void
saves_while_it_works (void)
{
  g_auto (Lab) lab;
  g_autoptr (GBytes) state = NULL;
  PjMethodLife life = { .seconds = 0, .save = keep_cb, .data = &state };
  lab_init_residual (&lab, 100);
  lab.scoring.life = &life;
  g_autoptr (PjScores) whole = score (&lab, "kl");
  g_autoptr (GBytes) last = g_steal_pointer (&state);
  g_assert_nonnull (last);
  life = (PjMethodLife) { .resume = last };
  /* A poll per channel and batch would run into this. */
  lab_cancel_after (&lab, 3);
  g_autoptr (PjScores) rest = score (&lab, "kl");
  for (unsigned g = 0; g < whole->n_groups; g++)
    g_assert_cmpmem (rest->groups[g].score, rest->groups[g].n_channels * sizeof (double),
                     whole->groups[g].score, whole->groups[g].n_channels * sizeof (double));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/kl/toy-matches-fixture", toy_matches_fixture);
  g_test_add_func ("/prune/kl/cost-of-scoring", cost_of_scoring);
  g_test_add_func ("/prune/kl/suffix-is-the-rest", suffix_is_the_rest);
  g_test_add_func ("/prune/kl/outlets", outlets);
  g_test_add_func ("/prune/kl/dead-channel-scores-nothing", dead_channel_scores_nothing);
  g_test_add_func ("/prune/kl/costs-a-third", costs_a_third);
  g_test_add_func ("/prune/kl/resumes", resumes);
  g_test_add_func ("/prune/kl/saves-while-it-works", saves_while_it_works);
  g_test_add_func ("/prune/kl/refusals-and-cancel", refusals_and_cancel);
  return g_test_run ();
}
