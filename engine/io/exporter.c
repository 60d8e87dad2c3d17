/* SPDX-License-Identifier: MIT */
/* The registry of export formats. */
#include "io/exporter.h"

#include <string.h>

#include "graph/cut.h"
#include "io/onnx.h"

static gboolean
write_onnx (PjGraph *graph, const char *path, GError **error)
{
  return pj_onnx_export (graph, NULL, path, error);
}

static gboolean
write_folded (PjGraph *graph, const char *path, GError **error)
{
  g_autoptr (PjGraph) folded = pj_fold_norms (graph, error);
  return folded != NULL && pj_onnx_export (folded, NULL, path, error);
}

/* OpenCV's reader knows operators as they were before version 11 and trips over norms left in place. */
static gboolean
write_opencv (PjGraph *graph, const char *path, GError **error)
{
  g_autoptr (PjGraph) folded = pj_fold_norms (graph, error);
  PjOnnxExportOptions options = { .opset = 10 };
  return folded != NULL && pj_onnx_export (folded, &options, path, error);
}

static PjGraph *
read_onnx (const char *path, GError **error)
{
  return pj_onnx_import (path, NULL, error);
}

const PjExporter pj_exporters[] = {
  { "onnx", "ONNX", "Norms stay, so that the network can be trained further. Operators of version 13, which every common"
    " runtime reads.", "onnx", write_onnx, read_onnx },
  { "onnx-folded", "ONNX, norms folded",
    "Norms are folded into the convolutions: fewer operators and the same outputs to"
    " rounding. For running, not for training.", "onnx", write_folded, read_onnx },
  { "onnx-opencv", "ONNX for OpenCV",
    "Norms folded, operators of version 10, which OpenCV's dnn module reads. For running,"
    " not for training.", "onnx", write_opencv, read_onnx },
  { NULL }
};

const PjExporter *
pj_exporter_find (const char *name)
{
  for (const PjExporter *exporter = pj_exporters; exporter->name != NULL; exporter++) {
    if (strcmp (exporter->name, name) == 0)
      return exporter;
  }
  return NULL;
}
