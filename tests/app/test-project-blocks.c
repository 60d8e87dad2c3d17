/* SPDX-License-Identifier: MIT */
/* Whole residual blocks: those that are missed least go, or those whose trained gate closes. */
#include <string.h>

#include "io/onnx.h"
#include "ops/op.h"
#include "prune-test.h"
#include "session/session.h"
#include "support/net.h"

/* Blocks first, then channels by AMC's rule on what is left; one of them alone is enough. */
static void
test_drop_blocks (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  place_open_all (place);
  guint n_blocks = pjm_project_count_blocks (place->project);
  guint64 macs = count (place, "macs");
  g_assert_cmpuint (n_blocks, ==, 1);
  pjm_prune_options_init (&options, "apoz");
  options.drop_blocks = n_blocks + 1;
  assert_refused (place, &options, "Only 1 residual block");
  options.drop_blocks = n_blocks;
  options.cut = options.recalibrate = TRUE;
  g_autoptr (PjmPruneOutlook) outlook = check (place, &options);
  g_assert_null (outlook->refusal);
  g_assert_cmpuint (outlook->macs, ==, 0);
  g_assert_nonnull (pjm_project_prune (place->project, &options));
  wait_until (is_idle, place->project);
  assert_nothing_failed (place);
  assert_kinds (place, "remove-parts recalibrate");
  g_assert_cmpuint (count (place, "macs"), <, macs);
  g_assert_cmpuint (pjm_project_count_blocks (place->project), ==, 0);

  /* From the start again. */
  pjm_project_undo (place->project);
  pjm_project_undo (place->project);
  wait_until (is_idle, place->project);
  g_assert_cmpuint (pjm_project_count_blocks (place->project), ==, n_blocks);
  options.keep = PJM_KEEP_SHARE;
  options.share = 0.6;
  options.multiple = PJM_ROUND_AMC;
  options.constants = "all";
  g_assert_nonnull (pjm_project_prune (place->project, &options));
  wait_until (is_idle, place->project);
  assert_nothing_failed (place);
  assert_kinds (place, "remove-parts recalibrate remove-parts choose cut recalibrate");
  g_autofree char *chosen = stored_settings (place, 5);
  assert_has (chosen, "multiple -8");
  assert_has (chosen, "constants all");
}

/* Two blocks one after the other, of which gates are to leave one. */
static void
open_two_blocks (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (place->folder, "blocks.onnx", NULL);
  g_autoptr (PjGraph) g = pj_graph_new ("blocks");
  int x = net_block (g, "stem", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8)), 8, 3, 1, TRUE);
  for (int b = 0; b < 2; b++) {
    const char *const names[2][4] = { { "a1", "a2", "add_a", "relu_a" }, { "b1", "b2", "add_b", "relu_b" } };
    int y = net_block (g, names[b][1], net_block (g, names[b][0], x, 12, 3, 1, TRUE), 8, 3, 1, FALSE);
    x = net_unary (g, names[b][3], &pj_op_relu, net_add (g, names[b][2], y, x));
  }
  x = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, x));
  x = net_gemm (g, "fc", x, net_param (g, "fc.w", PJ_SHAPE (4, 8), 0, 1, 7), net_param (g, "fc.b", PJ_SHAPE (4), 0, 1, 7));
  pj_graph_set_output (g, x);
  pj_onnx_export (g, NULL, path, &error);
  g_assert_no_error (error);
  place_open (place, path, NULL);
}

static void
test_gates_of_blocks (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  Answer answer = { 0 };
  pjm_prune_options_init (&options, "autopruner");
  options.keep = PJM_KEEP_BLOCKS;
  place_open (place, place->onnx, NULL);
  assert_refused (place, &options, "needs pictures");
  place_open (place, place->data, NULL);
  assert_refused (place, &options, "takes two");
  open_two_blocks (place);
  place_open (place, place->data, NULL);
  guint64 macs = count (place, "macs");
  options.method = "thinet-ls";
  assert_refused (place, &options, "AutoPruner");
  options.method = "autopruner";
  options.share = 1;
  assert_refused (place, &options, "above 0 and below 1");
  options.share = 0.5;
  options.set = (const char *const[]) { "epochs=2", "code-batch=16", NULL };
  options.recalibrate = TRUE;
  g_autoptr (PjmPruneOutlook) outlook = check (place, &options);
  g_assert_null (outlook->refusal);
  pjm_project_estimate_prune_async (place->project, &options, NULL, estimated_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_no_error (answer.error);
  g_assert_cmpfloat (answer.seconds, >, 0);
  g_assert_nonnull (pjm_project_prune (place->project, &options));
  wait_until (is_idle, place->project);
  assert_nothing_failed (place);
  assert_kinds (place, "gate-blocks recalibrate");
  g_assert_cmpuint (pjm_project_count_blocks (place->project), ==, 1);
  g_assert_cmpuint (count (place, "macs"), <, macs);
  g_autofree char *settings = stored_settings (place, 0), *title = place_text (job_at (place, 0), "title");
  assert_has (settings, "keep-blocks 0.5\n");
  assert_has (settings, "code-batch=16");
  g_assert_cmpstr (title, ==, "Train gates of blocks");
}

/* Weights that were trained under gates are measured without the closed channels: opened, they are another network. */
static void
test_sensitivity_of_gates (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  guint n, n_pictures;
  double base = -1;
  g_autofree char *reading = NULL;
  place_open_all (place);
  pjm_prune_options_init (&options, "autopruner");
  options.keep = PJM_KEEP_SHARE;
  options.share = 0.5;
  options.set = (const char *const[]) { "epochs=2", "alpha=1", "alpha-end=20", "code-batch=16", "code-lr=0.05", NULL };
  wait_job (pjm_project_prune (place->project, &options), PJM_JOB_DONE);
  PjmJob *measured = pjm_project_evaluate (place->project);
  wait_job (measured, PJM_JOB_DONE);
  wait_job (pjm_project_measure_sensitivity (place->project), PJM_JOB_DONE);
  const double *points = pjm_project_get_sensitivity (place->project, place_layer (place, "a1"), &n, &base, &n_pictures, &reading);
  g_assert_nonnull (points);
  guint n_before = n;
  g_autofree double *before = g_memdup2 (points, 2 * n * sizeof (double));
  g_autofree char *result = place_text (measured, "result");
  g_test_message ("%s; %g", result, base);
  g_assert_cmpfloat_with_epsilon (g_ascii_strtod (result, NULL) / 100, base, 0.006);

  g_assert_nonnull (strstr (reading, "without those that are marked"));

  /* What is cut has no gates any more, and is what was measured. */
  wait_job (pjm_project_cut (place->project), PJM_JOB_DONE);
  wait_job (pjm_project_measure_sensitivity (place->project), PJM_JOB_DONE);
  g_autofree char *cut = NULL;
  double same = -1;
  points = pjm_project_get_sensitivity (place->project, place_layer (place, "a1"), &n, &same, &n_pictures, &cut);
  g_assert_cmpuint (n, ==, n_before);
  for (guint i = 0; i < 2 * n; i++)
    g_assert_cmpfloat_with_epsilon (points[i], before[i], 1e-9);
  g_assert_cmpfloat_with_epsilon (same, base, 1e-9);
  g_assert_null (strstr (cut, "without those that are marked"));
  assert_nothing_failed (place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/prune/drop-blocks", test_drop_blocks);
  place_add ("/app/prune/gates-of-blocks", test_gates_of_blocks);
  place_add ("/app/prune/sensitivity-of-gates", test_sensitivity_of_gates);
  return g_test_run ();
}
