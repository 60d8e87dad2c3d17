/* SPDX-License-Identifier: MIT */
/* sensitivity: what each group can lose. */
#include "cli/verbs.h"
#include "io/file.h"
#include "model/work-open.h"

static char *data, *criterion, *keep, *csv, *session;
static int n_images, n_test = 1000;
static double tolerance = 100 * PJ_SWEEP_TOLERANCE;

static const GOptionEntry entries[] = {
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Data set (default: sample)", "DATA" },
  { "criterion", 0, 0, G_OPTION_ARG_FILENAME, &criterion,
    "Says which channels of a group go first; “score --list” lists them (default: weight-sum)", "NAME" },
  { "keep", 0, 0, G_OPTION_ARG_FILENAME, &keep, "Keep ratios, separated by commas (default 0.9,0.8,…,0.1)", "R1,R2,…" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_test, "Measure on the first N test pictures, 0 for all (default 1000)", "N" },
  { "samples", 0, 0, G_OPTION_ARG_INT, &n_images, "Calibration pictures of the criterion (default: its own)", "N" },
  { "tolerance", 0, 0, G_OPTION_ARG_DOUBLE, &tolerance, "Accuracy that a group may cost, in points (default 1)", "POINTS" },
  { "csv", 0, 0, G_OPTION_ARG_FILENAME, &csv, "Also write group,channels,keep,kept,top1,kl to a file", "FILE" },
  { "session", 0, 0, G_OPTION_ARG_FILENAME, &session,
    "Session that records the work (default: beside --csv; none: nowhere)", "FILE" },
  { NULL }
};

/* --- results --- */

static gboolean
write_csv (const PjGroups *groups, const PjSweep *sweep, const char *path, GError **error)
{
  g_autoptr (GString) text = g_string_new ("group,channels,keep,kept,top1,kl\n");

  for (guint i = 0; i < sweep->groups->len; i++) {
    const PjGroupSweep *part = sweep->groups->pdata[i];
    for (unsigned k = 0; k < part->n_points; k++) {
      const PjSweepPoint *point = &part->points[k];
      char ratio[G_ASCII_DTOSTR_BUF_SIZE], top1[G_ASCII_DTOSTR_BUF_SIZE], kl[G_ASCII_DTOSTR_BUF_SIZE];
      g_string_append_printf (text, "\"%s\",%d,%s,%d,%s,%s\n", pj_groups_get (groups, (unsigned) part->group)->name,
                              part->n_channels, g_ascii_dtostr (ratio, sizeof ratio, point->ratio), point->n_kept,
                              g_ascii_dtostr (top1, sizeof top1, point->top1), g_ascii_dtostr (kl, sizeof kl, point->kl));
    }
  }
  g_autoptr (PjFileWriter) writer = pj_file_writer_new (path, error);
  return writer != NULL && pj_file_writer_append (writer, text->str, text->len, error) && pj_file_writer_finish (writer, error);
}

static JsonObject *
group_json (const PjSweep *sweep, const PjGroupSweep *part, const char *name, const char *reading, double allowed)
{
  JsonObject *object = json_object_new ();
  JsonArray *points = json_array_new ();

  json_object_set_string_member (object, "group", name);
  json_object_set_int_member (object, "channels", part->n_channels);
  json_object_set_string_member (object, part->refusal != NULL ? "refusal" : "reading", reading);
  for (unsigned k = 0; k < part->n_points; k++) {
    JsonObject *point = json_object_new ();
    json_object_set_double_member (point, "keep", part->points[k].ratio);
    json_object_set_int_member (point, "kept", part->points[k].n_kept);
    json_object_set_double_member (point, "top1", part->points[k].top1);
    json_object_set_double_member (point, "kl", part->points[k].kl);
    json_array_add_object_element (points, point);
  }
  json_object_set_array_member (object, "points", points);
  const PjSweepPoint *limit = pj_sweep_limit (sweep, part, allowed);
  if (limit != NULL)
    json_object_set_double_member (object, "can_lose", 1.0 - (double) limit->n_kept / part->n_channels);
  return object;
}

/* Accuracies in one cell, so that the columns follow the ratios. */
static char *
accuracy_cells (const PjGroupSweep *part)
{
  GString *cells = g_string_new (NULL);
  for (unsigned k = 0; k < part->n_points; k++)
    g_string_append_printf (cells, "%s%5.1f", k > 0 ? " " : "", 100 * part->points[k].top1);
  return g_string_free (cells, FALSE);
}

static char *
ratio_cells (const PjSweep *sweep)
{
  GString *cells = g_string_new (NULL);
  for (guint i = 0; i < sweep->groups->len && cells->len == 0; i++) {
    const PjGroupSweep *part = sweep->groups->pdata[i];
    for (unsigned k = 0; k < part->n_points; k++)
      g_string_append_printf (cells, "%s%5.3g", k > 0 ? " " : "", part->points[k].ratio);
  }
  return g_string_free (cells, FALSE);
}

gboolean
cli_show_sweep (Cli *cli, const PjGroups *groups, const PjSweep *sweep, double allowed, const char *path, GError **error)
{
  g_autofree char *base = cli_percent (sweep->base_top1), *ratios = ratio_cells (sweep);
  JsonArray *json = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "group", ">channels", ratios, "reading", NULL });

  for (guint i = 0; i < sweep->groups->len; i++) {
    const PjGroupSweep *part = sweep->groups->pdata[i];
    const char *name = pj_groups_get (groups, (unsigned) part->group)->name;
    g_autofree char *reading = pj_sweep_reading (sweep, part, allowed), *cells = accuracy_cells (part);
    g_autofree char *channels = g_strdup_printf ("%d", part->n_channels);
    cli_table_add (table, name, channels, cells, reading, NULL);
    json_array_add_object_element (json, group_json (sweep, part, name, reading, allowed));
  }
  cli_say (cli, "Whole network: top-1 %s on %u test pictures.  Top-1 in %% against the share of channels that one group keeps:\n",
           base, sweep->n_pictures);
  cli_table_print (table, cli);
  json_object_set_double_member (cli->result, "top1", sweep->base_top1);
  json_object_set_int_member (cli->result, "n", sweep->n_pictures);
  json_object_set_array_member (cli->result, "groups", json);
  return path == NULL || write_csv (groups, sweep, path, error);
}

/* --- the verb --- */

typedef struct {
  Cli *cli;
  const PjGroups *groups;
} Notes;

static gboolean
read_settings (Cli *cli, PjWorkSensitivity *settings, GError **error)
{
  if (n_images < 0 || n_test < 0 || !(tolerance >= 0))
    return cli_usage (error, "numbers must not be negative");
  if (criterion != NULL) {
    g_free (settings->criterion);
    settings->criterion = g_strdup (criterion);
  }
  if (pj_criterion_find (settings->criterion) == NULL)
    return cli_usage (error, "there is no criterion “%s”; “penjing-cli score --list” lists them", settings->criterion);
  if (keep != NULL) {
    g_strfreev (settings->ratios);
    settings->ratios = g_strsplit (keep, ",", -1);
  }
  for (char **ratio = settings->ratios; *ratio != NULL; ratio++) {
    double number;
    if (!pj_work_read_ratio (*ratio, &number))
      return cli_usage (error, "“%s” is no keep ratio: write numbers above 0 and at most 1, as in 0.5,0.25", *ratio);
  }
  settings->n_images = (unsigned) n_images;
  settings->n_test = (unsigned) n_test;
  settings->seed = (uint64_t) cli->seed;
  return TRUE;
}

static gboolean
group_cb (const PjSweep *sweep, const PjGroupSweep *part, gpointer user_data, GError **error)
{
  const Notes *to = user_data;
  g_autofree char *reading = pj_sweep_reading (sweep, part, tolerance / 100);
  cli_note (to->cli, "%s %s", pj_groups_get (to->groups, (unsigned) part->group)->name, reading);
  return TRUE;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  g_auto (PjWorkSensitivity) settings;
  pj_work_sensitivity_init (&settings);
  g_auto (CliModel) model = { 0 };
  g_autofree char *where = NULL, *target = csv != NULL ? g_canonicalize_filename (csv, NULL) : NULL;
  if (!read_settings (cli, &settings, error) || !cli_check_out (csv, error)
      || !cli_open_model (cli, args[0], TRUE, &model, error))
    return FALSE;
  g_autoptr (PjDataset) dataset = cli_open_data (cli, data, &where, error);
  PjWork work;
  if (dataset == NULL || !cli_keep_session (cli, &model, session, csv, args[0], error)
      || !cli_work (cli, &model, dataset, where, target, &work, error))
    return FALSE;
  Notes to = { cli, model.groups };
  g_autoptr (PjSweep) sweep = pj_work_sensitivity (&work, model.groups, &settings, group_cb, &to, NULL, error);
  return sweep != NULL && cli_show_sweep (cli, model.groups, sweep, tolerance / 100, csv, error);
}

const CliVerb cli_verb_sensitivity = {
  .name = "sensitivity",
  .arguments = "MODEL",
  .summary = "Measures what each group of channels can lose",
  .about = "Masks one group at a time to each keep ratio, all others whole, and measures accuracy and the divergence of the\n"
           "output.  Groups are kept in the session as they finish; work that was stopped goes on with\n"
           "“penjing-cli sessions FILE resume”.\n\n"
           "Examples:\n"
           "  penjing-cli sensitivity model.onnx --data fashion-mnist\n"
           "  penjing-cli sensitivity model.onnx --data ~/photos --criterion taylor --keep 0.7,0.5,0.3 --csv curves.csv\n"
           "  penjing-cli sensitivity sample --test 500 --tolerance 0.5 --json",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
