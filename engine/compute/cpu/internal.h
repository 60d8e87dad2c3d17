/* SPDX-License-Identifier: MIT */
/* Inside of the CPU device.  A program becomes a list of steps over pieces of memory.
 *
 *   PjSlot ──▶ PjCpuSlot: a layout and a piece of memory ──▶ PjCpuMem: an address, shared by liveness
 *   PjCall ──▶ one or more PjCpuStep: reorders of operands, packing of weights (prologue), the kernel
 *
 * Layouts.  A slot of rank 4 is stored in channel blocks: [n][ceil (c / block)][h][w][block], block 1
 * (which is plain NCHW), 8 or 16.  Channels beyond c are padding: every kernel keeps them at zero, which
 * is what oneDNN expects.  All other slots are plain row-major. */
#pragma once

#include <dnnl.h>

#include "compute/arena.h"
#include "compute/cpu/loops.h"
#include "compute/cpu/winograd.h"
#include "compute/device.h"

G_BEGIN_DECLS

typedef struct {
  PjDevice base;
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  const PjCpuLoops *loops;
  const PjCpuWinograd *winograd;    /* NULL: not for this processor */
  int n_threads;
} PjCpuDevice;

struct _PjBuffer {
  char *data;
  size_t size_bytes;
};

/**
 * PjCpuMem:
 * @data: address; known at once for stores, after the arena was allocated for the rest
 * @is_store: part of a store: never shared, never freed here
 * @keep: must survive from run to run
 * @last_call: last call that reads a slot in it: after that it may be overwritten in place
 * @first, @last: steps between which it is alive
 */
typedef struct {
  float *data;
  size_t size_bytes;
  gboolean is_store, keep;
  int last_call, first, last;
} PjCpuMem;

typedef struct {
  int mem;        /* -1: not made yet */
  int block;
} PjCpuSlot;

/**
 * PjCpuCall: a call as this device runs it, with what pj_cpu_fuse() made part of it.
 * @call: its operands and its ReLU
 * @residual: slot that a norm adds before its ReLU, or -1
 * @second: slot that the backward pass of a norm adds to dy, or -1
 * @masked: slot that gets dy + second behind the ReLU, or -1
 * @absorbed: part of another call, or wanted by nobody: does nothing
 */
typedef struct {
  PjCall call;
  int residual, second, masked;
  gboolean absorbed;
} PjCpuCall;

typedef struct _PjExecutable PjCpuExec;
typedef struct _PjCpuStep PjCpuStep;
typedef gboolean (*PjCpuRun) (PjCpuExec *e, PjCpuStep *step, GError **error);

#define PJ_CPU_MAX_ARGS 10

/* A oneDNN primitive with its operands. */
typedef struct {
  dnnl_primitive_t primitive;
  int n_args;
  dnnl_exec_arg_t args[PJ_CPU_MAX_ARGS];
  int mems[PJ_CPU_MAX_ARGS];
} PjCpuPrimitive;

#define PJ_CPU_OUT PJ_CALL_MAX_IN
#define PJ_CPU_TEMP (PJ_CALL_MAX_IN + PJ_CALL_MAX_OUT)
#define PJ_CPU_RESIDUAL (PJ_CPU_TEMP + 3)
#define PJ_CPU_SECOND (PJ_CPU_TEMP + 4)
#define PJ_CPU_MASKED (PJ_CPU_TEMP + 5)
#define PJ_CPU_MAX_MEMS (PJ_CPU_TEMP + 6)

/**
 * PjCpuStep:
 * @call: call that it belongs to; a step for packing weights belongs to the call that needs them, but
 *   runs in the prologue
 * @mems: pieces of memory: the call's inputs at 0 …, its outputs at PJ_CPU_OUT …, scratch at
 *   PJ_CPU_TEMP …, then what else a joined call has; -1 where absent
 * @view: the activation that the kernel walks over
 * @primitive: (nullable)
 */
struct _PjCpuStep {
  PjSegment segment;
  int call_index;
  const PjCall *call;
  PjCpuRun run;
  int mems[PJ_CPU_MAX_MEMS];
  struct { int n, c, hw, block, n_blocks; } view;
  PjCpuPrimitive *primitive;
};

/* The same numbers in another layout: made once, used by every call that wants it. */
typedef struct {
  int slot, block, mem;
  gboolean is_packed;         /* weights: described by @md, packed in the prologue */
  dnnl_memory_desc_t md;
} PjCpuCopy;

struct _PjExecutable {
  PjCpuDevice *device;
  const PjProgram *program;
  PjCpuCall *calls;           /* by call of the program */
  PjBuffer *const *stores;
  PjCpuSlot *slots;           /* by slot */
  int *last_use;              /* by slot: last call that reads it, G_MAXINT if the host may */
  GArray *mems;               /* PjCpuMem */
  GArray *copies;             /* PjCpuCopy */
  GPtrArray *steps;           /* PjCpuStep, ordered by segment */
  int call_index;             /* call that is being prepared */
  gboolean trains;            /* has convolutions backward: weights change from run to run */
  char *arena;
  size_t arena_bytes;
};


/* Below this many elements waking the other threads costs more than they save. */
#define PJ_CPU_PARALLEL ((size_t) 16384)

/* --- memory.c --- */

#define pj_cpu_mem(e, i) (&g_array_index ((e)->mems, PjCpuMem, i))

size_t pj_cpu_size (const PjShape *shape, int block);
int pj_cpu_mem_new (PjCpuExec *e, size_t size_bytes);
/* Makes the memory of @slot in @block; in place over the slot @over if that is not needed any more and
 * has the same layout (-1: never). Stores stay where they are. Returns the mem. */
int pj_cpu_define (PjCpuExec *e, int slot, int block, int over);
/* @slot in layout @block: its own memory, or that of a copy, with a step that makes the copy. -1 on error */
int pj_cpu_get (PjCpuExec *e, int slot, int block, GError **error);
/* Description of @slot's shape in layout @block. */
dnnl_memory_desc_t pj_cpu_md (PjCpuExec *e, int slot, int block);
/* The block that @md stands for, or 0 if it is none of ours. */
int pj_cpu_block_of (PjCpuExec *e, int slot, const dnnl_memory_desc_t *md);

/* --- fuse.c --- */

/* Makes e->calls of the program. */
void pj_cpu_fuse (PjCpuExec *e);

/* --- executable.c --- */

/* Adds a step without operands for the call that is being prepared. */
PjCpuStep *pj_cpu_step_new (PjCpuExec *e, PjCpuRun run);
/**
 * pj_cpu_step_for_call:
 * @block: layout for all operands of rank 4
 * @over: input that the first output may overwrite in place, or -1
 *
 * Brings the inputs of the call into @block, makes its outputs and adds a step that has them all; its
 * view is that of input @over, or of input 0.
 */
PjCpuStep *pj_cpu_step_for_call (PjCpuExec *e, PjCpuRun run, int block, int over, GError **error);
/* Scratch memory of one step. */
void pj_cpu_step_temp (PjCpuExec *e, PjCpuStep *step, int i, size_t size_bytes);

static inline float *
pj_cpu_in (PjCpuExec *e, const PjCpuStep *step, int i)
{
  return step->mems[i] < 0 ? NULL : pj_cpu_mem (e, step->mems[i])->data;
}

static inline float *
pj_cpu_out (PjCpuExec *e, const PjCpuStep *step, int i)
{
  return pj_cpu_in (e, step, PJ_CPU_OUT + i);
}

static inline float *
pj_cpu_temp (PjCpuExec *e, const PjCpuStep *step, int i)
{
  return pj_cpu_in (e, step, PJ_CPU_TEMP + i);
}

static inline const PjShape *
pj_cpu_shape (PjCpuExec *e, int slot)
{
  return &pj_program_slot (e->program, slot)->shape;
}

static inline const PjCall *
pj_cpu_call (PjCpuExec *e)
{
  return &e->calls[e->call_index].call;
}

/* --- primitive.c --- */

/* Sets @error from a failed call of oneDNN: what it was for, and its status. Returns FALSE. */
gboolean pj_cpu_fail (PjCpuExec *e, dnnl_status_t status, const char *what, GError **error);
/* A step that runs the primitive of @pd (taken). */
PjCpuStep *pj_cpu_primitive_step (PjCpuExec *e, dnnl_primitive_desc_t pd, GError **error);
/* Adds an operand of the layout @md at @mem. */
gboolean pj_cpu_primitive_arg (PjCpuExec *e, PjCpuStep *step, int arg, const dnnl_memory_desc_t *md, int mem, GError **error);
/* Gives all operands their addresses. */
gboolean pj_cpu_primitive_bind (PjCpuExec *e, PjCpuPrimitive *primitive, GError **error);
void pj_cpu_primitive_free (PjCpuPrimitive *primitive);
/* A step that copies @from to @to. */
PjCpuStep *pj_cpu_reorder (PjCpuExec *e, const dnnl_memory_desc_t *from_md, int from,
                           const dnnl_memory_desc_t *to_md, int to, GError **error);

/* --- conv.c --- */

/* Memory of the output of a convolution. With a residual it holds that before the call, which then adds to it. */
int pj_cpu_conv_output (PjCpuExec *e, const PjCall *call, int block, GError **error);

/* --- winograd.c --- */

/* The best set for this processor, or NULL. */
const PjCpuWinograd *pj_cpu_winograd_best (void);
/* TRUE if Winograd's algorithm can do the convolution, and faster than the direct one. */
gboolean pj_cpu_winograd_pays (PjCpuExec *e, const PjCall *call);
/* Prepares the steps of a convolution for which it pays, in any direction. */
gboolean pj_cpu_winograd (PjCpuExec *e, const PjCall *call, GError **error);

/* --- the kernels: each prepares the steps of the current call --- */

typedef gboolean (*PjCpuPrepare) (PjCpuExec *e, const PjCall *call, GError **error);

gboolean pj_cpu_conv (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_conv_without (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_conv_bwd_input (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_conv_bwd_weight (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_gemm (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_gemm_bwd_input (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_gemm_bwd_weight (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_norm_train (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_norm_eval (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_norm_apply (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_norm_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_gate (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_gate_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_relu (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_relu_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_add (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_max_pool (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_max_pool_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_avg_pool (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_avg_pool_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_reshape (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_softmax (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_cross_entropy (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_kl (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_channel_stats (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_fold_norm (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_fold_gate (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_unary (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_unary_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_binary (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_sum_to (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_concat (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_view (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_view_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_gather (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_gather_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_lrn (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_lrn_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_resize (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_resize_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_instance_norm (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_instance_norm_bwd (PjCpuExec *e, const PjCall *call, GError **error);
gboolean pj_cpu_sgd (PjCpuExec *e, const PjCall *call, GError **error);

/* --- executable.c, for the class in device.c --- */

PjExecutable *pj_cpu_compile (PjDevice *device, const PjProgram *program, PjBuffer *const stores[PJ_N_STORES], GError **error);
void pj_cpu_executable_free (PjExecutable *executable);
size_t pj_cpu_arena_bytes (const PjExecutable *executable);
gboolean pj_cpu_run (PjExecutable *executable, unsigned segments, GError **error);
gboolean pj_cpu_write (PjExecutable *executable, int slot, gconstpointer data, GError **error);
gboolean pj_cpu_read (PjExecutable *executable, int slot, gpointer data, GError **error);
gboolean pj_cpu_profile (PjExecutable *executable, unsigned segments, double *ms, GError **error);

G_END_DECLS
