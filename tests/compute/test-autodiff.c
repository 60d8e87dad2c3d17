/* SPDX-License-Identifier: MIT */
/* Gradients of whole networks against central differences of the loss.  The step is a compromise: a
 * larger one crosses kinks of the ReLUs, a smaller one drowns in single precision, which leaves an error
 * of about 2e-4 at this size.  A wrong formula is off by far more than the tolerance. */
#include <math.h>

#include "net.h"
#include "ops/op.h"
#include "ops/params.h"

#define BATCH 4
#define STEP 0.0003f
#define TOLERANCE 0.02

static PjDevice *
open_device (void)
{
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  PjDevice *device = pj_device_open (id ? id : "cpu", &error);
  g_assert_no_error (error);
  return device;
}

static double
mean_loss (PjPlan *plan)
{
  float loss[BATCH];
  double sum = 0;
  g_assert_true (pj_plan_read_loss (plan, loss, NULL));
  for (int i = 0; i < BATCH; i++)
    sum += loss[i];
  return sum / BATCH;
}

typedef struct {
  PjGraph *graph;
  PjPlanOptions options;
  const float *x;
} Case;

static const int32_t labels[BATCH] = { 0, 2, 1, 1 };
static const float teacher[BATCH * 3] = { 1, 0, -1, 0.2f, 0.3f, 2, -1, 1, 0, 0, 0, 0.5f };
static const PjStep still = { .norm_momentum = 0 };

static PjPlan *
make_plan (const Case *c, PjParams *params)
{
  g_autoptr (GError) error = NULL;
  PjPlan *plan = pj_plan_new (c->graph, params, &c->options, &error);
  g_assert_no_error (error);
  g_assert_true (pj_plan_set_images (plan, c->x, NULL));
  if (c->options.cross_entropy != 0)
    g_assert_true (pj_plan_set_labels (plan, labels, NULL));
  if (c->options.distill != 0)
    g_assert_true (pj_plan_set_teacher (plan, teacher, NULL));
  return plan;
}

/* Loss with element @i of parameter @value moved by @delta. */
static double
moved_loss (const Case *c, PjParams *params, PjPlan *plan, int value, size_t i, float delta)
{
  const PjValue *v = pj_graph_value (c->graph, value);
  g_autoptr (PjGraph) moved = pj_graph_copy (c->graph);
  g_autofree float *data = g_memdup2 (pj_blob_data (v->data), pj_blob_n_elems (v->data) * sizeof (float));
  data[i] += delta;
  pj_graph_set_param (moved, value, v->shape, pj_blob_new_copy (data, pj_blob_n_elems (v->data), NULL));
  g_assert_true (pj_params_upload (params, moved, NULL));
  g_assert_true (pj_plan_forward (plan, &still, NULL));
  return mean_loss (plan);
}

static void
check_param (const Case *c, PjParams *params, PjPlan *plan, int value)
{
  const PjValue *v = pj_graph_value (c->graph, value);
  size_t n = pj_shape_n_elems (&v->shape);
  g_autofree float *grad = g_new (float, n);
  double largest = 0;

  g_assert_true (pj_params_upload (params, c->graph, NULL));
  g_assert_true (pj_plan_forward (plan, &still, NULL));
  g_assert_true (pj_plan_backward (plan, NULL));
  g_assert_true (pj_params_read_grad (params, value, grad, NULL));
  for (size_t i = 0; i < n; i++)
    largest = MAX (largest, fabs (grad[i]));
  for (size_t i = 0; i < n; i += n > 12 ? n / 7 : 1) {
    double up = moved_loss (c, params, plan, value, i, STEP), down = moved_loss (c, params, plan, value, i, -STEP);
    double numeric = (up - down) / (2 * STEP);
    if (fabs (numeric - grad[i]) > TOLERANCE * MAX (largest, 0.02))
      g_error ("%s[%zu]: gradient %g, difference %g (largest %g)", v->name, i, grad[i], numeric, largest);
  }
}

static void
check_params (Case *c)
{
  g_autoptr (PjDevice) device = open_device ();
  g_autoptr (PjParams) params = pj_params_new (device, c->graph, TRUE, NULL);
  g_autoptr (PjPlan) plan = make_plan (c, params);
  int checked = 0;
  for (unsigned n = 0; n < pj_graph_n_nodes (c->graph); n++) {
    const PjNode *node = pj_graph_node (c->graph, (int) n);
    for (unsigned i = 0; i < node->n_inputs; i++)
      if (node->op->uses[i] == PJ_USE_WEIGHT || node->op->uses[i] == PJ_USE_PLAIN) {
        check_param (c, params, plan, node->inputs[i]);
        checked++;
      }
  }
  g_assert_cmpint (checked, >=, 8);
}

static void
train_residual (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autofree float *x = net_noise (BATCH * 72, 11);
  Case c = { graph, { .batch = BATCH, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 }, x };
  check_params (&c);
}

static void
score_mixed (void)
{
  g_autoptr (PjGraph) graph = net_mixed ();
  g_autofree float *x = net_noise (BATCH * 72, 12);
  Case c = { graph, { .batch = BATCH, .mode = PJ_PLAN_SCORE, .cross_entropy = 1 }, x };
  check_params (&c);
}

static int
layer_norm (PjGraph *g, const char *name, int x, int first, int n, gboolean shifts)
{
  g_autofree char *gamma = g_strconcat (name, ".g", NULL), *beta = g_strconcat (name, ".b", NULL);
  PjLayerNormParams p = { .eps = 1e-3f, .first = first, .n = n };
  PjShape shape = pj_graph_value (g, x)->shape;
  for (int i = 0; i < (int) shape.rank; i++)
    if (i < first || i >= first + n)
      shape.dim[i] = 1;
  int inputs[3] = { x, net_param (g, gamma, shape, 1, .3f, 1), shifts ? net_param (g, beta, shape, 0, .3f, 1) : -1 };
  return pj_graph_add_node (g, name, &pj_op_layer_norm, &p, inputs, shifts ? 3 : 2, NULL);
}

/* Layer norms over the channels, a row of the map and all of it, GELU, and both kinds of softmax inside. */
static PjGraph *
net_layer_norms (void)
{
  PjGraph *g = pj_graph_new ("layer-norms");
  PjUnaryParams gelu = { .function = PJ_FN_GELU };
  PjSoftmaxParams channels = { 1 }, rows = { 3 };
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 2, 6, 6));
  int y = net_conv (g, "c1", x, net_param (g, "c1.w", PJ_SHAPE (5, 2, 3, 3), 0, .5f, 1), net_param (g, "c1.b", PJ_SHAPE (5), 0, .5f, 1), 2, 1);
  y = layer_norm (g, "n1", y, 1, 1, TRUE);
  y = pj_graph_add_node (g, "gelu", &pj_op_gelu, &gelu, &y, 1, NULL);
  int shares = pj_graph_add_node (g, "shares", &pj_op_softmax, &channels, &y, 1, NULL);
  y = pj_graph_add_node (g, "weighted", &pj_op_mul, NULL, (int[]) { y, shares }, 2, NULL);
  y = layer_norm (g, "n2", y, 3, 1, FALSE);
  int log_shares = pj_graph_add_node (g, "log-shares", &pj_op_log_softmax, &rows, &y, 1, NULL);
  y = layer_norm (g, "n3", net_add (g, "sum", y, log_shares), 1, 3, TRUE);
  y = net_conv (g, "c2", y, net_param (g, "c2.w", PJ_SHAPE (4, 5, 1, 1), 0, 1, 1), -1, 1, 0);
  y = net_unary (g, "log", &pj_op_log_softmax, net_unary (g, "flatten", &pj_op_flatten, y));
  pj_graph_set_output (g, net_gemm (g, "fc", y, net_param (g, "fc.w", PJ_SHAPE (3, 36), 0, .5f, 1), -1));
  return g;
}

static void
train_layer_norms (void)
{
  g_autoptr (PjGraph) graph = net_layer_norms ();
  g_autofree float *x = net_noise (BATCH * 72, 16);
  Case c = { graph, { .batch = BATCH, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 }, x };
  check_params (&c);
}

static void
distill (gconstpointer reverse)
{
  g_autoptr (PjGraph) graph = net_mixed ();
  g_autofree float *x = net_noise (BATCH * 72, 13);
  Case c = { graph, { .batch = BATCH, .mode = PJ_PLAN_SCORE, .cross_entropy = 0.3f, .distill = 0.7f,
                      .distill_temperature = 2, .distill_reverse = GPOINTER_TO_INT (reverse) }, x };
  check_params (&c);
}

/* Gates at norms, at a conv with bias and at a shared-weight conv; in both backward modes. */
static void
gate_gradients (gconstpointer mode)
{
  g_autoptr (PjGraph) graph = net_mixed ();
  g_autofree float *x = net_noise (BATCH * 72, 14);
  const int gated[] = { pj_graph_find_value (graph, "c1"), pj_graph_find_value (graph, "c2"), pj_graph_find_value (graph, "b.norm") };
  Case c = { graph, { .batch = BATCH, .mode = (PjPlanMode) GPOINTER_TO_INT (mode), .cross_entropy = 1,
                      .gated = gated, .n_gated = 3, .gate_grads = TRUE }, x };
  g_autoptr (PjDevice) device = open_device ();
  g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, NULL);
  g_autoptr (PjPlan) plan = make_plan (&c, params);
  for (int v = 0; v < 3; v++) {
    int n = (int) pj_graph_value (graph, gated[v])->shape.dim[1];
    float grad[4], gate[4] = { 0.9f, 0.7f, 1.1f, 0.5f };
    g_assert_true (pj_plan_set_gate (plan, gated[v], gate, NULL));
    g_assert_true (pj_plan_forward (plan, &still, NULL));
    g_assert_true (pj_plan_backward (plan, NULL));
    g_assert_true (pj_plan_read_gate_grad (plan, gated[v], grad, NULL));
    for (int i = 0; i < n; i++) {
      double loss[2];
      for (int s = 0; s < 2; s++) {
        float moved[4] = { gate[0], gate[1], gate[2], gate[3] };
        moved[i] += s ? STEP : -STEP;
        g_assert_true (pj_plan_set_gate (plan, gated[v], moved, NULL));
        g_assert_true (pj_plan_forward (plan, &still, NULL));
        loss[s] = mean_loss (plan);
      }
      double numeric = (loss[1] - loss[0]) / (2 * STEP);
      if (fabs (numeric - grad[i]) > TOLERANCE * MAX (fabs (numeric), 0.05))
        g_error ("gate %d[%d]: gradient %g, difference %g", v, i, grad[i], numeric);
    }
  }
}

/* One optimiser step by hand: v = mu·v + g + wd·w; w −= lr·v. */
static void
sgd_step (void)
{
  g_autoptr (PjGraph) graph = net_residual ();
  g_autofree float *x = net_noise (BATCH * 72, 15);
  Case c = { graph, { .batch = BATCH, .mode = PJ_PLAN_TRAIN, .cross_entropy = 1 }, x };
  g_autoptr (PjDevice) device = open_device ();
  g_autoptr (PjParams) params = pj_params_new (device, graph, TRUE, NULL);
  g_autoptr (PjPlan) plan = make_plan (&c, params);
  const PjStep step = { .lr = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .norm_momentum = 0.1f };
  int w = pj_graph_find_value (graph, "fc.w"), b = pj_graph_find_value (graph, "fc.b");
  double old[21], v[21] = { 0 };
  float gw[21], gb[3];

  for (int i = 0; i < 21; i++)
    old[i] = pj_blob_data (pj_graph_value (graph, w)->data)[i];
  for (int s = 0; s < 2; s++) {
    g_assert_true (pj_plan_train (plan, &step, NULL));
    g_assert_true (pj_params_read_grad (params, w, gw, NULL));
    g_assert_true (pj_params_read_grad (params, b, gb, NULL));
    for (int i = 0; i < 21; i++) {
      v[i] = 0.9 * v[i] + gw[i] + 0.01 * old[i];
      old[i] -= 0.1 * v[i];
    }
  }
  g_autoptr (PjGraph) trained = pj_params_download (params, graph, NULL);
  for (int i = 0; i < 21; i++)
    g_assert_cmpfloat_with_epsilon (pj_blob_data (pj_graph_value (trained, w)->data)[i], old[i], 1e-5);
}

/* Running statistics move by the momentum; the variance is the unbiased one. */
static void
running_statistics (void)
{
  g_autoptr (PjGraph) g = pj_graph_new ("stats");
  int x = pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 1, 2));
  const float one = 1, mean0 = 0.5f, var0 = 2;
  int y = net_conv (g, "c", x, net_param_from (g, "w", PJ_SHAPE (1, 1, 1, 1), &one), -1, 1, 0);
  y = net_norm (g, "n", y, net_param_from (g, "g", PJ_SHAPE (1), &one), net_param_from (g, "b", PJ_SHAPE (1), &one),
                net_param_from (g, "m", PJ_SHAPE (1), &mean0), net_param_from (g, "v", PJ_SHAPE (1), &var0), 1e-5f);
  pj_graph_set_output (g, y);
  const float images[] = { 1, 2, 3, 6 };
  g_autoptr (PjDevice) device = open_device ();
  g_autoptr (PjParams) params = pj_params_new (device, g, FALSE, NULL);
  PjPlanOptions options = { .batch = 2, .mode = PJ_PLAN_RECALIBRATE };
  g_autoptr (GError) error = NULL;
  g_autoptr (PjPlan) plan = pj_plan_new (g, params, &options, &error);
  g_assert_no_error (error);
  const PjStep step = { .norm_momentum = 0.25f };
  g_assert_true (pj_plan_set_images (plan, images, NULL));
  g_assert_true (pj_plan_forward (plan, &step, NULL));
  g_autoptr (PjGraph) after = pj_params_download (params, g, NULL);
  /* mean 3, unbiased variance 14/3 */
  g_assert_cmpfloat_with_epsilon (*pj_blob_data (pj_graph_value (after, pj_graph_find_value (after, "m"))->data), 0.5 + 0.25 * 2.5, 1e-6);
  g_assert_cmpfloat_with_epsilon (*pj_blob_data (pj_graph_value (after, pj_graph_find_value (after, "v"))->data), 2 + 0.25 * (14.0 / 3 - 2), 1e-6);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/autodiff/train/residual", train_residual);
  g_test_add_func ("/autodiff/score/mixed", score_mixed);
  g_test_add_func ("/autodiff/train/layer-norms", train_layer_norms);
  g_test_add_data_func ("/autodiff/distill/forward", GINT_TO_POINTER (FALSE), distill);
  g_test_add_data_func ("/autodiff/distill/reverse", GINT_TO_POINTER (TRUE), distill);
  g_test_add_data_func ("/autodiff/gate/train", GINT_TO_POINTER (PJ_PLAN_TRAIN), gate_gradients);
  g_test_add_data_func ("/autodiff/gate/score", GINT_TO_POINTER (PJ_PLAN_SCORE), gate_gradients);
  g_test_add_func ("/autodiff/sgd/step", sgd_step);
  g_test_add_func ("/autodiff/norm/running-statistics", running_statistics);
  return g_test_run ();
}
