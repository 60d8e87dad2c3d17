/* SPDX-License-Identifier: MIT */
/* Text, tables and numbers on stdout. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "io/npy.h"

/* Plain UTF-8 in every locale: g_print() would turn "–" into "?" where the locale is C. */
void
cli_say (Cli *cli, const char *format, ...)
{
  if (cli->json)
    return;
  cli_progress_end ();
  va_list args;
  va_start (args, format);
  vprintf (format, args);
  va_end (args);
  fflush (stdout);
}

void
cli_note (Cli *cli, const char *format, ...)
{
  if (cli->quiet)
    return;
  cli_progress_end ();
  va_list args;
  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
}

/* --- tables --- */

struct _CliTable {
  guint n_columns;
  gboolean *right;
  GPtrArray *cells;       /* row by row, headings first */
};

CliTable *
cli_table_new (const char *const *headings)
{
  CliTable *self = g_new0 (CliTable, 1);
  self->n_columns = g_strv_length ((char **) headings);
  self->right = g_new0 (gboolean, self->n_columns);
  self->cells = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < self->n_columns; i++) {
    self->right[i] = headings[i][0] == '>';
    g_ptr_array_add (self->cells, g_strdup (headings[i] + (self->right[i] ? 1 : 0)));
  }
  return self;
}

void
cli_table_add (CliTable *self, ...)
{
  va_list args;
  va_start (args, self);
  for (guint i = 0; i < self->n_columns; i++)
    g_ptr_array_add (self->cells, g_strdup (va_arg (args, const char *)));
  va_end (args);
}

/* Columns on a terminal: Chinese characters take two. */
static int
text_width (const char *text)
{
  int width = 0;
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c)) {
    gunichar letter = g_utf8_get_char_validated (c, -1);
    if (letter == (gunichar) -1 || letter == (gunichar) -2)
      return (int) strlen (text);
    width += g_unichar_iszerowidth (letter) ? 0 : g_unichar_iswide (letter) ? 2 : 1;
  }
  return width;
}

void
cli_table_print (CliTable *self, Cli *cli)
{
  g_autofree int *widths = g_new0 (int, self->n_columns);
  for (guint i = 0; i < self->cells->len; i++) {
    int *width = &widths[i % self->n_columns];
    *width = MAX (*width, text_width (self->cells->pdata[i]));
  }
  for (guint i = 0; i < self->cells->len; i++) {
    guint column = i % self->n_columns;
    const char *cell = self->cells->pdata[i];
    int pad = widths[column] - text_width (cell);
    gboolean last = column + 1 == self->n_columns;
    if (self->right[column])
      cli_say (cli, "  %*s%s%s", pad, "", cell, last ? "\n" : "");
    else
      cli_say (cli, "  %s%*s%s", cell, last ? 0 : pad, "", last ? "\n" : "");
  }
  g_free (self->right);
  g_ptr_array_unref (self->cells);
  g_free (self);
}

/* --- numbers --- */

char *
cli_count (double number)
{
  static const struct { double size; const char *name; } units[] = { { 1e9, " G" }, { 1e6, " M" }, { 1e3, " k" } };
  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    if (number >= units[i].size)
      return g_strdup_printf ("%.2f%s", number / units[i].size, units[i].name);
  }
  return g_strdup_printf ("%.0f", number);
}

char *
cli_bytes (uint64_t bytes)
{
  if (bytes >= (uint64_t) 1 << 30)
    return g_strdup_printf ("%.1f GiB", (double) bytes / (1 << 30));
  if (bytes >= 1 << 20)
    return g_strdup_printf ("%.1f MiB", (double) bytes / (1 << 20));
  return g_strdup_printf ("%.1f KiB", (double) bytes / (1 << 10));
}

char *
cli_percent (double share)
{
  return share < 0.0 ? g_strdup ("–") : g_strdup_printf ("%.2f %%", 100.0 * share);
}

char *
cli_duration (double seconds)
{
  int whole = (int) (seconds + 0.5);
  if (whole < 60)
    return g_strdup_printf ("%d s", MAX (whole, 1));
  if (whole < 3600)
    return g_strdup_printf ("%d min %d s", whole / 60, whole % 60);
  return g_strdup_printf ("%d h %d min", whole / 3600, whole / 60 % 60);
}

/* --- JSON --- */

void
cli_json_cost (JsonObject *object, const PjCost *cost)
{
  json_object_set_int_member (object, "macs", (gint64) cost->macs);
  json_object_set_int_member (object, "params", (gint64) cost->learnable);
}

JsonObject *
cli_json_accuracy (const PjAccuracy *accuracy)
{
  JsonObject *object = json_object_new ();
  json_object_set_double_member (object, "top1", accuracy->top1);
  json_object_set_double_member (object, "top5", accuracy->top5);
  json_object_set_double_member (object, "loss", accuracy->loss);
  json_object_set_double_member (object, "standard_error", pj_accuracy_error (accuracy));
  json_object_set_int_member (object, "n", accuracy->n);
  json_object_set_double_member (object, "images_per_second", accuracy->images_per_second);
  return object;
}

JsonArray *
cli_json_shape (const PjShape *shape)
{
  JsonArray *array = json_array_new ();
  for (unsigned i = 0; i < shape->rank; i++)
    json_array_add_int_element (array, shape->dim[i]);
  return array;
}

gboolean
cli_write_labels (Cli *cli, const char *path, unsigned n, unsigned n_classes, const float *logits, GError **error)
{
  PjShape shape = PJ_SHAPE (n, n_classes);
  if (!pj_npy_write (path, &shape, logits, error))
    return FALSE;
  cli_say (cli, "  %s (labels of %u pictures)\n", path, n);
  json_object_set_string_member (cli->result, "labels", path);
  return TRUE;
}
