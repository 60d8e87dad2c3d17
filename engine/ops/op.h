/* SPDX-License-Identifier: MIT */
/* The family of operators: one file per member in this folder, one row in registry.c.
 * Nothing outside this folder switches over operators. */
#pragma once

#include <glib.h>

#include "graph/channels.h"
#include "graph/graph.h"

G_BEGIN_DECLS

typedef struct _PjLower PjLower;           /* compute/lower.h */
typedef struct _PjOnnxIn PjOnnxIn;         /* ops/onnx.h */
typedef struct _PjOnnxOut PjOnnxOut;       /* ops/onnx.h */

/**
 * PjZeroRule: what becomes of a channel that is zero at the input of the operator.
 * @PJ_ZERO_KEEPS: it stays zero (ReLU, pooling, add, dropout …)
 * @PJ_ZERO_BREAKS: a shift revives it (norm, bias): a mask must be set after the operator
 * @PJ_ZERO_STARTS: the output channels are new ones (conv, fc): a mask starts here
 */
typedef enum { PJ_ZERO_KEEPS, PJ_ZERO_BREAKS, PJ_ZERO_STARTS } PjZeroRule;

/**
 * PjParamUse: what a parameter at an input is to the optimiser.
 * @PJ_USE_NONE: not a parameter, or a constant
 * @PJ_USE_WEIGHT: trained with weight decay; counted as a weight
 * @PJ_USE_PLAIN: trained without weight decay: biases, γ, β
 * @PJ_USE_STATE: not trained: running statistics
 */
typedef enum { PJ_USE_NONE, PJ_USE_WEIGHT, PJ_USE_PLAIN, PJ_USE_STATE } PjParamUse;

#define PJ_OP_MAX_INPUTS 8
/* Channels that a list of an ONNX file can name. */
#define PJ_GATHER_MAX 16384

/**
 * PjOp:
 * @name: identifier, lower case ("conv")
 * @title: what a person reads ("Convolution")
 * @onnx_names: NULL-terminated ONNX operator types that import as this operator; the first is written
 * @params_size: bytes of the parameter struct, 0 for none
 * @min_inputs, @max_inputs: number of inputs, parameters included
 * @uses: what each input is to the optimiser, see PjParamUse
 * @zero: see PjZeroRule
 * @is_activation: a non-linearity that acts element by element (shown inside its producer's box)
 * @fuses_relu: the lowering of this operator can apply a following ReLU itself
 *
 * @min_opset: first ONNX operator version that has @onnx_names[0]; 0 for all that can be written
 * @writes_inputs: how many of the inputs become inputs of the ONNX node; 0 for all.  @to_onnx writes the
 *   rest itself.
 *
 * @infer: writes the shapes of the outputs, from the shapes and data of the inputs.  Must check
 *   everything that a file could get wrong: a graph that passes is safe to run.
 * @cost: (nullable): adds this node's cost to @cost; NULL means free
 * @channels: the channel rule for cutting: ties axes together, see graph/channels.h.  NULL locks
 *   everything the node touches.
 * @recut: (nullable): called by pj_graph_infer() once the shapes of the inputs are known, to bring the
 *   parameter struct (groups, constant shapes) in line with them after a cut
 * @cut: (nullable): brings parameter structs and constants that count or name channels in line with a
 *   cut or reordering.  @moved_in, @moved_out: new index of each old channel (axis 1) of input 0 and of the
 *   output, -1 if removed; NULL where nothing changed.  Called after the parameters were gathered and
 *   before shapes are inferred: pj_graph_value() still gives the old shapes of activations.
 * @lower: emits the kernel calls of the forward pass, see compute/lower.h.  NULL: cannot be run.
 * @lower_backward: (nullable): emits the calls of the backward pass
 * @pick: (nullable): the member that imports a node of this ONNX type in place of this one, for types that
 *   mean different operators by their inputs (Add of a constant, of two maps, of a map and a vector)
 * @from_onnx: fills @params (zeroed) from the attributes and constant inputs of the file.  May also
 *   drop, transpose or replace inputs.  FALSE with PJ_ONNX_ERROR for a variant that is not supported.
 * @to_onnx: writes the node
 */
struct _PjOp {
  const char *name;
  const char *title;
  const char *const *onnx_names;
  size_t params_size;
  unsigned min_inputs, max_inputs;
  PjParamUse uses[PJ_OP_MAX_INPUTS];
  PjZeroRule zero;
  gboolean is_activation;
  gboolean fuses_relu;
  int min_opset;
  unsigned writes_inputs;

  gboolean (*infer) (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error);
  void (*cost) (const PjGraph *graph, const PjNode *node, PjCost *cost);
  void (*channels) (PjChannels *channels, const PjGraph *graph, int node);
  void (*recut) (PjGraph *graph, int node);
  void (*cut) (PjGraph *graph, int node, const int *moved_in, const int *moved_out);
  gboolean (*lower) (PjLower *lower, int node, GError **error);
  gboolean (*lower_backward) (PjLower *lower, int node, GError **error);
  const PjOp *(*pick) (const PjOnnxIn *in);
  gboolean (*from_onnx) (PjOnnxIn *in, gpointer params, GError **error);
  void (*to_onnx) (PjOnnxOut *out, const PjGraph *graph, const PjNode *node);
};

/* The members. */
extern const PjOp pj_op_conv, pj_op_conv_transpose, pj_op_gemm, pj_op_norm, pj_op_layer_norm,
  pj_op_instance_norm, pj_op_lrn;
extern const PjOp pj_op_relu, pj_op_prelu, pj_op_leaky_relu, pj_op_elu, pj_op_sigmoid, pj_op_hard_sigmoid,
  pj_op_hard_swish, pj_op_tanh, pj_op_gelu, pj_op_softplus, pj_op_clip, pj_op_erf, pj_op_exp, pj_op_log,
  pj_op_sqrt, pj_op_abs, pj_op_power, pj_op_reciprocal, pj_op_scale, pj_op_shift;
extern const PjOp pj_op_add, pj_op_add_wide, pj_op_add_const, pj_op_sub, pj_op_mul, pj_op_mul_const, pj_op_div;
extern const PjOp pj_op_max_pool, pj_op_avg_pool, pj_op_global_avg_pool, pj_op_reduce_mean;
extern const PjOp pj_op_flatten, pj_op_reshape, pj_op_transpose, pj_op_concat, pj_op_slice, pj_op_gather,
  pj_op_pad, pj_op_depth_to_space, pj_op_resize;
extern const PjOp pj_op_softmax, pj_op_log_softmax, pj_op_identity, pj_op_opaque;

/* AutoPruner's coding layer, which no file holds: inputs activation, weight C × elements, bias C, α, target rate r,
 * pull 2λ/C, on (1 trains the code, 0 stops it), fixed (C values, added to what is on); output one gate per channel.  See
 * ops/code.c. */
extern const PjOp pj_op_code;

/* Operator that imports the ONNX operator type @onnx_name, or NULL. */
const PjOp *pj_op_find_onnx (const char *onnx_name);

/* Raises PJ_GRAPH_ERROR_SHAPE as "node “conv1”: …". */
void pj_op_shape_error (GError **error, const PjNode *node, const char *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
