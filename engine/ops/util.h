/* SPDX-License-Identifier: MIT */
/* Small things that several operators need. Private to this folder. */
#pragma once

#include "compute/lower.h"
#include "ops/onnx.h"
#include "ops/op.h"

G_BEGIN_DECLS

/* Shape of input @i of @node. */
static inline const PjShape *
input_shape (const PjGraph *graph, const PjNode *node, unsigned i)
{
  return &pj_graph_value (graph, node->inputs[i])->shape;
}

static inline gboolean
has_input (const PjNode *node, unsigned i)
{
  return i < node->n_inputs && node->inputs[i] >= 0;
}

static inline int
input_or_absent (const PjNode *node, unsigned i)
{
  return i < node->n_inputs ? node->inputs[i] : -1;
}

/* Ties the channels of the output to those of input 0, one to one. */
void pj_op_channels_through (PjChannels *channels, const PjGraph *graph, int node);
/* Output shape = shape of input 0, of rank >= 2. */
gboolean pj_op_infer_same (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error);

/* The member that an Add of these inputs is. */
const PjOp *pj_op_pick_add (const PjOnnxIn *in);
/* TRUE if input @i is a constant of one float, which is then @value. */
gboolean pj_onnx_in_scalar (const PjOnnxIn *in, unsigned i, float *value);
/* A backward call adds to all its parameter gradients or to none.  @added_a, @added_b: what two of them
 * need; FALSE with PJ_ERROR_UNSUPPORTED if @node shares one parameter with another node but not the other. */
gboolean pj_op_shares_alike (const PjNode *node, gboolean added_a, gboolean added_b, GError **error);

/* One spatial dimension of a window: outputs, or 0 if the window does not fit. */
int64_t pj_window_outputs (int64_t size, int kernel, int stride, int dilation, int pad_begin, int pad_end,
                           gboolean ceil_mode);
/* Reads kernel_shape, strides, dilations, pads, auto_pad of Conv and the pools.  @kernel: in: kernel
 * from the weights or {0, 0}.  @dilation may be NULL: then it must be 1. */
gboolean pj_onnx_read_window (PjOnnxIn *in, int kernel[2], int stride[2], int dilation[2], int pad[4], GError **error);
void pj_onnx_write_window (PjOnnxOut *out, const int kernel[2], const int stride[2], const int *dilation,
                           const int pad[4]);

/* No parameters, nothing to read or write. */
gboolean pj_op_from_onnx_plain (PjOnnxIn *in, gpointer params, GError **error);
void pj_op_to_onnx_plain (PjOnnxOut *out, const PjGraph *graph, const PjNode *node);

G_END_DECLS
