/* SPDX-License-Identifier: MIT */
/* What a Vulkan device learns of its kernels: kept on disk, read back, never of influence on results; and what it says
 * while it compiles. */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "compute/plan.h"
#include "compute/tune.h"
#include "ops/op.h"
#include "ops/params.h"

#define CHANNELS 20
#define SIDE 9
#define BATCH 2
#define N (BATCH * CHANNELS * SIDE * SIDE)

static char *folder;

static gboolean
have_device (void)
{
  g_autofree char *why = NULL;
  g_autoptr (GPtrArray) all = pj_device_vulkan.list (&why);
  gboolean have = all->len > 0;

  g_ptr_array_set_free_func (all, (GDestroyNotify) pj_device_info_free);
  if (!have && g_strcmp0 (g_getenv ("PJ_TEST_REQUIRE_GPU"), "1") == 0)
    g_error ("no Vulkan device: %s", why);
  if (!have)
    g_test_skip (why);
  return have;
}

static PjDevice *
open_device (void)
{
  g_autoptr (GError) error = NULL;
  PjDevice *device = pj_device_open ("vulkan:0", &error);
  g_assert_no_error (error);
  return device;
}

static void
fill (float *data, size_t n)
{
  for (size_t i = 0; i < n; i++)
    data[i] = (float) ((i * 7919) % 1009) / 1009.0f - 0.5f;
}

static int
add_conv (PjGraph *graph, int x, const char *name, int groups)
{
  g_autoptr (GError) error = NULL;
  size_t n = (size_t) CHANNELS * (CHANNELS / (size_t) groups) * 9;
  g_autofree float *data = g_new (float, n);
  PjConvParams params = { .kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pad = { 1, 1, 1, 1 },
                          .groups = groups, .depthwise = groups > 1 };

  fill (data, n);
  PjBlob *blob = pj_blob_new_copy (data, n, &error);
  g_assert_no_error (error);
  int inputs[] = { x, pj_graph_add_param (graph, name, PJ_SHAPE (CHANNELS, CHANNELS / groups, 3, 3), blob) };
  int y = pj_graph_add_node (graph, name, &pj_op_conv, &params, inputs, 2, &error);
  g_assert_no_error (error);
  return y;
}

/* A convolution and a depthwise one, whose kernels have variants. (transfer full) */
static PjGraph *
make_graph (void)
{
  PjGraph *graph = pj_graph_new ("tuned");
  int x = pj_graph_add_input (graph, "x", PJ_SHAPE (1, CHANNELS, SIDE, SIDE));
  int y = add_conv (graph, add_conv (graph, x, "dense", 1), "depthwise", CHANNELS);
  pj_graph_set_output (graph, y);
  return graph;
}

/* Runs the network and returns its output, NULL with @error. */
static float *
run (PjDevice *device, GError **error)
{
  g_autoptr (PjGraph) graph = make_graph ();
  int output = pj_graph_get_output (graph);
  PjPlanOptions options = { .batch = BATCH, .mode = PJ_PLAN_INFER, .observed = &output, .n_observed = 1, .prefix = TRUE };
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;
  g_autofree float *x = g_new (float, N), *y = g_new0 (float, N);

  fill (x, N);
  if (plan == NULL || !pj_plan_set_images (plan, x, error) || !pj_plan_forward (plan, NULL, error)
      || !pj_plan_read_value (plan, output, y, error))
    return NULL;
  return g_steal_pointer (&y);
}

static float *
run_ok (PjDevice *device)
{
  g_autoptr (GError) error = NULL;
  float *y = run (device, &error);
  g_assert_no_error (error);
  return y;
}

/* The file of what was found. (transfer full) */
static char *
tune_file (void)
{
  g_autofree char *path = g_build_filename (folder, "penjing", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "tune-"))
      return g_build_filename (path, name, NULL);
  return NULL;
}

static void
forget (void)
{
  g_autofree char *path = NULL;
  while ((path = tune_file ()) != NULL) {
    g_assert_cmpint (g_unlink (path), ==, 0);
    g_clear_pointer (&path, g_free);
  }
}

/* Runs with nothing known; then the file holds what was measured. Returns the output and the number of rows. */
static float *
measure (guint *n_rows)
{
  forget ();
  g_autoptr (PjDevice) device = open_device ();
  float *y = run_ok (device);
  g_autoptr (GPtrArray) rows = pj_device_tuning (device);
  *n_rows = rows->len;
  return y;
}

/* --- tests --- */

static void
test_kept (void)
{
  guint n_rows;

  if (!have_device ())
    return;
  g_autofree float *y = measure (&n_rows);
  g_autofree char *path = tune_file ();
  if (n_rows == 0) {
    g_test_skip ("this device has no kernels with variants");
    return;
  }
  g_assert_nonnull (path);
  g_autoptr (PjDevice) again = open_device ();
  g_autoptr (GPtrArray) rows = pj_device_tuning (again);
  g_assert_cmpuint (rows->len, ==, n_rows);
  for (guint i = 0; i < rows->len; i++) {
    const PjTuneRow *row = rows->pdata[i];
    g_assert_cmpuint (row->n_variants, >, 1);
    g_assert_cmpuint (row->best, <, row->n_variants);
    g_assert_cmpstr (row->variants[0], ==, "?");
    g_assert_cmpfloat (row->ms[row->best], >, 0.0);
  }
}

/* The other variant of every row, as if it had been the faster one: it is taken, and gives the same bits. */
static void
test_same_bits (void)
{
  g_autoptr (GString) other = g_string_new (NULL);
  g_autofree char *text = NULL;
  guint n_rows;

  if (!have_device ())
    return;
  g_autofree float *y = measure (&n_rows);
  g_autofree char *path = tune_file ();
  if (n_rows == 0) {
    g_test_skip ("this device has no kernels with variants");
    return;
  }
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; **line != '\0'; line++)
    g_string_append_printf (other, "%c%s\n", (*line)[0] == '0' ? '1' : '0', *line + 1);
  g_assert_true (g_file_set_contents (path, other->str, -1, NULL));

  g_autoptr (PjDevice) device = open_device ();
  g_autofree float *second = run_ok (device);
  g_autoptr (GPtrArray) rows = pj_device_tuning (device);
  g_assert_cmpuint (rows->len, ==, n_rows);
  for (guint i = 0; i < rows->len; i++) {
    const PjTuneRow *row = rows->pdata[i];
    g_assert_cmpuint (row->best, ==, lines[i][0] == '0' ? 1 : 0);
    g_assert_cmpstr (row->variants[row->best], !=, "?");
  }
  g_assert_cmpmem (second, N * sizeof (float), y, N * sizeof (float));
}

static void
test_damaged (void)
{
  static const char *const damages[] = {
    "", "\n\n", "3 2 1.0 2.0 conv", "0 9 1 2 3 4 5 6 7 8 9 conv\n", "-1 2 1.0 2.0 conv\n", "0 2 1.0\n", "\xff\xfe\x00\x01", "0", "9 9 9",
  };
  guint n_rows;

  if (!have_device ())
    return;
  g_autofree float *y = measure (&n_rows);
  if (n_rows == 0) {
    g_test_skip ("this device has no kernels with variants");
    return;
  }
  g_autofree char *path = tune_file ();
  for (size_t i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_assert_true (g_file_set_contents (path, damages[i], -1, NULL));
    g_autoptr (PjDevice) device = open_device ();
    g_autoptr (GPtrArray) rows = pj_device_tuning (device);
    g_assert_cmpuint (rows->len, ==, 0);
  }
  g_autoptr (PjDevice) device = open_device ();
  g_autofree float *second = run_ok (device);
  g_assert_cmpmem (second, N * sizeof (float), y, N * sizeof (float));
}

static void
test_not_asked (void)
{
  guint n_rows;

  if (!have_device ())
    return;
  g_autofree float *y = measure (&n_rows);
  forget ();
  g_setenv ("PENJING_VULKAN_TUNE", "0", TRUE);
  g_autoptr (PjDevice) device = open_device ();
  g_autofree float *guessed = run_ok (device);
  g_autoptr (GPtrArray) rows = pj_device_tuning (device);
  g_unsetenv ("PENJING_VULKAN_TUNE");
  g_assert_cmpuint (rows->len, ==, 0);
  g_assert_cmpmem (guessed, N * sizeof (float), y, N * sizeof (float));
}

/* Another family adds in another order: close, not equal, and what one learned is not the other's. */
static void
test_families (void)
{
  float *results[2] = { NULL };

  if (!have_device ())
    return;
  forget ();
  for (int i = 0; i < 2; i++) {
    g_setenv ("PENJING_VULKAN_FAMILY", i == 0 ? "texel" : "tiled", TRUE);
    g_autoptr (PjDevice) device = open_device ();
    g_autoptr (GPtrArray) known = pj_device_tuning (device);
    g_assert_cmpuint (known->len, ==, 0);
    results[i] = run_ok (device);
  }
  g_unsetenv ("PENJING_VULKAN_FAMILY");
  for (int i = 0; i < N; i++)
    g_assert_cmpfloat_with_epsilon (results[0][i], results[1][i], 1e-4);
  g_free (results[0]);
  g_free (results[1]);
}

/* --- what is said while kernels are compiled --- */

typedef struct {
  unsigned n, last, of, polls, stop_at;
} Heard;

static void
progress_cb (gpointer data, const char *stage, double fraction)
{
  Heard *self = data;
  unsigned at, of;

  if (sscanf (stage, "compiling kernels: %u of %u", &at, &of) != 2)
    return;
  g_assert_cmpfloat (fraction, <, 0.0);
  g_assert_cmpuint (at, ==, self->last + 1);
  g_assert_cmpuint (at, <=, of);
  self->last = at;
  self->of = of;
  self->n++;
}

static gboolean
is_cancelled_cb (gpointer data)
{
  Heard *self = data;
  return ++self->polls == self->stop_at;
}

static void
test_progress (void)
{
  Heard heard = { 0 }, second = { 0 }, stopped = { .stop_at = 2 };
  PjHooks hooks = { &heard, progress_cb, NULL, is_cancelled_cb };
  g_autoptr (GError) error = NULL;

  if (!have_device ())
    return;
  g_setenv ("PENJING_VULKAN_TUNE", "0", TRUE);
  g_autoptr (PjDevice) device = open_device ();
  device->hooks = &hooks;
  g_autofree float *y = run_ok (device);
  g_assert_cmpuint (heard.n, >=, 3);
  g_assert_cmpuint (heard.last, ==, heard.of);
  g_assert_cmpfloat (device->host_us, >, 0.0);

  hooks.data = &second;
  g_autofree float *again = run_ok (device);
  g_assert_cmpuint (second.n, ==, 0);

  g_autoptr (PjDevice) other = open_device ();
  other->hooks = &hooks;
  hooks.data = &stopped;
  g_autofree float *none = run (other, &error);
  g_unsetenv ("PENJING_VULKAN_TUNE");
  g_assert_null (none);
  g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
  /* And it goes on where it stopped. */
  other->hooks = NULL;
  g_autofree float *later = run_ok (other);
  g_assert_cmpmem (later, N * sizeof (float), y, N * sizeof (float));
}

static void
empty_folder (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    if (g_file_test (child, G_FILE_TEST_IS_DIR))
      empty_folder (child);
    else
      g_unlink (child);
  }
  g_rmdir (path);
}

int
main (int argc, char **argv)
{
  /* Before the first question for it: GLib remembers the cache folder. */
  folder = g_dir_make_tmp ("penjing-tune-XXXXXX", NULL);
  g_setenv ("XDG_CACHE_HOME", folder, TRUE);
  g_unsetenv ("PENJING_VULKAN_TUNE");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/tune/kept", test_kept);
  g_test_add_func ("/compute/tune/same-bits", test_same_bits);
  g_test_add_func ("/compute/tune/damaged-file", test_damaged);
  g_test_add_func ("/compute/tune/not-asked", test_not_asked);
  g_test_add_func ("/compute/tune/families", test_families);
  g_test_add_func ("/compute/tune/progress", test_progress);
  int result = g_test_run ();
  empty_folder (folder);
  g_free (folder);
  return result;
}
