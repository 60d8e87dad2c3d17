/* SPDX-License-Identifier: MIT */
/* Winograd's algorithm as steps: when it pays, how the work is shared out, and its memory.  See winograd.h.
 *
 * At inference small filters are transformed in the prologue and kept.  They are four times as many numbers as the
 * weights, so that each call transforms large ones anew into memory that other calls use, too; in training, where they
 * change with every batch, all. */
#include "compute/cpu/internal.h"

#include <string.h>

/* The second-level cache, and a band's transformed tiles in it.  Sums are read and written once per band. */
#define CACHE_BYTES ((size_t) 1 << 20)
#define BAND_BYTES (384 << 10)
#define GRADIENT_BAND_BYTES (1024 << 10)
#define MIN_BAND 14
#define MAX_BAND 84
/* Blocks of output channels of which the products are there at the same time. */
#define GROUP 8
/* Fewer tiles are not worth a thread of their own: it would read all filters for them. */
#define MIN_TILES 14
/* What filters or sums of a call may take for themselves: in training it is on top of the activations that the backward pass
 * needs.  And what it may keep at inference. */
#define MAX_TRAINING_BYTES ((size_t) 10 << 20)
#define MAX_INFERENCE_BYTES ((size_t) 64 << 20)
#define MAX_KEPT_BYTES ((size_t) 4 << 20)

/* A call as this algorithm sees it: the gradient by the input is a convolution of dy. */
typedef struct {
  const PjCpuWinograd *kernels;
  PjCpuTiles t;
  PjCpuFilters f;
  int n_tile_parts, n_block_parts;
  size_t scratch, sums;       /* floats of one part */
  gboolean keeps_filters;
} Plan;

const PjCpuWinograd *
pj_cpu_winograd_best (void)
{
#ifdef PJ_CPU_HAS_X86_LOOPS
  /* What the user allows oneDNN to use holds here, too: the blocks of channels must be the same. */
  dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa ();
  if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core && __builtin_cpu_supports ("x86-64-v4"))
    return &pj_cpu_winograd_v4;
  if ((isa & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2 && __builtin_cpu_supports ("x86-64-v3"))
    return &pj_cpu_winograd_v3;
#endif
  return NULL;
}

static int
tiles_of (const Plan *p)
{
  return p->t.n * p->t.down * p->t.across;
}

/* Steps that are an odd number of vectors keep the 36 streams from falling into the same few sets of the cache. */
static size_t
step_of (const Plan *p, size_t vectors)
{
  return (vectors | 1) * (size_t) p->kernels->lanes;
}

static void
plan_geometry (PjCpuExec *e, const PjCall *call, Plan *p)
{
  gboolean by_input = call->kernel == PJ_KERNEL_CONV_BWD_INPUT, by_weight = call->kernel == PJ_KERNEL_CONV_BWD_WEIGHT;
  const PjShape *x = pj_cpu_shape (e, call->in[0]), *y = pj_cpu_shape (e, by_weight ? call->in[1] : call->out[0]);
  int lanes = e->device->winograd->lanes, n_in = (int) x->dim[1], n_out = (int) y->dim[1];

  *p = (Plan) { .kernels = e->device->winograd, .f = { n_in, n_out, by_input } };
  p->t = (PjCpuTiles) {
    .n = (int) x->dim[0], .in_blocks = (n_in + lanes - 1) / lanes, .out_blocks = (n_out + lanes - 1) / lanes,
    .in_h = (int) x->dim[2], .in_w = (int) x->dim[3], .out_h = (int) y->dim[2], .out_w = (int) y->dim[3],
    .down = (int) (y->dim[2] + 3) / 4, .across = (int) (y->dim[3] + 3) / 4,
  };
  for (int i = 0; i < 2; i++)
    p->t.pad[i] = by_input ? 2 - call->conv.pad[i] : call->conv.pad[i];
}

/* Sums of many channels are there only once: threads share the blocks of output channels, and not the tiles. */
static void
plan_parts (PjCpuExec *e, const PjCall *call, Plan *p)
{
  int n_threads = e->device->n_threads;

  p->n_tile_parts = CLAMP (tiles_of (p) / MIN_TILES, 1, n_threads);
  if (call->kernel == PJ_KERNEL_CONV_BWD_WEIGHT)
    p->n_tile_parts = CLAMP ((int) (MAX_TRAINING_BYTES / (p->sums * sizeof (float))), 1, p->n_tile_parts);
  p->n_block_parts = CLAMP (n_threads / p->n_tile_parts, 1, p->t.out_blocks);
}

static Plan
make_plan (PjCpuExec *e, const PjCall *call)
{
  Plan p;
  gboolean by_weight = call->kernel == PJ_KERNEL_CONV_BWD_WEIGHT;
  plan_geometry (e, call, &p);
  size_t lanes = (size_t) p.kernels->lanes, in = (size_t) p.t.in_blocks, out = (size_t) p.t.out_blocks;
  size_t group = by_weight ? out : MIN (GROUP, out), tile_bytes = 36 * lanes * (in + group) * sizeof (float);

  p.t.group = (int) group;
  p.t.band = by_weight ? CLAMP (GRADIENT_BAND_BYTES / (int) tile_bytes, 2 * MIN_BAND, MAX_BAND)
                       : CLAMP (BAND_BYTES / (int) tile_bytes, MIN_BAND, MAX_BAND);
  p.t.band = MIN (p.t.band, tiles_of (&p));
  p.t.u_step = step_of (&p, in * out * lanes);
  p.t.v_step = step_of (&p, in * (size_t) p.t.band);
  p.t.m_step = step_of (&p, group * (size_t) p.t.band);
  p.scratch = 36 * (p.t.v_step + p.t.m_step);
  p.sums = 36 * p.t.u_step;
  p.keeps_filters = !e->trains && p.sums * sizeof (float) <= MAX_KEPT_BYTES;
  plan_parts (e, call, &p);
  return p;
}

/* The share of part @i of the plan. */
static PjCpuShare
share_of (const Plan *p, int i)
{
  int tiles = tiles_of (p), a = i / p->n_block_parts, b = i % p->n_block_parts;
  return (PjCpuShare) {
    (int) ((gint64) tiles * a / p->n_tile_parts), (int) ((gint64) tiles * (a + 1) / p->n_tile_parts),
    p->t.out_blocks * b / p->n_block_parts, p->t.out_blocks * (b + 1) / p->n_block_parts,
  };
}

/* Costs are in units of a multiply-add of oneDNN's direct algorithm, per point of the transformed tiles.  They were fitted
 * to shapes of CNNs measured on one processor, with AVX-512 and with AVX2.  A choice by measurement would let results
 * depend on what else the machine does. */
gboolean
pj_cpu_winograd_pays (PjCpuExec *e, const PjCall *call)
{
  const double input = 6, output = 5, kept_filter = 3;
  const PjConvParams *c = &call->conv;

  if (e->device->winograd == NULL || c->groups > 1 || c->kernel[0] != 3 || c->kernel[1] != 3
      || c->stride[0] != 1 || c->stride[1] != 1 || c->dilation[0] != 1 || c->dilation[1] != 1)
    return FALSE;
  Plan p = make_plan (e, call);
  if (MIN (p.f.n_in, p.f.n_out) < 8 || p.sums * sizeof (float) > (e->trains ? MAX_TRAINING_BYTES : MAX_INFERENCE_BYTES))
    return FALSE;
  double n_in = p.t.in_blocks * p.kernels->lanes, n_out = p.t.out_blocks * p.kernels->lanes, tiles = tiles_of (&p);
  /* Beyond the second-level cache the memory is what takes the time. */
  double filter = p.keeps_filters ? kept_filter : p.sums * sizeof (float) > CACHE_BYTES ? 30 : 15;
  double cost = 36 * (tiles * (n_in * n_out + input * n_in + output * n_out) + filter * n_in * n_out);
  return 9.0 * p.t.n * p.t.out_h * p.t.out_w * p.f.n_in * p.f.n_out > cost;
}

/* --- filters --- */

static gboolean
filters_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  Plan p = make_plan (e, step->call);
  const float *w = pj_cpu_in (e, step, 0);
  float *u = pj_cpu_out (e, step, 0);
  int n = p.t.in_blocks * p.kernels->lanes, n_parts = e->device->n_threads;

#pragma omp parallel for schedule (static) if ((size_t) p.f.n_in * p.f.n_out * 36 >= PJ_CPU_PARALLEL)
  for (int i = 0; i < n_parts; i++)
    p.kernels->filters (&p.t, &p.f, w, n * i / n_parts, n * (i + 1) / n_parts, u);
  return TRUE;
}

/* Memory of the transformed filters, and the step that makes them. */
static int
filters (PjCpuExec *e, const PjCall *call, const Plan *p, GError **error)
{
  int w = pj_cpu_get (e, call->in[1], 1, error);

  if (w < 0)
    return -1;
  int u = pj_cpu_mem_new (e, p->sums * sizeof (float));
  PjCpuStep *step = pj_cpu_step_new (e, filters_run);
  step->mems[0] = w;
  step->mems[PJ_CPU_OUT] = u;
  if (p->keeps_filters) {
    step->segment = PJ_SEGMENT_PROLOGUE;
    pj_cpu_mem (e, u)->keep = TRUE;
  }
  return u;
}

/* --- forward, and backward to the input --- */

static gboolean
convolve_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjCall *call = step->call;
  gboolean is_forward = call->kernel == PJ_KERNEL_CONV;
  Plan p = make_plan (e, call);
  PjCpuTail tail = {
    .bias = pj_cpu_in (e, step, 2), .n_out = p.f.n_out, .add = is_forward && call->in[3] >= 0,
    .ceiling = is_forward ? pj_call_ceiling (call) : -1.0f,
  };
  const float *x = pj_cpu_in (e, step, 0), *u = pj_cpu_in (e, step, 1);
  float *y = pj_cpu_out (e, step, 0), *scratch = pj_cpu_temp (e, step, 0);
  int n_parts = p.n_tile_parts * p.n_block_parts;

#pragma omp parallel for schedule (static) num_threads (n_parts)
  for (int i = 0; i < n_parts; i++) {
    PjCpuShare share = share_of (&p, i);
    p.kernels->forward (&p.t, &tail, &share, x, u, scratch + (size_t) i * p.scratch, y);
  }
  return TRUE;
}

static gboolean
convolve (PjCpuExec *e, const PjCall *call, GError **error)
{
  Plan p = make_plan (e, call);
  gboolean is_forward = call->kernel == PJ_KERNEL_CONV;
  int x, u, y, b = -1;

  if ((x = pj_cpu_get (e, call->in[0], p.kernels->lanes, error)) < 0 || (u = filters (e, call, &p, error)) < 0
      || (is_forward && call->in[2] >= 0 && (b = pj_cpu_get (e, call->in[2], 1, error)) < 0))
    return FALSE;
  y = is_forward ? pj_cpu_conv_output (e, call, p.kernels->lanes, error) : pj_cpu_define (e, call->out[0], p.kernels->lanes, -1);
  if (y < 0)
    return FALSE;
  PjCpuStep *step = pj_cpu_step_new (e, convolve_run);
  step->mems[0] = x;
  step->mems[1] = u;
  step->mems[2] = b;
  step->mems[PJ_CPU_OUT] = y;
  pj_cpu_step_temp (e, step, 0, (size_t) (p.n_tile_parts * p.n_block_parts) * p.scratch * sizeof (float));
  return TRUE;
}

/* --- backward to the weights --- */

/* db of one part: doubles, as floats. */
static size_t
bias_floats (const Plan *p)
{
  return (size_t) p->t.out_blocks * (size_t) p->kernels->lanes * 2;
}

/* Sums of all parts, in the order of the tiles. */
static void
write_bias (const Plan *p, const double *sums, gboolean accumulate, float *db)
{
  size_t part = bias_floats (p) / 2;
  for (int c = 0; c < p->f.n_out; c++) {
    double sum = 0;
    for (int i = 0; i < p->n_tile_parts; i++)
      sum += sums[(size_t) i * part + (size_t) c];
    db[c] = accumulate ? db[c] + (float) sum : (float) sum;
  }
}

/* Parts that share a range of tiles add to the same sums, each to those of its blocks. */
static void
add_gradients (const Plan *p, int part, const float *x, const float *dy, float *scratch, float *sums, double *bias)
{
  PjCpuShare share = share_of (p, part);
  size_t lanes = (size_t) p->kernels->lanes, block = (size_t) p->t.in_blocks * lanes * lanes;
  size_t from = (size_t) share.first_block, n = (size_t) (share.last_block - share.first_block);

  sums += (size_t) (part / p->n_block_parts) * p->sums;
  bias += (size_t) (part / p->n_block_parts) * bias_floats (p) / 2;
  for (size_t point = 0; point < 36; point++)
    memset (sums + point * p->t.u_step + from * block, 0, n * block * sizeof (float));
  memset (bias + from * lanes, 0, n * lanes * sizeof (double));
  p->kernels->gradients (&p->t, &share, x, dy, scratch + (size_t) part * p->scratch, sums, bias);
}

static gboolean
gradients_run (PjCpuExec *e, PjCpuStep *step, GError **error)
{
  const PjCall *call = step->call;
  Plan p = make_plan (e, call);
  const float *x = pj_cpu_in (e, step, 0), *dy = pj_cpu_in (e, step, 1);
  float *scratch = pj_cpu_temp (e, step, 0), *sums = pj_cpu_temp (e, step, 1);
  double *bias = (double *) pj_cpu_temp (e, step, 2);
  float *dw = pj_cpu_out (e, step, 0), *db = pj_cpu_out (e, step, 1);
  int n_parts = p.n_tile_parts * p.n_block_parts;

#pragma omp parallel for schedule (static) num_threads (n_parts)
  for (int i = 0; i < n_parts; i++)
    add_gradients (&p, i, x, dy, scratch, sums, bias);
#pragma omp parallel for schedule (static) if ((size_t) p.f.n_in * p.f.n_out * 36 >= PJ_CPU_PARALLEL)
  for (int i = 0; i < p.t.in_blocks; i++)
    p.kernels->weights (&p.t, &p.f, sums, p.n_tile_parts, p.sums, call->accumulate, i * p.kernels->lanes, (i + 1) * p.kernels->lanes, dw);
  if (db != NULL)
    write_bias (&p, bias, call->accumulate, db);
  return TRUE;
}

static gboolean
gradients (PjCpuExec *e, const PjCall *call, GError **error)
{
  Plan p = make_plan (e, call);
  int x = pj_cpu_get (e, call->in[0], p.kernels->lanes, error), dy = pj_cpu_get (e, call->in[1], p.kernels->lanes, error);

  if (x < 0 || dy < 0)
    return FALSE;
  int dw = pj_cpu_define (e, call->out[0], 1, -1), db = call->out[1] >= 0 ? pj_cpu_define (e, call->out[1], 1, -1) : -1;
  PjCpuStep *step = pj_cpu_step_new (e, gradients_run);
  step->mems[0] = x;
  step->mems[1] = dy;
  step->mems[PJ_CPU_OUT] = dw;
  step->mems[PJ_CPU_OUT + 1] = db;
  pj_cpu_step_temp (e, step, 0, (size_t) (p.n_tile_parts * p.n_block_parts) * p.scratch * sizeof (float));
  pj_cpu_step_temp (e, step, 1, (size_t) p.n_tile_parts * p.sums * sizeof (float));
  pj_cpu_step_temp (e, step, 2, (size_t) p.n_tile_parts * bias_floats (&p) * sizeof (float));
  return TRUE;
}

gboolean
pj_cpu_winograd (PjCpuExec *e, const PjCall *call, GError **error)
{
  return call->kernel == PJ_KERNEL_CONV_BWD_WEIGHT ? gradients (e, call, error) : convolve (e, call, error);
}
