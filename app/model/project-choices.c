/* SPDX-License-Identifier: MIT */
/* What menus list: rows made from the engine's registries, and the devices, which take a moment to find. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "io/exporter.h"
#include "model/project-private.h"
#include "model/work-prune.h"
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

const PjmChoice *
pjm_project_get_tied (PjmProject *self, guint *n)
{
  static PjmChoice rows[PJ_N_TIED];
  for (guint i = 0; i < PJ_N_TIED; i++)
    rows[i] = (PjmChoice) { pj_tied_rows[i].name, _(pj_tied_rows[i].title), _(pj_tied_rows[i].about) };
  *n = PJ_N_TIED;
  return rows;
}

const PjmChoice *
pjm_project_get_widths (PjmProject *self, guint *n)
{
  static PjmChoice rows[PJ_N_WIDTHS];
  for (guint i = 0; i < PJ_N_WIDTHS; i++)
    rows[i] = (PjmChoice) { pj_widths_rows[i].name, _(pj_widths_rows[i].title), _(pj_widths_rows[i].about) };
  *n = PJ_N_WIDTHS;
  return rows;
}

const PjmChoice *
pjm_project_get_constants (PjmProject *self, guint *n)
{
  static PjmChoice rows[PJ_N_CONSTANTS];
  for (guint i = 0; i < PJ_N_CONSTANTS; i++) {
    const PjWorkConstantsRow *row = &pj_work_constants_rows[i];
    rows[i] = (PjmChoice) { row->name, _(row->title), _(row->about) };
  }
  *n = PJ_N_CONSTANTS;
  return rows;
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
  if (self->row_ms == NULL)
    pjm_project_measure_time (self);
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
  pjm_project_measure_time (self);
}

void
pjm_project_device_failed (PjmProject *self, const char *detail)
{
  gboolean is_cpu = g_strcmp0 (self->device, "cpu") == 0;
  set_offer_cpu (self, !is_cpu);
  pjm_project_fail (self, is_cpu ? _("There is not enough memory") : _("The device stopped working; you can go on with the CPU"),
                    detail);
}

/* --- words for layers and classes --- */

const char *
pjm_project_get_class (PjmProject *self, int label)
{
  return self->dataset != NULL && label >= 0 && (unsigned) label < pj_dataset_n_classes (self->dataset)
         ? pj_dataset_class_name (self->dataset, (unsigned) label) : NULL;
}

/* By words of the engine's reasons; the first that is found says what helps. */
static const struct { const char *words, *hint; } hints[] = {
  { "the network’s output", N_("Train the network for fewer classes; its last layer has one channel for each.") },
  { "the network’s input", N_("Nothing would: the network needs all planes of the picture.") },
  { "operator that cannot be cut", N_("Export the network without this operator, or with operators from the list that Penjing can cut.") },
  { "repeated over the channels", N_("Give both sides of the operator the same number of channels when the network is made.") },
  { "is divided by", N_("Multiply by the inverse instead of dividing when the network is made.") },
  { "transposed convolution", N_("Use a transposed convolution with a single group.") },
  { "shared weights", N_("Give each convolution its own weights when the network is exported.") },
  { "unevenly into the groups", N_("Choose a number of channels that the groups of the convolution divide evenly.") },
  { "by a normalisation", N_("Replace the local response normalisation by a batch norm and train again.") },
  { "padded with a value", N_("Pad with 0.") },
  { "averaged over its channels", N_("Average over positions instead of channels.") },
  { "by a reshape", N_("Keep channels and positions apart: replace the reshape by a flatten or a global pooling.") },
  { "read in steps", N_("Take neighbouring channels instead of every second one.") },
  { "by a softmax", N_("Move the softmax behind the last layer.") },
  { "transposition", N_("Export the network with channels before rows and columns (NCHW).") },
};

char *
pjm_project_get_unlock_hint (PjmProject *self, PjmLayer *layer)
{
  int id = pjm_layer_get_group (layer);
  if (self->place == NULL || id < 0 || (unsigned) id >= pj_groups_n (self->place->network->groups))
    return NULL;
  const char *reason = pj_groups_get (self->place->network->groups, (unsigned) id)->lock_reason;
  for (guint i = 0; reason != NULL && i < G_N_ELEMENTS (hints); i++)
    if (strstr (reason, hints[i].words) != NULL)
      return g_strdup (_(hints[i].hint));
  return NULL;
}
