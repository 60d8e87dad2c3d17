/* SPDX-License-Identifier: MIT */
/* The job "export": a file for other programs, with a certificate that it computes what was on the screen. */
#pragma once

#include "io/exporter.h"
#include "model/work.h"

G_BEGIN_DECLS

/**
 * PjCertificate: what was checked.
 * @difference: largest difference of an output between the network and the file read back, relative to the
 *   largest output
 * @cut_difference: the same between the masked network and the cut one when it was cut; -1 if that is not known,
 *   or nothing was cut
 * @n_inputs: inputs that were compared
 * @real_inputs: they are test pictures; seeded noise otherwise
 * @hash: SHA-256 of the file, of the network's file where the export is a folder
 * @size_bytes: of the file, or of all files of the folder
 * @text: one line for a person
 * @details: everything, as “key value” lines: path, format, bytes, sha256, macs, parameters, shape, classes,
 *   inputs, pictures (0 or 1), difference, and where they are known cut-difference, base-macs,
 *   base-parameters, method, seed, base-accuracy, accuracy.  The result of the job is @text, then these lines.
 */
typedef struct {
  double difference, cut_difference;
  unsigned n_inputs;
  gboolean real_inputs;
  uint64_t size_bytes;
  PjCost cost;
  char *hash, *text, *details;
} PjCertificate;

void pj_certificate_clear (PjCertificate *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjCertificate, pj_certificate_clear)

/* The largest difference that still is rounding. */
#define PJ_CERTIFICATE_TOLERANCE 1e-4

/**
 * PjWorkExport: what to write.
 * @format: name of a PjExporter
 * @path: file or folder
 * @accuracy: (nullable): "0.9012 of 10000", for the notes; "" if it is not known, NULL asks the session
 * @original: (nullable): the network that it was made from, for formats that show it; NULL takes what the
 *   session had before the first cut
 */
typedef struct {
  const char *format, *path, *accuracy;
  PjGraph *original;
} PjWorkExport;

/**
 * pj_work_export_check:
 * @has_data: whether there will be pictures
 * @has_original: whether there will be an original, by name or in the session
 * @error: PJ_ERROR_INVALID, PJ_ERROR_UNSUPPORTED
 *
 * Whether the format can be written, asked before any work starts.
 */
gboolean pj_work_export_check (const char *format, gboolean has_original, gboolean has_data, GError **error);

/* The network before the first cut, or before a method first changed its weights, on the way to @step; the step's own
 * where nothing of that happened. (transfer full) */
PjGraph *pj_work_find_original (PjSession *session, int64_t step, GError **error);

/**
 * pj_work_export:
 * @certificate: (out caller-allocates)
 * @error: PJ_ERROR_INVALID if the file does not compute what the network does; it is then removed
 *
 * Writes the file with its notes (shapes, cost, origin, accuracy), reads it back, runs both on the same
 * inputs and compares.  The difference found is then noted in the file too, which is read back once more.
 */
gboolean pj_work_export (const PjWork *work, const PjWorkExport *what, PjCertificate *certificate, PjWorkDone *done,
                         GError **error);

G_END_DECLS
