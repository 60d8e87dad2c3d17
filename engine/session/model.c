/* SPDX-License-Identifier: MIT */
/* Networks in a session: ONNX bytes that refer to tensors by hash, and the tensors. */
#include "session/model.h"

#include "io/onnx.h"

typedef struct {
  PjSession *session;
  GPtrArray *hashes;
} Sink;

static gboolean
sink_cb (PjBlob *blob, gpointer data, GError **error)
{
  Sink *sink = data;
  g_ptr_array_add (sink->hashes, g_strdup (pj_blob_hash (blob)));
  return pj_session_put_blob (sink->session, blob, error);
}

int64_t
pj_session_put_graph (PjSession *self, PjGraph *graph, GError **error)
{
  g_autoptr (GPtrArray) hashes = g_ptr_array_new_with_free_func (g_free);
  Sink sink = { self, hashes };
  g_autoptr (GBytes) onnx = pj_onnx_export_bytes (graph, NULL, sink_cb, &sink, error);
  if (onnx == NULL)
    return 0;
  g_ptr_array_add (hashes, NULL);
  return pj_session_put_model (self, pj_graph_get_name (graph), onnx, (const char *const *) hashes->pdata, error);
}

static PjBlob *
source_cb (const char *hash, gpointer data, GError **error)
{
  return pj_session_get_blob (data, hash, error);
}

PjGraph *
pj_session_get_graph (PjSession *self, int64_t model, GError **error)
{
  g_autoptr (GBytes) onnx = pj_session_get_model (self, model, error);
  if (onnx == NULL)
    return NULL;
  return pj_onnx_import_bytes (onnx, pj_session_path (self), source_cb, self, NULL, error);
}
