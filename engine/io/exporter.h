/* SPDX-License-Identifier: MIT */
/* The family of export formats: one row in exporter.c each. */
#pragma once

#include "data/dataset.h"
#include "graph/graph.h"

G_BEGIN_DECLS

/**
 * PjExportSource: what is exported.  All borrowed.
 * @graph: the network, with its notes
 * @original: (nullable): the network that it was made from; there for formats that need it
 * @dataset: (nullable): pictures; there for formats that need them
 */
typedef struct {
  PjGraph *graph, *original;
  PjDataset *dataset;
} PjExportSource;

/**
 * PjExporterFlags:
 * @PJ_EXPORTER_FOLDER: the result is a folder, not a file
 * @PJ_EXPORTER_NEEDS_ORIGINAL, @PJ_EXPORTER_NEEDS_DATA: cannot do without that member of PjExportSource
 */
typedef enum {
  PJ_EXPORTER_FOLDER = 1 << 0,
  PJ_EXPORTER_NEEDS_ORIGINAL = 1 << 1,
  PJ_EXPORTER_NEEDS_DATA = 1 << 2,
} PjExporterFlags;

/**
 * PjExporter:
 * @name: identifier ("onnx"); @title: what a person reads; @about: two plain sentences
 * @extension: of its files, without a dot; "" for a folder
 * @network: (nullable): the file in the folder that holds @graph, for its hash
 * @check: (nullable): FALSE with a reason if the format cannot be written on this machine; quick
 * @write: writes @path in one step, a folder that is not there yet; a file is untouched on failure
 * @read: reads such a file or folder back, to check it. (transfer full)
 */
typedef struct {
  const char *name, *title, *about, *extension;
  PjExporterFlags flags;
  const char *network;
  gboolean (*check) (GError **error);
  gboolean (*write) (const PjExportSource *source, const char *path, GError **error);
  PjGraph *(*read) (const char *path, GError **error);
} PjExporter;

/* Ends with a row whose name is NULL. */
extern const PjExporter pj_exporters[];
const PjExporter *pj_exporter_find (const char *name);

/**
 * pj_exporter_place:
 * @trial: what @write made
 * @path: where it is meant to be
 * @error: PJ_ERROR_IO
 *
 * Moves a file over the one that is there.  Of a folder that is there, the files of the same names are
 * replaced and the others stay.
 */
gboolean pj_exporter_place (const PjExporter *self, const char *trial, const char *path, GError **error);
/* Removes what @write made, or half of it. */
void pj_exporter_discard (const PjExporter *self, const char *trial);

G_END_DECLS
