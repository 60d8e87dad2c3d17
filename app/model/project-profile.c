/* SPDX-License-Identifier: MIT */
/* Kernel by kernel: where the time of the network on screen goes. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/project-private.h"
#include "model/question-private.h"
#include "model/work-profile.h"

/* As the command line has it: the median of so many. */
#define REPEATS 5

/* --- kinds --- */

/* The last one is everything else. */
static const struct { const char *title, *starts[6]; } kinds[PJM_N_KERNEL_KINDS] = {
  { N_("Convolution"), { "conv" } },
  { N_("Fully connected"), { "gemm" } },
  { N_("Normalization"), { "norm", "fold_norm", "lrn", "instance_norm", "channel_stats" } },
  { N_("Activations and sums"), { "relu", "gate", "fold_gate", "add", "unary", "binary" } },
  { N_("Pooling"), { "max_pool", "avg_pool" } },
  { N_("Everything else"), { NULL } },
};

const char *
pjm_kernel_kind_title (guint kind)
{
  g_return_val_if_fail (kind < PJM_N_KERNEL_KINDS, "");
  return _(kinds[kind].title);
}

static guint
kind_of (const char *kernel)
{
  for (guint k = 0; k < PJM_N_KERNEL_KINDS; k++)
    for (guint i = 0; i < G_N_ELEMENTS (kinds[k].starts) && kinds[k].starts[i] != NULL; i++)
      if (g_str_has_prefix (kernel, kinds[k].starts[i]))
        return k;
  return PJM_N_KERNEL_KINDS - 1;
}

static const char *
segment_title (const PjWorkCall *call)
{
  static const char *const titles[] = {
    [PJ_SEGMENT_PROLOGUE] = "", [PJ_SEGMENT_FORWARD] = N_("forward"), [PJ_SEGMENT_BACKWARD] = N_("backward"),
    [PJ_SEGMENT_UPDATE] = N_("optimiser"),
  };
  return call->again ? _("forward again") : _(titles[call->segment]);
}

/* --- the measurement --- */

typedef struct {
  PjmEngine *engine;
  char *device;
  PjmNetwork *network;
  PjWorkProfileOptions options;
  PjmProfile *result;
} Profiling;

static void
profiling_free (gpointer data)
{
  Profiling *self = data;
  g_free (self->device);
  pjm_network_unref (self->network);
  g_clear_pointer (&self->result, pjm_profile_free);
  g_free (self);
}

static void
kernel_clear (gpointer data)
{
  PjmKernel *kernel = data;
  g_free (kernel->layer);
  g_free (kernel->output);
}

void
pjm_profile_free (PjmProfile *self)
{
  g_array_unref (self->kernels);
  g_free (self->device);
  g_free (self);
}

/* What a person calls @node: the row that it lies in. */
static const char *
layer_of (const PjmNetwork *network, int node)
{
  if (node < 0)
    return "";
  for (guint r = 0; r < network->rows->len; r++) {
    const PjmRow *row = network->rows->pdata[r];
    for (guint i = 0; i < row->nodes->len; i++)
      if (g_array_index (row->nodes, int, i) == node)
        return row->name;
  }
  return pj_graph_node (network->graph, node)->name;
}

static PjmProfile *
take_profile (const Profiling *self, const PjWorkProfile *from, const PjDevice *device)
{
  PjmProfile *profile = g_new0 (PjmProfile, 1);
  *profile = (PjmProfile) {
    .kernels = g_array_new (FALSE, FALSE, sizeof (PjmKernel)), .device = g_strdup (device->info.name),
    .train = from->mode == PJ_PLAN_TRAIN, .batch = from->batch, .memory = from->memory_bytes,
    .peak_flops = from->limits.flops, .peak_bytes = from->limits.bytes,
  };
  g_array_set_clear_func (profile->kernels, kernel_clear);
  for (guint i = 0; i < from->calls->len; i++) {
    const PjWorkCall *call = &g_array_index (from->calls, PjWorkCall, i);
    /* What runs once for new weights is no part of a run. */
    if (call->segment == PJ_SEGMENT_PROLOGUE)
      continue;
    profile->ms += call->ms;
    PjmKernel kernel = {
      g_strdup (layer_of (self->network, call->node)), g_strdup (call->output), call->kernel, segment_title (call),
      kind_of (call->kernel), call->ms, call->flops, call->bytes, call->share,
    };
    g_array_append_val (profile->kernels, kernel);
  }
  return profile;
}

static gboolean
profiling_run (gpointer data, const PjHooks *hooks, GError **error)
{
  Profiling *self = data;
  g_auto (PjWorkProfile) profile = { 0 };
  PjDevice *device = pjm_engine_open (self->engine, self->device, error);
  if (device == NULL || !pj_work_profile (device, self->network->graph, &self->options, hooks, &profile, error)
      || !pj_work_profile_judge (&profile, device, error))
    return FALSE;
  self->result = take_profile (self, &profile, device);
  return TRUE;
}

static gpointer
take_result (gpointer data)
{
  return g_steal_pointer (&((Profiling *) data)->result);
}

void
pjm_project_profile_async (PjmProject *self, gboolean train, guint batch, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (PJM_IS_PROJECT (self) && batch > 0);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  if (!pjm_project_is_ready (self)) {
    pjm_question_refuse (task);
    return;
  }
  Profiling *data = g_new0 (Profiling, 1);
  data->engine = self->engine;
  data->device = g_strdup (self->device);
  data->network = pjm_network_ref (self->place->network);
  data->options = (PjWorkProfileOptions) { .mode = train ? PJ_PLAN_TRAIN : PJ_PLAN_INFER, .batch = batch, .repeats = REPEATS };
  pjm_question_ask (self->queue, task, profiling_run, data, profiling_free, take_result, (GDestroyNotify) pjm_profile_free);
}

PjmProfile *
pjm_project_profile_finish (PjmProject *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
