/* SPDX-License-Identifier: MIT */
/* info: what a network is made of, and what can be cut. */
#include <string.h>

#include "base/error.h"
#include "cli/verbs.h"
#include "model/work-infer.h"
#include "ops/op.h"
#include "train/arch.h"

/* More than rounding, in float32, over a handful of layers. */
#define CHECK_TOLERANCE 1e-4

static gboolean check;
static int classes, size;

static const GOptionEntry entries[] = {
  { "check", 0, 0, G_OPTION_ARG_NONE, &check,
    "Reorder the channels of each group and compare the outputs: finds a group that is "
    "not complete, without any data", NULL },
  { "classes", 0, 0, G_OPTION_ARG_INT, &classes, "With ARCH: number of classes (default: as published)", "N" },
  { "size", 0, 0, G_OPTION_ARG_INT, &size, "With ARCH: height and width of its pictures (default: as published)", "N" },
  { NULL }
};

static const char *
group_name (const PjGroups *groups, int node)
{
  const PjGroup *group = pj_groups_of_node (groups, node);
  return group != NULL ? group->name : "";
}

static void
show_layers (Cli *cli, const PjGraph *graph, const PjGroups *groups)
{
  JsonArray *list = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "layer", "kind", "output", ">parameters", ">MACs", "group",
                                                      NULL });
  for (unsigned i = 0; i < pj_graph_n_nodes (graph); i++) {
    const PjNode *node = pj_graph_node (graph, (int) i);
    const PjShape *shape = &pj_graph_value (graph, node->outputs[0])->shape;
    PjCost cost = { 0 };
    pj_graph_node_cost (graph, (int) i, &cost);
    g_autofree char *output = pj_shape_to_string (shape), *params = cli_count ((double) cost.learnable);
    g_autofree char *macs = cli_count ((double) cost.macs);
    cli_table_add (table, node->name, node->op->title, output, cost.learnable > 0 ? params : "", cost.macs > 0 ? macs
                   : "",
                   group_name (groups, (int) i), NULL);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", node->name);
    json_object_set_string_member (object, "op", node->op->name);
    json_object_set_array_member (object, "output", cli_json_shape (shape));
    cli_json_cost (object, &cost);
    json_object_set_string_member (object, "group", group_name (groups, (int) i));
    json_array_add_object_element (list, object);
  }
  cli_say (cli, "\nLayers\n");
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "layers", list);
}

/* "conv1, add1" of node indices. (transfer full) */
static char *
join_nodes (const PjGraph *graph, const GArray *nodes)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; nodes != NULL && i < nodes->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "",
                            pj_graph_node (graph, g_array_index (nodes, int, i))->name);
  return g_string_free (text, FALSE);
}

static void
show_groups (Cli *cli, const PjGraph *graph, const PjGroups *groups)
{
  JsonArray *list = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "group", ">channels", "made by", "read by", "tied by",
                                                      "can be cut", NULL });
  for (unsigned i = 0; i < pj_groups_n (groups); i++) {
    const PjGroup *group = pj_groups_get (groups, i);
    g_autofree char *channels = g_strdup_printf ("%d", group->n_channels);
    g_autofree char *producers = join_nodes (graph, group->producers);
    g_autofree char *consumers = join_nodes (graph, group->consumers), *ties = join_nodes (graph, group->ties);
    g_autofree char *verdict = group->lock_reason != NULL ? g_strdup_printf ("no: %s", group->lock_reason)
                               : group->n_blocks > 1 ? g_strdup_printf ("yes, evenly in %d blocks", group->n_blocks)
                                                     : g_strdup ("yes");
    cli_table_add (table, group->name, channels, producers, consumers, ties, verdict, NULL);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", group->name);
    json_object_set_int_member (object, "channels", group->n_channels);
    json_object_set_int_member (object, "blocks", group->n_blocks);
    json_object_set_string_member (object, "producers", producers);
    json_object_set_string_member (object, "consumers", consumers);
    json_object_set_string_member (object, "ties", ties);
    json_object_set_boolean_member (object, "locked", group->lock_reason != NULL);
    if (group->lock_reason != NULL)
      json_object_set_string_member (object, "lock_reason", group->lock_reason);
    json_array_add_object_element (list, object);
  }
  cli_say (cli, "\nGroups (channels that can only be cut together)\n");
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "groups", list);
}

static void
show_cost (Cli *cli, const PjGraph *graph)
{
  PjCost cost;
  pj_graph_cost (graph, &cost);
  g_autofree char *macs = cli_count ((double) cost.macs), *flops = cli_count (2.0 * (double) cost.macs);
  g_autofree char *params = cli_count ((double) cost.learnable), *weights = cli_count ((double) cost.weights);
  g_autofree char *memory = cli_bytes (cost.activation_bytes), *size = cli_bytes (4 * cost.learnable);
  cli_say (cli, "  MACs         %s (FLOPs, counted as 2 per MAC: %s), one image\n", macs, flops);
  cli_say (cli, "  parameters   %s: %s weights, the rest biases and 2 per norm channel (%" G_GUINT64_FORMAT " of them)\n",
           params, weights, cost.norm_channels);
  cli_say (cli, "  size         %s of parameters, %s of activations per image\n", size, memory);
  if (cost.unknown_nodes > 0)
    cli_say (cli, "  %u operators are not known: their cost is not counted, and the network cannot be run\n",
             cost.unknown_nodes);
  cli_json_cost (cli->result, &cost);
  json_object_set_int_member (cli->result, "flops", (gint64) (2 * cost.macs));
  json_object_set_int_member (cli->result, "weights", (gint64) cost.weights);
  json_object_set_int_member (cli->result, "norm_channels", (gint64) cost.norm_channels);
  json_object_set_int_member (cli->result, "activation_bytes", (gint64) cost.activation_bytes);
  json_object_set_int_member (cli->result, "unknown_operators", cost.unknown_nodes);
}

static void
show_notes (Cli *cli, const PjGraph *graph)
{
  JsonObject *notes = json_object_new ();
  g_autoptr (GList) keys = pj_graph_meta_keys (graph);
  for (GList *key = keys; key != NULL; key = key->next) {
    const char *text = pj_graph_get_meta (graph, key->data);
    json_object_set_string_member (notes, key->data, text);
    cli_say (cli, "%s  %s = %.200s%s\n", key == keys ? "\nNotes\n" : "", (const char *) key->data, text,
             strlen (text) > 200 ? "…" : "");
  }
  json_object_set_object_member (cli->result, "notes", notes);
}

static gboolean
check_groups (Cli *cli, const CliModel *model, GError **error)
{
  unsigned n = pj_groups_n (model->groups), n_bad = 0, n_checked = 0;
  g_autofree double *differences = g_new0 (double, MAX (1, n));
  PjDevice *device = cli_device (cli, error);
  if (device == NULL || !pj_work_check_groups (device, model->graph, model->groups, (uint64_t) cli->seed, differences,
                                               &cli->hooks, error))
    return FALSE;
  JsonArray *list = json_array_new ();
  cli_say (cli, "\nCheck: change of the outputs when a group's channels are reordered\n");
  for (unsigned i = 0; i < n; i++) {
    const PjGroup *group = pj_groups_get (model->groups, i);
    if (differences[group->id] < 0.0)
      continue;
    gboolean bad = differences[group->id] > CHECK_TOLERANCE;
    n_checked++;
    n_bad += bad;
    cli_say (cli, "  %-20s %.1e  %s\n", group->name, differences[group->id], bad ? "NOT COMPLETE" : "complete");
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "group", group->name);
    json_object_set_double_member (object, "difference", differences[group->id]);
    json_array_add_object_element (list, object);
  }
  json_object_set_array_member (cli->result, "check", list);
  if (n_bad == 0) {
    cli_say (cli, "  all %u groups that can be cut are complete\n", n_checked);
    return TRUE;
  }
  g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
               "%u of %u groups are not complete: cutting them would change more than their "
               "channels; please report this network", n_bad, n_checked);
  return FALSE;
}

/* A network by name; without weights unless they are going to be used. */
static gboolean
make_model (Cli *cli, const PjArch *arch, double width, CliModel *model, GError **error)
{
  PjArchOptions options;
  pj_arch_options_init (&options, arch);
  options.width = width;
  options.seed = (uint64_t) cli->seed;
  options.outline = !check;
  if (classes > 0)
    options.n_classes = (unsigned) classes;
  if (size > 0)
    options.h = options.w = size;
  model->graph = pj_arch_build (arch, &options, error);
  if (model->graph == NULL)
    return FALSE;
  model->groups = pj_groups_new (model->graph);
  model->plan = pj_cut_plan_new ();
  model->name = g_strdup (pj_graph_get_name (model->graph));
  json_object_set_string_member (cli->result, "model", model->name);
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  g_auto (CliModel) model = { 0 };
  double width;
  const PjArch *arch = g_file_test (args[0], G_FILE_TEST_EXISTS) ? NULL : pj_arch_parse (args[0], &width);
  if (classes < 0 || size < 0)
    return cli_usage (error, "numbers must not be negative");
  if (arch == NULL && (classes != 0 || size != 0))
    return cli_usage (error, "--classes and --size are for networks that are made by name; this one has its own");
  if (arch != NULL ? !make_model (cli, arch, width, &model, error) : !cli_open_model (cli, args[0], FALSE, &model, error))
    return FALSE;
  const PjShape *input = &pj_graph_value (model.graph, pj_graph_get_input (model.graph))->shape;
  g_autofree char *shape = pj_shape_to_string (input);
  cli_say (cli, "%s\n  input        %s, batch free\n  classes      %u\n", model.name, shape,
           pj_graph_n_classes (model.graph));
  json_object_set_array_member (cli->result, "input", cli_json_shape (input));
  json_object_set_int_member (cli->result, "classes", pj_graph_n_classes (model.graph));
  show_cost (cli, model.graph);
  show_layers (cli, model.graph, model.groups);
  show_groups (cli, model.graph, model.groups);
  show_notes (cli, model.graph);
  return !check || check_groups (cli, &model, error);
}

const CliVerb cli_verb_info = {
  .name = "info",
  .arguments = "ARCH|MODEL",
  .summary = "Lists layers, groups, locked groups with reasons, MACs, FLOPs and parameters",
  .about = "MACs: k²·(inputs/groups)·outputs·height·width per convolution, inputs·outputs per fully connected layer; nothing else\n"
           "is counted. FLOPs are twice that. Parameters: weights, biases and two per norm channel.  ARCH is a network that can be\n"
           "made by name, see “train --list”.\n\n"
           "Examples:\n"
           "  penjing-cli info model.onnx\n"
           "  penjing-cli info model.onnx --check\n"
           "  penjing-cli info resnet50 --classes 200\n"
           "  penjing-cli info mobilenetv2-0.5 --size 160\n"
           "  penjing-cli info sample --json",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
