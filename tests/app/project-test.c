/* SPDX-License-Identifier: MIT */
#include "project-test.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/rng.h"
#include "io/onnx.h"
#include "ops/op.h"
#include "support/folder.h"
#include "support/net.h"

#define SIDE 8
#define N_CLASSES 4

/* stem, an inner chain, an addition with a projection, a classifier. */
static PjGraph *
make_network (void)
{
  PjGraph *g = pj_graph_new ("small");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, SIDE, SIDE));
  int stem = net_block (g, "stem", x, 8, 3, 1, TRUE);
  int y = net_block (g, "a1", stem, 12, 3, 1, TRUE);
  y = net_block (g, "a2", y, 10, 3, 2, FALSE);
  int shortcut = net_block (g, "proj", stem, 10, 1, 2, FALSE);
  y = net_unary (g, "relu_a", &pj_op_relu, net_add (g, "add_a", y, shortcut));
  y = net_unary (g, "gap", &pj_op_global_avg_pool, y);
  y = net_unary (g, "flatten", &pj_op_flatten, y);
  y = net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (N_CLASSES, 10), 0, 1, 7),
                net_param (g, "fc.b", PJ_SHAPE (N_CLASSES), 0, 1, 7));
  pj_graph_set_output (g, y);
  return g;
}

static void
put_u32 (GByteArray *bytes, guint32 number)
{
  guint32 big = GUINT32_TO_BE (number);
  g_byte_array_append (bytes, (const guint8 *) &big, 4);
}

/* An image and a label file: class c is bright in band c, which mirroring does not change; with noise. */
static void
write_idx (const char *folder, const char *prefix, guint n, guint64 seed)
{
  g_autoptr (GByteArray) images = g_byte_array_new (), labels = g_byte_array_new ();
  PjRng rng;
  pj_rng_init (&rng, seed, 1);
  put_u32 (images, 0x803);
  put_u32 (images, n);
  put_u32 (images, SIDE);
  put_u32 (images, SIDE);
  put_u32 (labels, 0x801);
  put_u32 (labels, n);
  for (guint i = 0; i < n; i++) {
    guint8 label = (guint8) (i % N_CLASSES), pixel;
    for (int p = 0; p < SIDE * SIDE; p++) {
      int band = p / SIDE * N_CLASSES / SIDE;
      pixel = (guint8) (pj_rng_below (&rng, 120) + (band == label ? 110 : 0));
      g_byte_array_append (images, &pixel, 1);
    }
    g_byte_array_append (labels, &label, 1);
  }
  g_autofree char *image_name = g_strdup_printf ("%s/%s-images-idx3-ubyte", folder, prefix);
  g_autofree char *label_name = g_strdup_printf ("%s/%s-labels-idx1-ubyte", folder, prefix);
  g_assert_true (g_file_set_contents (image_name, (const char *) images->data, images->len, NULL));
  g_assert_true (g_file_set_contents (label_name, (const char *) labels->data, labels->len, NULL));
}

static void
failed_cb (PjmProject *project, const char *headline, const char *detail, Place *place)
{
  g_ptr_array_add (place->failures, g_strdup_printf ("%s: %s", headline, detail));
}

static void
graph_changed_cb (PjmProject *project, Place *place)
{
  place->n_graph_changed++;
}

void
place_start (Place *place)
{
  place->project = pjm_project_new (place->state);
  g_signal_connect (place->project, "failed", G_CALLBACK (failed_cb), place);
  g_signal_connect (place->project, "graph-changed", G_CALLBACK (graph_changed_cb), place);
}

/* Nothing may outlive the project. */
void
place_stop (Place *place)
{
  gpointer watched[64] = { 0 };
  guint n = 0;
  GListModel *lists[] = {
    pjm_project_get_layers (place->project), pjm_project_get_jobs (place->project),
    pjm_project_get_comparisons (place->project), pjm_project_get_history (place->project),
  };
  for (guint l = 0; l < G_N_ELEMENTS (lists); l++)
    for (guint i = 0; i < MIN (16u, n_items (lists[l])); i++) {
      g_autoptr (GObject) item = g_list_model_get_item (lists[l], i);
      g_object_add_weak_pointer (item, &watched[n]);
      watched[n++] = item;
    }
  pjm_project_close (place->project);
  g_signal_handlers_disconnect_by_data (place->project, place);
  g_assert_finalize_object (place->project);
  for (guint i = 0; i < n; i++)
    g_assert_null (watched[i]);
}

void
place_set_up (Place *place, gconstpointer data)
{
  g_autoptr (PjGraph) graph = make_network ();
  g_autoptr (GError) error = NULL;
  place->folder = g_dir_make_tmp ("penjing-project-XXXXXX", NULL);
  place->onnx = g_build_filename (place->folder, "small.onnx", NULL);
  place->data = g_build_filename (place->folder, "pictures", NULL);
  place->state = g_build_filename (place->folder, "state", NULL);
  pj_onnx_export (graph, NULL, place->onnx, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_mkdir (place->data, 0700), ==, 0);
  write_idx (place->data, "train", 256, 1);
  write_idx (place->data, "t10k", 128, 2);
  place->failures = g_ptr_array_new_with_free_func (g_free);
  place_start (place);
}

void
place_tear_down (Place *place, gconstpointer data)
{
  place_stop (place);
  folder_remove (place->folder);
  g_free (place->folder);
  g_free (place->onnx);
  g_free (place->data);
  g_free (place->state);
  g_ptr_array_unref (place->failures);
}

void
place_restart (Place *place)
{
  place_stop (place);
  place_start (place);
}

/* --- waiting --- */

static gboolean
keep_ticking (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

void
wait_until (DoneFunc done, gpointer data)
{
  gint64 limit = g_get_monotonic_time () + 300 * G_USEC_PER_SEC;
  g_autoptr (GSource) tick = g_timeout_source_new (50);
  g_source_set_callback (tick, keep_ticking, NULL, NULL);
  g_source_attach (tick, NULL);
  while (!done (data)) {
    g_assert_cmpint (g_get_monotonic_time (), <, limit);
    g_main_context_iteration (NULL, TRUE);
  }
  g_source_destroy (tick);
}

static gboolean
job_has_ended (gpointer job)
{
  return !pjm_job_is_active (job);
}

void
wait_job (PjmJob *job, PjmJobState state)
{
  g_assert_nonnull (job);
  wait_until (job_has_ended, job);
  g_autofree char *error = place_text (job, "error");
  if (pjm_job_get_state (job) != state && error != NULL)
    g_test_message ("the job says: %s", error);
  g_assert_cmpint (pjm_job_get_state (job), ==, state);
}

static gboolean
preview_is_fresh (gpointer project)
{
  return !place_flag (project, "preview-stale") && place_number (project, "preview-accuracy") >= 0.0;
}

void
wait_preview (Place *place)
{
  wait_until (preview_is_fresh, place->project);
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static gboolean
has_result (gpointer data)
{
  return *(GAsyncResult **) data != NULL;
}

void
place_open (Place *place, const char *path, const char *error_has)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  pjm_project_open_async (place->project, path, NULL, opened_cb, &result);
  wait_until (has_result, &result);
  gboolean ok = pjm_project_open_finish (place->project, result, &error);
  if (error_has == NULL) {
    g_assert_no_error (error);
    g_assert_true (ok);
    return;
  }
  g_assert_false (ok);
  if (strstr (error->message, error_has) == NULL)
    g_test_message ("the error is: %s", error->message);
  g_assert_nonnull (strstr (error->message, error_has));
}

void
place_open_all (Place *place)
{
  place_open (place, place->onnx, NULL);
  place_open (place, place->data, NULL);
}

/* --- looking --- */

guint
n_items (GListModel *list)
{
  return g_list_model_get_n_items (list);
}

PjmLayer *
place_layer (Place *place, const char *name)
{
  GListModel *layers = pjm_project_get_layers (place->project);
  for (guint i = 0; i < n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    if (strcmp (pjm_layer_get_name (layer), name) == 0)
      return layer;
  }
  g_error ("there is no layer %s", name);
}

char *
place_text (gpointer object, const char *property)
{
  char *text;
  g_object_get (object, property, &text, NULL);
  return text;
}

double
place_number (gpointer object, const char *property)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (GValue) number = G_VALUE_INIT;
  g_object_get_property (object, property, &value);
  g_value_init (&number, G_TYPE_DOUBLE);
  g_assert_true (g_value_transform (&value, &number));
  return g_value_get_double (&number);
}

gboolean
place_flag (gpointer object, const char *property)
{
  gboolean flag;
  g_object_get (object, property, &flag, NULL);
  return flag;
}

void
assert_failed (Place *place, const char *text)
{
  g_assert_cmpuint (place->failures->len, >, 0);
  const char *last = place->failures->pdata[place->failures->len - 1];
  if (strstr (last, text) == NULL)
    g_test_message ("it says: %s", last);
  g_assert_nonnull (strstr (last, text));
  g_ptr_array_set_size (place->failures, 0);
}

void
assert_nothing_failed (Place *place)
{
  for (guint i = 0; i < place->failures->len; i++)
    g_test_message ("failed: %s", (char *) place->failures->pdata[i]);
  g_assert_cmpuint (place->failures->len, ==, 0);
}
