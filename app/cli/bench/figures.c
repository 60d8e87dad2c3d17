/* SPDX-License-Identifier: MIT */
/* The figures, and the table that they make. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench/figures.h"

#include "base/error.h"

const BenchFigure bench_figures[] = {
  { "train", "training next to PyTorch, the better of its two memory formats", bench_train },
  { "memory", "peak memory of training next to PyTorch", bench_memory },
  { "infer", "inference next to onnxruntime", bench_infer },
  { "vulkan-kernels", "kernels on a software Vulkan driver next to OpenBLAS and PyTorch", bench_vulkan_kernels },
  { "vulkan-train", "training on a software Vulkan driver next to PyTorch", bench_vulkan_train },
  { "vulkan-start", "first and later start on Vulkan", bench_vulkan_start },
  { "gpu", "a graphics card by Vulkan next to PyTorch by CUDA, float32", bench_gpu },
  { "preview", "a slider's preview", bench_preview },
  { "open", "reading a network and finding its groups", bench_open },
  { "cut", "cutting ResNet-50 and checking the result", bench_cut },
  { "session", "opening a session", bench_session },
  { "statistics", "a pass that collects statistics, next to a forward pass", bench_statistics },
  { "methods", "what choosing channels costs: KL divergence, ThiNet", bench_methods },
  { NULL }
};

static int
compare_numbers (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

double
bench_median (double *values, int n)
{
  qsort (values, (size_t) n, sizeof (double), compare_numbers);
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/* --- rows --- */

static void
row_free (gpointer data)
{
  BenchRow *row = data;
  g_free (row->figure);
  g_free (row->what);
  g_free (row->unit);
  g_free (row->peer);
  g_free (row->skipped);
  g_free (row);
}

static BenchRow *
row_new (Bench *bench, const char *what)
{
  BenchRow *row = g_new0 (BenchRow, 1);
  row->figure = g_strdup (bench->figure);
  row->what = g_strdup (what);
  g_ptr_array_add (bench->rows, row);
  return row;
}

void
bench_add (Bench *bench, const char *what, const char *unit, double ours, const char *peer, double theirs, double ratio,
           double target, gboolean at_most)
{
  BenchRow *row = row_new (bench, what);
  row->unit = g_strdup (unit);
  row->ours = ours;
  row->peer = g_strdup (peer);
  row->theirs = theirs;
  row->ratio = ratio;
  row->target = target;
  row->at_most = at_most;
}

void
bench_skip (Bench *bench, const char *what, const char *why)
{
  row_new (bench, what)->skipped = g_strdup (why);
}

gboolean
bench_go_on (Bench *bench, const char *what, GError **error)
{
  g_free (bench->doing);
  bench->doing = g_strdup (what);
  pj_hooks_progress (&bench->cli->hooks, (double) bench->index / bench->n_figures, "%s: %s", bench->figure, what);
  return pj_hooks_go_on (&bench->cli->hooks, error);
}

/* --- table --- */

static char *
number (double value)
{
  if (value == 0.0)
    return g_strdup ("–");
  return g_strdup_printf (value >= 1000.0 ? "%.0f" : value >= 10.0 ? "%.1f" : value >= 0.1 ? "%.2f" : "%.3f", value);
}

static gboolean
is_reached (const BenchRow *row)
{
  return row->at_most ? row->ratio <= row->target : row->ratio >= row->target;
}

static void
put_row (const BenchRow *row, CliTable *table, JsonArray *json)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "figure", row->figure);
  json_object_set_string_member (object, "case", row->what);
  if (row->skipped != NULL) {
    const char *how = row->failed ? "failed" : "skipped";
    cli_table_add (table, row->figure, row->what, "–", "", "–", "", "–", "", how, NULL);
    json_object_set_string_member (object, how, row->skipped);
  } else {
    g_autofree char *ours = number (row->ours), *theirs = number (row->theirs), *ratio = number (row->ratio);
    g_autofree char *bound = number (row->target);
    g_autofree char *target = row->target == 0.0 ? g_strdup ("") : g_strdup_printf ("%s %s", row->at_most ? "≤" : "≥", bound);
    cli_table_add (table, row->figure, row->what, ours, row->unit, theirs, row->peer, ratio, target,
                   row->target == 0.0 ? "" : is_reached (row) ? "reached" : "missed", NULL);
    json_object_set_string_member (object, "unit", row->unit);
    json_object_set_double_member (object, "ours", row->ours);
    json_object_set_double_member (object, "theirs", row->theirs);
    json_object_set_string_member (object, "peer", row->peer);
    json_object_set_double_member (object, "ratio", row->ratio);
    json_object_set_double_member (object, "target", row->target);
    json_object_set_boolean_member (object, "at_most", row->at_most);
    if (row->target != 0.0)
      json_object_set_boolean_member (object, "reached", is_reached (row));
  }
  json_array_add_object_element (json, object);
}

static void
show (Bench *bench)
{
  Cli *cli = bench->cli;
  JsonArray *json = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "figure", "case", ">ours", "unit", ">theirs", "peer", ">ratio", ">target",
                                                      "", NULL });

  for (guint i = 0; i < bench->rows->len; i++)
    put_row (bench->rows->pdata[i], table, json);
  cli_say (cli, "Medians of %d alternations%s on %s\n", bench->rounds, bench->quick ? " (quick: an impression only)" : "",
           cli->device->info.name);
  cli_table_print (table, cli);
  for (guint i = 0; i < bench->rows->len; i++) {
    const BenchRow *row = bench->rows->pdata[i];
    if (row->skipped != NULL)
      cli_say (cli, "  %s %s, %s: %s\n", row->failed ? "failed" : "skipped", row->figure, row->what, row->skipped);
  }
  json_object_set_array_member (cli->result, "figures", json);
  json_object_set_string_member (cli->result, "device", cli->device->info.name);
  json_object_set_int_member (cli->result, "alternations", bench->rounds);
}

/* --- run --- */

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
      remove_folder (path);
    else
      unlink (path);
  }
  rmdir (folder);
}

/* @only: names with commas between; NULL: all. */
static gboolean
is_asked (const BenchFigure *figure, char **only)
{
  return only == NULL || g_strv_contains ((const char *const *) only, figure->name);
}

static gboolean
check_only (char **only, unsigned *n_figures, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  *n_figures = 0;
  for (const BenchFigure *f = bench_figures; f->name != NULL; f++) {
    *n_figures += is_asked (f, only);
    g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", f->name);
  }
  for (char **name = only; name != NULL && *name != NULL; name++) {
    const BenchFigure *f = bench_figures;
    while (f->name != NULL && strcmp (f->name, *name) != 0)
      f++;
    if (f->name == NULL)
      return cli_usage (error, "there is no figure “%s”; there are %s", *name, names->str);
  }
  return *n_figures > 0 ? TRUE : cli_usage (error, "--only names no figure; there are %s", names->str);
}

static void
forget_peers (Bench *bench)
{
  g_clear_pointer (&bench->torch, bench_peer_free);
  g_clear_pointer (&bench->ort, bench_peer_free);
}

/* One figure.  FALSE if the person stopped it; what goes wrong otherwise is a row. */
static gboolean
measure (Bench *bench, const BenchFigure *figure, unsigned *n_failed, GError **error)
{
  g_autoptr (GError) reason = NULL;

  bench->figure = figure->name;
  if (bench_go_on (bench, figure->about, &reason) && figure->measure (bench, &reason))
    return TRUE;
  if (g_error_matches (reason, PJ_ERROR, PJ_ERROR_CANCELLED)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  bench_skip (bench, bench->doing, reason->message);
  ((BenchRow *) bench->rows->pdata[bench->rows->len - 1])->failed = TRUE;
  *n_failed += 1;
  /* A peer may have died, or be in the middle of something: the next figure begins with new ones. */
  forget_peers (bench);
  return TRUE;
}

gboolean
bench_peers (Cli *cli, const char *only, gboolean quick, GError **error)
{
  Bench bench = { .cli = cli, .quick = quick, .rounds = quick ? 3 : 5, .seconds = quick ? 0.15 : 0.4 };
  g_auto (GStrv) names = only != NULL ? g_strsplit (only, ",", -1) : NULL;
  gboolean ok = TRUE;
  unsigned n_failed = 0;

  if (!check_only (names, &bench.n_figures, error) || cli_device (cli, error) == NULL)
    return FALSE;
  bench.folder = g_dir_make_tmp ("penjing-bench-XXXXXX", error);
  if (bench.folder == NULL)
    return FALSE;
  bench.rows = g_ptr_array_new_with_free_func (row_free);
  for (const BenchFigure *f = bench_figures; ok && f->name != NULL; f++)
    if (is_asked (f, names)) {
      ok = measure (&bench, f, &n_failed, error);
      bench.index++;
    }
  /* What was measured took minutes: it is shown however the rest went. */
  show (&bench);
  cli->partial = !ok || n_failed > 0;
  if (ok && n_failed > 0)
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "%u of %u figures could not be measured; the table says why", n_failed,
                 bench.n_figures);
  forget_peers (&bench);
  g_free (bench.doing);
  g_free (bench.no_torch);
  g_free (bench.no_ort);
  g_ptr_array_unref (bench.rows);
  remove_folder (bench.folder);
  g_free (bench.folder);
  return ok && n_failed == 0;
}
