/* SPDX-License-Identifier: MIT */
/* Writing a demo.  The page is a template with marks like {{style}}, which are replaced once from left to
 * right, so that nothing that is put in can be taken for a mark.  What is large goes in as base64, the
 * runtime compressed before that: browsers undo both. */
#include "io/demo.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/embedded.h"
#include "base/error.h"
#include "io/file.h"
#include "io/onnx.h"

/* Bytes turned into base64 at a time; a multiple of three, so that no piece ends in padding. */
#define PIECE ((size_t) 48 << 10)

typedef struct {
  const PjExportSource *source;
  const char *folder;
  PjFormat format;
  PjDemoRuntime runtime;
  GMappedFile *networks[2];      /* original, pruned */
} Demo;

static void
demo_clear (Demo *self)
{
  pj_demo_runtime_clear (&self->runtime);
  for (int i = 0; i < 2; i++)
    g_clear_pointer (&self->networks[i], g_mapped_file_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Demo, demo_clear)

/* --- pieces of text --- */

/* A JSON string.  "<" is escaped too: no text may end the element that it stands in. */
static void
append_string (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_string_append_c (out, '"');
  for (const char *p = valid; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_printf (out, "\\%c", *p);
    else if ((guchar) *p < 0x20 || *p == '<')
      g_string_append_printf (out, "\\u%04x", (guint) (guchar) *p);
    else
      g_string_append_c (out, *p);
  }
  g_string_append_c (out, '"');
}

static void
append_note (GString *out, const char *key, const PjGraph *graph, const char *note)
{
  const char *text = pj_graph_get_meta (graph, note);
  if (text == NULL)
    return;
  g_string_append_printf (out, ",\"%s\":", key);
  append_string (out, text);
}

static void
append_numbers (GString *out, const char *key, const float *numbers, int n)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (out, ",\"%s\":", key);
  for (int i = 0; i < n; i++)
    g_string_append_printf (out, "%c%s", i == 0 ? '[' : ',', g_ascii_formatd (text, sizeof text, "%.9g", numbers[i]));
  g_string_append_c (out, ']');
}

static void
append_network (GString *out, const char *key, const PjGraph *graph, GMappedFile *file)
{
  PjCost cost;
  pj_graph_cost (graph, &cost);
  g_autofree char *hash = g_compute_checksum_for_data (G_CHECKSUM_SHA256,
                                                       (const guchar *) g_mapped_file_get_contents (file),
                                                       g_mapped_file_get_length (file));
  g_string_append_printf (out, ",\"%s\":{\"bytes\":%zu,\"macs\":%" G_GUINT64_FORMAT ",\"parameters\":%" G_GUINT64_FORMAT
                          ",\"sha256\":\"%s\"}", key, g_mapped_file_get_length (file), cost.macs, cost.learnable, hash);
}

/* The pictures as the networks want them, before normalisation: the page shows exactly what they see. */
static gboolean
append_pictures (GString *out, const Demo *self, GError **error)
{
  PjDataset *all = self->source->dataset;
  unsigned n = MIN (pj_dataset_n (all, PJ_SPLIT_TEST), PJ_DEMO_N_PICTURES);
  g_autoptr (PjDataset) some = pj_dataset_subset (all, 1, n, 1);
  size_t size = (size_t) self->format.c * self->format.h * self->format.w;
  guint8 *pixels = pj_alloc (size, "a picture", error);
  gboolean ok = pixels != NULL;
  g_string_append (out, ",\"pictures\":[");
  for (unsigned i = 0; ok && i < n; i++) {
    ok = pj_dataset_pixels (some, PJ_SPLIT_TEST, i, &self->format, pixels, error);
    g_autofree char *text = ok ? g_base64_encode (pixels, size) : NULL;
    g_string_append_printf (out, "%s{\"label\":%d,\"pixels\":\"%s\"}", i > 0 ? ",\n" : "\n",
                            pj_dataset_label (some, PJ_SPLIT_TEST, i), text != NULL ? text : "");
  }
  g_string_append (out, "]");
  pj_free (pixels);
  return ok;
}

/* All that the page says, as one JSON object. (transfer full) (nullable) */
static char *
describe (const Demo *self, GError **error)
{
  const PjExportSource *source = self->source;
  g_autoptr (GString) out = g_string_new ("{\"title\":");
  append_string (out, pj_graph_get_name (source->graph));
  g_string_append (out, ",\"data\":");
  append_string (out, pj_dataset_name (source->dataset));
  g_string_append_printf (out, ",\"shape\":[%d,%d,%d]", self->format.c, self->format.h, self->format.w);
  append_numbers (out, "mean", self->format.mean, self->format.c);
  append_numbers (out, "std", self->format.std, self->format.c);
  append_network (out, "original", source->original, self->networks[0]);
  append_network (out, "pruned", source->graph, self->networks[1]);
  append_note (out, "method", source->graph, "penjing.criterion");
  append_note (out, "seed", source->graph, "penjing.seed");
  append_note (out, "accuracy", source->graph, "penjing.accuracy");
  if (pj_graph_get_meta (source->graph, "penjing.base-accuracy") != NULL)
    append_note (out, "baseAccuracy", source->graph, "penjing.base-accuracy");
  else
    append_note (out, "baseAccuracy", source->original, "penjing.accuracy");
  g_string_append (out, ",\"classes\":[");
  for (unsigned i = 0; i < pj_dataset_n_classes (source->dataset); i++) {
    g_string_append (out, i > 0 ? "," : "");
    append_string (out, pj_dataset_class_name (source->dataset, i));
  }
  g_string_append (out, "]");
  if (!append_pictures (out, self, error))
    return NULL;
  g_string_append (out, "}");
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* --- writing --- */

static gboolean
write_base64 (PjFileWriter *file, const guint8 *data, size_t size, GError **error)
{
  gboolean ok = TRUE;
  for (size_t at = 0; ok && at < size; at += PIECE) {
    g_autofree char *text = g_base64_encode (data + at, MIN (PIECE, size - at));
    ok = pj_file_writer_append (file, text, strlen (text), error);
  }
  return ok;
}

static gboolean
write_bytes_gzip (PjFileWriter *file, GBytes *bytes, GError **error)
{
  size_t size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  z_stream stream = { .next_in = (guint8 *) data, .avail_in = (uInt) size };
  if (deflateInit2 (&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    g_set_error_literal (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "no memory to compress the runtime of the demo");
    return FALSE;
  }
  size_t bound = deflateBound (&stream, size);
  guint8 *packed = pj_alloc (bound, "the compressed runtime of the demo", error);
  gboolean ok = packed != NULL;
  if (ok) {
    stream.next_out = packed;
    stream.avail_out = (uInt) bound;
    /* There is room for everything, so one call does it. */
    ok = deflate (&stream, Z_FINISH) == Z_STREAM_END;
    g_assert (ok);
    ok = write_base64 (file, packed, stream.total_out, error);
  }
  deflateEnd (&stream);
  pj_free (packed);
  return ok;
}

static gboolean
write_mark (const Demo *self, PjFileWriter *file, const char *mark, GError **error)
{
  for (const PjEmbedded *part = pj_embedded_demo; part->name != NULL; part++) {
    if (strcmp (part->name, mark) == 0)
      return pj_file_writer_append (file, part->begin, (size_t) (part->end - part->begin), error);
  }
  if (strcmp (mark, "runtime-code") == 0)
    return write_bytes_gzip (file, self->runtime.code, error);
  if (strcmp (mark, "runtime-loader") == 0)
    return write_bytes_gzip (file, self->runtime.loader, error);
  if (strcmp (mark, "runtime-wasm") == 0)
    return write_bytes_gzip (file, self->runtime.wasm, error);
  if (strcmp (mark, "original") == 0 || strcmp (mark, "pruned") == 0) {
    GMappedFile *network = self->networks[*mark == 'p'];
    return write_base64 (file, (const guint8 *) g_mapped_file_get_contents (network),
                         g_mapped_file_get_length (network), error);
  }
  if (strcmp (mark, "title") == 0) {
    g_autofree char *title = g_markup_escape_text (pj_graph_get_name (self->source->graph), -1);
    return pj_file_writer_append (file, title, strlen (title), error);
  }
  g_assert (strcmp (mark, "content") == 0);
  g_autofree char *content = describe (self, error);
  return content != NULL && pj_file_writer_append (file, content, strlen (content), error);
}

static gboolean
write_page (const Demo *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, PJ_DEMO_PAGE, NULL);
  g_autoptr (PjFileWriter) file = pj_file_writer_new (path, error);
  gboolean ok = file != NULL;
  /* The template is the first file of the table. */
  const char *rest = (const char *) pj_embedded_demo[0].begin;
  for (const char *open; ok && (open = strstr (rest, "{{")) != NULL;) {
    const char *close = strstr (open, "}}");
    g_autofree char *mark = g_strndup (open + 2, (gsize) (close - open - 2));
    ok = pj_file_writer_append (file, rest, (size_t) (open - rest), error) && write_mark (self, file, mark, error);
    rest = close + 2;
  }
  return ok && pj_file_writer_append (file, rest, strlen (rest), error) && pj_file_writer_finish (file, error);
}

static gboolean
write_licenses (const Demo *self, GError **error)
{
  static const char text[] =
    "index.html contains onnxruntime-web, under this licence:\n\n"
    "MIT License\n\n"
    "Copyright (c) Microsoft Corporation\n\n"
    "Permission is hereby granted, free of charge, to any person obtaining a copy\n"
    "of this software and associated documentation files (the \"Software\"), to deal\n"
    "in the Software without restriction, including without limitation the rights\n"
    "to use, copy, modify, merge, publish, distribute, sublicense, and/or sell\n"
    "copies of the Software, and to permit persons to whom the Software is\n"
    "furnished to do so, subject to the following conditions:\n\n"
    "The above copyright notice and this permission notice shall be included in all\n"
    "copies or substantial portions of the Software.\n\n"
    "THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR\n"
    "IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,\n"
    "FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE\n"
    "AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER\n"
    "LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,\n"
    "OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE\n"
    "SOFTWARE.\n\n"
    "The networks and the pictures keep the licences of those who made them.\n";
  g_autofree char *path = g_build_filename (self->folder, PJ_DEMO_LICENSES, NULL);
  g_autoptr (PjFileWriter) file = pj_file_writer_new (path, error);
  return file != NULL && pj_file_writer_append (file, text, sizeof text - 1, error)
         && pj_file_writer_finish (file, error);
}

static gboolean
write_network (Demo *self, int which, const char *name, PjGraph *graph, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  if (!pj_onnx_export (graph, NULL, path, error))
    return FALSE;
  self->networks[which] = g_mapped_file_new (path, FALSE, error);
  if (self->networks[which] == NULL)
    return FALSE;
  size_t size = g_mapped_file_get_length (self->networks[which]);
  if (size <= PJ_DEMO_MAX_NETWORK)
    return TRUE;
  g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED,
               "%s would have %.0f MB; a page can hold networks of at most %.0f MB", name, (double) size / 1e6,
               (double) PJ_DEMO_MAX_NETWORK / 1e6);
  return FALSE;
}

gboolean
pj_demo_write (const PjExportSource *source, const char *path, GError **error)
{
  g_return_val_if_fail (source->original != NULL && source->dataset != NULL, FALSE);
  g_auto (Demo) self = { .source = source, .folder = path };
  PjFormat other;
  if (!pj_demo_runtime_load (&self.runtime, error)
      || !pj_dataset_format_for (source->dataset, source->graph, TRUE, &self.format, error)
      || !pj_dataset_format_for (source->dataset, source->original, TRUE, &other, error))
    return FALSE;
  if (other.c != self.format.c || other.h != self.format.h || other.w != self.format.w) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                 "the original network takes pictures of %d×%d×%d, the pruned one of %d×%d×%d; they cannot stand side "
                 "by side", other.c, other.h, other.w, self.format.c, self.format.h, self.format.w);
    return FALSE;
  }
  if (g_mkdir (path, 0755) < 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot make the folder “%s”: %s", path, g_strerror (errno));
    return FALSE;
  }
  return write_network (&self, 0, PJ_DEMO_ORIGINAL, source->original, error)
         && write_network (&self, 1, PJ_DEMO_PRUNED, source->graph, error) && write_page (&self, error)
         && write_licenses (&self, error);
}

/* --- reading back --- */

/* Whether the page holds these bytes as its pruned network. */
static gboolean
page_holds (const char *page, GBytes *network)
{
  static const char head[] = "id=\"pruned\">";
  const char *at = strstr (page, head);
  size_t size, n_read = 0;
  const guint8 *bytes = g_bytes_get_data (network, &size);
  if (at == NULL)
    return FALSE;
  at += strlen (head);
  guint8 piece[PIECE];
  gint state = 0;
  guint save = 0;
  /* Four letters are three bytes. */
  for (size_t left = strcspn (at, "<"); left > 0;) {
    size_t n_letters = MIN (left, PIECE), n = g_base64_decode_step (at, n_letters, piece, &state, &save);
    if (n_read + n > size || memcmp (piece, bytes + n_read, n) != 0)
      return FALSE;
    n_read += n;
    at += n_letters;
    left -= n_letters;
  }
  return n_read == size;
}

PjGraph *
pj_demo_read (const char *path, GError **error)
{
  g_autofree char *page_path = g_build_filename (path, PJ_DEMO_PAGE, NULL);
  g_autofree char *network_path = g_build_filename (path, PJ_DEMO_PRUNED, NULL);
  g_autofree char *page = NULL;
  if (!g_file_get_contents (page_path, &page, NULL, error))
    return NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (network_path, FALSE, error);
  if (file == NULL)
    return NULL;
  g_autoptr (GBytes) bytes = g_mapped_file_get_bytes (file);
  if (!page_holds (page, bytes)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "“%s” holds another network than “%s”", page_path, network_path);
    return NULL;
  }
  return pj_onnx_import (network_path, NULL, error);
}
