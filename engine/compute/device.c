/* SPDX-License-Identifier: MIT */
/* The list of devices and how one is chosen. */
#include "compute/device.h"

#include <string.h>

G_DEFINE_QUARK (pj-gpu-error-quark, pj_gpu_error)

static const PjDeviceClass *const classes[] = { &pj_device_cpu, &pj_device_vulkan };

void
pj_device_info_free (PjDeviceInfo *info)
{
  if (info == NULL)
    return;
  g_free (info->id);
  g_free (info->name);
  g_free (info->driver);
  g_free (info);
}

GPtrArray *
pj_devices_list (char **why)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_device_info_free);

  if (why != NULL)
    *why = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (classes); i++) {
    g_autofree char *reason = NULL;
    GPtrArray *some = classes[i]->list (&reason);
    g_ptr_array_extend_and_steal (all, some);
    if (why != NULL && reason != NULL && *why == NULL)
      *why = g_steal_pointer (&reason);
  }
  return all;
}

/* "auto": the first Vulkan device that is real hardware, else the CPU device. */
static char *
resolve_auto (void)
{
  g_autoptr (GPtrArray) all = pj_devices_list (NULL);
  for (guint i = 0; i < all->len; i++) {
    const PjDeviceInfo *info = all->pdata[i];
    if (g_str_has_prefix (info->id, "vulkan:") && !info->is_software)
      return g_strdup (info->id);
  }
  return g_strdup ("cpu");
}

static void
set_unknown (GError **error, const char *id)
{
  g_autofree char *why = NULL;
  g_autoptr (GPtrArray) all = pj_devices_list (&why);
  g_autoptr (GString) list = g_string_new ("auto");
  for (guint i = 0; i < all->len; i++)
    g_string_append_printf (list, ", %s", ((const PjDeviceInfo *) all->pdata[i])->id);
  g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE, "there is no device “%s”; possible here: %s%s%s",
               id, list->str, why ? "; " : "", why ? why : "");
}

PjDevice *
pj_device_open (const char *id, GError **error)
{
  g_autofree char *resolved = id == NULL || strcmp (id, "auto") == 0 ? resolve_auto () : g_strdup (id);
  g_auto (GStrv) words = g_strsplit (resolved, ":", -1);
  guint n_words = g_strv_length (words);
  gboolean half = n_words == 3 && strcmp (words[2], PJ_DEVICE_HALF) == 0;
  guint64 index = 0;

  if (n_words == 0 || n_words > (half ? 3u : 2u) || (n_words > 1 && !g_ascii_string_to_unsigned (words[1], 10, 0, 255, &index, NULL))) {
    set_unknown (error, resolved);
    return NULL;
  }
  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    if (strcmp (classes[i]->kind, words[0]) == 0)
      return classes[i]->open ((unsigned) index, half, error);
  set_unknown (error, resolved);
  return NULL;
}

void
pj_device_free (PjDevice *self)
{
  if (self != NULL)
    self->klass->close (self);
}
