/* SPDX-License-Identifier: MIT */
/* tables: published parameter and MAC counts beside our own. */
#include "cli/verbs.h"
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

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (!show_rows (cli, error))
    return FALSE;
  show_remarks (cli);
  return TRUE;
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
