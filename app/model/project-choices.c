/* SPDX-License-Identifier: MIT */
/* What menus list: rows made from the engine's registries, and the devices, which take a moment to find. */
#include <glib/gi18n-lib.h>

#include "io/exporter.h"
#include "model/project-private.h"
#include "prune/method.h"

const PjmChoice *
pjm_project_get_methods (PjmProject *self, guint *n)
{
  static GArray *rows;
  if (rows == NULL) {
    rows = g_array_new (FALSE, FALSE, sizeof (PjmChoice));
    for (const PjMethod *const *m = pj_methods (); *m != NULL; m++) {
      PjmChoice row = { (*m)->name, _((*m)->title), _((*m)->about), (*m)->source, (*m)->needs != PJ_NEEDS_NOTHING,
                        (*m)->criterion != NULL, (*m)->fresh != PJ_FRESH_NO };
      g_array_append_val (rows, row);
    }
  }
  *n = rows->len;
  return (const PjmChoice *) (gpointer) rows->data;
}

const PjmChoice *
pjm_project_get_formats (PjmProject *self, guint *n)
{
  static GArray *rows;
  if (rows == NULL) {
    rows = g_array_new (FALSE, FALSE, sizeof (PjmChoice));
    for (const PjExporter *e = pj_exporters; e->name != NULL; e++) {
      PjmChoice row = { e->name, _(e->title), _(e->about), e->extension, FALSE, FALSE, FALSE };
      g_array_append_val (rows, row);
    }
  }
  *n = rows->len;
  return (const PjmChoice *) (gpointer) rows->data;
}

/* --- devices --- */

typedef struct {
  PjmProject *project;
  PjmEngine *engine;
  GPtrArray *infos;         /* PjDeviceInfo */
  char *chosen;
} Devices;

static void
devices_free (gpointer data)
{
  Devices *self = data;
  g_clear_pointer (&self->infos, g_ptr_array_unref);
  g_free (self->chosen);
  g_free (self);
}

static gboolean
devices_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Devices *self = data;
  self->infos = pj_devices_list (NULL);
  PjDevice *device = pjm_engine_open (self->engine, "auto", error);
  self->chosen = device != NULL ? g_strdup (device->info.id) : NULL;
  return device != NULL;
}

void
pjm_choices_free (GArray *choices)
{
  for (guint i = 0; i < choices->len; i++) {
    PjmChoice *row = &g_array_index (choices, PjmChoice, i);
    g_free ((char *) row->name);
    g_free ((char *) row->title);
    g_free ((char *) row->about);
  }
  g_array_unref (choices);
}

/* "oneDNN 2.6, 7.6 GB" */
static char *
about_device (const PjDeviceInfo *info)
{
  if (info->memory_bytes == 0)
    return g_strdup (info->driver);
  g_autofree char *memory = g_format_size (info->memory_bytes);
  return g_strdup_printf ("%s, %s", info->driver, memory);
}

static void
devices_news (PjTask *task, const PjTaskNews *news, gpointer user_data)
{
  Devices *found = pj_task_get_data (task);
  g_autoptr (PjmProject) self = g_object_ref (found->project);
  if (news->state < PJ_TASK_DONE || self->closed)
    return;
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (PjmChoice));
  for (guint i = 0; found->infos != NULL && i < found->infos->len; i++) {
    const PjDeviceInfo *info = found->infos->pdata[i];
    PjmChoice row = { .name = g_strdup (info->id), .title = g_strdup (info->name), .about = about_device (info) };
    g_array_append_val (rows, row);
  }
  g_clear_pointer (&self->devices, pjm_choices_free);
  self->devices = rows;
  if (found->chosen != NULL && g_strcmp0 (self->device, "auto") == 0) {
    g_free (self->device);
    self->device = g_steal_pointer (&found->chosen);
  }
  pjm_project_notify (self, PJM_PROP_DEVICE);
  if (news->state == PJ_TASK_FAILED)
    pjm_project_fail (self, _("No device can be used"), news->error->message);
}

void
pjm_project_list_devices (PjmProject *self)
{
  Devices *data = g_new0 (Devices, 1);
  data->project = self;
  data->engine = self->engine;
  pj_job_queue_push (self->queue, devices_run, data, devices_free, devices_news, NULL);
}

const PjmChoice *
pjm_project_get_devices (PjmProject *self, guint *n)
{
  *n = self->devices != NULL ? self->devices->len : 0;
  return self->devices != NULL ? (const PjmChoice *) (gpointer) self->devices->data : NULL;
}

static void
set_offer_cpu (PjmProject *self, gboolean offer)
{
  if (self->offer_cpu == offer)
    return;
  self->offer_cpu = offer;
  pjm_project_notify (self, PJM_PROP_OFFER_CPU);
}

void
pjm_project_set_device (PjmProject *self, const char *device)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && device != NULL);
  if (self->closed || g_strcmp0 (self->device, device) == 0)
    return;
  g_free (self->device);
  self->device = g_strdup (device);
  set_offer_cpu (self, FALSE);
  pjm_project_notify (self, PJM_PROP_DEVICE);
  if (g_strcmp0 (device, "auto") == 0)
    pjm_project_list_devices (self);
  pjm_project_reset_preview (self);
  pjm_project_preview (self);
}

void
pjm_project_device_failed (PjmProject *self, const char *detail)
{
  gboolean is_cpu = g_strcmp0 (self->device, "cpu") == 0;
  set_offer_cpu (self, !is_cpu);
  pjm_project_fail (self, is_cpu ? _("There is not enough memory") : _("The device stopped working; you can go on with the CPU"),
                    detail);
}
