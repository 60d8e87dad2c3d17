/* SPDX-License-Identifier: MIT */
/* Export as a job: write, read back, run both, compare. */
#include "model/work-export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
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
  if (accuracy != NULL)
    pj_graph_set_meta (graph, PJ_NOTE_ACCURACY, accuracy);
  if (work->dataset != NULL)
    pj_graph_set_meta (graph, PJ_NOTE_DATA, pj_dataset_name (work->dataset));
  return graph;
}

/* --- running both --- */

/* Test pictures where there are enough that fit, else seeded noise. (transfer full): for pj_free() */
static float *
make_inputs (const PjWork *work, PjCertificate *certificate, GError **error)
{
  size_t size = pj_work_input_elems (work->graph);
  float *inputs = pj_alloc (N_INPUTS * size * sizeof (float), "inputs to compare", error);
  if (inputs == NULL)
    return NULL;
  certificate->n_inputs = N_INPUTS;
  PjFormat format;
  if (work->dataset != NULL && pj_dataset_n (work->dataset, PJ_SPLIT_TEST) >= N_INPUTS
      && pj_dataset_format_for (work->dataset, work->graph, FALSE, &format, NULL)) {
    certificate->real_inputs = TRUE;
    for (unsigned i = 0; i < N_INPUTS && certificate->real_inputs; i++)
      certificate->real_inputs = pj_dataset_image (work->dataset, PJ_SPLIT_TEST, i, &format, inputs + i * size, NULL);
  }
  PjRng rng;
  pj_rng_init (&rng, 1, PJ_STREAM (PJ_STREAM_SUBSET, 0, 0));
  for (size_t i = 0; !certificate->real_inputs && i < N_INPUTS * size; i++)
    inputs[i] = (float) pj_rng_normal (&rng);
  return inputs;
}

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
  float *inputs = make_inputs (work, certificate, error);
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
compare_with_file (const PjWork *work, const PjExporter *exporter, const char *path, PjCertificate *certificate,
                   GError **error)
{
  g_autoptr (PjGraph) back = exporter->read (path, error);
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

/* --- the file --- */

static gboolean
hash_file (const char *path, PjCertificate *certificate, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  if (file == NULL)
    return FALSE;
  g_autoptr (GBytes) bytes = g_mapped_file_get_bytes (file);
  certificate->size_bytes = g_bytes_get_size (bytes);
  certificate->hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
  return TRUE;
}

/* The file is written beside its place and takes it only once it is certified, so that a file that was
 * there before is not lost to one that turns out to be wrong. */
static gboolean
write_certified (const PjWork *work, const PjExporter *exporter, const char *path, const char *accuracy,
                 PjCertificate *certificate, GError **error)
{
  g_autoptr (PjGraph) noted = with_notes (work, accuracy, certificate);
  g_autofree char *trial = g_strdup_printf ("%s.part", path);
  if (!exporter->write (noted, trial, error)) {
    unlink (trial);
    return FALSE;
  }
  gboolean ok = compare_with_file (work, exporter, trial, certificate, error) && hash_file (trial, certificate, error);
  if (ok && rename (trial, path) < 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot write “%s”: %s", path, g_strerror (errno));
    ok = FALSE;
  }
  if (!ok)
    unlink (trial);
  return ok;
}

gboolean
pj_work_export (const PjWork *work, const char *format, const char *path, const char *accuracy,
                PjCertificate *certificate, PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  memset (certificate, 0, sizeof *certificate);
  const PjExporter *exporter = pj_exporter_find (format);
  if (exporter == NULL) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "there is no export format “%s”", format);
    return FALSE;
  }
  g_autofree char *base = g_path_get_basename (path), *title = g_strdup_printf ("Export %s", base);
  PjWorkRun *run = pj_work_begin (work, "export", title, NULL, 0, error);
  if (run == NULL)
    return FALSE;
  gboolean ok = write_certified (work, exporter, path, accuracy, certificate, error);
  if (ok)
    certificate->text = g_strdup_printf ("%s: %.1f kB, %.2f M MACs, largest difference %.1e on %u %s, SHA-256 %.12s…",
                                         base,
                                         (double) certificate->size_bytes / 1e3, (double) certificate->cost.macs / 1e6,
                                         certificate->difference, certificate->n_inputs,
                                         certificate->real_inputs ? "test pictures" : "seeded inputs",
                                         certificate->hash);
  ok = pj_work_end (run, ok, g_strdup (certificate->text), done, error);
  if (!ok)
    pj_certificate_clear (certificate);
  return ok;
}
