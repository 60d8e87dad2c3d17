/* SPDX-License-Identifier: MIT */
/* Pictures of the test part for the screen. */
#include <glib/gi18n-lib.h>

#include "model/project-private.h"

typedef struct {
  PjDataset *dataset;
  guint *pictures;
  guint n, size;
} Request;

static void
request_free (gpointer data)
{
  Request *self = data;
  pj_dataset_unref (self->dataset);
  g_free (self->pictures);
  g_free (self);
}

/* Planes of one or three channels to pixels. */
static GBytes *
interleave (const guint8 *planes, int n_channels, guint n_pixels)
{
  guint8 *pixels = g_malloc (3 * (gsize) n_pixels);
  for (guint i = 0; i < n_pixels; i++)
    for (guint c = 0; c < 3; c++)
      pixels[3 * i + c] = planes[(n_channels == 3 ? c : 0) * (gsize) n_pixels + i];
  return g_bytes_new_take (pixels, 3 * (gsize) n_pixels);
}

static void
load (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Request *self = data;
  g_autoptr (GPtrArray) loaded = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  GError *error = NULL;
  PjFormat format = { 0 };
  pj_dataset_native_size (self->dataset, &format.c, &format.h, &format.w);
  format.h = format.w = (int) self->size;
  guint n_pixels = self->size * self->size;
  g_autofree guint8 *planes = g_malloc ((gsize) format.c * n_pixels);
  for (guint i = 0; i < self->n; i++) {
    if (g_task_return_error_if_cancelled (task))
      return;
    if (!pj_dataset_pixels (self->dataset, PJ_SPLIT_TEST, self->pictures[i], &format, planes, &error)) {
      g_task_return_error (task, error);
      return;
    }
    g_ptr_array_add (loaded, interleave (planes, format.c, n_pixels));
  }
  g_task_return_pointer (task, g_steal_pointer (&loaded), (GDestroyNotify) g_ptr_array_unref);
}

void
pjm_project_load_pictures_async (PjmProject *self, const guint *pictures, guint n, guint size, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && size > 0);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, pjm_project_load_pictures_async);
  guint n_there = self->dataset != NULL ? pj_dataset_n (self->dataset, PJ_SPLIT_TEST) : 0;
  for (guint i = 0; i < n; i++) {
    if (pictures[i] < n_there)
      continue;
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s",
                             _("The pictures that were compared on are not open any more."));
    return;
  }
  Request *request = g_new0 (Request, 1);
  *request = (Request) { pj_dataset_ref (self->dataset), g_memdup2 (pictures, n * sizeof (guint)), n, size };
  g_task_set_task_data (task, request, request_free);
  g_task_run_in_thread (task, load);
}

GPtrArray *
pjm_project_load_pictures_finish (PjmProject *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
