/* SPDX-License-Identifier: MIT */
/* What choosing channels costs: KL divergence next to one masked pass per channel, ThiNet's arithmetic, and ThiNet on
 * VGG-16 as a whole.  Networks have initial weights and see noise, which takes as long as photos. */
#include "cli/bench/figures.h"

#include <string.h>

#include "prune/scores/calibration.h"
#include "prune/criterion.h"
#include "prune/reconstruct/gram.h"
#include "prune/method.h"
#include "train/masks.h"

/* Of each group so many channels are masked in turn; the time is scaled to all. */
#define PER_GROUP 2

static double
seconds_since (gint64 start)
{
  return (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
}

/* @n training pictures. (transfer full) */
static PjDataset *
noise (const PjGraph *graph, unsigned n)
{
  const PjShape *shape = &pj_graph_value (graph, pj_graph_get_input (graph))->shape;
  size_t size = (size_t) pj_shape_n_elems (shape) * n;
  unsigned classes = pj_graph_n_classes (graph);
  g_autofree guint8 *pixels = g_malloc (size);
  g_autofree int32_t *labels = g_new (int32_t, n);
  guint32 state = 1;

  for (size_t i = 0; i < size; i++)
    pixels[i] = (guint8) ((state = state * 1664525u + 1013904223u) >> 24);
  for (unsigned i = 0; i < n; i++)
    labels[i] = (int32_t) (i % classes);
  return pj_dataset_new_memory ("noise", (int) n, (int) shape->dim[1], (int) shape->dim[2], (int) shape->dim[3], pixels, labels,
                                (int) classes, 0);
}

/* What is judged on: @n pictures of noise. @scoring: borrows the others */
static gboolean
set_up (Bench *bench, PjGraph *graph, PjGroups *groups, PjDataset *dataset, PjFormat *format, PjScoring *scoring, GError **error)
{
  *scoring = (PjScoring) {
    .device = bench->cli->device, .graph = graph, .groups = groups, .dataset = dataset, .format = format, .seed = 1,
    .hooks = &bench->cli->hooks,
  };
  return pj_dataset_format_for (dataset, graph, FALSE, format, error);
}

/* --- KL divergence --- */

static gboolean
forward_all (PjPlan *plan, PjCalibration *pictures, float *logits, GError **error)
{
  const PjBatch *batch;
  GError *reason = NULL;

  pj_calibration_rewind (pictures);
  while ((batch = pj_calibration_next (pictures, NULL, "", 0, &reason)) != NULL)
    if (!pj_plan_set_images (plan, batch->images, error) || !pj_plan_forward (plan, NULL, error)
        || !pj_plan_read_logits (plan, logits, error))
      return FALSE;
  if (reason == NULL)
    return TRUE;
  g_propagate_error (error, reason);
  return FALSE;
}

/* Seconds of a pass over all pictures for each channel of @group, from some of them; −1 on error. */
static double
mask_some (PjPlan *plan, const PjScoring *scoring, const GArray *gated, const PjGroup *group, PjCalibration *pictures,
           float *logits, GError **error)
{
  g_autofree guint8 *keep = g_malloc ((gsize) group->n_channels);
  gint64 start = g_get_monotonic_time ();

  memset (keep, 1, (size_t) group->n_channels);
  for (int c = 0; c < PER_GROUP; c++) {
    g_autoptr (PjCutPlan) masks = pj_cut_plan_new ();
    keep[c] = 0;
    pj_cut_plan_set (masks, group, keep, NULL);
    keep[c] = 1;
    if (!pj_hooks_go_on (scoring->hooks, error) || !pj_masks_apply (plan, scoring->graph, scoring->groups, gated, masks, error)
        || !forward_all (plan, pictures, logits, error))
      return -1;
  }
  return seconds_since (start) * group->n_channels / PER_GROUP;
}

/* Seconds of one masked pass for every channel; −1 on error. */
static double
masked_passes (const PjScoring *scoring, GError **error)
{
  g_autoptr (PjCalibration) pictures = pj_calibration_new (scoring, PJ_DEFAULT_KL_IMAGES, 64, error);
  g_autoptr (PjParams) params = pictures != NULL ? pj_params_new (scoring->device, scoring->graph, FALSE, error) : NULL;
  g_autoptr (GArray) gated = pj_masks_gated (scoring->groups, NULL);
  PjPlanOptions options = { .mode = PJ_PLAN_INFER, .gated = (const int *) gated->data, .n_gated = gated->len };
  options.batch = pictures != NULL ? pictures->batch : 0;
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (scoring->graph, params, &options, error) : NULL;
  if (plan == NULL)
    return -1;
  g_autofree float *logits = g_new (float, (size_t) options.batch * pj_graph_n_classes (scoring->graph));
  double sum = 0;
  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (scoring->groups, i);
    double seconds = group->lock_reason == NULL ? mask_some (plan, scoring, gated, group, pictures, logits, error) : 0;
    if (seconds < 0)
      return -1;
    sum += seconds;
  }
  return sum;
}

static gboolean
kl_case (Bench *bench, GError **error)
{
  static const char *const what = "KL of all channels, resnet20, 256 pictures";
  g_autoptr (PjGraph) graph = bench_make ("resnet20", 32, 10, error);
  g_autofree double *ratios = g_new (double, bench->rounds), *ours = g_new (double, bench->rounds), *theirs = g_new (double, bench->rounds);
  PjFormat format;
  PjScoring scoring;

  if (graph == NULL || !bench_go_on (bench, what, error))
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjDataset) dataset = noise (graph, PJ_DEFAULT_KL_IMAGES);
  if (!set_up (bench, graph, groups, dataset, &format, &scoring, error))
    return FALSE;
  /* Minutes in all: three alternations are enough where both sides take many seconds. */
  int rounds = bench->quick ? 1 : MIN (bench->rounds, 3);
  for (int r = 0; r < rounds; r++) {
    gint64 start = g_get_monotonic_time ();
    g_autoptr (PjScores) scores = pj_criterion_score (pj_criterion_find ("kl"), &scoring, error);
    ours[r] = seconds_since (start);
    theirs[r] = scores != NULL ? masked_passes (&scoring, error) : -1;
    if (theirs[r] < 0)
      return FALSE;
    ratios[r] = ours[r] / theirs[r];
  }
  bench_add (bench, what, "s", bench_median (ours, rounds), "a masked pass per channel", bench_median (theirs, rounds),
             bench_median (ratios, rounds), 0.35, TRUE);
  return TRUE;
}

/* --- ThiNet's arithmetic --- */

/* Of random rows: full rank, so that no order ends early. */
static PjGram *
random_gram (int n, GError **error)
{
  g_autoptr (PjGram) gram = pj_gram_new (n, error);
  size_t rows = 4 * (size_t) n;
  g_autofree float *x = g_new (float, rows * (size_t) n), *y = g_new (float, rows);
  guint32 state = 7;

  if (gram == NULL)
    return NULL;
  for (size_t r = 0; r < rows; r++) {
    double sum = 0;
    for (int c = 0; c < n; c++) {
      float value = (float) ((state = state * 1664525u + 1013904223u) >> 8) / (1 << 24) - 0.4f;
      x[r * (size_t) n + (size_t) c] = value;
      sum += value;
    }
    y[r] = (float) sum;
  }
  pj_gram_add (gram, x, y, rows);
  return g_steal_pointer (&gram);
}

static gboolean
selection_case (Bench *bench, GError **error)
{
  static const struct { PjGramOrder how; const char *what; } orders[] = {
    { PJ_GRAM_REMOVE, "ThiNet (2017) among 512 channels, sums given" },
    { PJ_GRAM_FORWARD, "ThiNet (2018) among 512 channels, sums given" },
    { PJ_GRAM_RESIDUAL, "ThiNet, least squares, among 512 channels, sums given" },
  };
  g_autofree double *seconds = g_new (double, bench->rounds);
  int order[512];
  double w[512];
  guint8 keep[512];
  g_autoptr (PjGram) gram = random_gram (512, error);

  if (gram == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    if (!bench_go_on (bench, orders[i].what, error))
      return FALSE;
    for (int r = 0; r < bench->rounds; r++) {
      gint64 start = g_get_monotonic_time ();
      pj_gram_order (gram, orders[i].how, order);
      pj_gram_keep (order, 512, 256, keep);
      pj_gram_fit (gram, keep, w, NULL);
      seconds[r] = seconds_since (start);
    }
    double median = bench_median (seconds, bench->rounds);
    bench_add (bench, orders[i].what, "s", median, "a limit", 0.0, median, 2.0, TRUE);
  }
  return TRUE;
}

/* --- ThiNet on a large network --- */

/* All convolutions at one half; the classifier, which ThiNet replaces or leaves, stays whole. */
static double *
halve_convolutions (const PjGraph *graph, const PjGroups *groups, const PjMethod *method, const PjScoring *scoring)
{
  double *ratios = g_new (double, MAX (1, pj_groups_n (groups)));
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    ratios[i] = group->lock_reason == NULL && g_str_has_prefix (group->name, "conv") && method->fit (method, scoring, group, NULL) ? 0.5 : 1;
  }
  return ratios;
}

static gboolean
vgg_case (Bench *bench, GError **error)
{
  static const char *const what = "ThiNet on VGG-16 224×224, 10,000 rows a layer";
  const PjMethod *method = pj_method_find ("thinet");
  PjFormat format;
  PjScoring scoring;

  if (bench->quick) {
    bench_skip (bench, what, "it takes minutes; leave out --quick");
    return TRUE;
  }
  g_autoptr (PjGraph) graph = bench_make ("vgg16", 224, 1000, error);
  if (graph == NULL || !bench_go_on (bench, what, error))
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjDataset) dataset = noise (graph, 1000);
  if (!set_up (bench, graph, groups, dataset, &format, &scoring, error))
    return FALSE;
  scoring.n_images = 1000;
  g_autofree double *ratios = halve_convolutions (graph, groups, method, &scoring), *values = pj_method_values (method, NULL, error);
  PjPruneSettings settings = { .ratios = ratios, .scale = TRUE, .values = values };
  gint64 start = g_get_monotonic_time ();
  g_autoptr (PjCutPlan) plan = method->choose (method, &scoring, &settings, NULL, error);
  if (plan == NULL)
    return FALSE;
  double minutes = seconds_since (start) / 60;
  bench_add (bench, what, "min", minutes, "a limit", 0.0, minutes, 15.0, TRUE);
  return TRUE;
}

gboolean
bench_methods (Bench *bench, GError **error)
{
  return kl_case (bench, error) && selection_case (bench, error) && vgg_case (bench, error);
}
