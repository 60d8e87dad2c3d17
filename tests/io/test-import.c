/* SPDX-License-Identifier: MIT */
/* Files made by PyTorch give PyTorch's numbers, and no damaged or hostile file does harm. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/rng.h"
#include "onnx-test.h"
#include "ops/op.h"

/* --- good files --- */

static void
test_same_as_pytorch (gconstpointer data)
{
  const OnnxFixture *fixture = data;
  g_autofree char *in = onnx_path (fixture->numbers, ".in.f32"), *out = onnx_path (fixture->numbers, ".out.f32");
  size_t n_x, n_expected, n;
  g_autofree float *x = onnx_floats (in, &n_x), *expected = onnx_floats (out, &n_expected);
  g_autoptr (PjGraph) graph = onnx_load (fixture->name);
  g_autofree float *y = onnx_run (graph, x, fixture->pictures, &n);

  g_assert_cmpuint (n, ==, n_expected);
  assert_close (y, expected, (int) n, 1e-5, fixture->name);
}

/* What a person is told about a file. */
static void
test_report (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (PjOnnxReport) report = { 0 };
  g_autofree char *path = onnx_path ("flat-opset13", ".onnx");
  g_autoptr (PjGraph) graph = pj_onnx_import (path, &report, &error);

  g_assert_no_error (error);
  g_assert_cmpint (report.opset, ==, 13);
  g_assert_true (g_str_has_prefix (report.producer, "pytorch"));
  g_assert_cmpuint (report.n_unknown, ==, 0);
  g_assert_cmpuint (report.remarks->len, >, 0);
  g_assert_cmpstr (pj_graph_value (graph, pj_graph_get_input (graph))->name, ==, "input");
  g_assert_cmpstr (pj_graph_value (graph, pj_graph_get_output (graph))->name, ==, "output");
  g_assert_cmpuint (pj_graph_n_classes (graph), ==, 4);
}

/* Norms of a file that keeps them are operators of their own, ready to be trained. */
static void
test_keeps_norms (void)
{
  g_autoptr (PjGraph) kept = onnx_load ("vgg-opset13"), folded = onnx_load ("vgg-folded-opset11");
  PjCost a, b;
  pj_graph_cost (kept, &a);
  pj_graph_cost (folded, &b);
  g_assert_cmpuint (a.norm_channels, ==, 8 + 8 + 12 + 12 + 16 + 16);
  g_assert_cmpuint (b.norm_channels, ==, 0);
  g_assert_cmpuint (a.macs, ==, b.macs);
}

/* --- files written here, byte by byte --- */

static void
put_varint (GByteArray *bytes, guint64 value)
{
  do {
    guint8 byte = (guint8) (value & 0x7f);
    value >>= 7;
    byte |= value != 0 ? 0x80 : 0;
    g_byte_array_append (bytes, &byte, 1);
  } while (value != 0);
}

static void
put_bytes (GByteArray *bytes, unsigned field, gconstpointer data, gsize size)
{
  put_varint (bytes, field << 3 | 2);
  put_varint (bytes, size);
  g_byte_array_append (bytes, data, (guint) size);
}

static void
put_text (GByteArray *bytes, unsigned field, const char *text)
{
  put_bytes (bytes, field, text, strlen (text));
}

static void
put_number (GByteArray *bytes, unsigned field, guint64 value)
{
  put_varint (bytes, field << 3);
  put_varint (bytes, value);
}

static void
put_message (GByteArray *bytes, unsigned field, GByteArray *message)
{
  put_bytes (bytes, field, message->data, message->len);
  g_byte_array_unref (message);
}

/* ValueInfoProto of floats. */
static GByteArray *
info (const char *name, const gint64 *dim, unsigned rank)
{
  GByteArray *shape = g_byte_array_new (), *tensor = g_byte_array_new (), *type = g_byte_array_new ();
  GByteArray *self = g_byte_array_new ();
  for (unsigned i = 0; i < rank; i++) {
    GByteArray *d = g_byte_array_new ();
    put_number (d, 1, (guint64) dim[i]);
    put_message (shape, 1, d);
  }
  put_number (tensor, 1, 1);
  put_message (tensor, 2, shape);
  put_message (type, 1, tensor);
  put_text (self, 1, name);
  put_message (self, 2, type);
  return self;
}

static GByteArray *
node (const char *op_type, const char *const *inputs, const char *output)
{
  GByteArray *self = g_byte_array_new ();
  for (int i = 0; inputs[i] != NULL; i++)
    put_text (self, 1, inputs[i]);
  put_text (self, 2, output);
  put_text (self, 3, "the-node");
  put_text (self, 4, op_type);
  return self;
}

/* A tensor of @rank dimensions, with the floats @data or, if NULL, outside in @location. */
static GByteArray *
tensor (const char *name, const gint64 *dim, unsigned rank, const float *data, gsize n, const char *location)
{
  GByteArray *self = g_byte_array_new ();
  for (unsigned i = 0; i < rank; i++)
    put_number (self, 1, (guint64) dim[i]);
  put_number (self, 2, 1);
  put_text (self, 8, name);
  if (data != NULL)
    put_bytes (self, 9, data, n * sizeof *data);
  if (location != NULL) {
    GByteArray *entry = g_byte_array_new ();
    put_text (entry, 1, "location");
    put_text (entry, 2, location);
    put_message (self, 13, entry);
    put_number (self, 14, 1);
  }
  return self;
}

/* A model of one node; parts may be NULL. */
static GByteArray *
model (GByteArray *the_node, GByteArray *the_tensor, GByteArray *input, GByteArray *output)
{
  GByteArray *graph = g_byte_array_new (), *opset = g_byte_array_new (), *self = g_byte_array_new ();
  if (the_node != NULL)
    put_message (graph, 1, the_node);
  put_text (graph, 2, "made");
  if (the_tensor != NULL)
    put_message (graph, 5, the_tensor);
  if (input != NULL)
    put_message (graph, 11, input);
  if (output != NULL)
    put_message (graph, 12, output);
  put_number (self, 1, 8);
  put_message (self, 7, graph);
  put_number (opset, 2, 13);
  put_message (self, 8, opset);
  return self;
}

static const gint64 picture[4] = { 1, 2, 4, 4 }, kernel[4] = { 3, 2, 1, 1 }, maps[4] = { 1, 3, 4, 4 };
static const float weights[6] = { 1, 2, 3, 4, 5, 6 };

static GByteArray *
conv_model (GByteArray *the_tensor, const gint64 *picture_dim, unsigned picture_rank)
{
  return model (node ("Conv", (const char *const[]) { "x", "w", NULL }, "y"), the_tensor,
                info ("x", picture_dim, picture_rank), info ("y", maps, 4));
}

static PjGraph *
import_taken (GByteArray *bytes, GError **error)
{
  g_autoptr (GBytes) all = g_byte_array_free_to_bytes (bytes);
  return pj_onnx_import_bytes (all, "made.onnx", NULL, NULL, NULL, error);
}

/* Imports, expecting a failure whose sentence names the file and has @expected in it. */
static void
assert_refused (GByteArray *bytes, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = import_taken (bytes, &error);
  g_assert_null (graph);
  g_assert_nonnull (error);
  if (strstr (error->message, expected) == NULL || strstr (error->message, "made.onnx") == NULL)
    g_error ("“%s” does not say “%s” of made.onnx", error->message, expected);
}

static void
test_made_by_hand (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = import_taken (conv_model (tensor ("w", kernel, 4, weights, 6, NULL), picture, 4), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pj_graph_n_nodes (graph), ==, 1);
}

static void
test_hostile_sizes (void)
{
  const gint64 negative[4] = { -3, 2, 1, 1 }, huge[4] = { 1 << 30, 1 << 30, 1 << 30, 1 << 30 };
  const gint64 more[4] = { 4, 2, 1, 1 }, wrong[4] = { 2, 3, 1, 1 }, empty[4] = { 3, 2, 0, 1 };
  const gint64 deep[8] = { 1, 1, 1, 1, 1, 1, 3, 2 }, wide[4] = { 1, 2, 1 << 20, 1 << 20 }, open[4] = { 1, 2, -1, 4 };

  assert_refused (conv_model (tensor ("w", negative, 4, weights, 6, NULL), picture, 4), "negative");
  assert_refused (conv_model (tensor ("w", huge, 4, weights, 6, NULL), picture, 4), "“w”");
  assert_refused (conv_model (tensor ("w", more, 4, weights, 6, NULL), picture, 4), "“w”");
  assert_refused (conv_model (tensor ("w", wrong, 4, weights, 6, NULL), picture, 4), "the-node");
  assert_refused (conv_model (tensor ("w", empty, 4, weights, 0, NULL), picture, 4), "“w”");
  assert_refused (conv_model (tensor ("w", deep, 8, weights, 6, NULL), picture, 4), "dimensions");
  assert_refused (conv_model (tensor ("w", kernel, 4, weights, 6, NULL), wide, 4), "2^30");
  assert_refused (conv_model (tensor ("w", kernel, 4, weights, 6, NULL), open, 4), "not fixed");
  assert_refused (conv_model (tensor ("w", kernel, 4, weights, 6, NULL), picture, 1), "dimensions");
}

/* More axes than a tensor can have. */
static void
test_many_axes (void)
{
  const gint64 ones[6] = { 1, 1, 1, 1, 1, 1 };
  GByteArray *squeeze = node ("Squeeze", (const char *const[]) { "w", NULL }, "y"), *axes = g_byte_array_new ();
  put_text (axes, 1, "axes");
  for (unsigned i = 0; i < 40; i++)
    put_number (axes, 8, i % 6);
  put_message (squeeze, 5, axes);
  assert_refused (model (squeeze, tensor ("w", ones, 6, weights, 1, NULL), info ("x", picture, 4), info ("y", maps, 4)), "the-node");
}

/* A constant without numbers before an operator that takes a constant there. */
static void
test_empty_constant (void)
{
  static const char *const types[] = { "Sub", "Div", "Add", "Mul" };
  const gint64 none[1] = { 0 };
  for (unsigned i = 0; i < G_N_ELEMENTS (types); i++)
    assert_refused (model (node (types[i], (const char *const[]) { "w", "x", NULL }, "y"), tensor ("w", none, 1, weights, 0, NULL),
                           info ("x", picture, 4), info ("y", picture, 4)), "“w”");
}

/* Tensors in other files: nothing outside the model's folder is read, whatever the location says. */
static void
test_outside_paths (void)
{
  static const char *const bad[] = { "../secret", "/etc/passwd", "a/../../secret", "link", "pipe", "missing", "", "." };
  g_autofree char *folder = onnx_new_folder (), *inner = g_build_filename (folder, "inner", NULL);
  g_autofree char *secret = g_build_filename (folder, "secret", NULL), *link = g_build_filename (inner, "link", NULL);
  g_autofree char *path = g_build_filename (inner, "model.onnx", NULL), *pipe = g_build_filename (inner, "pipe", NULL);

  g_assert_cmpint (g_mkdir (inner, 0700), ==, 0);
  onnx_write_floats (secret, weights, 6);
  g_assert_cmpint (symlink ("../secret", link), ==, 0);
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GByteArray) bytes = conv_model (tensor ("w", kernel, 4, NULL, 0, bad[i]), picture, 4);
    g_assert_true (g_file_set_contents (path, (const char *) bytes->data, bytes->len, NULL));
    g_autoptr (PjGraph) graph = pj_onnx_import (path, NULL, &error);
    if (graph != NULL)
      g_error ("“%s” was read", bad[i]);
    g_assert_nonnull (strstr (error->message, "“w”"));
  }
  g_unlink (secret);
  onnx_remove_folder (g_steal_pointer (&inner));
  onnx_remove_folder (g_steal_pointer (&folder));
}

static void
test_structure (void)
{
  assert_refused (model (NULL, NULL, NULL, NULL), "no network");
  assert_refused (model (node ("Relu", (const char *const[]) { "nowhere", NULL }, "y"), NULL, info ("x", picture, 4), info ("y", picture, 4)),
                  "nowhere");
  assert_refused (model (node ("Relu", (const char *const[]) { "x", NULL }, "z"), NULL, info ("x", picture, 4), info ("y", picture, 4)), "“y”");
  assert_refused (model (node ("Relu", (const char *const[]) { "x", NULL }, "y"), NULL, NULL, info ("y", picture, 4)), "no input");
  assert_refused (model (node ("Relu", (const char *const[]) { "y", NULL }, "y"), NULL, info ("x", picture, 4), info ("y", picture, 4)), "y");
}

/* A variant of a known operator that cannot be run is shown like an unknown one, with the reason. */
static void
test_unknown_variant (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (PjOnnxReport) report = { 0 };
  GByteArray *bytes = model (node ("Conv", (const char *const[]) { "x", NULL }, "y"), NULL, info ("x", picture, 4), info ("y", maps, 4));
  g_autoptr (GBytes) all = g_byte_array_free_to_bytes (bytes);
  g_autoptr (PjGraph) graph = pj_onnx_import_bytes (all, "made.onnx", NULL, NULL, &report, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (report.n_unknown, ==, 1);
  g_assert_nonnull (strstr (report.remarks->pdata[0], "weights"));
}

/* An operator nobody knows is shown and counted, and running the network names it. */
static void
test_unknown_operator (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (PjOnnxReport) report = { 0 };
  GByteArray *bytes = model (node ("FancyNewThing", (const char *const[]) { "x", NULL }, "y"), NULL, info ("x", picture, 4), info ("y", maps, 4));
  g_autoptr (GBytes) all = g_byte_array_free_to_bytes (bytes);
  g_autoptr (PjGraph) graph = pj_onnx_import_bytes (all, "made.onnx", NULL, NULL, &report, &error);
  PjCost cost;

  g_assert_no_error (error);
  g_assert_cmpuint (report.n_unknown, ==, 1);
  pj_graph_cost (graph, &cost);
  g_assert_cmpuint (cost.unknown_nodes, ==, 1);
  g_autoptr (PjDevice) device = pj_device_open ("cpu", &error);
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, &error);
  g_assert_no_error (error);
  PjPlanOptions options = { .batch = 1 };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
  g_assert_null (plan);
  g_assert_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "the-node"));
}

static GByteArray *
two_outputs (const char *op_type, const char *input)
{
  GByteArray *self = node (op_type, (const char *const[]) { input, NULL }, "a");
  put_text (self, 2, "b");
  return self;
}

/* Where the file does not say how large a result is, it is guessed, and whatever does not fit the guess is shown too:
 * the groups that it touches are locked with its name, and nothing can be computed. */
static void
test_unknown_size (void)
{
  g_autoptr (GError) error = NULL;
  g_auto (PjOnnxReport) report = { 0 };
  GByteArray *graph = g_byte_array_new (), *opset = g_byte_array_new (), *self = g_byte_array_new ();
  put_message (graph, 1, node ("Conv", (const char *const[]) { "x", "w", NULL }, "c"));
  put_message (graph, 1, two_outputs ("FancySplit", "c"));
  put_message (graph, 1, node ("Conv", (const char *const[]) { "a", "w", NULL }, "d"));
  put_message (graph, 1, node ("Add", (const char *const[]) { "d", "b", NULL }, "y"));
  put_message (graph, 5, tensor ("w", kernel, 4, weights, 6, NULL));
  put_message (graph, 11, info ("x", picture, 4));
  put_message (graph, 12, info ("y", maps, 4));
  put_number (self, 1, 8);
  put_message (self, 7, graph);
  put_number (opset, 2, 99);
  put_message (self, 8, opset);
  g_autoptr (GBytes) all = g_byte_array_free_to_bytes (self);
  g_autoptr (PjGraph) net = pj_onnx_import_bytes (all, "made.onnx", NULL, NULL, &report, &error);
  g_assert_no_error (error);
  /* Both results of the unknown operator, and the convolution of two channels that would get three. */
  g_assert_cmpuint (report.n_unknown, ==, 2);
  g_assert_cmpuint (pj_graph_n_nodes (net), ==, 5);
  g_autoptr (GString) remarks = g_string_new (NULL);
  for (guint i = 0; i < report.remarks->len; i++)
    g_string_append_printf (remarks, "%s\n", (char *) report.remarks->pdata[i]);
  g_assert_nonnull (strstr (remarks->str, "FancySplit"));
  g_assert_nonnull (strstr (remarks->str, "guesses"));
  g_assert_nonnull (strstr (remarks->str, "99"));
  g_autoptr (PjGroups) groups = pj_groups_new (net);
  for (unsigned i = 0; i < pj_groups_n (groups); i++)
    g_assert_nonnull (pj_groups_get (groups, i)->lock_reason);
  g_autoptr (GBytes) written = pj_onnx_export_bytes (net, NULL, NULL, NULL, &error);
  g_assert_null (written);
}

/* --- damage --- */

static void
test_no_such_file (void)
{
  static const struct { const char *path, *says; } cases[] = {
    { "/nonexistent/model.onnx", "No such file" },
    { "/", "/" },
    { "/dev/null", "/dev/null" },
  };
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (PjGraph) graph = pj_onnx_import (cases[i].path, NULL, &error);
    g_assert_null (graph);
    g_assert_nonnull (strstr (error->message, cases[i].path));
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
}

static void
test_not_onnx (void)
{
  static const char text[] = "import torch\nmodel = torch.nn.Linear (3, 4)\n";
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0), script = g_bytes_new_static (text, sizeof text - 1);
  GBytes *both[] = { nothing, script };
  for (int i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (PjGraph) graph = pj_onnx_import_bytes (both[i], "wrong.onnx", NULL, NULL, NULL, &error);
    g_assert_null (graph);
    g_assert_nonnull (strstr (error->message, "wrong.onnx"));
  }
}

/* Every beginning of a file is refused with a sentence, except where only notes are missing. */
static void
test_truncated (void)
{
  g_autofree char *path = onnx_path ("shared-opset13", ".onnx"), *bytes = NULL;
  gsize size;
  unsigned n_imported = 0;
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize n = 0; n < size; n++) {
    g_autoptr (GError) error = NULL;
    /* A copy of its own size, so that a read past the end is seen by the address sanitizer. */
    g_autoptr (GBytes) part = g_bytes_new (bytes, n);
    g_autoptr (PjGraph) graph = pj_onnx_import_bytes (part, "part.onnx", NULL, NULL, NULL, &error);
    g_assert_true ((graph == NULL) == (error != NULL));
    n_imported += graph != NULL;
  }
  /* The list of operator versions comes last; without it the network is still whole. */
  g_assert_cmpuint (n_imported, <=, 1);
}

/* Random damage: any outcome but a crash, a hang or a leak; what is imported is safe to analyse. */
static void
test_damaged (gconstpointer data)
{
  g_autofree char *path = onnx_path (data, ".onnx"), *bytes = NULL;
  gsize size;
  PjRng rng;
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  pj_rng_init (&rng, 5, 1);
  for (int round = 0; round < 3000; round++) {
    g_autofree guint8 *copy = g_memdup2 (bytes, size);
    unsigned n_changes = 1 + pj_rng_below (&rng, 4);
    for (unsigned i = 0; i < n_changes; i++)
      copy[pj_rng_below (&rng, (uint32_t) size)] = (guint8) pj_rng_u32 (&rng);
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) damaged = g_bytes_new (copy, size);
    g_autoptr (PjGraph) graph = pj_onnx_import_bytes (damaged, "damaged.onnx", NULL, NULL, NULL, &error);
    g_assert_true ((graph == NULL) == (error != NULL));
    if (graph == NULL)
      continue;
    PjCost cost;
    pj_graph_cost (graph, &cost);
    g_autoptr (PjGroups) groups = pj_groups_new (graph);
    g_assert_nonnull (groups);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (unsigned i = 0; i < n_onnx_fixtures; i++) {
    g_autofree char *name = g_strdup_printf ("/io/import/same-as-pytorch/%s", onnx_fixtures[i].name);
    g_test_add_data_func (name, &onnx_fixtures[i], test_same_as_pytorch);
  }
  g_test_add_func ("/io/import/report", test_report);
  g_test_add_func ("/io/import/keeps-norms", test_keeps_norms);
  g_test_add_func ("/io/import/made-by-hand", test_made_by_hand);
  g_test_add_func ("/io/import/hostile-sizes", test_hostile_sizes);
  g_test_add_func ("/io/import/many-axes", test_many_axes);
  g_test_add_func ("/io/import/empty-constant", test_empty_constant);
  g_test_add_func ("/io/import/outside-paths", test_outside_paths);
  g_test_add_func ("/io/import/structure", test_structure);
  g_test_add_func ("/io/import/unknown-operator", test_unknown_operator);
  g_test_add_func ("/io/import/unknown-variant", test_unknown_variant);
  g_test_add_func ("/io/import/unknown-size", test_unknown_size);
  g_test_add_func ("/io/import/no-such-file", test_no_such_file);
  g_test_add_func ("/io/import/not-onnx", test_not_onnx);
  g_test_add_func ("/io/import/truncated", test_truncated);
  g_test_add_data_func ("/io/import/damaged/shared", "shared-opset13", test_damaged);
  g_test_add_data_func ("/io/import/damaged/flat", "flat-opset13", test_damaged);
  return g_test_run ();
}
