/* SPDX-License-Identifier: MIT */
/* How the pictures of a data set are prepared for a network. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "data/dataset-private.h"
#include "data/picture.h"
#include "graph/graph.h"

#define MEASURED_PICTURES 10000
#define MEASURE_SEED 1
#define NOTE_MEAN "penjing.mean"
#define NOTE_STD "penjing.std"
#define NOTE_SIDE "penjing.side"
#define NOTE_ORDER "penjing.order"

void
pj_format_table (const PjFormat *format, float table[3][256])
{
  for (int ch = 0; ch < format->c; ch++)
    for (int byte = 0; byte < 256; byte++)
      table[ch][byte] = ((float) byte / 255.0f - format->mean[ch]) / format->std[ch];
}

void
pj_format_normalise (const PjFormat *format, const guint8 *pixels, float *out)
{
  float table[3][256];
  size_t plane = (size_t) format->h * (size_t) format->w;

  pj_format_table (format, table);
  for (int ch = 0; ch < format->c; ch++)
    for (size_t i = 0; i < plane; i++)
      *out++ = table[ch][*pixels++];
}

/* --- measuring --- */

/* Sums of bytes and of their squares, in integers within a picture. */
static gboolean
sum_pixels (PjDataset *set, const PjFormat *format, guint8 *pixels, double sum[3], double squares[3], GError **error)
{
  unsigned n = pj_dataset_n (set, PJ_SPLIT_TRAIN);
  size_t plane = (size_t) format->h * (size_t) format->w;

  for (unsigned i = 0; i < n; i++) {
    if (!pj_dataset_pixels (set, PJ_SPLIT_TRAIN, i, format, pixels, error))
      return FALSE;
    for (int ch = 0; ch < format->c; ch++) {
      uint64_t s = 0, q = 0;
      for (size_t k = 0; k < plane; k++) {
        unsigned v = pixels[(size_t) ch * plane + k];
        s += v;
        q += v * v;
      }
      sum[ch] += (double) s;
      squares[ch] += (double) q;
    }
  }
  return TRUE;
}

static gboolean
measure (PjDataset *self, PjFormat *format, GError **error)
{
  g_autoptr (PjDataset) part = pj_dataset_subset (self, MEASURED_PICTURES, 1, MEASURE_SEED);
  double sum[3] = { 0 }, squares[3] = { 0 };
  size_t plane = (size_t) format->h * (size_t) format->w;
  guint8 *pixels = pj_alloc ((size_t) format->c * plane, "a picture", error);
  gboolean ok = pixels != NULL && sum_pixels (part, format, pixels, sum, squares, error);
  double n = (double) pj_dataset_n (part, PJ_SPLIT_TRAIN) * (double) plane;

  for (int ch = 0; ok && ch < format->c; ch++) {
    double mean = sum[ch] / n, variance = MAX (0, squares[ch] / n - mean * mean);
    format->mean[ch] = (float) (mean / 255);
    /* Pictures of one colour have no deviation: leave them unscaled. */
    format->std[ch] = variance > 1e-6 ? (float) (sqrt (variance) / 255) : 1.0f;
  }
  pj_free (pixels);
  return ok;
}

gboolean
pj_dataset_default_format (PjDataset *self, PjFormat *format, GError **error)
{
  int c, h, w;
  pj_dataset_native_size (self, &c, &h, &w);
  format->c = format->c > 0 ? format->c : c;
  format->h = format->h > 0 ? format->h : h;
  format->w = format->w > 0 ? format->w : w;
  if ((format->c != 1 && format->c != 3) || format->h > PJ_PICTURE_MAX_SIDE || format->w > PJ_PICTURE_MAX_SIDE) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH, "pictures of %d channels and %d×%d pixels cannot be made; "
                 "channels are 1 or 3", format->c, format->w, format->h);
    return FALSE;
  }
  if (pj_dataset_recall (self, format))
    return TRUE;
  if (!measure (self, format, error))
    return FALSE;
  pj_dataset_remember (self, format);
  return TRUE;
}

/* --- formats and models --- */

/* @n comma-separated numbers; FALSE if @text is anything else. */
static gboolean
parse_numbers (const char *text, int n, float *out)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  if ((int) g_strv_length (parts) != n)
    return FALSE;
  for (int i = 0; i < n; i++) {
    char *end;
    double value = g_ascii_strtod (g_strstrip (parts[i]), &end);
    if (end == parts[i] || *end != '\0' || !isfinite (value))
      return FALSE;
    out[i] = (float) value;
  }
  return TRUE;
}

static char *
print_numbers (const float *values, int n)
{
  GString *text = g_string_new (NULL);
  for (int i = 0; i < n; i++) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd (digits, sizeof digits, "%.9g", (double) values[i]);
    g_string_append_printf (text, "%s%s", i > 0 ? "," : "", digits);
  }
  return g_string_free (text, FALSE);
}

/* Size and order of colours, each for itself. */
static gboolean
read_shape_notes (const PjGraph *graph, PjFormat *format, GError **error)
{
  const char *side = pj_graph_get_meta (graph, NOTE_SIDE), *order = pj_graph_get_meta (graph, NOTE_ORDER);
  guint64 number = 0;
  if (side != NULL && !g_ascii_string_to_unsigned (side, 10, 0, PJ_FORMAT_MAX_SIDE, &number, NULL)) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH, "the model's note %s “%s” is no number from 0 to %d", NOTE_SIDE,
                 side, PJ_FORMAT_MAX_SIDE);
    return FALSE;
  }
  if (order != NULL && !g_str_equal (order, "rgb") && !g_str_equal (order, "bgr")) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH, "the model's note %s “%s” is neither “rgb” nor “bgr”",
                 NOTE_ORDER, order);
    return FALSE;
  }
  format->side = (int) number;
  format->bgr = format->c == 3 && g_strcmp0 (order, "bgr") == 0;
  return TRUE;
}

/* The notes of the model. @found: FALSE if it has none. */
static gboolean
read_notes (const PjGraph *graph, PjFormat *format, gboolean *found, GError **error)
{
  const char *mean = pj_graph_get_meta (graph, NOTE_MEAN), *std = pj_graph_get_meta (graph, NOTE_STD);
  *found = mean != NULL && std != NULL;
  if (!*found)
    return TRUE;
  gboolean ok = parse_numbers (mean, format->c, format->mean) && parse_numbers (std, format->c, format->std);
  for (int ch = 0; ok && ch < format->c; ch++)
    ok = format->std[ch] > 0;
  if (!ok)
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH,
                 "the model's notes %s “%s” and %s “%s” are not %d numbers each, the second positive", NOTE_MEAN, mean, NOTE_STD,
                 std, format->c);
  return ok;
}

gboolean
pj_dataset_check_classes (PjDataset *self, const PjGraph *graph, GError **error)
{
  const PjShape *scores = &pj_graph_value (graph, pj_graph_get_logits (graph))->shape;
  int64_t positions = 1;

  for (unsigned i = 2; i < scores->rank; i++)
    positions *= scores->dim[i];
  if (positions > 1) {
    g_autofree char *text = pj_shape_to_string (scores);
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH,
                 "“%s” answers with maps of %s instead of one score for each class, so its accuracy cannot be measured and it cannot "
                 "be trained; cut it by its weights, without pictures", pj_graph_get_name (graph), text);
    return FALSE;
  }
  if (pj_graph_n_classes (graph) != pj_dataset_n_classes (self)) {
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH,
                 "“%s” tells %u classes apart but the data set “%s” has %u", pj_graph_get_name (graph),
                 pj_graph_n_classes (graph), pj_dataset_name (self), pj_dataset_n_classes (self));
    return FALSE;
  }
  return TRUE;
}

gboolean
pj_dataset_format_for (PjDataset *self, const PjGraph *graph, gboolean check_classes, PjFormat *format, GError **error)
{
  const PjShape *shape = &pj_graph_value (graph, pj_graph_get_input (graph))->shape;
  gboolean found;

  *format = (PjFormat) { 0 };
  if (shape->rank != 4 || (shape->dim[1] != 1 && shape->dim[1] != 3) || MAX (shape->dim[2], shape->dim[3]) > PJ_PICTURE_MAX_SIDE) {
    g_autofree char *text = pj_shape_to_string (shape);
    g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH,
                 "“%s” takes an input of %s; pictures are 1×C×H×W with 1 or 3 channels", pj_graph_get_name (graph), text);
    return FALSE;
  }
  if (check_classes && !pj_dataset_check_classes (self, graph, error))
    return FALSE;
  format->c = (int) shape->dim[1];
  format->h = (int) shape->dim[2];
  format->w = (int) shape->dim[3];
  if (!read_notes (graph, format, &found, error))
    return FALSE;
  /* Measured on pictures as they are stored; size and order of colours are applied to the result. */
  if (!found && !pj_dataset_default_format (self, format, error))
    return FALSE;
  if (!read_shape_notes (graph, format, error))
    return FALSE;
  if (!found && format->bgr) {
    float red[2] = { format->mean[0], format->std[0] };
    format->mean[0] = format->mean[2];
    format->std[0] = format->std[2];
    format->mean[2] = red[0];
    format->std[2] = red[1];
  }
  return TRUE;
}

void
pj_format_note (const PjFormat *format, PjGraph *graph)
{
  g_autofree char *mean = print_numbers (format->mean, format->c), *std = print_numbers (format->std, format->c);
  pj_graph_set_meta (graph, NOTE_MEAN, mean);
  pj_graph_set_meta (graph, NOTE_STD, std);
  g_autofree char *side = format->side > 0 ? g_strdup_printf ("%d", format->side) : NULL;
  pj_graph_set_meta (graph, NOTE_SIDE, side);
  pj_graph_set_meta (graph, NOTE_ORDER, format->bgr ? "bgr" : NULL);
}
