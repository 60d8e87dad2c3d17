/* SPDX-License-Identifier: MIT */
/* What a person does first with a file: import, cost, groups; then the way back.  libFuzzer calls this, see
 * run.sh; test-corpus.c calls it with the committed files.
 *
 * Whatever the bytes are, there is a network or a sentence, and a network that was read can be written and
 * read again unless it says why not. */
#include "fuzz-onnx.h"

#include "graph/groups.h"
#include "io/onnx.h"

static void
write_and_read (PjGraph *graph, const PjOnnxReport *report)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = pj_onnx_export_bytes (graph, NULL, NULL, NULL, &error);
  g_assert_true ((bytes == NULL) == (error != NULL));
  if (bytes == NULL || report->n_unknown > 0)
    return;
  g_autoptr (PjGraph) again = pj_onnx_import_bytes (bytes, "again.onnx", NULL, NULL, NULL, &error);
  if (again == NULL)
    g_error ("what was written cannot be read: %s", error->message);
  PjCost a, b;
  pj_graph_cost (graph, &a);
  pj_graph_cost (again, &b);
  if (a.macs != b.macs)
    g_error ("%" G_GUINT64_FORMAT " multiply-adds became %" G_GUINT64_FORMAT, a.macs, b.macs);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_auto (PjOnnxReport) report = { 0 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (PjGraph) graph = pj_onnx_import_bytes (bytes, "fuzz.onnx", NULL, NULL, &report, &error);

  g_assert_true ((graph == NULL) == (error != NULL));
  if (graph == NULL) {
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    return 0;
  }
  PjCost cost;
  pj_graph_cost (graph, &cost);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_assert_nonnull (groups);
  write_and_read (graph, &report);
  return 0;
}
