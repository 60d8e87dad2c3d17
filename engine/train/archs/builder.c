/* SPDX-License-Identifier: MIT */
#include "train/archs/builder.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "ops/op.h"
#include "ops/params.h"

#define NORM_EPS 1e-5f

int
pj_builder_init (PjBuilder *self, const PjArch *arch, const PjArchOptions *options)
{
  g_autofree char *name = options->width != 1.0 ? g_strdup_printf ("%s-%g", arch->name, options->width) : g_strdup (arch->name);
  *self = (PjBuilder) { pj_graph_new (name), options, NULL };
  return pj_graph_add_input (self->graph, "image", PJ_SHAPE (1, options->c, options->h, options->w));
}

int
pj_builder_width (const PjBuilder *self, int c)
{
  return MAX (1, (int) floor (c * self->options->width + 1e-9));
}

int
pj_arch_divisible (double width)
{
  int n = MAX (8, (int) (width + 4) / 8 * 8);
  return n < 0.9 * width ? n + 8 : n;
}

int
pj_builder_channels (const PjBuilder *self, int value)
{
  return value >= 0 ? (int) pj_graph_value (self->graph, value)->shape.dim[1] : 1;
}

/* --- parameters --- */

/* @std: of normal values; 0 for @fill everywhere. */
static PjBlob *
make_data (PjBuilder *self, const char *name, size_t n, float fill, double std)
{
  if (self->options->outline)
    return pj_blob_new_foreign (NULL, n, NULL, NULL);
  float *data = pj_alloc (n * sizeof (float), name, &self->error);
  PjRng rng;

  if (data == NULL)
    return NULL;
  /* A stream for each parameter: adding a layer does not change the ones before it. */
  pj_rng_init (&rng, self->options->seed, PJ_STREAM (PJ_STREAM_INIT, pj_graph_n_values (self->graph), 0));
  for (size_t i = 0; i < n; i++)
    data[i] = std > 0 ? (float) (std * pj_rng_normal (&rng)) : fill;
  return pj_blob_new_take (data, n);
}

static int
param (PjBuilder *self, const char *owner, const char *role, PjShape shape, float fill, double std)
{
  g_autofree char *name = g_strdup_printf ("%s.%s", owner, role);
  PjBlob *data = self->error == NULL ? make_data (self, name, pj_shape_n_elems (&shape), fill, std) : NULL;
  return data != NULL ? pj_graph_add_param (self->graph, name, shape, data) : -1;
}

static int
node (PjBuilder *self, const char *owner, const char *role, const PjOp *op, gconstpointer params, const int *inputs, unsigned n)
{
  g_autofree char *name = role ? g_strdup_printf ("%s.%s", owner, role) : g_strdup (owner);
  if (self->error != NULL)
    return -1;
  return pj_graph_add_node (self->graph, name, op, params, inputs, n, &self->error);
}

/* --- layers --- */

static int
norm (PjBuilder *self, const char *owner, int x)
{
  g_autofree char *name = g_strdup_printf ("%s.norm", owner);
  PjShape shape = PJ_SHAPE (pj_builder_channels (self, x));
  PjNormParams p = { NORM_EPS };
  int inputs[] = {
    x, param (self, name, "weight", shape, 1, 0), param (self, name, "bias", shape, 0, 0),
    param (self, name, "running_mean", shape, 0, 0), param (self, name, "running_var", shape, 1, 0),
  };
  return node (self, name, NULL, &pj_op_norm, &p, inputs, 5);
}

int
pj_builder_layer (PjBuilder *self, const char *name, int x, int c_out, const PjBuilderConv *conv)
{
  int c_in = pj_builder_channels (self, x), k = conv->kernel, groups = MAX (1, conv->groups);
  PjConvParams p = {
    .kernel = { k, k }, .stride = { conv->stride, conv->stride }, .dilation = { 1, 1 },
    .pad = { conv->pad, conv->pad, conv->pad, conv->pad }, .groups = groups, .depthwise = groups > 1 && groups == c_in,
  };
  PjUnaryParams six = { .function = PJ_FN_CLIP, .alpha = 0, .beta = 6 };
  double std = sqrt (2.0 / ((double) c_in / groups * k * k));
  int w = param (self, name, "weight", PJ_SHAPE (c_out, c_in / groups, k, k), 0, std);
  int b = conv->bias ? param (self, name, "bias", PJ_SHAPE (c_out), 0, 0) : -1;
  int y = node (self, name, NULL, &pj_op_conv, &p, (int[]) { x, w, b }, conv->bias ? 3 : 2);
  if (!conv->bias)
    y = norm (self, name, y);
  if (conv->end == PJ_BUILDER_RELU6)
    return node (self, name, "relu6", &pj_op_clip, &six, &y, 1);
  return conv->end == PJ_BUILDER_RELU ? node (self, name, "relu", &pj_op_relu, NULL, &y, 1) : y;
}

int
pj_builder_conv (PjBuilder *self, const char *name, int x, int c_out, int kernel, int stride, gboolean relu)
{
  PjBuilderConv conv = { kernel, stride, kernel / 2, 1, FALSE, relu ? PJ_BUILDER_RELU : PJ_BUILDER_LINEAR };
  return pj_builder_layer (self, name, x, c_out, &conv);
}

int
pj_builder_max_pool (PjBuilder *self, const char *name, int x, int kernel, int stride, int pad)
{
  PjPoolParams p = { .kernel = { kernel, kernel }, .stride = { stride, stride }, .pad = { pad, pad, pad, pad } };
  return node (self, name, NULL, &pj_op_max_pool, &p, &x, 1);
}

int
pj_builder_lrn (PjBuilder *self, const char *name, int x, int size)
{
  PjLrnParams p = { .size = size, .alpha = 1e-4f, .beta = 0.75f, .bias = 1 };
  return node (self, name, NULL, &pj_op_lrn, &p, &x, 1);
}

int
pj_builder_add (PjBuilder *self, const char *name, int a, int b)
{
  return node (self, name, "add", &pj_op_add, NULL, (int[]) { a, b }, 2);
}

int
pj_builder_add_relu (PjBuilder *self, const char *name, int a, int b)
{
  int y = pj_builder_add (self, name, a, b);
  return node (self, name, "relu", &pj_op_relu, NULL, &y, 1);
}

int
pj_builder_zero_shortcut (PjBuilder *self, const char *name, int x, int c_out, int stride)
{
  if (self->error != NULL)
    return -1;
  const PjShape *shape = &pj_graph_value (self->graph, x)->shape;
  PjSliceParams slice = { .rank = 4 };
  PjPadParams pad = { .before = { 0, (c_out - shape->dim[1]) / 2 } };
  for (int i = 0; i < 4; i++) {
    slice.step[i] = i >= 2 ? stride : 1;
    slice.count[i] = (shape->dim[i] - 1) / slice.step[i] + 1;
  }
  pad.after[1] = c_out - shape->dim[1] - pad.before[1];
  x = stride > 1 ? node (self, name, "slice", &pj_op_slice, &slice, &x, 1) : x;
  return node (self, name, "pad", &pj_op_pad, &pad, &x, 1);
}

int
pj_builder_flatten (PjBuilder *self, const char *name, int x)
{
  return node (self, name, NULL, &pj_op_flatten, NULL, &x, 1);
}

/* @gain: variance of the initial weights times the inputs. */
static int
fc (PjBuilder *self, const char *name, int x, int n_out, double gain)
{
  int n_in = pj_builder_channels (self, x);
  int w = param (self, name, "weight", PJ_SHAPE (n_out, n_in), 0, sqrt (gain / n_in));
  int b = param (self, name, "bias", PJ_SHAPE (n_out), 0, 0);
  return node (self, name, NULL, &pj_op_gemm, NULL, (int[]) { x, w, b }, 3);
}

int
pj_builder_fc (PjBuilder *self, const char *name, int x, int n_out, gboolean relu)
{
  int y = fc (self, name, x, n_out, 2);
  return relu ? node (self, name, "relu", &pj_op_relu, NULL, &y, 1) : y;
}

void
pj_builder_scores (PjBuilder *self, const char *name, int x)
{
  int y = fc (self, name, x, (int) self->options->n_classes, 1);
  if (self->error != NULL)
    return;
  pj_graph_rename_value (self->graph, y, "logits");
  pj_graph_set_output (self->graph, y);
}

void
pj_builder_classifier (PjBuilder *self, int x)
{
  int y = node (self, "global_pool", NULL, &pj_op_global_avg_pool, NULL, &x, 1);
  pj_builder_scores (self, "fc", pj_builder_flatten (self, "flatten", y));
}

PjGraph *
pj_builder_finish (PjBuilder *self, GError **error)
{
  if (self->error == NULL)
    return self->graph;
  g_propagate_error (error, self->error);
  pj_graph_unref (self->graph);
  return NULL;
}
