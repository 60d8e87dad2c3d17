/* SPDX-License-Identifier: MIT */
/* spectrum: networks of several sizes from one, without training: blocks and widths are drawn and judged. */
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "cli/verbs.h"
#include "io/file.h"
#include "prune/search/spectrum.h"
#include "train/evaluate.h"

static char *data, *out, *macs, *criterion;
static int draws, best, images, batches, multiple = 1, n_test;
static double depth = -1.0, floor_share, tolerance;
static gboolean again;

static const GOptionEntry entries[] = {
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Data set (default: sample)", "DATA" },
  { "macs", 0, 0, G_OPTION_ARG_FILENAME, &macs, "Shares of the MACs that are wanted (default: 0.75,0.5,0.25)", "R,R…" },
  { "draws", 0, 0, G_OPTION_ARG_INT, &draws, "Candidates that are drawn for each of them (default 200)", "N" },
  { "best", 0, 0, G_OPTION_ARG_INT, &best, "Of them, so many are improved step by step (default 10)", "N" },
  { "samples", 0, 0, G_OPTION_ARG_INT, &images, "Training pictures that judge a candidate (default 256)", "N" },
  { "batches", 0, 0, G_OPTION_ARG_INT, &batches, "Batches of 64 that measure its norms (default 10)", "N" },
  { "depth", 0, 0, G_OPTION_ARG_DOUBLE, &depth, "Share of the residual blocks that stay at least (default 0.4; 1: all stay)", "R" },
  { "floor", 0, 0, G_OPTION_ARG_DOUBLE, &floor_share, "Share of each group of channels that stays at least (default 0.3)", "R" },
  { "tolerance", 0, 0, G_OPTION_ARG_DOUBLE, &tolerance, "How far below its share a network may be (default 0.02)", "R" },
  { "round", 0, 0, G_OPTION_ARG_INT, &multiple, "Round kept channels up to a multiple of N", "N" },
  { "criterion", 0, 0, G_OPTION_ARG_FILENAME, &criterion, "What orders the channels (default: kl; weight-sum needs no pictures)", "NAME" },
  { "test", 0, 0, G_OPTION_ARG_INT, &n_test, "Measure the results on the first N test pictures only", "N" },
  { "again", 0, 0, G_OPTION_ARG_NONE, &again, "Forget what is in the archive of an earlier run", NULL },
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Folder for the networks and the archive of all candidates", "FOLDER" },
  { NULL }
};

static gboolean
read_options (PjSpectrumOptions *o, GArray *targets, GError **error)
{
  g_auto (GStrv) words = g_strsplit (macs != NULL ? macs : "0.75,0.5,0.25", ",", -1);

  pj_spectrum_options_init (o);
  for (char **word = words; *word != NULL; word++) {
    double share;
    if (!pj_work_read_ratio (*word, &share))
      return cli_usage (error, "--macs: “%s” is no share; write numbers above 0 and at most 1, as in 0.75,0.5,0.25", *word);
    g_array_append_val (targets, share);
  }
  if (draws < 0 || best < 0 || images < 0 || batches < 0 || multiple < 1 || n_test < 0 || floor_share < 0.0 || tolerance < 0.0)
    return cli_usage (error, "numbers must not be negative");
  if (out == NULL)
    return cli_usage (error, "spectrum needs --out FOLDER for the networks that it finds");
  if (criterion != NULL && (o->criterion = pj_criterion_find (criterion)) == NULL)
    return cli_usage (error, "there is no criterion “%s”; “score --list” lists them", criterion);
  o->n_draws = draws > 0 ? (unsigned) draws : o->n_draws;
  o->n_best = best > 0 ? (unsigned) best : o->n_best;
  o->n_images = images > 0 ? (unsigned) images : o->n_images;
  o->n_batches = batches > 0 ? (unsigned) batches : o->n_batches;
  o->least_depth = depth >= 0.0 ? depth : o->least_depth;
  o->floor = floor_share > 0.0 ? floor_share : o->floor;
  o->tolerance = tolerance > 0.0 ? tolerance : o->tolerance;
  o->multiple = multiple;
  return TRUE;
}

/* --- the archive: one line per candidate, so that work that was stopped goes on where it was --- */

typedef struct {
  char *path, *base;           /* base: what the lines belong to */
  unsigned n_parts, n_groups;
  FILE *file;
} Archive;

static char *
describe_base (const Cli *cli, const PjGraph *graph, const PjDataset *dataset, const PjSpectrumOptions *o)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  for (unsigned v = 0; v < pj_graph_n_values (graph); v++) {
    const PjBlob *blob = pj_graph_value (graph, (int) v)->data;
    if (blob != NULL)
      g_checksum_update (sum, (const guchar *) pj_blob_data (blob), (gssize) (pj_blob_n_elems (blob) * sizeof (float)));
  }
  return g_strdup_printf ("# network %.16s, %s, seed %" G_GINT64_FORMAT ", %s, %u pictures, %u batches, order by %s", g_checksum_get_string (sum),
                          pj_dataset_name (dataset), cli->seed, cli->device->info.id, o->n_images, o->n_batches, o->criterion->name);
}

/* "0110;16,8,0;0.4987;0.0123" */
static void
append_line (const Archive *self, const PjSpectrumPoint *point, GString *out)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  for (unsigned p = 0; p < self->n_parts; p++)
    g_string_append_c (out, point->off[p] ? '1' : '0');
  for (unsigned g = 0; g < self->n_groups; g++)
    g_string_append_printf (out, "%c%d", g == 0 ? ';' : ',', point->kept[g]);
  g_string_append_printf (out, ";%s", g_ascii_dtostr (number, sizeof number, point->macs));
  g_string_append_printf (out, ";%s\n", g_ascii_dtostr (number, sizeof number, point->kl));
}

static gboolean
not_written (const Archive *self, GError **error)
{
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "“%s” cannot be written: %s", self->path, g_strerror (errno));
  return FALSE;
}

static gboolean
write_cb (const PjSpectrumPoint *point, gpointer user_data, GError **error)
{
  Archive *self = user_data;
  g_autoptr (GString) line = g_string_new (NULL);

  append_line (self, point, line);
  return (fputs (line->str, self->file) >= 0 && fflush (self->file) == 0) || not_written (self, error);
}

/* A line that was cut off by the end of the process is passed over. */
static gboolean
read_line (const Archive *self, const char *line, PjSpectrumPoint *point)
{
  g_auto (GStrv) fields = g_strsplit (line, ";", -1);
  if (g_strv_length (fields) != 4 || strlen (fields[0]) != self->n_parts || *fields[3] == '\0')
    return FALSE;
  g_auto (GStrv) widths = g_strsplit (fields[1], ",", -1);
  if (g_strv_length (widths) != self->n_groups)
    return FALSE;
  for (unsigned p = 0; p < self->n_parts; p++)
    point->off[p] = fields[0][p] == '1';
  for (unsigned g = 0; g < self->n_groups; g++)
    point->kept[g] = (int) g_ascii_strtoll (widths[g], NULL, 10);
  point->macs = g_ascii_strtod (fields[2], NULL);
  point->kl = g_ascii_strtod (fields[3], NULL);
  return TRUE;
}

/* What an earlier run has judged. @others: the file belongs to another network or other settings. */
static unsigned
read_archive (const Archive *self, PjSpectrum *spectrum, gboolean *others)
{
  g_autofree char *text = NULL;
  gsize length;
  unsigned n = 0;
  if (!g_file_get_contents (self->path, &text, &length, NULL))
    return 0;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n_lines = g_strv_length (lines);
  *others = n_lines > 1 && strcmp (lines[0], self->base) != 0;
  if (again || n_lines == 0 || strcmp (lines[0], self->base) != 0)
    return 0;
  g_autofree guint8 *off = g_malloc (MAX (1, self->n_parts));
  g_autofree int *kept = g_new (int, MAX (1, self->n_groups));
  /* What follows the last line break is not whole. */
  for (guint i = 1; i + 1 < n_lines; i++) {
    PjSpectrumPoint point = { .off = off, .kept = kept };
    if (read_line (self, lines[i], &point)) {
      pj_spectrum_remember (spectrum, &point);
      n++;
    }
  }
  return n;
}

/* Of another search: it may have taken hours. */
static gboolean
put_aside (Cli *cli, const Archive *self, GError **error)
{
  g_autofree char *old = g_build_filename (out, "archive.old.csv", NULL);
  if (g_rename (self->path, old) < 0)
    return not_written (self, error);
  cli_note (cli, "“%s” belongs to another network or other settings; it is “%s” now", self->path, old);
  return TRUE;
}

/* The file is replaced as a whole, then appended to: however this ends, what was judged is in it. */
static gboolean
open_archive (Cli *cli, Archive *self, PjSpectrum *spectrum, GError **error)
{
  self->n_parts = pj_spectrum_n_parts (spectrum);
  self->n_groups = pj_spectrum_n_groups (spectrum);
  gboolean others = FALSE;
  unsigned n = read_archive (self, spectrum, &others);
  const GPtrArray *points = pj_spectrum_archive (spectrum);
  g_autoptr (GString) text = g_string_new (self->base);

  if (n > 0)
    cli_note (cli, "%u candidates of an earlier run are in the archive", n);
  g_string_append_c (text, '\n');
  for (guint i = 0; i < points->len; i++)
    append_line (self, points->pdata[i], text);
  g_autoptr (PjFileWriter) writer = NULL;
  if ((others && !put_aside (cli, self, error)) || (writer = pj_file_writer_new (self->path, error)) == NULL
      || !pj_file_writer_append (writer, text->str, text->len, error) || !pj_file_writer_finish (writer, error))
    return FALSE;
  self->file = g_fopen (self->path, "a");
  return self->file != NULL || not_written (self, error);
}

static void
archive_clear (Archive *self)
{
  if (self->file != NULL)
    fclose (self->file);
  g_free (self->path);
  g_free (self->base);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Archive, archive_clear)

/* --- the work --- */

static gboolean
write_one (Cli *cli, CliModel *model, PjWork *work, PjSpectrum *spectrum, const PjSpectrumPoint *point, double target, CliTable *table,
           JsonArray *rows, GError **error)
{
  g_autofree char *file = g_strdup_printf ("%s-%g.onnx", model->name, 100 * target), *path = g_build_filename (out, file, NULL);
  g_auto (CliModel) found = { .name = g_strdup (model->name), .original = pj_graph_ref (model->graph) };
  PjAccuracy accuracy;
  PjCost cost;
  unsigned n_off = 0;

  found.graph = pj_spectrum_build (spectrum, point, error);
  if (found.graph == NULL)
    return FALSE;
  found.groups = pj_groups_new (found.graph);
  found.plan = pj_cut_plan_new ();
  PjWork own = *work;
  own.graph = found.graph;
  if (!cli_measure (cli, &found, &own, (unsigned) n_test, &accuracy, error))
    return FALSE;
  own.graph = found.graph;
  for (unsigned p = 0; p < pj_spectrum_n_parts (spectrum); p++)
    n_off += point->off[p];
  pj_graph_cost (found.graph, &cost);
  g_autofree char *wanted = cli_percent (target), *share = cli_percent (point->macs), *count = cli_count ((double) cost.macs);
  g_autofree char *params = cli_count ((double) cost.learnable), *kl = g_strdup_printf ("%.4f", point->kl), *top1 = cli_percent (accuracy.top1);
  g_autofree char *blocks = g_strdup_printf ("%u", n_off);
  cli_table_add (table, wanted, count, share, params, blocks, kl, top1, NULL);
  JsonObject *row = json_object_new ();
  json_object_set_double_member (row, "target", target);
  json_object_set_double_member (row, "macs_share", point->macs);
  json_object_set_int_member (row, "blocks_removed", n_off);
  json_object_set_double_member (row, "kl", point->kl);
  cli_json_cost (row, &cost);
  json_object_set_object_member (row, "test", cli_json_accuracy (&accuracy));
  json_array_add_object_element (rows, row);
  pj_accuracy_clear (&accuracy);
  return cli_export (cli, &found, &own, "onnx", path, file, error);
}

static gboolean
search (Cli *cli, CliModel *model, PjWork *work, const PjSpectrumOptions *options, const GArray *targets, GError **error)
{
  PjFormat format = { 0 };
  g_auto (Archive) archive = { .path = g_build_filename (out, "archive.csv", NULL) };

  if (!pj_dataset_format_for (work->dataset, model->graph, FALSE, &format, error))
    return FALSE;
  if (g_mkdir_with_parents (out, 0777) != 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "the folder “%s” cannot be made: %s", out, g_strerror (errno));
    return FALSE;
  }
  PjScoring scoring = {
    .device = work->device, .graph = model->graph, .groups = model->groups, .dataset = work->dataset, .format = &format,
    .seed = (uint64_t) cli->seed, .hooks = work->hooks,
  };
  archive.base = describe_base (cli, model->graph, work->dataset, options);
  g_autoptr (PjSpectrum) spectrum = pj_spectrum_new (&scoring, options, write_cb, &archive, error);
  double least;
  if (spectrum == NULL || !pj_spectrum_least (spectrum, &least, error) || !open_archive (cli, &archive, spectrum, error))
    return FALSE;
  for (guint t = 0; t < targets->len; t++) {
    double target = g_array_index (targets, double, t);
    if (target >= least)
      continue;
    g_autofree char *smallest = cli_percent (least), *wanted = cli_percent (target);
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "%s of the MACs cannot be reached: the smallest network with this floor and depth has about %s; use a smaller --floor or --depth",
                 wanted, smallest);
    return FALSE;
  }
  CliTable *table = cli_table_new ((const char *[]) { ">budget", ">MACs", ">of all", ">parameters", ">blocks out", ">KL", ">top-1", NULL });
  JsonArray *rows = json_array_new ();
  gboolean ok = TRUE;
  for (guint t = 0; ok && t < targets->len; t++) {
    double target = g_array_index (targets, double, t);
    const PjSpectrumPoint *point = pj_spectrum_find (spectrum, target, error);
    ok = point != NULL && write_one (cli, model, work, spectrum, point, target, table, rows, error);
  }
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "networks", rows);
  json_object_set_int_member (cli->result, "candidates", pj_spectrum_archive (spectrum)->len);
  if (ok)
    cli_say (cli, "  %u candidates were judged; %s holds them all\n", pj_spectrum_archive (spectrum)->len, archive.path);
  return ok;
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  g_autoptr (GArray) targets = g_array_new (FALSE, FALSE, sizeof (double));
  g_auto (CliModel) model = { 0 };
  g_autofree char *where = NULL;
  PjSpectrumOptions options;
  PjWork work;

  if (!read_options (&options, targets, error) || !cli_open_model (cli, args[0], FALSE, &model, error))
    return FALSE;
  g_autoptr (PjDataset) dataset = cli_open_data (cli, data, &where, error);
  if (dataset == NULL || !cli_work (cli, &model, dataset, where, NULL, &work, error))
    return FALSE;
  /* Nothing of the search goes into a session: the archive in the folder is its record. */
  work.session = NULL;
  cli->resume_hint = g_strdup ("The same command goes on from the archive.");
  return search (cli, &model, &work, &options, targets, error);
}

const CliVerb cli_verb_spectrum = {
  .name = "spectrum",
  .arguments = "MODEL",
  .summary = "Finds networks of several sizes in one, without training",
  .about = "Residual blocks and widths are drawn until a budget of MACs is met, the norms of each candidate are measured again, and what\n"
           "stays closest to the answers of the whole network is improved step by step.  All candidates stay in an archive, which all\n"
           "budgets share: the same command goes on where it was stopped.  “train FILE --teacher MODEL” lets a network recover.\n\n"
           "Examples:\n"
           "  penjing-cli spectrum resnet.onnx --data ~/photos --macs 0.75,0.5,0.25 --out sizes\n"
           "  penjing-cli spectrum vgg.onnx --criterion weight-sum --draws 50 --batches 4 --macs 0.5 --out sizes",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
