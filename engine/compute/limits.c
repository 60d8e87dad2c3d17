/* SPDX-License-Identifier: MIT */
/* The probe is made of ordinary plans, so that every device has one and it goes through the same driver. */
#include "compute/limits.h"

#include "base/alloc.h"
#include "compute/plan.h"
#include "ops/op.h"

/* Of the matrix product and of the pass over memory (64 MiB read and written): the least, twice as much until a run takes long
 * enough to be more than its launch and to fill a graphics card, and the most. */
#define SIDE 1024
#define MAX_SIDE 8192
#define PRODUCT_SECONDS 4e-3
#define ELEMS ((size_t) 8 << 20)
#define MAX_ELEMS ((size_t) 64 << 20)
#define PASS_SECONDS 0.5e-3
#define MAX_RUNS 8
#define MAX_SECONDS 0.15

/* Memory that was never written may be one page of zeros many times over, and fast. */
static gboolean
write_input (PjPlan *plan, const PjGraph *graph, GError **error)
{
  size_t n = pj_plan_batch (plan) * pj_shape_n_elems (&pj_graph_value (graph, pj_graph_get_input (graph))->shape);
  float *data = pj_alloc (n * sizeof (float), "numbers to time", error);
  if (data == NULL)
    return FALSE;
  for (size_t i = 0; i < n; i++)
    data[i] = 1.0f;
  gboolean ok = pj_plan_set_images (plan, data, error);
  pj_free (data);
  return ok;
}

/* Seconds of the fastest of a few runs of a network of one node; 0 on error. */
static double
fastest (PjDevice *device, PjGraph *graph, unsigned batch, GError **error)
{
  int output = pj_graph_get_output (graph);
  PjPlanOptions options = { .batch = batch, .mode = PJ_PLAN_INFER, .observed = &output, .n_observed = 1, .prefix = TRUE };
  g_autoptr (PjParams) params = pj_params_new (device, graph, FALSE, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (graph, params, &options, error) : NULL;
  gint64 start = g_get_monotonic_time ();
  double best = 0.0;

  if (plan == NULL || !write_input (plan, graph, error) || !pj_plan_forward (plan, NULL, error))
    return 0.0;
  for (int i = 0; i < MAX_RUNS && (i == 0 || g_get_monotonic_time () - start < (gint64) (MAX_SECONDS * G_USEC_PER_SEC)); i++) {
    gint64 before = g_get_monotonic_time ();
    if (!pj_plan_forward (plan, NULL, error))
      return 0.0;
    double seconds = (double) MAX (g_get_monotonic_time () - before, 1) / G_USEC_PER_SEC;
    best = i == 0 ? seconds : MIN (best, seconds);
  }
  return best;
}

static double
product_seconds (PjDevice *device, size_t side, GError **error)
{
  g_autoptr (PjGraph) graph = pj_graph_new ("product");
  size_t n = side * side;
  float *data = pj_alloc (n * sizeof (float), "a product to time", error);
  if (data == NULL)
    return 0.0;
  for (size_t i = 0; i < n; i++)
    data[i] = 1.0f / (float) side;
  int inputs[] = { pj_graph_add_input (graph, "x", PJ_SHAPE (1, (int64_t) side)),
                   pj_graph_add_param (graph, "w", PJ_SHAPE ((int64_t) side, (int64_t) side), pj_blob_new_take (data, n)) };
  int y = pj_graph_add_node (graph, "product", &pj_op_gemm, NULL, inputs, 2, error);
  if (y < 0)
    return 0.0;
  pj_graph_set_output (graph, y);
  return fastest (device, graph, (unsigned) side, error);
}

static double
pass_seconds (PjDevice *device, size_t elems, GError **error)
{
  g_autoptr (PjGraph) graph = pj_graph_new ("pass");
  /* Pictures of 64 channels: 16 KiB each, a thread's task. */
  int x = pj_graph_add_input (graph, "x", PJ_SHAPE (1, 64, 8, 8));
  int y = pj_graph_add_node (graph, "pass", &pj_op_relu, NULL, &x, 1, error);
  if (y < 0)
    return 0.0;
  pj_graph_set_output (graph, y);
  return fastest (device, graph, (unsigned) (elems / (64 * 8 * 8)), error);
}

static double
product_flops (size_t side, double seconds)
{
  return 2.0 * (double) side * (double) side * (double) side / seconds;
}

static double
pass_bytes (size_t elems, double seconds)
{
  return 2.0 * sizeof (float) * (double) elems / seconds;
}

gboolean
pj_limits_measure (PjDevice *device, PjLimits *limits, GError **error)
{
  double product = product_seconds (device, SIDE, error), pass = product > 0.0 ? pass_seconds (device, ELEMS, error) : 0.0;

  if (pass <= 0.0)
    return FALSE;
  limits->flops = product_flops (SIDE, product);
  limits->bytes = pass_bytes (ELEMS, pass);
  /* What does not fit is not measured: the last that did stands. */
  for (size_t side = 2 * SIDE; side <= MAX_SIDE && product > 0.0 && product < PRODUCT_SECONDS; side *= 2) {
    product = product_seconds (device, side, NULL);
    if (product > 0.0)
      limits->flops = MAX (limits->flops, product_flops (side, product));
  }
  for (size_t elems = 2 * ELEMS; elems <= MAX_ELEMS && pass > 0.0 && pass < PASS_SECONDS; elems *= 2) {
    pass = pass_seconds (device, elems, NULL);
    if (pass > 0.0)
      limits->bytes = pass_bytes (elems, pass);
  }
  return TRUE;
}

double
pj_limits_seconds (const PjLimits *limits, double flops, double bytes)
{
  return MAX (flops / limits->flops, bytes / limits->bytes);
}
