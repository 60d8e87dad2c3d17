/* SPDX-License-Identifier: MIT */
/* The CPU device: oneDNN and own loops on all cores.  OMP_NUM_THREADS limits them. */
#include "base/alloc.h"
#include "base/error.h"
#include "compute/cpu/internal.h"

#include <omp.h>
#include <string.h>
#include <unistd.h>

/* "AMD EPYC" from /proc/cpuinfo. (transfer full) */
static char *
processor_name (void)
{
  g_autofree char *text = NULL;
  if (g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL)) {
    const char *line = strstr (text, "model name"), *colon = line ? strchr (line, ':') : NULL;
    if (colon != NULL)
      return g_strstrip (g_strndup (colon + 1, strcspn (colon + 1, "\n")));
  }
  return g_strdup ("CPU");
}

static void
fill_info (PjDeviceInfo *info)
{
  const dnnl_version_t *version = dnnl_version ();
  g_autofree char *name = processor_name ();
  int threads = omp_get_max_threads ();

  info->id = g_strdup ("cpu");
  info->name = g_strdup_printf ("%s, %d thread%s, %s", name, threads, threads == 1 ? "" : "s", pj_cpu_loops_best ()->name);
  info->driver = g_strdup_printf ("oneDNN %d.%d.%d", version->major, version->minor, version->patch);
  info->memory_bytes = (uint64_t) sysconf (_SC_PHYS_PAGES) * (uint64_t) sysconf (_SC_PAGESIZE);
}

static GPtrArray *
list (char **why)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_device_info_free);
  PjDeviceInfo *info = g_new0 (PjDeviceInfo, 1);
  *why = NULL;
  fill_info (info);
  g_ptr_array_add (all, info);
  return all;
}

static void
close_device (PjDevice *device)
{
  PjCpuDevice *self = (PjCpuDevice *) device;
  if (self->stream != NULL)
    dnnl_stream_destroy (self->stream);
  if (self->engine != NULL)
    dnnl_engine_destroy (self->engine);
  g_free (self->base.info.id);
  g_free (self->base.info.name);
  g_free (self->base.info.driver);
  g_free (self);
}

static PjDevice *
open_device (unsigned index, gboolean half, GError **error)
{
  if (half) {
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE, "the CPU device has no half precision; take “cpu”");
    return NULL;
  }
  if (index != 0) {
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE, "there is one CPU device, “cpu”");
    return NULL;
  }
  PjCpuDevice *self = g_new0 (PjCpuDevice, 1);
  self->base.klass = &pj_device_cpu;
  fill_info (&self->base.info);
  self->loops = pj_cpu_loops_best ();
  self->winograd = pj_cpu_winograd_best ();
  self->n_threads = omp_get_max_threads ();
  if (dnnl_engine_create (&self->engine, dnnl_cpu, 0) != dnnl_success
      || dnnl_stream_create (&self->stream, self->engine, dnnl_stream_default_flags) != dnnl_success) {
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE, "oneDNN does not run on this processor");
    close_device (&self->base);
    return NULL;
  }
  return &self->base;
}

static PjBuffer *
buffer_new (PjDevice *device, size_t size_bytes, GError **error)
{
  char *data = pj_alloc (size_bytes, "the parameters", error);
  if (data == NULL)
    return NULL;
  PjBuffer *self = g_new0 (PjBuffer, 1);
  self->data = data;
  self->size_bytes = size_bytes;
  return self;
}

static void
buffer_free (PjBuffer *self)
{
  if (self == NULL)
    return;
  pj_free (self->data);
  g_free (self);
}

static gpointer
buffer_data (PjBuffer *self)
{
  return self->data;
}

static gboolean
buffer_write (PjBuffer *self, size_t offset_bytes, gconstpointer data, size_t size_bytes, GError **error)
{
  g_return_val_if_fail (offset_bytes <= self->size_bytes && size_bytes <= self->size_bytes - offset_bytes, FALSE);
  memcpy (self->data + offset_bytes, data, size_bytes);
  return TRUE;
}

static gboolean
buffer_read (PjBuffer *self, size_t offset_bytes, gpointer data, size_t size_bytes, GError **error)
{
  g_return_val_if_fail (offset_bytes <= self->size_bytes && size_bytes <= self->size_bytes - offset_bytes, FALSE);
  memcpy (data, self->data + offset_bytes, size_bytes);
  return TRUE;
}

const PjDeviceClass pj_device_cpu = {
  .kind = "cpu", .list = list, .open = open_device, .close = close_device,
  .buffer_new = buffer_new, .buffer_free = buffer_free, .buffer_data = buffer_data,
  .buffer_write = buffer_write, .buffer_read = buffer_read,
  .compile = pj_cpu_compile, .executable_free = pj_cpu_executable_free, .arena_bytes = pj_cpu_arena_bytes,
  .run = pj_cpu_run, .write = pj_cpu_write, .read = pj_cpu_read, .profile = pj_cpu_profile,
};
