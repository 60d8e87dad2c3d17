/* SPDX-License-Identifier: MIT */
#include "ops/util.h"

#include "base/error.h"

#include <string.h>

/* A stride or pad beyond this is a damaged file, not a network. */
#define MAX_WINDOW 4096

void
pj_op_channels_through (PjChannels *channels, const PjGraph *graph, int index)
{
  const PjNode *node = pj_graph_node (graph, index);
  pj_channels_tie_all (channels, node->inputs[0], 1, node->outputs[0], 1);
}

gboolean
pj_op_infer_same (const PjGraph *graph, const PjNode *node, PjShape *outputs, GError **error)
{
  const PjShape *x = input_shape (graph, node, 0);
  if (x->rank < 2) {
    pj_op_shape_error (error, node, "its input has rank %u, expected 2 or more", x->rank);
    return FALSE;
  }
  outputs[0] = *x;
  return TRUE;
}

gboolean
pj_onnx_in_scalar (const PjOnnxIn *in, unsigned i, float *value)
{
  PjShape shape;
  PjBlob *blob = pj_onnx_in_const_floats (in, i, &shape);
  if (blob == NULL || pj_blob_n_elems (blob) != 1)
    return FALSE;
  *value = pj_blob_data (blob)[0];
  return TRUE;
}

int64_t
pj_window_outputs (int64_t size, int kernel, int stride, int dilation, int pad_begin, int pad_end,
                   gboolean ceil_mode)
{
  int64_t room = size + pad_begin + pad_end - ((int64_t) dilation * (kernel - 1) + 1);
  if (room < 0)
    return 0;
  int64_t n = room / stride + 1;
  /* A window of ceil mode must begin inside the picture or its leading pad. */
  if (ceil_mode && room % stride != 0 && n * stride < size + pad_begin)
    n++;
  return n;
}

static gboolean
read_pair (const PjOnnxIn *in, const char *name, int pair[2], int otherwise, GError **error)
{
  int64_t values[2] = { otherwise, otherwise };
  unsigned n = pj_onnx_in_ints (in, name, values, 2);
  if (n != 0 && n != 2)
    return pj_onnx_in_refuse (in, error, "%s has %u values, expected 2", name, n);
  for (int i = 0; i < 2; i++) {
    if (values[i] < 1 || values[i] > MAX_WINDOW)
      return pj_onnx_in_refuse (in, error, "%s is %" G_GINT64_FORMAT ", expected 1 to %d", name, values[i], MAX_WINDOW);
    pair[i] = (int) values[i];
  }
  return TRUE;
}

/* SAME_UPPER and SAME_LOWER: as many outputs as ceil (size / stride); an odd pad goes to the end or the
 * beginning. */
static void
same_pads (const PjShape *x, const int kernel[2], const int stride[2], const int dilation[2],
           gboolean lower, int pad[4])
{
  for (int i = 0; i < 2; i++) {
    int64_t size = x->dim[2 + i];
    int64_t outputs = (size + stride[i] - 1) / stride[i];
    int64_t need = (outputs - 1) * stride[i] + (int64_t) dilation[i] * (kernel[i] - 1) + 1 - size;
    int total = (int) CLAMP (need, 0, 2 * MAX_WINDOW);
    pad[i] = lower ? total - total / 2 : total / 2;
    pad[2 + i] = total - pad[i];
  }
}

gboolean
pj_onnx_read_window (PjOnnxIn *in, int kernel[2], int stride[2], int dilation[2], int pad[4], GError **error)
{
  int one[2], size[2];
  int *dilate = dilation ? dilation : one;
  int64_t pads[4] = { 0 };
  PjShape x;

  if (!pj_onnx_in_shape (in, 0, &x) || x.rank != 4)
    return pj_onnx_in_refuse (in, error, "only one- and two-dimensional windows are supported; its input has rank %u", x.rank);
  if (!read_pair (in, "kernel_shape", size, MAX (kernel[0], 1), error)
      || !read_pair (in, "strides", stride, 1, error) || !read_pair (in, "dilations", dilate, 1, error))
    return FALSE;
  if (pj_onnx_in_ints (in, "kernel_shape", pads, 0) == 0 && kernel[0] > 0)
    memcpy (size, kernel, sizeof size);
  if (kernel[0] > 0 && (size[0] != kernel[0] || size[1] != kernel[1]))
    return pj_onnx_in_refuse (in, error, "kernel_shape is %d×%d but the weights are %d×%d", size[0], size[1], kernel[0], kernel[1]);
  memcpy (kernel, size, sizeof size);
  if (dilation == NULL && (one[0] != 1 || one[1] != 1))
    return pj_onnx_in_refuse (in, error, "dilated pooling is not supported");

  const char *automatic = pj_onnx_in_string (in, "auto_pad", "NOTSET");
  if (g_str_has_prefix (automatic, "SAME_")) {
    same_pads (&x, kernel, stride, dilate, strcmp (automatic, "SAME_LOWER") == 0, pad);
    return TRUE;
  }
  unsigned n = strcmp (automatic, "VALID") == 0 ? 0 : pj_onnx_in_ints (in, "pads", pads, 4);
  if (n != 0 && n != 4)
    return pj_onnx_in_refuse (in, error, "pads has %u values, expected 4", n);
  for (int i = 0; i < 4; i++) {
    if (pads[i] < 0 || pads[i] > MAX_WINDOW)
      return pj_onnx_in_refuse (in, error, "a pad is %" G_GINT64_FORMAT ", expected 0 to %d", pads[i], MAX_WINDOW);
    pad[i] = (int) pads[i];
  }
  return TRUE;
}

void
pj_onnx_write_window (PjOnnxOut *out, const int kernel[2], const int stride[2], const int *dilation,
                      const int pad[4])
{
  if (dilation != NULL)
    pj_onnx_out_ints (out, "dilations", (int64_t[]) { dilation[0], dilation[1] }, 2);
  pj_onnx_out_ints (out, "kernel_shape", (int64_t[]) { kernel[0], kernel[1] }, 2);
  pj_onnx_out_ints (out, "pads", (int64_t[]) { pad[0], pad[1], pad[2], pad[3] }, 4);
  pj_onnx_out_ints (out, "strides", (int64_t[]) { stride[0], stride[1] }, 2);
}

gboolean
pj_op_from_onnx_plain (PjOnnxIn *in, gpointer params, GError **error)
{
  return TRUE;
}

void
pj_op_to_onnx_plain (PjOnnxOut *out, const PjGraph *graph, const PjNode *node)
{
}

gboolean
pj_op_shares_alike (const PjNode *node, gboolean added_a, gboolean added_b, GError **error)
{
  if (added_a == added_b)
    return TRUE;
  g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "node “%s” shares some of its parameters with another node, but not all; "
               "such a network can be run but not trained", node->name);
  return FALSE;
}
