/* SPDX-License-Identifier: MIT */
/* A demo: a folder to hand on, with both networks and one page that needs nothing else, no server and no
 * connection.  The page runs both networks in the browser, side by side, on sample pictures.
 *
 *   index.html       the page: text, style, code, pictures, both networks, and the runtime, all inside
 *   original.onnx    the network before cutting
 *   pruned.onnx      the one after
 *   LICENSES.txt     of the runtime
 *
 * The runtime is onnxruntime-web, WebAssembly that every browser of the last years runs from a plain file. */
#pragma once

#include "io/exporter.h"

G_BEGIN_DECLS

/* Names in the folder. */
#define PJ_DEMO_PAGE "index.html"
#define PJ_DEMO_ORIGINAL "original.onnx"
#define PJ_DEMO_PRUNED "pruned.onnx"
#define PJ_DEMO_LICENSES "LICENSES.txt"

/* Sample pictures on the page. */
#define PJ_DEMO_N_PICTURES 24
/* Bytes of one network; a browser cannot hold longer texts than about twice this. */
#define PJ_DEMO_MAX_NETWORK ((size_t) 256 << 20)

/* Rows of pj_exporters. */
gboolean pj_demo_check (GError **error);
gboolean pj_demo_write (const PjExportSource *source, const char *path, GError **error);
PjGraph *pj_demo_read (const char *path, GError **error);

/**
 * PjDemoRuntime: the files of onnxruntime-web: the library, what starts its WebAssembly, and that.
 */
typedef struct {
  GBytes *code, *loader, *wasm;
} PjDemoRuntime;

/**
 * pj_demo_runtime_load:
 * @error: PJ_ERROR_UNSUPPORTED: it is not installed; the message says how it can be had
 *
 * Looks into $PENJING_DEMO_RUNTIME, the person's data folder, and the data folders of the system.
 */
gboolean pj_demo_runtime_load (PjDemoRuntime *self, GError **error);
void pj_demo_runtime_clear (PjDemoRuntime *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjDemoRuntime, pj_demo_runtime_clear)

G_END_DECLS
