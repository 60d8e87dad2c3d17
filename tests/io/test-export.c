/* SPDX-License-Identifier: MIT */
/* What is written reads back as the same network, and a failure leaves the old file as it was. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fault.h"
#include "io/file.h"
#include "onnx-test.h"
#include "ops/op.h"

static float *
numbers_of (const OnnxFixture *fixture)
{
  size_t n;
  g_autofree char *path = onnx_path (fixture->numbers, ".in.f32");
  return onnx_floats (path, &n);
}

static void
assert_same (PjGraph *a, PjGraph *b, const float *x, unsigned pictures, double tolerance)
{
  size_t n_a, n_b;
  g_autofree float *y_a = onnx_run (a, x, pictures, &n_a), *y_b = onnx_run (b, x, pictures, &n_b);
  g_assert_cmpuint (n_a, ==, n_b);
  assert_close (y_b, y_a, (int) n_a, tolerance, pj_graph_get_name (a));
}

static void
test_reads_back (gconstpointer data)
{
  static const int opsets[] = { 10, 11, 12, 13, 15, 17, 18, 21 };
  const OnnxFixture *fixture = data;
  g_autoptr (PjGraph) graph = onnx_load (fixture->name);
  g_autofree float *x = numbers_of (fixture);

  for (unsigned i = 0; i < G_N_ELEMENTS (opsets); i++) {
    g_autoptr (GError) error = NULL;
    g_auto (PjOnnxReport) report = { 0 };
    PjOnnxExportOptions options = { .opset = opsets[i], .batch = i % 3 };
    g_autoptr (GBytes) bytes = pj_onnx_export_bytes (graph, &options, NULL, NULL, &error);
    g_assert_no_error (error);
    g_autoptr (PjGraph) again = pj_onnx_import_bytes (bytes, "again.onnx", NULL, NULL, &report, &error);
    g_assert_no_error (error);
    g_assert_cmpint (report.opset, ==, opsets[i]);
    g_assert_cmpuint (pj_graph_n_nodes (again), ==, pj_graph_n_nodes (graph));
    for (unsigned n = 0; n < pj_graph_n_nodes (graph); n++)
      g_assert_cmpstr (pj_graph_node (again, (int) n)->name, ==, pj_graph_node (graph, (int) n)->name);
    assert_same (graph, again, x, fixture->pictures, 0);
  }
}

static void
test_same_bytes (void)
{
  g_autoptr (PjGraph) graph = onnx_load ("resnet-opset17");
  g_autoptr (GBytes) a = pj_onnx_export_bytes (graph, NULL, NULL, NULL, NULL);
  g_autoptr (GBytes) b = pj_onnx_export_bytes (graph, NULL, NULL, NULL, NULL);
  g_assert_true (g_bytes_equal (a, b));
}

static void
test_notes_travel (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = onnx_load ("flat-opset13");
  pj_graph_set_meta (graph, "penjing.criterion", "thinet, keep 0.5");
  pj_graph_set_meta (graph, "说明", "剪枝");
  g_autoptr (GBytes) bytes = pj_onnx_export_bytes (graph, NULL, NULL, NULL, &error);
  g_autoptr (PjGraph) again = pj_onnx_import_bytes (bytes, "notes.onnx", NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (pj_graph_get_meta (again, "penjing.criterion"), ==, "thinet, keep 0.5");
  g_assert_cmpstr (pj_graph_get_meta (again, "说明"), ==, "剪枝");
}

/* --- tensors kept outside, as the session does --- */

static gboolean
keep_blob (PjBlob *blob, gpointer data, GError **error)
{
  g_hash_table_insert (data, g_strdup (pj_blob_hash (blob)), pj_blob_ref (blob));
  return TRUE;
}

static PjBlob *
find_blob (const char *hash, gpointer data, GError **error)
{
  PjBlob *blob = g_hash_table_lookup (data, hash);
  if (blob == NULL)
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "no tensor %s", hash);
  return blob != NULL ? pj_blob_ref (blob) : NULL;
}

static void
test_tensors_elsewhere (void)
{
  g_autoptr (GError) error = NULL;
  const OnnxFixture *fixture = &onnx_fixtures[3];
  g_autoptr (PjGraph) graph = onnx_load (fixture->name);
  g_autofree float *x = numbers_of (fixture);
  g_autoptr (GHashTable) blobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) pj_blob_unref);
  g_autoptr (GBytes) bytes = pj_onnx_export_bytes (graph, NULL, keep_blob, blobs, &error);
  g_assert_no_error (error);
  PjCost cost;
  pj_graph_cost (graph, &cost);
  g_assert_cmpuint (g_bytes_get_size (bytes), <, 4 * cost.weights);
  g_autoptr (PjGraph) again = pj_onnx_import_bytes (bytes, "session", find_blob, blobs, NULL, &error);
  g_assert_no_error (error);
  assert_same (graph, again, x, fixture->pictures, 0);

  /* The references mean nothing to a reader without the store. */
  g_autoptr (PjGraph) lost = pj_onnx_import_bytes (bytes, "session", NULL, NULL, NULL, &error);
  g_assert_null (lost);
  g_assert_nonnull (error);
}

/* --- refusals --- */

static void
test_bad_options (void)
{
  static const int opsets[] = { -1, 6, 9, 22, 1000 };
  g_autoptr (PjGraph) graph = onnx_load ("shared-opset13");
  for (unsigned i = 0; i < G_N_ELEMENTS (opsets); i++) {
    g_autoptr (GError) error = NULL;
    PjOnnxExportOptions options = { .opset = opsets[i] };
    g_autoptr (GBytes) bytes = pj_onnx_export_bytes (graph, &options, NULL, NULL, &error);
    g_assert_null (bytes);
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  }
}

static void
test_opaque_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = pj_graph_new ("opaque");
  int x = pj_graph_add_input (graph, "x", PJ_SHAPE (1, 2, 4, 4));
  PjOpaqueParams params = { .type = "Fancy", .rank = 4, .dim = { 1, 2, 4, 4 } };
  int y = pj_graph_add_node (graph, "odd", &pj_op_opaque, &params, &x, 1, &error);
  g_assert_no_error (error);
  pj_graph_set_output (graph, y);
  g_autoptr (GBytes) bytes = pj_onnx_export_bytes (graph, NULL, NULL, NULL, &error);
  g_assert_null (bytes);
  g_assert_error (error, PJ_ONNX_ERROR, PJ_ONNX_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "odd"));
}

static unsigned
n_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  unsigned n = 0;
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* Every write, sync and rename fails once: the old file stays, and nothing is left beside it. */
static void
test_failing_disk (void)
{
  g_autoptr (PjGraph) graph = onnx_load ("vgg-opset13");
  g_autofree char *folder = onnx_new_folder (), *path = g_build_filename (folder, "model.onnx", NULL);
  unsigned nth = 1;

  g_assert_true (g_file_set_contents (path, "the old file", -1, NULL));
  for (;; nth++) {
    g_autoptr (GError) error = NULL;
    pj_fault_arm (PJ_FAULT_WRITE, nth);
    gboolean ok = pj_onnx_export (graph, NULL, path, &error);
    gboolean fired = pj_fault_fired (PJ_FAULT_WRITE);
    pj_fault_arm (PJ_FAULT_WRITE, 0);
    g_assert_true (ok != fired);
    g_assert_cmpuint (n_files (folder), ==, 1);
    if (ok)
      break;
    g_assert_error (error, PJ_ERROR, PJ_ERROR_IO);
    g_assert_nonnull (strstr (error->message, path));
    g_autofree char *text = NULL;
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    g_assert_cmpstr (text, ==, "the old file");
  }
  g_assert_cmpuint (nth, >, 2);
  g_autoptr (PjGraph) again = pj_onnx_import (path, NULL, NULL);
  g_assert_nonnull (again);
  onnx_remove_folder (g_steal_pointer (&folder));
}

static void
test_no_such_folder (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = onnx_load ("shared-opset13");
  g_assert_false (pj_onnx_export (graph, NULL, "/nonexistent/folder/model.onnx", &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/nonexistent/folder/model.onnx"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (unsigned i = 0; i < n_onnx_fixtures; i++) {
    g_autofree char *name = g_strdup_printf ("/io/export/reads-back/%s", onnx_fixtures[i].name);
    g_test_add_data_func (name, &onnx_fixtures[i], test_reads_back);
  }
  g_test_add_func ("/io/export/same-bytes", test_same_bytes);
  g_test_add_func ("/io/export/notes-travel", test_notes_travel);
  g_test_add_func ("/io/export/tensors-elsewhere", test_tensors_elsewhere);
  g_test_add_func ("/io/export/bad-options", test_bad_options);
  g_test_add_func ("/io/export/opaque-is-refused", test_opaque_is_refused);
  g_test_add_func ("/io/export/failing-disk", test_failing_disk);
  g_test_add_func ("/io/export/no-such-folder", test_no_such_folder);
  return g_test_run ();
}
