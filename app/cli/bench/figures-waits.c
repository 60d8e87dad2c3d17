/* SPDX-License-Identifier: MIT */
/* What a person waits for: against limits of their own, in seconds.  Medians over the rounds. */
#include <math.h>

#include "base/error.h"
#include "cli/bench/figures.h"
#include "graph/cut.h"
#include "io/onnx.h"
#include "model/work-infer.h"
#include "model/work-open.h"
#include "prune/criterion.h"
#include "session/model.h"
#include "train/masks.h"

static double
seconds_since (gint64 start)
{
  return (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
}

/* Every other channel of every group that can be cut. (transfer full) */
static PjCutPlan *
half_of_all (const PjGroups *groups)
{
  PjCutPlan *plan = pj_cut_plan_new ();
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    g_autofree guint8 *keep = g_new0 (guint8, group->n_channels);
    if (group->lock_reason != NULL || group->n_channels < 2 || group->n_blocks > 1)
      continue;
    for (int c = 0; c < group->n_channels; c += 2)
      keep[c] = 1;
    pj_cut_plan_set (plan, group, keep, NULL);
  }
  return plan;
}

/* --- preview --- */

gboolean
bench_preview (Bench *bench, GError **error)
{
  static const char *const what = "512 pictures of 28×28, vgg-mini";
  g_autoptr (PjDataset) data = pj_dataset_open_sample (error);
  g_autoptr (PjGraph) graph = data != NULL ? bench_make ("vgg-mini", 28, pj_dataset_n_classes (data), error) : NULL;
  g_autofree double *ms = g_new (double, bench->rounds);
  PjFormat format;

  if (graph == NULL || !bench_go_on (bench, what, error) || !pj_dataset_format_for (data, graph, TRUE, &format, error))
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) half = half_of_all (groups);
  g_autoptr (PjEvaluator) evaluator = pj_evaluator_new (bench->cli->device, graph, groups, data, PJ_SPLIT_TEST, &format, 512, error);
  if (evaluator == NULL)
    return FALSE;
  for (int r = -1; r < bench->rounds; r++) {
    PjAccuracy accuracy = { 0 };
    gint64 start = g_get_monotonic_time ();
    if (!pj_evaluator_run (evaluator, r % 2 ? half : NULL, &bench->cli->hooks, &accuracy, error))
      return FALSE;
    if (r >= 0)
      ms[r] = seconds_since (start) * 1e3;
    pj_accuracy_clear (&accuracy);
  }
  double median = bench_median (ms, bench->rounds);
  g_autofree char *shown = g_strdup_printf ("%u pictures of 28×28, vgg-mini", pj_evaluator_n (evaluator));
  bench_add (bench, shown, "ms", median, "a limit", 0.0, median, 200.0, TRUE);
  return TRUE;
}

/* --- reading --- */

static gboolean
open_case (Bench *bench, const char *what, const char *path, double target, GError **error)
{
  g_autofree double *seconds = g_new (double, bench->rounds);

  for (int r = 0; r < bench->rounds; r++) {
    gint64 start = g_get_monotonic_time ();
    g_autoptr (PjGraph) graph = pj_onnx_import (path, NULL, error);
    if (graph == NULL)
      return FALSE;
    g_autoptr (PjGroups) groups = pj_groups_new (graph);
    seconds[r] = seconds_since (start);
    if (!pj_hooks_go_on (&bench->cli->hooks, error))
      return FALSE;
  }
  double median = bench_median (seconds, bench->rounds);
  bench_add (bench, what, "s", median, "a limit", 0.0, median, target, TRUE);
  return TRUE;
}

/* torchvision's DenseNet-201 as PyTorch exports it. */
static gboolean
open_densenet (Bench *bench, GError **error)
{
  g_autofree char *path = g_build_filename (bench->folder, "densenet201.onnx", NULL);
  const char *why = NULL;
  g_autoptr (GError) reason = NULL;
  BenchPeer *torch = bench_torch (bench, &why);
  g_autoptr (JsonObject) answer =
    torch != NULL ? bench_peer_ask (torch, &reason, "{\"do\": \"export\", \"net\": \"densenet201\", \"path\": \"%s\"}", path) : NULL;

  if (answer != NULL)
    return open_case (bench, "DenseNet-201 from ONNX, with its groups", path, 2.0, error);
  bench_skip (bench, "DenseNet-201", reason != NULL ? reason->message : why);
  return TRUE;
}

gboolean
bench_open (Bench *bench, GError **error)
{
  g_autofree char *path = g_build_filename (bench->folder, "resnet50.onnx", NULL);
  g_autoptr (PjGraph) graph = bench_make ("resnet50", 224, 1000, error);

  return graph != NULL && bench_go_on (bench, "ResNet-50", error) && pj_onnx_export (graph, NULL, path, error)
         && open_case (bench, "ResNet-50 from ONNX, with its groups", path, 0.5, error)
         && bench_go_on (bench, "DenseNet-201", error) && open_densenet (bench, error);
}

/* --- cutting --- */

/* Largest relative difference between the masked network and the cut one on one picture of noise; −1 on error. */
static double
compare_cut (PjDevice *device, PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan, PjGraph *small, GError **error)
{
  g_autoptr (GArray) gated = pj_masks_gated (groups, plan);
  PjPlanOptions options = { .batch = 1, .mode = PJ_PLAN_INFER, .gated = (const int *) gated->data, .n_gated = gated->len };
  g_auto (BenchNet) masked = { 0 }, cut = { 0 };
  unsigned n = pj_graph_n_classes (graph);
  g_autofree float *a = g_new (float, n), *b = g_new (float, n);

  if (!bench_net_init (&masked, device, graph, PJ_PLAN_INFER, 1, &options, error)
      || !pj_masks_apply (masked.plan, graph, groups, gated, plan, error) || !bench_net_run (&masked, error)
      || !pj_plan_read_logits (masked.plan, a, error)
      || !bench_net_init (&cut, device, small, PJ_PLAN_INFER, 1, NULL, error) || !bench_net_run (&cut, error)
      || !pj_plan_read_logits (cut.plan, b, error))
    return -1.0;
  return pj_work_difference (a, b, n);
}

gboolean
bench_cut (Bench *bench, GError **error)
{
  static const char *const what = "ResNet-50, half of every group, checked";
  g_autoptr (PjGraph) graph = bench_make ("resnet50", 224, 1000, error);
  g_autofree double *seconds = g_new (double, bench->rounds);

  if (graph == NULL || !bench_go_on (bench, what, error))
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autoptr (PjCutPlan) plan = half_of_all (groups);
  for (int r = 0; r < bench->rounds; r++) {
    gint64 start = g_get_monotonic_time ();
    g_autoptr (PjGraph) small = pj_cut (graph, groups, plan, error);
    double difference = small != NULL ? compare_cut (bench->cli->device, graph, groups, plan, small, error) : -1.0;
    seconds[r] = seconds_since (start);
    if (difference < 0.0 || !pj_hooks_go_on (&bench->cli->hooks, error))
      return FALSE;
    if (!(difference < 1e-3)) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "the cut ResNet-50 differs from the masked one by %g: its time means nothing",
                   difference);
      return FALSE;
    }
  }
  double median = bench_median (seconds, bench->rounds);
  bench_add (bench, what, "s", median, "a limit", 0.0, median, 1.0, TRUE);
  return TRUE;
}

/* --- sessions --- */

static gboolean
open_session (const char *path, GError **error)
{
  g_auto (PjWorkPlace) place = { 0 };
  g_autoptr (PjSession) session = pj_session_open (path, 0, error);
  return session != NULL && pj_work_open_step (session, 0, &place, error);
}

gboolean
bench_session (Bench *bench, GError **error)
{
  static const char *const what = "session with ResNet-50, to its groups";
  g_autofree char *path = g_build_filename (bench->folder, "bench.penjing", NULL);
  g_autoptr (PjGraph) graph = bench_make ("resnet50", 224, 1000, error);
  g_autoptr (PjSession) session = graph != NULL ? pj_session_open (path, PJ_SESSION_CREATE, error) : NULL;
  g_autofree double *seconds = g_new (double, bench->rounds);
  int64_t step = 0;

  if (session == NULL || !bench_go_on (bench, what, error) || !pj_work_import (session, graph, "resnet50", &step, error))
    return FALSE;
  g_clear_pointer (&session, pj_session_close);
  for (int r = 0; r < bench->rounds; r++) {
    gint64 start = g_get_monotonic_time ();
    if (!open_session (path, error) || !pj_hooks_go_on (&bench->cli->hooks, error))
      return FALSE;
    seconds[r] = seconds_since (start);
  }
  double median = bench_median (seconds, bench->rounds);
  bench_add (bench, what, "s", median, "a limit", 0.0, median, 1.0, TRUE);
  return TRUE;
}

/* --- statistics --- */

static GArray *
activities (const PjGraph *graph)
{
  GArray *values = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    g_autoptr (GArray) own = pj_group_relu_outputs (graph, group);
    if (group->lock_reason == NULL)
      g_array_append_vals (values, own->data, own->len);
  }
  return values;
}

static gboolean
statistics_case (Bench *bench, const char *name, int side, unsigned batch, GError **error)
{
  g_autofree char *what = g_strdup_printf ("%s %d×%d, batch %u", name, side, side, batch);
  g_autofree double *ratios = g_new (double, bench->rounds), *with = g_new (double, bench->rounds), *without = g_new (double, bench->rounds);
  g_autoptr (PjGraph) graph = bench_make (name, side, 10, error);
  g_auto (BenchNet) plain = { 0 }, measured = { 0 };

  if (graph == NULL || !bench_go_on (bench, what, error))
    return FALSE;
  g_autoptr (GArray) values = activities (graph);
  PjPlanOptions options = { .batch = batch, .mode = PJ_PLAN_INFER, .stats = (const int *) values->data, .n_stats = values->len };
  if (!bench_net_init (&plain, bench->cli->device, graph, PJ_PLAN_INFER, batch, NULL, error) || !bench_net_run (&plain, error)
      || !bench_net_init (&measured, bench->cli->device, graph, PJ_PLAN_INFER, batch, &options, error)
      || !bench_net_run (&measured, error))
    return FALSE;
  for (int r = 0; r < bench->rounds; r++) {
    with[r] = bench_net_ms (&measured, bench->seconds / 2, error);
    without[r] = with[r] < 0 ? -1.0 : bench_net_ms (&plain, bench->seconds / 2, error);
    if (without[r] < 0)
      return FALSE;
    ratios[r] = with[r] / without[r];
  }
  bench_add (bench, what, "ms", bench_median (with, bench->rounds), "a forward pass", bench_median (without, bench->rounds),
             bench_median (ratios, bench->rounds), 1.3, TRUE);
  return TRUE;
}

gboolean
bench_statistics (Bench *bench, GError **error)
{
  return statistics_case (bench, "vgg-mini", 28, 64, error) && statistics_case (bench, "resnet20-b", 32, 64, error);
}
