/* SPDX-License-Identifier: MIT */
/* The family of export formats: one row in exporter.c each. */
#pragma once

#include "graph/graph.h"

G_BEGIN_DECLS

/**
 * PjExporter:
 * @name: identifier ("onnx"); @title: what a person reads; @about: two plain sentences
 * @extension: of its files, without a dot
 * @write: writes @path in one step; untouched on failure
 * @read: reads such a file back, to check it. (transfer full)
 */
typedef struct {
  const char *name, *title, *about, *extension;
  gboolean (*write) (PjGraph *graph, const char *path, GError **error);
  PjGraph *(*read) (const char *path, GError **error);
} PjExporter;

/* Ends with a row whose name is NULL. */
extern const PjExporter pj_exporters[];
const PjExporter *pj_exporter_find (const char *name);

G_END_DECLS
