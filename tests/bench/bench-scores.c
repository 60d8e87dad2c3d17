/* SPDX-License-Identifier: MIT */
/* What scoring costs, against the plain work that it stands for.
 *
 * usage: bench-scores kl ARCH IMAGES [ROUNDS]      KL divergence of all channels, against one masked forward pass per channel
 *        bench-scores stats ARCH IMAGES [ROUNDS]   the statistics pass, against a forward pass
 *
 * Both sides run alternately; medians over the rounds (default 3) are printed with their ratio.  The masked passes are
 * timed on some channels of every group and scaled up.  PJ_TEST_DEVICE chooses the device, OMP_NUM_THREADS the threads. */
#include <stdlib.h>
#include <string.h>

#include "compute/plan.h"
#include "prune/scores/calibration.h"
#include "prune/criterion.h"
#include "train/arch.h"
#include "train/masks.h"

#define PER_GROUP 2

static PjScoring scoring;

static double
now (void)
{
  return (double) g_get_monotonic_time () / 1e6;
}

static PjDataset *
noise (const PjArchOptions *o, unsigned n)
{
  size_t size = (size_t) o->c * o->h * o->w * (n + 8);
  g_autofree guint8 *pixels = g_malloc (size);
  g_autofree int32_t *labels = g_new (int32_t, n + 8);
  guint32 state = 1;

  for (size_t i = 0; i < size; i++)
    pixels[i] = (guint8) ((state = state * 1664525u + 1013904223u) >> 24);
  for (unsigned i = 0; i < n + 8; i++)
    labels[i] = (int32_t) (i % o->n_classes);
  return pj_dataset_new_memory ("noise", (int) n + 8, o->c, o->h, o->w, pixels, labels, (int) o->n_classes, 8);
}

static PjPlan *
open_plan (PjParams *params, unsigned batch, const GArray *gated)
{
  g_autoptr (GError) error = NULL;
  PjPlanOptions options = { .batch = batch, .mode = PJ_PLAN_INFER };
  if (gated != NULL) {
    options.gated = (const int *) gated->data;
    options.n_gated = gated->len;
  }
  PjPlan *plan = pj_plan_new (scoring.graph, params, &options, &error);
  g_assert_no_error (error);
  return plan;
}

static void
forward_all (PjPlan *plan, PjCalibration *pictures, float *logits)
{
  const PjBatch *batch;
  pj_calibration_rewind (pictures);
  while ((batch = pj_calibration_next (pictures, NULL, "", 0, NULL)) != NULL)
    g_assert_true (pj_plan_set_images (plan, batch->images, NULL) && pj_plan_forward (plan, NULL, NULL)
                   && pj_plan_read_logits (plan, logits, NULL));
}

/* Seconds of one masked forward pass for every channel. */
static double
masked_forwards (unsigned *n_channels)
{
  g_autoptr (PjCalibration) pictures = pj_calibration_new (&scoring, 256, 64, NULL);
  g_autoptr (PjParams) params = pj_params_new (scoring.device, scoring.graph, FALSE, NULL);
  g_autoptr (GArray) gated = pj_masks_gated (scoring.groups, NULL);
  g_autoptr (PjPlan) plan = open_plan (params, pictures->batch, gated);
  g_autofree float *logits = g_new (float, (size_t) pictures->batch * pj_graph_n_classes (scoring.graph));
  double seconds = 0;

  *n_channels = 0;
  forward_all (plan, pictures, logits);
  for (unsigned i = 0; i < pj_groups_n (scoring.groups); i++) {
    const PjGroup *group = pj_groups_get (scoring.groups, i);
    if (group->lock_reason != NULL)
      continue;
    g_autofree guint8 *keep = g_malloc (group->n_channels);
    memset (keep, 1, (size_t) group->n_channels);
    double start = now ();
    for (int c = 0; c < PER_GROUP; c++) {
      g_autoptr (PjCutPlan) masks = pj_cut_plan_new ();
      keep[c] = 0;
      pj_cut_plan_set (masks, group, keep, NULL);
      keep[c] = 1;
      g_assert_true (pj_masks_apply (plan, scoring.graph, scoring.groups, gated, masks, NULL));
      forward_all (plan, pictures, logits);
    }
    seconds += (now () - start) * group->n_channels / PER_GROUP;
    *n_channels += (unsigned) group->n_channels;
  }
  return seconds;
}

static double
kl_scores (void)
{
  g_autoptr (GError) error = NULL;
  double start = now ();
  g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("kl"), &scoring, &error);
  g_assert_no_error (error);
  return now () - start;
}

/* Seconds of a forward pass over the same pictures, plan and all. */
static double
plain_forward (void)
{
  double start = now ();
  g_autoptr (PjCalibration) pictures = pj_calibration_new (&scoring, 256, 64, NULL);
  g_autoptr (PjParams) params = pj_params_new (scoring.device, scoring.graph, FALSE, NULL);
  g_autoptr (PjPlan) plan = open_plan (params, pictures->batch, NULL);
  g_autofree float *logits = g_new (float, (size_t) pictures->batch * pj_graph_n_classes (scoring.graph));
  forward_all (plan, pictures, logits);
  return now () - start;
}

static double
statistics (void)
{
  g_autoptr (GError) error = NULL;
  double start = now ();
  g_autoptr (PjStatistics) s = pj_statistics_measure (&scoring, &error);
  g_assert_no_error (error);
  return now () - start;
}

static int
compare_double (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const PjArch *arch = argc >= 4 ? pj_arch_find (argv[2]) : NULL;
  gboolean kl = argc >= 2 && g_str_equal (argv[1], "kl");
  int rounds = argc > 4 ? MAX (atoi (argv[4]), 1) : 3;

  if (arch == NULL || (!kl && !g_str_equal (argv[1], "stats"))) {
    g_printerr ("usage: %s kl|stats ARCH IMAGES [ROUNDS]\n", argv[0]);
    return 2;
  }
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  g_autoptr (PjDevice) device = pj_device_open (id ? id : "cpu", &error);
  g_assert_no_error (error);
  PjArchOptions options;
  pj_arch_options_init (&options, arch);
  g_autoptr (PjGraph) graph = pj_arch_build (arch, &options, &error);
  g_assert_no_error (error);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  unsigned n_images = (unsigned) atoi (argv[3]), n_channels = 0;
  g_autoptr (PjDataset) dataset = noise (&options, n_images);
  PjFormat format = { .c = options.c, .h = options.h, .w = options.w, .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.3f, 0.3f, 0.3f } };
  scoring = (PjScoring) { device, graph, groups, dataset, &format, n_images, 1, NULL };

  g_autofree double *a = g_new (double, rounds), *b = g_new (double, rounds), *ratio = g_new (double, rounds);
  for (int r = 0; r < rounds; r++) {
    a[r] = kl ? masked_forwards (&n_channels) : plain_forward ();
    b[r] = kl ? kl_scores () : statistics ();
    ratio[r] = b[r] / a[r];
  }
  qsort (a, rounds, sizeof *a, compare_double);
  qsort (b, rounds, sizeof *b, compare_double);
  qsort (ratio, rounds, sizeof *ratio, compare_double);
  g_print ("%s, %u images", arch->name, n_images);
  if (kl)
    g_print (", %u channels", n_channels);
  g_print (": %s %.3f s, %s %.3f s, ratio %.3f (%.3f to %.3f)\n", kl ? "masked forwards" : "forward", a[rounds / 2],
           kl ? "KL scores" : "statistics", b[rounds / 2], ratio[rounds / 2], ratio[0], ratio[rounds - 1]);
  return 0;
}
