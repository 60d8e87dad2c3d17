/* SPDX-License-Identifier: MIT */
/* Export as a job: write, read back, run both, compare. */
#include "model/work-export.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "model/work-infer.h"
#include "model/work-open.h"
#include "model/work-private.h"
#include "session/model.h"

/* Inputs that are compared. */
#define N_INPUTS 16

void
pj_certificate_clear (PjCertificate *self)
{
  g_clear_pointer (&self->hash, g_free);
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->details, g_free);
}

/* --- notes --- */

/* SHA-256 over the weights' own hashes, in the order of the file: the identity of what was trained. */
static char *
hash_weights (const PjGraph *graph)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  for (unsigned i = 0; i < pj_graph_n_values (graph); i++) {
    const PjValue *value = pj_graph_value (graph, (int) i);
    if (value->data != NULL)
      g_checksum_update (sum, (const guchar *) pj_blob_hash (value->data), -1);
  }
  return g_strdup (g_checksum_get_string (sum));
}

/* "conv1.weight 32×1×3×3; …" of all parameters with at least two axes. */
static char *
list_shapes (const PjGraph *graph)
{
  GString *text = g_string_new (NULL);
  for (unsigned i = 0; i < pj_graph_n_values (graph); i++) {
    const PjValue *value = pj_graph_value (graph, (int) i);
    if (value->kind != PJ_VALUE_PARAM || value->shape.rank < 2)
      continue;
    g_autofree char *shape = pj_shape_to_string (&value->shape);
    g_string_append_printf (text, "%s%s %s", text->len > 0 ? "; " : "", value->name, shape);
  }
  return g_string_free (text, FALSE);
}

static void
set_number (PjGraph *graph, const char *key, uint64_t number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);
  pj_graph_set_meta (graph, key, text);
}

/* (transfer full): the network with everything that the file should say about itself. */
static PjGraph *
with_notes (const PjWork *work, const char *accuracy, PjCertificate *certificate)
{
  PjGraph *graph = pj_graph_copy (work->graph);
  g_autofree char *known = NULL, *hash = hash_weights (graph), *shapes = list_shapes (graph);
  if (accuracy == NULL && work->session != NULL && work->step != 0) {
    g_autoptr (PjStepRecord) step = pj_session_get_step (work->session, work->step, NULL);
    accuracy = known = step != NULL ? pj_work_known_accuracy (work->session, step->model) : NULL;
  }
  pj_graph_cost (graph, &certificate->cost);
  set_number (graph, "penjing.macs", certificate->cost.macs);
  set_number (graph, "penjing.params", certificate->cost.learnable);
  pj_graph_set_meta (graph, "penjing.weights-sha256", hash);
  pj_graph_set_meta (graph, "penjing.shapes", shapes);
  if (accuracy != NULL && *accuracy != '\0')
    pj_graph_set_meta (graph, PJ_NOTE_ACCURACY, accuracy);
  if (work->dataset != NULL)
    pj_graph_set_meta (graph, PJ_NOTE_DATA, pj_dataset_name (work->dataset));
  /* Of a file that came in with one. */
  pj_graph_set_meta (graph, PJ_NOTE_FILE_DIFFERENCE, NULL);
  return graph;
}

/* --- running both --- */

/* FALSE with @error set if the two networks are not of one kind: the difference would be of nothing. */
static gboolean
run_both (const PjWork *work, PjGraph *back, const char *path, PjCertificate *certificate, GError **error)
{
  size_t n = pj_work_output_elems (work->graph);
  if (pj_work_input_elems (back) != pj_work_input_elems (work->graph) || pj_work_output_elems (back) != n) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                 "“%s” would have other inputs or outputs than the network; nothing was kept", path);
    return FALSE;
  }
  certificate->n_inputs = N_INPUTS;
  float *inputs = pj_work_probe_inputs (work->graph, work->dataset, N_INPUTS, &certificate->real_inputs, error);
  float *ours = inputs != NULL ? pj_alloc (N_INPUTS * n * sizeof (float), "outputs to compare", error) : NULL;
  float *theirs = ours != NULL ? pj_alloc (N_INPUTS * n * sizeof (float), "outputs to compare", error) : NULL;
  gboolean ok = theirs != NULL && pj_work_infer (work->device, work->graph, N_INPUTS, inputs, N_INPUTS, ours, NULL,
                                                 error)
                && pj_work_infer (work->device, back, N_INPUTS, inputs, N_INPUTS, theirs, NULL, error);
  if (ok)
    certificate->difference = pj_work_difference (ours, theirs, N_INPUTS * n);
  pj_free (inputs);
  pj_free (ours);
  pj_free (theirs);
  return ok;
}

static gboolean
compare_with_file (const PjWork *work, const PjExporter *exporter, const char *trial, const char *path,
                   PjCertificate *certificate, GError **error)
{
  g_autoptr (PjGraph) back = exporter->read (trial, error);
  if (back == NULL || !run_both (work, back, path, certificate, error))
    return FALSE;
  if (certificate->difference <= PJ_CERTIFICATE_TOLERANCE)
    return TRUE;
  g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
               "“%s” would not compute what the network does: its outputs differ by %.3g of "
               "the largest one, at most %g is rounding; nothing was kept", path, certificate->difference,
               PJ_CERTIFICATE_TOLERANCE);
  return FALSE;
}

/* --- the original --- */

PjGraph *
pj_work_find_original (PjSession *session, int64_t id, GError **error)
{
  g_autoptr (PjStepRecord) step = pj_session_get_step (session, id, error);
  int64_t model = step != NULL ? step->model : 0;
  while (step != NULL && step->parent != 0) {
    g_autoptr (PjStepRecord) parent = pj_session_get_step (session, step->parent, error);
    /* Some methods train while they choose: what they began with is the original, as what was cut is. */
    if (parent != NULL
        && (step->kind == PJ_STEP_CUT || (step->kind == PJ_STEP_MASKED && parent->model != step->model)))
      model = parent->model;
    pj_step_record_free (step);
    step = g_steal_pointer (&parent);
  }
  return step != NULL ? pj_session_get_graph (session, model, error) : NULL;
}

gboolean
pj_work_export_check (const char *format, gboolean has_original, gboolean has_data, GError **error)
{
  const PjExporter *exporter = pj_exporter_find (format);
  if (exporter == NULL) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "there is no export format “%s”", format);
    return FALSE;
  }
  if ((exporter->flags & PJ_EXPORTER_NEEDS_DATA) != 0 && !has_data) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "format “%s” shows sample pictures: it needs a data set", format);
    return FALSE;
  }
  if ((exporter->flags & PJ_EXPORTER_NEEDS_ORIGINAL) != 0 && !has_original) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                 "format “%s” shows the original network too: it needs that network, or a session that holds it", format);
    return FALSE;
  }
  return exporter->check == NULL || exporter->check (error);
}

/* --- the file --- */

static gboolean
add_size (const char *path, uint64_t *size, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  if (file != NULL)
    *size += g_mapped_file_get_length (file);
  return file != NULL;
}

static gboolean
hash_file (const char *path, PjCertificate *certificate, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  if (file == NULL)
    return FALSE;
  g_autoptr (GBytes) bytes = g_mapped_file_get_bytes (file);
  g_free (certificate->hash);
  certificate->hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
  return TRUE;
}

static gboolean
weigh (const PjExporter *exporter, const char *path, PjCertificate *certificate, GError **error)
{
  certificate->size_bytes = 0;
  if ((exporter->flags & PJ_EXPORTER_FOLDER) == 0)
    return add_size (path, &certificate->size_bytes, error) && hash_file (path, certificate, error);
  g_autofree char *network = g_build_filename (path, exporter->network, NULL);
  g_autoptr (GDir) entries = g_dir_open (path, 0, error);
  if (entries == NULL)
    return FALSE;
  for (const char *name; (name = g_dir_read_name (entries)) != NULL;) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    if (!add_size (file, &certificate->size_bytes, error))
      return FALSE;
  }
  return hash_file (network, certificate, error);
}

/* One attempt: written and compared. */
static gboolean
write_and_compare (const PjWork *work, const PjExporter *exporter, const PjExportSource *source, const char *trial,
                   const char *path, PjCertificate *certificate, GError **error)
{
  return exporter->write (source, trial, error)
         && compare_with_file (work, exporter, trial, path, certificate, error);
}

/* Where it goes: a link is followed, so that it stays a link. (transfer full) */
static char *
place_of (const char *path)
{
  char *real = realpath (path, NULL);
  char *place = real != NULL ? g_strdup (real) : g_canonicalize_filename (path, NULL);
  free (real);
  return place;
}

/* A name beside @place that nothing has: a download may well be called “model.onnx.part”. (transfer full) */
static char *
trial_beside (const char *place)
{
  char *trial = g_strconcat (place, ".part", NULL);
  GStatBuf info;
  for (unsigned i = 2; g_lstat (trial, &info) == 0; i++) {
    g_free (trial);
    trial = g_strdup_printf ("%s.part%u", place, i);
  }
  return trial;
}

/* The file is written beside its place and takes it only once it is certified, so that a file that was
 * there before is not lost to one that turns out to be wrong.  It is written twice: the first time to find the
 * difference that the second one states. */
static gboolean
write_certified (const PjWork *work, const PjExporter *exporter, const PjWorkExport *what, PjGraph *noted,
                 PjCertificate *certificate, GError **error)
{
  g_autoptr (PjGraph) found = NULL;
  PjExportSource source = { .graph = noted, .original = what->original, .dataset = work->dataset };
  if ((exporter->flags & PJ_EXPORTER_NEEDS_ORIGINAL) != 0 && source.original == NULL) {
    source.original = found = pj_work_find_original (work->session, work->step, error);
    if (found == NULL)
      return FALSE;
  }
  g_autofree char *place = place_of (what->path), *trial = trial_beside (place);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean ok = write_and_compare (work, exporter, &source, trial, what->path, certificate, error);
  if (ok) {
    pj_graph_set_meta (noted, PJ_NOTE_FILE_DIFFERENCE,
                       g_ascii_formatd (text, sizeof text, "%.2e", certificate->difference));
    pj_exporter_discard (exporter, trial);
    ok = write_and_compare (work, exporter, &source, trial, what->path, certificate, error);
  }
  ok = ok && weigh (exporter, trial, certificate, error) && pj_exporter_place (exporter, trial, place, error);
  if (!ok)
    pj_exporter_discard (exporter, trial);
  return ok;
}

/* --- in words --- */

static void
add_note (GString *lines, const char *key, const PjGraph *graph, const char *note)
{
  const char *text = pj_graph_get_meta (graph, note);
  if (text != NULL)
    g_string_append_printf (lines, "%s %s\n", key, text);
}

static char *
describe (const PjWorkExport *what, const PjGraph *graph, const PjCertificate *certificate)
{
  GString *lines = g_string_new (NULL);
  g_autofree char *shape = pj_shape_to_string (&pj_graph_value (graph, pj_graph_get_input (graph))->shape);
  g_string_append_printf (lines, "path %s\nformat %s\nbytes %" G_GUINT64_FORMAT "\nsha256 %s\nmacs %" G_GUINT64_FORMAT
                          "\nparameters %" G_GUINT64_FORMAT "\nshape %s\nclasses %zu\ninputs %u\npictures %d\n"
                          "difference %.2e\n", what->path, what->format, certificate->size_bytes, certificate->hash,
                          certificate->cost.macs, certificate->cost.learnable, shape, pj_work_output_elems (graph),
                          certificate->n_inputs, certificate->real_inputs, certificate->difference);
  add_note (lines, "cut-difference", graph, PJ_NOTE_CUT_DIFFERENCE);
  add_note (lines, "base-macs", graph, PJ_NOTE_BASE_MACS);
  add_note (lines, "base-parameters", graph, PJ_NOTE_BASE_PARAMS);
  add_note (lines, "method", graph, PJ_NOTE_CRITERION);
  add_note (lines, "seed", graph, PJ_NOTE_SEED);
  add_note (lines, "base-accuracy", graph, PJ_NOTE_BASE_ACCURACY);
  add_note (lines, "accuracy", graph, PJ_NOTE_ACCURACY);
  return g_string_free (lines, FALSE);
}

static void
put_into_words (const PjWorkExport *what, const PjGraph *graph, PjCertificate *certificate)
{
  g_autofree char *base = g_path_get_basename (what->path);
  const char *cut = pj_graph_get_meta (graph, PJ_NOTE_CUT_DIFFERENCE);
  certificate->cut_difference = cut != NULL ? g_ascii_strtod (cut, NULL) : -1.0;
  g_autofree char *when_cut = cut != NULL ? g_strdup_printf (", cut equals masked to %s", cut) : g_strdup ("");
  certificate->text = g_strdup_printf ("%s: %.1f kB, %.2f M MACs, largest difference %.1e on %u %s%s, SHA-256 %.12s…",
                                       base, (double) certificate->size_bytes / 1e3,
                                       (double) certificate->cost.macs / 1e6, certificate->difference,
                                       certificate->n_inputs,
                                       certificate->real_inputs ? "test pictures" : "seeded inputs", when_cut,
                                       certificate->hash);
  certificate->details = describe (what, graph, certificate);
}

gboolean
pj_work_export (const PjWork *work, const PjWorkExport *what, PjCertificate *certificate, PjWorkDone *done,
                GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  memset (certificate, 0, sizeof *certificate);
  if (!pj_work_export_check (what->format, what->original != NULL || (work->session != NULL && work->step != 0),
                             work->dataset != NULL, error))
    return FALSE;
  g_autofree char *base = g_path_get_basename (what->path), *title = g_strdup_printf ("Export %s", base);
  PjWorkRun *run = pj_work_begin (work, "export", title, NULL, 0, error);
  if (run == NULL)
    return FALSE;
  g_autoptr (PjGraph) noted = with_notes (work, what->accuracy, certificate);
  gboolean ok = write_certified (work, pj_exporter_find (what->format), what, noted, certificate, error);
  if (ok)
    put_into_words (what, noted, certificate);
  g_autofree char *result = ok ? g_strconcat (certificate->text, "\n", certificate->details, NULL) : NULL;
  ok = pj_work_end (run, ok, g_strdup (result), done, error);
  if (!ok)
    pj_certificate_clear (certificate);
  return ok;
}
