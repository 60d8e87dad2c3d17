/* SPDX-License-Identifier: MIT */
#include "net.h"

#include <math.h>

#include "base/rng.h"
#include "ops/op.h"
#include "ops/params.h"
#include "train/masks.h"

int
net_param_from (PjGraph *graph, const char *name, PjShape shape, const float *data)
{
  return pj_graph_add_param (graph, name, shape, pj_blob_new_copy (data, pj_shape_n_elems (&shape), NULL));
}

int
net_param (PjGraph *graph, const char *name, PjShape shape, float centre, float spread, uint64_t seed)
{
  size_t n = pj_shape_n_elems (&shape);
  g_autofree float *data = g_new (float, n);
  PjRng rng;
  pj_rng_init (&rng, seed, g_str_hash (name));
  for (size_t i = 0; i < n; i++)
    data[i] = centre + spread * (float) (2 * pj_rng_uniform (&rng) - 1);
  return net_param_from (graph, name, shape, data);
}

static int
add (PjGraph *graph, const char *name, const PjOp *op, gconstpointer params, const int *inputs, unsigned n)
{
  g_autoptr (GError) error = NULL;
  int value = pj_graph_add_node (graph, name, op, params, inputs, n, &error);
  g_assert_no_error (error);
  return value;
}

int
net_conv (PjGraph *graph, const char *name, int x, int w, int b, int stride, int pad)
{
  const PjShape *s = &pj_graph_value (graph, w)->shape;
  int64_t c_in = pj_graph_value (graph, x)->shape.dim[1];
  PjConvParams p = {
    .kernel = { (int) s->dim[2], (int) s->dim[3] }, .stride = { stride, stride }, .dilation = { 1, 1 },
    .pad = { pad, pad, pad, pad }, .groups = (int) (c_in / s->dim[1]), .depthwise = s->dim[1] == 1 && c_in > 1,
  };
  return add (graph, name, &pj_op_conv, &p, (int[]) { x, w, b }, b >= 0 ? 3 : 2);
}

int
net_norm (PjGraph *graph, const char *name, int x, int gamma, int beta, int mean, int var, float eps)
{
  PjNormParams p = { eps };
  return add (graph, name, &pj_op_norm, &p, (int[]) { x, gamma, beta, mean, var }, 5);
}

int
net_unary (PjGraph *graph, const char *name, const PjOp *op, int x)
{
  return add (graph, name, op, NULL, &x, 1);
}

int
net_add (PjGraph *graph, const char *name, int a, int b)
{
  return add (graph, name, &pj_op_add, NULL, (int[]) { a, b }, 2);
}

int
net_gemm (PjGraph *graph, const char *name, int x, int w, int b)
{
  return add (graph, name, &pj_op_gemm, NULL, (int[]) { x, w, b }, b >= 0 ? 3 : 2);
}

int
net_block (PjGraph *graph, const char *name, int x, int c_out, int k, int stride, gboolean relu)
{
  int64_t c_in = pj_graph_value (graph, x)->shape.dim[1];
  g_autofree char *w = g_strdup_printf ("%s.w", name), *g = g_strdup_printf ("%s.gamma", name);
  g_autofree char *b = g_strdup_printf ("%s.beta", name), *m = g_strdup_printf ("%s.mean", name);
  g_autofree char *v = g_strdup_printf ("%s.var", name), *norm = g_strdup_printf ("%s.norm", name);
  g_autofree char *act = g_strdup_printf ("%s.relu", name);
  int y = net_conv (graph, name, x, net_param (graph, w, PJ_SHAPE (c_out, c_in, k, k), 0, 1.0f / sqrtf ((float) (c_in * k)), 7),
                    -1, stride, k / 2);
  y = net_norm (graph, norm, y, net_param (graph, g, PJ_SHAPE (c_out), 1, 0.5f, 7), net_param (graph, b, PJ_SHAPE (c_out), 0.1f, 0.4f, 7),
                net_param (graph, m, PJ_SHAPE (c_out), 0, 0.3f, 7), net_param (graph, v, PJ_SHAPE (c_out), 1, 0.5f, 7), 1e-5f);
  return relu ? net_unary (graph, act, &pj_op_relu, y) : y;
}

PjGraph *
net_residual (void)
{
  PjGraph *g = pj_graph_new ("residual");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 6, 6));
  int stem = net_block (g, "stem", x, 5, 3, 1, TRUE);
  int y = net_block (g, "a1", stem, 3, 3, 2, TRUE);
  y = net_block (g, "a2", y, 7, 3, 1, FALSE);
  int shortcut = net_block (g, "proj", stem, 7, 1, 2, FALSE);
  int s = net_unary (g, "relu_a", &pj_op_relu, net_add (g, "add_a", y, shortcut));
  y = net_block (g, "b1", s, 4, 1, 1, TRUE);
  y = net_block (g, "b2", y, 7, 3, 1, FALSE);
  s = net_unary (g, "relu_b", &pj_op_relu, net_add (g, "add_b", y, s));
  y = net_unary (g, "gap", &pj_op_global_avg_pool, s);
  y = net_unary (g, "flatten", &pj_op_flatten, y);
  y = net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (3, 7), 0, 1, 7), net_param (g, "fc.b", PJ_SHAPE (3), 0, 1, 7));
  pj_graph_set_output (g, y);
  return g;
}

int
net_grouped_block (PjGraph *g, const char *name, int x, int c_out, int groups)
{
  int64_t c_in = pj_graph_value (g, x)->shape.dim[1];
  g_autofree char *w = g_strdup_printf ("%s.w", name), *n = g_strdup_printf ("%s.norm", name), *r = g_strdup_printf ("%s.relu", name);
  g_autofree char *gamma = g_strdup_printf ("%s.g", name), *beta = g_strdup_printf ("%s.b", name);
  g_autofree char *mean = g_strdup_printf ("%s.m", name), *var = g_strdup_printf ("%s.v", name);
  int y = net_conv (g, name, x, net_param (g, w, PJ_SHAPE (c_out, c_in / groups, 3, 3), 0, 0.4f, 3), -1, 1, 1);
  y = net_norm (g, n, y, net_param (g, gamma, PJ_SHAPE (c_out), 1, 0.5f, 3), net_param (g, beta, PJ_SHAPE (c_out), 0.1f, 0.4f, 3),
                net_param (g, mean, PJ_SHAPE (c_out), 0, 0.3f, 3), net_param (g, var, PJ_SHAPE (c_out), 1, 0.5f, 3), 1e-5f);
  return net_unary (g, r, &pj_op_relu, y);
}

/* Gates of a squeeze-and-excitation: means, two 1×1 convolutions, a sigmoid. */
static int
squeeze_excite (PjGraph *g, int x, int squeezed)
{
  int64_t c = pj_graph_value (g, x)->shape.dim[1];
  int y = net_unary (g, "se.pool", &pj_op_global_avg_pool, x);
  y = net_conv (g, "se.1", y, net_param (g, "se.1.w", PJ_SHAPE (squeezed, c, 1, 1), 0, 0.5f, 4),
                net_param (g, "se.1.b", PJ_SHAPE (squeezed), 0.2f, 0.4f, 4), 1, 0);
  y = net_unary (g, "se.relu", &pj_op_relu, y);
  y = net_conv (g, "se.2", y, net_param (g, "se.2.w", PJ_SHAPE (c, squeezed, 1, 1), 0, 0.5f, 5),
                net_param (g, "se.2.b", PJ_SHAPE (c), 0.2f, 0.4f, 5), 1, 0);
  y = net_unary (g, "se.sigmoid", &pj_op_sigmoid, y);
  y = pj_graph_add_node (g, "se.mul", &pj_op_mul, NULL, (int[]) { x, y }, 2, NULL);
  g_assert_cmpint (y, >=, 0);
  return y;
}

int
net_classifier (PjGraph *g, int x)
{
  int64_t c = pj_graph_value (g, x)->shape.dim[1];
  int y = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, x));
  return net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (3, c), 0, 1, 7), net_param (g, "fc.b", PJ_SHAPE (3), 0, 1, 7));
}

PjGraph *
net_bottleneck (int groups, gboolean gates)
{
  PjGraph *g = pj_graph_new ("bottleneck");
  int stem = net_block (g, "stem", pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 5, 5)), 6, 3, 1, TRUE);
  int y = net_block (g, "a", stem, 12, 1, 1, TRUE);
  y = net_grouped_block (g, "b", y, 12, groups);
  if (gates)
    y = squeeze_excite (g, y, 3);
  y = net_block (g, "c", y, 6, 1, 1, FALSE);
  pj_graph_set_output (g, net_classifier (g, net_unary (g, "relu", &pj_op_relu, net_add (g, "add", y, stem))));
  return g;
}

PjGraph *
net_mixed (void)
{
  PjGraph *g = pj_graph_new ("mixed");
  PjPoolParams max = { .kernel = { 2, 2 }, .stride = { 2, 2 } }, avg = { .kernel = { 3, 3 }, .stride = { 1, 1 }, .pad = { 1, 1, 1, 1 } };
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 6, 6));
  int y = net_conv (g, "c1", x, net_param (g, "c1.w", PJ_SHAPE (4, 2, 3, 3), 0, .5f, 1), net_param (g, "c1.b", PJ_SHAPE (4), 0, .5f, 1), 1, 1);
  y = net_unary (g, "r1", &pj_op_relu, y);
  y = pj_graph_add_node (g, "max", &pj_op_max_pool, &max, &y, 1, NULL);
  int w = net_param (g, "shared.w", PJ_SHAPE (4, 4, 3, 3), 0, .4f, 1);
  int z = net_unary (g, "r2", &pj_op_relu, net_conv (g, "c2", y, w, -1, 1, 1));
  z = net_conv (g, "c3", z, w, -1, 1, 1);
  z = net_unary (g, "r3", &pj_op_relu, net_add (g, "add", z, y));
  z = pj_graph_add_node (g, "avg", &pj_op_avg_pool, &avg, &z, 1, NULL);
  z = net_block (g, "b", z, 3, 1, 1, TRUE);
  z = net_unary (g, "flatten", &pj_op_flatten, z);
  z = net_gemm (g, "f1", z, net_param (g, "f1.w", PJ_SHAPE (5, 27), 0, .3f, 1), net_param (g, "f1.b", PJ_SHAPE (5), 0.2f, .3f, 1));
  z = net_unary (g, "r4", &pj_op_relu, z);
  z = net_gemm (g, "f2", z, net_param (g, "f2.w", PJ_SHAPE (3, 5), 0, 1, 1), net_param (g, "f2.b", PJ_SHAPE (3), 0, 1, 1));
  pj_graph_set_output (g, net_unary (g, "softmax", &pj_op_softmax, z));
  return g;
}

float *
net_noise (size_t n, uint64_t seed)
{
  float *x = g_new (float, n);
  PjRng rng;
  pj_rng_init (&rng, seed, 99);
  for (size_t i = 0; i < n; i++)
    x[i] = (float) pj_rng_normal (&rng) * (i % 17 == 3 ? 4.0f : 1.0f);
  return x;
}

gboolean
net_device_missing (void)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  g_autoptr (PjDevice) device = pj_device_open (id ? id : "cpu", &error);

  if (device != NULL)
    return FALSE;
  if (g_strcmp0 (g_getenv ("PJ_TEST_REQUIRE_GPU"), "1") == 0)
    g_error ("%s", error->message);
  g_print ("1..0 # SKIP %s\n", error->message);
  return TRUE;
}

float *
net_run (PjGraph *graph, const PjGroups *groups, const PjCutPlan *masks, const float *x, unsigned batch)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  g_autoptr (PjDevice) device = pj_device_open (id ? id : "cpu", &error);
  g_assert_no_error (error);
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) gated = masks != NULL ? pj_masks_gated (groups, masks) : g_array_new (FALSE, FALSE, sizeof (int));
  PjPlanOptions options = { .batch = batch, .gated = (const int *) gated->data, .n_gated = gated->len };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
  g_assert_no_error (error);
  if (masks != NULL)
    g_assert_true (pj_masks_apply (plan, graph, groups, gated, masks, NULL));
  g_assert_true (pj_plan_set_images (plan, x, &error));
  pj_plan_forward (plan, NULL, &error);
  g_assert_no_error (error);
  float *logits = g_new (float, batch * pj_graph_n_classes (graph));
  g_assert_true (pj_plan_read_logits (plan, logits, &error));
  return logits;
}
