/* SPDX-License-Identifier: MIT */
/* Half precision: a device of its own, whose products round their operands to float16 and whose sums stay float32. */
#include <math.h>

#include "base/error.h"
#include "compute/plan.h"
#include "ops/op.h"
#include "ops/params.h"

#define BATCH 3
#define SIDE 10

/* A convolution of 3×3 and a bias: its channels, stride and groups. */
typedef struct {
  const char *name;
  int in, out, stride, groups;
} Case;

static const Case cases[] = {
  { "whole", 32, 64, 1, 1 }, { "wide", 64, 160, 1, 1 }, { "odd", 5, 71, 1, 1 }, { "strided", 36, 130, 2, 1 }, { "grouped", 64, 128, 1, 2 },
  { "split", 512, 64, 2, 1 },
};

/* (transfer full) (nullable): the first device in half precision. */
static char *
half_device (void)
{
  g_autoptr (GPtrArray) all = pj_devices_list (NULL);
  for (guint i = 0; i < all->len; i++) {
    const PjDeviceInfo *info = all->pdata[i];
    if (g_str_has_suffix (info->id, ":" PJ_DEVICE_HALF))
      return g_strdup (info->id);
  }
  return NULL;
}

static float *
numbers (size_t n, unsigned step)
{
  float *data = g_new (float, n);
  for (size_t i = 0; i < n; i++)
    data[i] = (float) ((i * step) % 1009) / 1009.0f - 0.5f;
  return data;
}

static PjBlob *
parameters (size_t n, unsigned step)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *data = numbers (n, step);
  PjBlob *blob = pj_blob_new_copy (data, n, &error);
  g_assert_no_error (error);
  return blob;
}

static PjGraph *
make_graph (const Case *c)
{
  g_autoptr (GError) error = NULL;
  PjGraph *graph = pj_graph_new (c->name);
  size_t n = (size_t) c->out * (size_t) (c->in / c->groups) * 9;
  PjConvParams params = { .kernel = { 3, 3 }, .stride = { c->stride, c->stride }, .dilation = { 1, 1 }, .pad = { 1, 1, 1, 1 },
                          .groups = c->groups };
  int inputs[] = {
    pj_graph_add_input (graph, "x", PJ_SHAPE (1, c->in, SIDE, SIDE)),
    pj_graph_add_param (graph, "w", PJ_SHAPE (c->out, c->in / c->groups, 3, 3), parameters (n, 7919)),
    pj_graph_add_param (graph, "b", PJ_SHAPE (c->out), parameters ((size_t) c->out, 31)),
  };
  int y = pj_graph_add_node (graph, "conv", &pj_op_conv, &params, inputs, 3, &error);
  g_assert_no_error (error);
  pj_graph_set_output (graph, y);
  return graph;
}

/* The output of the forward pass. (transfer full) */
static float *
forward (const char *id, const Case *c, size_t *n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjGraph) graph = make_graph (c);
  g_autoptr (PjDevice) device = pj_device_open (id, &error);
  g_assert_no_error (error);
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, &error);
  g_assert_no_error (error);
  int output = pj_graph_get_output (graph);
  PjPlanOptions options = { .batch = BATCH, .mode = PJ_PLAN_INFER, .observed = &output, .n_observed = 1, .prefix = TRUE };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, &error);
  g_assert_no_error (error);
  g_autofree float *x = numbers ((size_t) BATCH * (size_t) c->in * SIDE * SIDE, 6007);

  *n = BATCH * pj_shape_n_elems (&pj_graph_value (graph, output)->shape);
  float *y = g_new (float, *n);
  g_assert_true (pj_plan_set_images (plan, x, &error) && pj_plan_forward (plan, NULL, &error)
                 && pj_plan_read_value (plan, output, y, &error));
  g_assert_no_error (error);
  return y;
}

/* Sums of rounded products are near the true ones, and are not they. */
static void
near_float32 (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *id = half_device ();
  size_t n, n_half;

  if (id == NULL) {
    g_test_skip ("no device here has cooperative matrices of float16");
    return;
  }
  g_autofree float *y = forward ("cpu", c, &n), *half = forward (id, c, &n_half);
  double square = 0.0, largest = 0.0;
  g_assert_cmpuint (n, ==, n_half);
  for (size_t i = 0; i < n; i++) {
    square += (double) y[i] * y[i];
    largest = MAX (largest, ABS ((double) y[i] - half[i]));
  }
  double rms = sqrt (square / (double) n);
  g_assert_cmpfloat (largest, >, 1e-4 * rms);
  g_assert_cmpfloat (largest, <, 5e-3 * rms);
}

/* Where there is no such device, a person is told which there are. */
static void
refused (void)
{
  static const char *const ids[] = { "cpu:0:half", "vulkan:99:half", "vulkan:0:quarter", "vulkan:0:half:half", "vulkan:half" };
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (pj_device_open (ids[i], &error));
    g_assert_error (error, PJ_GPU_ERROR, PJ_GPU_ERROR_UNAVAILABLE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/half/refused", refused);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/compute/half/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], near_float32);
  }
  return g_test_run ();
}
