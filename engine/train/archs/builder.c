/* SPDX-License-Identifier: MIT */
#include "train/archs/builder.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "ops/op.h"
#include "ops/params.h"

#define NORM_EPS 1e-5f
#define MAX_SIDE 4096

int
pj_builder_init (PjBuilder *self, const char *name, int c, int h, int w, uint64_t seed)
{
  *self = (PjBuilder) { pj_graph_new (name), seed, NULL };
  return pj_graph_add_input (self->graph, "image", PJ_SHAPE (1, c, h, w));
}

/* --- parameters --- */

/* @std: of normal values; 0 for @fill everywhere. */
static int
param (PjBuilder *self, const char *owner, const char *role, PjShape shape, float fill, double std)
{
  g_autofree char *name = g_strdup_printf ("%s.%s", owner, role);
  size_t n = pj_shape_n_elems (&shape);
  float *data = self->error == NULL ? pj_alloc (n * sizeof (float), name, &self->error) : NULL;
  PjRng rng;

  if (data == NULL)
    return -1;
  /* A stream for each parameter: adding a layer does not change the ones before it. */
  pj_rng_init (&rng, self->seed, PJ_STREAM (PJ_STREAM_INIT, pj_graph_n_values (self->graph), 0));
  for (size_t i = 0; i < n; i++)
    data[i] = std > 0 ? (float) (std * pj_rng_normal (&rng)) : fill;
  return pj_graph_add_param (self->graph, name, shape, pj_blob_new_take (data, n));
}

static int
node (PjBuilder *self, const char *owner, const char *role, const PjOp *op, gconstpointer params, const int *inputs, unsigned n)
{
  g_autofree char *name = role ? g_strdup_printf ("%s.%s", owner, role) : g_strdup (owner);
  if (self->error != NULL)
    return -1;
  return pj_graph_add_node (self->graph, name, op, params, inputs, n, &self->error);
}

static int64_t
channels (const PjBuilder *self, int value)
{
  return value >= 0 ? pj_graph_value (self->graph, value)->shape.dim[1] : 1;
}

/* --- layers --- */

static int
norm (PjBuilder *self, const char *owner, int x)
{
  g_autofree char *name = g_strdup_printf ("%s.norm", owner);
  PjShape shape = PJ_SHAPE (channels (self, x));
  PjNormParams p = { NORM_EPS };
  int inputs[] = {
    x, param (self, name, "weight", shape, 1, 0), param (self, name, "bias", shape, 0, 0),
    param (self, name, "running_mean", shape, 0, 0), param (self, name, "running_var", shape, 1, 0),
  };
  return node (self, name, NULL, &pj_op_norm, &p, inputs, 5);
}

int
pj_builder_conv (PjBuilder *self, const char *name, int x, int c_out, int kernel, int stride, gboolean relu)
{
  int64_t c_in = channels (self, x);
  int pad = kernel / 2;
  PjConvParams p = {
    .kernel = { kernel, kernel }, .stride = { stride, stride }, .dilation = { 1, 1 }, .pad = { pad, pad, pad, pad }, .groups = 1,
  };
  double std = sqrt (2.0 / (double) (c_in * kernel * kernel));
  int w = param (self, name, "weight", PJ_SHAPE (c_out, c_in, kernel, kernel), 0, std);
  int y = norm (self, name, node (self, name, NULL, &pj_op_conv, &p, (int[]) { x, w }, 2));
  return relu ? node (self, name, "relu", &pj_op_relu, NULL, &y, 1) : y;
}

int
pj_builder_max_pool (PjBuilder *self, const char *name, int x)
{
  PjPoolParams p = { .kernel = { 2, 2 }, .stride = { 2, 2 } };
  return node (self, name, NULL, &pj_op_max_pool, &p, &x, 1);
}

int
pj_builder_add_relu (PjBuilder *self, const char *name, int a, int b)
{
  int y = node (self, name, "add", &pj_op_add, NULL, (int[]) { a, b }, 2);
  return node (self, name, "relu", &pj_op_relu, NULL, &y, 1);
}

void
pj_builder_classifier (PjBuilder *self, int x, unsigned n_classes)
{
  int64_t c = channels (self, x);
  int y = node (self, "global_pool", NULL, &pj_op_global_avg_pool, NULL, &x, 1);
  y = node (self, "flatten", NULL, &pj_op_flatten, NULL, &y, 1);
  int w = param (self, "fc", "weight", PJ_SHAPE ((int64_t) n_classes, c), 0, sqrt (1.0 / (double) c));
  int b = param (self, "fc", "bias", PJ_SHAPE ((int64_t) n_classes), 0, 0);
  y = node (self, "fc", NULL, &pj_op_gemm, NULL, (int[]) { y, w, b }, 3);
  if (self->error != NULL)
    return;
  pj_graph_rename_value (self->graph, y, "logits");
  pj_graph_set_output (self->graph, y);
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

gboolean
pj_arch_check (const char *name, int c, int h, int w, unsigned n_classes, int least, GError **error)
{
  if ((c == 1 || c == 3) && MIN (h, w) >= least && MAX (h, w) <= MAX_SIDE && n_classes >= 2 && n_classes <= 65536)
    return TRUE;
  g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
               "%s cannot be made for %d channels, %d×%d pixels and %u classes; it takes 1 or 3 channels, sides of %d to %d and "
               "2 to 65536 classes", name, c, w, h, n_classes, least, MAX_SIDE);
  return FALSE;
}
