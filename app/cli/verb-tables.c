/* SPDX-License-Identifier: MIT */
/* tables: published parameter and MAC counts beside our own. */
#include "cli/verbs.h"
#include "prune/scores/kl-cost.h"
#include "train/arch.h"
#include "train/tables.h"

/* 138357544 -> "138,357,544", so that digits can be compared. (transfer full) */
static char *
exact (uint64_t number)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, number);
  GString *text = g_string_new (digits);
  for (gssize at = (gssize) text->len - 3; at > 0; at -= 3)
    g_string_insert_c (text, at, ',');
  return g_string_free (text, FALSE);
}

/* "138.34M weights; 30.94B flops" with a mark where the count disagrees; and as JSON. (transfer full) */
static char *
compare (const PjTableRow *row, const PjCost *cost, JsonArray *json, unsigned *n_agree, unsigned *n_differ)
{
  GString *text = g_string_new (NULL);
  for (const PjClaim *claim = row->claims; claim->printed != NULL; claim++) {
    uint64_t count = pj_convention_count (claim->convention, cost);
    gboolean agrees = pj_claim_agrees (claim, count);
    double scale = claim->unit == 'G' ? 1e9 : 1e6;
    *(agrees ? n_agree : n_differ) += 1;
    /* Papers print billions of FLOPs as B. */
    gboolean flops = claim->convention == PJ_COUNT_FLOPS || claim->convention == PJ_COUNT_FLOPS_CAFFE;
    g_string_append_printf (text, "%s%s%c %s", text->len > 0 ? "; " : "", claim->printed, flops && claim->unit == 'G' ? 'B' : claim->unit,
                            pj_convention_name (claim->convention));
    if (!agrees)
      g_string_append_printf (text, " (differs: %.4f)", (double) count / scale);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "key", pj_convention_name (claim->convention));
    json_object_set_double_member (object, "scale", scale);
    json_object_set_string_member (object, "printed", claim->printed);
    json_object_set_int_member (object, "computed", (gint64) count);
    json_object_set_boolean_member (object, "agrees", agrees);
    json_array_add_object_element (json, object);
  }
  return g_string_free (text, FALSE);
}

static void
add_row (const PjTableRow *row, const PjCost *cost, CliTable *table, JsonArray *rows, unsigned *n_agree, unsigned *n_differ)
{
  JsonObject *object = json_object_new ();
  JsonArray *claims = json_array_new ();
  g_autofree char *weights = exact (cost->weights), *learnable = exact (cost->learnable), *macs = exact (cost->macs);
  g_autofree char *norms = exact (cost->norm_channels), *printed = compare (row, cost, claims, n_agree, n_differ);
  cli_table_add (table, row->name, weights, learnable, macs, norms, printed, NULL);
  json_object_set_string_member (object, "name", row->name);
  json_object_set_string_member (object, "arch", row->arch);
  json_object_set_int_member (object, "classes", row->n_classes);
  json_object_set_string_member (object, "cut", row->how != NULL ? row->how : "nothing");
  for (int c = 0; c < PJ_N_CONVENTIONS; c++)
    json_object_set_int_member (object, pj_convention_name (c), (gint64) pj_convention_count (c, cost));
  json_object_set_int_member (object, "norm_channels", (gint64) cost->norm_channels);
  json_object_set_array_member (object, "published", claims);
  if (row->note != NULL)
    json_object_set_string_member (object, "note", row->note);
  json_array_add_object_element (rows, object);
}

static gboolean
show_rows (Cli *cli, GError **error)
{
  JsonArray *rows = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "network", ">weights", ">learnable", ">MACs", ">norm channels", "published",
                                                      NULL });
  unsigned n_agree = 0, n_differ = 0;
  gboolean ok = TRUE;
  for (const PjTableRow *row = pj_table_rows; ok && row->name != NULL; row++) {
    PjCost cost;
    g_autoptr (PjGraph) graph = pj_table_row_make (row, error);
    ok = graph != NULL;
    if (!ok)
      break;
    pj_graph_cost (graph, &cost);
    add_row (row, &cost, table, rows, &n_agree, &n_differ);
  }
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "rows", rows);
  json_object_set_int_member (cli->result, "agree", n_agree);
  json_object_set_int_member (cli->result, "differ", n_differ);
  if (ok)
    cli_say (cli, "\n  %u published numbers agree, %u differ\n", n_agree, n_differ);
  return ok;
}

static void
show_remarks (Cli *cli)
{
  cli_say (cli, "\nWhat was made\n");
  for (const PjTableRow *row = pj_table_rows; row->name != NULL; row++)
    if (row->how != NULL || row->note != NULL)
      cli_say (cli, "  %s: %s%s%s%s%s\n", row->name, row->arch, row->how != NULL ? "; " : "", row->how != NULL ? row->how : "",
               row->note != NULL ? ". Note: " : "", row->note != NULL ? row->note : "");
  cli_say (cli, "\nWhat is counted, for one picture\n");
  for (int c = 0; c < PJ_N_CONVENTIONS; c++)
    cli_say (cli, "  %-12s %s\n", pj_convention_name (c), pj_convention_about (c));
  JsonArray *quoted = json_array_new ();
  cli_say (cli, "\nPrinted elsewhere, and not to be computed\n");
  for (const PjQuotedRow *row = pj_quoted_rows; row->name != NULL; row++) {
    cli_say (cli, "  %s: %s%s%s\n", row->name, row->printed, *row->printed != '\0' ? "; " : "", row->missing);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", row->name);
    json_object_set_string_member (object, "printed", row->printed);
    json_object_set_string_member (object, "missing", row->missing);
    json_array_add_object_element (quoted, object);
  }
  json_object_set_array_member (cli->result, "quoted", quoted);
}

static void
show_speedups (Cli *cli)
{
  JsonArray *rows = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "ResNet-50", ">FLOPs", ">of", ">ratio", ">printed", NULL });
  cli_say (cli, "\nSpeed-ups, from the printed FLOPs; networks are held against one of two baselines\n");
  for (const PjSpeedupRow *row = pj_speedup_rows; row->name != NULL; row++) {
    g_autofree char *flops = g_strdup_printf ("%.2f B", row->flops), *baseline = g_strdup_printf ("%.2f B", row->baseline);
    g_autofree char *ratio = g_strdup_printf ("%.2f", pj_speedup_ratio (row));
    g_autofree char *printed = g_str_equal (ratio, row->printed) ? g_strdup (row->printed)
                               : g_strdup_printf ("%s (from numbers that were not rounded yet)", row->printed);
    cli_table_add (table, row->name, flops, baseline, ratio, printed, NULL);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", row->name);
    json_object_set_double_member (object, "flops", row->flops);
    json_object_set_double_member (object, "baseline", row->baseline);
    json_object_set_double_member (object, "ratio", pj_speedup_ratio (row));
    json_object_set_string_member (object, "printed", row->printed);
    json_array_add_object_element (rows, object);
  }
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "speedups", rows);
}

static void
show_days (Cli *cli)
{
  JsonArray *rows = json_array_new ();
  cli_say (cli, "\nDays of training, MobileNetV2 on ImageNet\n");
  for (const PjDaysRow *row = pj_days_rows; row->name != NULL; row++) {
    g_autoptr (GString) formula = g_string_new (NULL);
    for (guint i = 0; i < G_N_ELEMENTS (row->parts) && row->parts[i].times > 0; i++)
      g_string_append_printf (formula, "%s%g s · %g", i > 0 ? " + " : "", row->parts[i].seconds, row->parts[i].times);
    cli_say (cli, "  %s: %.2f, printed %s: %s (%s)\n", row->name, pj_days (row), row->printed, formula->str, row->what);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", row->name);
    json_object_set_double_member (object, "days", pj_days (row));
    json_object_set_string_member (object, "printed", row->printed);
    json_object_set_string_member (object, "formula", formula->str);
    json_array_add_object_element (rows, object);
  }
  json_object_set_array_member (cli->result, "training_days", rows);
}

/* What CURL's scores of ResNet-50 cost, of which the authors leave the stem whole. */
static gboolean
show_scoring (Cli *cli, GError **error)
{
  PjArchOptions options;
  PjKlCost cost;
  const PjArch *arch = pj_arch_find ("resnet50");
  pj_arch_options_init (&options, arch);
  options.outline = TRUE;
  g_autoptr (PjGraph) graph = pj_arch_build (arch, &options, error);
  if (graph == NULL)
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autofree guint8 *left_out = g_malloc0 (pj_groups_n (groups));
  left_out[pj_groups_of_node (groups, 0)->id] = 1;
  pj_kl_cost (graph, groups, left_out, &cost);
  g_autofree char *full = exact (cost.full), *naive = exact (cost.naive);
  g_autofree char *suffix = exact (cost.suffix), *delta = exact (cost.delta);
  cli_say (cli, "\nKL divergence of %u channels of ResNet-50, multiply-accumulates for one picture\n", cost.n_masks);
  cli_say (cli, "  the network once                    %s\n  the network for each channel        %s\n", full, naive);
  cli_say (cli, "  what lies behind each channel       %s (%.4f), as computed here\n", suffix,
           (double) cost.suffix / (double) cost.naive);
  cli_say (cli, "  and of its reader one slice         %s (%.4f)\n", delta,
           (double) cost.delta / (double) cost.naive);
  JsonObject *object = json_object_new ();
  json_object_set_int_member (object, "masks", cost.n_masks);
  json_object_set_int_member (object, "full_forward_macs", (gint64) cost.full);
  json_object_set_int_member (object, "naive_macs_per_image", (gint64) cost.naive);
  json_object_set_int_member (object, "suffix_macs_per_image", (gint64) cost.suffix);
  json_object_set_int_member (object, "suffix_delta_macs_per_image", (gint64) cost.delta);
  json_object_set_object_member (cli->result, "curl_scoring_cost", object);
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (!show_rows (cli, error))
    return FALSE;
  show_remarks (cli);
  show_speedups (cli);
  show_days (cli);
  return show_scoring (cli, error);
}

const CliVerb cli_verb_tables = {
  .name = "tables",
  .arguments = "",
  .summary = "Counts the networks of published tables again, beside the printed numbers",
  .about = "Every network is made by name, cut as its paper cut it, and counted; papers count differently, so each number comes with\n"
           "what it counts.  Nothing is trained: this takes a second.\n\n"
           "Examples:\n"
           "  penjing-cli tables\n"
           "  penjing-cli tables --json",
  .run = run,
};
