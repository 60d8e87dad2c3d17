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
 * @n_inputs: inputs that were compared
 * @real_inputs: they are test pictures; seeded noise otherwise
 * @hash: SHA-256 of the file
 * @text: one line for a person
 */
typedef struct {
  double difference;
  unsigned n_inputs;
  gboolean real_inputs;
  uint64_t size_bytes;
  PjCost cost;
  char *hash, *text;
} PjCertificate;

void pj_certificate_clear (PjCertificate *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjCertificate, pj_certificate_clear)

/* The largest difference that still is rounding. */
#define PJ_CERTIFICATE_TOLERANCE 1e-4

/**
 * pj_work_export:
 * @format: name of a PjExporter
 * @accuracy: (nullable): "0.9012 of 10000", for the notes; NULL asks the session
 * @certificate: (out caller-allocates)
 * @error: PJ_ERROR_INVALID if the file does not compute what the network does; it is then removed
 *
 * Writes the file with its notes (shapes, cost, origin, accuracy), reads it back, runs both on the same
 * inputs and compares.
 */
gboolean pj_work_export (const PjWork *work, const char *format, const char *path, const char *accuracy,
                         PjCertificate *certificate, PjWorkDone *done, GError **error);

G_END_DECLS
