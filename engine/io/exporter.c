/* SPDX-License-Identifier: MIT */
/* The registry of export formats. */
#include "io/exporter.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "graph/cut.h"
#include "graph/norms.h"
#include "io/demo.h"
#include "io/onnx.h"

/* Norms that were only put in to work with the network go the way they came. */
static gboolean
write_onnx (const PjExportSource *source, const char *path, GError **error)
{
  g_autoptr (PjGraph) own = pj_norms_fold_inserted (source->graph, error);
  return own != NULL && pj_onnx_export (own, NULL, path, error);
}

static gboolean
write_folded (const PjExportSource *source, const char *path, GError **error)
{
  g_autoptr (PjGraph) folded = pj_fold_norms (source->graph, error);
  return folded != NULL && pj_onnx_export (folded, NULL, path, error);
}

/* OpenCV's reader knows operators as they were before version 11 and trips over norms left in place. */
static gboolean
write_opencv (const PjExportSource *source, const char *path, GError **error)
{
  g_autoptr (PjGraph) folded = pj_fold_norms (source->graph, error);
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
    " runtime reads.", "onnx", 0, NULL, NULL, write_onnx, read_onnx },
  { "onnx-folded", "ONNX, norms folded",
    "Norms are folded into the convolutions: fewer operators and the same outputs to"
    " rounding. For running, not for training.", "onnx", 0, NULL, NULL, write_folded, read_onnx },
  { "onnx-opencv", "ONNX for OpenCV",
    "Norms folded, operators of version 10, which OpenCV's dnn module reads. For running,"
    " not for training.", "onnx", 0, NULL, NULL, write_opencv, read_onnx },
  { "demo", "Demo", "A folder with a web page that runs the original and the pruned network side by side on sample"
    " pictures, with times and sizes. It needs nothing but a browser, not even a connection.", "",
    PJ_EXPORTER_FOLDER | PJ_EXPORTER_NEEDS_ORIGINAL | PJ_EXPORTER_NEEDS_DATA, PJ_DEMO_PRUNED, pj_demo_check,
    pj_demo_write, pj_demo_read },
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

static gboolean
move (const char *from, const char *to, GError **error)
{
  if (!pj_fault (PJ_FAULT_WRITE) && g_rename (from, to) == 0)
    return TRUE;
  g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot write “%s”: %s", to, g_strerror (errno));
  return FALSE;
}

gboolean
pj_exporter_place (const PjExporter *self, const char *trial, const char *path, GError **error)
{
  if ((self->flags & PJ_EXPORTER_FOLDER) == 0 || !g_file_test (path, G_FILE_TEST_IS_DIR))
    return move (trial, path, error);
  g_autoptr (GDir) entries = g_dir_open (trial, 0, error);
  if (entries == NULL)
    return FALSE;
  for (const char *name; (name = g_dir_read_name (entries)) != NULL;) {
    g_autofree char *from = g_build_filename (trial, name, NULL), *to = g_build_filename (path, name, NULL);
    if (!move (from, to, error))
      return FALSE;
  }
  g_rmdir (trial);
  return TRUE;
}

void
pj_exporter_discard (const PjExporter *self, const char *trial)
{
  if ((self->flags & PJ_EXPORTER_FOLDER) != 0) {
    g_autoptr (GDir) entries = g_dir_open (trial, 0, NULL);
    for (const char *name; entries != NULL && (name = g_dir_read_name (entries)) != NULL;) {
      g_autofree char *path = g_build_filename (trial, name, NULL);
      unlink (path);
    }
    g_rmdir (trial);
  } else
    unlink (trial);
}
