/* SPDX-License-Identifier: MIT */
/* Layer normalisation (Ba, Kiros, Hinton 2016): every place of every picture by the mean and variance over
 * some neighbouring dimensions, usually the channels.  Inputs: x, γ, [β], both of x's rank with 1 where they
 * repeat.  Made of sums and arithmetic that exist for others. */
#include "ops/util.h"

static gboolean
fits (const PjShape *x, const PjShape *s, const PjLayerNormParams *p)
{
  gboolean ok = s->rank == x->rank;
  for (unsigned i = 0; ok && i < x->rank; i++)
    ok = s->dim[i] == ((int) i >= p->first && (int) i < p->first + p->n ? x->dim[i] : 1);
  return ok;
}

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjLayerNormParams *p = node->params;

  if (!pj_op_infer_same (graph, node, outputs, error))
    return FALSE;
  if (p->first < 1 || p->n < 1 || p->n > (int) outputs[0].rank - p->first) {
    pj_op_shape_error (error, node, "the dimensions it normalises do not fit a map of rank %u", outputs[0].rank);
    return FALSE;
  }
  for (unsigned i = 1; i < 3; i++)
    if (has_input (node, i) && !fits (&outputs[0], input_shape (graph, node, i), p)) {
      g_autofree char *text = pj_shape_to_string (input_shape (graph, node, i)), *map = pj_shape_to_string (&outputs[0]);
      pj_op_shape_error (error, node, "%s of %s does not fit a map of %s", i == 1 ? "γ" : "β", text, map);
      return FALSE;
    }
  if (!(p->eps >= 0)) {
    pj_op_shape_error (error, node, "epsilon is %g, expected 0 or more", (double) p->eps);
    return FALSE;
  }
  return TRUE;
}

static void
cost (const PjGraph *graph, const PjNode *node, PjCost *sum)
{
  for (unsigned i = 1; i < 3; i++)
    if (has_input (node, i))
      sum->learnable += pj_shape_n_elems (input_shape (graph, node, i));
  sum->norm_channels += pj_shape_n_elems (input_shape (graph, node, 1));
}

/* A channel that is left out changes the mean of all others: what comes out is not what a mask gives. */
static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjLayerNormParams *p = node->params;

  pj_op_channels_through (channels, graph, index);
  if (p->first > 1)
    return;
  for (unsigned i = 1; i < 3; i++)
    if (has_input (node, i)) {
      pj_channels_tie_all (channels, node->inputs[i], 1, node->outputs[0], 1);
      pj_channels_role (channels, node->inputs[i], 1, index, PJ_ROLE_PER_CHANNEL);
    }
  pj_channels_lock (channels, node->inputs[0], 1, index, "is normalised together with the other channels");
}

/* --- forward:  d = x − mean x,  r = (mean d² + ε)^−½,  x̂ = d·r,  y = γ·x̂ + β --- */

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

static PjShape
reduced_shape (PjLower *l, int index)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjLayerNormParams *p = node->params;
  PjShape shape = *input_shape (pj_lower_graph (l), node, 0);
  shape.dim[0] *= pj_lower_batch (l);
  for (int i = p->first; i < p->first + p->n; i++)
    shape.dim[i] = 1;
  return shape;
}

static int
mean (PjLower *l, int index, int x)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int y = pj_lower_temp_shape (l, 0, reduced_shape (l, index));
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SUM_TO, index);
  call->sum.scale = 1 / (float) pj_shape_n_elems (input_shape (pj_lower_graph (l), node, 1));
  call->in[0] = x;
  call->out[0] = y;
  return y;
}

static int
function (PjLower *l, int index, PjUnaryParams params, int x)
{
  int y = pj_lower_temp_shape (l, 0, reduced_shape (l, index));
  PjCall *call = pj_lower_call (l, PJ_KERNEL_UNARY, index);
  call->unary = params;
  call->in[0] = x;
  call->out[0] = y;
  return y;
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  const PjLayerNormParams *p = node->params;
  int x = pj_lower_slot (l, node->inputs[0]), gamma = pj_lower_slot (l, node->inputs[1]);
  int beta = pj_lower_slot (l, input_or_absent (node, 2));

  int distance = combine (l, index, PJ_BINARY_SUB, x, mean (l, index, x), -1);
  int variance = mean (l, index, combine (l, index, PJ_BINARY_MUL, distance, distance, -1));
  int sum = function (l, index, (PjUnaryParams) { PJ_FN_LINEAR, 1, p->eps }, variance);
  int rstd = function (l, index, (PjUnaryParams) { PJ_FN_POWER, -0.5f, 0 }, sum);
  int normalised = combine (l, index, PJ_BINARY_MUL, distance, rstd, -1);
  pj_lower_save (l, index, 0, normalised);
  pj_lower_save (l, index, 1, rstd);
  int scaled = combine (l, index, PJ_BINARY_MUL, normalised, gamma, beta < 0 ? pj_lower_output (l, index) : -1);
  if (beta >= 0)
    combine (l, index, PJ_BINARY_ADD, scaled, beta, pj_lower_output (l, index));
  return TRUE;
}

/* --- backward:  e = γ·dy:  dx = r·(e − mean e − x̂·mean (e·x̂)) --- */

static void
add_param_grad (PjLower *l, int index, int value, int grad)
{
  gboolean accumulate;
  int sum = pj_lower_param_grad (l, value, &accumulate);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_SUM_TO, index);
  call->sum.scale = 1;
  call->accumulate = accumulate;
  call->in[0] = grad;
  call->out[0] = sum;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int dy = pj_lower_grad (l, index, FALSE), normalised = pj_lower_saved (l, index, 0), rstd = pj_lower_saved (l, index, 1);

  add_param_grad (l, index, node->inputs[1], combine (l, index, PJ_BINARY_MUL, dy, normalised, -1));
  if (has_input (node, 2))
    add_param_grad (l, index, node->inputs[2], dy);
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int e = combine (l, index, PJ_BINARY_MUL, dy, pj_lower_slot (l, node->inputs[1]), -1);
  int centred = combine (l, index, PJ_BINARY_SUB, e, mean (l, index, e), -1);
  int share = mean (l, index, combine (l, index, PJ_BINARY_MUL, e, normalised, -1));
  int slope = combine (l, index, PJ_BINARY_MUL, normalised, share, -1);
  int inner = combine (l, index, PJ_BINARY_SUB, centred, slope, -1);
  pj_lower_add_grad (l, node->inputs[0], combine (l, index, PJ_BINARY_MUL, inner, rstd, -1));
  return TRUE;
}

/* --- ONNX: the last dimensions, from an axis on; the exporter turns maps so that it is so --- */

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  PjLayerNormParams *p = params;
  PjShape x, s;

  if (!pj_onnx_in_shape (in, 0, &x))
    return pj_onnx_in_refuse (in, error, "its input has no known shape");
  int64_t axis = pj_onnx_in_int (in, "axis", -1);
  if (axis < 0)
    axis += x.rank;
  if (axis < 1 || axis >= (int64_t) x.rank)
    return pj_onnx_in_refuse (in, error, "axis is %" G_GINT64_FORMAT "; it would mix the pictures of a batch", axis);
  *p = (PjLayerNormParams) { .eps = (float) pj_onnx_in_float (in, "epsilon", 1e-5), .first = (int) axis, .n = (int) (x.rank - axis) };
  for (unsigned i = 1; i < 3; i++) {
    PjBlob *blob = pj_onnx_in_const_floats (in, i, &s);
    if (blob == NULL && (i == 1 || pj_onnx_in_has_input (in, i)))
      return pj_onnx_in_refuse (in, error, "its parameters are computed at run time; only stored ones are supported");
    if (blob == NULL)
      continue;
    PjShape full = x;
    for (unsigned d = 0; d < x.rank; d++)
      full.dim[d] = (int64_t) d < axis ? 1 : x.dim[d];
    if (pj_shape_n_elems (&full) != pj_blob_n_elems (blob))
      return pj_onnx_in_refuse (in, error, "%s has %zu values, expected %zu", i == 1 ? "γ" : "β", pj_blob_n_elems (blob),
                                pj_shape_n_elems (&full));
    pj_onnx_in_set_const (in, i, full, pj_blob_ref (blob));
  }
  pj_onnx_in_keep_inputs (in, 3);
  return TRUE;
}

static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjLayerNormParams *p = node->params;
  pj_onnx_out_int (out, "axis", p->first);
  pj_onnx_out_float (out, "epsilon", p->eps);
}

const PjOp pj_op_layer_norm = {
  .name = "layer_norm", .title = "Layer norm", .onnx_names = (const char *const[]) { "LayerNormalization", NULL },
  .min_opset = 17, .params_size = sizeof (PjLayerNormParams), .min_inputs = 2, .max_inputs = 3,
  .uses = { PJ_USE_NONE, PJ_USE_PLAIN, PJ_USE_PLAIN }, .zero = PJ_ZERO_BREAKS,
  .infer = infer, .cost = cost, .channels = channels, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = to_onnx,
};
