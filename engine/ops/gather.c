/* SPDX-License-Identifier: MIT */
/* Channels in another order, some perhaps twice or not at all: y[n, k, …] = x[n, index[k], …].  What a
 * channel shuffle becomes.  Input 1 is the list, whole numbers stored as f32 (exact to 2^24). */
#include "ops/util.h"

#include "base/alloc.h"

static gboolean
infer (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjShape *x = input_shape (graph, node, 0), *list = input_shape (graph, node, 1);
  const PjValue *index = pj_graph_value (graph, node->inputs[1]);
  const float *data = index->data != NULL ? pj_blob_data (index->data) : NULL;

  if (x->rank < 2 || list->rank != 1 || x->dim[1] > 1 << 24) {
    pj_op_shape_error (error, node, "a list of rank %u cannot choose channels of a map of rank %u", list->rank, x->rank);
    return FALSE;
  }
  /* A cut that only predicts costs has no data. */
  for (int64_t k = 0; data != NULL && k < list->dim[0]; k++)
    if (!(data[k] >= 0 && data[k] < (float) x->dim[1]) || data[k] != (float) (int) data[k]) {
      pj_op_shape_error (error, node, "channel %g is not one of %" G_GINT64_FORMAT, (double) data[k], x->dim[1]);
      return FALSE;
    }
  outputs[0] = *x;
  outputs[0].dim[1] = list->dim[0];
  return TRUE;
}

static void
channels (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjValue *list = pj_graph_value (graph, node->inputs[1]);
  const float *data = pj_blob_data (list->data);

  for (int k = 0; k < (int) list->shape.dim[0]; k++)
    pj_channels_tie (channels, node->inputs[0], 1, (int) data[k], 1, node->outputs[0], 1, k, 1, 1);
  pj_channels_tie_all (channels, node->inputs[1], 0, node->outputs[0], 1);
  pj_channels_role (channels, node->inputs[1], 0, index, PJ_ROLE_PER_CHANNEL);
}

/* The list was gathered like any parameter; the channels that it names have moved too. */
static void
cut (PjGraph *graph, int index, const int *moved_in, const int *moved_out)
{
  const PjNode *node = pj_graph_node (graph, index);
  const PjValue *list = pj_graph_value (graph, node->inputs[1]);
  size_t n = pj_blob_n_elems (list->data);
  const float *old = pj_blob_data (list->data);
  float *data = old != NULL && moved_in != NULL ? pj_alloc (n * sizeof *data, "a list of channels", NULL) : NULL;

  if (data == NULL)
    return;
  for (size_t k = 0; k < n; k++)
    data[k] = (float) moved_in[(int) old[k]];
  pj_graph_set_param (graph, node->inputs[1], list->shape, pj_blob_new_take (data, n));
}

static gboolean
lower (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  int x = pj_lower_slot (l, node->inputs[0]), list = pj_lower_slot (l, node->inputs[1]);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_GATHER, index);
  call->in[0] = x;
  call->in[1] = list;
  call->out[0] = pj_lower_output (l, index);
  return TRUE;
}

static gboolean
lower_backward (PjLower *l, int index, GError **error)
{
  const PjNode *node = pj_graph_node (pj_lower_graph (l), index);
  if (!pj_lower_wants_grad (l, node->inputs[0]))
    return TRUE;
  int dx = pj_lower_temp (l, node->inputs[0]);
  int dy = pj_lower_grad (l, index, FALSE);
  PjCall *call = pj_lower_call (l, PJ_KERNEL_GATHER_BWD, index);
  call->in[0] = dy;
  call->in[1] = pj_lower_slot (l, node->inputs[1]);
  call->out[0] = dx;
  pj_lower_add_grad (l, node->inputs[0], dx);
  return TRUE;
}

static gboolean
from_onnx (PjOnnxIn *in, gpointer params, GError **error)
{
  int64_t values[PJ_GATHER_MAX];
  PjShape x, list;
  int n = pj_onnx_in_const_ints (in, 1, values, PJ_GATHER_MAX);
  int64_t axis = pj_onnx_in_int (in, "axis", 0);

  if (!pj_onnx_in_shape (in, 0, &x) || !pj_onnx_in_shape (in, 1, &list) || n < 1 || n > PJ_GATHER_MAX || list.rank != 1)
    return pj_onnx_in_refuse (in, error, "only a stored list of at most %d channels is supported", PJ_GATHER_MAX);
  if (axis != 1 && axis != 1 - (int64_t) x.rank)
    return pj_onnx_in_refuse (in, error, "axis is %" G_GINT64_FORMAT "; only channels (axis 1) can be chosen", axis);
  float *data = pj_alloc ((size_t) n * sizeof *data, "a list of channels", error);
  if (data == NULL)
    return FALSE;
  for (int k = 0; k < n; k++)
    data[k] = (float) (values[k] < 0 ? values[k] + x.dim[1] : values[k]);
  pj_onnx_in_set_const (in, 1, PJ_SHAPE (n), pj_blob_new_take (data, (size_t) n));
  return TRUE;
}

/* Written as integers; the f32 list is no input of the file's node. */
static void
to_onnx (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
  const PjValue *list = pj_graph_value (graph, node->inputs[1]);
  unsigned n = (unsigned) pj_blob_n_elems (list->data);
  const float *data = pj_blob_data (list->data);
  g_autofree int64_t *values = g_new (int64_t, n);
  for (unsigned k = 0; k < n; k++)
    values[k] = (int64_t) data[k];
  pj_onnx_out_add_const_ints (out, "channels", values, n);
  pj_onnx_out_int (out, "axis", 1);
}

const PjOp pj_op_gather = {
  .name = "gather", .title = "Reorder channels", .onnx_names = (const char *const[]) { "Gather", NULL },
  .min_inputs = 2, .max_inputs = 2, .uses = { PJ_USE_NONE, PJ_USE_STATE }, .zero = PJ_ZERO_KEEPS, .writes_inputs = 1,
  .infer = infer, .channels = channels, .cut = cut, .lower = lower, .lower_backward = lower_backward,
  .from_onnx = from_onnx, .to_onnx = to_onnx,
};
