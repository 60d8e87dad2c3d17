/* SPDX-License-Identifier: MIT */
/* Images per second of whole networks on a device.
 *
 * usage: bench-plan NET train|infer BATCH SECONDS [profile]
 *   NET: vgg-mini (28×28, 1 channel), resnet20 (32×32, 3 channels)
 *
 * Prints the median and the best of the runs as images/s; with “profile” also the milliseconds of every
 * call and the rate that it reached.  PJ_TEST_DEVICE chooses the device, OMP_NUM_THREADS the threads. */
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "ops/op.h"

static int
max_pool (PjGraph *g, const char *name, int x)
{
  PjPoolParams p = { .kernel = { 2, 2 }, .stride = { 2, 2 } };
  return pj_graph_add_node (g, name, &pj_op_max_pool, &p, &x, 1, NULL);
}

static void
classifier (PjGraph *g, int y, int c)
{
  y = net_unary (g, "gap", &pj_op_global_avg_pool, y);
  y = net_unary (g, "flatten", &pj_op_flatten, y);
  y = net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (10, c), 0, 0.1f, 3), net_param (g, "fc.b", PJ_SHAPE (10), 0, 0.1f, 3));
  pj_graph_set_output (g, y);
}

static PjGraph *
vgg_mini (void)
{
  static const int widths[] = { 32, 32, 64, 64, 128, 128 };
  PjGraph *g = pj_graph_new ("vgg-mini");
  int y = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 28, 28));
  for (int i = 0; i < 6; i++) {
    g_autofree char *name = g_strdup_printf ("conv%d", i), *pool = g_strdup_printf ("pool%d", i);
    y = net_block (g, name, y, widths[i], 3, 1, TRUE);
    if (i == 1 || i == 3)
      y = max_pool (g, pool, y);
  }
  classifier (g, y, 128);
  return g;
}

static PjGraph *
resnet20 (void)
{
  PjGraph *g = pj_graph_new ("resnet20");
  int c = 16, x = net_block (g, "stem", pj_graph_add_input (g, "x", PJ_SHAPE (1, 3, 32, 32)), c, 3, 1, TRUE);
  for (int stage = 0; stage < 3; stage++)
    for (int b = 0; b < 3; b++) {
      int width = 16 << stage, stride = stage > 0 && b == 0 ? 2 : 1;
      g_autofree char *n1 = g_strdup_printf ("s%db%da", stage, b), *n2 = g_strdup_printf ("s%db%db", stage, b);
      g_autofree char *n3 = g_strdup_printf ("s%db%dp", stage, b), *sum = g_strdup_printf ("s%db%dadd", stage, b);
      g_autofree char *act = g_strdup_printf ("s%db%dact", stage, b);
      int y = net_block (g, n2, net_block (g, n1, x, width, 3, stride, TRUE), width, 3, 1, FALSE);
      int shortcut = width == c && stride == 1 ? x : net_block (g, n3, x, width, 1, stride, FALSE);
      x = net_unary (g, act, &pj_op_relu, net_add (g, sum, y, shortcut));
      c = width;
    }
  classifier (g, x, c);
  return g;
}

static int
compare_double (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static void
print_profile (PjPlan *plan, const PjGraph *graph)
{
  const PjProgram *program = pj_plan_program (plan);
  guint n = program->calls->len;
  g_autofree double *ms = g_new0 (double, n), *best = g_new0 (double, n);
  double total = 0;

  for (int round = 0; round < 9; round++) {
    g_assert_true (pj_plan_profile (plan, ms, NULL));
    for (guint i = 0; i < n; i++)
      best[i] = round == 0 ? ms[i] : MIN (best[i], ms[i]);
  }
  for (guint i = 0; i < n; i++) {
    const PjCall *call = pj_program_call (program, i);
    double flops, bytes;
    pj_call_work (program, call, &flops, &bytes);
    g_print ("%8.3f ms %8.1f GFLOP/s %7.1f GB/s  %-16s %s\n", best[i], flops / best[i] / 1e6, bytes / best[i] / 1e6,
             pj_kernel_name (call->kernel), call->node >= 0 ? pj_graph_node (graph, call->node)->name : "");
    total += best[i];
  }
  g_print ("%8.3f ms in all, memory %.1f MiB\n", total, (double) pj_plan_memory_bytes (plan) / 0x1p20);
}

static void
run_once (PjPlan *plan, gboolean train)
{
  const PjStep step = { .lr = 0.01f, .momentum = 0.9f, .weight_decay = 5e-4f, .norm_momentum = 0.1f };
  g_autoptr (GError) error = NULL;
  if (!(train ? pj_plan_train (plan, &step, &error) : pj_plan_forward (plan, &step, &error)))
    g_error ("%s", error->message);
}

static void
bench (PjGraph *graph, gboolean train, unsigned batch, double seconds, gboolean profile)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  g_autoptr (PjDevice) device = pj_device_open (id ? id : "cpu", &error);
  g_assert_no_error (error);
  g_autoptr (PjParams) params = pj_params_new (device, graph, train, &error);
  PjPlanOptions options = { .batch = batch, .mode = train ? PJ_PLAN_TRAIN : PJ_PLAN_INFER, .cross_entropy = train };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
  g_assert_no_error (error);
  size_t per_image = pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_input (graph))->shape);
  g_autofree float *x = net_noise (batch * per_image, 1);
  g_autofree int32_t *labels = g_new (int32_t, batch);
  g_autofree float *logits = g_new (float, (size_t) batch * 10);
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));

  for (unsigned i = 0; i < batch; i++)
    labels[i] = (int32_t) (i % 10);
  gint64 end = g_get_monotonic_time () + (gint64) (seconds * 1e6);
  for (int round = 0; round < 3 || g_get_monotonic_time () < end; round++) {
    gint64 start = g_get_monotonic_time ();
    g_assert_true (pj_plan_set_images (plan, x, NULL));
    if (train)
      g_assert_true (pj_plan_set_labels (plan, labels, NULL));
    run_once (plan, train);
    g_assert_true (pj_plan_read_logits (plan, logits, NULL));
    double s = (double) (g_get_monotonic_time () - start) / 1e6;
    if (round > 0)
      g_array_append_val (times, s);
  }
  g_array_sort (times, compare_double);
  g_print ("%.1f %.1f images/s (median, best of %u runs)\n", batch / g_array_index (times, double, times->len / 2),
           batch / g_array_index (times, double, 0), times->len);
  if (profile)
    print_profile (plan, graph);
}

int
main (int argc, char **argv)
{
  if (argc < 5) {
    g_printerr ("usage: bench-plan vgg-mini|resnet20 train|infer BATCH SECONDS [profile]\n");
    return 2;
  }
  g_autoptr (PjGraph) graph = strcmp (argv[1], "resnet20") == 0 ? resnet20 () : vgg_mini ();
  bench (graph, strcmp (argv[2], "train") == 0, (unsigned) atoi (argv[3]), atof (argv[4]), argc > 5);
  return 0;
}
