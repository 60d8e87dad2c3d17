/* SPDX-License-Identifier: MIT */
/* Compiling a program into steps, laying out its memory, and replaying it. */
#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/fault.h"
#include "compute/cpu/internal.h"

#include <string.h>

static const PjCpuPrepare kernels[PJ_N_KERNELS] = {
  [PJ_KERNEL_CONV] = pj_cpu_conv,
  [PJ_KERNEL_CONV_WITHOUT] = pj_cpu_conv_without,
  [PJ_KERNEL_CONV_BWD_INPUT] = pj_cpu_conv_bwd_input,
  [PJ_KERNEL_CONV_BWD_WEIGHT] = pj_cpu_conv_bwd_weight,
  [PJ_KERNEL_GEMM] = pj_cpu_gemm,
  [PJ_KERNEL_GEMM_BWD_INPUT] = pj_cpu_gemm_bwd_input,
  [PJ_KERNEL_GEMM_BWD_WEIGHT] = pj_cpu_gemm_bwd_weight,
  [PJ_KERNEL_NORM_TRAIN] = pj_cpu_norm_train,
  [PJ_KERNEL_NORM_EVAL] = pj_cpu_norm_eval,
  [PJ_KERNEL_NORM_APPLY] = pj_cpu_norm_apply,
  [PJ_KERNEL_NORM_BWD] = pj_cpu_norm_bwd,
  [PJ_KERNEL_NORM_EVAL_BWD] = pj_cpu_norm_bwd,
  [PJ_KERNEL_GATE] = pj_cpu_gate,
  [PJ_KERNEL_GATE_BWD] = pj_cpu_gate_bwd,
  [PJ_KERNEL_RELU] = pj_cpu_relu,
  [PJ_KERNEL_RELU_BWD] = pj_cpu_relu_bwd,
  [PJ_KERNEL_ADD] = pj_cpu_add,
  [PJ_KERNEL_MAX_POOL] = pj_cpu_max_pool,
  [PJ_KERNEL_MAX_POOL_BWD] = pj_cpu_max_pool_bwd,
  [PJ_KERNEL_AVG_POOL] = pj_cpu_avg_pool,
  [PJ_KERNEL_AVG_POOL_BWD] = pj_cpu_avg_pool_bwd,
  [PJ_KERNEL_RESHAPE] = pj_cpu_reshape,
  [PJ_KERNEL_SOFTMAX] = pj_cpu_softmax,
  [PJ_KERNEL_CROSS_ENTROPY] = pj_cpu_cross_entropy,
  [PJ_KERNEL_KL] = pj_cpu_kl,
  [PJ_KERNEL_CHANNEL_STATS] = pj_cpu_channel_stats,
  [PJ_KERNEL_FOLD_NORM] = pj_cpu_fold_norm,
  [PJ_KERNEL_FOLD_GATE] = pj_cpu_fold_gate,
  [PJ_KERNEL_UNARY] = pj_cpu_unary,
  [PJ_KERNEL_UNARY_BWD] = pj_cpu_unary_bwd,
  [PJ_KERNEL_BINARY] = pj_cpu_binary,
  [PJ_KERNEL_SUM_TO] = pj_cpu_sum_to,
  [PJ_KERNEL_CONCAT] = pj_cpu_concat,
  [PJ_KERNEL_VIEW] = pj_cpu_view,
  [PJ_KERNEL_VIEW_BWD] = pj_cpu_view_bwd,
  [PJ_KERNEL_GATHER] = pj_cpu_gather,
  [PJ_KERNEL_GATHER_BWD] = pj_cpu_gather_bwd,
  [PJ_KERNEL_LRN] = pj_cpu_lrn,
  [PJ_KERNEL_LRN_BWD] = pj_cpu_lrn_bwd,
  [PJ_KERNEL_RESIZE] = pj_cpu_resize,
  [PJ_KERNEL_RESIZE_BWD] = pj_cpu_resize_bwd,
  [PJ_KERNEL_INSTANCE_NORM] = pj_cpu_instance_norm,
  [PJ_KERNEL_INSTANCE_NORM_BWD] = pj_cpu_instance_norm_bwd,
  [PJ_KERNEL_SGD] = pj_cpu_sgd,
};

/* --- steps --- */

PjCpuStep *
pj_cpu_step_new (PjCpuExec *e, PjCpuRun run)
{
  PjCpuStep *step = g_new0 (PjCpuStep, 1);
  step->call = pj_cpu_call (e);
  step->call_index = e->call_index;
  step->segment = step->call->segment;
  step->run = run;
  for (int i = 0; i < PJ_CPU_MAX_MEMS; i++)
    step->mems[i] = -1;
  g_ptr_array_add (e->steps, step);
  return step;
}

static void
step_free (gpointer data)
{
  PjCpuStep *step = data;
  pj_cpu_primitive_free (step->primitive);
  g_free (step);
}

void
pj_cpu_step_temp (PjCpuExec *e, PjCpuStep *step, int i, size_t size_bytes)
{
  step->mems[PJ_CPU_TEMP + i] = pj_cpu_mem_new (e, size_bytes);
}

/* A plain tensor of one pixel per channel is also a blocked one, which gives longer runs. */
static void
set_view (PjCpuStep *step, const PjShape *shape, int block)
{
  int n = (int) shape->dim[0], c = shape->rank > 1 ? (int) shape->dim[1] : 1;
  int hw = (int) (pj_shape_n_elems (shape) / ((size_t) n * (size_t) c));

  if (block == 1 && hw == 1)
    block = c % 16 == 0 ? 16 : c % 8 == 0 ? 8 : 1;
  step->view.n = n;
  step->view.c = c;
  step->view.hw = hw;
  step->view.block = block;
  step->view.n_blocks = (c + block - 1) / block;
}

PjCpuStep *
pj_cpu_step_for_call (PjCpuExec *e, PjCpuRun run, int block, int over, GError **error)
{
  const PjCall *call = pj_cpu_call (e);
  int mems[PJ_CPU_MAX_MEMS];

  for (int i = 0; i < PJ_CPU_MAX_MEMS; i++)
    mems[i] = -1;
  for (int i = 0; i < PJ_CALL_MAX_IN; i++)
    if (call->in[i] >= 0) {
      mems[i] = pj_cpu_get (e, call->in[i], pj_cpu_shape (e, call->in[i])->rank == 4 ? block : 1, error);
      if (mems[i] < 0)
        return NULL;
    }
  for (int i = 0; i < PJ_CALL_MAX_OUT; i++)
    if (call->out[i] >= 0)
      mems[PJ_CPU_OUT + i] = pj_cpu_define (e, call->out[i], pj_cpu_shape (e, call->out[i])->rank == 4 ? block : 1,
                                            i == 0 && over >= 0 ? call->in[over] : -1);
  PjCpuStep *step = pj_cpu_step_new (e, run);
  memcpy (step->mems, mems, sizeof mems);
  int walked = over >= 0 ? call->in[over] : call->in[0];
  if (walked >= 0)
    set_view (step, pj_cpu_shape (e, walked), pj_cpu_shape (e, walked)->rank == 4 ? block : 1);
  return step;
}

/* --- memory --- */

static void
use_mem (PjCpuExec *e, int mem, int step)
{
  if (mem < 0)
    return;
  pj_cpu_mem (e, mem)->first = MIN (pj_cpu_mem (e, mem)->first, step);
  pj_cpu_mem (e, mem)->last = MAX (pj_cpu_mem (e, mem)->last, step);
}

static void
find_lifetimes (PjCpuExec *e)
{
  for (guint s = 0; s < e->steps->len; s++) {
    const PjCpuStep *step = e->steps->pdata[s];
    for (int i = 0; i < PJ_CPU_MAX_MEMS; i++)
      use_mem (e, step->mems[i], (int) s);
    for (int i = 0; step->primitive != NULL && i < step->primitive->n_args; i++)
      use_mem (e, step->primitive->mems[i], (int) s);
  }
}

/* Memory that can be had without swapping, 0 if unknown. */
static size_t
available_bytes (void)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/meminfo", &text, NULL, NULL))
    return 0;
  const char *line = strstr (text, "MemAvailable:");
  return line == NULL ? 0 : (size_t) g_ascii_strtoull (line + strlen ("MemAvailable:"), NULL, 10) * 1024;
}

static gboolean
allocate (PjCpuExec *e, GError **error)
{
  g_autofree PjArenaBlock *placed = g_new0 (PjArenaBlock, e->mems->len + 1);
  g_autofree int *owners = g_new0 (int, e->mems->len + 1);
  size_t n = 0, available = available_bytes ();

  for (guint i = 0; i < e->mems->len; i++) {
    const PjCpuMem *mem = pj_cpu_mem (e, i);
    if (mem->is_store)
      continue;
    gboolean always = mem->keep || mem->last < 0;
    placed[n] = (PjArenaBlock) { mem->size_bytes, always ? 0 : mem->first, always ? G_MAXINT : mem->last, 0 };
    owners[n++] = (int) i;
  }
  e->arena_bytes = pj_arena_assign (placed, n, PJ_ALIGN);
  if (available > 0 && e->arena_bytes > available) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "it needs %.0f MiB of memory and %.0f MiB are free",
                 (double) e->arena_bytes / 0x1p20, (double) available / 0x1p20);
    return FALSE;
  }
  if (pj_fault (PJ_FAULT_DEVICE_ALLOC)) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "no memory for the activations: %.1f MiB asked for", (double) e->arena_bytes / 0x1p20);
    return FALSE;
  }
  e->arena = pj_alloc (e->arena_bytes, "the activations", error);
  if (e->arena == NULL)
    return FALSE;
  for (size_t i = 0; i < n; i++)
    pj_cpu_mem (e, owners[i])->data = (float *) (e->arena + placed[i].offset);
  return TRUE;
}

/* --- compiling --- */

static void
find_last_uses (PjCpuExec *e)
{
  for (guint c = 0; c < e->program->calls->len; c++) {
    const PjCpuCall *call = &e->calls[c];
    for (int i = 0; i < PJ_CALL_MAX_IN + 2 && !call->absorbed; i++) {
      int slot = i < PJ_CALL_MAX_IN ? call->call.in[i] : i == PJ_CALL_MAX_IN ? call->residual : call->second;
      if (slot >= 0)
        e->last_use[slot] = (int) c;
    }
  }
  for (guint s = 0; s < e->program->slots->len; s++) {
    e->slots[s] = (PjCpuSlot) { .mem = -1, .block = 1 };
    if (pj_program_slot (e->program, s)->flags & (PJ_SLOT_HOST | PJ_SLOT_KEEP))
      e->last_use[s] = G_MAXINT;
  }
}

/* TRUE if @step reads a piece of memory that @maker writes. */
static gboolean
reads_from (const PjCpuStep *step, const PjCpuStep *maker)
{
  for (int i = 0; i < PJ_CALL_MAX_OUT; i++) {
    int mem = maker->mems[PJ_CPU_OUT + i];
    for (int k = 0; mem >= 0 && k < PJ_CALL_MAX_IN; k++)
      if (step->mems[k] == mem)
        return TRUE;
    for (int k = 0; mem >= 0 && step->primitive != NULL && k < step->primitive->n_args; k++)
      if (step->primitive->mems[k] == mem)
        return TRUE;
  }
  return FALSE;
}

/* Packing of weights was added where it was met; it runs in the prologue.  What packs folded weights comes right behind
 * what folds them, so that only one layer's are there unpacked. */
static void
sort_prologue (PjCpuExec *e, GPtrArray *sorted)
{
  g_autoptr (GPtrArray) packing = g_ptr_array_new ();
  for (guint i = 0; i < e->steps->len; i++) {
    PjCpuStep *step = e->steps->pdata[i];
    if (step->segment == PJ_SEGMENT_PROLOGUE && step->call->segment != PJ_SEGMENT_PROLOGUE)
      g_ptr_array_add (packing, step);
  }
  for (guint i = 0; i < e->steps->len; i++) {
    PjCpuStep *step = e->steps->pdata[i];
    if (step->call->segment != PJ_SEGMENT_PROLOGUE)
      continue;
    g_ptr_array_add (sorted, step);
    for (guint k = 0; k < packing->len; k++)
      if (packing->pdata[k] != NULL && reads_from (packing->pdata[k], step))
        g_ptr_array_add (sorted, g_steal_pointer (&packing->pdata[k]));
  }
  for (guint k = 0; k < packing->len; k++)
    if (packing->pdata[k] != NULL)
      g_ptr_array_add (sorted, packing->pdata[k]);
}

static void
sort_steps (PjCpuExec *e)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_sized_new (e->steps->len);
  sort_prologue (e, sorted);
  for (int segment = PJ_SEGMENT_PROLOGUE + 1; segment < PJ_N_SEGMENTS; segment++)
    for (guint i = 0; i < e->steps->len; i++)
      if (((PjCpuStep *) e->steps->pdata[i])->segment == (PjSegment) segment)
        g_ptr_array_add (sorted, e->steps->pdata[i]);
  memcpy (e->steps->pdata, sorted->pdata, e->steps->len * sizeof (gpointer));
}

/* What only the prologue reads, as folded weights that were packed, need not be kept from run to run. */
static void
drop_prologue_only (PjCpuExec *e)
{
  g_autofree gboolean *is_read = g_new0 (gboolean, e->mems->len + 1);
  for (guint s = 0; s < e->steps->len; s++) {
    const PjCpuStep *step = e->steps->pdata[s];
    for (int i = 0; step->segment != PJ_SEGMENT_PROLOGUE && i < PJ_CPU_MAX_MEMS; i++)
      if (step->mems[i] >= 0)
        is_read[step->mems[i]] = TRUE;
    for (int i = 0; step->segment != PJ_SEGMENT_PROLOGUE && step->primitive != NULL && i < step->primitive->n_args; i++)
      is_read[step->primitive->mems[i]] = TRUE;
  }
  for (guint i = 0; i < e->program->slots->len; i++) {
    int mem = e->slots[i].mem;
    if (mem >= 0 && !is_read[mem] && (pj_program_slot (e->program, i)->flags & (PJ_SLOT_KEEP | PJ_SLOT_HOST)) == PJ_SLOT_KEEP)
      pj_cpu_mem (e, mem)->keep = FALSE;
  }
}

static gboolean
prepare (PjCpuExec *e, GError **error)
{
  for (guint c = 0; c < e->program->calls->len; c++) {
    const PjCall *call = &e->calls[c].call;
    e->call_index = (int) c;
    if (!e->calls[c].absorbed && !kernels[call->kernel] (e, call, error))
      return FALSE;
  }
  /* Slots that no call touches may still be written by the host. */
  for (guint s = 0; s < e->program->slots->len; s++)
    if (pj_program_slot (e->program, s)->store == PJ_STORE_ARENA
        && (pj_program_slot (e->program, s)->flags & (PJ_SLOT_HOST | PJ_SLOT_KEEP)))
      pj_cpu_define (e, (int) s, 1, -1);
  return TRUE;
}

static gboolean
trains (const PjProgram *program)
{
  for (guint c = 0; c < program->calls->len; c++) {
    PjKernel kernel = pj_program_call (program, c)->kernel;
    if (kernel == PJ_KERNEL_CONV_BWD_INPUT || kernel == PJ_KERNEL_CONV_BWD_WEIGHT)
      return TRUE;
  }
  return FALSE;
}

PjExecutable *
pj_cpu_compile (PjDevice *device, const PjProgram *program, PjBuffer *const stores[PJ_N_STORES], GError **error)
{
  PjCpuExec *e = g_new0 (PjCpuExec, 1);

  e->device = (PjCpuDevice *) device;
  e->program = program;
  e->stores = stores;
  e->slots = g_new0 (PjCpuSlot, program->slots->len);
  e->last_use = g_new0 (int, program->slots->len);
  e->mems = g_array_new (FALSE, TRUE, sizeof (PjCpuMem));
  e->copies = g_array_new (FALSE, TRUE, sizeof (PjCpuCopy));
  e->steps = g_ptr_array_new_with_free_func (step_free);
  e->trains = trains (program);
  pj_cpu_fuse (e);
  find_last_uses (e);
  gboolean ok = prepare (e, error);
  if (ok) {
    sort_steps (e);
    drop_prologue_only (e);
    find_lifetimes (e);
    ok = allocate (e, error);
  }
  for (guint i = 0; ok && i < e->steps->len; i++) {
    PjCpuStep *step = e->steps->pdata[i];
    ok = step->primitive == NULL || pj_cpu_primitive_bind (e, step->primitive, error);
  }
  if (ok)
    return e;
  pj_cpu_executable_free (e);
  return NULL;
}

void
pj_cpu_executable_free (PjExecutable *e)
{
  if (e == NULL)
    return;
  g_ptr_array_unref (e->steps);
  g_array_unref (e->mems);
  g_array_unref (e->copies);
  g_free (e->slots);
  g_free (e->calls);
  g_free (e->last_use);
  pj_free (e->arena);
  g_free (e);
}

size_t
pj_cpu_arena_bytes (const PjExecutable *e)
{
  return e->arena_bytes;
}

/* --- running --- */

static gboolean
run_steps (PjExecutable *e, unsigned segments, double *ms, GError **error)
{
  if (pj_fault (PJ_FAULT_DEVICE_RUN)) {
    g_set_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_FAILED, "the CPU device stopped in the middle of a run");
    return FALSE;
  }
  for (guint i = 0; i < e->steps->len; i++) {
    PjCpuStep *step = e->steps->pdata[i];
    if (!(segments & (1u << step->segment)))
      continue;
    gint64 start = ms != NULL ? g_get_monotonic_time () : 0;
    if (!step->run (e, step, error))
      return FALSE;
    if (ms != NULL)
      ms[step->call_index] += (double) (g_get_monotonic_time () - start) / 1000.0;
  }
  return TRUE;
}

gboolean
pj_cpu_run (PjExecutable *e, unsigned segments, GError **error)
{
  return run_steps (e, segments, NULL, error);
}

gboolean
pj_cpu_profile (PjExecutable *e, unsigned segments, double *ms, GError **error)
{
  memset (ms, 0, e->program->calls->len * sizeof (double));
  return run_steps (e, segments, ms, error);
}

/* --- the host's view --- */

/* Copies between row-major @plain and the channel blocks of @blocked, whose filling is zero. */
static void
convert (const PjShape *shape, size_t block, float *plain, float *blocked, gboolean to_plain)
{
  size_t c = (size_t) shape->dim[1], hw = (size_t) (shape->dim[2] * shape->dim[3]), n_blocks = (c + block - 1) / block;

#pragma omp parallel for collapse (2)
  for (size_t n = 0; n < (size_t) shape->dim[0]; n++)
    for (size_t k = 0; k < n_blocks; k++) {
      size_t lanes = MIN (block, c - k * block);
      float *p = plain + (n * c + k * block) * hw, *b = blocked + (n * n_blocks + k) * hw * block;
      for (size_t i = 0; i < hw; i++, b += block)
        if (to_plain) {
          for (size_t l = 0; l < lanes; l++)
            p[l * hw + i] = b[l];
        } else {
          for (size_t l = 0; l < block; l++)
            b[l] = l < lanes ? p[l * hw + i] : 0.0f;
        }
    }
}

static float *
host_slot (PjExecutable *e, int slot)
{
  g_assert (pj_program_slot (e->program, slot)->flags & PJ_SLOT_HOST);
  return pj_cpu_mem (e, e->slots[slot].mem)->data;
}

gboolean
pj_cpu_write (PjExecutable *e, int slot, gconstpointer data, GError **error)
{
  const PjShape *shape = pj_cpu_shape (e, slot);
  int block = e->slots[slot].block;

  if (block == 1)
    memcpy (host_slot (e, slot), data, pj_cpu_size (shape, 1));
  else
    convert (shape, (size_t) block, (float *) data, host_slot (e, slot), FALSE);
  return TRUE;
}

gboolean
pj_cpu_read (PjExecutable *e, int slot, gpointer data, GError **error)
{
  const PjShape *shape = pj_cpu_shape (e, slot);
  int block = e->slots[slot].block;

  if (block == 1)
    memcpy (data, host_slot (e, slot), pj_cpu_size (shape, 1));
  else
    convert (shape, (size_t) block, data, host_slot (e, slot), TRUE);
  return TRUE;
}
