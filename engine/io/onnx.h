/* SPDX-License-Identifier: MIT */
/* ONNX files: reading a network and writing one.  All functions: any thread, one graph at a time.
 *
 * Import reads a file through a bounded reader and trusts nothing in it: every size is checked against
 * the bytes that are there and against the ceilings below, so that no file, however damaged, crashes,
 * hangs or exhausts memory.  The picture input keeps the name and size of the file; its batch becomes
 * free.  Constants are folded, and nodes that change nothing in inference (Identity, Dropout) are
 * left out; the report says so.
 *
 * Every message names the file and, where there is one, the node or tensor. */
#pragma once

#include <glib.h>

#include "graph/graph.h"
#include "ops/onnx.h"

G_BEGIN_DECLS

/* Ceilings.  Real networks stay far below them; a file above one is refused with PJ_ONNX_ERROR_LIMIT. */
#define PJ_ONNX_MAX_DIMS PJ_MAX_RANK            /* dimensions of a tensor */
#define PJ_ONNX_MAX_NODES 65536
#define PJ_ONNX_MAX_TENSORS 262144
#define PJ_ONNX_MAX_NODE_FIELDS 1024            /* inputs, outputs or attributes of one node */
#define PJ_ONNX_MAX_CHANNELS ((size_t) 1 << 23)  /* of all maps and weights together */
#define PJ_ONNX_MAX_NAME 4096                   /* bytes of a name */
#define PJ_ONNX_MAX_NOTE (1 << 20)              /* bytes of a metadata text */
#define PJ_ONNX_MAX_INTS 16384                  /* integers of a constant that is folded */
#ifndef PJ_ONNX_MAX_MADE   /* smaller where many files are read by one process: tests/fuzz */
#define PJ_ONNX_MAX_MADE ((size_t) 1 << 28)     /* numbers that importing makes beyond those stored */
#endif
#define PJ_ONNX_MAX_FILE (((size_t) 1 << 31) - 1) /* bytes written: readers of others stop at 2 GiB */

/**
 * PjOnnxReport: what was found while importing.  Caller memory, see pj_onnx_report_clear().
 * @producer: program that wrote the file with its version ("pytorch 1.13.1"), "" if it does not say
 * @ir_version: version of the file format
 * @opset: version of the operators
 * @n_unknown: operators that are shown but cannot be run
 * @remarks: (element-type utf8): sentences about what was folded, left out or assumed
 */
typedef struct {
  char *producer;
  int64_t ir_version, opset;
  unsigned n_unknown;
  GPtrArray *remarks;
} PjOnnxReport;

/* Frees the contents and zeroes @report. */
void pj_onnx_report_clear (PjOnnxReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjOnnxReport, pj_onnx_report_clear)

/**
 * pj_onnx_import:
 * @path: of the file; tensors stored outside it are read from its folder
 * @report: (out caller-allocates) (nullable): zeroed before; also filled as far as it got on failure
 * @error: PJ_ONNX_ERROR; PJ_ERROR_IO; PJ_ERROR_NO_MEMORY; PJ_GRAPH_ERROR_SHAPE
 *
 * An operator that this build does not know becomes an opaque node if the file declares the shape of
 * its output: the network can then be looked at, not run.
 *
 * Returns: (transfer full): a network with one input and one output, or NULL
 */
PjGraph *pj_onnx_import (const char *path, PjOnnxReport *report, GError **error);

/**
 * PjOnnxTensorSource:
 * @hash: SHA-256 of the blob, 64 hexadecimal digits
 *
 * Returns: (transfer full): the blob, or NULL with @error set
 */
typedef PjBlob *(*PjOnnxTensorSource) (const char *hash, gpointer data, GError **error);

/**
 * pj_onnx_import_bytes:
 * @name: what messages call these bytes, in place of a path
 * @source: (nullable): gives the tensors that pj_onnx_export_bytes() handed to its sink
 *
 * As pj_onnx_import(), from memory.  Tensors in other files are refused.
 */
PjGraph *pj_onnx_import_bytes (GBytes *bytes, const char *name, PjOnnxTensorSource source, gpointer data,
                               PjOnnxReport *report, GError **error);

/**
 * PjOnnxExportOptions: zero-initialise, then set.
 * @opset: 10 to 21; 0 is 13, which every common runtime reads, or what an operator needs
 * @batch: pictures per run fixed in the file; 0 leaves it free, as the symbol "N"
 */
typedef struct {
  int opset;
  unsigned batch;
} PjOnnxExportOptions;

/**
 * pj_onnx_export:
 * @options: (nullable): the defaults
 * @path: replaced in one step once everything is on the disk; untouched on failure
 * @error: PJ_ONNX_ERROR_UNSUPPORTED for an opaque node; PJ_ONNX_ERROR_LIMIT above 2 GiB; PJ_ERROR_INVALID
 *   for options out of range; PJ_ERROR_IO
 *
 * Writes the network, its weights and its notes.  The same graph gives the same bytes.
 */
gboolean pj_onnx_export (PjGraph *graph, const PjOnnxExportOptions *options, const char *path, GError **error);

/* Takes a tensor that is kept outside the bytes; pj_blob_hash() is its name. FALSE with @error set stops. */
typedef gboolean (*PjOnnxTensorSink) (PjBlob *blob, gpointer data, GError **error);

/**
 * pj_onnx_export_bytes:
 * @sink: (nullable): gets every stored float tensor; the bytes then only refer to them by hash, which
 *   nobody but pj_onnx_import_bytes() understands.  NULL: the bytes are a complete file.
 *
 * Returns: (transfer full): the file, or NULL
 */
GBytes *pj_onnx_export_bytes (PjGraph *graph, const PjOnnxExportOptions *options, PjOnnxTensorSink sink,
                              gpointer data, GError **error);

G_END_DECLS
