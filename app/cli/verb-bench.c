/* SPDX-License-Identifier: MIT */
/* bench: how fast a network runs and trains here, and where the time goes. */
#include <stdlib.h>
#include <string.h>

#include "cli/bench/bench.h"
#include "cli/verbs.h"
#include "compute/tune.h"
#include "model/work-profile.h"
#include "train/arch.h"

static int batch, size, classes, repeats = 5;
static char *mode, *only;
static gboolean peers, quick, recompute;

static const GOptionEntry entries[] = {
  { "batch", 0, 0, G_OPTION_ARG_INT, &batch, "Images per run (default: 1, 64 and 256; for plan 64)", "N" },
  { "repeats", 0, 0, G_OPTION_ARG_INT, &repeats, "Runs of which the median counts (default 5)", "N" },
  { "mode", 0, 0, G_OPTION_ARG_FILENAME, &mode, "Of plan: infer (default), train or score", "NAME" },
  { "size", 0, 0, G_OPTION_ARG_INT, &size, "Of ARCH: height and width of its pictures", "PIXELS" },
  { "classes", 0, 0, G_OPTION_ARG_INT, &classes, "Of ARCH: its classes", "N" },
  { "recompute", 0, 0, G_OPTION_ARG_NONE, &recompute, "Of plan: keep few activations, as train --recompute does", NULL },
  { "peers", 0, 0, G_OPTION_ARG_NONE, &peers, "Next to other programs that do the same: one table with targets", NULL },
  { "only", 0, 0, G_OPTION_ARG_FILENAME, &only, "Of --peers: these figures only, with commas between", "NAMES" },
  { "quick", 0, 0, G_OPTION_ARG_NONE, &quick, "Of --peers: an impression in a fraction of the time", NULL },
  { NULL }
};

/* --- end to end --- */

static gboolean
time_mode (Cli *cli, PjGraph *graph, PjPlanMode plan_mode, unsigned n, CliTable *table, JsonArray *json, GError **error)
{
  g_auto (BenchNet) net = { 0 };
  g_autofree double *ms = g_new (double, repeats);
  /* The first run chooses kernels and fills caches: it does not count. */
  gboolean ok = bench_net_init (&net, cli->device, graph, plan_mode, n, NULL, error) && bench_net_run (&net, error);
  for (int i = 0; ok && i < repeats; i++) {
    /* One image takes less than a clock can resolve well: about as many as in the largest batch. */
    int inner = (int) MAX (1, 64 / n);
    gint64 before = g_get_monotonic_time ();
    for (int j = 0; ok && j < inner; j++)
      ok = bench_net_run (&net, error);
    ms[i] = (double) (g_get_monotonic_time () - before) / 1e3 / inner;
    ok = ok && pj_hooks_go_on (&cli->hooks, error);
  }
  if (ok) {
    double time = bench_median (ms, repeats), spread = ms[repeats - 1] / ms[0];
    PjCost cost;
    pj_graph_cost (graph, &cost);
    /* A backward pass is about two forward passes. */
    double flops = 2.0 * (double) cost.macs * n * (plan_mode == PJ_PLAN_INFER ? 1.0 : 3.0);
    const char *what = plan_mode == PJ_PLAN_INFER ? "inference" : "training step";
    g_autofree char *pictures = g_strdup_printf ("%u", n), *text = g_strdup_printf ("%.2f", time);
    g_autofree char *speed = g_strdup_printf ("%.0f", n / time * 1e3);
    g_autofree char *rate = g_strdup_printf ("%.1f", flops / time / 1e6);
    g_autofree char *memory = cli_bytes (pj_plan_memory_bytes (net.plan)), *range = g_strdup_printf ("%.2f", spread);
    cli_table_add (table, pj_graph_get_name (graph), what, pictures, text, speed, rate, memory, range, NULL);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "network", pj_graph_get_name (graph));
    json_object_set_string_member (object, "mode", what);
    json_object_set_int_member (object, "batch", n);
    json_object_set_double_member (object, "ms", time);
    json_object_set_double_member (object, "images_per_second", n / time * 1e3);
    json_object_set_double_member (object, "gflops", flops / time / 1e6);
    json_object_set_int_member (object, "memory_bytes", (gint64) pj_plan_memory_bytes (net.plan));
    json_array_add_object_element (json, object);
  }
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

/* A network by name, for the pictures that it was published for unless the options say otherwise. */
static PjGraph *
build (const char *name, GError **error)
{
  PjArchOptions options;
  double width;
  const PjArch *arch = pj_arch_parse (name, &width);
  pj_arch_options_init (&options, arch);
  options.width = width;
  if (size > 0)
    options.h = options.w = size;
  if (classes > 0)
    options.n_classes = (unsigned) classes;
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

static void
add_call (CliTable *table, JsonArray *json, const PjGraph *graph, const PjWorkCall *call, double total)
{
  const char *node = call->node >= 0 ? pj_graph_node (graph, call->node)->name : "";
  g_autofree char *time = g_strdup_printf ("%.3f", call->ms);
  g_autofree char *part = g_strdup_printf ("%.1f %%", total > 0.0 ? 100.0 * call->ms / total : 0.0);
  g_autofree char *rate = call->flops > 0.0 && call->ms > 0.0 ? g_strdup_printf ("%.1f", call->flops / call->ms / 1e6) : g_strdup ("");
  g_autofree char *width = g_strdup_printf ("%.1f", call->ms > 0.0 ? call->bytes / call->ms / 1e6 : 0.0);
  g_autofree char *share = g_strdup_printf ("%.0f %%", 100.0 * call->share);
  g_autofree char *kernel = g_strconcat (call->kernel, call->again ? " again" : "", NULL);
  cli_table_add (table, kernel, node, call->output, time, part, rate, width, share, NULL);
  JsonObject *object = json_object_new ();
  json_object_set_string_member (object, "kernel", call->kernel);
  json_object_set_boolean_member (object, "again", call->again);
  json_object_set_string_member (object, "node", node);
  json_object_set_string_member (object, "output", call->output);
  json_object_set_double_member (object, "ms", call->ms);
  json_object_set_double_member (object, "flops", call->flops);
  json_object_set_double_member (object, "bytes", call->bytes);
  json_object_set_double_member (object, "share_of_limit", call->share);
  json_array_add_object_element (json, object);
}

static double
memory_bytes (const char *field)
{
  g_autofree char *text = NULL, *key = g_strconcat ("\n", field, ":", NULL);
  const char *line = g_file_get_contents ("/proc/self/status", &text, NULL, NULL) ? strstr (text, key) : NULL;
  return line != NULL ? 1024.0 * (double) g_ascii_strtoull (line + strlen (key), NULL, 10) : 0.0;
}

static void
plan_json (Cli *cli, const PjWorkProfile *profile, double start_bytes, double peak_bytes)
{
  JsonObject *limits = json_object_new (), *resident = json_object_new ();
  json_object_set_double_member (limits, "flops", profile->limits.flops);
  json_object_set_double_member (limits, "bytes_per_second", profile->limits.bytes);
  json_object_set_object_member (cli->result, "limits", limits);
  /* Of the process: before the network was made, and at most while it ran. */
  json_object_set_double_member (resident, "start_bytes", start_bytes);
  json_object_set_double_member (resident, "peak_bytes", peak_bytes);
  json_object_set_object_member (cli->result, "resident", resident);
  json_object_set_double_member (cli->result, "ms", profile->ms);
  json_object_set_double_member (cli->result, "start_ms", profile->start_ms);
  json_object_set_double_member (cli->result, "host_us", profile->host_us);
  json_object_set_int_member (cli->result, "batch", profile->batch);
  json_object_set_int_member (cli->result, "memory_bytes", (gint64) profile->memory_bytes);
}

static gboolean
bench_plan (Cli *cli, PjGraph *graph, double start_bytes, GError **error)
{
  PjPlanMode plan_mode = mode == NULL || strcmp (mode, "infer") == 0 ? PJ_PLAN_INFER
                         : strcmp (mode, "train") == 0 ? PJ_PLAN_TRAIN : PJ_PLAN_SCORE;
  unsigned n = batch > 0 ? (unsigned) batch : 64;
  g_auto (PjWorkProfile) profile = { 0 };

  PjWorkProfileOptions options = { plan_mode, n, (unsigned) repeats, recompute ? PJ_RECOMPUTE_BLOCKS : PJ_RECOMPUTE_NORMS };
  if (!pj_work_profile (cli->device, graph, &options, &cli->hooks, &profile, error))
    return FALSE;
  double peak_bytes = memory_bytes ("VmHWM");
  if (!pj_work_profile_judge (&profile, cli->device, error))
    return FALSE;
  JsonArray *json = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "kernel", "layer", "output", ">ms", ">share", ">GFLOP/s", ">GB/s",
                                                      ">of limit", NULL });
  for (guint c = 0; c < profile.calls->len; c++)
    add_call (table, json, graph, &g_array_index (profile.calls, PjWorkCall, c), profile.ms);
  g_autofree char *memory = cli_bytes (profile.memory_bytes);
  cli_say (cli, "%s, batch %u, %s, median of %d runs on %s\n", pj_graph_get_name (graph), n, mode != NULL ? mode : "infer", repeats,
           cli->device->info.name);
  cli_say (cli, "Limit: %.0f GFLOP/s in a large matrix product, %.1f GB/s through memory, both measured; GB/s counts only what must "
           "be moved\n", profile.limits.flops / 1e9, profile.limits.bytes / 1e9);
  cli_table_print (table, cli);
  cli_say (cli, "  %.3f ms in all, %.0f images/s, %s of memory; %.2f s to start\n", profile.ms, n / profile.ms * 1e3, memory,
           profile.start_ms / 1e3);
  if (profile.host_us > 0.0)
    cli_say (cli, "  %.0f µs of it on the host: recorded commands are submitted again, nothing waits in between\n", profile.host_us);
  json_object_set_array_member (cli->result, "calls", json);
  plan_json (cli, &profile, start_bytes, peak_bytes);
  return TRUE;
}

/* --- what the device learned of its kernels --- */

static gboolean
bench_tune (Cli *cli, PjGraph *graph, GError **error)
{
  /* A plan of the network makes the device measure what it does not know yet. */
  for (int learns = 0; graph != NULL && learns < 2; learns++) {
    g_auto (BenchNet) net = { 0 };
    pj_hooks_progress (&cli->hooks, 0.5 * learns, "%s, %s", pj_graph_get_name (graph), learns ? "training" : "inference");
    if (!bench_net_init (&net, cli->device, graph, learns ? PJ_PLAN_TRAIN : PJ_PLAN_INFER, batch > 0 ? (unsigned) batch : 64, NULL, error)
        || !pj_hooks_go_on (&cli->hooks, error))
      return FALSE;
  }
  g_autoptr (GPtrArray) rows = pj_device_tuning (cli->device);
  JsonArray *json = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "kernel and shape", ">ms of the variants", "taken", NULL });
  for (guint i = 0; i < rows->len; i++) {
    const PjTuneRow *row = rows->pdata[i];
    g_autoptr (GString) times = g_string_new (NULL);
    JsonObject *object = json_object_new ();
    JsonArray *ms = json_array_new ();
    for (unsigned v = 0; v < row->n_variants; v++) {
      g_string_append_printf (times, "%s%.3f", v > 0 ? "  " : "", row->ms[v]);
      json_array_add_double_element (ms, row->ms[v]);
    }
    g_autofree char *taken = strcmp (row->variants[row->best], "?") != 0 ? g_strdup (row->variants[row->best])
                             : g_strdup_printf ("number %u", row->best + 1);
    cli_table_add (table, row->what, times->str, taken, NULL);
    json_object_set_string_member (object, "what", row->what);
    json_object_set_array_member (object, "ms", ms);
    json_object_set_int_member (object, "best", row->best);
    json_array_add_object_element (json, object);
  }
  cli_say (cli, rows->len > 0 ? "%s (%s)\n" : "%s (%s) has no kernels with variants, or measured none yet; name a network\n",
           cli->device->info.name, cli->device->info.driver);
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "tuning", json);
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  gboolean plan = g_strcmp0 (args[0], "plan") == 0, tune = g_strcmp0 (args[0], "tune") == 0;
  const char *path = plan || tune ? args[1] : args[0];
  if (batch < 0 || batch > 65536 || repeats < 1 || repeats > 1000)
    return cli_usage (error, "--batch must be from 1 to 65536, --repeats from 1 to 1000");
  if (mode != NULL && strcmp (mode, "infer") != 0 && strcmp (mode, "train") != 0 && strcmp (mode, "score") != 0)
    return cli_usage (error, "--mode must be infer, train or score, not “%s”", mode);
  if (plan && path == NULL)
    return cli_usage (error, "bench plan needs MODEL");
  if (!plan && !tune && args[0] != NULL && args[1] != NULL)
    return cli_usage (error, "bench does not know what to do with “%s”", args[1]);
  if (size < 0 || classes < 0)
    return cli_usage (error, "--size and --classes must be positive");
  if (!peers && (only != NULL || quick))
    return cli_usage (error, "--only and --quick go with --peers");
  if (peers)
    return path != NULL ? cli_usage (error, "bench --peers chooses its networks itself; leave out “%s”", path)
                        : bench_peers (cli, only, quick, error);
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
  if (tune)
    return bench_tune (cli, model.graph, error);
  double start_bytes = memory_bytes ("VmRSS");
  return plan ? bench_plan (cli, model.graph, start_bytes, error) : bench_networks (cli, model.graph, error);
}

const CliVerb cli_verb_bench = {
  .name = "bench",
  .arguments = "[plan|tune] [ARCH|MODEL]",
  .summary = "Measures how fast networks run and train here, and where the time goes",
  .about = "ARCH is a network that can be made by name, see “train --list”; without one: vgg-mini and resnet-mini, for pictures of\n"
           "1×28×28.  “bench plan” times each kernel call and says how much of the device's limit it reaches.  “bench\n"
           "tune” shows which variants of its kernels a Vulkan device takes, and measures those of MODEL first.  “bench\n"
           "--peers” runs the figures that this program is judged by next to PyTorch, onnxruntime and OpenBLAS, as far as they are\n"
           "installed, in alternation and in about fifteen minutes on two cores.\n\n"
           "Examples:\n"
           "  penjing-cli bench\n"
           "  penjing-cli bench small.onnx --batch 64 --device vulkan:0\n"
           "  penjing-cli bench plan model.onnx --mode train\n"
           "  penjing-cli bench plan resnet20 --mode train --batch 64\n"
           "  penjing-cli bench tune resnet20 --device vulkan:0\n"
           "  penjing-cli bench --peers --only train",
  .entries = entries,
  .n_min = 0,
  .n_max = 2,
  .run = run,
};
