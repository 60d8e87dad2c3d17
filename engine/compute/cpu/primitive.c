/* SPDX-License-Identifier: MIT */
/* oneDNN primitives as steps. */
#include "base/error.h"
#include "compute/cpu/internal.h"

static const char *
status_name (dnnl_status_t status)
{
  switch (status) {
  case dnnl_out_of_memory: return "out of memory";
  case dnnl_invalid_arguments: return "invalid arguments";
  case dnnl_unimplemented: return "not implemented";
  default: return "runtime error";
  }
}

gboolean
pj_cpu_fail (PjCpuExec *e, dnnl_status_t status, const char *what, GError **error)
{
  const char *kernel = pj_kernel_name (pj_cpu_call (e)->kernel);
  if (status == dnnl_out_of_memory)
    g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "no memory for the kernel “%s” (%s)", kernel, what);
  else
    g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "the CPU device cannot run the kernel “%s”: %s: %s", kernel, what, status_name (status));
  return FALSE;
}

static gboolean
run_primitive (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  dnnl_status_t status = dnnl_primitive_execute (step->primitive->primitive, e->device->stream,
                                                 step->primitive->n_args, step->primitive->args);
  if (status == dnnl_success)
    status = dnnl_stream_wait (e->device->stream);
  if (status == dnnl_success)
    return TRUE;
  g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_FAILED, "oneDNN failed in the kernel “%s”: %s",
               pj_kernel_name (step->call->kernel), status_name (status));
  return FALSE;
}

PjCpuStep *
pj_cpu_primitive_step (PjCpuExec *e, dnnl_primitive_desc_t pd, GError **error)
{
  const dnnl_memory_desc_t *scratchpad = dnnl_primitive_desc_query_md (pd, dnnl_query_scratchpad_md, 0);
  size_t scratch_bytes = dnnl_memory_desc_get_size (scratchpad);
  PjCpuStep *step = pj_cpu_step_new (e, run_primitive);
  dnnl_memory_desc_t md = *scratchpad;

  step->primitive = g_new0 (PjCpuPrimitive, 1);
  dnnl_status_t status = dnnl_primitive_create (&step->primitive->primitive, pd);
  dnnl_primitive_desc_destroy (pd);
  if (status != dnnl_success) {
    pj_cpu_fail (e, status, "making the primitive", error);
    return NULL;
  }
  if (scratch_bytes > 0
      && !pj_cpu_primitive_arg (e, step, DNNL_ARG_SCRATCHPAD, &md, pj_cpu_mem_new (e, scratch_bytes), error))
    return NULL;
  return step;
}

gboolean
pj_cpu_primitive_arg (PjCpuExec *e, PjCpuStep *step, int arg, const dnnl_memory_desc_t *md, int mem, GError **error)
{
  PjCpuPrimitive *self = step->primitive;
  dnnl_memory_t memory;
  dnnl_status_t status = dnnl_memory_create (&memory, md, e->device->engine, DNNL_MEMORY_NONE);

  g_assert (self->n_args < PJ_CPU_MAX_ARGS && mem >= 0);
  if (status != dnnl_success)
    return pj_cpu_fail (e, status, "describing its memory", error);
  self->args[self->n_args] = (dnnl_exec_arg_t) { arg, memory };
  self->mems[self->n_args++] = mem;
  return TRUE;
}

gboolean
pj_cpu_primitive_bind (PjCpuExec *e, PjCpuPrimitive *self, GError **error)
{
  for (int i = 0; i < self->n_args; i++) {
    dnnl_status_t status = dnnl_memory_set_data_handle (self->args[i].memory, pj_cpu_mem (e, self->mems[i])->data);
    if (status != dnnl_success)
      return pj_cpu_fail (e, status, "setting an address", error);
  }
  return TRUE;
}

void
pj_cpu_primitive_free (PjCpuPrimitive *self)
{
  if (self == NULL)
    return;
  for (int i = 0; i < self->n_args; i++)
    dnnl_memory_destroy (self->args[i].memory);
  if (self->primitive != NULL)
    dnnl_primitive_destroy (self->primitive);
  g_free (self);
}

PjCpuStep *
pj_cpu_reorder (PjCpuExec *e, const dnnl_memory_desc_t *from_md, int from, const dnnl_memory_desc_t *to_md, int to,
                GError **error)
{
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t pd = NULL;

  dnnl_primitive_attr_create (&attr);
  dnnl_primitive_attr_set_scratchpad_mode (attr, dnnl_scratchpad_mode_user);
  dnnl_status_t status = dnnl_reorder_primitive_desc_create (&pd, from_md, e->device->engine, to_md, e->device->engine, attr);
  dnnl_primitive_attr_destroy (attr);
  if (status != dnnl_success) {
    pj_cpu_fail (e, status, "changing a layout", error);
    return NULL;
  }
  PjCpuStep *step = pj_cpu_primitive_step (e, pd, error);
  if (step == NULL || !pj_cpu_primitive_arg (e, step, DNNL_ARG_FROM, from_md, from, error)
      || !pj_cpu_primitive_arg (e, step, DNNL_ARG_TO, to_md, to, error))
    return NULL;
  return step;
}
