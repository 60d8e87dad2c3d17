/* SPDX-License-Identifier: MIT */
/* A program: what a plan asks a device to do.  A list of kernel calls over slots in the order of
 * execution, in static single assignment form: every arena slot is written by exactly one call.
 *
 * Shapes are logical (NCHW, OIHW, row-major).  A device may keep an arena slot in any physical layout
 * it likes, as long as pj_device write and read convert; slots with PJ_SLOT_HOST are the exception only
 * in that the host can reach them.  Parameters, gradients and momentum live in stores: packed, plain
 * row-major f32 buffers that outlive the program and are shared by all programs of a network.
 */
#pragma once

#include <glib.h>

#include "graph/graph.h"
#include "ops/params.h"

G_BEGIN_DECLS

/* --- slots --- */

/**
 * PjStore: where a slot lives.
 * @PJ_STORE_ARENA: memory of the program, laid out by liveness
 * @PJ_STORE_PARAMS: trainable parameters and norm statistics
 * @PJ_STORE_GRADS: gradients, same offsets as the parameters
 * @PJ_STORE_MOMENTUM: optimiser state, same offsets
 */
typedef enum { PJ_STORE_ARENA, PJ_STORE_PARAMS, PJ_STORE_GRADS, PJ_STORE_MOMENTUM, PJ_N_STORES } PjStore;

typedef enum {
  PJ_SLOT_HOST = 1 << 0,    /* the host writes or reads it between runs: never shared with another slot */
  PJ_SLOT_INT32 = 1 << 1,   /* elements are int32 (labels); f32 otherwise */
  PJ_SLOT_OPAQUE = 1 << 2,  /* device-private contents (pooling indices); size is the device's choice */
  PJ_SLOT_KEEP = 1 << 3,    /* keeps its contents between runs: written in the prologue or by the host */
} PjSlotFlags;

typedef struct {
  PjStore store;
  PjSlotFlags flags;
  PjShape shape;            /* with the real batch */
  size_t offset;            /* first element in its store; unused for the arena */
  int value;                /* value of the graph it belongs to, or -1 */
} PjSlot;

/* --- calls --- */

#define PJ_CALL_MAX_IN 8
#define PJ_CALL_MAX_OUT 5

/**
 * PjSegment: a part of a program that can be run on its own.
 * @PJ_SEGMENT_PROLOGUE: depends on parameters and gates only: run once after either changed
 * @PJ_SEGMENT_FORWARD: input to logits, losses, observed values
 * @PJ_SEGMENT_BACKWARD: gradients
 * @PJ_SEGMENT_UPDATE: the optimiser
 */
typedef enum {
  PJ_SEGMENT_PROLOGUE, PJ_SEGMENT_FORWARD, PJ_SEGMENT_BACKWARD, PJ_SEGMENT_UPDATE, PJ_N_SEGMENTS
} PjSegment;

/**
 * PjKernel: what a call computes.  "in" and "out" list operands in order; [] marks one that may be
 * absent (-1).  dX means ∂L/∂X.  Outputs are written (=), except where @accumulate says added (+=):
 * only gradients of parameters used twice.  relu: y = max (0, ·), with a ceiling above 0 (CONV, CONV_WITHOUT and NORM_* only)
 * min (ceiling, max (0, ·)); backward passes mask dy by y > 0, with a ceiling by 0 < y < ceiling.
 *
 * CONV            in x, w, [b], [r]   out y       y = relu? (conv (x, w) + b + r); w is O × I/groups × kh × kw
 * CONV_WITHOUT    in x, w, z, channel out y       y = relu? (z − conv (x, w) of input channel channel[0] alone): what a
 *                 convolution whose result is z gives without that channel; −1 for none.  One group; a product x·wᵀ
 *                 (rank 2) is one of 1 × 1.  channel: f32, one whole number
 * CONV_BWD_INPUT  in dy, w            out dx
 * CONV_BWD_WEIGHT in x, dy            out dw, [db]
 * GEMM            in x, w, [b]        out y       y = relu? (x·wᵀ + b); x N × I, w O × I
 * GEMM_BWD_INPUT  in dy, w            out dx      dx = dy·w
 * GEMM_BWD_WEIGHT in x, dy            out dw, [db]
 * NORM_TRAIN      in x, γ, β, μ, σ², hyper, [g]   out y, mean, rstd
 *                 batch mean and biased variance per channel over N,H,W; x̂ = (x − mean)·rstd,
 *                 rstd = 1/√(var + eps); y = relu? (g·(γ·x̂ + β)).  Running statistics μ, σ² (PARAMS
 *                 slots, updated in place): μ += m·(mean − μ), σ² += m·(var·n/(n−1) − σ²), m =
 *                 hyper[PJ_HYPER_NORM_MOMENTUM], n = N·H·W; n = 1 leaves σ² alone.
 * NORM_EVAL       in x, γ, β, μ, σ², [g]          out y     y = relu? (g·(γ·(x − μ)/√(σ² + eps) + β))
 * NORM_APPLY      in x, γ, β, mean, rstd, [g]     out y     what NORM_TRAIN with these statistics wrote, to the bit
 * NORM_BWD        in x, y, dy, γ, β, mean, rstd, [g]  out dx, dγ, dβ, [dg]
 *                 backward of NORM_TRAIN.  With d = relu? dy·[y > 0] : dy:  dg = Σ d·(γ·x̂ + β);
 *                 e = g·d: dγ = Σ e·x̂, dβ = Σ e, dx = γ·rstd·(e − mean_n e − x̂·mean_n (e·x̂)).
 *                 y is absent without relu.
 * NORM_EVAL_BWD   in x, y, dy, γ, β, μ, σ², [g]   out dx, dγ, dβ, [dg]    the same with fixed statistics
 * GATE            in x, g             out y       y = relu? (x·g[c])
 * GATE_BWD        in x, y, dy, g      out dx, [dg]   y absent without relu
 * RELU            in x                out y
 * RELU_BWD        in y, dy            out dx
 * ADD             in a, b             out y       y = relu? (a + b); may run in place over a
 * MAX_POOL        in x                out y, [index]   index is OPAQUE, only for the backward pass
 * MAX_POOL_BWD    in dy, index        out dx      ties: the first position of the window in row-major order
 * AVG_POOL        in x                out y
 * AVG_POOL_BWD    in dy               out dx
 * RESHAPE         in x                out y       same elements in logical row-major order, another shape
 * SOFTMAX         in x                out y       over all that belongs to one of N rows; its logarithm with softmax.log
 * CROSS_ENTROPY   in logits, labels   out loss, [dlogits]   labels int32 N; loss[n] = −log softmax;
 *                 dlogits = weight·(softmax − onehot)
 * KL              in logits, target   out loss, [dlogits]   target: teacher logits N × K.  With p =
 *                 softmax (target/T), q = softmax (logits/T): loss[n] = T²·Σ p (log p − log q)
 *                 (reverse: q (log q − log p)); dlogits = weight·∂loss/∂logits
 * CHANNEL_STATS   in x                out stats   N × C × PJ_N_STATS, see PjStat
 * FOLD_NORM       in w, [b], γ, β, μ, σ², [g]     out w2, b2   s = g·γ/√(σ² + eps): w2 = s·w (rows),
 *                 b2 = g·β + s·(b − μ)
 * FOLD_GATE       in w, [b], g        out w2, b2  w2 = g·w (rows), b2 = g·b (0 without b)
 * UNARY           in x                out y       y = f (x), see PjFunction
 * UNARY_BWD       in x, dy            out dx      dx = f′(x)·dy
 * BINARY          in a, b             out y       y = a ∘ b; equal ranks, a dimension of 1 repeats
 * SUM_TO          in x                out y       y = scale·Σ x over the dimensions where y has 1
 * CONCAT          in x0 … x7          out y       one after the other along concat.axis
 * VIEW            in x                out y       see PjView: slices, transpositions, constant padding
 * VIEW_BWD        in dy               out dx      dx = 0, then the element that made y[i] gets dy[i]; no
 *                                                 element makes two
 * GATHER          in x, index         out y       y[n, k, …] = x[n, index[k], …]; index f32 whole numbers
 * GATHER_BWD      in dy, index        out dx      dx[n, c, …] = Σ dy[n, k, …] over k with index[k] = c
 * LRN             in x                out y       see PjLrnParams
 * LRN_BWD         in x, dy            out dx
 * RESIZE          in x                out y       see PjResizeParams
 * RESIZE_BWD      in dy               out dx
 * INSTANCE_NORM   in x, γ, β          out y, mean, rstd   per picture and channel over its positions:
 *                                                 y = γ·x̂ + β, x̂ = (x − mean)·rstd; mean, rstd N × C
 * INSTANCE_NORM_BWD  in x, dy, γ, mean, rstd   out dx, dγ, dβ
 * SGD             in hyper            whole stores PARAMS, GRADS, MOMENTUM: for the first n_decay
 *                 elements d = g + wd·w, for the next n_plain d = g; v = mu·v + d; w −= lr·(nesterov ?
 *                 d + mu·v : v)
 */
typedef enum {
  PJ_KERNEL_CONV, PJ_KERNEL_CONV_BWD_INPUT, PJ_KERNEL_CONV_BWD_WEIGHT, PJ_KERNEL_CONV_WITHOUT,
  PJ_KERNEL_GEMM, PJ_KERNEL_GEMM_BWD_INPUT, PJ_KERNEL_GEMM_BWD_WEIGHT,
  PJ_KERNEL_NORM_TRAIN, PJ_KERNEL_NORM_EVAL, PJ_KERNEL_NORM_APPLY, PJ_KERNEL_NORM_BWD, PJ_KERNEL_NORM_EVAL_BWD,
  PJ_KERNEL_GATE, PJ_KERNEL_GATE_BWD,
  PJ_KERNEL_RELU, PJ_KERNEL_RELU_BWD, PJ_KERNEL_ADD,
  PJ_KERNEL_MAX_POOL, PJ_KERNEL_MAX_POOL_BWD, PJ_KERNEL_AVG_POOL, PJ_KERNEL_AVG_POOL_BWD,
  PJ_KERNEL_RESHAPE, PJ_KERNEL_SOFTMAX, PJ_KERNEL_CROSS_ENTROPY, PJ_KERNEL_KL,
  PJ_KERNEL_CHANNEL_STATS, PJ_KERNEL_FOLD_NORM, PJ_KERNEL_FOLD_GATE,
  PJ_KERNEL_UNARY, PJ_KERNEL_UNARY_BWD, PJ_KERNEL_BINARY, PJ_KERNEL_SUM_TO, PJ_KERNEL_CONCAT,
  PJ_KERNEL_VIEW, PJ_KERNEL_VIEW_BWD, PJ_KERNEL_GATHER, PJ_KERNEL_GATHER_BWD,
  PJ_KERNEL_LRN, PJ_KERNEL_LRN_BWD, PJ_KERNEL_RESIZE, PJ_KERNEL_RESIZE_BWD,
  PJ_KERNEL_INSTANCE_NORM, PJ_KERNEL_INSTANCE_NORM_BWD, PJ_KERNEL_SGD,
  PJ_N_KERNELS
} PjKernel;

/* Entries of the f32 slot "hyper" that the host writes before a step. */
typedef enum {
  PJ_HYPER_LR, PJ_HYPER_MOMENTUM, PJ_HYPER_WEIGHT_DECAY, PJ_HYPER_NESTEROV, PJ_HYPER_NORM_MOMENTUM, PJ_N_HYPER
} PjHyper;

/* Per (image, channel) plane: exact zeros (−0 counts), sum, sum of |x|, sum of x², and the centred
 * second moment Σ(x − mean)² computed without cancellation. */
typedef enum { PJ_STAT_ZEROS, PJ_STAT_SUM, PJ_STAT_ABS, PJ_STAT_SQUARES, PJ_STAT_M2, PJ_N_STATS } PjStat;

/**
 * PjView: y, seen as @rank dimensions in row-major order, reads x by strides.
 *
 * For index i of y and p_k = i_k − before_k: y[i] = @fill if some p_k is not in 0 … extent_k − 1, else
 * x[offset + Σ p_k·stride_k].
 */
typedef struct {
  unsigned rank;
  int64_t dim[PJ_MAX_RANK], before[PJ_MAX_RANK], extent[PJ_MAX_RANK], stride[PJ_MAX_RANK];
  int64_t offset;
  float fill;
} PjView;

typedef struct {
  PjKernel kernel;
  PjSegment segment;
  int node;                           /* node of the graph, or -1 */
  int in[PJ_CALL_MAX_IN];             /* slots, -1 where absent */
  int out[PJ_CALL_MAX_OUT];
  gboolean relu;
  float ceiling;                      /* of the ReLU; 0 for none */
  gboolean again;                     /* computes for the backward pass what the forward pass did not keep */
  gboolean accumulate;
  union {
    PjConvParams conv;
    PjPoolParams pool;
    struct { float eps; } norm;       /* NORM_* but NORM_APPLY, FOLD_NORM, INSTANCE_NORM */
    struct { gboolean log; } softmax;
    struct { float weight; } loss;    /* CROSS_ENTROPY */
    struct { float weight, temperature; gboolean reverse; } kl;
    struct { size_t n_decay, n_plain; } sgd;
    PjUnaryParams unary;
    struct { PjBinary op; } binary;
    struct { float scale; } sum;
    PjConcatParams concat;
    PjView view;
    PjLrnParams lrn;
    PjResizeParams resize;
  };
} PjCall;

typedef struct {
  GArray *slots;                      /* PjSlot */
  GArray *calls;                      /* PjCall, ordered by segment */
} PjProgram;

PjProgram *pj_program_new (void);
void pj_program_free (PjProgram *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjProgram, pj_program_free)

#define pj_program_slot(self, i) (&g_array_index ((self)->slots, PjSlot, i))
#define pj_program_call(self, i) (&g_array_index ((self)->calls, PjCall, i))

/* Adds a slot; returns its index. */
int pj_program_add_slot (PjProgram *self, PjStore store, PjSlotFlags flags, PjShape shape, size_t offset, int value);
/* Adds a call with all operands absent; the pointer is valid until the next one is added. */
PjCall *pj_program_add_call (PjProgram *self, PjKernel kernel, PjSegment segment, int node);
/* "conv_bwd_input" */
const char *pj_kernel_name (PjKernel kernel);
/* What an activation of the call cuts off above: negative without one, G_MAXFLOAT for a plain ReLU. */
float pj_call_ceiling (const PjCall *call);
/* Floating-point operations (2 per multiply-add) and bytes that a call must move at least. */
void pj_call_work (const PjProgram *self, const PjCall *call, double *flops, double *bytes);

G_END_DECLS
