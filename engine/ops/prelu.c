/* SPDX-License-Identifier: MIT */
/* Parametric ReLU: y = max (0, x) + slope·min (0, x), one slope per channel or one in all.  Made of four
 * simple calls: it is rare, and each of them exists for others. */
#include "ops/util.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjShape *slope = input_shape (graph, node, 1);
  if (!pj_op_infer_same (graph, node, outputs, error))
    return FALSE;
  gboolean fits = slope->rank == outputs[0].rank && (slope->dim[1] == 1 || slope->dim[1] == outputs[0].dim[1]);
  for (unsigned i = 0; fits && i < slope->rank; i++)
    fits = i == 1 || slope->dim[i] == 1;
  if (!fits)
    pj_op_shape_error (error, node, "its slope has %zu values, expected 1 or %" G_GINT64_FORMAT, pj_shape_n_elems (slope),
                       outputs[0].dim[1]);
  return fits;
}

static void
cost (const PjGraph *graph, const PjNode *node, PjCost *sum)
{
  sum->learnable += pj_shape_n_elems (input_shape (graph, node, 1));
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  pj_op_channels_through (channels, graph, index);
  if (input_shape (graph, node, 1)->dim[1] == pj_graph_value (graph, node->outputs[0])->shape.dim[1]) {
    pj_channels_tie_all (channels, node->inputs[1], 1, node->outputs[0], 1);
    pj_channels_role (channels, node->inputs[1], 1, index, PJ_ROLE_PER_CHANNEL);
  }
}

/* One side of 0 of @x: above or below. */
static int
side (PjLower *l, int index, int x, gboolean above)
{
  int y = pj_lower_temp (l, pj_graph_node (pj_lower_graph (l), index)->outputs[0]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_UNARY, index);
  call->unary = (PjUnaryParams) { PJ_FN_CLIP, above ? 0 : -G_MAXFLOAT, above ? G_MAXFLOAT : 0 };
  call->in[0] = x;
  call->out[0] = y;
  return y;
}

static int
combine (PjLower *l, int index, PjBinary op, int a, int b, int y)
{
  if (y < 0)
    y = pj_lower_temp (l, pj_graph_node (pj_lower_graph (l), index)->outputs[0]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_BINARY, index);
  call->binary.op = op;
  call->in[0] = a;
  call->in[1] = b;
  call->out[0] = y;
  return y;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int x = pj_lower_slot (l, node->inputs[0]), slope = pj_lower_slot (l, node->inputs[1]);
  int above = side (l, index, x, TRUE), below = side (l, index, x, FALSE);
  pj_lower_save (l, index, 0, below);
  int bent = combine (l, index, PJ_BINARY_MUL, below, slope, -1);
  combine (l, index, PJ_BINARY_ADD, above, bent, pj_lower_output (l, index));
  return TRUE;
}

/* dslope = Σ dy·min (0, x);  dx = dy where x > 0, slope·dy elsewhere: the two sides' own gradients. */
static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int x = pj_lower_slot (l, node->inputs[0]), slope = pj_lower_slot (l, node->inputs[1]);
  int dy = pj_lower_grad (l, index, FALSE);
  gboolean accumulate;

  int product = combine (l, index, PJ_BINARY_MUL, dy, pj_lower_saved (l, index, 0), -1);
  int dslope = pj_lower_param_grad (l, node->inputs[1], &accumulate);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SUM_TO, index);
  call->sum.scale = 1;
  call->accumulate = accumulate;
  call->in[0] = product;
  call->out[0] = dslope;
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int bent = combine (l, index, PJ_BINARY_MUL, dy, slope, -1), part[2];
  for (int i = 0; i < 2; i++) {
    part[i] = pj_lower_temp (l, node->inputs[0]);
    call = pj_lower_call (l, PJ_KERNEL_UNARY_BWD, index);
    call->unary = (PjUnaryParams) { PJ_FN_CLIP, i == 0 ? 0 : -G_MAXFLOAT, i == 0 ? G_MAXFLOAT : 0 };
    call->in[0] = x;
    call->in[1] = i == 0 ? dy : bent;
    call->out[0] = part[i];
  }
  pj_lower_add_grad (l, node->inputs[0], combine (l, index, PJ_BINARY_ADD, part[0], part[1], -1));
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjShape x, slope, full;
  PjBlob *blob = pj_onnx_in_const_floats (in, 1, &slope);

  if (blob == NULL || !pj_onnx_in_shape (in, 0, &x) || slope.rank > x.rank)
    return pj_onnx_in_refuse (in, error, "only a stored slope is supported");
  full = x;
  for (unsigned i = 0; i < x.rank; i++)
    full.dim[i] = i < x.rank - slope.rank ? 1 : slope.dim[i - (x.rank - slope.rank)];
  for (unsigned i = 0; i < x.rank; i++)
    if (full.dim[i] != 1 && (i != 1 || full.dim[i] != x.dim[1]))
      return pj_onnx_in_refuse (in, error, "only one slope, or one per channel, is supported");
  pj_onnx_in_set_const (in, 1, full, pj_blob_ref (blob));
  return TRUE;
}

const PjOp pj_op_prelu = {
  .name = "prelu", .title = "PReLU", .onnx_names = (const char *const[]) { "PRelu", NULL },
  .min_inputs = 2, .max_inputs = 2, .uses = { PJ_USE_NONE, PJ_USE_PLAIN }, .zero = PJ_ZERO_KEEPS, .is_activation = TRUE,
  .infer = infer, .cost = cost, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = pj_op_to_onnx_plain,
};
