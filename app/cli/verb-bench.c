/* SPDX-License-Identifier: MIT */
/* bench: how fast a network runs and trains here, and where the time goes. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "cli/verbs.h"
#include "compute/plan.h"
#include "model/work-infer.h"
#include "train/arch.h"

static int batch, repeats = 5;
static char *mode;

static const GOptionEntry entries[] = {
  { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "Images per run (default: 1, 64 and 256; for plan 64)", "N" },
  { "repeats", 0, 0, G_OPTION_ARG_INT, &repeats, "Runs of which the median counts (default 5)", "N" },
  { "mode", 0, 0, G_OPTION_ARG_FILENAME, &mode, "Of plan: infer (default), train or score", "NAME" },
  { NULL }
};

static int
compare_numbers (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static double
median (double *values, int n)
{
  qsort (values, (size_t) n, sizeof (double), compare_numbers);
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

static const PjStep step = { .lr = 1e-4f, .momentum = 0.9f, .weight_decay = 5e-4f, .nesterov = TRUE,
                             .norm_momentum = 0.1f };

/* A plan with seeded noise as images and labels, ready to run. @params: (out): to be freed after the plan. */
static PjPlan *
make_plan (PjDevice *device, PjGraph *graph, PjPlanMode plan_mode, unsigned n, PjParams **params, GError **error)
{
  gboolean learns = plan_mode != PJ_PLAN_INFER;
  PjPlanOptions options = { .batch = n, .mode = plan_mode, .cross_entropy = learns ? 1.0f : 0.0f };
  *params = pj_params_new (device, graph, learns, error);
  g_autoptr (PjPlan) plan = *params != NULL ? pj_plan_new (graph, *params, &options, error) : NULL;
  size_t size = n * pj_work_input_elems (graph);
  float *images = plan != NULL ? pj_alloc (size * sizeof (float), "images to time", error) : NULL;
  g_autofree int32_t *labels = g_new (int32_t, n);
  if (images == NULL)
    return NULL;
  PjRng rng;
  pj_rng_init (&rng, 1, PJ_STREAM (PJ_STREAM_SUBSET, 0, 3));
  for (size_t i = 0; i < size; i++)
    images[i] = (float) pj_rng_normal (&rng);
  for (unsigned i = 0; i < n; i++)
    labels[i] = (int32_t) (i % pj_graph_n_classes (graph));
  gboolean ok = pj_plan_set_images (plan, images, error) && (!learns || pj_plan_set_labels (plan, labels, error));
  pj_free (images);
  return ok ? g_steal_pointer (&plan) : NULL;
}

static gboolean
run_once (PjPlan *plan, PjPlanMode plan_mode, GError **error)
{
  if (plan_mode == PJ_PLAN_TRAIN)
    return pj_plan_train (plan, &step, error);
  return pj_plan_forward (plan, NULL, error) && (plan_mode != PJ_PLAN_SCORE || pj_plan_backward (plan, error));
}

/* --- end to end --- */

static gboolean
time_mode (Cli *cli, PjGraph *graph, PjPlanMode plan_mode, unsigned n, CliTable *table, JsonArray *json, GError **error)
{
  PjParams *params = NULL;
  PjPlan *plan = make_plan (cli->device, graph, plan_mode, n, &params, error);
  g_autofree double *ms = g_new (double, repeats);
  /* The first run chooses kernels and fills caches: it does not count. */
  gboolean ok = plan != NULL && run_once (plan, plan_mode, error);
  for (int i = 0; ok && i < repeats; i++) {
    /* One image takes less than a clock can resolve well: about as many as in the largest batch. */
    int inner = (int) MAX (1, 64 / n);
    gint64 before = g_get_monotonic_time ();
    for (int j = 0; ok && j < inner; j++)
      ok = run_once (plan, plan_mode, error);
    ms[i] = (double) (g_get_monotonic_time () - before) / 1e3 / inner;
    ok = ok && pj_hooks_go_on (&cli->hooks, error);
  }
  if (ok) {
    double time = median (ms, repeats), spread = ms[repeats - 1] / ms[0];
    PjCost cost;
    pj_graph_cost (graph, &cost);
    /* A backward pass is about two forward passes. */
    double flops = 2.0 * (double) cost.macs * n * (plan_mode == PJ_PLAN_INFER ? 1.0 : 3.0);
    const char *what = plan_mode == PJ_PLAN_INFER ? "inference" : "training step";
    g_autofree char *size = g_strdup_printf ("%u", n), *text = g_strdup_printf ("%.2f", time);
    g_autofree char *speed = g_strdup_printf ("%.0f", n / time * 1e3);
    g_autofree char *rate = g_strdup_printf ("%.1f", flops / time / 1e6);
    g_autofree char *memory = cli_bytes (pj_plan_memory_bytes (plan)), *range = g_strdup_printf ("%.2f", spread);
    cli_table_add (table, pj_graph_get_name (graph), what, size, text, speed, rate, memory, range, NULL);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "network", pj_graph_get_name (graph));
    json_object_set_string_member (object, "mode", what);
    json_object_set_int_member (object, "batch", n);
    json_object_set_double_member (object, "ms", time);
    json_object_set_double_member (object, "images_per_second", n / time * 1e3);
    json_object_set_double_member (object, "gflops", flops / time / 1e6);
    json_object_set_int_member (object, "memory_bytes", (gint64) pj_plan_memory_bytes (plan));
    json_array_add_object_element (json, object);
  }
  pj_plan_free (plan);
  pj_params_free (params);
  return ok;
}

static gboolean
time_network (Cli *cli, PjGraph *graph, CliTable *table, JsonArray *json, GError **error)
{
  static const unsigned batches[] = { 1, 64, 256 };
  for (guint i = 0; i < (batch > 0 ? 1 : G_N_ELEMENTS (batches)); i++) {
    unsigned n = batch > 0 ? (unsigned) batch : batches[i];
    pj_hooks_progress (&cli->hooks, 0.25 * i, "%s, batch %u", pj_graph_get_name (graph), n);
    if (!time_mode (cli, graph, PJ_PLAN_INFER, n, table, json, error))
      return FALSE;
  }
  pj_hooks_progress (&cli->hooks, 0.75, "%s, training", pj_graph_get_name (graph));
  return time_mode (cli, graph, PJ_PLAN_TRAIN, batch > 0 ? (unsigned) batch : 64, table, json, error);
}

/* A network by name, for the pictures that it was published for. */
static PjGraph *
build (const char *name, GError **error)
{
  PjArchOptions options;
  double width;
  const PjArch *arch = pj_arch_parse (name, &width);
  pj_arch_options_init (&options, arch);
  options.width = width;
  return pj_arch_build (arch, &options, error);
}

static gboolean
bench_networks (Cli *cli, PjGraph *graph, GError **error)
{
  JsonArray *json = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "network", "what", ">batch", ">ms", ">images/s", ">GFLOP/s",
                                                      ">memory", ">slowest/fastest", NULL });
  gboolean ok = graph == NULL || time_network (cli, graph, table, json, error);
  for (const char *const *name = (const char *const[]) { "vgg-mini", "resnet-mini", NULL }; ok && graph == NULL && *name != NULL; name++) {
    g_autoptr (PjGraph) built = build (*name, error);
    ok = built != NULL && time_network (cli, built, table, json, error);
  }
  if (ok)
    cli_say (cli, "Median of %d runs on %s; seeded noise as images, 2 FLOPs per MAC, training counted as 3 forward passes\n", repeats,
             cli->device->info.name);
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "runs", json);
  return ok;
}

/* --- one plan, call by call --- */

/* Median milliseconds of each call. (transfer full) */
static double *
profile (Cli *cli, PjPlan *plan, guint n_calls, GError **error)
{
  g_autofree double *all = g_new0 (double, (gsize) n_calls * (gsize) repeats), *one = g_new0 (double, MAX (1, n_calls));
  g_autofree double *series = g_new (double, repeats), *result = g_new0 (double, MAX (1, n_calls));
  for (int r = -1; r < repeats; r++) {
    if (!pj_plan_profile (plan, one, error) || !pj_hooks_go_on (&cli->hooks, error))
      return NULL;
    if (r >= 0)
      memcpy (all + (gsize) r * n_calls, one, n_calls * sizeof (double));
  }
  for (guint c = 0; c < n_calls; c++) {
    for (int r = 0; r < repeats; r++)
      series[r] = all[(gsize) r * n_calls + c];
    result[c] = median (series, repeats);
  }
  return g_steal_pointer (&result);
}

static void
add_call (CliTable *table, JsonArray *json, const PjGraph *graph, const PjProgram *program, guint c, double ms,
          double total)
{
  const PjCall *call = pj_program_call (program, c);
  const char *node = call->node >= 0 ? pj_graph_node (graph, call->node)->name : "";
  double flops = 0.0, bytes = 0.0;
  pj_call_work (program, call, &flops, &bytes);
  g_autofree char *shape = call->out[0] >= 0 ? pj_shape_to_string (&pj_program_slot (program, call->out[0])->shape)
                           : g_strdup ("");
  g_autofree char *time = g_strdup_printf ("%.3f", ms), *share = g_strdup_printf ("%.1f %%", total > 0.0
                                                                                  ? 100.0 * ms / total : 0.0);
  g_autofree char *rate = flops > 0.0 && ms > 0.0 ? g_strdup_printf ("%.1f", flops / ms / 1e6) : g_strdup ("");
  g_autofree char *width = g_strdup_printf ("%.1f", ms > 0.0 ? bytes / ms / 1e6 : 0.0);
  cli_table_add (table, pj_kernel_name (call->kernel), node, shape, time, share, rate, width, NULL);
  JsonObject *object = json_object_new ();
  json_object_set_string_member (object, "kernel", pj_kernel_name (call->kernel));
  json_object_set_string_member (object, "node", node);
  json_object_set_double_member (object, "ms", ms);
  json_object_set_double_member (object, "flops", flops);
  json_object_set_double_member (object, "bytes", bytes);
  json_array_add_object_element (json, object);
}

static gboolean
bench_plan (Cli *cli, PjGraph *graph, GError **error)
{
  PjPlanMode plan_mode = mode == NULL || strcmp (mode, "infer") == 0 ? PJ_PLAN_INFER
                         : strcmp (mode, "train") == 0 ? PJ_PLAN_TRAIN : PJ_PLAN_SCORE;
  unsigned n = batch > 0 ? (unsigned) batch : 64;
  PjParams *params = NULL;
  PjPlan *plan = make_plan (cli->device, graph, plan_mode, n, &params, error);
  const PjProgram *program = plan != NULL ? pj_plan_program (plan) : NULL;
  guint n_calls = program != NULL ? program->calls->len : 0;
  /* A profile alone would measure a device that has not chosen its kernels. */
  g_autofree double *ms = plan != NULL && run_once (plan, plan_mode, error) ? profile (cli, plan, n_calls, error)
                          : NULL;
  if (ms != NULL) {
    double total = 0.0;
    for (guint c = 0; c < n_calls; c++)
      total += ms[c];
    JsonArray *json = json_array_new ();
    CliTable *table = cli_table_new ((const char *[]) { "kernel", "layer", "output", ">ms", ">share", ">GFLOP/s",
                                                        ">GB/s", NULL });
    for (guint c = 0; c < n_calls; c++)
      add_call (table, json, graph, program, c, ms[c], total);
    g_autofree char *memory = cli_bytes (pj_plan_memory_bytes (plan));
    cli_say (cli, "%s, batch %u, %s, median of %d runs on %s; GB/s counts only what must be moved\n",
             pj_graph_get_name (graph), n,
             mode != NULL ? mode : "infer", repeats, cli->device->info.name);
    cli_table_print (table, cli);
    cli_say (cli, "  %.3f ms in all, %.0f images/s, %s of memory\n", total, n / total * 1e3, memory);
    json_object_set_array_member (cli->result, "calls", json);
    json_object_set_double_member (cli->result, "ms", total);
    json_object_set_int_member (cli->result, "batch", n);
    json_object_set_int_member (cli->result, "memory_bytes", (gint64) pj_plan_memory_bytes (plan));
  }
  pj_plan_free (plan);
  pj_params_free (params);
  return ms != NULL;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  gboolean plan = args[0] != NULL && strcmp (args[0], "plan") == 0;
  const char *path = plan ? args[1] : args[0];
  if (batch < 0 || batch > 65536 || repeats < 1 || repeats > 1000)
    return cli_usage (error, "--batch must be from 1 to 65536, --repeats from 1 to 1000");
  if (mode != NULL && strcmp (mode, "infer") != 0 && strcmp (mode, "train") != 0 && strcmp (mode, "score") != 0)
    return cli_usage (error, "--mode must be infer, train or score, not “%s”", mode);
  if (plan && path == NULL)
    return cli_usage (error, "bench plan needs MODEL");
  if (!plan && args[0] != NULL && args[1] != NULL)
    return cli_usage (error, "bench does not know what to do with “%s”", args[1]);
  g_auto (CliModel) model = { 0 };
  double width;
  if (path != NULL && pj_arch_parse (path, &width) != NULL) {
    model.graph = build (path, error);
    if (model.graph == NULL)
      return FALSE;
  } else if (path != NULL && !cli_open_model (cli, path, FALSE, &model, error)) {
    return FALSE;
  }
  if (cli_device (cli, error) == NULL)
    return FALSE;
  return plan ? bench_plan (cli, model.graph, error) : bench_networks (cli, model.graph, error);
}

const CliVerb cli_verb_bench = {
  .name = "bench",
  .arguments = "[plan] [ARCH|MODEL]",
  .summary = "Measures how fast networks run and train here, and where the time goes",
  .about = "ARCH is a network that can be made by name, see “train --list”; without one: vgg-mini and resnet-mini, for pictures of\n"
           "1×28×28.  “bench plan” times each kernel call.\n\n"
           "Examples:\n"
           "  penjing-cli bench\n"
           "  penjing-cli bench small.onnx --batch 64 --device vulkan:0\n"
           "  penjing-cli bench plan model.onnx --mode train",
  .entries = entries,
  .n_min = 0,
  .n_max = 2,
  .run = run,
};
